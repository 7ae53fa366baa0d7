//! How does one caller trade batches with one shard?

use crate::batch::Batch;
use crate::core::Call;
use crate::error::EngineError;
use crate::reach::{self, Way};
use crate::wire::Wire;
use hectare_mailbox::Answer;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// A batch and the place for its answer, used again for call after call.
#[derive(Debug)]
pub(crate) struct Exchange {
    wire: &'static dyn Wire,
    /// `None` while it is away, and after a shard was lost with it.
    batch: Option<Box<Batch>>,
    /// Made when something is sent for the first time: most batches never are.
    answer: Option<Answer<Box<Batch>>>,
    away: bool,
}

/// A batch of more commands than this is the shard's own thread's: it would keep others out for too
/// long, and a thread switch is little beside it.
const IN_PLACE_COMMANDS_MAX: usize = 2048;

impl Exchange {
    pub(crate) fn new(wire: &'static dyn Wire) -> Self {
        Self { wire, batch: None, answer: None, away: false }
    }

    /// The batch, here and not away.
    pub(crate) fn batch(&mut self) -> &mut Batch {
        self.batch.get_or_insert_with(|| Box::new(Batch::new(self.wire)))
    }

    /// Whether there is something to run that has not been.
    pub(crate) fn has_commands(&self) -> bool {
        self.batch.as_ref().is_some_and(|batch| !batch.is_done())
    }

    /// Whether the batch was sent and not waited for.
    pub(crate) fn is_away(&self) -> bool {
        self.away
    }

    /// The batch, after it came back.
    ///
    /// # Panics
    /// If it did not.
    pub(crate) fn returned(&self) -> &Batch {
        self.batch.as_ref().expect("a batch is read after it was waited for")
    }

    /// Runs the batch in place if nobody is in the shard. With `patience`, looks for some
    /// microseconds whether whoever is in goes.
    pub(crate) fn run_in_place(
        &mut self,
        shard: usize,
        way: &Way,
        patience: bool,
    ) -> Result<bool, EngineError> {
        if self.batch().commands() > IN_PLACE_COMMANDS_MAX {
            return Ok(false);
        }
        let held = if patience { way.borrow_soon() } else { way.try_borrow() };
        reach::run_in_place(shard, held, self.batch())
    }

    /// Sends the batch off, waiting for room as long as said; not at all if that is zero. If it
    /// does not go, it stays here.
    pub(crate) fn send(
        &mut self,
        shard: usize,
        way: &Way,
        room_wait: Duration,
    ) -> Result<(), EngineError> {
        let wire = self.wire;
        let batch = self.batch.take().unwrap_or_else(|| Box::new(Batch::new(wire)));
        let wake = batch.commands() > IN_PLACE_COMMANDS_MAX;
        let call = Call { batch, completion: self.answer.get_or_insert_default().issue() };
        let Err((call, error)) = reach::send(way, shard, call, room_wait, wake) else {
            self.away = true;
            return Ok(());
        };
        self.batch = Some(call.batch);
        drop(call.completion);
        // The completion was dropped just now: this call is over.
        let _abandoned = self.answer().poll();
        Err(error)
    }

    /// Waits until the batch is back.
    pub(crate) fn wait(&mut self, shard: usize) -> Result<(), EngineError> {
        self.away = false;
        let batch = self.answer().wait(None).map_err(|_| EngineError::ShardLost { shard })?;
        self.batch = Some(batch);
        Ok(())
    }

    /// Looks whether the batch is back; if it is not, `waker` is woken when it is.
    pub(crate) fn poll(&mut self, shard: usize, waker: &Waker) -> Poll<Result<(), EngineError>> {
        let Poll::Ready(answer) = self.answer().poll_or_wake(waker) else { return Poll::Pending };
        self.away = false;
        Poll::Ready(match answer {
            Ok(batch) => {
                self.batch = Some(batch);
                Ok(())
            }
            Err(_) => Err(EngineError::ShardLost { shard }),
        })
    }

    /// Runs the batch in place, or sends it, or looks whether it is back: whatever comes next.
    pub(crate) fn poll_from_the_start(
        &mut self,
        shard: usize,
        way: &Way,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), EngineError>> {
        if !self.away {
            match self.run_in_place(shard, way, false) {
                Ok(true) => return Poll::Ready(Ok(())),
                Ok(false) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
            match self.send(shard, way, Duration::ZERO) {
                Ok(()) => {}
                Err(EngineError::Full { .. }) => {
                    // Nobody says when there is room.
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        self.poll(shard, context.waker())
    }

    /// Where the answer to what was sent comes.
    fn answer(&mut self) -> &mut Answer<Box<Batch>> {
        self.answer.as_mut().expect("what is waited for was sent")
    }

    /// How many of its answers are errors.
    pub(crate) fn errors(&self) -> usize {
        self.batch.as_ref().map_or(0, |batch| batch.replies.errors)
    }

    /// Forgets the last call.
    pub(crate) fn clear(&mut self) {
        if let Some(batch) = &mut self.batch {
            batch.clear();
        }
    }
}
