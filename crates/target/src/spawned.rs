//! How is a server started for a measurement, and how is it certain to end?
//!
//! The server is a child in a process group of its own (so that Ctrl-C reaches us, who then stop
//! it), in an empty temporary folder, with persistence off. It ends in either of two ways: dropping
//! [`SpawnedServer`] kills the group, reaps the child and removes the folder; and if this process
//! is itself killed, the kernel kills the child (on Linux; the folder then stays). The kernel
//! watches the thread that spawned rather than the process, so a thread of its own, the *keeper*,
//! spawns the child and does nothing else until the drop.

use std::fmt::{self, Display};
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::connection::ConnectionError;
use crate::process;
use crate::spec::ServerAddress;
use crate::wire::{Greeting, Wire};

/// How often a starting server is asked whether it answers.
const START_POLL: Duration = Duration::from_millis(10);
/// How many ports are tried when another process takes the chosen one first.
const PORT_ATTEMPTS: usize = 5;
/// How many of the server's last lines an error quotes.
const QUOTED_LINES: usize = 5;
/// What the server writes goes here, in its folder.
const LOG_FILE: &str = "server.log";

/// A server that was started here and ends with this value.
#[derive(Debug)]
pub(crate) struct SpawnedServer {
    address: ServerAddress,
    process_id: u32,
    child: Mutex<Child>,
    /// Taken when dropped.
    keeper: Option<Keeper>,
    /// Removed when dropped, after the child is gone.
    folder: TempDir,
}

/// The thread that spawned the child, and ends when `stop` is dropped.
#[derive(Debug)]
struct Keeper {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

/// Why a program does not serve.
#[derive(Debug)]
pub enum SpawnError {
    /// There is no such file.
    Missing {
        /// The path given.
        program: PathBuf,
    },
    /// The file is a folder, or may not be executed.
    NotExecutable {
        /// The path given.
        program: PathBuf,
    },
    /// The operating system did not start it.
    Start {
        /// The path given.
        program: PathBuf,
        /// Its reason.
        source: io::Error,
    },
    /// There is no temporary folder or no free port for it.
    Surroundings {
        /// What is missing.
        what: &'static str,
        /// The operating system's reason.
        source: io::Error,
    },
    /// It ended before it answered.
    Ended {
        /// The path given.
        program: PathBuf,
        /// How it ended.
        status: ExitStatus,
        /// The last lines it wrote.
        log: String,
    },
    /// It neither answered nor ended in time.
    Silent {
        /// The path given.
        program: PathBuf,
        /// How long was waited.
        waited: Duration,
        /// The last lines it wrote.
        log: String,
    },
    /// It listens, but not as a server of the Redis protocol.
    Answer {
        /// The path given.
        program: PathBuf,
        /// What came instead.
        source: ConnectionError,
    },
    /// The process that serves is not the one that was started, and so could not be stopped for
    /// certain.
    Wrapper {
        /// The path given.
        program: PathBuf,
    },
}

impl SpawnedServer {
    /// Starts `program` and waits until it answers `PING`.
    pub(crate) fn start(program: &Path, start_timeout: Duration) -> Result<Self, SpawnError> {
        check_program(program)?;
        for _ in 1..PORT_ATTEMPTS {
            match Self::start_once(program, start_timeout) {
                Err(SpawnError::Ended { log, .. }) if log.contains("Address already in use") => {}
                outcome => return outcome,
            }
        }
        Self::start_once(program, start_timeout)
    }

    pub(crate) fn address(&self) -> &ServerAddress {
        &self.address
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.process_id
    }

    fn start_once(program: &Path, start_timeout: Duration) -> Result<Self, SpawnError> {
        let surroundings = |what| move |source| SpawnError::Surroundings { what, source };
        let folder = tempfile::Builder::new()
            .prefix("hectare-server-")
            .tempdir()
            .map_err(surroundings("a temporary folder"))?;
        let port = free_port().map_err(surroundings("a free port on 127.0.0.1"))?;
        let log = File::create(folder.path().join(LOG_FILE)).map_err(surroundings("a log file"))?;
        let log_again = log.try_clone().map_err(surroundings("a log file"))?;

        let mut command = Command::new(program);
        command
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no", "--dir"])
            .arg(folder.path())
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(log_again)
            .process_group(0);
        process::die_with_spawning_thread(&mut command);

        let (child, keeper) = spawn_by_keeper(command)
            .map_err(|source| SpawnError::Start { program: program.to_owned(), source })?;
        let address = ServerAddress {
            host: Ipv4Addr::LOCALHOST.to_string(),
            port,
            user: None,
            password: None,
            database: 0,
        };
        let server = Self {
            address,
            process_id: child.id(),
            child: Mutex::new(child),
            keeper: Some(keeper),
            folder,
        };
        server.wait_until_it_answers(program, start_timeout)?;
        Ok(server)
    }

    fn wait_until_it_answers(&self, program: &Path, limit: Duration) -> Result<(), SpawnError> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.exit_status() {
                let program = program.to_owned();
                return Err(SpawnError::Ended { program, status, log: self.last_lines() });
            }
            let left = limit.saturating_sub(started.elapsed());
            if left.is_zero() {
                let program = program.to_owned();
                return Err(SpawnError::Silent { program, waited: limit, log: self.last_lines() });
            }
            match Wire::open(&self.address, left, left) {
                Ok((_, Greeting::Ready)) => return Ok(()),
                // Not listening yet, busy loading, or gone: the next turn tells.
                Ok((_, Greeting::Loading)) => {}
                Err(
                    ConnectionError::Connect { .. }
                    | ConnectionError::Closed { .. }
                    | ConnectionError::TimedOut { .. },
                ) => {}
                Err(source) => {
                    return Err(SpawnError::Answer { program: program.to_owned(), source });
                }
            }
            thread::sleep(START_POLL);
        }
    }

    fn exit_status(&self) -> Option<ExitStatus> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner).try_wait().ok().flatten()
    }

    /// What the server wrote last, for an error.
    fn last_lines(&self) -> String {
        let bytes = fs::read(self.folder.path().join(LOG_FILE)).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(QUOTED_LINES)..].join("\n")
    }
}

impl Drop for SpawnedServer {
    fn drop(&mut self) {
        // The group first: a shell script may have children that would outlive it.
        process::kill_group(self.process_id);
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Both fail only for a child that is reaped already.
        let _ = child.kill();
        let _ = child.wait();
        if let Some(Keeper { stop, thread }) = self.keeper.take() {
            drop(stop);
            // A keeper has nothing to panic about, and a drop could not report it.
            let _ = thread.join();
        }
    }
}

/// Spawns from a thread that lives until its keeper is dropped.
fn spawn_by_keeper(mut command: Command) -> io::Result<(Child, Keeper)> {
    let (spawned, outcome) = channel();
    let (stop, stopped) = channel::<()>();
    let thread = thread::Builder::new().name("hectare-keeper".to_owned()).spawn(move || {
        if spawned.send(command.spawn()).is_ok() {
            // Nothing is ever sent: this returns when the sender is dropped.
            let _ = stopped.recv();
        }
    })?;
    let child = outcome.recv().map_err(io::Error::other)??;
    Ok((child, Keeper { stop, thread }))
}

fn check_program(program: &Path) -> Result<(), SpawnError> {
    if !program.exists() {
        return Err(SpawnError::Missing { program: program.to_owned() });
    }
    if !process::is_executable(program) {
        return Err(SpawnError::NotExecutable { program: program.to_owned() });
    }
    Ok(())
}

/// A port that was free a moment ago; another process may take it before the server does.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

impl Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { program } => write!(
                f,
                "there is no {}: `spawn:` is followed by the path of a redis-server or \
                 valkey-server",
                program.display()
            ),
            Self::NotExecutable { program } => write!(
                f,
                "{} is not a program that may be executed: `spawn:` is followed by the path of a \
                 redis-server or valkey-server",
                program.display()
            ),
            Self::Start { program, source } => {
                write!(f, "{} cannot be started: {source}", program.display())
            }
            Self::Surroundings { what, source } => {
                write!(f, "a server needs {what}, and there is none: {source}")
            }
            Self::Ended { program, status, log } => write!(
                f,
                "{} ended ({status}) before it answered as a server{}",
                program.display(),
                Quoted(log)
            ),
            Self::Silent { program, waited, log } => write!(
                f,
                "{} did not answer as a server within {} s and was stopped{}",
                program.display(),
                waited.as_secs_f64(),
                Quoted(log)
            ),
            Self::Answer { program, source } => {
                write!(f, "{} is no redis-server or valkey-server: {source}", program.display())
            }
            Self::Wrapper { program } => write!(
                f,
                "{} starts the server as another process, which could outlive the measurement: \
                 name the server itself, or let the script `exec` it",
                program.display()
            ),
        }
    }
}

impl std::error::Error for SpawnError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Start { source, .. } | Self::Surroundings { source, .. } => Some(source),
            Self::Answer { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// The end of an error: what the server said last, or that it said nothing.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(", and wrote nothing: is it a redis-server or valkey-server?");
        }
        f.write_str("; it wrote:")?;
        self.0.lines().try_for_each(|line| write!(f, "\n  {line}"))
    }
}
