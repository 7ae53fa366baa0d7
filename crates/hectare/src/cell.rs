//! How does a process measure one cell for the report that started it?
//!
//! It reads the cell as a line on standard input and writes the outcome as a line on standard
//! output. The input stays open as long as the report lives: its end, even by `kill -9`, means that
//! nobody wants the outcome, and this process stops its server and ends too.

use std::io::{self, BufRead, Read, Write};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use hectare_report::{Cell, CellError, Row, measure_cell};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::interrupt::INTERRUPTED;

/// How long tidying up may take once nobody wants the outcome. What is left then ends with this
/// process.
const TIDY_TIME: Duration = Duration::from_secs(3);

/// What the process answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// The row that was measured.
    Row(Box<Row>),
    /// Why there is none, in a sentence.
    Failed(String),
    /// It was to stop.
    Stopped,
}

/// Measures the cell that standard input holds.
pub(crate) fn run() -> Result<(), Failure> {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    let cell: Cell = match read.map(|_| serde_json::from_str(&line)) {
        Ok(Ok(cell)) => cell,
        _ => {
            let text = "`hectare cell` is how a report starts its measuring processes; \
                        `hectare report` is what you want";
            return Err(Failure::Usage(text.to_owned()));
        }
    };
    let abandoned = watch_input();
    // Relaxed: the flag stands for itself and orders nothing else.
    let outcome = match measure_cell(&cell, &|| abandoned.load(Ordering::Relaxed)) {
        Ok(row) => Outcome::Row(Box::new(row)),
        Err(CellError::Stopped) => Outcome::Stopped,
        Err(error) => Outcome::Failed(error.to_string()),
    };
    let line = serde_json::to_string(&outcome)
        .map_err(|error| Failure::Failed(format!("the outcome is not JSON: {error}")))?;
    writeln!(io::stdout().lock(), "{line}").map_err(|error| Failure::of_stdout(&error))
}

/// A flag that is raised at the end of standard input.
fn watch_input() -> Arc<AtomicBool> {
    let abandoned = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&abandoned);
    thread::spawn(move || {
        let mut rest = [0; 64];
        while matches!(io::stdin().lock().read(&mut rest), Ok(1..)) {}
        raised.store(true, Ordering::Relaxed);
        thread::sleep(TIDY_TIME);
        process::exit(INTERRUPTED);
    });
    abandoned
}
