//! How does an event loop learn that its shard is wanted?

use hectare_mailbox::Wake;
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::{Errno, read, write};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

/// An eventfd: a file descriptor that is readable while somebody wants the shard. Clones are the
/// same descriptor: one goes to the engine, one stays with the event loop.
#[derive(Clone, Debug)]
pub struct EventWake(Arc<OwnedFd>);

impl EventWake {
    /// A new descriptor, not readable yet.
    ///
    /// # Errors
    /// What the system says, such as that no descriptors are left.
    pub fn new() -> io::Result<Self> {
        let descriptor = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self(Arc::new(descriptor)))
    }

    /// Makes it unreadable again, before the shard's turn.
    ///
    /// # Errors
    /// What the system says; that nobody had called is no error.
    pub fn reset(&self) -> io::Result<()> {
        match read(self.0.as_fd(), &mut [0; 8]) {
            Ok(_) | Err(Errno::AGAIN) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for EventWake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Wake for EventWake {
    fn wake(&self) {
        // It can fail only when its count would pass 2⁶⁴ − 2, and then it is readable anyway.
        let _already_readable = write(self.0.as_fd(), &1_u64.to_ne_bytes());
    }
}
