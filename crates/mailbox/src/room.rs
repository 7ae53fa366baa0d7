//! How much may wait, and who is next when there is no room?
//!
//! Items are bounded by the ring; what they weigh (commands and bytes) is bounded here. Who finds no
//! room and wants to wait takes a ticket, and tickets are served in order:
//!
//! ```text
//!   serving ──▶ 5   6   7   8 ◀── next        place of ticket n: n mod PLACES
//!                   └ left: its place says so, and whoever serves 6 passes on to 7
//! ```
//!
//! # Ordering
//!
//! Tickets and weights carry no data, so they are relaxed; the ring carries the items. Only passing
//! a ticket on needs an order: who passes on writes `serving` and then exchanges the next one's
//! place; who leaves exchanges its place and then reads `serving`. The exchanges of the place are
//! acquire and release, so one of the two sees the other; the place names its ticket, so that it
//! cannot be taken for that of a later lap.

use crate::sync::{AtomicU64, Ordering, broken};
use crossbeam_utils::CachePadded;

/// How many can stand in line; who comes then waits until there is a place.
#[cfg(not(loom))]
const PLACES: u64 = 64;
#[cfg(loom)]
const PLACES: u64 = 2;

/// What a mailbox may hold.
pub struct Bounds<M> {
    /// How many items, rounded up to a power of two, at least 2.
    pub items: usize,
    /// How much all items may weigh together; one item alone may weigh more.
    pub weight: Weight,
    /// What an item weighs; `None` if only their number counts. It must weigh the same as long as it
    /// is in the mailbox.
    pub weigh: Option<fn(&M) -> Weight>,
}

/// How much work an item is, and how much memory it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight {
    /// How many commands.
    pub commands: u32,
    /// How many bytes, up to 4 TiB, counted by the KiB.
    pub bytes: u64,
}

impl<M> Bounds<M> {
    /// So many items, whatever they weigh.
    #[must_use]
    pub fn items(items: usize) -> Self {
        Self { items, weight: Weight { commands: u32::MAX, bytes: u64::MAX }, weigh: None }
    }
}

pub(crate) struct Room<M> {
    /// What is in the mailbox: commands × 2³² + KiB.
    load: CachePadded<AtomicU64>,
    limit: Weight,
    weigh: Option<fn(&M) -> Weight>,
    line: CachePadded<Line>,
}

struct Line {
    /// The next ticket to be taken.
    next: AtomicU64,
    /// The ticket whose turn it is, if it has been taken.
    serving: AtomicU64,
    /// A ticket plus one, if who had it left before its turn.
    left: Box<[AtomicU64]>,
}

/// A place in the line. Dropped, it is passed on.
pub(crate) struct Turn<'a> {
    line: &'a Line,
    ticket: u64,
}

const COMMAND: u64 = 1 << 32;

impl Weight {
    fn packed(self) -> u64 {
        let kib = self.bytes.div_ceil(1024).min(u64::from(u32::MAX));
        u64::from(self.commands) * COMMAND + kib
    }

    fn admits(self, packed: u64) -> bool {
        packed / COMMAND <= u64::from(self.commands)
            && packed % COMMAND <= self.bytes.div_ceil(1024)
    }
}

impl<M> Room<M> {
    pub(crate) fn new(bounds: &Bounds<M>) -> Self {
        let Bounds { weight, weigh, .. } = *bounds;
        let line = Line {
            next: AtomicU64::new(0),
            serving: AtomicU64::new(0),
            left: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
        };
        Self {
            load: CachePadded::new(AtomicU64::new(0)),
            limit: weight,
            weigh,
            line: CachePadded::new(line),
        }
    }

    /// Makes room for an item, and says how much to [`leave_weight`](Self::leave_weight) if it does
    /// not go in after all.
    pub(crate) fn enter(&self, item: &M) -> Option<u64> {
        let Some(weigh) = self.weigh else { return Some(0) };
        let weight = weigh(item).packed();
        let before = self.load.fetch_add(weight, Ordering::Relaxed);
        // What is heavier than all may be must be alone.
        if before != 0 && !self.limit.admits(before + weight) {
            self.leave_weight(weight);
            return None;
        }
        Some(weight)
    }

    pub(crate) fn leave_weight(&self, weight: u64) {
        if weight != 0 {
            self.load.fetch_sub(weight, Ordering::Relaxed);
        }
    }

    /// An item has been taken out.
    pub(crate) fn leave(&self, item: &M) {
        if let Some(weigh) = self.weigh {
            self.leave_weight(weigh(item).packed());
        }
    }

    /// Whether somebody stands in line, so that others must not push past.
    pub(crate) fn is_waited_for(&self) -> bool {
        let Line { next, serving, .. } = &*self.line;
        serving.load(Ordering::Relaxed) != next.load(Ordering::Relaxed)
    }

    /// A place at the end of the line, if there is one.
    pub(crate) fn line_up(&self) -> Option<Turn<'_>> {
        let line = &*self.line;
        let mut ticket = line.next.load(Ordering::Relaxed);
        loop {
            if ticket.wrapping_sub(line.serving.load(Ordering::Acquire)) >= PLACES {
                return None;
            }
            match line.next.compare_exchange_weak(
                ticket,
                ticket + 1,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(Turn { line, ticket }),
                Err(now) => ticket = now,
            }
        }
    }
}

impl Turn<'_> {
    /// Whether nobody waits before this one.
    pub(crate) fn is_first(&self) -> bool {
        self.line.serving.load(Ordering::Acquire) == self.ticket
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.is_first() {
            self.line.pass_on(self.ticket);
            return;
        }
        self.line.place(self.ticket).swap(self.ticket + 1, Ordering::AcqRel);
        // If it became its turn meanwhile, who served it may have looked too early.
        if self.is_first()
            && !broken("left without a second look")
            && self.line.was_left(self.ticket)
        {
            self.line.pass_on(self.ticket);
        }
    }
}

impl Line {
    /// Serves the next one that is still there. To be called by the one who is served.
    fn pass_on(&self, mut ticket: u64) {
        loop {
            ticket += 1;
            self.serving.swap(ticket, Ordering::AcqRel);
            if !self.was_left(ticket) {
                return;
            }
        }
    }

    /// Whether who had the ticket has left; true for one caller only.
    fn was_left(&self, ticket: u64) -> bool {
        // Written even if nothing changes: who leaves later must see what we wrote to `serving`.
        let place = self.place(ticket);
        loop {
            let now = place.load(Ordering::Relaxed);
            let next = if now == ticket + 1 { 0 } else { now };
            if place.compare_exchange(now, next, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                return now == ticket + 1;
            }
        }
    }

    fn place(&self, ticket: u64) -> &AtomicU64 {
        &self.left[(ticket % PLACES) as usize]
    }
}

impl<M> std::fmt::Debug for Bounds<M> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Bounds")
            .field("items", &self.items)
            .field("weight", &self.weight)
            .finish_non_exhaustive()
    }
}
