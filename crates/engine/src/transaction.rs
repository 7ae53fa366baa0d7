//! How does a caller read several keys and write what follows from them, as if alone?

use crate::client::Client;
use crate::error::EngineError;
use crate::native::Reply;
use crate::pipeline::{Pipeline, Replies};
use crate::watch::Watch;
use hectare_store::Command;

/// What a transaction's body has at hand: keys to watch, a client to read with, and commands to be
/// run at its end. See [`Client::transaction`].
#[derive(Debug)]
pub struct Transaction {
    client: Client,
    watch: Watch,
    pipeline: Pipeline,
}

/// A transaction that was carried out.
#[derive(Debug)]
pub struct Committed<R> {
    /// What the body returned.
    pub value: R,
    pipeline: Pipeline,
}

/// So often a body is run before its keys are found to be too busy.
const ATTEMPTS_MAX: usize = 1000;

impl Client {
    /// Reads and writes several keys as if nobody else were there, wherever they are.
    ///
    /// The body watches keys, reads them, and queues commands. After it, the queued commands are run
    /// at one moment, if nobody has written to the watched keys since they were watched; else the
    /// body is run again. It may therefore run several times, and should do nothing but that.
    ///
    /// ```
    /// use hectare_engine::Engine;
    ///
    /// let engine = Engine::builder().shards(2).build()?;
    /// let client = engine.client();
    /// client.hset("account:ada", [("pounds", "70")])?;
    /// client.hset("account:bob", [("pounds", "10")])?;
    ///
    /// let moved = client.transaction(|transaction| {
    ///     transaction.watch(["account:ada"])?;
    ///     let pounds = transaction.client().hget("account:ada", "pounds")?.unwrap_or_default();
    ///     if pounds.len() < 2 {
    ///         return Ok(false);
    ///     }
    ///     transaction.command([b"HINCRBY".as_slice(), b"account:ada", b"pounds", b"-10"])?;
    ///     transaction.command([b"HINCRBY".as_slice(), b"account:bob", b"pounds", b"10"])?;
    ///     Ok(true)
    /// })?;
    /// assert!(moved.value);
    /// assert_eq!(client.hget("account:bob", "pounds")?.as_deref(), Some(b"20".as_slice()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// What the body returns; [`EngineError`]; [`EngineError::Conflict`] if others wrote to the
    /// watched keys a thousand times in a row.
    pub fn transaction<R>(
        &self,
        mut body: impl FnMut(&mut Transaction) -> Result<R, EngineError>,
    ) -> Result<Committed<R>, EngineError> {
        let mut transaction =
            Transaction { client: self.clone(), watch: self.watch(), pipeline: self.pipeline() };
        for _ in 0..ATTEMPTS_MAX {
            transaction.watch.clear();
            transaction.pipeline.clear();
            let value = body(&mut transaction)?;
            let Transaction { watch, pipeline, .. } = &mut transaction;
            if pipeline.run_if_unchanged(watch)?.is_some() {
                return Ok(Committed { value, pipeline: transaction.pipeline });
            }
        }
        Err(EngineError::Conflict)
    }

    /// Keys to watch: none yet.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch::new(self.clone())
    }
}

impl Transaction {
    /// Watches keys from now on; what is read of them comes after.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn watch<K: AsRef<[u8]>>(
        &mut self,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<(), EngineError> {
        keys.into_iter().try_for_each(|key| self.watch.key(key).map(|_| ()))
    }

    /// To read with. What is written through it is written at once, whatever comes of the
    /// transaction.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Queues a command by its arguments, its name first.
    ///
    /// # Errors
    /// [`EngineError::Failed`] if there is no such command, or not with so many arguments.
    pub fn command<'a>(
        &mut self,
        args: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(), EngineError> {
        self.pipeline.command(args)?;
        Ok(())
    }

    /// Queues a command whose row is known, by the arguments after its name.
    ///
    /// # Errors
    /// [`EngineError::Failed`] if their number does not fit the command.
    pub fn push(&mut self, command: &'static Command, args: &[&[u8]]) -> Result<(), EngineError> {
        Ok(self.pipeline.push(command, args)?)
    }
}

impl<R> Committed<R> {
    /// What the queued commands were answered, in their order.
    #[must_use]
    pub fn replies(&self) -> Replies<'_> {
        self.pipeline.replies().expect("the commands were run")
    }

    /// What one of them was answered.
    ///
    /// # Panics
    /// If there is no such command.
    #[must_use]
    pub fn reply(&self, command: usize) -> Reply<'_> {
        self.replies().get(command)
    }
}
