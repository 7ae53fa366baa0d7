//! Has anything changed since a caller looked?

use crate::client::Client;
use crate::core::Lost;
use crate::error::EngineError;
use crate::native::Reply;
use crate::reach::{self, refusal};
use crate::row::row;
use crate::several::Several;
use hectare_mailbox::BorrowError;
use hectare_store::{Args, Request, Span};
use std::time::Instant;

/// Keys that a caller watches, as Redis' `WATCH` does: commands that depend on what it has read can
/// be run on the condition that nobody has written to these keys since
/// ([`Pipeline::run_if_unchanged`](crate::Pipeline::run_if_unchanged)).
///
/// A key counts as changed, too, when its deadline has passed. Now and then a key counts as changed
/// because a neighbour in the shard's table of versions was; never the other way round.
#[derive(Clone, Debug)]
pub struct Watch {
    client: Client,
    keys: Vec<Watched>,
}

#[derive(Clone, Copy, Debug)]
struct Watched {
    shard: usize,
    hash: u64,
    version: u64,
    /// In milliseconds since 1970, if it has one.
    deadline_ms: Option<u64>,
}

impl Watch {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, keys: Vec::new() }
    }

    /// Watches one more key, from now on.
    ///
    /// # Errors
    /// [`EngineError`]; the key is not watched then.
    pub fn key(&mut self, key: impl AsRef<[u8]>) -> Result<&mut Self, EngineError> {
        let key = key.as_ref();
        let (shard, hash) = self.client.place(key);
        let way = self.client.way(shard);
        let deadline = Instant::now() + self.client.patience();
        let mut held = way
            .borrow_before(Some(deadline))
            .map_err(|error| refusal(way, shard, error == BorrowError::TimedOut))?;
        let now = crate::clock::unix_ms();
        let spans = [Span { start: 0, end: u32::try_from(key.len()).unwrap_or(u32::MAX) }];
        let args = Args::new(key, &spans);
        let database = self.client.database();
        let request = Request { command: row!("pexpiretime"), database, hash, args };
        let seen = held.with(|core| {
            core.set_now(now);
            let deadline_ms = core.run_one(&request, |reply| match reply {
                Reply::Integer(deadline_ms) => u64::try_from(deadline_ms).ok(),
                _ => None,
            })?;
            let version = core.alive()?.versions.of(hash);
            Ok::<_, Lost>(Watched { shard, hash, version, deadline_ms })
        });
        reach::help(held);
        self.keys.push(seen.map_err(|Lost| EngineError::ShardLost { shard })?);
        Ok(self)
    }

    /// Watches nothing any more.
    pub fn clear(&mut self) {
        self.keys.clear();
    }

    pub(crate) fn is_on(&self, shard: usize) -> bool {
        self.keys.iter().any(|watched| watched.shard == shard)
    }

    /// Whether nothing has changed, while all its shards are held.
    pub(crate) fn holds(&self, several: &mut Several<'_>) -> bool {
        let now = crate::clock::unix_ms();
        self.keys.iter().all(|watched| {
            let is_over = watched.deadline_ms.is_some_and(|deadline_ms| deadline_ms < now);
            let version = several.with(watched.shard, |core| {
                core.alive().map(|alive| alive.versions.of(watched.hash))
            });
            !is_over && version == Ok(watched.version)
        })
    }
}
