//! How is an engine built, and how does it end?

use crate::client::{Client, Shared};
use crate::error::EngineError;
use crate::shard::Shard;
use crate::stats::Stats;
use hectare_mailbox::{ThreadWake, Wake, mailbox};
use hectare_store::{Config, KeyHasher, SHARDS_MAX, Store};
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
    threads: Vec<JoinHandle<()>>,
}

/// What can be chosen about an engine.
#[derive(Clone, Debug)]
pub struct Builder {
    shards: Option<usize>,
    mailbox_batches: usize,
    room_wait: Duration,
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
}

impl Engine {
    /// Starts with the defaults: a shard, and a thread for it, per core.
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
    /// [`EngineError::Full`] or [`EngineError::ShardLost`].
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
            if thread.join().is_err() {
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
    /// How many shards, from 1 to 1024; one per core otherwise.
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

    /// How long a call waits for room in a full mailbox (ten seconds otherwise) before it fails
    /// with [`EngineError::Full`].
    #[must_use]
    pub fn room_wait(mut self, wait: Duration) -> Self {
        self.room_wait = wait;
        self
    }

    /// An engine whose shards are driven by threads of its own.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build(self) -> Result<Engine, BuildError> {
        let shards = self.shards.unwrap_or_else(cores);
        check(shards)?;
        let mut waiting = Vec::with_capacity(shards);
        let mut threads = Vec::with_capacity(shards);
        let mut wakes = Vec::<Box<dyn Wake>>::with_capacity(shards);
        for shard in 0..shards {
            // The thread waits for its shard, whose mailbox is made with the thread's handle. If a
            // later thread cannot be had, the ends drop here, and those that wait return.
            let (start, started) = mpsc::channel::<Shard>();
            let thread = thread::Builder::new()
                .name(format!("hectare-shard-{shard}"))
                .spawn(move || {
                    if let Ok(shard) = started.recv() {
                        shard.serve();
                    }
                })
                .map_err(|source| BuildError::Thread { shard, source })?;
            wakes.push(Box::new(ThreadWake::new(thread.thread().clone())));
            threads.push(thread);
            waiting.push(start);
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
        let mut senders = Vec::with_capacity(shard_count);
        let mut shards = Vec::with_capacity(shard_count);
        for (number, wake) in wakes.into_iter().enumerate() {
            let (sender, owner) = mailbox(self.mailbox_batches, (), wake);
            let mut config = Config::new(hasher.clone(), random.hash_one(number));
            (config.shard, config.shards) = (number, shard_count);
            senders.push(sender);
            shards.push(Shard::new(number, Store::new(config), owner));
        }
        let client = Client::new(Arc::new(Shared::new(senders, hasher)), self.room_wait);
        Ok((Engine { client, threads: Vec::new() }, shards))
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self { shards: None, mailbox_batches: 1024, room_wait: Duration::from_secs(10) }
    }
}

fn check(shards: usize) -> Result<(), BuildError> {
    if (1..=SHARDS_MAX).contains(&shards) {
        Ok(())
    } else {
        Err(BuildError::Shards { asked: shards })
    }
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(SHARDS_MAX)
}

impl fmt::Display for BuildError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shards { asked } => write!(
                formatter,
                "an engine has from 1 to {SHARDS_MAX} shards, one wake for each, not {asked}"
            ),
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
            Self::Thread { source, .. } => Some(source),
        }
    }
}
