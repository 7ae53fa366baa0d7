//! How does an answer find the caller that waits for it?
//!
//! One place for one value, shared by the two sides of a call. It exists before the question is
//! sent, so an answer always has room.
//!
//! ```text
//!            the caller sleeps               the answer is there
//!   PENDING ───────────────────▶ WAITING ───────────────────────▶ DONE
//!      └────────────────────────────────────────────────────────────▲
//! ```
//!
//! # Ordering
//!
//! The answering side writes the value and swaps DONE in with release; whoever reads DONE with
//! acquire owns the value. The caller writes its name (its thread, or its task's waker) before it
//! moves to WAITING with release; the answering side's swap acquires it. All moves are read-modify-writes of one word, so one side
//! always sees the other, without a fence.

use crate::sync::{Arc, AtomicU32, Ordering, Thread, UnsafeCell, broken, current};
use crate::sync::{park_until, spin_until};
use std::task::{Poll, Waker};
use std::time::Instant;

const PENDING: u32 = 0;
const WAITING: u32 = 1;
const DONE: u32 = 2;

/// The caller's side. It is used again for call after call, and takes new memory only when the
/// other side of the last call has not let go yet.
///
/// Dropping it before the answer comes is fine: the answer is dropped too.
pub struct Answer<T> {
    place: Arc<Place<T>>,
    outstanding: bool,
}

/// The answering side of one call. Dropped without an answer, it tells the caller so.
pub struct Completion<T> {
    place: Arc<Place<T>>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitError {
    /// The other side was dropped without answering.
    Abandoned,
    /// The deadline has passed; the answer may still come, and can be waited for again.
    TimedOut,
}

struct Place<T> {
    state: AtomicU32,
    /// Written by the answering side before DONE, read by the caller after it.
    value: UnsafeCell<Option<T>>,
    /// Written by the caller while PENDING, read by the answering side after it found WAITING.
    caller: UnsafeCell<Option<Caller>>,
}

/// How the caller is told.
enum Caller {
    Thread(Thread),
    Task(Waker),
}

// SAFETY: both cells are reached by one side at a time, as the state says (see their comments), and
// the value crosses threads, so it must be `Send`.
unsafe impl<T: Send> Sync for Place<T> {}
// SAFETY: nothing here is tied to a thread: a `Thread` is a handle.
unsafe impl<T: Send> Send for Place<T> {}

impl<T: Send> Answer<T> {
    /// With no call outstanding.
    #[must_use]
    pub fn new() -> Self {
        Self { place: Place::new(), outstanding: false }
    }

    /// Starts a call: the other side goes along with the question.
    ///
    /// # Panics
    /// If a call is outstanding.
    pub fn issue(&mut self) -> Completion<T> {
        assert!(!self.outstanding, "an answer is waited for before the next call is issued");
        match Arc::get_mut(&mut self.place) {
            Some(place) => *place = Place::empty(),
            None => self.place = Place::new(),
        }
        self.outstanding = true;
        Completion { place: Arc::clone(&self.place) }
    }

    /// Waits for the answer: a few microseconds awake, then asleep. Without a deadline, as long as
    /// it takes.
    ///
    /// # Errors
    /// [`WaitError::Abandoned`] or [`WaitError::TimedOut`].
    ///
    /// # Panics
    /// If no call is outstanding.
    pub fn wait(&mut self, deadline: Option<Instant>) -> Result<T, WaitError> {
        assert!(self.outstanding, "a call is issued before its answer is waited for");
        if !spin_until(|| self.place.is_done()) {
            self.place.sleep_until_done(deadline)?;
        }
        self.take()
    }

    /// The answer if it is there already; `None` if it is not.
    ///
    /// # Errors
    /// [`WaitError::Abandoned`].
    ///
    /// # Panics
    /// If no call is outstanding.
    pub fn poll(&mut self) -> Option<Result<T, WaitError>> {
        assert!(self.outstanding, "a call is issued before its answer is asked for");
        self.place.is_done().then(|| self.take())
    }

    /// The answer, or a promise that `waker` will be woken when it is there. Only the waker of the
    /// last call counts.
    ///
    /// # Panics
    /// If no call is outstanding.
    pub fn poll_or_wake(&mut self, waker: &Waker) -> Poll<Result<T, WaitError>> {
        assert!(self.outstanding, "a call is issued before its answer is asked for");
        if self.place.is_done() || !self.place.leave(|| Caller::Task(waker.clone())) {
            return Poll::Ready(self.take());
        }
        Poll::Pending
    }

    fn take(&mut self) -> Result<T, WaitError> {
        self.outstanding = false;
        // SAFETY: DONE was read with acquire, and after it the answering side does not touch the
        // value again.
        let value = self.place.value.with_mut(|value| unsafe { (*value).take() });
        value.ok_or(WaitError::Abandoned)
    }
}

impl<T: Send> Completion<T> {
    /// Answers. The caller runs again if it sleeps.
    pub fn complete(self, value: T) {
        // SAFETY: the state is not DONE, since only we set it, so the caller does not read this.
        self.place.value.with_mut(|place| unsafe { *place = Some(value) });
        // Dropping says that it is there.
    }
}

impl<T> Drop for Completion<T> {
    fn drop(&mut self) {
        if broken("dropped without a word") {
            return;
        }
        self.place.finish();
    }
}

impl<T> Place<T> {
    fn new() -> Arc<Self> {
        Arc::new(Self::empty())
    }

    fn empty() -> Self {
        Self {
            state: AtomicU32::new(PENDING),
            value: UnsafeCell::new(None),
            caller: UnsafeCell::new(None),
        }
    }

    fn is_done(&self) -> bool {
        // Pairs with the release in `finish`.
        self.state.load(Ordering::Acquire) == DONE
    }

    fn finish(&self) {
        let order =
            if broken("done without release") { Ordering::Relaxed } else { Ordering::AcqRel };
        let before = self.state.swap(DONE, order);
        if before == WAITING && !broken("done without waking") {
            // SAFETY: the caller wrote this before it released WAITING, which our swap acquired,
            // and it does not write it again: it saw, or will see, DONE.
            let caller = self.caller.with_mut(|caller| unsafe { (*caller).take() });
            match caller.expect("a waiting caller has left its name") {
                Caller::Thread(thread) => thread.unpark(),
                Caller::Task(waker) => waker.wake(),
            }
        }
    }

    fn sleep_until_done(&self, deadline: Option<Instant>) -> Result<(), WaitError> {
        if !self.leave(|| Caller::Thread(current())) {
            return Ok(());
        }
        while !self.is_done() {
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return self.give_up_waiting();
            }
            park_until(deadline);
        }
        Ok(())
    }

    /// For the caller: leaves its name, in the place of one that it had left before. False: the
    /// answer is there.
    fn leave(&self, caller: impl FnOnce() -> Caller) -> bool {
        if self.state.load(Ordering::Relaxed) == WAITING && self.give_up_waiting().is_ok() {
            return false;
        }
        if self.is_done() {
            return false;
        }
        // SAFETY: the state is PENDING or DONE; the answering side reads this only after WAITING,
        // which the caller alone sets, below.
        self.caller.with_mut(|place| unsafe { *place = Some(caller()) });
        self.state.compare_exchange(PENDING, WAITING, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Back to PENDING, unless the answer came at this very moment.
    fn give_up_waiting(&self) -> Result<(), WaitError> {
        let given_up =
            self.state.compare_exchange(WAITING, PENDING, Ordering::AcqRel, Ordering::Acquire);
        if given_up.is_ok() { Err(WaitError::TimedOut) } else { Ok(()) }
    }
}

impl<T: Send> Default for Answer<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> std::fmt::Debug for Answer<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Answer")
            .field("outstanding", &self.outstanding)
            .finish_non_exhaustive()
    }
}

impl<T> std::fmt::Debug for Completion<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Completion").finish_non_exhaustive()
    }
}

impl std::fmt::Display for WaitError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Abandoned => "the call was dropped without an answer",
            Self::TimedOut => "no answer came before the deadline",
        })
    }
}

impl std::error::Error for WaitError {}
