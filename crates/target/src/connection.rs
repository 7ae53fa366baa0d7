//! How does a pipeline of commands reach a target and come back?

use std::fmt::{self, Display};
use std::io;
use std::ops::Range;
use std::time::{Duration, Instant};

use hectare_resp::Reply;
use hectare_workload::Commands;
use mio::net::TcpStream;

use crate::embedded::EmbeddedConnection;
use crate::wire::Wire;

/// One line to a target, on which one pipeline is in flight at a time.
///
/// Blocking, [`Connection::run`] carries any number of commands and counts what comes back, and
/// [`Connection::call`] asks one thing and returns the answer. For a driver of many connections,
/// [`Connection::submit`] sends a pipeline and [`Connection::poll`] takes what has come back of it,
/// without blocking on a socket: register [`Connection::source`] with a [`mio::Poll`] for reading
/// and writing, and poll on every event until it is [`Progress::Done`].
#[derive(Debug)]
pub struct Connection(Line);

#[derive(Debug)]
enum Line {
    Wire(Box<Wire>),
    Embedded(Box<EmbeddedConnection>),
}

/// What came back of many commands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many answers, errors included.
    pub replies: u64,
    /// How many of them are errors.
    pub errors: u64,
    /// How many say that there is nothing ([`ReplyKind::Nothing`]).
    pub nulls: u64,
    /// The text of the first error.
    pub first_error: Option<String>,
}

/// One answer of a pipeline.
#[derive(Debug, Clone, Copy)]
pub struct ReplySummary<'a> {
    /// Which command it answers, counted from the first of the pipeline.
    pub index: usize,
    /// What it is.
    pub kind: ReplyKind<'a>,
    /// When it was here: after the read from the socket that completed it; for the embedded engine,
    /// which answers a pipeline as a whole, when all were.
    pub arrived: Instant,
}

/// What an answer is, without its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyKind<'a> {
    /// A status, a number, bytes, or a list with something in it.
    Value,
    /// Nothing is there: null, or a list that is empty or all null, as `HGETALL` and `HMGET` answer
    /// for a key that does not exist.
    Nothing,
    /// The command was refused, with this text.
    Error(&'a str),
}

/// Whether a pipeline has come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// All answers were handed over; the next pipeline may be submitted.
    Done,
    /// Answers are missing; poll again when the socket has something.
    Waiting,
}

/// Why a connection cannot be made or went wrong. It is of no more use then.
#[derive(Debug)]
pub enum ConnectionError {
    /// The name of the host means nothing.
    Resolve {
        /// `host:port`.
        address: String,
        /// The resolver's reason.
        source: io::Error,
    },
    /// Nothing answers there.
    Connect {
        /// `host:port`.
        address: String,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The server ended the connection.
    Closed {
        /// `host:port`.
        address: String,
        /// How many answers had come.
        answered: usize,
        /// How many commands had been asked.
        asked: usize,
        /// The operating system's reason, when it was more than an orderly end.
        source: Option<io::Error>,
    },
    /// No answer came for long.
    TimedOut {
        /// `host:port`.
        address: String,
        /// How long was waited for the next answer.
        waited: Duration,
        /// How many answers had come.
        answered: usize,
        /// How many commands had been asked.
        asked: usize,
    },
    /// What came is not the Redis protocol.
    Protocol {
        /// `host:port`.
        address: String,
        /// What is wrong with it.
        fault: String,
        /// How it begins, printable.
        beginning: String,
    },
    /// The server refuses to talk: a password is missing or wrong, the database does not exist.
    Refused {
        /// `host:port`.
        address: String,
        /// What it was asked, without secrets.
        command: &'static str,
        /// The server's own words.
        text: String,
    },
    /// The embedded engine did not take the commands.
    Engine {
        /// Its reason.
        text: String,
    },
}

impl Connection {
    pub(crate) fn over(wire: Wire) -> Self {
        Self(Line::Wire(Box::new(wire)))
    }

    pub(crate) fn embedded(embedded: EmbeddedConnection) -> Self {
        Self(Line::Embedded(Box::new(embedded)))
    }

    /// Sends the commands of `range` and waits for all answers.
    ///
    /// The range may be as long as one likes: at most some hundred kilobytes of it are encoded at a
    /// time, and answers are taken in between, so neither side waits for the other to read.
    ///
    /// # Errors
    /// A [`ConnectionError`] when the connection is lost or nothing comes for the target's
    /// `answer_timeout`. Refused commands are counted, not an error here.
    ///
    /// # Panics
    /// If `range` reaches past the end of `commands`, or a submitted pipeline is in flight.
    pub fn run(
        &mut self,
        commands: &Commands,
        range: Range<usize>,
    ) -> Result<Outcome, ConnectionError> {
        let mut outcome = Outcome::default();
        let mut count = |reply: ReplySummary<'_>| outcome.add(reply.kind);
        match &mut self.0 {
            Line::Wire(wire) => wire.run(commands, range, &mut count)?,
            Line::Embedded(embedded) => embedded.run(commands, range, &mut count)?,
        }
        Ok(outcome)
    }

    /// Sends one command, its name first, and waits for the answer.
    ///
    /// # Errors
    /// As [`Connection::run`]; an answer that is an error is a [`Reply::Error`].
    ///
    /// # Panics
    /// If a submitted pipeline is in flight.
    pub fn call(&mut self, arguments: &[&[u8]]) -> Result<Reply, ConnectionError> {
        match &mut self.0 {
            Line::Wire(wire) => wire.call(arguments),
            Line::Embedded(embedded) => embedded.call(arguments),
        }
    }

    /// Sends the commands of `range` as one pipeline, without waiting for answers.
    ///
    /// Returns the moment at which the first byte could leave: the commands were encoded before.
    /// All of them are encoded at once, so a pipeline should be some megabytes at most.
    ///
    /// # Errors
    /// A [`ConnectionError`] when the connection is lost.
    ///
    /// # Panics
    /// If `range` reaches past the end of `commands`, or the last pipeline is still in flight.
    pub fn submit(
        &mut self,
        commands: &Commands,
        range: Range<usize>,
    ) -> Result<Instant, ConnectionError> {
        match &mut self.0 {
            Line::Wire(wire) => wire.submit(commands, range),
            Line::Embedded(embedded) => embedded.submit(commands, range),
        }
    }

    /// Hands over the answers that have come, and sends what the socket had no room for.
    ///
    /// Over a socket this does not block. The embedded engine's connection waits for the whole
    /// pipeline and is done.
    ///
    /// # Errors
    /// A [`ConnectionError`] when the connection is lost or what comes makes no sense.
    pub fn poll(
        &mut self,
        on_reply: &mut impl FnMut(ReplySummary<'_>),
    ) -> Result<Progress, ConnectionError> {
        match &mut self.0 {
            Line::Wire(wire) => wire.poll(on_reply),
            Line::Embedded(embedded) => embedded.poll(on_reply),
        }
    }

    /// The error to end with when a pipeline is in flight and nothing of it has come back for the
    /// target's `answer_timeout`; `None` while there is hope.
    pub fn overdue(&self, now: Instant) -> Option<ConnectionError> {
        match &self.0 {
            Line::Wire(wire) => wire.overdue(now),
            Line::Embedded(_) => None,
        }
    }

    /// The socket, to register with a [`mio::Poll`] for reading and writing; `None` for the
    /// embedded engine, which has none and needs no event.
    pub fn source(&mut self) -> Option<&mut TcpStream> {
        match &mut self.0 {
            Line::Wire(wire) => Some(wire.stream()),
            Line::Embedded(_) => None,
        }
    }
}

impl Outcome {
    /// Counts one more answer.
    pub fn add(&mut self, kind: ReplyKind<'_>) {
        self.replies += 1;
        match kind {
            ReplyKind::Value => {}
            ReplyKind::Nothing => self.nulls += 1,
            ReplyKind::Error(text) => {
                self.errors += 1;
                self.first_error.get_or_insert_with(|| text.to_owned());
            }
        }
    }

    /// Adds the counts of another outcome that came later.
    pub fn merge(&mut self, later: Self) {
        self.replies += later.replies;
        self.errors += later.errors;
        self.nulls += later.nulls;
        if self.first_error.is_none() {
            self.first_error = later.first_error;
        }
    }
}

impl Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolve { address, source } => {
                write!(f, "the host of {address} cannot be found: {source}")
            }
            Self::Connect { address, source } => {
                write!(f, "cannot connect to {address}: {source}; is a server listening there?")
            }
            Self::Closed { address, answered, asked, source } => {
                write!(
                    f,
                    "the server at {address} closed the connection after {} of {} answers",
                    Grouped(*answered),
                    Grouped(*asked)
                )?;
                match source {
                    Some(source) => write!(f, ": {source}"),
                    None => Ok(()),
                }
            }
            Self::TimedOut { address, waited, answered, asked } => write!(
                f,
                "the server at {address} sent nothing for {} s after {} of {} answers; \
                 is it a Redis-protocol server, and is it busy or stopped?",
                waited.as_secs_f64(),
                Grouped(*answered),
                Grouped(*asked)
            ),
            Self::Protocol { address, beginning, .. } if is_web(beginning) => write!(
                f,
                "the server at {address} answers in HTTP: name the port of a Redis-protocol \
                 server instead, 6379 as a rule"
            ),
            Self::Protocol { address, fault, beginning } => write!(
                f,
                "the server at {address} does not speak the Redis protocol: {fault} in an answer \
                 that begins `{beginning}`"
            ),
            Self::Refused { address, command, text } => {
                write!(f, "the server at {address} refuses {command}: {text}")?;
                match *command {
                    "AUTH" => f.write_str("; check the user and password in the target's URL"),
                    "SELECT" => f.write_str("; check the database behind the last `/` of the URL"),
                    _ if text.starts_with("NOAUTH") => {
                        f.write_str("; give it as `redis://:password@host:port`")
                    }
                    _ => Ok(()),
                }
            }
            Self::Engine { text } => write!(f, "the embedded engine refuses: {text}"),
        }
    }
}

impl std::error::Error for ConnectionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Resolve { source, .. } | Self::Connect { source, .. } => Some(source),
            Self::Closed { source: Some(source), .. } => Some(source),
            _ => None,
        }
    }
}

/// Whether an answer begins as those of web servers do, with a status line or (HTTP/0.9) a page.
fn is_web(beginning: &str) -> bool {
    beginning.starts_with("HTTP/") || beginning.starts_with('<')
}

/// A count with a comma between groups of three digits.
struct Grouped(usize);

impl Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (position, digit) in digits.char_indices() {
            if position > 0 && (digits.len() - position).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_connection_says_how_far_it_came() {
        let error = ConnectionError::Closed {
            address: "127.0.0.1:6379".to_owned(),
            answered: 12_345,
            asked: 1_020_000,
            source: None,
        };
        assert_eq!(
            error.to_string(),
            "the server at 127.0.0.1:6379 closed the connection after 12,345 of 1,020,000 answers"
        );
    }

    #[test]
    fn errors_and_nothings_are_counted_and_the_first_error_is_kept() {
        let mut outcome = Outcome::default();
        outcome.add(ReplyKind::Value);
        outcome.add(ReplyKind::Nothing);
        outcome.add(ReplyKind::Error("ERR first"));
        outcome.add(ReplyKind::Error("ERR second"));
        let expected =
            Outcome { replies: 4, errors: 2, nulls: 1, first_error: Some("ERR first".to_owned()) };
        assert_eq!(outcome, expected);
    }
}
