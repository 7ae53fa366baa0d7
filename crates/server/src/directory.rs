//! Who is connected, as other clients see it?
//!
//! Each connection has a card. Its thread keeps the figures on it, once a burst; any thread reads
//! them for `CLIENT LIST`.
//!
//! # Ordering
//!
//! Figures and flags are relaxed: each stands for itself. The lock is taken when a client comes or
//! goes, and by commands about clients.

use hectare_resp::Protocol;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::rows::{self, RowNumber};

/// What is known about one client.
#[derive(Debug)]
pub(crate) struct Card {
    pub(crate) id: u64,
    /// Which thread it belongs to, and which of its connections it is.
    pub(crate) thread: usize,
    pub(crate) connection: usize,
    pub(crate) descriptor: i32,
    pub(crate) peer: Box<str>,
    pub(crate) local: Box<str>,
    pub(crate) is_unix: bool,
    /// In milliseconds since 1970.
    pub(crate) since_ms: u64,
    words: Mutex<Words>,
    pub(crate) last_ms: AtomicU64,
    pub(crate) database: AtomicU8,
    is_resp3: AtomicBool,
    pub(crate) commands: AtomicU64,
    pub(crate) received_bytes: AtomicU64,
    pub(crate) sent_bytes: AtomicU64,
    pub(crate) input_bytes: AtomicUsize,
    pub(crate) output_bytes: AtomicUsize,
    pub(crate) row: AtomicUsize,
    pub(crate) is_killed: AtomicBool,
    pub(crate) is_kept: AtomicBool,
    pub(crate) is_untouching: AtomicBool,
    pub(crate) is_suspended: AtomicBool,
}

/// What a client says of itself.
#[derive(Debug, Default)]
struct Words {
    name: Box<str>,
    library: Box<str>,
    version: Box<str>,
}

/// Which of its words a client says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Word {
    Name,
    Library,
    Version,
}

/// All clients, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    cards: Mutex<BTreeMap<u64, Arc<Card>>>,
}

/// What a new card says.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: u64,
    pub(crate) thread: usize,
    pub(crate) connection: usize,
    pub(crate) descriptor: i32,
    pub(crate) peer: Box<str>,
    pub(crate) local: Box<str>,
    pub(crate) is_unix: bool,
    pub(crate) now_ms: u64,
}

impl Card {
    fn new(entry: Entry) -> Self {
        Self {
            id: entry.id,
            thread: entry.thread,
            connection: entry.connection,
            descriptor: entry.descriptor,
            peer: entry.peer,
            local: entry.local,
            is_unix: entry.is_unix,
            since_ms: entry.now_ms,
            words: Mutex::default(),
            last_ms: AtomicU64::new(entry.now_ms),
            database: AtomicU8::new(0),
            is_resp3: AtomicBool::new(false),
            commands: AtomicU64::new(0),
            received_bytes: AtomicU64::new(0),
            sent_bytes: AtomicU64::new(0),
            input_bytes: AtomicUsize::new(0),
            output_bytes: AtomicUsize::new(0),
            row: AtomicUsize::new(RowNumber::NONE),
            is_killed: AtomicBool::new(false),
            is_kept: AtomicBool::new(false),
            is_untouching: AtomicBool::new(false),
            is_suspended: AtomicBool::new(false),
        }
    }

    pub(crate) fn set_protocol(&self, protocol: Protocol) {
        self.is_resp3.store(protocol == Protocol::Resp3, Ordering::Relaxed);
    }

    fn words(&self) -> MutexGuard<'_, Words> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn say(&self, word: Word, text: &str) {
        let mut words = self.words();
        let place = match word {
            Word::Name => &mut words.name,
            Word::Library => &mut words.library,
            Word::Version => &mut words.version,
        };
        *place = text.into();
    }

    pub(crate) fn name(&self) -> Box<str> {
        self.words().name.clone()
    }

    /// Its line in `CLIENT LIST`, with a line end.
    pub(crate) fn write_line(&self, now_ms: u64, out: &mut String) {
        let now_or = |ms: u64| now_ms.saturating_sub(ms) / 1000;
        let number = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        let bytes = |figure: &AtomicUsize| figure.load(Ordering::Relaxed);
        let is = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        let words = self.words();
        let output_bytes = bytes(&self.output_bytes);
        let written = write!(
            out,
            "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub=0 psub=0 ssub=0 \
             multi=-1 watch=0 qbuf={} qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl={} oll=0 \
             omem={} tot-mem={} events={} cmd={} user=default redir=-1 resp={} lib-name={} lib-ver={} \
             io-thread={} tot-net-in={} tot-net-out={} tot-cmds={}\n",
            self.id,
            self.peer,
            self.local,
            self.descriptor,
            words.name,
            now_or(self.since_ms),
            now_or(number(&self.last_ms)),
            self.flags(),
            self.database.load(Ordering::Relaxed),
            bytes(&self.input_bytes),
            output_bytes,
            output_bytes,
            size_of::<Self>() + bytes(&self.input_bytes) + output_bytes,
            if output_bytes > 0 { "rw" } else { "r" },
            rows::name(bytes(&self.row)).unwrap_or("NULL"),
            if is(&self.is_resp3) { 3 } else { 2 },
            words.library,
            words.version,
            self.thread,
            number(&self.received_bytes),
            number(&self.sent_bytes),
            number(&self.commands),
        );
        debug_assert!(written.is_ok(), "a String takes any text");
    }

    fn flags(&self) -> String {
        let flags = [
            (self.is_suspended.load(Ordering::Relaxed), 'b'),
            (self.is_killed.load(Ordering::Relaxed), 'A'),
            (self.is_unix, 'U'),
            (self.is_kept.load(Ordering::Relaxed), 'e'),
            (self.is_untouching.load(Ordering::Relaxed), 'T'),
        ];
        let flags: String = flags.iter().filter(|(is, _)| *is).map(|(_, flag)| *flag).collect();
        if flags.is_empty() { "N".to_owned() } else { flags }
    }
}

impl Directory {
    fn cards(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Card>>> {
        self.cards.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn enter(&self, entry: Entry) -> Arc<Card> {
        let card = Arc::new(Card::new(entry));
        self.cards().insert(card.id, Arc::clone(&card));
        card
    }

    pub(crate) fn leave(&self, id: u64) {
        self.cards().remove(&id);
    }

    /// Every card, in the order in which the clients came.
    pub(crate) fn all(&self) -> Vec<Arc<Card>> {
        self.cards().values().cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.cards().len()
    }
}
