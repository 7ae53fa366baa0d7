//! How does the engine in this process answer like a server?

use std::num::NonZeroUsize;
use std::ops::Range;
use std::time::Instant;

use hectare_engine::{Engine, Pipeline, Reply as EngineReply};
use hectare_resp::Reply;
use hectare_workload::Commands;

use crate::connection::{ConnectionError, Progress, ReplyKind, ReplySummary};
use crate::memory::Books;

/// How many commands of a long run are one pipeline, and how many bytes they take in it: no more than
/// the engine keeps of a batch that is used again. A larger one would be had from the system and given
/// back each time, and be in the memory of the process whenever that is read.
const COMMANDS_AT_ONCE: usize = 512;
const BYTES_AT_ONCE: usize = 128 << 10;

/// What an argument takes in a pipeline beside its bytes.
const ARGUMENT_BYTES: usize = 8;

/// The engine that is measured.
#[derive(Debug)]
pub(crate) struct EmbeddedEngine {
    engine: Engine,
}

impl EmbeddedEngine {
    /// Starts it and says how many shards it has.
    pub(crate) fn start(shards: Option<NonZeroUsize>) -> Result<(Self, usize), String> {
        let mut builder = Engine::builder();
        if let Some(shards) = shards {
            builder = builder.shards(shards.get());
        }
        let engine = builder.build().map_err(|error| error.to_string())?;
        let stats = engine.stats().map_err(|error| error.to_string())?;
        Ok((Self { engine }, stats.shards))
    }

    pub(crate) fn connect(&self) -> EmbeddedConnection {
        let pipeline = self.engine.client().pipeline();
        EmbeddedConnection { pipeline, in_flight: None, refused: Vec::new() }
    }

    /// What everything takes, and what for, by the engine's own accounting.
    pub(crate) fn books(&self) -> Result<(u64, Books), ConnectionError> {
        let stats = self.engine.stats().map_err(refuse)?;
        let books = Books {
            payload_bytes: stats.payload_bytes,
            record_bytes: stats.record_bytes,
            index_bytes: stats.index_bytes,
            shape_bytes: stats.shape_bytes,
            slack_bytes: stats.slack_bytes,
        };
        Ok((stats.memory_bytes, books))
    }
}

/// A client of the engine, with one pipeline that is used again and again.
#[derive(Debug)]
pub(crate) struct EmbeddedConnection {
    pipeline: Pipeline,
    /// How many commands the pipeline in flight has; `None` when none is.
    in_flight: Option<usize>,
    /// The commands that the engine did not take into the pipeline, with its reason: a server would
    /// have answered them with that error.
    refused: Vec<(usize, String)>,
}

impl EmbeddedConnection {
    /// See [`Connection::submit`](crate::Connection::submit).
    pub(crate) fn submit(
        &mut self,
        commands: &Commands,
        range: Range<usize>,
    ) -> Result<Instant, ConnectionError> {
        assert!(self.in_flight.is_none(), "one pipeline is in flight at a time");
        self.refused.clear();
        let asked = range.len();
        for (index, position) in range.enumerate() {
            let command = commands.get(position).expect("the range ends within the commands");
            if let Err(error) = self.pipeline.command(command.iter()) {
                self.refused.push((index, error.to_string()));
            }
        }
        let started = Instant::now();
        self.pipeline.submit().map_err(refuse)?;
        self.in_flight = Some(asked);
        Ok(started)
    }

    /// See [`Connection::poll`](crate::Connection::poll).
    pub(crate) fn poll(
        &mut self,
        on_reply: &mut impl FnMut(ReplySummary<'_>),
    ) -> Result<Progress, ConnectionError> {
        let Some(asked) = self.in_flight.take() else { return Ok(Progress::Done) };
        let replies = self.pipeline.wait().map_err(refuse)?;
        let arrived = Instant::now();
        let mut answers = replies.iter();
        let mut refused = self.refused.iter().peekable();
        for index in 0..asked {
            let kind = match refused.next_if(|(position, _)| *position == index) {
                Some((_, text)) => ReplyKind::Error(text),
                None => summarise(answers.next().expect("every command taken is answered")),
            };
            on_reply(ReplySummary { index, kind, arrived });
        }
        Ok(Progress::Done)
    }

    /// See [`Connection::run`](crate::Connection::run).
    pub(crate) fn run(
        &mut self,
        commands: &Commands,
        range: Range<usize>,
        on_reply: &mut impl FnMut(ReplySummary<'_>),
    ) -> Result<(), ConnectionError> {
        let mut start = range.start;
        while start < range.end {
            let end = end_of_pipeline(commands, start..range.end);
            self.submit(commands, start..end)?;
            self.poll(on_reply)?;
            start = end;
        }
        Ok(())
    }

    /// See [`Connection::call`](crate::Connection::call).
    pub(crate) fn call(&mut self, arguments: &[&[u8]]) -> Result<Reply, ConnectionError> {
        assert!(self.in_flight.is_none(), "one pipeline is in flight at a time");
        if let Err(error) = self.pipeline.command(arguments.iter().copied()) {
            return Ok(Reply::Error(error.to_string().into_bytes()));
        }
        let replies = self.pipeline.run().map_err(refuse)?;
        Ok(whole(replies.iter().next().expect("a command is answered")))
    }
}

/// How far a pipeline reaches that begins where `range` does; by one command at least.
fn end_of_pipeline(commands: &Commands, range: Range<usize>) -> usize {
    let mut bytes = 0;
    for index in range.clone().take(COMMANDS_AT_ONCE) {
        let command = commands.get(index).expect("the range ends within the commands");
        bytes += command.argument_bytes() + command.len() * ARGUMENT_BYTES;
        if bytes > BYTES_AT_ONCE && index > range.start {
            return index;
        }
    }
    range.end.min(range.start + COMMANDS_AT_ONCE)
}

/// What an answer is.
fn summarise(reply: EngineReply<'_>) -> ReplyKind<'_> {
    match reply {
        EngineReply::Null => ReplyKind::Nothing,
        EngineReply::Error(text) => ReplyKind::Error(text),
        EngineReply::Array(mut elements) | EngineReply::Map(mut elements) => {
            let nothing = elements.all(|element| element == EngineReply::Null);
            if nothing { ReplyKind::Nothing } else { ReplyKind::Value }
        }
        EngineReply::Status(_) | EngineReply::Integer(_) | EngineReply::Bytes(_) => {
            ReplyKind::Value
        }
    }
}

/// An answer as a server's would be read.
fn whole(reply: EngineReply<'_>) -> Reply {
    match reply {
        EngineReply::Status(text) => Reply::Simple(text.as_bytes().to_vec()),
        EngineReply::Error(text) => Reply::Error(text.as_bytes().to_vec()),
        EngineReply::Integer(integer) => Reply::Integer(integer),
        EngineReply::Bytes(bytes) => Reply::Bulk(bytes.to_vec()),
        EngineReply::Null => Reply::Null,
        // RESP2 has no map: it sends keys and values alternating.
        EngineReply::Array(elements) | EngineReply::Map(elements) => {
            Reply::Array(elements.map(whole).collect())
        }
    }
}

fn refuse(error: impl std::fmt::Display) -> ConnectionError {
    ConnectionError::Engine { text: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_is_bounded_in_commands_and_in_bytes_and_never_empty() {
        let mut commands = Commands::new();
        for bytes in [1, BYTES_AT_ONCE, 1, 1] {
            commands.push([&vec![b'x'; bytes][..]]);
        }
        for _ in 0..600 {
            commands.push([&b"PING"[..]]);
        }
        let mut start = 0;
        let mut ends = Vec::new();
        while start < commands.len() {
            start = end_of_pipeline(&commands, start..commands.len());
            ends.push(start);
        }
        assert_eq!(ends, [1, 2, 514, 604]);
    }
}
