//! What do all threads of a server share?
//!
//! # Ordering
//!
//! Flags and figures are relaxed, each stands for itself; who sets one that others have to act upon
//! rings their doors, whose ordering carries it. The count of threads that still have clients is the
//! exception: it is lowered with release and read with acquire, so that who finds it 0 knows that no
//! thread will send anything to a shard any more.

use crate::commands::survey::resident_bytes;
use crate::counts::Counts;
use crate::directory::Directory;
use crate::door::{Door, Letter};
use crate::listener::Address;
use crate::live::Live;
use crate::log::{Level, Log};
use crate::pace::Pace;
use crate::parameters::Parameters;
use crate::pause::Pause;
use crate::settings::Settings;
use crate::wire::Wires;
use hectare_engine::EngineError;
use hectare_store::Counted;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// What all threads of a server share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) output_bytes_pause: usize,
    pub(crate) outputs_bytes_max: usize,
    parameters: Mutex<Parameters>,
    pub(crate) live: Live,
    wires: Wires,
    log: Log,
    pub(crate) doors: Vec<Arc<Door>>,
    pub(crate) directory: Directory,
    pub(crate) pause: Pause,
    pub(crate) start: Instant,
    pub(crate) start_ms: u64,
    /// The TCP port that clients come in by, 0 if there is none.
    pub(crate) port: u16,
    /// Where clients come in, as `INFO` has it.
    pub(crate) listeners: Vec<String>,
    /// What tells this start of the server from others: 40 hexadecimal digits.
    pub(crate) run_id: String,
    /// What the process had taken before there was data.
    pub(crate) startup_bytes: u64,
    peak_bytes: AtomicU64,
    next_id: AtomicU64,
    /// How many clients each thread has.
    pub(crate) clients: Vec<AtomicUsize>,
    is_stopping: AtomicBool,
    /// How many threads have clients, or may get some.
    serving: AtomicUsize,
    failure: Mutex<Option<EngineError>>,
    pub(crate) tally: Vec<Tally>,
    pub(crate) counts: Vec<Arc<Counts>>,
    /// What the engine had counted when all was last set to 0.
    counted: Mutex<Counted>,
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
    pub(crate) pace: Pace,
}

impl Tally {
    fn figures(&self) -> [&AtomicU64; 8] {
        let Self {
            accepted,
            rejected,
            commands,
            errors,
            received_bytes,
            sent_bytes,
            reads,
            writes,
            pace: _,
        } = self;
        [accepted, rejected, commands, errors, received_bytes, sent_bytes, reads, writes]
    }

    /// Adds to a figure that this thread alone writes.
    pub(crate) fn add(figure: &AtomicU64, more: u64) {
        figure.store(figure.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
    }
}

impl Shared {
    pub(crate) fn new(
        settings: Settings,
        log: Log,
        doors: Vec<Arc<Door>>,
        wires: Wires,
        addresses: &[Address],
    ) -> Self {
        let threads = doors.len();
        let port = addresses.iter().find_map(|address| match address {
            Address::Tcp(address) => Some(address.port()),
            Address::Unix(_) => None,
        });
        let startup_bytes = resident_bytes();
        Self {
            output_bytes_pause: settings.output_bytes_pause,
            outputs_bytes_max: settings.outputs_bytes_max,
            live: Live::new(&settings.parameters),
            parameters: Mutex::new(settings.parameters),
            wires,
            log,
            doors,
            port: port.unwrap_or_default(),
            listeners: addresses.iter().map(Address::line).collect(),
            run_id: run_id(),
            startup_bytes,
            peak_bytes: AtomicU64::new(startup_bytes),
            directory: Directory::default(),
            pause: Pause::new(),
            start: Instant::now(),
            start_ms: unix_ms(),
            next_id: AtomicU64::new(1),
            clients: (0..threads).map(|_| AtomicUsize::new(0)).collect(),
            is_stopping: AtomicBool::new(false),
            serving: AtomicUsize::new(threads),
            failure: Mutex::new(None),
            tally: (0..threads).map(|_| Tally::default()).collect(),
            counts: (0..threads).map(|_| Arc::new(Counts::new())).collect(),
            counted: Mutex::default(),
        }
    }

    /// The parameters as they are; held only while a command looks.
    pub(crate) fn parameters(&self) -> MutexGuard<'_, Parameters> {
        self.parameters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What CONFIG SET does, but for what the engine has to be told; says which parameters were set.
    pub(crate) fn change_parameters(&self, args: &[&[u8]]) -> Result<Vec<&'static str>, Vec<u8>> {
        let mut parameters = self.parameters();
        let changed = parameters.change(args)?;
        self.live.take(&parameters);
        self.wires.bound(&parameters);
        drop(parameters);
        // An idle timeout matters to threads that sleep.
        self.call_all();
        Ok(changed)
    }

    /// Says what happens, to whoever wants to hear it.
    pub(crate) fn say(&self, level: Level, text: impl AsRef<str>) {
        if self.live.logs(level) {
            self.log.say(level, text);
        }
    }

    /// The most memory that was ever used, now that so much is.
    pub(crate) fn peak(&self, used_bytes: u64) -> u64 {
        self.peak_bytes.fetch_max(used_bytes, Ordering::Relaxed).max(used_bytes)
    }

    /// What the engine has counted since all was last set to 0.
    pub(crate) fn counted(&self, by_now: Counted) -> Counted {
        by_now.since(*self.counted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts from 0 again; the engine goes on, from what it has counted by now. What a thread counts
    /// at the same moment may be lost or stay.
    pub(crate) fn reset_counts(&self, by_now: Counted) {
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner) = by_now;
        self.counts.iter().for_each(|counts| counts.reset());
        for tally in &self.tally {
            for figure in tally.figures() {
                figure.store(0, Ordering::Relaxed);
            }
            tally.pace.reset();
        }
    }

    pub(crate) fn next_client_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// How many clients there are.
    pub(crate) fn clients(&self) -> usize {
        self.clients.iter().map(|clients| clients.load(Ordering::Relaxed)).sum()
    }

    /// Every thread looks at what has changed.
    pub(crate) fn call_all(&self) {
        self.doors.iter().for_each(|door| door.post(Letter::LookAround));
    }

    /// A thread has no clients any more, and gets none. The last one says so to the others.
    pub(crate) fn leave(&self) {
        // Acquire and release: see above.
        if self.serving.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.call_all();
        }
    }

    /// Whether no thread has clients any more.
    pub(crate) fn is_left(&self) -> bool {
        self.serving.load(Ordering::Acquire) == 0
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
            self.say(Level::Warning, format!("{error}; the server stops"));
            *failure = Some(error);
            drop(failure);
            self.stop();
        }
    }

    pub(crate) fn failure(&self) -> Option<EngineError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Random digits, from the seed of the standard library's maps.
fn run_id() -> String {
    let random = RandomState::new();
    (0..3).map(|part: u8| format!("{:016x}", random.hash_one(part))).collect::<String>()[..40]
        .into()
}

pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
