//! How does the driver of a shard run commands without copying their arguments?
//!
//! A batch owns its bytes, since it travels. What is for the driver's own shard does not: its
//! arguments can stay in the buffer into which they were read, and its replies can be written behind
//! those that go out with them.

use crate::client::Client;
use crate::error::EngineError;
use crate::shard::Shard;
use crate::wire::{ReplyBuffer, Wire};
use arrayvec::ArrayVec;
use hectare_store::{Args, Command, GROUP, Keys, Request, Span, Spread};

/// Commands for the shard of whoever drives it, whose arguments stay where they are.
///
/// To be used again and again; it takes no memory per command once it has grown.
#[derive(Debug, Default)]
pub struct InPlace {
    spans: Vec<Span>,
    headers: Vec<Header>,
    /// Those that were run last.
    last: Vec<Header>,
}

#[derive(Clone, Copy, Debug)]
struct Header {
    command: &'static Command,
    hash: u64,
    spans_end: u32,
    database: u8,
}

impl InPlace {
    /// How many commands there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.headers.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.headers.is_empty()
    }

    /// The commands that were run last, in order.
    pub fn last(&self) -> impl Iterator<Item = &'static Command> {
        self.last.iter().map(|header| header.command)
    }

    /// Adds a command whose arguments are `spans` of the text that it will be [run](Self::run) with.
    /// Their number must fit the command ([`Command::check_arguments`]), and the hash be what
    /// [`Client::hash_for`] says.
    ///
    /// # Panics
    /// If there are more than 2³² arguments.
    #[inline]
    pub fn push(
        &mut self,
        command: &'static Command,
        database: u8,
        hash: u64,
        spans: impl IntoIterator<Item = Span>,
    ) {
        self.spans.extend(spans);
        let spans_end = u32::try_from(self.spans.len()).expect("a text has fewer arguments");
        self.headers.push(Header { command, hash, spans_end, database });
    }

    /// Runs all commands in order, after everything that was sent to the shard before, and forgets
    /// them. Each has one reply.
    ///
    /// # Errors
    /// [`EngineError::ShardLost`].
    ///
    /// # Panics
    /// If an argument is no span of `text`.
    pub fn run(
        &mut self,
        shard: &mut Shard,
        text: &[u8],
        wire: &dyn Wire,
        replies: &mut ReplyBuffer,
    ) -> Result<(), EngineError> {
        let Self { spans, headers, last } = self;
        let mut spans_start = 0;
        let ran = shard.run_in_place(|alive| {
            wire.lend(replies, &mut |sink| {
                for group in headers.chunks(GROUP) {
                    let requests: ArrayVec<Request<'_>, GROUP> = group
                        .iter()
                        .map(|header| {
                            let spans_end = header.spans_end as usize;
                            let args = Args::new(text, &spans[spans_start..spans_end]);
                            spans_start = spans_end;
                            let Header { command, hash, database, .. } = *header;
                            Request { command, database, hash, args }
                        })
                        .collect();
                    alive.run_group(&requests, sink);
                }
            });
        });
        spans.clear();
        std::mem::swap(headers, last);
        headers.clear();
        ran
    }
}

impl Client {
    /// The hash that a command with these arguments is run by, if the shard of this number is all
    /// that it needs.
    #[inline]
    #[must_use]
    pub fn hash_for<'a>(
        &self,
        shard: usize,
        command: &Command,
        count: usize,
        argument: impl Fn(usize) -> &'a [u8],
    ) -> Option<u64> {
        let is_alone = self.shards() == 1;
        let is_of_one_key = match command.keys {
            // The keys of COPY are its first two arguments.
            Keys::First => command.spread == Spread::One && command.name != "copy",
            Keys::All => count == 1,
            Keys::EverySecond => count == 2,
            Keys::None => false,
        };
        if !is_of_one_key {
            let hash = || if command.keys == Keys::None { 0 } else { self.place(argument(0)).1 };
            return is_alone.then(hash);
        }
        let (place, hash) = self.place(argument(0));
        (place == shard).then_some(hash)
    }
}
