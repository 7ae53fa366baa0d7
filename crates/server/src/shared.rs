//! What do all threads of a server share?
//!
//! # Ordering
//!
//! Flags and figures are relaxed, each stands for itself; who sets one that others have to act upon
//! rings their doors, whose ordering carries it. The count of threads that still have clients is the
//! exception: it is lowered with release and read with acquire, so that who finds it 0 knows that no
//! thread will send anything to a shard any more.

use crate::directory::Directory;
use crate::door::{Door, Letter};
use crate::log::{Level, Log};
use crate::pause::Pause;
use crate::settings::Settings;
use hectare_engine::EngineError;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// What all threads of a server share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) log: Log,
    pub(crate) doors: Vec<Arc<Door>>,
    pub(crate) directory: Directory,
    pub(crate) pause: Pause,
    pub(crate) start: Instant,
    pub(crate) start_ms: u64,
    /// The TCP port that clients come in by, 0 if there is none.
    pub(crate) port: u16,
    password: Mutex<Option<Box<str>>>,
    needs_password: AtomicBool,
    next_id: AtomicU64,
    pub(crate) clients_max: AtomicUsize,
    pub(crate) idle_timeout_s: AtomicU64,
    /// How many clients each thread has.
    pub(crate) clients: Vec<AtomicUsize>,
    is_stopping: AtomicBool,
    /// How many threads have clients, or may get some.
    pub(crate) serving: AtomicUsize,
    failure: Mutex<Option<EngineError>>,
    pub(crate) tally: Vec<Tally>,
}

/// What one thread has counted; it alone writes.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Tally {
    pub(crate) accepted: AtomicU64,
    pub(crate) rejected: AtomicU64,
    pub(crate) commands: AtomicU64,
    pub(crate) errors: AtomicU64,
    pub(crate) received_bytes: AtomicU64,
    pub(crate) sent_bytes: AtomicU64,
    pub(crate) reads: AtomicU64,
    pub(crate) writes: AtomicU64,
}

impl Tally {
    /// Adds to a figure that this thread alone writes.
    pub(crate) fn add(figure: &AtomicU64, more: u64) {
        figure.store(figure.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
    }
}

impl Shared {
    pub(crate) fn new(settings: Settings, log: Log, doors: Vec<Arc<Door>>, port: u16) -> Self {
        let threads = doors.len();
        Self {
            doors,
            log,
            port,
            directory: Directory::default(),
            pause: Pause::new(),
            start: Instant::now(),
            start_ms: unix_ms(),
            needs_password: AtomicBool::new(settings.password.is_some()),
            password: Mutex::new(settings.password.as_deref().map(Box::from)),
            next_id: AtomicU64::new(1),
            clients_max: AtomicUsize::new(settings.clients_max),
            idle_timeout_s: AtomicU64::new(settings.idle_timeout.as_secs()),
            clients: (0..threads).map(|_| AtomicUsize::new(0)).collect(),
            is_stopping: AtomicBool::new(false),
            serving: AtomicUsize::new(threads),
            failure: Mutex::new(None),
            tally: (0..threads).map(|_| Tally::default()).collect(),
            settings,
        }
    }

    pub(crate) fn next_client_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// How many clients there are.
    pub(crate) fn clients(&self) -> usize {
        self.clients.iter().map(|clients| clients.load(Ordering::Relaxed)).sum()
    }

    pub(crate) fn needs_password(&self) -> bool {
        self.needs_password.load(Ordering::Relaxed)
    }

    /// Whether this is the password. Without one, anything is.
    pub(crate) fn is_password(&self, given: &[u8]) -> bool {
        let password = self.password.lock().unwrap_or_else(PoisonError::into_inner);
        password.as_ref().is_none_or(|password| is_equal(password.as_bytes(), given))
    }

    /// Every thread looks at what has changed.
    pub(crate) fn call_all(&self) {
        self.doors.iter().for_each(|door| door.post(Letter::LookAround));
    }

    /// So many threads will not begin.
    pub(crate) fn count_out(&self, threads: usize) {
        self.serving.fetch_sub(threads, Ordering::AcqRel);
    }

    pub(crate) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
        self.call_all();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }

    /// Something that the server cannot go on after; the first one counts.
    pub(crate) fn fail(&self, error: EngineError) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.is_none() {
            self.log.say(Level::Warning, format!("{error}; the server stops"));
            *failure = Some(error);
            drop(failure);
            self.stop();
        }
    }

    pub(crate) fn failure(&self) -> Option<EngineError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Compares in a time that depends on the lengths alone.
fn is_equal(secret: &[u8], given: &[u8]) -> bool {
    let length = secret.len().max(given.len());
    let byte = |bytes: &[u8], index: usize| bytes.get(index).copied().unwrap_or_default();
    let differences = (0..length)
        .fold(0, |differences, index| differences | (byte(secret, index) ^ byte(given, index)));
    std::hint::black_box(differences) == 0 && secret.len() == given.len()
}

pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
