//! What is still owed to a client that takes its replies slowly?

use crate::socket::{Passed, Socket};

/// Replies that the socket would not take yet. Empty, it owns no memory.
#[derive(Debug, Default)]
pub(crate) struct Output {
    bytes: Vec<u8>,
    sent: usize,
}

/// What becomes of what is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flushed {
    /// All is sent.
    All,
    /// The socket takes no more at the moment.
    Blocked,
    /// Nobody is there any more.
    Gone,
}

/// Less than this is copied, so that a large buffer stays with the thread.
const COPIED_BYTES_MAX: usize = 16 << 10;

/// What the thread's buffer keeps.
const KEPT_BYTES_MAX: usize = 256 << 10;

impl Output {
    /// How many bytes are owed.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.sent
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Sends what is owed and then `fresh`, which is empty afterwards; what does not go is owed.
    pub(crate) fn flush(
        &mut self,
        fresh: &mut Vec<u8>,
        socket: &Socket,
        mut sent: impl FnMut(usize),
    ) -> Flushed {
        if !self.is_empty() {
            self.owe(fresh);
            fresh.clear();
            let flushed = send(&self.bytes, &mut self.sent, socket, &mut sent);
            if flushed == Flushed::All {
                *self = Self::default();
            }
            return flushed;
        }
        let mut done = 0;
        let flushed = send(fresh, &mut done, socket, &mut sent);
        if flushed == Flushed::Blocked {
            if fresh.len() - done <= COPIED_BYTES_MAX {
                self.bytes = fresh[done..].to_vec();
            } else {
                (self.bytes, self.sent) = (std::mem::take(fresh), done);
            }
        }
        fresh.clear();
        fresh.shrink_to(KEPT_BYTES_MAX);
        flushed
    }

    /// Keeps replies for a socket that takes none at the moment.
    pub(crate) fn owe(&mut self, fresh: &[u8]) {
        if self.sent > self.bytes.len() / 2 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
        self.bytes.extend_from_slice(fresh);
    }
}

fn send(bytes: &[u8], done: &mut usize, socket: &Socket, sent: &mut impl FnMut(usize)) -> Flushed {
    while *done < bytes.len() {
        match socket.transmit(&bytes[*done..]) {
            Passed::Bytes(count) => {
                *done += count;
                sent(count);
                // A short write means that there is no more room, but only a refused one brings word
                // when there is.
            }
            Passed::Blocked => return Flushed::Blocked,
            Passed::Ended => return Flushed::Gone,
        }
    }
    Flushed::All
}
