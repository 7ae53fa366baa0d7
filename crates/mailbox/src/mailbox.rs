//! How do many threads hand work to one?

use crate::doorbell::Doorbell;
use crate::ring::{PushError, Ring};
use crate::sync::{Arc, Patience, park_until, spin_until};
use crate::wake::Wake;
use std::time::Instant;

/// A mailbox with room for `capacity` items (rounded up to a power of two, at least 2), and the
/// `wake` that reaches its owner. All memory is taken now: `capacity × (size of T + 8)` bytes.
#[must_use]
pub fn mailbox<T: Send>(capacity: usize, wake: Box<dyn Wake>) -> (Sender<T>, Owner<T>) {
    let shared = Arc::new(Shared { ring: Ring::new(capacity), doorbell: Doorbell::new(wake) });
    (Sender { shared: Arc::clone(&shared) }, Owner { shared })
}

struct Shared<T> {
    ring: Ring<T>,
    doorbell: Doorbell,
}

/// The side of the many: any thread may hold a clone.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

/// The side of the one: it takes items, and sleeps when there are none.
pub struct Owner<T> {
    shared: Arc<Shared<T>>,
}

/// Why an item was not accepted; it comes back unharmed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SendError<T> {
    /// There is no room at this moment.
    Full(T),
    /// The mailbox was closed, or its owner is gone: there will be no room.
    Closed(T),
}

impl<T: Send> Sender<T> {
    /// Hands an item over, and wakes the owner if it sleeps. Lock-free; never blocks. Items of one
    /// sender arrive in the order in which they were sent.
    ///
    /// # Errors
    /// [`SendError::Full`] or [`SendError::Closed`], with the item.
    pub fn send(&self, item: T) -> Result<(), SendError<T>> {
        self.shared.ring.push(item).map_err(|error| match error {
            PushError::Full(item) => SendError::Full(item),
            PushError::Closed(item) => SendError::Closed(item),
        })?;
        self.shared.doorbell.ring();
        Ok(())
    }

    /// Hands an item over, and waits for room until the deadline if there is none: a few
    /// microseconds awake, then looking again every so often. Who waits first is not served first.
    ///
    /// # Errors
    /// [`SendError::Full`] when the deadline has passed, or [`SendError::Closed`], with the item.
    pub fn send_before(&self, item: T, deadline: Instant) -> Result<(), SendError<T>> {
        let mut outcome = self.send(item);
        let mut patience = Patience::new();
        while let Err(SendError::Full(item)) = outcome {
            if Instant::now() >= deadline {
                return Err(SendError::Full(item));
            }
            patience.wait();
            outcome = self.send(item);
        }
        outcome
    }

    /// Refuses whatever comes from now on. What was accepted before still reaches the owner, who
    /// then [`is_finished`](Owner::is_finished).
    pub fn close(&self) {
        self.shared.close();
    }

    /// How many items there is room for when none waits.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.shared.ring.capacity()
    }
}

impl<T: Send> Owner<T> {
    /// Takes the item that came first, if there is one.
    pub fn pop(&mut self) -> Option<T> {
        // SAFETY: there is one owner for each ring, it cannot be cloned, and `&mut self` keeps
        // other threads out of this call; moving an owner to another thread synchronizes.
        unsafe { self.shared.ring.pop() }
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
        let ring = &self.shared.ring;
        // SAFETY: as in `pop`.
        spin_until(|| unsafe { ring.has_item() }) || self.has_work()
    }

    /// Says that the owner is about to sleep, by whatever means its [`Wake`] ends. True: it may
    /// sleep, and whoever sends will wake it. False: there is work already, so it must not.
    ///
    /// For an owner that waits for other things too (an event loop); call
    /// [`wake_up`](Self::wake_up) after the sleep. Others use [`sleep`](Self::sleep).
    pub fn announce_sleep(&mut self) -> bool {
        self.shared.doorbell.announce_unless(|| self.has_work())
    }

    /// Says that the owner is awake again: senders need not wake it.
    pub fn wake_up(&mut self) {
        self.shared.doorbell.retract();
    }

    /// Parks the calling thread until something is sent, the mailbox is closed or the deadline has
    /// passed. Returns at once if there is work already.
    ///
    /// The [`Wake`] must be a [`ThreadWake`](crate::ThreadWake) for the calling thread.
    pub fn sleep(&mut self, deadline: Option<Instant>) {
        if !self.announce_sleep() {
            return;
        }
        while self.shared.doorbell.is_parked() {
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                break;
            }
            park_until(deadline);
        }
        self.wake_up();
    }
}

impl<T> Owner<T> {
    /// Whether there is an item, or nothing to come any more.
    fn has_work(&self) -> bool {
        // SAFETY: as in `pop`: this is private, and its callers hold `&mut self`.
        let has_item = unsafe { self.shared.ring.has_item() };
        has_item || self.shared.ring.is_finished()
    }
}

impl<T> Shared<T> {
    fn close(&self) {
        self.ring.close();
        self.doorbell.ring();
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

/// A mailbox without its owner takes nothing more; what it still holds is dropped with it.
impl<T> Drop for Owner<T> {
    fn drop(&mut self) {
        self.shared.ring.close();
        let mut patience = Patience::new();
        while !self.shared.ring.is_finished() {
            // SAFETY: as in `Owner::pop`: we are the one owner.
            while let Some(item) = unsafe { self.shared.ring.pop() } {
                drop(item);
            }
            patience.wait();
        }
    }
}

impl<T> std::fmt::Debug for Sender<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sender").field("ring", &self.shared.ring).finish_non_exhaustive()
    }
}

impl<T> std::fmt::Debug for Owner<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Owner").field("ring", &self.shared.ring).finish_non_exhaustive()
    }
}

impl<T> std::fmt::Debug for SendError<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> std::fmt::Display for SendError<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Full(_) => "the mailbox is full; try again when its owner has caught up",
            Self::Closed(_) => "the mailbox is closed",
        })
    }
}

impl<T> std::error::Error for SendError<T> {}
