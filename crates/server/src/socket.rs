//! What is at the other end, and what does it take or give without waiting?

use rustix::buffer::spare_capacity;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

/// A connected stream socket, TCP or unix, that never waits.
#[derive(Debug)]
pub(crate) struct Socket {
    descriptor: OwnedFd,
    /// Who is there, as CLIENT LIST has it.
    pub(crate) peer: Box<str>,
    /// Where it came in.
    pub(crate) local: Box<str>,
    pub(crate) is_unix: bool,
    /// Whether it comes from another machine.
    pub(crate) is_remote: bool,
}

/// What came of a read or a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passed {
    /// So many bytes, at least one.
    Bytes(usize),
    /// None at the moment.
    Blocked,
    /// The other side has gone, or sends no more.
    Ended,
}

impl Socket {
    pub(crate) fn new(
        descriptor: OwnedFd,
        peer: Box<str>,
        local: Box<str>,
        is_unix: bool,
        is_remote: bool,
    ) -> Self {
        Self { descriptor, peer, local, is_unix, is_remote }
    }

    /// Reads into `room`, once.
    pub(crate) fn receive(&self, room: &mut [u8]) -> Passed {
        passed(|| recv(&self.descriptor, &mut *room, RecvFlags::empty()).map(|(_, bytes)| bytes))
    }

    /// Reads to the end of `bytes`, once, at most what it has room for.
    pub(crate) fn receive_more(&self, bytes: &mut Vec<u8>) -> Passed {
        passed(|| {
            recv(&self.descriptor, spare_capacity(bytes), RecvFlags::empty()).map(|(_, read)| read)
        })
    }

    /// Writes, once.
    pub(crate) fn transmit(&self, bytes: &[u8]) -> Passed {
        passed(|| send(&self.descriptor, bytes, SendFlags::NOSIGNAL))
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.descriptor.as_raw_fd()
    }
}

fn passed(mut call: impl FnMut() -> Result<usize, Errno>) -> Passed {
    loop {
        return match call() {
            Ok(0) => Passed::Ended,
            Ok(bytes) => Passed::Bytes(bytes),
            Err(Errno::INTR) => continue,
            Err(error) if io::Error::from(error).kind() == io::ErrorKind::WouldBlock => {
                Passed::Blocked
            }
            Err(_) => Passed::Ended,
        };
    }
}
