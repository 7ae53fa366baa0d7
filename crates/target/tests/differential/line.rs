//! How is a server asked over a socket, and what does it answer?

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use hectare_resp::{Protocol, Skimmer, encode_command};

use crate::sides::{LISTPACK_LIMITS, Side};
use crate::words::Command;

/// How long a server may be without an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// Of how many commands one is typed, as a person types it, where commands are typed at all; and how
/// many bytes such a command may have.
const TYPED_ONE_IN: usize = 16;
const TYPED_BYTES_MAX: usize = 4096;

/// In pieces of so many bytes, in turn, commands are sent where they are sent in pieces.
const PIECES_BYTES: [usize; 7] = [1, 30_000, 100, 5, 16_384, 2000, 70_000];

/// A connection to a server.
pub(crate) struct Line {
    stream: TcpStream,
    form: Form,
    skimmer: Skimmer,
    requests: Vec<u8>,
    received: Vec<u8>,
    /// Where in `received` the next reply begins.
    position: usize,
}

/// In what form commands go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As client libraries send them, all at once.
    Plain,
    /// Some of them typed, and cut anywhere.
    Mixed,
}

impl Line {
    /// Connects, chooses the protocol, and empties the server.
    pub(crate) fn connect(endpoint: &str, protocol: Protocol, form: Form) -> Self {
        let mut line = Self::plug(endpoint, form);
        let version = if protocol == Protocol::Resp3 { "3" } else { "2" };
        line.demand(&["HELLO", version]);
        line.demand(&["FLUSHALL"]);
        let (entries, value_bytes) = LISTPACK_LIMITS;
        line.limit_listpacks(entries, value_bytes);
        line
    }

    /// Connects, and says nothing.
    pub(crate) fn plug(endpoint: &str, form: Form) -> Self {
        let stream = TcpStream::connect(endpoint).expect("the server was just there");
        stream.set_read_timeout(Some(ANSWER_TIMEOUT)).expect("the timeout is not zero");
        stream.set_nodelay(true).expect("an option can be set");
        Self {
            stream,
            form,
            skimmer: Skimmer::default(),
            requests: Vec::new(),
            received: Vec::new(),
            position: 0,
        }
    }

    /// Sends a command that must succeed.
    fn demand(&mut self, words: &[&str]) {
        let command = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        let replies = self.ask(&[command]);
        assert!(!replies[0].starts_with(b"-"), "{}", replies[0].escape_ascii());
    }

    fn next_reply(&mut self) -> Vec<u8> {
        loop {
            let pending = &self.received[self.position..];
            if let Some(reply) = self.skimmer.skim(pending).expect("the server speaks RESP") {
                self.position += reply.consumed;
                return pending[..reply.consumed].to_vec();
            }
            self.received.drain(..self.position);
            self.position = 0;
            let mut buffer = [0; 64 * 1024];
            let bytes = self.stream.read(&mut buffer).expect("the server answers in time");
            assert!(bytes > 0, "the server closed the connection");
            self.received.extend_from_slice(&buffer[..bytes]);
        }
    }

    fn send_requests(&mut self) {
        // Servers read on while their replies wait, so that all may be written before any is read.
        let mut rest = &self.requests[..];
        if self.form == Form::Mixed {
            for piece_bytes in PIECES_BYTES {
                let (piece, after) = rest.split_at(piece_bytes.min(rest.len()));
                self.stream.write_all(piece).expect("the server reads");
                rest = after;
            }
        }
        self.stream.write_all(rest).expect("the server reads");
    }

    /// Sends bytes and, behind them, that no more will come; returns everything that is answered. The
    /// server may close the connection before it has read all.
    pub(crate) fn say_and_hang_up(mut self, bytes: &[u8]) -> Vec<u8> {
        // Who closes the connection takes no more.
        let _ = self.stream.write_all(bytes);
        let _ = self.stream.shutdown(Shutdown::Write);
        let mut answered = Vec::new();
        if let Err(error) = self.stream.read_to_end(&mut answered) {
            // What was not read when the connection was closed becomes a reset, behind the replies.
            assert_eq!(error.kind(), ErrorKind::ConnectionReset, "the server ends the connection");
        }
        answered
    }
}

impl Side for Line {
    fn ask(&mut self, commands: &[Command]) -> Vec<Vec<u8>> {
        self.requests.clear();
        for (index, command) in commands.iter().enumerate() {
            let is_typed = self.form == Form::Mixed && index % TYPED_ONE_IN == TYPED_ONE_IN / 2;
            let bytes: usize = command.iter().map(Vec::len).sum();
            if is_typed && bytes <= TYPED_BYTES_MAX {
                type_command(command, index, &mut self.requests);
            } else {
                encode_command(&mut self.requests, command);
            }
        }
        self.send_requests();
        commands.iter().map(|_| self.next_reply()).collect()
    }

    fn select(&mut self, database: u8) {
        self.demand(&["SELECT", &database.to_string()]);
    }

    fn limit_listpacks(&mut self, entries: usize, value_bytes: usize) {
        for (name, limit) in [("entries", entries), ("value", value_bytes)] {
            let name = format!("hash-max-listpack-{name}");
            self.demand(&["CONFIG", "SET", &name, &limit.to_string()]);
        }
    }
}

/// Writes a command as one line; `number` says how where there are several ways.
fn type_command(command: &Command, number: usize, out: &mut Vec<u8>) {
    for (index, word) in command.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice([&b" "[..], b"\t", b"  "][(number + index) / TYPED_ONE_IN % 3]);
        }
        let is_simple = |byte: &u8| byte.is_ascii_alphanumeric() || b":-_.|%<>@!".contains(byte);
        let is_word = !word.is_empty() && word.iter().all(is_simple);
        // Valkey forgets the byte 255 unless it is spelled out.
        let is_line = word.iter().all(|byte| !b"\r\n\0'\\\xff".contains(byte));
        if is_word {
            out.extend_from_slice(word);
        } else if is_line && number % (2 * TYPED_ONE_IN) < TYPED_ONE_IN {
            out.extend([&b"'"[..], word, b"'"].concat());
        } else {
            out.push(b'"');
            for &byte in word {
                match byte {
                    b'"' | b'\\' => out.extend([b'\\', byte]),
                    b'\n' => out.extend_from_slice(b"\\n"),
                    b'\r' => out.extend_from_slice(b"\\r"),
                    b' '..=b'~' => out.push(byte),
                    _ => out.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
                }
            }
            out.push(b'"');
        }
    }
    out.extend_from_slice(if number.is_multiple_of(3) { b"\n" } else { b"\r\n" });
}
