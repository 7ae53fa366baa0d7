//! Where do messages wait between many producers and one consumer?
//!
//! A bounded ring after Dmitry Vyukov's MPMC queue
//! (<https://www.1024cores.net/home/lock-free-algorithms/queues/bounded-mpmc-queue>), with one
//! consumer and with a way to close it. Each slot has a *turn* that says whose it is:
//!
//! ```text
//! turn == position              empty: the producer that claims `position` may fill it
//! turn == position + 1          full: the consumer at `position` may empty it
//! turn == position + capacity   empty again, for the next lap
//! ```
//!
//! The tail is `4 × position + abandoned × 2 + closed`: claiming a position and finding the ring open
//! are one compare-exchange, so after [`Ring::close`] the tail stands still, and everything before it
//! was accepted and will be filled.
//!
//! # Cost
//!
//! A slot is its item and 8 bytes; the whole ring is allocated at once and never grows. A push is
//! one compare-exchange and one store, a pop one load and two stores.
//!
//! # Ordering
//!
//! Data goes from producer to consumer by the turn: release in [`Ring::push`], acquire in
//! [`Ring::pop`]; and the emptied slot goes back the same way. Tail and head carry no data, so
//! relaxed is enough for them.

use crate::lend::Standing;
use crate::sync::{AtomicU64, Ordering, UnsafeCell, broken};
use crossbeam_utils::CachePadded;
use std::mem::MaybeUninit;

pub(crate) struct Ring<T> {
    /// `4 × position + abandoned × 2 + closed`, moved by producers.
    tail: CachePadded<AtomicU64>,
    /// The consumer's position, written by the consumer alone.
    head: CachePadded<AtomicU64>,
    slots: Box<[Slot<T>]>,
}

struct Slot<T> {
    turn: AtomicU64,
    item: UnsafeCell<MaybeUninit<T>>,
}

/// Why an item was not taken; the item comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum PushError<T> {
    Full(T),
    Closed(T),
}

const CLOSED: u64 = 1;
/// Closed by an owner that went, before anybody else had closed it.
const ABANDONED: u64 = 2;
const ONE_POSITION: u64 = 4;

// SAFETY: an item is reached by one thread at a time, as the turn of its slot says, and crosses
// from producer to consumer, so it must be `Send`; nothing else in the ring is shared unguarded.
unsafe impl<T: Send> Sync for Ring<T> {}
// SAFETY: the ring owns its items and nothing tied to a thread.
unsafe impl<T: Send> Send for Ring<T> {}

impl<T> Ring<T> {
    /// A ring with room for `capacity` items, rounded up to a power of two of at least 2 (with one
    /// slot, "full" and "empty for the next lap" would be the same turn).
    pub(crate) fn new(capacity: usize) -> Self {
        let capacity = capacity.next_power_of_two().max(2) as u64;
        let slots = (0..capacity)
            .map(|position| Slot {
                turn: AtomicU64::new(position),
                item: UnsafeCell::new(MaybeUninit::uninit()),
            })
            .collect();
        Self {
            tail: CachePadded::new(AtomicU64::new(0)),
            head: CachePadded::new(AtomicU64::new(0)),
            slots,
        }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// Puts an item at the end, or gives it back. Lock-free; never blocks.
    pub(crate) fn push(&self, item: T) -> Result<(), PushError<T>> {
        let mut tail = self.tail.load(Ordering::Relaxed);
        loop {
            if tail & CLOSED != 0 {
                return Err(PushError::Closed(item));
            }
            let position = tail / ONE_POSITION;
            let slot = self.slot(position);
            // Pairs with the consumer's release in `pop`: the slot's old item has been moved out.
            let turn = slot.turn.load(Ordering::Acquire);
            if turn < position {
                return Err(PushError::Full(item));
            }
            if turn > position {
                tail = self.tail.load(Ordering::Relaxed);
                continue;
            }
            match self.claim(tail) {
                Ok(()) => {
                    slot.fill(position, item);
                    return Ok(());
                }
                Err(now) => tail = now,
            }
        }
    }

    fn claim(&self, tail: u64) -> Result<(), u64> {
        let next = tail + ONE_POSITION;
        if broken("claim without compare-exchange") {
            self.tail.swap(next, Ordering::Relaxed);
            return Ok(());
        }
        self.tail
            .compare_exchange_weak(tail, next, Ordering::Relaxed, Ordering::Relaxed)
            .map(|_tail| ())
    }

    /// Takes the first item. `None` also when its producer has claimed the slot and not yet filled
    /// it.
    ///
    /// # Safety
    /// No other thread may be in `pop`, and whoever was there before must have handed over (released)
    /// to this one.
    pub(crate) unsafe fn pop(&self) -> Option<T> {
        let head = self.head.load(Ordering::Relaxed);
        let slot = self.slot(head);
        if !slot.is_full(head) {
            return None;
        }
        // SAFETY: the turn says that this position is filled, and we are its only consumer, so
        // nobody else reads or writes the item until we pass the turn on below.
        let item = slot.item.with_mut(|item| unsafe { (*item).assume_init_read() });
        let emptied =
            if broken("emptied without release") { Ordering::Relaxed } else { Ordering::Release };
        // Pairs with the producer's acquire in `push`.
        slot.turn.store(head + self.slots.len() as u64, emptied);
        self.head.store(head + 1, Ordering::Relaxed);
        Some(item)
    }

    /// Whether [`pop`](Self::pop) would find an item; a hint, for who is not the consumer.
    pub(crate) fn has_item(&self) -> bool {
        let head = self.head.load(Ordering::Relaxed);
        self.slot(head).is_full(head)
    }

    /// From now on every push is answered `Closed`.
    pub(crate) fn close(&self) {
        self.tail.fetch_or(CLOSED, Ordering::Relaxed);
    }

    /// The same, by an owner that goes: if nobody had closed it, senders learn why.
    pub(crate) fn abandon(&self) {
        let mut tail = self.tail.load(Ordering::Relaxed);
        while tail & CLOSED == 0 {
            let closed = tail | CLOSED | ABANDONED;
            let moved =
                self.tail.compare_exchange(tail, closed, Ordering::Relaxed, Ordering::Relaxed);
            match moved {
                Ok(_) => return,
                Err(now) => tail = now,
            }
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.tail.load(Ordering::Relaxed) & CLOSED != 0
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.tail.load(Ordering::Relaxed) & ABANDONED != 0
    }

    /// For the consumer: whether everything has been taken that was claimed before this moment by
    /// this thread, or by another whose claim this thread knows of. A tail that is seen too late can
    /// hide a claim of somebody else's only.
    pub(crate) fn standing(&self) -> Standing {
        let tail = self.tail.load(Ordering::Relaxed);
        let head = self.head.load(Ordering::Relaxed);
        let is_quiet = if broken("quiet while a slot is claimed") {
            !self.slot(head).is_full(head)
        } else {
            tail / ONE_POSITION == head
        };
        if tail & CLOSED != 0 {
            Standing::Closed
        } else if is_quiet {
            Standing::Quiet
        } else {
            Standing::Busy
        }
    }

    /// Whether the ring is closed and everything it accepted has been taken.
    pub(crate) fn is_finished(&self) -> bool {
        let tail = self.tail.load(Ordering::Relaxed);
        let head = self.head.load(Ordering::Relaxed);
        if broken("finished while a slot is claimed") {
            return tail & CLOSED != 0 && !self.slot(head).is_full(head);
        }
        // A closed tail stands still, so this cannot be true too early, even on a stale value.
        tail & CLOSED != 0 && tail / ONE_POSITION == head
    }

    fn slot(&self, position: u64) -> &Slot<T> {
        // The capacity is a power of two that fits a usize, so the mask makes any position fit.
        let mask = self.slots.len() - 1;
        #[expect(clippy::cast_possible_truncation, reason = "the mask cuts it anyway")]
        let index = position as usize & mask;
        &self.slots[index]
    }
}

impl<T> Slot<T> {
    /// To be called by the producer that claimed `position`, once.
    fn fill(&self, position: u64, item: T) {
        // SAFETY: the turn was `position` and our compare-exchange claimed it, so no other thread
        // reads or writes this slot until we pass the turn on below.
        self.item.with_mut(|place| unsafe { (*place).write(item) });
        let filled =
            if broken("filled without release") { Ordering::Relaxed } else { Ordering::Release };
        // Pairs with the consumer's acquire in `is_full`.
        self.turn.store(position + 1, filled);
    }

    fn is_full(&self, position: u64) -> bool {
        // Pairs with the producer's release in `fill`.
        self.turn.load(Ordering::Acquire) == position + 1
    }
}

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        // SAFETY: `&mut self`: there is no other thread here, and every claimed slot was filled by
        // a push that has returned.
        while let Some(item) = unsafe { self.pop() } {
            drop(item);
        }
    }
}

impl<T> std::fmt::Debug for Ring<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Ring").field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}
