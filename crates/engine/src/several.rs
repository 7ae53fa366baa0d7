//! How does one caller hold several shards at once?
//!
//! It takes their owner words in the order of the shards, so that no two callers wait for each other
//! in a circle; a shard whose owner runs is lent at the owner's next pause. What is done while all
//! are held is seen by everybody whole or not at all.

use crate::client::Client;
use crate::core::{Call, Core};
use crate::error::EngineError;
use crate::reach::{self, Done, Held};
use hectare_mailbox::{BorrowError, Standing};
use std::time::Instant;

/// Some shards, held.
pub(crate) struct Several<'a> {
    /// By shard; `None` for those that are not held.
    held: Vec<Option<Held<'a>>>,
    done: Done,
}

impl<'a> Several<'a> {
    /// Takes the shards that `wanted` names, and runs what was sent to them before.
    ///
    /// # Errors
    /// [`EngineError`]; nothing is held then.
    pub(crate) fn take(
        client: &'a Client,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<Self, EngineError> {
        let deadline = Instant::now() + client.patience();
        let held = (0..client.shards()).map(|_| None).collect();
        let mut several = Self { held, done: Done::new() };
        let now = crate::clock::unix_ms();
        for shard in (0..client.shards()).filter(|shard| wanted(*shard)) {
            let way = client.way(shard);
            let held = way
                .borrow_before(Some(deadline))
                .map_err(|error| reach::refusal(way, shard, error == BorrowError::TimedOut))?;
            several.held[shard] = Some(held);
            several.settle(shard, now)?;
        }
        Ok(several)
    }

    /// A shard that is held.
    ///
    /// # Panics
    /// If it is not.
    pub(crate) fn with<R>(&mut self, shard: usize, run: impl FnOnce(&mut Core) -> R) -> R {
        self.held[shard].as_mut().expect("the shard was taken").with(run)
    }

    /// Runs everything that was sent before, waiting for a sender that is just filling its slot:
    /// what comes behind it may be this caller's own.
    fn settle(&mut self, shard: usize, now_ms: u64) -> Result<(), EngineError> {
        let held = self.held[shard].as_mut().expect("it was just taken");
        loop {
            let mut budget = usize::MAX;
            reach::drain(held, &mut budget, &mut self.done);
            match held.standing() {
                Standing::Quiet => break,
                Standing::Busy => std::thread::yield_now(),
                Standing::Closed => return Err(EngineError::Closed),
            }
        }
        if held.with(|core| core.is_lost()) {
            return Err(EngineError::ShardLost { shard });
        }
        held.with(|core| core.set_now(now_ms));
        Ok(())
    }
}

/// All are given back before anybody is told of an answer, since that may do anything.
impl Drop for Several<'_> {
    fn drop(&mut self) {
        for held in self.held.iter_mut().filter_map(Option::take) {
            reach::give_back(held, reach::FOREIGN_COMMANDS_MAX, &mut self.done);
        }
        self.done.drain(..).for_each(Call::finish);
    }
}
