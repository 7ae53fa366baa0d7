//! How do many threads hand work to one, or do it themselves while that one sleeps?

use crate::doorbell::Doorbell;
use crate::owner::Owner;
use crate::ring::Ring;
use crate::room::{Bounds, Room};
use crate::sender::Sender;
use crate::sync::{Arc, UnsafeCell, count_cores};
use crate::wake::Wake;

/// A mailbox with room for `capacity` items (rounded up to a power of two, at least 2), in front of
/// a thing that is `owned` by whoever takes the items; `wake` reaches the owner. All memory is taken
/// now: `capacity × (size of M + 8)` bytes.
#[must_use]
pub fn mailbox<M: Send, T: Send>(
    capacity: usize,
    owned: T,
    wake: Box<dyn Wake>,
) -> (Sender<M, T>, Owner<M, T>) {
    mailbox_within(&Bounds::items(capacity), owned, wake)
}

/// A mailbox that is bounded by what its items weigh, too.
#[must_use]
pub fn mailbox_within<M: Send, T: Send>(
    bounds: &Bounds<M>,
    owned: T,
    wake: Box<dyn Wake>,
) -> (Sender<M, T>, Owner<M, T>) {
    count_cores();
    let shared = Arc::new(Shared {
        ring: Ring::new(bounds.items),
        doorbell: Doorbell::new(wake),
        room: Room::new(bounds),
        owned: UnsafeCell::new(Some(owned)),
    });
    (Sender::new(Arc::clone(&shared)), Owner::new(shared))
}

pub(crate) struct Shared<M, T> {
    pub(crate) ring: Ring<M>,
    pub(crate) doorbell: Doorbell,
    pub(crate) room: Room<M>,
    /// Reached by whoever the owner word says; `None` once the owner is gone.
    owned: UnsafeCell<Option<T>>,
}

// SAFETY: the ring and the owned thing are reached by one thread at a time, as the owner word says,
// and both cross threads, so they must be `Send`; everything else is atomics.
unsafe impl<M: Send, T: Send> Sync for Shared<M, T> {}
// SAFETY: nothing here is tied to a thread: a wake is `Send`.
unsafe impl<M: Send, T: Send> Send for Shared<M, T> {}

impl<M, T> Shared<M, T> {
    pub(crate) fn close(&self) {
        self.ring.close();
        self.doorbell.ring();
    }

    /// Whether there is an item, or nothing to come any more. A hint, unless the caller holds.
    pub(crate) fn has_work(&self) -> bool {
        self.ring.has_item() || self.ring.is_finished()
    }

    /// Takes the first item.
    ///
    /// # Safety
    /// The caller holds: it is the owner in RUN, or the borrower.
    pub(crate) unsafe fn pop(&self) -> Option<M> {
        // SAFETY: whoever holds is alone, and came in by acquiring the word that the last one
        // released.
        let item = unsafe { self.ring.pop() }?;
        self.room.leave(&item);
        Some(item)
    }

    /// Lends the owned thing to `run`.
    ///
    /// # Safety
    /// As for `pop`, and the owner is not gone.
    pub(crate) unsafe fn with<R>(&self, run: impl FnOnce(&mut T) -> R) -> R {
        self.owned.with_mut(|owned| {
            // SAFETY: whoever holds is alone with it.
            let owned = unsafe { &mut *owned };
            run(owned.as_mut().expect("what is owned goes with its owner"))
        })
    }

    /// Takes the owned thing out.
    ///
    /// # Safety
    /// As for `pop`.
    pub(crate) unsafe fn take(&self) -> Option<T> {
        // SAFETY: as in `with`.
        self.owned.with_mut(|owned| unsafe { (*owned).take() })
    }
}
