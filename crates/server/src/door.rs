//! How is a thread called while it sleeps in epoll?
//!
//! Each thread has a door. Who has something for it leaves a letter, or marks a connection whose
//! answers have come, and rings; the thread opens the door once a round.
//!
//! # Ordering
//!
//! A caller writes in the order mark, summary, `has_calls`, each with release; the thread reads in the
//! opposite order with acquire, so what it misses is behind a `has_calls` that it will see. Going to
//! sleep and ringing are the two sides of Dekker's: each writes its own word (`is_asleep`,
//! `has_calls`), passes a sequentially consistent fence, and then looks at the other's; with anything
//! less both could miss the other.

use crate::socket::Socket;
use hectare_engine::{EventWake, Wake};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError};
use std::task;

/// How many connections a thread can have: each has a mark.
pub(crate) const CONNECTIONS_MAX: usize = WORDS * 64;

const WORDS: usize = 1024;
const SUMMARY_WORDS: usize = WORDS / 64;

/// What one thread tells another.
#[derive(Debug)]
pub(crate) enum Letter {
    /// A client that was accepted.
    Client(Socket),
    /// A client is to be disconnected, if it is still the one with this number.
    Kill { connection: usize, id: u64 },
    /// What a pause, a setting or the end of it all means has to be looked at again.
    LookAround,
}

/// The door of one thread.
#[derive(Debug)]
pub(crate) struct Door {
    wake: EventWake,
    is_asleep: AtomicBool,
    has_calls: AtomicBool,
    letters: Mutex<Vec<Letter>>,
    summary: [AtomicU64; SUMMARY_WORDS],
    marks: Box<[AtomicU64]>,
}

impl Door {
    pub(crate) fn new(wake: EventWake) -> Self {
        Self {
            wake,
            is_asleep: AtomicBool::new(false),
            has_calls: AtomicBool::new(false),
            letters: Mutex::default(),
            summary: [const { AtomicU64::new(0) }; SUMMARY_WORDS],
            marks: (0..WORDS).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Leaves a letter.
    pub(crate) fn post(&self, letter: Letter) {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner).push(letter);
        self.ring();
    }

    /// Marks a connection.
    fn mark(&self, connection: usize) {
        let word = connection / 64 % WORDS;
        self.marks[word].fetch_or(1 << (connection % 64), Ordering::Release);
        self.summary[word / 64].fetch_or(1 << (word % 64), Ordering::Release);
        self.ring();
    }

    fn ring(&self) {
        self.has_calls.store(true, Ordering::Release);
        fence(Ordering::SeqCst);
        // Acquire and release: of several who ring, one finds it asleep, and it is awake for the
        // others.
        if self.is_asleep.load(Ordering::Relaxed) && self.is_asleep.swap(false, Ordering::AcqRel) {
            self.wake.wake();
        }
    }

    /// The thread is about to sleep. False: somebody has called, so it must not.
    pub(crate) fn announce_sleep(&self) -> bool {
        self.is_asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let may_sleep = !self.has_calls.load(Ordering::Relaxed);
        if !may_sleep {
            self.wake_up();
        }
        may_sleep
    }

    /// The thread is awake.
    pub(crate) fn wake_up(&self) {
        // Relaxed: who still finds it asleep wakes it once for nothing.
        self.is_asleep.store(false, Ordering::Relaxed);
    }

    /// Takes the letters, and calls `marked` with each connection that was marked.
    pub(crate) fn open(&self, letters: &mut Vec<Letter>, mut marked: impl FnMut(usize)) {
        if !self.has_calls.load(Ordering::Relaxed) || !self.has_calls.swap(false, Ordering::Acquire)
        {
            return;
        }
        letters.append(&mut self.letters.lock().unwrap_or_else(PoisonError::into_inner));
        for (index, summary) in self.summary.iter().enumerate() {
            if summary.load(Ordering::Relaxed) == 0 {
                continue;
            }
            for word in ones(summary.swap(0, Ordering::Acquire)) {
                let word = index * 64 + word;
                for bit in ones(self.marks[word].swap(0, Ordering::Acquire)) {
                    marked(word * 64 + bit);
                }
            }
        }
    }
}

/// The places of the ones in a word.
fn ones(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = word.trailing_zeros() as usize;
        (word != 0).then(|| {
            word &= word - 1;
            place
        })
    })
}

/// The bell of one connection: what the engine rings when answers are there.
#[derive(Debug)]
pub(crate) struct Bell {
    pub(crate) door: Arc<Door>,
    pub(crate) connection: usize,
}

impl task::Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.door.mark(self.connection);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    fn opened(door: &Door) -> (usize, Vec<usize>) {
        let (mut letters, mut marked) = (Vec::new(), Vec::new());
        door.open(&mut letters, |connection| marked.push(connection));
        (letters.len(), marked)
    }

    #[test]
    fn every_mark_and_letter_is_found_once() {
        let door = Arc::new(Door::new(EventWake::new().expect("a descriptor is left")));
        for connection in [0, 63, 64, 5000, CONNECTIONS_MAX - 1, 64] {
            Waker::from(Arc::new(Bell { door: Arc::clone(&door), connection })).wake();
        }
        door.post(Letter::LookAround);
        assert_eq!(opened(&door), (1, vec![0, 63, 64, 5000, CONNECTIONS_MAX - 1]));
        assert_eq!(opened(&door), (0, vec![]));
    }

    #[test]
    fn nobody_sleeps_in_front_of_a_call() {
        let door = Door::new(EventWake::new().expect("a descriptor is left"));
        assert!(door.announce_sleep());
        door.wake_up();
        door.post(Letter::LookAround);
        assert!(!door.announce_sleep());
        opened(&door);
        assert!(door.announce_sleep());
    }
}
