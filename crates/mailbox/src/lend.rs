//! What can a caller do with what it has borrowed?

use crate::mailbox::Shared;

/// What a mailbox guards, borrowed from an owner that sleeps: the borrower takes items in the
/// owner's stead and reaches the owned thing.
///
/// It must be short, and must not wait for anything that needs the same mailbox. Dropped, it is
/// given back, and the owner is woken if there is work.
pub struct Lend<'a, M: Send, T: Send> {
    shared: &'a Shared<M, T>,
    is_over: bool,
}

/// How things stand in front of a borrower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing waits, and nothing that was sent before by anybody known to this thread is under way:
    /// whatever the borrower does now comes after all of that.
    Quiet,
    /// There are items to be taken first, or a sender is about to fill its slot.
    Busy,
    /// The mailbox is closed.
    Closed,
}

impl<'a, M: Send, T: Send> Lend<'a, M, T> {
    /// For the thread that has just borrowed.
    pub(crate) fn new(shared: &'a Shared<M, T>) -> Self {
        Self { shared, is_over: false }
    }

    /// Takes the item that came first, if there is one. `None` also if its sender has not filled its
    /// slot yet.
    pub fn pop(&mut self) -> Option<M> {
        // SAFETY: we are the borrower until `is_over`, and `&mut self` keeps others out.
        unsafe { self.shared.pop() }
    }

    /// Lends the owned thing to `run`.
    pub fn with<R>(&mut self, run: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: as in `pop`; and an owner that goes takes the word back first.
        unsafe { self.shared.with(run) }
    }

    /// Whether the borrower may do work of its own without overtaking any that was sent before.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.shared.ring.standing()
    }

    /// Gives it back. If work has come meanwhile, the caller has borrowed again and looks at it,
    /// unless the mailbox is finished: then the owner is woken to see that.
    #[must_use = "what is borrowed again is looked at"]
    pub fn give_back(mut self) -> Option<Self> {
        if !self.shared.doorbell.give_back(|| self.shared.has_work()) {
            self.is_over = true;
            return None;
        }
        if self.shared.ring.is_finished() {
            self.hand_over();
            return None;
        }
        Some(self)
    }

    /// Gives it back and wakes the owner, who goes on with what waits.
    pub fn hand_over(mut self) {
        self.is_over = true;
        self.shared.doorbell.hand_over();
    }
}

impl<M: Send, T: Send> Drop for Lend<'_, M, T> {
    fn drop(&mut self) {
        let shared = self.shared;
        if !self.is_over && shared.doorbell.give_back(|| shared.has_work()) {
            shared.doorbell.hand_over();
        }
    }
}

impl<M: Send, T: Send> std::fmt::Debug for Lend<'_, M, T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Lend").finish_non_exhaustive()
    }
}
