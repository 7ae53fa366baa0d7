//! Who holds what a mailbox guards, and how is a sleeping owner called?
//!
//! The *owner word* says who may touch the guarded thing and take items:
//!
//! ```text
//!                 announce                     a borrower's compare-exchange
//!    RUN ───────────────────────▶ PARKED ──────────────────────────────▶ BORROWED
//!     ▲  ▲   a producer's            │  ▲                                 │     │
//!     │  └── compare-exchange, ──────┘  └───────── give back ─────────────┘     │
//!     │      which then wakes                                                   │
//!     └────────── hand over (work is left: the owner is woken), or give ────────┘
//!                 back while the owner waits for it (WANTED)
//!
//!    RUN + ASKED ──── the owner's next pause ────▶ GRANTED ──── who asked ────▶ BORROWED
//! ```
//!
//! | state | who may touch the guarded thing |
//! | --- | --- |
//! | RUN | the owner, or nobody until it has woken |
//! | PARKED | nobody |
//! | BORROWED, GRANTED | the thread whose compare-exchange made it so, or asked for it |
//! | GONE | nobody any more |
//!
//! # Ordering
//!
//! Each side writes one place and then looks at the other's: a producer fills a slot and looks at
//! the word; whoever leaves (the owner that announces, the borrower that gives back) writes the word
//! and looks at the slots. Release and acquire alone let both look too early (each store still in
//! its own core's buffer), so both have a sequentially consistent fence in between; then at least
//! one of them sees the other. That is either the producer, which calls the owner or borrows, or
//! the one who leaves, who comes back.
//!
//! Every write of the word is a read-modify-write, and every move out of PARKED a compare-exchange:
//! a blind write could undo a ring that fell between announcement and sleep, or let two in. Moves
//! are acquire and release, so that whoever comes in sees all that was done before.

use crate::sync::{AtomicU32, Ordering, Patience, broken, fence, fence_after_exchange};
use crate::wake::Wake;
use crossbeam_utils::CachePadded;
use std::time::Instant;

const RUN: u32 = 0;
const PARKED: u32 = 1;
const BORROWED: u32 = 2;
const GRANTED: u32 = 3;
const GONE: u32 = 4;
/// With BORROWED: the owner waits for it.
const WANTED: u32 = 8;
/// With RUN: somebody waits for the owner's next pause.
const ASKED: u32 = 16;

pub(crate) struct Doorbell {
    word: CachePadded<AtomicU32>,
    /// Whether the owner has stepped aside: it is awake then, but in something of others. Written by the
    /// owner before it leaves and after it is back, so whoever is in between sees it as it is.
    is_aside: AtomicU32,
    wake: Box<dyn Wake>,
}

/// Why something could not be borrowed by waiting for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The deadline passed first.
    TimedOut,
    /// The owner is gone.
    Gone,
}

impl Doorbell {
    /// A doorbell whose owner is running.
    pub(crate) fn new(wake: Box<dyn Wake>) -> Self {
        let (word, is_aside) = (CachePadded::new(AtomicU32::new(RUN)), AtomicU32::new(0));
        Self { word, is_aside, wake }
    }

    /// For a producer: makes sure that somebody looks at the ring after what the producer did before
    /// this call.
    pub(crate) fn ring(&self) {
        if self.is_parked_after_fence() && self.exchange(PARKED, RUN) {
            self.wake.wake();
        }
    }

    /// Like [`ring`](Self::ring), but where the owner would be woken the producer itself becomes a
    /// borrower (true), and must look at the ring.
    pub(crate) fn ring_or_borrow(&self) -> bool {
        self.is_parked_after_fence() && self.exchange(PARKED, BORROWED)
    }

    fn is_parked_after_fence(&self) -> bool {
        if !broken("producer without fence") {
            // Pairs with the fences in `announce_unless` and `give_back`.
            fence(Ordering::SeqCst);
        }
        self.word.load(Ordering::Relaxed) == PARKED
    }

    /// For the owner, who holds: goes to sleep, then looks once more. True: whoever rings from now
    /// on wakes the owner, or somebody has borrowed meanwhile and will look. False: there is work,
    /// and the owner still holds.
    pub(crate) fn announce_unless(&self, has_work: impl FnOnce() -> bool) -> bool {
        if self.leave() == GRANTED {
            // Who asked looks at the ring when it gives back.
            return true;
        }
        if !broken("owner without fence") {
            // Pairs with the fence in `is_parked_after_fence`.
            fence(Ordering::SeqCst);
        }
        if broken("no second look") || !has_work() {
            return true;
        }
        if self.exchange(PARKED, RUN) {
            return false;
        }
        // Either a producer has rung, and the owner holds again, or a borrower is in, who looks at
        // the ring when it gives back.
        !self.is_run()
    }

    /// For the owner, who holds: leaves, to whoever asked or to whoever comes.
    pub(crate) fn leave(&self) -> u32 {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            let is_asked = word & ASKED != 0 && !broken("asked and not granted");
            let next = if is_asked { GRANTED } else { PARKED };
            // Release, so that whoever comes in sees what the owner did.
            let moved = self.word.compare_exchange(word, next, Ordering::AcqRel, Ordering::Relaxed);
            match moved {
                Ok(_) => return next,
                Err(now) => word = now,
            }
        }
    }

    /// For the owner, who holds: whether somebody has asked it to lend.
    pub(crate) fn is_asked(&self) -> bool {
        // It carries no data: the exchange in `leave` does.
        self.word.load(Ordering::Relaxed) & ASKED != 0
    }

    /// Whether the owner may not sleep on: it was rung for, or handed the work.
    pub(crate) fn is_run(&self) -> bool {
        // Pairs with the release of whoever wrote RUN.
        self.word.load(Ordering::Acquire) & !ASKED == RUN
    }

    /// For the owner, awake for whatever reason: holds again, after waiting for a borrower if there
    /// is one.
    pub(crate) fn take_back(&self) {
        let mut patience = Patience::new();
        loop {
            // Acquire: pairs with the release of whoever wrote RUN.
            let word = self.word.load(Ordering::Acquire);
            match word {
                PARKED => {
                    if self.exchange(PARKED, RUN) {
                        return;
                    }
                }
                BORROWED => {
                    self.exchange(BORROWED, BORROWED | WANTED);
                    patience.wait();
                }
                _ if word & !ASKED == RUN => return,
                _ => patience.wait(),
            }
        }
    }

    /// Comes in if nobody is in.
    pub(crate) fn try_borrow(&self) -> bool {
        if broken("a borrower that does not compare") {
            if self.word.load(Ordering::Relaxed) == PARKED {
                self.word.swap(BORROWED, Ordering::AcqRel);
                return true;
            }
            return false;
        }
        // Looking first keeps the line shared while somebody is in.
        self.word.load(Ordering::Relaxed) == PARKED && self.exchange(PARKED, BORROWED)
    }

    /// Whether a borrower is in that will be out soon: a hint.
    pub(crate) fn is_borrowed(&self) -> bool {
        // It carries no data: the exchange in `try_borrow` does.
        self.word.load(Ordering::Relaxed) == BORROWED
    }

    /// Comes in as soon as it can be, asking a running owner to lend at its next pause.
    pub(crate) fn borrow_before(&self, deadline: Option<Instant>) -> Result<(), Refusal> {
        let mut patience = Patience::new();
        loop {
            let word = self.word.load(Ordering::Relaxed);
            let moved = match word {
                PARKED if self.exchange(PARKED, BORROWED) => return Ok(()),
                GONE => return Err(Refusal::Gone),
                RUN => self.exchange(RUN, RUN | ASKED),
                _ => false,
            };
            if moved {
                return self.await_grant(deadline, &mut patience);
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Err(Refusal::TimedOut);
            }
            patience.wait();
        }
    }

    /// For the one who set ASKED: while that stands, nobody else can be granted.
    fn await_grant(
        &self,
        deadline: Option<Instant>,
        patience: &mut Patience,
    ) -> Result<(), Refusal> {
        loop {
            match self.word.load(Ordering::Relaxed) {
                GRANTED => {
                    let came_in = self.exchange(GRANTED, BORROWED);
                    debug_assert!(came_in, "only the one who asked leaves GRANTED");
                    return Ok(());
                }
                GONE => return Err(Refusal::Gone),
                _ => {
                    let late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
                    if late && self.exchange(RUN | ASKED, RUN) {
                        return Err(Refusal::TimedOut);
                    }
                    patience.wait();
                }
            }
        }
    }

    /// For a borrower: leaves, then looks once more. True: there is work, and it has borrowed again.
    pub(crate) fn give_back(&self, has_work: impl FnOnce() -> bool) -> bool {
        if !self.exchange(BORROWED, PARKED) {
            // The owner waits for it, awake, and looks at the ring itself.
            self.word.swap(RUN, Ordering::AcqRel);
            return false;
        }
        if !broken("borrower without fence") {
            // Pairs with the fence in `is_parked_after_fence`.
            fence_after_exchange();
        }
        !broken("no second look by a borrower") && has_work() && self.try_borrow()
    }

    /// For the owner, who holds: says whether it is about to step aside, or is back.
    pub(crate) fn set_aside(&self, is_aside: bool) {
        // Relaxed: the moves of the word before and after order it.
        self.is_aside.store(u32::from(is_aside), Ordering::Relaxed);
    }

    /// For a borrower: leaves work to the owner, and wakes it.
    pub(crate) fn hand_over(&self) {
        // An owner that stepped aside needs no call: it looks at what is left when it is back. Until
        // then others must be able to come in, and itself, for what it waits for.
        if self.is_aside.load(Ordering::Relaxed) != 0 && self.exchange(BORROWED, PARKED) {
            return;
        }
        self.word.swap(RUN, Ordering::AcqRel);
        if !broken("handed over without waking") {
            self.wake.wake();
        }
    }

    /// For the owner, who holds: nobody comes in any more.
    pub(crate) fn go(&self) {
        self.word.swap(GONE, Ordering::AcqRel);
    }

    fn exchange(&self, from: u32, to: u32) -> bool {
        self.word.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

impl std::fmt::Debug for Doorbell {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Doorbell").finish_non_exhaustive()
    }
}
