//! How much does a thread do in a second, lately?
//!
//! A busy thread looks at its figures once a second. One that sleeps does not wake up for it; whoever
//! asks then sees what it has done since.
//!
//! # Ordering
//!
//! Relaxed: who reads while the thread looks may mix two seconds.

use crate::shared::Tally;
use std::array;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is known of the last second of a thread: commands, bytes received and bytes sent.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    since_ms: AtomicU64,
    counted: [AtomicU64; 3],
    per_s: [AtomicU64; 3],
}

/// After so long without a look the thread sleeps.
const STALE_MS: u64 = 2000;

impl Pace {
    /// Looks at the figures now, about a second after the last time.
    pub(crate) fn look(&self, tally: &Tally, now_ms: u64) {
        let per_s = self.since(tally, now_ms);
        for (place, figure) in self.per_s.iter().zip(per_s) {
            place.store(figure, Ordering::Relaxed);
        }
        for (place, figure) in self.counted.iter().zip(figures(tally)) {
            place.store(figure, Ordering::Relaxed);
        }
        self.since_ms.store(now_ms, Ordering::Relaxed);
    }

    /// Commands, bytes received and bytes sent a second.
    pub(crate) fn per_s(&self, tally: &Tally, now_ms: u64) -> [u64; 3] {
        if now_ms.saturating_sub(self.since_ms.load(Ordering::Relaxed)) > STALE_MS {
            return self.since(tally, now_ms);
        }
        array::from_fn(|index| self.per_s[index].load(Ordering::Relaxed))
    }

    /// The same, since the last look.
    fn since(&self, tally: &Tally, now_ms: u64) -> [u64; 3] {
        let length_ms = now_ms.saturating_sub(self.since_ms.load(Ordering::Relaxed)).max(1);
        let now = figures(tally);
        array::from_fn(|index| {
            // Figures may have been reset.
            let more = now[index].saturating_sub(self.counted[index].load(Ordering::Relaxed));
            more.saturating_mul(1000) / length_ms
        })
    }

    pub(crate) fn reset(&self) {
        for figure in self.counted.iter().chain(&self.per_s) {
            figure.store(0, Ordering::Relaxed);
        }
    }
}

fn figures(tally: &Tally) -> [u64; 3] {
    [&tally.commands, &tally.received_bytes, &tally.sent_bytes]
        .map(|figure| figure.load(Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_works_says_its_last_second_and_one_that_sleeps_all_since() {
        let (pace, tally) = (Pace::default(), Tally::default());
        pace.look(&tally, 10_000);
        Tally::add(&tally.commands, 500);
        pace.look(&tally, 11_000);
        Tally::add(&tally.commands, 7);
        assert_eq!(pace.per_s(&tally, 11_900), [500, 0, 0]);
        assert_eq!(pace.per_s(&tally, 14_500), [2, 0, 0]);
        tally.commands.store(0, Ordering::Relaxed);
        assert_eq!(pace.per_s(&tally, 14_500), [0, 0, 0]);
    }
}
