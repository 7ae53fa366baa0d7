//! What does a shard do with its turn?

use crate::batch::Batch;
use crate::clock::Moment;
use hectare_mailbox::{Completion, Owner};
use hectare_store::{Accounting, Store};
use std::time::Instant;

/// How many commands a shard's own thread runs before it looks at the clock again.
const THREAD_TURN_COMMANDS: usize = 4096;

/// How many keys a turn may free because their deadline has passed.
const TURN_EXPIRED_KEYS: usize = 64;

/// What a shard is asked.
#[derive(Debug)]
pub(crate) enum Message {
    /// To run a batch and to send it back.
    Run(Call),
    /// To say what it holds.
    Account(Completion<Accounting>),
}

/// A batch and who waits for it.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) batch: Box<Batch>,
    pub(crate) completion: Completion<Box<Batch>>,
}

/// One shard: a part of the keyspace and the mailbox in front of it.
///
/// Whoever holds it drives it: one of the engine's own threads, or any event loop that calls
/// [`turn`](Self::turn) when the shard's [`Wake`](hectare_mailbox::Wake) says so. A shard that is
/// dropped takes its data along, and answers what it had accepted with
/// [`EngineError::ShardLost`](crate::EngineError::ShardLost).
#[derive(Debug)]
pub struct Shard {
    number: usize,
    store: Store,
    owner: Owner<Message>,
    /// The call that a turn's budget has interrupted.
    current: Option<Call>,
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The budget is used up; there may be more.
    Busy,
    /// There is nothing to do before `until` (`None`: before something is sent).
    Idle {
        /// When the next key expires.
        until: Option<Instant>,
    },
    /// The engine is closed, and everything that it accepted has been answered.
    Finished,
}

impl Shard {
    pub(crate) fn new(number: usize, store: Store, owner: Owner<Message>) -> Self {
        Self { number, store, owner, current: None }
    }

    /// Which shard of the engine it is, from 0.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// Runs what waits, at most `budget_commands` commands, and frees some expired keys.
    pub fn turn(&mut self, budget_commands: usize) -> Turn {
        let now = Moment::now();
        self.store.set_now(now.unix_ms);
        let mut budget = budget_commands;
        while budget > 0 {
            let Some(mut call) = self.current.take().or_else(|| self.next_call()) else { break };
            budget -= call.batch.run(&mut self.store, budget);
            if call.batch.is_done() {
                call.completion.complete(call.batch);
            } else {
                self.current = Some(call);
            }
        }
        self.store.expire_some(TURN_EXPIRED_KEYS);
        if budget == 0 { Turn::Busy } else { self.rest(now) }
    }

    /// Says that the caller is about to sleep, by a means that the shard's wake ends. False: there
    /// is work, so it must not. After the sleep, [`wake_up`](Self::wake_up).
    pub fn announce_sleep(&mut self) -> bool {
        self.owner.announce_sleep()
    }

    /// Says that the caller is awake, whatever woke it.
    pub fn wake_up(&mut self) {
        self.owner.wake_up();
    }

    /// Drives the shard on the calling thread, which must be the one that its wake unparks, until
    /// the engine is closed.
    pub(crate) fn serve(mut self) {
        loop {
            match self.turn(THREAD_TURN_COMMANDS) {
                Turn::Busy => {}
                Turn::Idle { until } => {
                    if !self.owner.linger() {
                        self.owner.sleep(until);
                    }
                }
                Turn::Finished => return,
            }
        }
    }

    fn next_call(&mut self) -> Option<Call> {
        loop {
            match self.owner.pop()? {
                Message::Run(call) => return Some(call),
                Message::Account(completion) => completion.complete(self.store.accounting()),
            }
        }
    }

    fn rest(&self, now: Moment) -> Turn {
        if self.owner.is_finished() {
            return Turn::Finished;
        }
        match self.store.next_deadline_ms() {
            Some(deadline) if deadline <= now.unix_ms => Turn::Busy,
            deadline => Turn::Idle { until: deadline.map(|deadline| now.instant_of(deadline)) },
        }
    }
}
