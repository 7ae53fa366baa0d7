//! How does a sleeping owner learn that it is wanted?

use crate::sync::{Thread, current};

/// Wakes the owner of a mailbox.
///
/// A wake sticks: one that comes before the owner sleeps ends that sleep at once. A thread's unpark
/// token and an eventfd are both of this kind; a condition variable without a flag is not.
pub trait Wake: Send + Sync {
    /// Wakes the owner, or ends its next sleep. Never blocks.
    fn wake(&self);
}

/// Wakes an owner that sleeps by parking its thread, as [`Owner::sleep`](crate::Owner::sleep) does.
#[derive(Debug)]
pub struct ThreadWake(Thread);

impl ThreadWake {
    /// Wakes the given thread.
    #[must_use]
    pub fn new(thread: Thread) -> Self {
        Self(thread)
    }

    /// Wakes the thread that calls this.
    #[must_use]
    pub fn current() -> Self {
        Self(current())
    }
}

impl Wake for ThreadWake {
    fn wake(&self) {
        self.0.unpark();
    }
}
