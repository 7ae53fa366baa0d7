//! What does a shard's owner do with its turn?

use crate::batch::Batch;
use crate::clock::{Moment, unix_ms};
use crate::core::{Alive, Call, Core, Lost};
use crate::error::EngineError;
use crate::group;
use crate::reach::Done;
use hectare_mailbox::Owner;
use std::time::Instant;

/// How many commands a shard's own thread runs before it looks at the clock again.
const THREAD_TURN_COMMANDS: usize = 4096;

/// One shard: a part of the keyspace and the mailbox in front of it.
///
/// Whoever holds it drives it: one of the engine's own threads, or any event loop that calls
/// [`turn`](Self::turn) when the shard's [`Wake`](hectare_mailbox::Wake) says so. While its driver
/// [sleeps](Self::announce_sleep), callers come in and run their commands themselves; while it does
/// not, they send them and wait for the next turn. A shard that is dropped takes its data along, and
/// answers what it had accepted with [`EngineError::ShardLost`].
#[derive(Debug)]
pub struct Shard {
    number: usize,
    owner: Owner<Call, Core>,
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
    pub(crate) fn new(number: usize, owner: Owner<Call, Core>) -> Self {
        Self { number, owner }
    }

    /// Which shard of the engine it is, from 0.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// Whether a command has panicked in it. Its data is gone, and every call is answered with
    /// [`EngineError::ShardLost`].
    pub fn is_lost(&mut self) -> bool {
        self.owner.with(|core| core.is_lost())
    }

    /// Runs what waits, at most `budget_commands` commands (and one group of small batches more), and
    /// frees some expired keys. Between two batches it lends the shard to a caller that waits to take several at once.
    pub fn turn(&mut self, budget_commands: usize) -> Turn {
        let now = Moment::now();
        self.owner.with(|core| core.set_now(now.unix_ms));
        let mut budget = budget_commands;
        while budget > 0 {
            let Some(call) = self.owner.with(Core::resume).or_else(|| self.owner.pop()) else {
                break;
            };
            self.advance(call, &mut budget);
            self.owner.lend_if_asked();
        }
        self.owner.lend_if_asked();
        // A lost shard has nothing to tend.
        let has_more = self.owner.with(Core::tend).unwrap_or(false);
        if budget == 0 || has_more { Turn::Busy } else { self.rest(now) }
    }

    /// Says that the caller is about to sleep, by a means that the shard's wake ends; others may come
    /// in from now on. False: there is work, so it must not. After the sleep,
    /// [`wake_up`](Self::wake_up).
    pub fn announce_sleep(&mut self) -> bool {
        self.owner.announce_sleep()
    }

    /// Says that the caller is awake, whatever woke it, and waits until nobody else is in. (Every
    /// other method does so, too.)
    pub fn wake_up(&mut self) {
        self.owner.wake_up();
    }

    /// Lets others in while `run` runs. For a driver that calls the engine and waits for the answer:
    /// without this it could wait for itself.
    pub fn aside<R>(&mut self, run: impl FnOnce() -> R) -> R {
        self.owner.step_aside();
        let outcome = run();
        self.owner.wake_up();
        outcome
    }

    /// Runs a batch of the driver's own, after everything that was sent before.
    pub(crate) fn run_batch(&mut self, batch: &mut Batch) -> Result<(), EngineError> {
        self.run_in_place(|alive| {
            batch.run(alive, usize::MAX);
        })
    }

    /// Runs something of the driver's own, after everything that was sent before.
    pub(crate) fn run_in_place(&mut self, run: impl FnOnce(&mut Alive)) -> Result<(), EngineError> {
        let now = unix_ms();
        self.owner.with(|core| core.set_now(now));
        let mut budget = usize::MAX;
        while let Some(call) = self.owner.with(Core::resume).or_else(|| self.owner.pop()) {
            self.advance(call, &mut budget);
        }
        let ran = self.owner.with(|core| core.run(run));
        ran.map_err(|Lost| EngineError::ShardLost { shard: self.number })
    }

    /// Drives the shard on the calling thread, which must be the one that its wake unparks, until
    /// the engine is closed.
    pub(crate) fn serve(mut self) -> Result<(), Lost> {
        loop {
            match self.turn(THREAD_TURN_COMMANDS) {
                Turn::Busy => {}
                // No lingering: while the thread is awake, callers have to send and wait for it,
                // and once it sleeps they help themselves.
                Turn::Idle { until } => {
                    if !self.owner.with(Core::rest).unwrap_or(false) {
                        self.owner.sleep(until);
                    }
                }
                Turn::Finished => return if self.is_lost() { Err(Lost) } else { Ok(()) },
            }
        }
    }

    /// Runs a call, and small ones behind it along with it.
    fn advance(&mut self, call: Call, budget: &mut usize) {
        let gathered = group::gather(call, || self.owner.pop());
        let mut done = Done::new();
        self.owner.with(|core| core.advance_group(gathered, budget, &mut done));
        done.into_iter().for_each(Call::finish);
    }

    fn rest(&mut self, now: Moment) -> Turn {
        if self.owner.is_finished() {
            return Turn::Finished;
        }
        let deadline = self.owner.with(|core| {
            core.owner_until_ms = core.next_removal_ms();
            core.owner_until_ms
        });
        match deadline {
            Some(deadline) if deadline <= now.unix_ms => Turn::Busy,
            deadline => Turn::Idle { until: deadline.map(|deadline| now.instant_of(deadline)) },
        }
    }
}
