//! What time is it, for deadlines and for sleeping until one?

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// One moment, as the wall shows it and as sleeping measures it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) unix_ms: u64,
    instant: Instant,
}

/// Milliseconds since 1970.
pub(crate) fn unix_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

impl Moment {
    pub(crate) fn now() -> Self {
        Self { unix_ms: unix_ms(), instant: Instant::now() }
    }

    /// When the wall will show `unix_ms`, but at most an hour from this moment: the wall's clock
    /// may be set, and an hour is a harmless wake-up.
    pub(crate) fn instant_of(self, unix_ms: u64) -> Instant {
        let away = Duration::from_millis(unix_ms.saturating_sub(self.unix_ms));
        self.instant + away.min(Duration::from_secs(3600))
    }
}
