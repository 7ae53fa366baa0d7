//! How is a cell measured in a process of its own?

use std::env;
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hectare_report::{Cell, CellRunner, Row, RunnerError};

use crate::cell::Outcome;
use crate::interrupt::Interrupt;

/// How often the process is looked at.
const LOOK: Duration = Duration::from_millis(10);
/// How long it may take to stop its server and end, once it is told to.
const TIDY_TIME: Duration = Duration::from_secs(5);

/// Starts this program again for each cell, as `hectare cell`.
#[derive(Debug)]
pub(crate) struct CellProcesses {
    interrupt: Interrupt,
}

impl CellProcesses {
    /// Processes that end when the interrupt is raised.
    pub(crate) fn new(interrupt: Interrupt) -> Self {
        Self { interrupt }
    }
}

impl CellRunner for CellProcesses {
    fn run(&mut self, cell: &Cell) -> Result<Row, RunnerError> {
        if self.interrupt.is_raised() {
            return Err(RunnerError::Stopped);
        }
        let process = CellProcess::start(cell)
            .map_err(|error| RunnerError::Failed(format!("no process can be started: {error}")))?;
        process.wait(&self.interrupt)
    }
}

/// A process that measures a cell.
struct CellProcess {
    child: Child,
    answer: JoinHandle<String>,
    complaints: JoinHandle<String>,
}

impl CellProcess {
    fn start(cell: &Cell) -> io::Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .arg("cell")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C is for this process, which tells the child by closing its input.
            .process_group(0)
            .spawn()?;
        let answer = read_all(child.stdout.take());
        let complaints = read_all(child.stderr.take());
        let text = serde_json::to_string(cell).map_err(io::Error::other)?;
        if let Some(input) = child.stdin.as_mut() {
            // A child that is gone already is found out by waiting for it.
            let _ = writeln!(input, "{text}").and_then(|()| input.flush());
        }
        Ok(Self { child, answer, complaints })
    }

    /// Waits for the outcome; the input stays open for as long, see [`crate::cell`].
    fn wait(mut self, interrupt: &Interrupt) -> Result<Row, RunnerError> {
        // `Child::wait` would close the input first.
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if interrupt.is_raised() => {
                    self.stop();
                    return Err(RunnerError::Stopped);
                }
                Ok(None) => thread::sleep(LOOK),
                Err(error) => {
                    self.stop();
                    return Err(RunnerError::Failed(format!("the process is lost: {error}")));
                }
            }
        };
        let answer = self.answer.join().unwrap_or_default();
        let complaints = self.complaints.join().unwrap_or_default();
        match serde_json::from_str(&answer) {
            Ok(Outcome::Row(row)) => Ok(*row),
            Ok(Outcome::Failed(reason)) => Err(RunnerError::Failed(reason)),
            Ok(Outcome::Stopped) => Err(RunnerError::Stopped),
            Err(_) => Err(RunnerError::Failed(ending(status, &complaints))),
        }
    }

    /// Tells the process to stop, and sees that it does.
    fn stop(&mut self) {
        drop(self.child.stdin.take());
        let told = Instant::now();
        while told.elapsed() < TIDY_TIME {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(LOOK);
        }
        // Both fail only for a child that is reaped already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_all(stream: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(mut stream) = stream {
            // What was read before an error is of use.
            let _ = stream.read_to_end(&mut text);
        }
        String::from_utf8_lossy(&text).into_owned()
    })
}

/// How a process ended that gave no outcome.
fn ending(status: ExitStatus, complaints: &str) -> String {
    if status.signal() == Some(9) {
        return "the measuring process was killed, which happens when memory runs out; \
                give fewer --objects"
            .to_owned();
    }
    let complaint = complaints.trim();
    if complaint.is_empty() {
        format!("the measuring process ended without a word ({status})")
    } else {
        format!("the measuring process ended ({status}); it wrote:\n{complaint}")
    }
}
