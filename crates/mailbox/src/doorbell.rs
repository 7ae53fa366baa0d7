//! How does an owner sleep without missing what arrives meanwhile?
//!
//! The *owner word* says how the owner can be reached:
//!
//! ```text
//!          announce                 a producer's compare-exchange, which then wakes;
//!   RUN ─────────────▶ PARKED ───▶  or the owner's own, when it wakes for another reason
//!    ▲                    │
//!    └────────────────────┘
//! ```
//!
//! # Ordering
//!
//! Each side writes one place and then looks at the other's: a producer fills a slot and looks at
//! the word, the owner writes the word and looks at the slots. Release and acquire alone let both
//! look too early (each store still in its own core's buffer), so both have a sequentially
//! consistent fence in between; then at least one of them sees the other. That is either the
//! producer, which wakes the owner, or the owner, which does not go to sleep.
//!
//! Every write of the word is a read-modify-write, and every move out of PARKED a compare-exchange:
//! a blind write could undo a ring that fell between announcement and sleep.

use crate::sync::{AtomicU32, Ordering, broken, fence};
use crate::wake::Wake;
use crossbeam_utils::CachePadded;

const RUN: u32 = 0;
const PARKED: u32 = 1;

pub(crate) struct Doorbell {
    word: CachePadded<AtomicU32>,
    wake: Box<dyn Wake>,
}

impl Doorbell {
    /// A doorbell whose owner is running.
    pub(crate) fn new(wake: Box<dyn Wake>) -> Self {
        Self { word: CachePadded::new(AtomicU32::new(RUN)), wake }
    }

    /// Makes sure that the owner looks again after what the caller did before this call.
    pub(crate) fn ring(&self) {
        if !broken("producer without fence") {
            // Pairs with the fence in `announce_unless`.
            fence(Ordering::SeqCst);
        }
        if self.word.load(Ordering::Relaxed) == PARKED && self.leave_parked() {
            self.wake.wake();
        }
    }

    /// Announces that the owner goes to sleep, then looks once more. True: the announcement stands,
    /// and whoever rings from now on wakes the owner. False: there is work, and the owner runs on.
    pub(crate) fn announce_unless(&self, has_work: impl FnOnce() -> bool) -> bool {
        // Release, so that whoever leaves PARKED sees what the owner did before.
        self.word.swap(PARKED, Ordering::AcqRel);
        if !broken("owner without fence") {
            // Pairs with the fence in `ring`.
            fence(Ordering::SeqCst);
        }
        if !broken("no second look") && has_work() {
            self.retract();
            return false;
        }
        true
    }

    /// Whether an announcement still stands, so that the owner may sleep on.
    pub(crate) fn is_parked(&self) -> bool {
        // Pairs with the release of the producer that left PARKED.
        self.word.load(Ordering::Acquire) == PARKED
    }

    /// The owner runs again, whatever woke it.
    pub(crate) fn retract(&self) {
        // If a producer was faster, its wake is on its way and will end a later sleep for nothing.
        self.leave_parked();
    }

    fn leave_parked(&self) -> bool {
        self.word.compare_exchange(PARKED, RUN, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

impl std::fmt::Debug for Doorbell {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Doorbell").finish_non_exhaustive()
    }
}
