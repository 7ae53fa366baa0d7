//! How does one shard run what it is asked?

use crate::accounting::{Accounting, Counted};
use crate::config::{Config, DATABASES, GROUP};
use crate::contents::Contents;
use crate::context::Context;
use crate::databases::Databases;
use crate::error::CommandError;
use crate::keyspace::Keyspace;
use crate::random::Random;
use crate::reply::ReplySink;
use crate::request::Request;
use crate::table::{Hint, Key};

/// One shard's data. Whoever owns it hands in requests, and the time before them.
#[derive(Debug)]
pub struct Store {
    config: Config,
    random: Random,
    now_ms: u64,
    databases: Databases,
    has_chores: bool,
    /// How often commands that write, and such that only read, have not found a key, and found one.
    lookups: [[u64; 2]; 2],
}

impl Store {
    /// A store that holds nothing, at time 0.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let databases = Databases::new(&config.hasher);
        Self {
            random: Random::with_seed(config.random_seed),
            config,
            now_ms: 0,
            databases,
            has_chores: false,
            lookups: [[0; 2]; 2],
        }
    }

    /// Says what time it is, in milliseconds since 1970. Time does not go back: an earlier time than
    /// the last is ignored.
    pub fn set_now(&mut self, now_ms: u64) {
        self.now_ms = self.now_ms.max(now_ms);
    }

    /// Lets hashes be a `hashtable` to `OBJECT ENCODING` from now on if they have more fields than
    /// `entries`, or hold a field or value of more than `value_bytes`. As in Redis, a hash is measured
    /// when fields are set, and one that is a `hashtable` stays one.
    pub fn set_encoding_limits(&mut self, entries: usize, value_bytes: usize) {
        self.config.hash_max_listpack_entries = entries;
        self.config.hash_max_listpack_value = value_bytes;
    }

    /// Says whether keys and fields whose deadline has passed go by themselves from now on; if not,
    /// they go when somebody asks for them.
    pub fn set_active_expiry(&mut self, is_active: bool) {
        self.config.expires_actively = is_active;
    }

    /// Runs one request and writes its one reply. A reply that failed half way, or grew past the
    /// sink's bound, is taken back and an error written in its place; what the command changed until
    /// then stays.
    pub fn run(&mut self, request: &Request<'_>, sink: &mut dyn ReplySink) {
        if let Some(keyspace) = self.databases.get(usize::from(request.database)) {
            keyspace.prefetch_head(request.hash);
        }
        self.run_at(request, None, sink);
    }

    /// Runs up to [`GROUP`] requests in order, as [`run`](Self::run) would.
    pub fn run_group(&mut self, group: &[Request<'_>], sink: &mut dyn ReplySink) {
        debug_assert!(group.len() <= GROUP, "a group of {} requests", group.len());
        let mut hints = [None; GROUP];
        if group.len() > 1 {
            self.warm(group, &mut hints);
        }
        let flushes = self.databases.flushes();
        for (request, hint) in group.iter().zip(hints) {
            let hint = hint.filter(|_| self.databases.flushes() == flushes);
            self.run_at(request, hint, sink);
        }
    }

    fn run_at(&mut self, request: &Request<'_>, hint: Option<Hint>, sink: &mut dyn ReplySink) {
        let mark = sink.written();
        let mut result = self.execute(request, hint, sink);
        if result.is_ok() && sink.is_full() {
            result = Err(CommandError::ReplyTooLong);
        }
        if let Err(error) = result {
            sink.truncate(mark);
            sink.error(&error);
        }
        sink.end();
    }

    /// What a key holds, to be put elsewhere with [`put_contents`](Self::put_contents); `None` if
    /// there is no such key, or no such database.
    pub fn contents(&mut self, database: u8, key: &[u8]) -> Option<Contents> {
        let database = Some(usize::from(database)).filter(|&database| database < DATABASES)?;
        let hash = self.config.hasher.hash(key);
        Contents::read(&mut self.context(database, hash, false), Key::new(key, hash))
    }

    /// Puts contents in the place of whatever the key held.
    ///
    /// # Errors
    /// [`CommandError::OutOfMemory`]; what the key held may be gone then. And if there is no such
    /// database.
    pub fn put_contents(
        &mut self,
        database: u8,
        key: &[u8],
        contents: &Contents,
    ) -> Result<(), CommandError> {
        let database = usize::from(database);
        if database >= DATABASES {
            return Err(NO_SUCH_DATABASE);
        }
        let hash = self.config.hasher.hash(key);
        contents.write(&mut self.context(database, hash, false), Key::new(key, hash))
    }

    fn context(&mut self, database: usize, hash: u64, is_read: bool) -> Context<'_> {
        Context {
            databases: &mut self.databases,
            database,
            config: &self.config,
            random: &mut self.random,
            now_ms: self.now_ms,
            hash,
            hint: None,
            lookups: &mut self.lookups[usize::from(is_read)],
        }
    }

    /// Removes up to `budget` keys and fields whose deadline has passed and returns how many it
    /// removed: less than `budget` means that none is left. They go on access too; this is for those
    /// that nobody asks for.
    pub fn expire_some(&mut self, budget: usize) -> usize {
        let mut removed = 0;
        for keyspace in self.databases.iter_mut() {
            removed += keyspace.expire_some(budget - removed, self.now_ms);
        }
        removed
    }

    /// Does a bounded piece of what is to be done when nobody asks for anything: keys and fields
    /// whose deadline has passed go, memory that is scattered is gathered, and what is not needed
    /// goes back to the system. Some tens of microseconds. Says whether there is more to do now.
    pub fn tend(&mut self) -> bool {
        let has_expired =
            self.config.expires_actively && self.expire_some(TENDED_KEYS) >= TENDED_KEYS;
        let mut has_more = self.databases.release_some();
        for keyspace in self.databases.iter_mut() {
            has_more |= keyspace.tend(TENDED_BYTES);
        }
        self.has_chores = has_more || self.databases.iter().any(Keyspace::has_chores);
        has_expired || has_more
    }

    /// Whether there is something for [`tend`](Self::tend) or [`rest`](Self::rest) to do, as far as
    /// commands have left it; what expires is not in it.
    #[must_use]
    pub fn has_chores(&self) -> bool {
        self.has_chores
    }

    /// Does a longer piece of work that makes what comes later faster, if there is any: some hundred
    /// microseconds or more, so it is for an owner that would sleep otherwise. Says whether it did
    /// something.
    pub fn rest(&mut self) -> bool {
        let has_rested = self.databases.iter_mut().any(Keyspace::collapse_one);
        self.has_chores =
            self.databases.has_flushed() || self.databases.iter().any(Keyspace::has_chores);
        has_rested
    }

    /// The time from which [`expire_some`](Self::expire_some) may have something to remove: the
    /// millisecond after the earliest deadline, or before that.
    #[must_use]
    pub fn next_deadline_ms(&self) -> Option<u64> {
        let deadlines = self.databases.iter().filter_map(Keyspace::first_deadline);
        deadlines.min().map(|deadline_ms| deadline_ms.saturating_add(1))
    }

    /// The time from which [`tend`](Self::tend) may have something to remove.
    #[must_use]
    pub fn next_removal_ms(&self) -> Option<u64> {
        self.next_deadline_ms().filter(|_| self.config.expires_actively)
    }

    /// What the store holds and takes, in constant time.
    #[must_use]
    pub fn accounting(&self) -> Accounting {
        self.databases.accounting()
    }

    /// What one database holds and takes, in constant time.
    #[must_use]
    pub fn accounting_of(&self, database: u8) -> Accounting {
        self.databases
            .get(usize::from(database))
            .map_or_else(Accounting::default, Keyspace::accounting)
    }

    /// What was counted since the store was made.
    #[must_use]
    pub fn counted(&self) -> Counted {
        let [_, [misses, hits]] = self.lookups;
        Counted { hits, misses, ..self.databases.counted() }
    }

    /// Starts to read what the group will need, step by step for all of it, and notes where the
    /// records are. Alone, each command would wait for its slot and then for its record; so they wait
    /// side by side.
    fn warm(&self, group: &[Request<'_>], hints: &mut [Option<Hint>; GROUP]) {
        // Groups that speak of several databases are rare.
        let database = group[0].database;
        let Some(keyspace) = self.databases.get(usize::from(database)) else { return };
        for request in group {
            keyspace.prefetch_slot(request.hash);
        }
        for (request, hint) in group.iter().zip(hints.iter_mut()) {
            if request.database == database {
                *hint = keyspace.prefetch_record(request.hash);
            }
        }
        if keyspace.has_bodies() {
            hints.iter().flatten().for_each(|&hint| keyspace.prefetch_body(hint));
        }
    }

    fn execute(
        &mut self,
        request: &Request<'_>,
        hint: Option<Hint>,
        sink: &mut dyn ReplySink,
    ) -> Result<(), CommandError> {
        let database = usize::from(request.database);
        if database >= DATABASES {
            return Err(NO_SUCH_DATABASE);
        }
        let is_read = !request.command.flags.write;
        let mut context = Context { hint, ..self.context(database, request.hash, is_read) };
        let result = (request.command.run)(&mut context, request.args, sink);
        if request.command.flags.write
            && let Some(keyspace) = self.databases.get_mut(database)
        {
            // Who writes pays for what that leaves behind.
            keyspace.compact(COMPACTED_BYTES);
            self.has_chores |= keyspace.has_chores();
        }
        self.has_chores |= self.databases.has_flushed();
        result
    }
}

const NO_SUCH_DATABASE: CommandError = CommandError::text("ERR DB index is out of range");

/// How many keys and fields are removed in one turn because their deadline has passed.
const TENDED_KEYS: usize = if cfg!(feature = "tiny") { 2 } else { 64 };

/// How many bytes of long records are looked at in one turn, to gather those that live.
const TENDED_BYTES: usize = if cfg!(feature = "tiny") { 256 } else { 32 << 10 };

/// The same after each command that writes.
const COMPACTED_BYTES: usize = if cfg!(feature = "tiny") { 64 } else { 8 << 10 };
