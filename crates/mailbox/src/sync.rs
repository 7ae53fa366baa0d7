//! Which atomics, cells and threads does the protocol run on? The one door to them.
//!
//! Under `--cfg loom` they are loom's, so that what loom explores is the code that ships.

#[cfg(not(loom))]
pub(crate) use real::*;

#[cfg(loom)]
pub(crate) use modelled::*;

#[cfg(not(loom))]
mod real {
    pub(crate) use std::sync::Arc;
    pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
    pub(crate) use std::thread::{Thread, current};

    use crossbeam_utils::Backoff;
    use std::sync::LazyLock;
    use std::time::{Duration, Instant};

    /// Whether the one that is waited for can run meanwhile: on one core spinning only keeps it from
    /// going on.
    static SPINNING_HELPS: LazyLock<bool> =
        LazyLock::new(|| std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1));

    /// A sequentially consistent fence, directly after an exchange that has succeeded. On x86-64 the
    /// exchange's lock prefix has done all that the fence would do, so only the compiler is told.
    #[inline(always)]
    pub(crate) fn fence_after_exchange() {
        if cfg!(target_arch = "x86_64") {
            std::sync::atomic::compiler_fence(Ordering::SeqCst);
        } else {
            fence(Ordering::SeqCst);
        }
    }

    /// Counts the cores now. They are counted once, and a thread that is pinned would count one.
    pub(crate) fn count_cores() {
        LazyLock::force(&SPINNING_HELPS);
    }

    /// `UnsafeCell` with loom's way in.
    #[derive(Debug)]
    pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(std::cell::UnsafeCell::new(value))
        }

        pub(crate) fn with_mut<R>(&self, run: impl FnOnce(*mut T) -> R) -> R {
            run(self.0.get())
        }
    }

    /// Sleeps until unparked, until the deadline, or for no reason.
    pub(crate) fn park_until(deadline: Option<Instant>) {
        let Some(deadline) = deadline else { return std::thread::park() };
        std::thread::park_timeout(deadline.saturating_duration_since(Instant::now()));
    }

    /// Waits for another thread to go on: spinning, then letting others run for some hundred
    /// microseconds, then asleep in between.
    #[derive(Debug)]
    pub(crate) struct Patience {
        backoff: Backoff,
        yields_left: u32,
    }

    impl Patience {
        pub(crate) fn new() -> Self {
            Self { backoff: Backoff::new(), yields_left: 500 }
        }

        pub(crate) fn wait(&mut self) {
            if !self.backoff.is_completed() && *SPINNING_HELPS {
                self.backoff.snooze();
            } else if self.yields_left > 0 {
                self.yields_left -= 1;
                std::thread::yield_now();
            } else {
                std::thread::sleep(Duration::from_micros(100));
            }
        }
    }

    /// Looks a few microseconds long whether `done`, without sleeping. It looks at a steady pace: a
    /// backoff that doubles would notice an answer up to as late again as the wait has been.
    pub(crate) fn spin_until(mut done: impl FnMut() -> bool) -> bool {
        let spins = if *SPINNING_HELPS { SPINS } else { 0 };
        for round in 0..spins + YIELDS {
            if done() {
                return true;
            }
            if round < spins {
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
        done()
    }

    /// About three microseconds at some 25 ns each.
    const SPINS: u32 = 128;

    /// Then whoever else wants the core goes first; it may be the one that is waited for.
    const YIELDS: u32 = 8;

    /// Whether to break the protocol in this way: never, in the code that ships.
    #[inline(always)]
    pub(crate) const fn broken(_fault: &str) -> bool {
        false
    }
}

#[cfg(loom)]
mod modelled {
    pub(crate) use loom::cell::UnsafeCell;
    pub(crate) use loom::sync::Arc;
    pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
    pub(crate) use loom::thread::{Thread, current};

    use std::sync::OnceLock;
    use std::time::Instant;

    pub(crate) fn fence_after_exchange() {
        fence(Ordering::SeqCst);
    }

    /// In a model nobody spins.
    pub(crate) fn count_cores() {}

    /// Sleeps until unparked: time does not pass in a model.
    pub(crate) fn park_until(_deadline: Option<Instant>) {
        loom::thread::park();
    }

    /// Waits for another thread to go on.
    #[derive(Debug)]
    pub(crate) struct Patience;

    impl Patience {
        pub(crate) fn new() -> Self {
            Self
        }

        pub(crate) fn wait(&mut self) {
            loom::thread::yield_now();
        }
    }

    /// Looks once: a model explores every other moment anyway.
    pub(crate) fn spin_until(mut done: impl FnMut() -> bool) -> bool {
        done()
    }

    /// Whether to break the protocol in this way, so that a model can show that it would notice.
    pub(crate) fn broken(fault: &str) -> bool {
        static FAULT: OnceLock<Option<String>> = OnceLock::new();
        FAULT.get_or_init(|| std::env::var("HECTARE_MAILBOX_FAULT").ok()).as_deref() == Some(fault)
    }
}
