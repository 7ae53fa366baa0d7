//! Why did a call not get its answer?

use hectare_store::CommandError;
use std::fmt;

/// What a call gives: its answer, or why there is none.
pub type Outcome<R> = Result<R, EngineError>;

/// Why the engine did not answer a call, or answered it with a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EngineError {
    /// A shard's mailbox had no room for as long as the caller was willing to wait. Nothing of a
    /// single-key call has been done; of a pipeline, what went to other shards has.
    Full {
        /// Which shard.
        shard: usize,
    },
    /// A shard that was needed together with others was not lent for as long as the caller was willing
    /// to wait: whoever drives it did not pause. Nothing of the call has been done.
    Busy {
        /// Which shard.
        shard: usize,
    },
    /// The engine has been shut down. Nothing of the call has been done.
    Closed,
    /// The shard that had accepted the call is gone without having answered: it panicked, or
    /// whoever drove it dropped it. Its data is lost.
    ShardLost {
        /// Which shard.
        shard: usize,
    },
    /// Others wrote to a transaction's watched keys again and again. Nothing of it has been done.
    Conflict,
    /// The command was run, and failed; the text is Redis', code first.
    Failed(String),
}

impl fmt::Display for EngineError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { shard } => write!(
                formatter,
                "the mailbox of shard {shard} is full; wait longer, or ask for a larger one"
            ),
            Self::Busy { shard } => write!(
                formatter,
                "shard {shard} was not lent in time; wait longer, or let its driver step aside"
            ),
            Self::Closed => formatter.write_str("the engine is shut down"),
            Self::ShardLost { shard } => {
                write!(formatter, "shard {shard} is lost: it stopped before it answered")
            }
            Self::Conflict => formatter.write_str(
                "others kept writing to the watched keys; try again later, or watch fewer keys",
            ),
            Self::Failed(text) => formatter.write_str(text),
        }
    }
}

impl std::error::Error for EngineError {}

/// A command that is refused, or has failed, by its text.
impl From<CommandError> for EngineError {
    fn from(error: CommandError) -> Self {
        Self::Failed(error.to_string())
    }
}
