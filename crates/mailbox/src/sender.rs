//! How do the many reach the one?

use crate::doorbell::Refusal;
use crate::lend::Lend;
use crate::mailbox::Shared;
use crate::ring::PushError;
use crate::sync::{Arc, Patience, spin_until};
use std::time::Instant;

/// The side of the many: any thread may hold a clone.
pub struct Sender<M, T = ()> {
    shared: Arc<Shared<M, T>>,
}

/// Why an item was not accepted; it comes back unharmed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SendError<M> {
    /// There is no room at this moment.
    Full(M),
    /// The mailbox was closed: there will be no room.
    Closed(M),
    /// The owner is gone without the mailbox having been closed: there will be no room.
    Gone(M),
}

/// Why nothing could be borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BorrowError {
    /// The deadline passed while others were in.
    TimedOut,
    /// The owner is gone.
    Gone,
}

impl<M: Send, T: Send> Sender<M, T> {
    pub(crate) fn new(shared: Arc<Shared<M, T>>) -> Self {
        Self { shared }
    }

    /// Hands an item over, and wakes the owner if it sleeps. Lock-free; never blocks. Items of one
    /// sender arrive in the order in which they were sent.
    ///
    /// # Errors
    /// [`SendError`], with the item.
    pub fn send(&self, item: M) -> Result<(), SendError<M>> {
        self.push(item)?;
        self.shared.doorbell.ring();
        Ok(())
    }

    /// Hands an item over; if the owner sleeps it is not woken, but the caller borrows what it owns
    /// and must [`pop`](Lend::pop) what waits, its own item among it.
    ///
    /// # Errors
    /// [`SendError`], with the item.
    pub fn send_or_borrow(&self, item: M) -> Result<Option<Lend<'_, M, T>>, SendError<M>> {
        self.push(item)?;
        Ok(self.shared.doorbell.ring_or_borrow().then(|| Lend::new(&self.shared)))
    }

    /// Hands an item over, and waits for room until the deadline if there is none: a few
    /// microseconds awake, then looking again every so often. Who waits first is served first.
    ///
    /// # Errors
    /// [`SendError`], with the item: `Full` when the deadline has passed.
    pub fn send_before(&self, item: M, deadline: Instant) -> Result<(), SendError<M>> {
        if let Some(lend) = self.send_or_borrow_before(item, deadline)? {
            lend.hand_over();
        }
        Ok(())
    }

    /// Both: [`send_or_borrow`](Self::send_or_borrow), waiting for room as
    /// [`send_before`](Self::send_before) does.
    ///
    /// # Errors
    /// [`SendError`], with the item: `Full` when the deadline has passed.
    pub fn send_or_borrow_before(
        &self,
        item: M,
        deadline: Instant,
    ) -> Result<Option<Lend<'_, M, T>>, SendError<M>> {
        let item = match self.push(item) {
            Err(SendError::Full(item)) => item,
            sent => {
                return sent.map(|()| {
                    self.shared.doorbell.ring_or_borrow().then(|| Lend::new(&self.shared))
                });
            }
        };
        self.wait_for_room(item, deadline)?;
        Ok(self.shared.doorbell.ring_or_borrow().then(|| Lend::new(&self.shared)))
    }

    /// Borrows what the owner owns if the owner sleeps and nobody else has borrowed it. One look,
    /// one compare-exchange.
    #[must_use]
    pub fn try_borrow(&self) -> Option<Lend<'_, M, T>> {
        self.shared.doorbell.try_borrow().then(|| Lend::new(&self.shared))
    }

    /// The same, and while another borrower is in, looks for some microseconds whether it goes.
    #[must_use]
    pub fn borrow_soon(&self) -> Option<Lend<'_, M, T>> {
        let doorbell = &self.shared.doorbell;
        let mut is_in = doorbell.try_borrow();
        if !is_in && doorbell.is_borrowed() {
            spin_until(|| {
                is_in = doorbell.try_borrow();
                is_in || !doorbell.is_borrowed()
            });
        }
        is_in.then(|| Lend::new(&self.shared))
    }

    /// Borrows what the owner owns; asks an owner that runs to lend at its next pause, and waits for
    /// it and for other borrowers until the deadline.
    ///
    /// Whoever borrows from several mailboxes takes them in one order that all agree on, and an
    /// owner among them [steps aside](crate::Owner::step_aside) first: then nobody waits in a circle.
    ///
    /// # Errors
    /// [`BorrowError`].
    pub fn borrow_before(&self, deadline: Option<Instant>) -> Result<Lend<'_, M, T>, BorrowError> {
        match self.shared.doorbell.borrow_before(deadline) {
            Ok(()) => Ok(Lend::new(&self.shared)),
            Err(Refusal::TimedOut) => Err(BorrowError::TimedOut),
            Err(Refusal::Gone) => Err(BorrowError::Gone),
        }
    }

    /// Refuses whatever comes from now on. What was accepted before still reaches the owner, who
    /// then [`is_finished`](crate::Owner::is_finished).
    pub fn close(&self) {
        self.shared.close();
    }

    /// Whether the owner is gone without the mailbox having been closed.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.shared.ring.is_abandoned()
    }

    /// How many items there is room for when none waits.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.shared.ring.capacity()
    }

    fn push(&self, item: M) -> Result<(), SendError<M>> {
        if self.shared.room.is_waited_for() {
            return self.refuse_or_full(item);
        }
        self.push_unfairly(item)
    }

    /// Past those who wait for room, by whose turn it is.
    fn push_unfairly(&self, item: M) -> Result<(), SendError<M>> {
        let Some(weight) = self.shared.room.enter(&item) else { return self.refuse_or_full(item) };
        self.shared.ring.push(item).map_err(|error| {
            self.shared.room.leave_weight(weight);
            match error {
                PushError::Full(item) => SendError::Full(item),
                PushError::Closed(item) if self.is_abandoned() => SendError::Gone(item),
                PushError::Closed(item) => SendError::Closed(item),
            }
        })
    }

    fn refuse_or_full(&self, item: M) -> Result<(), SendError<M>> {
        Err(if !self.shared.ring.is_closed() {
            SendError::Full(item)
        } else if self.is_abandoned() {
            SendError::Gone(item)
        } else {
            SendError::Closed(item)
        })
    }

    fn wait_for_room(&self, item: M, deadline: Instant) -> Result<(), SendError<M>> {
        let mut patience = Patience::new();
        let mut outcome = Err(SendError::Full(item));
        let turn = loop {
            if let Some(turn) = self.shared.room.line_up() {
                break turn;
            }
            // More wait than the line has places for.
            if Instant::now() >= deadline {
                return outcome;
            }
            patience.wait();
        };
        while let Err(SendError::Full(item)) = outcome {
            outcome =
                if turn.is_first() { self.push_unfairly(item) } else { self.refuse_or_full(item) };
            if outcome.is_ok() || Instant::now() >= deadline {
                break;
            }
            patience.wait();
        }
        outcome
    }
}

impl<M, T> Clone for Sender<M, T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<M, T> std::fmt::Debug for Sender<M, T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sender").field("ring", &self.shared.ring).finish_non_exhaustive()
    }
}

impl<M> std::fmt::Debug for SendError<M> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
            Self::Gone(_) => "Gone(..)",
        })
    }
}

impl<M> std::fmt::Display for SendError<M> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Full(_) => "the mailbox is full; try again when its owner has caught up",
            Self::Closed(_) => "the mailbox is closed",
            Self::Gone(_) => "the owner of the mailbox is gone",
        })
    }
}

impl<M> std::error::Error for SendError<M> {}

impl std::fmt::Display for BorrowError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::TimedOut => "others were in until the deadline; wait longer",
            Self::Gone => "the owner of the mailbox is gone",
        })
    }
}

impl std::error::Error for BorrowError {}
