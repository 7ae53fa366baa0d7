//! How much do all have together, roughly?

use crate::sync::{AtomicU64, Ordering};
use crossbeam_utils::CachePadded;

/// A sum to which many threads add, and which any may read. It orders nothing: what is read may be
/// late by what is being added at that moment.
#[derive(Debug)]
pub struct Gauge {
    sum: CachePadded<AtomicU64>,
}

impl Gauge {
    /// With nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self { sum: CachePadded::new(AtomicU64::new(0)) }
    }

    /// One share of the sum was `before` and is `now`.
    pub fn replace(&self, before: u64, now: u64) {
        // A difference below zero wraps, and so does the sum.
        self.sum.fetch_add(now.wrapping_sub(before), Ordering::Relaxed);
    }

    /// The sum.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.sum.load(Ordering::Relaxed)
    }
}

impl Default for Gauge {
    fn default() -> Self {
        Self::new()
    }
}
