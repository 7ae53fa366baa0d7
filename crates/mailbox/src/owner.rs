//! How does the one take what the many send?

use crate::mailbox::Shared;
use crate::sync::{Arc, Patience, broken, park_until, spin_until};
use std::time::Instant;

/// The side of the one: it owns what the mailbox guards, takes items, and sleeps when there are
/// none. While it sleeps, others may borrow the owned thing.
pub struct Owner<M, T = ()> {
    shared: Arc<Shared<M, T>>,
    /// Whether the word is RUN by our doing or our knowledge, so that nobody else is in.
    holds: bool,
}

impl<M: Send, T: Send> Owner<M, T> {
    pub(crate) fn new(shared: Arc<Shared<M, T>>) -> Self {
        Self { shared, holds: true }
    }

    /// Takes the item that came first, if there is one.
    pub fn pop(&mut self) -> Option<M> {
        self.wake_up();
        // SAFETY: we hold, since `wake_up`; there is one owner for each mailbox, it cannot be
        // cloned, and `&mut self` keeps other threads out of this call.
        unsafe { self.shared.pop() }
    }

    /// Lends what is owned to `run`.
    pub fn with<R>(&mut self, run: impl FnOnce(&mut T) -> R) -> R {
        self.wake_up();
        // SAFETY: as in `pop`.
        unsafe { self.shared.with(run) }
    }

    /// Whether the mailbox is closed and everything that it accepted has been taken.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.shared.ring.is_finished()
    }

    /// Looks for a few microseconds whether something comes. For an owner that has a core to
    /// itself: a look is cheaper than a sleep and a wake.
    pub fn linger(&mut self) -> bool {
        // Not `has_work`: the tail is what senders write, and looking at it again and again would
        // take it from their cores.
        let shared = &self.shared;
        spin_until(|| shared.ring.has_item() || shared.doorbell.is_asked()) || shared.has_work()
    }

    /// Says that the owner is about to sleep, by whatever means its [`Wake`](crate::Wake) ends.
    /// True: it may sleep, others may borrow, and whoever leaves work will wake it. False: there is
    /// work already, so it must not.
    ///
    /// For an owner that waits for other things too (an event loop); call
    /// [`wake_up`](Self::wake_up) after the sleep. Others use [`sleep`](Self::sleep).
    pub fn announce_sleep(&mut self) -> bool {
        if self.holds {
            self.holds = !self.shared.doorbell.announce_unless(|| self.shared.has_work());
        }
        !self.holds
    }

    /// Says that the owner is awake again, and waits for whoever has borrowed meanwhile.
    pub fn wake_up(&mut self) {
        if !self.holds {
            self.shared.doorbell.take_back();
            self.shared.doorbell.set_aside(false);
            self.holds = true;
        }
    }

    /// If somebody waits to borrow: lends, and waits until it is given back. To be called now and
    /// then by an owner that runs for long.
    pub fn lend_if_asked(&mut self) {
        if self.holds && self.shared.doorbell.is_asked() {
            self.step_aside();
            self.wake_up();
        }
    }

    /// Lets others in without going to sleep, for the time in which the owner waits for something
    /// of theirs; [`wake_up`](Self::wake_up) ends it.
    pub fn step_aside(&mut self) {
        if self.holds && !broken("kept its own") {
            self.shared.doorbell.set_aside(true);
            self.shared.doorbell.leave();
            self.holds = false;
        }
    }

    /// Parks the calling thread until something is left to do, the mailbox is closed or the deadline
    /// has passed. Returns at once if there is work already.
    ///
    /// The [`Wake`](crate::Wake) must be a [`ThreadWake`](crate::ThreadWake) for the calling thread.
    pub fn sleep(&mut self, deadline: Option<Instant>) {
        if !self.announce_sleep() {
            return;
        }
        while !self.shared.doorbell.is_run() {
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                break;
            }
            park_until(deadline);
        }
        self.wake_up();
    }
}

/// A mailbox without its owner takes nothing more; what it still holds is dropped with it, and so
/// is what is owned.
impl<M, T> Drop for Owner<M, T> {
    fn drop(&mut self) {
        let shared = &self.shared;
        if !self.holds && !broken("gone while it is lent") {
            shared.doorbell.take_back();
        }
        shared.ring.abandon();
        let mut patience = Patience::new();
        while !shared.ring.is_finished() {
            // SAFETY: we hold, and so until `go`.
            while let Some(item) = unsafe { shared.pop() } {
                drop(item);
            }
            patience.wait();
        }
        // SAFETY: as above.
        let owned = unsafe { shared.take() };
        shared.doorbell.go();
        // It may be large, and nobody has to wait for it.
        drop(owned);
    }
}

impl<M, T> std::fmt::Debug for Owner<M, T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Owner").field("ring", &self.shared.ring).finish_non_exhaustive()
    }
}
