//! How is an engine built, and how does it end?

use crate::client::{Client, Shared};
use crate::core::{Call, Core, Lost, MemoryLimit};
use crate::error::EngineError;
use crate::placement;
use crate::shard::Shard;
use crate::stats::Stats;
use crate::versions::Versions;
use hectare_mailbox::{Bounds, Gauge, ThreadWake, Wake, Weight, mailbox_within};
use hectare_store::{Config, Dialect, KeyHasher, SHARDS_MAX, Store};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A keyspace of hashes and strings, split over shards.
///
/// Dropping it is a [`shutdown`](Self::shutdown).
#[derive(Debug)]
pub struct Engine {
    client: Client,
    threads: Vec<JoinHandle<Result<(), Lost>>>,
}

/// What can be chosen about an engine.
#[derive(Clone, Debug)]
pub struct Builder {
    shards: Option<usize>,
    mailbox_batches: usize,
    mailbox_commands: u32,
    mailbox_bytes: u64,
    memory_bytes: Option<u64>,
    dialect: Dialect,
    room_wait: Duration,
    pins: bool,
}

/// Why an engine could not be built.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// The number of shards is not from 1 to 1024.
    Shards {
        /// What was asked for.
        asked: usize,
    },
    /// The system refused a thread.
    Thread {
        /// Which shard's.
        shard: usize,
        /// What the system said.
        source: io::Error,
    },
    /// The system would not say which cores there are, or not let a thread run on one.
    Placement {
        /// What the system said.
        source: io::Error,
    },
}

impl Engine {
    /// Starts with the defaults: two shards for each core, each with a thread that mostly sleeps.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A handle through which any thread can use the engine. Clones are cheap.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Asks every shard what it holds.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn stats(&self) -> Result<Stats, EngineError> {
        self.client.stats()
    }

    /// Accepts nothing more, answers everything that was accepted, and ends the threads. Shards
    /// that somebody else drives end at their next turn.
    ///
    /// # Errors
    /// [`EngineError::ShardLost`] if a shard's thread had panicked.
    pub fn shutdown(mut self) -> Result<(), EngineError> {
        self.stop()
    }

    fn stop(&mut self) -> Result<(), EngineError> {
        self.client.close();
        let mut outcome = Ok(());
        for (shard, thread) in self.threads.drain(..).enumerate() {
            if !matches!(thread.join(), Ok(Ok(()))) {
                outcome = Err(EngineError::ShardLost { shard });
            }
        }
        outcome
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // A panicked shard has already said so, and its callers were told.
        let _lost = self.stop();
    }
}

impl Builder {
    /// How many shards, from 1 to 1024; otherwise two for each core that this process may use (the
    /// limits of its cgroup respected), and one if that is one core.
    #[must_use]
    pub fn shards(mut self, shards: usize) -> Self {
        self.shards = Some(shards);
        self
    }

    /// How many batches may wait in front of a shard (1024 otherwise), rounded up to a power of
    /// two.
    #[must_use]
    pub fn mailbox_batches(mut self, batches: usize) -> Self {
        self.mailbox_batches = batches;
        self
    }

    /// How many commands may wait in front of a shard (a million otherwise), whatever the number of
    /// batches; one batch alone may have more.
    #[must_use]
    pub fn mailbox_commands(mut self, commands: u32) -> Self {
        self.mailbox_commands = commands;
        self
    }

    /// How many bytes of arguments may wait in front of a shard (256 MiB otherwise); one batch alone
    /// may have more.
    #[must_use]
    pub fn mailbox_bytes(mut self, bytes: u64) -> Self {
        self.mailbox_bytes = bytes;
        self
    }

    /// How many bytes all shards may take together, by [their own accounting](Stats::memory_bytes);
    /// without a limit otherwise. Beyond it, commands that may make data grow are answered with
    /// Redis' error `OOM command not allowed when used memory > 'maxmemory'.`; nothing is evicted.
    ///
    /// The limit is for the sum, so that one shard may take more than another. Each shard tells the
    /// others what it takes whenever that has changed by 64 KiB (or by a 64th of a small limit), and
    /// looks before each group of commands: so the limit can be passed by that much a shard and one
    /// group.
    #[must_use]
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory_bytes = Some(bytes);
        self
    }

    /// Whose replies and error texts commands are answered with: Redis 8's otherwise.
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// How long a call waits for room in a full mailbox (ten seconds otherwise) before it fails
    /// with [`EngineError::Full`].
    #[must_use]
    pub fn room_wait(mut self, wait: Duration) -> Self {
        self.room_wait = wait;
        self
    }

    /// Whether each shard's thread stays on one core, of those that this process may use, in order
    /// (Linux only). Callers run most commands themselves, so this matters only for what is left to
    /// the shards' threads: long pipelines, and shards that callers crowd.
    #[must_use]
    pub fn pin_threads(mut self, pins: bool) -> Self {
        self.pins = pins;
        self
    }

    /// An engine whose shards are driven by threads of its own.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build(self) -> Result<Engine, BuildError> {
        let shards = self.shards.unwrap_or_else(shards_by_cores);
        check(shards)?;
        let places = self.places()?;
        let mut waiting = Vec::with_capacity(shards);
        let mut threads = Vec::with_capacity(shards);
        let mut wakes = Vec::<Box<dyn Wake>>::with_capacity(shards);
        let (tell, told) = mpsc::channel();
        for shard in 0..shards {
            // The thread waits for its shard, whose mailbox is made with the thread's handle. If a
            // later thread cannot be had, the ends drop here, and those that wait return.
            let (start, started) = mpsc::channel::<Shard>();
            let core = places.get(shard % places.len().max(1)).copied();
            let tell = tell.clone();
            let thread = thread::Builder::new()
                .name(format!("hectare-shard-{shard}"))
                .spawn(move || {
                    // If nobody listens, there is no engine.
                    let _unheard = tell.send(core.map_or(Ok(()), placement::pin));
                    started.recv().map_or(Ok(()), Shard::serve)
                })
                .map_err(|source| BuildError::Thread { shard, source })?;
            wakes.push(Box::new(ThreadWake::new(thread.thread().clone())));
            threads.push(thread);
            waiting.push(start);
        }
        for _ in 0..shards {
            let placed = told.recv().expect("every thread says where it is");
            placed.map_err(|source| BuildError::Placement { source })?;
        }
        let (mut engine, shards) = self.build_driven(wakes)?;
        engine.threads = threads;
        for (start, shard) in waiting.into_iter().zip(shards) {
            // A thread that waits cannot be gone.
            let _sent = start.send(shard);
        }
        Ok(engine)
    }

    /// An engine whose shards somebody else drives, one for each `wake`: see [`Shard::turn`].
    ///
    /// # Errors
    /// [`BuildError::Shards`] if there is no wake, or more than 1024, or another number than was
    /// asked for.
    pub fn build_driven(
        self,
        wakes: Vec<Box<dyn Wake>>,
    ) -> Result<(Engine, Vec<Shard>), BuildError> {
        check(wakes.len())?;
        if let Some(asked) = self.shards.filter(|asked| *asked != wakes.len()) {
            return Err(BuildError::Shards { asked });
        }
        let random = RandomState::new();
        let hasher = KeyHasher::with_seed(random.hash_one("hasher"));
        let shard_count = wakes.len();
        let all = Arc::new(Gauge::new());
        let bounds = self.bounds();
        let mut ways = Vec::with_capacity(shard_count);
        let mut shards = Vec::with_capacity(shard_count);
        for (number, wake) in wakes.into_iter().enumerate() {
            let mut config = Config::new(hasher.clone(), random.hash_one(number));
            (config.shard, config.shards) = (number, shard_count);
            config.dialect = self.dialect;
            let limit = self.memory_bytes.map(|bytes| MemoryLimit::new(bytes, Arc::clone(&all)));
            let core = Core::new(Store::new(config), Versions::new(hasher.clone()), limit);
            let (way, owner) = mailbox_within(&bounds, core, wake);
            ways.push(way);
            shards.push(Shard::new(number, owner));
        }
        let client = Client::new(Arc::new(Shared::new(ways, hasher, all)), self.room_wait);
        Ok((Engine { client, threads: Vec::new() }, shards))
    }
}

impl Builder {
    /// Where the shards' threads are pinned; nowhere if that was not asked for.
    fn places(&self) -> Result<Vec<usize>, BuildError> {
        if !self.pins {
            return Ok(Vec::new());
        }
        placement::cores().map_err(|source| BuildError::Placement { source })
    }

    fn bounds(&self) -> Bounds<Call> {
        Bounds {
            items: self.mailbox_batches,
            weight: Weight { commands: self.mailbox_commands, bytes: self.mailbox_bytes },
            weigh: Some(|call| call.batch.weight()),
        }
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            shards: None,
            mailbox_batches: 1024,
            mailbox_commands: 1 << 20,
            mailbox_bytes: 256 << 20,
            memory_bytes: None,
            dialect: Dialect::default(),
            room_wait: Duration::from_secs(10),
            pins: false,
        }
    }
}

fn check(shards: usize) -> Result<(), BuildError> {
    if (1..=SHARDS_MAX).contains(&shards) {
        Ok(())
    } else {
        Err(BuildError::Shards { asked: shards })
    }
}

/// One shard on one core, else two for each: callers run commands themselves, and with as many shards
/// as callers every second one would find its shard taken. More would leave a pipeline too few
/// commands for each.
fn shards_by_cores() -> usize {
    match thread::available_parallelism().map_or(1, usize::from) {
        1 => 1,
        cores => (2 * cores).min(SHARDS_MAX),
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shards { asked } => write!(
                formatter,
                "an engine has from 1 to {SHARDS_MAX} shards, one wake for each, not {asked}"
            ),
            Self::Placement { .. } => formatter
                .write_str("the system refused to pin a shard's thread; build without pinning"),
            Self::Thread { shard, .. } => {
                write!(formatter, "the system refused a thread for shard {shard}")
            }
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Shards { .. } => None,
            Self::Thread { source, .. } | Self::Placement { source } => Some(source),
        }
    }
}
