//! What travels between threads?

use crate::core::Alive;
use crate::wire::{ReplyBuffer, Wire};
use arrayvec::ArrayVec;
use hectare_mailbox::Weight;
use hectare_store::{Args, Command, CommandError, GROUP, Request, Span};

/// What a buffer keeps when its batch is recycled; what an unusual batch needed beyond goes back.
pub(crate) const KEPT_BYTES_MAX: usize = 256 << 10;

/// Commands for one shard, with everything they need: they are parsed, hashed and copied once by
/// the caller, run by the shard, and come back to the caller with their replies.
#[derive(Debug)]
pub(crate) struct Batch {
    wire: &'static dyn Wire,
    bytes: Vec<u8>,
    spans: Vec<Span>,
    headers: Vec<Header>,
    done: usize,
    pub(crate) replies: ReplyBuffer,
}

#[derive(Clone, Copy, Debug)]
struct Header {
    command: &'static Command,
    hash: u64,
    spans_start: u32,
    spans_end: u32,
    database: u8,
}

impl Batch {
    pub(crate) fn new(wire: &'static dyn Wire) -> Self {
        Self {
            wire,
            bytes: Vec::new(),
            spans: Vec::new(),
            headers: Vec::new(),
            done: 0,
            replies: ReplyBuffer::default(),
        }
    }

    /// How many commands it holds.
    pub(crate) fn commands(&self) -> usize {
        self.headers.len()
    }

    /// What it weighs in a mailbox.
    pub(crate) fn weight(&self) -> Weight {
        Weight {
            commands: u32::try_from(self.headers.len()).unwrap_or(u32::MAX),
            bytes: self.bytes.len() as u64,
        }
    }

    /// Adds a command, whose arguments are copied, and says which one of the batch it is.
    ///
    /// # Errors
    /// As for [`check_room`](Self::check_room); the batch is then as before.
    pub(crate) fn push(
        &mut self,
        command: &'static Command,
        database: u8,
        hash: u64,
        args: &[&[u8]],
    ) -> Result<u32, CommandError> {
        self.check_room(args)?;
        let spans_start = offset(self.spans.len());
        for arg in args {
            let start = offset(self.bytes.len());
            self.bytes.extend_from_slice(arg);
            self.spans.push(Span { start, end: offset(self.bytes.len()) });
        }
        let spans_end = offset(self.spans.len());
        let index = offset(self.headers.len());
        self.headers.push(Header { command, hash, spans_start, spans_end, database });
        Ok(index)
    }

    /// Whether a command with these arguments can be added.
    ///
    /// # Errors
    /// If the batch would pass 4 GiB of arguments, or 2³² arguments or commands.
    pub(crate) fn check_room(&self, args: &[&[u8]]) -> Result<(), CommandError> {
        let limit = u32::MAX as usize;
        let bytes = self.bytes.len() + args.iter().map(|arg| arg.len()).sum::<usize>();
        let spans = self.spans.len() + args.len();
        if bytes <= limit && spans <= limit && self.headers.len() < limit {
            return Ok(());
        }
        Err(CommandError::Other(
            "ERR a pipeline holds at most 4 GiB of arguments for one shard; run it first".into(),
        ))
    }

    /// Runs the next commands, at most `budget` of them, and says how many that were.
    pub(crate) fn run(&mut self, alive: &mut Alive, budget: usize) -> usize {
        let Self { wire, bytes, spans, headers, done, replies } = self;
        let next = &headers[*done..headers.len().min(done.saturating_add(budget))];
        wire.lend(replies, &mut |sink| {
            for group in next.chunks(GROUP) {
                let requests: ArrayVec<Request<'_>, GROUP> =
                    group.iter().map(|header| header.request(bytes, spans)).collect();
                alive.run_group(&requests, sink);
            }
        });
        *done += next.len();
        next.len()
    }

    /// All commands, to be run now, and where their replies go. The batch counts as done.
    pub(crate) fn all(
        &mut self,
    ) -> (impl Iterator<Item = Request<'_>>, &'static dyn Wire, &mut ReplyBuffer) {
        let Self { wire, bytes, spans, headers, done, replies } = self;
        *done = headers.len();
        let (bytes, spans) = (&*bytes, &*spans);
        (headers.iter().map(move |header| header.request(bytes, spans)), *wire, replies)
    }

    /// How many commands have been run.
    pub(crate) fn done(&self) -> usize {
        self.done
    }

    pub(crate) fn is_done(&self) -> bool {
        self.done == self.headers.len()
    }

    /// Forgets all but buffers of a usual size.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES_MAX);
        self.spans.clear();
        self.spans.shrink_to(KEPT_BYTES_MAX / size_of::<Span>());
        self.headers.clear();
        self.headers.shrink_to(KEPT_BYTES_MAX / size_of::<Header>());
        self.done = 0;
        self.replies.clear();
    }
}

impl Header {
    fn request<'a>(&self, bytes: &'a [u8], spans: &'a [Span]) -> Request<'a> {
        let spans = &spans[self.spans_start as usize..self.spans_end as usize];
        Request {
            command: self.command,
            database: self.database,
            hash: self.hash,
            args: Args::new(bytes, spans),
        }
    }
}

/// A length that [`Batch::check_room`] has found to fit.
fn offset(length: usize) -> u32 {
    u32::try_from(length).expect("the batch was checked for room")
}
