//! How do commands and answers travel over a socket that neither side may clog?
//!
//! The socket never blocks. Whoever waits keeps reading while there is something left to write, so a
//! server that stops reading until its answers are taken gets them taken, however long pipeline and
//! answers are.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream as BlockingTcpStream, ToSocketAddrs};
use std::ops::Range;
use std::time::{Duration, Instant};

use hectare_resp::{Reply, ReplyKind as WireKind, ReplyParser, Skimmed, Skimmer};
use hectare_workload::{Arguments, Commands};
use mio::net::TcpStream;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::buffers::{Incoming, Outgoing};
use crate::connection::{ConnectionError, Progress, ReplyKind, ReplySummary};
use crate::process;
use crate::spec::ServerAddress;

/// How much of a long run of commands is encoded before it is sent.
const ENCODED_AHEAD_BYTES: usize = 256 * 1024;
/// How much of an answer that makes no sense is quoted.
const QUOTED_BYTES: usize = 40;

/// A connection to a server.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    address: String,
    answer_timeout: Duration,
    skimmer: Skimmer,
    parser: ReplyParser,
    output: Outgoing,
    input: Incoming,
    /// How many commands the pipeline in flight has, and how many of them are answered.
    asked: usize,
    answered: usize,
    /// When the pipeline was sent or bytes last came in.
    last_sign: Instant,
}

/// How a server greets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Greeting {
    /// It answers commands.
    Ready,
    /// It is still reading its data from disk and refuses commands until then.
    Loading,
}

impl Wire {
    /// Connects, logs in, chooses the database and sees that a Redis-protocol server answers.
    ///
    /// `start_timeout` bounds each of these steps, `answer_timeout` what is waited for later.
    pub(crate) fn open(
        address: &ServerAddress,
        start_timeout: Duration,
        answer_timeout: Duration,
    ) -> Result<(Self, Greeting), ConnectionError> {
        let endpoint = address.endpoint();
        let stream = connect(address, &endpoint, start_timeout)?;
        let mut wire = Self {
            stream,
            address: endpoint,
            answer_timeout: start_timeout,
            skimmer: Skimmer::default(),
            parser: ReplyParser::default(),
            output: Outgoing::default(),
            input: Incoming::default(),
            asked: 0,
            answered: 0,
            last_sign: Instant::now(),
        };
        if let Some(password) = &address.password {
            let user = address.user.as_deref().map(str::as_bytes);
            let arguments: Vec<&[u8]> =
                [b"AUTH".as_slice()].into_iter().chain(user).chain([password.as_bytes()]).collect();
            wire.demand("AUTH", &arguments)?;
        }
        let greeting = wire.greet()?;
        if address.database != 0 {
            wire.demand("SELECT", &[b"SELECT", address.database.to_string().as_bytes()])?;
        }
        wire.answer_timeout = answer_timeout;
        Ok((wire, greeting))
    }

    pub(crate) fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Whether a process of this machine holds the other end.
    pub(crate) fn is_served_by(&self, process_id: u32) -> bool {
        match (self.stream.local_addr(), self.stream.peer_addr()) {
            (Ok(ours), Ok(theirs)) => process::serves(process_id, ours, theirs),
            _ => false,
        }
    }

    /// See [`Connection::submit`](crate::Connection::submit).
    pub(crate) fn submit(
        &mut self,
        commands: &Commands,
        range: Range<usize>,
    ) -> Result<Instant, ConnectionError> {
        self.begin(range.len());
        for index in range {
            self.output.encode(command(commands, index));
        }
        let started = Instant::now();
        self.last_sign = started;
        self.write()?;
        Ok(started)
    }

    /// See [`Connection::poll`](crate::Connection::poll).
    pub(crate) fn poll(
        &mut self,
        on_reply: &mut impl FnMut(ReplySummary<'_>),
    ) -> Result<Progress, ConnectionError> {
        self.write()?;
        while self.answered < self.asked {
            if !self.read()? {
                return Ok(Progress::Waiting);
            }
            self.skim(on_reply)?;
        }
        Ok(Progress::Done)
    }

    /// See [`Connection::run`](crate::Connection::run).
    pub(crate) fn run(
        &mut self,
        commands: &Commands,
        range: Range<usize>,
        on_reply: &mut impl FnMut(ReplySummary<'_>),
    ) -> Result<(), ConnectionError> {
        self.begin(range.len());
        self.last_sign = Instant::now();
        let mut next = range.start;
        loop {
            while next < range.end && self.output.pending().len() < ENCODED_AHEAD_BYTES {
                self.output.encode(command(commands, next));
                next += 1;
            }
            if self.poll(on_reply)? == Progress::Done {
                return Ok(());
            }
            // The socket took all there was: it may take more.
            if next < range.end && self.output.pending().is_empty() {
                continue;
            }
            self.wait()?;
        }
    }

    /// See [`Connection::call`](crate::Connection::call).
    pub(crate) fn call(&mut self, arguments: &[&[u8]]) -> Result<Reply, ConnectionError> {
        self.begin(1);
        self.output.encode(arguments.iter().copied());
        self.last_sign = Instant::now();
        loop {
            self.write()?;
            while self.read()? {
                let parsed = self.parser.parse(self.input.pending());
                if let Some((reply, consumed)) = parsed.map_err(|error| self.protocol(&error))? {
                    self.input.consume(consumed);
                    self.answered += 1;
                    return Ok(reply);
                }
            }
            self.wait()?;
        }
    }

    /// See [`Connection::overdue`](crate::Connection::overdue).
    pub(crate) fn overdue(&self, now: Instant) -> Option<ConnectionError> {
        let waiting = self.answered < self.asked
            && now.saturating_duration_since(self.last_sign) >= self.answer_timeout;
        waiting.then(|| ConnectionError::TimedOut {
            address: self.address.clone(),
            waited: self.answer_timeout,
            answered: self.answered,
            asked: self.asked,
        })
    }

    fn begin(&mut self, asked: usize) {
        assert_eq!(self.answered, self.asked, "one pipeline is in flight at a time");
        (self.answered, self.asked) = (0, asked);
    }

    fn greet(&mut self) -> Result<Greeting, ConnectionError> {
        match self.call(&[b"PING"])? {
            Reply::Simple(text) if text == b"PONG" => Ok(Greeting::Ready),
            Reply::Error(text) if text.starts_with(b"LOADING") => Ok(Greeting::Loading),
            Reply::Error(text) => Err(self.refused("commands", &text)),
            _ => Err(ConnectionError::Protocol {
                address: self.address.clone(),
                fault: "PING is answered with PONG, not with something else".to_owned(),
                beginning: String::new(),
            }),
        }
    }

    /// Sends a command that must succeed.
    fn demand(
        &mut self,
        command: &'static str,
        arguments: &[&[u8]],
    ) -> Result<(), ConnectionError> {
        match self.call(arguments)? {
            Reply::Error(text) => Err(self.refused(command, &text)),
            _ => Ok(()),
        }
    }

    /// Writes what the socket takes now.
    fn write(&mut self) -> Result<(), ConnectionError> {
        while !self.output.pending().is_empty() {
            match self.stream.write(self.output.pending()) {
                Ok(0) => return Err(self.closed(None)),
                Ok(written) => self.output.consume(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.closed(Some(error))),
            }
        }
        Ok(())
    }

    /// Reads once; `false` when nothing is there.
    fn read(&mut self) -> Result<bool, ConnectionError> {
        loop {
            match self.stream.read(self.input.room()) {
                Ok(0) => return Err(self.closed(None)),
                Ok(bytes) => {
                    self.input.fill(bytes);
                    self.last_sign = Instant::now();
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.closed(Some(error))),
            }
        }
    }

    /// Hands over the answers that are complete.
    fn skim(&mut self, on_reply: &mut impl FnMut(ReplySummary<'_>)) -> Result<(), ConnectionError> {
        while self.answered < self.asked {
            let pending = self.input.pending();
            let reply = match self.skimmer.skim(pending) {
                Ok(None) => return Ok(()),
                Ok(Some(reply)) => reply,
                Err(error) => return Err(self.protocol(&error)),
            };
            // A push answers no command.
            if reply.kind != WireKind::Push {
                let kind = summarise(reply, pending);
                on_reply(ReplySummary { index: self.answered, kind, arrived: self.last_sign });
                self.answered += 1;
            }
            self.input.consume(reply.consumed);
        }
        Ok(())
    }

    /// Waits until the socket has something, or has room for what is to be written.
    fn wait(&self) -> Result<(), ConnectionError> {
        let mut interest = PollFlags::IN;
        if !self.output.pending().is_empty() {
            interest |= PollFlags::OUT;
        }
        loop {
            let now = Instant::now();
            if let Some(error) = self.overdue(now) {
                return Err(error);
            }
            let left = (self.last_sign + self.answer_timeout).saturating_duration_since(now);
            let limit = Timespec::try_from(left).ok();
            match poll(&mut [PollFd::new(&self.stream, interest)], limit.as_ref()) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(self.closed(Some(error.into()))),
            }
        }
    }

    fn closed(&self, source: Option<io::Error>) -> ConnectionError {
        ConnectionError::Closed {
            address: self.address.clone(),
            answered: self.answered,
            asked: self.asked,
            source,
        }
    }

    fn protocol(&self, error: &hectare_resp::ReplyError) -> ConnectionError {
        let pending = self.input.pending();
        let beginning = &pending[..pending.len().min(QUOTED_BYTES)];
        ConnectionError::Protocol {
            address: self.address.clone(),
            fault: error.to_string(),
            beginning: beginning.escape_ascii().to_string(),
        }
    }

    fn refused(&self, command: &'static str, text: &[u8]) -> ConnectionError {
        ConnectionError::Refused {
            address: self.address.clone(),
            command,
            text: String::from_utf8_lossy(text).into_owned(),
        }
    }
}

fn command(commands: &Commands, index: usize) -> Arguments<'_> {
    commands.get(index).expect("the range ends within the commands").iter()
}

fn connect(
    address: &ServerAddress,
    endpoint: &str,
    timeout: Duration,
) -> Result<TcpStream, ConnectionError> {
    let resolve = |source| ConnectionError::Resolve { address: endpoint.to_owned(), source };
    let places: Vec<SocketAddr> =
        (address.host.as_str(), address.port).to_socket_addrs().map_err(resolve)?.collect();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for place in places {
        match connect_to(place, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(ConnectionError::Connect { address: endpoint.to_owned(), source: last })
}

fn connect_to(place: SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
    let stream = BlockingTcpStream::connect_timeout(&place, timeout)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(TcpStream::from_std(stream))
}

/// What a complete answer is.
fn summarise(reply: Skimmed, pending: &[u8]) -> ReplyKind<'_> {
    let bytes = &pending[..reply.consumed];
    match reply.kind {
        WireKind::Null => ReplyKind::Nothing,
        WireKind::Error => ReplyKind::Error(error_text(bytes)),
        WireKind::Array | WireKind::Map | WireKind::Set if holds_nothing(bytes) => {
            ReplyKind::Nothing
        }
        _ => ReplyKind::Value,
    }
}

/// The text of `-ERR text\r\n` or of RESP3's `!8\r\nERR text\r\n`.
fn error_text(bytes: &[u8]) -> &str {
    let line = bytes.trim_ascii_end();
    let text = match line.split_first() {
        Some((b'!', rest)) => {
            rest.iter().position(|&byte| byte == b'\n').map_or(rest, |end| &rest[end + 1..])
        }
        Some((_, rest)) => rest,
        None => line,
    };
    std::str::from_utf8(text).unwrap_or("an error that is not UTF-8")
}

/// Whether an array is empty or has only nulls.
fn holds_nothing(bytes: &[u8]) -> bool {
    let Some(head) = bytes.iter().position(|&byte| byte == b'\n') else { return false };
    let mut elements = &bytes[head + 1..];
    while let Some(rest) =
        elements.strip_prefix(b"$-1\r\n").or_else(|| elements.strip_prefix(b"_\r\n"))
    {
        elements = rest;
    }
    elements.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summarised(bytes: &[u8]) -> ReplyKind<'_> {
        let reply = Skimmer::default().skim(bytes).unwrap().unwrap();
        assert_eq!(reply.consumed, bytes.len());
        summarise(reply, bytes)
    }

    #[test]
    fn nothing_is_null_or_a_list_of_nothing() {
        for nothing in ["$-1\r\n", "*-1\r\n", "*0\r\n", "*2\r\n$-1\r\n$-1\r\n", "_\r\n", "%0\r\n"] {
            assert_eq!(summarised(nothing.as_bytes()), ReplyKind::Nothing, "{nothing:?}");
        }
        for value in ["+OK\r\n", ":0\r\n", "$0\r\n\r\n", "*2\r\n$-1\r\n$1\r\na\r\n"] {
            assert_eq!(summarised(value.as_bytes()), ReplyKind::Value, "{value:?}");
        }
    }

    #[test]
    fn errors_keep_their_text() {
        assert_eq!(summarised(b"-ERR no\r\n"), ReplyKind::Error("ERR no"));
        assert_eq!(summarised(b"!6\r\nERR no\r\n"), ReplyKind::Error("ERR no"));
    }
}
