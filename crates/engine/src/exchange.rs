//! How does one caller trade batches with one shard?

use crate::batch::Batch;
use crate::error::EngineError;
use crate::shard::{Call, Message};
use crate::wire::Wire;
use hectare_mailbox::{Answer, SendError, Sender};
use std::time::{Duration, Instant};

/// A batch and the place for its answer, used again for call after call.
#[derive(Debug)]
pub(crate) struct Exchange {
    wire: &'static dyn Wire,
    /// `None` while it is away, and after a shard was lost with it.
    batch: Option<Box<Batch>>,
    answer: Answer<Box<Batch>>,
    away: bool,
}

impl Exchange {
    pub(crate) fn new(wire: &'static dyn Wire) -> Self {
        Self { wire, batch: None, answer: Answer::new(), away: false }
    }

    /// The batch, here and not away.
    pub(crate) fn batch(&mut self) -> &mut Batch {
        self.batch.get_or_insert_with(|| Box::new(Batch::new(self.wire)))
    }

    /// Whether there is something to send.
    pub(crate) fn has_commands(&self) -> bool {
        self.batch.as_ref().is_some_and(|batch| !batch.is_empty())
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

    /// Sends the batch off, waiting for room as long as said; not at all if that is zero. If it
    /// does not go, it stays here.
    pub(crate) fn send(
        &mut self,
        shard: usize,
        sender: &Sender<Message>,
        room_wait: Duration,
    ) -> Result<(), EngineError> {
        let wire = self.wire;
        let batch = self.batch.take().unwrap_or_else(|| Box::new(Batch::new(wire)));
        let message = Message::Run(Call { batch, completion: self.answer.issue() });
        let sent = match sender.send(message) {
            Err(SendError::Full(message)) if !room_wait.is_zero() => {
                sender.send_before(message, Instant::now() + room_wait)
            }
            sent => sent,
        };
        let (message, error) = match sent {
            Ok(()) => {
                self.away = true;
                return Ok(());
            }
            Err(SendError::Full(message)) => (message, EngineError::Full { shard }),
            Err(SendError::Closed(message)) => (message, EngineError::Closed),
            Err(SendError::Gone(message)) => (message, EngineError::ShardLost { shard }),
        };
        if let Message::Run(call) = message {
            self.batch = Some(call.batch);
            drop(call.completion);
            // The completion was dropped just now: this call is over.
            let _abandoned = self.answer.poll();
        }
        Err(error)
    }

    /// Waits until the batch is back.
    pub(crate) fn wait(&mut self, shard: usize) -> Result<(), EngineError> {
        self.away = false;
        let batch = self.answer.wait(None).map_err(|_| EngineError::ShardLost { shard })?;
        self.batch = Some(batch);
        Ok(())
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
