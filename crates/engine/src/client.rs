//! How does a caller use the engine?

use crate::error::EngineError;
use crate::exchange::Exchange;
use crate::native::{Native, Reply};
use crate::pipeline::Pipeline;
use crate::plan::Destinations;
use crate::route::Route;
use crate::shard::Message;
use crate::stats::Stats;
use crate::wire::Wire;
use crossbeam_queue::ArrayQueue;
use hectare_mailbox::{Answer, SendError, Sender};
use hectare_store::{Command, DATABASES, KeyHasher};
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
    senders: Box<[Sender<Message>]>,
    hasher: KeyHasher,
    route: Route,
    /// Exchanges of single calls, to be used again.
    spare: ArrayQueue<Exchange>,
}

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
        assert!(usize::from(database) < DATABASES, "there are {DATABASES} databases");
        self.database = database;
        self
    }

    /// The same engine, with another time to wait for room in a full mailbox; with none, a call
    /// that meets a full mailbox fails at once with [`EngineError::Full`].
    #[must_use]
    pub fn with_room_wait(mut self, wait: Duration) -> Self {
        self.room_wait = wait;
        self
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
        self.shared.senders.len()
    }

    /// Runs one command that has one key, and reads its answer.
    pub(crate) fn call<R>(
        &self,
        command: &'static Command,
        args: &[&[u8]],
        read: impl FnOnce(Reply<'_>) -> R,
    ) -> Result<R, EngineError> {
        let failed = |error: hectare_store::CommandError| EngineError::Failed(error.to_string());
        command.check_arguments(args.len()).map_err(failed)?;
        let hash = self.shared.hasher.hash(args[0]);
        let shard = self.shared.route.shard(hash);
        let mut exchange = self.shared.spare.pop().unwrap_or_else(|| Exchange::new(&Native));
        let pushed = exchange.batch().push(command, self.database, hash, args);
        let outcome = pushed
            .map_err(failed)
            .and_then(|_first| self.send(shard, &mut exchange))
            .and_then(|()| exchange.wait(shard))
            .and_then(|()| match Reply::read(exchange.returned().replies.get(0)) {
                Reply::Error(text) => Err(EngineError::Failed(text.to_owned())),
                reply => Ok(read(reply)),
            });
        exchange.clear();
        // If there are spare ones enough, this one goes.
        let _one_too_many = self.shared.spare.push(exchange);
        outcome
    }

    /// Runs one command of any kind, and reads its answer.
    pub(crate) fn call_anywhere<R>(
        &self,
        command: &'static Command,
        args: &[&[u8]],
        read: impl FnOnce(Reply<'_>) -> R,
    ) -> Result<R, EngineError> {
        let mut pipeline = self.pipeline();
        let pushed = pipeline.push(command, args);
        pushed.map_err(|error| EngineError::Failed(error.to_string()))?;
        match pipeline.run()?.get(0) {
            Reply::Error(text) => Err(EngineError::Failed(text.to_owned())),
            reply => Ok(read(reply)),
        }
    }

    pub(crate) fn send(&self, shard: usize, exchange: &mut Exchange) -> Result<(), EngineError> {
        exchange.send(shard, &self.shared.senders[shard], self.room_wait)
    }

    pub(crate) fn destinations<'a>(&'a self, exchanges: &'a mut [Exchange]) -> Destinations<'a> {
        Destinations {
            hasher: &self.shared.hasher,
            route: self.shared.route,
            database: self.database,
            exchanges,
        }
    }

    pub(crate) fn stats(&self) -> Result<Stats, EngineError> {
        let mut stats = Stats { shards: self.shards(), ..Stats::default() };
        for (shard, sender) in self.shared.senders.iter().enumerate() {
            let mut answer = Answer::new();
            let question = Message::Account(answer.issue());
            sender.send_before(question, Instant::now() + self.room_wait).map_err(|error| {
                match error {
                    SendError::Full(_) => EngineError::Full { shard },
                    SendError::Closed(_) => EngineError::Closed,
                    SendError::Gone(_) => EngineError::ShardLost { shard },
                }
            })?;
            let accounting = answer.wait(None).map_err(|_| EngineError::ShardLost { shard })?;
            stats.add(&accounting);
        }
        Ok(stats)
    }

    pub(crate) fn close(&self) {
        self.shared.senders.iter().for_each(Sender::close);
    }
}

impl Shared {
    pub(crate) fn new(senders: Vec<Sender<Message>>, hasher: KeyHasher) -> Self {
        Self {
            route: Route::new(senders.len()),
            senders: senders.into(),
            hasher,
            spare: ArrayQueue::new(SPARE_EXCHANGES),
        }
    }
}
