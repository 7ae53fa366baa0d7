//! What would a server cost that understands nothing?
//!
//! The sink reads, counts requests by their length, which is the same for all, and answers each with
//! the same bytes: one read and one write for a pipeline, and the kernel's work for both. What a server
//! takes beyond that is its own.
//!
//! A connection begins with what is to be done on it, little-endian:
//!
//! ```text
//! bytes of a request: u32 │ bytes of a reply: u32 │ the reply
//! ```

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};

/// How much is read at once.
const INPUT_BYTES: usize = 64 << 10;
const LISTENER: Token = Token(usize::MAX);
const HEAD_BYTES: usize = 8;

/// What a client says at first.
pub(crate) fn greeting(request_bytes: usize, reply: &[u8]) -> Vec<u8> {
    let word = |bytes: usize| u32::try_from(bytes).expect("it is short").to_le_bytes();
    let mut greeting = [word(request_bytes), word(reply.len())].concat();
    greeting.extend_from_slice(reply);
    greeting
}

/// A server that listens.
pub(crate) struct Sink {
    poll: Poll,
    listener: TcpListener,
    lines: Vec<Option<Line>>,
    /// One for all connections: they do the same at any time.
    work: Work,
}

#[derive(Default)]
struct Work {
    request_bytes: usize,
    reply_bytes: usize,
    /// The reply, as often as it was needed at once.
    replies: Vec<u8>,
}

struct Line {
    stream: TcpStream,
    /// The greeting, until all of it is there.
    greeting: Option<Vec<u8>>,
    /// Bytes that are no whole request yet.
    pending: usize,
    /// Bytes of replies that the socket had no room for.
    owed: usize,
}

impl Sink {
    pub(crate) fn new() -> io::Result<Self> {
        let mut listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self { poll, listener, lines: Vec::new(), work: Work::default() })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the process ends.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        let mut input = vec![0; INPUT_BYTES];
        loop {
            self.poll.poll(&mut events, None)?;
            for event in &events {
                if event.token() == LISTENER {
                    self.accept()?;
                    continue;
                }
                let place = &mut self.lines[event.token().0];
                let Some(line) = place else { continue };
                // A client that goes takes its connection along.
                if !line.serve(&mut self.work, &mut input).unwrap_or(false) {
                    *place = None;
                }
            }
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            stream.set_nodelay(true)?;
            let free = self.lines.iter().position(Option::is_none);
            let index = free.unwrap_or_else(|| {
                self.lines.push(None);
                self.lines.len() - 1
            });
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(index), interest)?;
            let line = Line { stream, greeting: Some(Vec::new()), pending: 0, owed: 0 };
            self.lines[index] = Some(line);
        }
    }
}

impl Line {
    /// Reads what is there and answers it; `false` when nobody is there any more.
    fn serve(&mut self, work: &mut Work, input: &mut [u8]) -> io::Result<bool> {
        loop {
            let bytes = match self.stream.read(input) {
                Ok(0) => return Ok(false),
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            };
            self.pending += self.greet(&input[..bytes], work);
            if bytes < input.len() {
                break;
            }
        }
        if self.greeting.is_none() {
            self.owed += self.pending / work.request_bytes * work.reply_bytes;
            self.pending %= work.request_bytes;
            self.write(work)?;
        }
        Ok(true)
    }

    /// Takes the greeting off what has come; gives the length of the rest.
    fn greet(&mut self, input: &[u8], work: &mut Work) -> usize {
        let Some(greeting) = &mut self.greeting else { return input.len() };
        greeting.extend_from_slice(input);
        let word = |at: usize| {
            let word = greeting.get(at..at + 4)?.try_into().expect("four bytes");
            usize::try_from(u32::from_le_bytes(word)).ok()
        };
        let (Some(request_bytes), Some(reply_bytes)) = (word(0), word(4)) else { return 0 };
        let end = HEAD_BYTES + reply_bytes;
        let Some(reply) = greeting.get(HEAD_BYTES..end) else { return 0 };
        if work.request_bytes != request_bytes || work.replies.get(..reply_bytes) != Some(reply) {
            *work = Work { request_bytes, reply_bytes, replies: reply.to_vec() };
        }
        let rest = greeting.len() - end;
        self.greeting = None;
        rest
    }

    fn write(&mut self, work: &mut Work) -> io::Result<()> {
        while self.owed > 0 {
            // What was cut off goes on in the middle of a reply.
            let from = (work.reply_bytes - self.owed % work.reply_bytes) % work.reply_bytes;
            while work.replies.len() < from + self.owed {
                work.replies.extend_from_within(..work.reply_bytes);
            }
            match self.stream.write(&work.replies[from..from + self.owed]) {
                Ok(bytes) => self.owed -= bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
