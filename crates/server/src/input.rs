//! What of a client's bytes waits for the rest of its request?

use crate::socket::{Passed, Socket};
use hectare_resp::RequestParser;

/// Bytes that were received and not yet taken. Without any, it owns no memory.
#[derive(Debug, Default)]
pub(crate) struct Input {
    bytes: Vec<u8>,
    /// How many of them are taken.
    taken: usize,
    /// In the middle of a request: what it knows of it.
    pub(crate) parser: Option<Box<RequestParser>>,
    /// Whether there may be whole requests among them.
    pub(crate) has_requests: bool,
}

/// Bytes to be parsed, wherever they lie.
#[derive(Debug)]
pub(crate) struct Received {
    /// The connection's own; empty if the bytes are in the thread's buffer.
    own: Vec<u8>,
    start: usize,
    /// How many bytes of the thread's buffer, if they are there.
    lent: usize,
}

/// So much is read at once.
pub(crate) const READ_BYTES: usize = 64 << 10;

/// Less than this is copied to the front of the thread's buffer, rather than read on where it is.
const COPIED_BYTES_MAX: usize = 16 << 10;

/// The size of the thread's buffer.
pub(crate) const LENT_BYTES: usize = READ_BYTES + COPIED_BYTES_MAX;

impl Input {
    /// How many bytes wait.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.taken
    }

    /// What waits, without reading.
    pub(crate) fn waiting(&mut self) -> Received {
        Received { own: std::mem::take(&mut self.bytes), start: self.taken, lent: 0 }
    }

    /// Reads once: to the end of what waits if that is much, else into the thread's buffer behind a
    /// copy of it. Also says how many bytes there was room for.
    pub(crate) fn read(&mut self, lent: &mut [u8], socket: &Socket) -> (Received, Passed, usize) {
        let waiting = self.len();
        if waiting <= COPIED_BYTES_MAX {
            lent[..waiting].copy_from_slice(&self.bytes[self.taken..]);
            let room = &mut lent[waiting..waiting + READ_BYTES];
            let passed = socket.receive(room);
            let read = if let Passed::Bytes(read) = passed { read } else { 0 };
            let own = std::mem::take(&mut self.bytes);
            return (Received { own, start: self.taken, lent: waiting + read }, passed, READ_BYTES);
        }
        let mut own = std::mem::take(&mut self.bytes);
        if self.taken > 0 {
            own.drain(..self.taken);
            self.taken = 0;
        }
        // Grows by doubling, so memory follows what has arrived, not what was announced.
        own.reserve(READ_BYTES);
        let room = own.capacity() - own.len();
        let passed = socket.receive_more(&mut own);
        (Received { own, start: 0, lent: 0 }, passed, room)
    }

    /// Keeps what of the received bytes was not taken.
    pub(crate) fn keep(&mut self, received: Received, lent: &[u8], taken: usize) {
        let Received { mut own, start, lent: count } = received;
        if count > 0 {
            own.clear();
            own.extend_from_slice(&lent[taken..count]);
            self.taken = 0;
        } else {
            self.taken = start + taken;
        }
        if self.taken == own.len() {
            *self = Self { parser: self.parser.take(), ..Self::default() };
        } else {
            self.bytes = own;
        }
    }
}

impl Received {
    pub(crate) fn bytes<'a>(&'a self, lent: &'a [u8]) -> &'a [u8] {
        if self.lent > 0 { &lent[..self.lent] } else { &self.own[self.start..] }
    }
}
