//! How does a caller use the engine?

use crate::asynchronous::AsyncClient;
use crate::clock::unix_ms;
use crate::core::{Core, Lost, MemoryLimit};
use crate::error::EngineError;
use crate::exchange::Exchange;
use crate::native::{Native, Reply};
use crate::pipeline::Pipeline;
use crate::plan::Destinations;
use crate::reach::{self, Visit, Way};
use crate::route::Route;
use crate::stats::Stats;
use crate::timeless::is_timeless;
use crate::wire::Wire;
use crossbeam_queue::ArrayQueue;
use hectare_mailbox::{BorrowError, Gauge, Sender};
use hectare_store::{Args, Command, DATABASES, KeyHasher, Request, Span};
use smallvec::SmallVec;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A handle on an engine that any thread can hold; clones are cheap.
///
/// Every call is sent to the shard of its key and waits for the answer. For more than a few calls,
/// a [`Pipeline`] costs a fraction: see [`pipeline`](Self::pipeline). What a typed method is called
/// is what Redis calls it, and it answers as Redis does.
///
/// ```
/// use hectare_engine::Engine;
///
/// let engine = Engine::builder().build()?;
/// let client = engine.client();
/// assert_eq!(client.hset("user:1", [("name", "Ada"), ("city", "Bath")])?, 2);
/// assert_eq!(client.hget("user:1", "name")?.as_deref(), Some(b"Ada".as_slice()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
    room_wait: Duration,
    database: u8,
}

/// What all clients of an engine share.
#[derive(Debug)]
pub(crate) struct Shared {
    ways: Box<[Way]>,
    hasher: KeyHasher,
    route: Route,
    /// What all shards take, as far as there is a limit to it.
    taken: Arc<Gauge>,
    /// Exchanges of single calls, to be used again.
    spare: ArrayQueue<Exchange>,
}

/// How long a caller waits at least for a shard to be lent.
const LEND_WAIT_MIN: Duration = Duration::from_millis(100);

/// A call with more bytes of arguments than this does not copy them twice.
const IN_PLACE_BYTES_MAX: usize = 64 << 10;

/// How many exchanges are kept for single calls: more threads than this calling at once make new
/// ones.
const SPARE_EXCHANGES: usize = 64;

impl Client {
    pub(crate) fn new(shared: Arc<Shared>, room_wait: Duration) -> Self {
        Self { shared, room_wait, database: 0 }
    }

    /// The same engine, seen as another of its 16 databases.
    ///
    /// # Panics
    /// If there is no such database.
    #[must_use]
    pub fn with_database(mut self, database: u8) -> Self {
        self.select(database);
        self
    }

    /// The same engine, with another time to wait for room in a full mailbox; with none, a call
    /// that meets a full mailbox fails at once with [`EngineError::Full`].
    #[must_use]
    pub fn with_room_wait(mut self, wait: Duration) -> Self {
        self.room_wait = wait;
        self
    }

    /// The same engine for a caller that would rather be told [`EngineError::Full`] than wait for
    /// room. (One type with a setting, so that there is one method for each command and not two.)
    #[must_use]
    pub fn trying(&self) -> Self {
        self.clone().with_room_wait(Duration::ZERO)
    }

    /// The same engine, whose calls are futures.
    #[must_use]
    pub fn asynchronous(&self) -> AsyncClient {
        AsyncClient::new(self.clone())
    }

    /// Many commands that go out together.
    #[must_use]
    pub fn pipeline(&self) -> Pipeline {
        self.pipeline_in(&Native)
    }

    /// Many commands that go out together, answered in another [`Wire`] form than the engine's.
    #[must_use]
    pub fn pipeline_in(&self, wire: &'static dyn Wire) -> Pipeline {
        Pipeline::new(self.clone(), wire)
    }

    /// How many shards the engine has.
    #[must_use]
    pub fn shards(&self) -> usize {
        self.shared.ways.len()
    }

    /// Runs one command that has one key, and reads its answer: in place if nobody is in the shard,
    /// else by way of its mailbox.
    pub(crate) fn call<R>(
        &self,
        command: &'static Command,
        args: &[&[u8]],
        read: impl FnOnce(Reply<'_>) -> R,
    ) -> Result<R, EngineError> {
        command.check_arguments(args.len())?;
        let hash = self.shared.hasher.hash(args[0]);
        let shard = self.shared.route.shard(hash);
        // The store's arguments are spans of one text. Copying some ten bytes into it costs less
        // than telling two forms of arguments apart would at every access.
        let mut bytes = SmallVec::<[u8; 256]>::new();
        let mut spans = SmallVec::<[Span; 16]>::new();
        if args.iter().map(|arg| arg.len()).sum::<usize>() > IN_PLACE_BYTES_MAX {
            return self.call_by_mail(shard, hash, command, args, read);
        }
        for arg in args {
            let start = offset(bytes.len());
            bytes.extend_from_slice(arg);
            spans.push(Span { start, end: offset(bytes.len()) });
        }
        let args_in_place = Args::new(&bytes, &spans);
        let request = Request { command, database: self.database, hash, args: args_in_place };
        let mut read = Some(read);
        let is_timeless = is_timeless(command);
        let visit = reach::visit(self.shared.ways[shard].borrow_soon(), is_timeless, |core| {
            if !is_timeless || core.next_deadline_ms().is_some() {
                core.set_now(unix_ms());
            }
            core.run_one(&request, |reply| match reply {
                Reply::Error(text) => Err(EngineError::Failed(text.to_owned())),
                reply => Ok((read.take().expect("it is read once"))(reply)),
            })
        });
        match visit {
            Visit::Done(Ok(answer)) => answer,
            Visit::Done(Err(Lost)) => Err(EngineError::ShardLost { shard }),
            Visit::Closed => Err(EngineError::Closed),
            Visit::Busy => {
                let read = read.take().expect("it was not read");
                self.call_by_mail(shard, hash, command, args, read)
            }
        }
    }

    fn call_by_mail<R>(
        &self,
        shard: usize,
        hash: u64,
        command: &'static Command,
        args: &[&[u8]],
        read: impl FnOnce(Reply<'_>) -> R,
    ) -> Result<R, EngineError> {
        let mut exchange = self.take_exchange();
        let pushed = exchange.batch().push(command, self.database, hash, args);
        let outcome = pushed
            .map_err(EngineError::from)
            .and_then(|_first| self.send(shard, &mut exchange))
            .and_then(|()| exchange.wait(shard))
            .and_then(|()| match Reply::read(exchange.returned().replies.get(0)) {
                Reply::Error(text) => Err(EngineError::Failed(text.to_owned())),
                reply => Ok(read(reply)),
            });
        self.leave_exchange(exchange);
        outcome
    }

    pub(crate) fn take_exchange(&self) -> Exchange {
        self.shared.spare.pop().unwrap_or_else(|| Exchange::new(&Native))
    }

    pub(crate) fn leave_exchange(&self, mut exchange: Exchange) {
        exchange.clear();
        // If there are spare ones enough, this one goes.
        let _one_too_many = self.shared.spare.push(exchange);
    }

    /// Runs one command of any kind, and reads its answer.
    pub(crate) fn call_anywhere<R>(
        &self,
        command: &'static Command,
        args: &[&[u8]],
        read: impl FnOnce(Reply<'_>) -> R,
    ) -> Result<R, EngineError> {
        let mut pipeline = self.pipeline();
        pipeline.push(command, args)?;
        match pipeline.run()?.get(0) {
            Reply::Error(text) => Err(EngineError::Failed(text.to_owned())),
            reply => Ok(read(reply)),
        }
    }

    pub(crate) fn send(&self, shard: usize, exchange: &mut Exchange) -> Result<(), EngineError> {
        exchange.send(shard, &self.shared.ways[shard], self.room_wait)
    }

    pub(crate) fn destinations<'a>(&'a self, exchanges: &'a mut [Exchange]) -> Destinations<'a> {
        Destinations {
            hasher: &self.shared.hasher,
            route: self.shared.route,
            database: self.database,
            exchanges,
        }
    }

    pub(crate) fn select(&mut self, database: u8) {
        assert!(usize::from(database) < DATABASES, "there are {DATABASES} databases");
        self.database = database;
    }

    /// Which shard holds a key, and the key's hash.
    pub(crate) fn place(&self, key: &[u8]) -> (usize, u64) {
        let hash = self.shared.hasher.hash(key);
        (self.shared.route.shard(hash), hash)
    }

    pub(crate) fn room_wait(&self) -> Duration {
        self.room_wait
    }

    pub(crate) fn database(&self) -> u8 {
        self.database
    }

    /// How long to wait for shards that others are in: as long as for room, but not less than a
    /// moment, since a caller that does not wait for room would else find every running shard busy.
    pub(crate) fn patience(&self) -> Duration {
        self.room_wait.max(LEND_WAIT_MIN)
    }

    pub(crate) fn way(&self, shard: usize) -> &Way {
        &self.shared.ways[shard]
    }

    /// Asks every shard what it holds.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn stats(&self) -> Result<Stats, EngineError> {
        let mut stats = Stats { shards: self.shards(), ..Stats::default() };
        self.in_every_shard(|core| {
            let alive = core.alive()?;
            stats.add(&alive.store.accounting());
            stats.counted.add(alive.store.counted());
            Ok(())
        })?;
        Ok(stats)
    }

    /// Asks every shard what each database holds, which takes no time in proportion to it.
    ///
    /// The driver of a shard calls this [aside](crate::Shard::aside).
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn database_stats(&self) -> Result<[Stats; DATABASES], EngineError> {
        let mut all = [Stats { shards: self.shards(), ..Stats::default() }; DATABASES];
        self.in_every_shard(|core| {
            let store = &core.alive()?.store;
            for (database, stats) in (0..).zip(&mut all) {
                stats.add(&store.accounting_of(database));
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// Lets hashes be a `hashtable` to `OBJECT ENCODING` from now on if they have more fields than
    /// `entries`, or hold a field or value of more than `value_bytes` (Redis'
    /// `hash-max-listpack-entries` and `-value`; 512 and 64 otherwise). A hash is measured when fields
    /// are set, and one that is a `hashtable` stays one. How a hash is kept here depends on neither,
    /// but one that is no `hashtable` is kept in one piece, and each change costs time in proportion.
    ///
    /// The driver of a shard calls this [aside](crate::Shard::aside).
    ///
    /// # Errors
    /// [`EngineError`]; some shards may have been told then.
    pub fn set_encoding_limits(
        &self,
        entries: usize,
        value_bytes: usize,
    ) -> Result<(), EngineError> {
        self.in_every_shard(|core| {
            core.configure(|store| store.set_encoding_limits(entries, value_bytes))
        })
    }

    /// Says whether keys and fields whose deadline has passed go by themselves from now on (Redis'
    /// `DEBUG SET-ACTIVE-EXPIRE`), as they do otherwise. If not, they go when somebody asks for them.
    ///
    /// The driver of a shard calls this [aside](crate::Shard::aside).
    ///
    /// # Errors
    /// [`EngineError`]; some shards may have been told then.
    pub fn set_active_expiry(&self, is_active: bool) -> Result<(), EngineError> {
        self.in_every_shard(|core| core.configure(|store| store.set_active_expiry(is_active)))
    }

    /// Gives all shards together another [limit](crate::Builder::memory_limit) in bytes, or none.
    ///
    /// The driver of a shard calls this [aside](crate::Shard::aside).
    ///
    /// # Errors
    /// [`EngineError`]; some shards may have been told then.
    pub fn set_memory_limit(&self, bytes: Option<u64>) -> Result<(), EngineError> {
        self.in_every_shard(|core| {
            let limit = bytes.map(|bytes| MemoryLimit::new(bytes, Arc::clone(&self.shared.taken)));
            core.set_memory_limit(limit)
        })
    }

    /// Does something in one shard after another.
    fn in_every_shard(
        &self,
        mut run: impl FnMut(&mut Core) -> Result<(), Lost>,
    ) -> Result<(), EngineError> {
        for (shard, way) in self.shared.ways.iter().enumerate() {
            let mut held = way
                .borrow_before(Some(Instant::now() + self.patience()))
                .map_err(|error| reach::refusal(way, shard, error == BorrowError::TimedOut))?;
            let done = held.with(&mut run);
            reach::help(held);
            done.map_err(|Lost| EngineError::ShardLost { shard })?;
        }
        Ok(())
    }

    pub(crate) fn close(&self) {
        self.shared.ways.iter().for_each(Sender::close);
    }
}

impl Shared {
    pub(crate) fn new(ways: Vec<Way>, hasher: KeyHasher, taken: Arc<Gauge>) -> Self {
        Self {
            route: Route::new(ways.len()),
            ways: ways.into(),
            hasher,
            taken,
            spare: ArrayQueue::new(SPARE_EXCHANGES),
        }
    }
}

/// A length that is at most [`IN_PLACE_BYTES_MAX`].
fn offset(length: usize) -> u32 {
    u32::try_from(length).expect("the arguments are short")
}
