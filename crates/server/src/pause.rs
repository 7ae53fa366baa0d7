//! Which commands wait because an operator wants a moment of quiet?
//!
//! # Ordering
//!
//! Both words are read and written relaxed: whoever changes them rings every thread's door
//! afterwards, and a command that was taken just before is a command before the pause.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What `CLIENT PAUSE` has arranged, for all clients.
#[derive(Debug)]
pub(crate) struct Pause {
    start: Instant,
    /// Milliseconds since `start`, twice, and one more if reads wait too; 0 if there is none.
    until: AtomicU64,
}

/// What waits at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paused {
    pub(crate) until: Instant,
    /// Whether every command waits, not only those that write.
    pub(crate) is_for_all: bool,
}

impl Pause {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), until: AtomicU64::new(0) }
    }

    /// Begins a pause, or changes the one that is: it never becomes shorter or weaker by that.
    pub(crate) fn begin(&self, now: Instant, length_ms: u64, is_for_all: bool) {
        let since_start = u64::try_from((now - self.start).as_millis()).unwrap_or(u64::MAX);
        let until = since_start.saturating_add(length_ms).min(u64::MAX >> 1);
        let before = self.until.load(Ordering::Relaxed);
        let is_on = before / 2 > since_start;
        let strength = u64::from(is_for_all) | if is_on { before & 1 } else { 0 };
        let until = if is_on { until.max(before / 2) } else { until };
        self.until.store(until * 2 | strength, Ordering::Relaxed);
    }

    pub(crate) fn end(&self) {
        self.until.store(0, Ordering::Relaxed);
    }

    pub(crate) fn at(&self, now: Instant) -> Option<Paused> {
        let word = self.until.load(Ordering::Relaxed);
        if word == 0 {
            return None;
        }
        // A pause of centuries ends when somebody says so.
        let until = Duration::from_millis(word / 2).min(Duration::from_secs(1 << 32));
        let until = self.start + until;
        (until > now).then_some(Paused { until, is_for_all: word & 1 == 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_never_becomes_shorter_or_weaker() {
        let pause = Pause::new();
        let now = pause.start + Duration::from_secs(1);
        assert_eq!(pause.at(now), None);
        pause.begin(now, 10_000, true);
        pause.begin(now, 5, false);
        let expected = Paused { until: now + Duration::from_secs(10), is_for_all: true };
        assert_eq!(pause.at(now), Some(expected));
        assert_eq!(pause.at(now + Duration::from_secs(10)), None);
        pause.begin(now + Duration::from_secs(11), u64::MAX, false);
        assert!(pause.at(now + Duration::from_secs(12)).is_some_and(|paused| !paused.is_for_all));
        pause.end();
        assert_eq!(pause.at(now), None);
    }
}
