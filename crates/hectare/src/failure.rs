//! How does the command end when it does not end well?

use std::io;
use std::process::ExitCode;

use crate::terminal::say;

/// Why a tool did not do all that was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was typed makes no sense together.
    Usage(String),
    /// It could not be done, for a reason that has been put into one sentence.
    Failed(String),
    /// The user interrupted it.
    Interrupted,
    /// Who read the results has gone, and wants no more of them.
    ReaderGone,
}

impl Failure {
    /// Says what is to be said, and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Self::Usage(text) => {
                say(&format!("error: {text}\n\nFor more information, try '--help'."));
                ExitCode::from(2)
            }
            Self::Failed(text) => {
                say(&format!("error: {text}"));
                ExitCode::from(1)
            }
            Self::Interrupted => ExitCode::from(130),
            Self::ReaderGone => ExitCode::SUCCESS,
        }
    }

    /// What an error of writing to standard output means.
    pub(crate) fn of_stdout(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ReaderGone,
            _ => Self::Failed(format!("standard output cannot be written: {error}")),
        }
    }
}
