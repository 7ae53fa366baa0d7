//! How do many commands go out at once, and come back in order?

use crate::client::Client;
use crate::error::EngineError;
use crate::exchange::Exchange;
use crate::native::Reply;
use crate::plan::Plan;
use crate::wire::{ReplyBuffer, Wire};
use hectare_store::{Args, Command, CommandError, Span};
use smallvec::SmallVec;

/// Commands that are sent together, one batch for each shard that they touch, and answered in the
/// order in which they were asked.
///
/// Used again and again, it takes no memory per command once its buffers have grown. Commands on
/// one key run in order. A command on keys of several shards is run shard by shard: each part is
/// atomic, the whole is not.
///
/// ```
/// use hectare_engine::{Engine, Reply};
///
/// let engine = Engine::builder().shards(2).build()?;
/// let client = engine.client();
/// let mut pipeline = client.pipeline();
/// pipeline.command([b"HSET".as_slice(), b"user:1", b"name", b"Ada"])?;
/// pipeline.command([b"HGET".as_slice(), b"user:1", b"name"])?;
/// let replies = pipeline.run()?;
/// assert_eq!(replies.get(0), Reply::Integer(1));
/// assert_eq!(replies.get(1), Reply::Bytes(b"Ada"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Pipeline {
    client: Client,
    wire: &'static dyn Wire,
    exchanges: Vec<Exchange>,
    plan: Plan,
    merged: ReplyBuffer,
    /// The shard that the last submission began with.
    first: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Commands can be added.
    Open,
    /// The batches are with their shards.
    Sent,
    /// The answers are here.
    Answered,
}

/// The answers of a [`Pipeline`], in the order in which they were asked for.
#[derive(Clone, Copy, Debug)]
pub struct Replies<'a> {
    pipeline: &'a Pipeline,
}

impl Pipeline {
    pub(crate) fn new(client: Client, wire: &'static dyn Wire) -> Self {
        let exchanges = (0..client.shards()).map(|_| Exchange::new(wire)).collect();
        Self {
            client,
            wire,
            exchanges,
            plan: Plan::default(),
            merged: ReplyBuffer::default(),
            first: 0,
            state: State::Open,
        }
    }

    /// Adds a command by its arguments, its name first. The first command after a run starts a new
    /// pipeline.
    ///
    /// # Errors
    /// If there is no such command, or not with so many arguments; the pipeline is then as before.
    ///
    /// # Panics
    /// If the pipeline was submitted and not waited for.
    pub fn command<'a>(
        &mut self,
        args: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<&mut Self, CommandError> {
        self.open();
        let args: SmallVec<[&[u8]; 16]> = args.into_iter().collect();
        let (command, args) = resolve(&args)?;
        self.add(command, args)?;
        Ok(self)
    }

    /// Adds a command whose row is known, by the arguments after its name.
    ///
    /// # Errors
    /// If their number does not fit the command, or the pipeline would pass 4 GiB of arguments for
    /// one shard; the pipeline is then as before.
    ///
    /// # Panics
    /// If the pipeline was submitted and not waited for.
    pub fn push(&mut self, command: &'static Command, args: &[&[u8]]) -> Result<(), CommandError> {
        self.open();
        command.check_arguments(args.len())?;
        self.add(command, args)
    }

    /// How many commands it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.plan.len()
    }

    /// Whether it holds no command.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.plan.len() == 0
    }

    /// Sends every command and waits for every answer.
    ///
    /// # Errors
    /// [`EngineError::Full`], [`EngineError::Closed`] or [`EngineError::ShardLost`]; what went to
    /// other shards has then been run. A command's own failure is an answer, not an error.
    pub fn run(&mut self) -> Result<Replies<'_>, EngineError> {
        self.submit()?;
        self.wait()
    }

    /// Sends every command. [`wait`](Self::wait) must follow before the next command is added.
    ///
    /// # Errors
    /// As for [`run`](Self::run); nothing is outstanding then.
    ///
    /// # Panics
    /// If it was submitted already.
    pub fn submit(&mut self) -> Result<(), EngineError> {
        self.open();
        if let Err(error) = self.start() {
            // Whatever went out has to come back first; this error is the one that counts.
            let _also = self.collect();
            self.forget();
            return Err(error);
        }
        self.state = State::Sent;
        Ok(())
    }

    /// Runs in place what can be, first what nobody is in the way of; sends the rest.
    fn start(&mut self) -> Result<(), EngineError> {
        let Self { client, exchanges, first, .. } = self;
        let shards = exchanges.len();
        // Callers that all began with the same shard would queue up there.
        *first = (*first + 1) % shards;
        for patience in [false, true] {
            for shard in (*first..shards).chain(0..*first) {
                let exchange = &mut exchanges[shard];
                if exchange.is_away() || !exchange.has_commands() {
                    continue;
                }
                let is_done = exchange.run_in_place(shard, client.way(shard), patience)?;
                if !is_done && patience {
                    client.send(shard, exchange)?;
                }
            }
        }
        Ok(())
    }

    /// Waits for every answer.
    ///
    /// # Errors
    /// [`EngineError::ShardLost`].
    ///
    /// # Panics
    /// If it was not submitted.
    pub fn wait(&mut self) -> Result<Replies<'_>, EngineError> {
        assert!(self.state == State::Sent, "a pipeline is submitted before it is waited for");
        if let Err(error) = self.collect() {
            self.forget();
            return Err(error);
        }
        self.state = State::Answered;
        self.plan.merge(self.wire, &self.exchanges, &mut self.merged);
        Ok(Replies { pipeline: self })
    }

    /// Forgets commands and answers, and keeps the buffers.
    ///
    /// # Panics
    /// If the pipeline was submitted and not waited for.
    pub fn clear(&mut self) {
        assert!(self.state != State::Sent, "{OUTSTANDING}");
        self.forget();
    }

    fn forget(&mut self) {
        self.exchanges.iter_mut().for_each(Exchange::clear);
        self.plan.clear();
        self.merged.clear();
        self.state = State::Open;
    }

    fn open(&mut self) {
        assert!(self.state != State::Sent, "{OUTSTANDING}");
        if self.state == State::Answered {
            self.forget();
        }
    }

    fn add(&mut self, command: &'static Command, args: &[&[u8]]) -> Result<(), CommandError> {
        let mut destinations = self.client.destinations(&mut self.exchanges);
        self.plan.add(command, args, &mut destinations)
    }

    /// Waits for every batch that is away.
    fn collect(&mut self) -> Result<(), EngineError> {
        let mut outcome = Ok(());
        for (shard, exchange) in self.exchanges.iter_mut().enumerate() {
            if exchange.is_away() {
                outcome = outcome.and(exchange.wait(shard));
            }
        }
        outcome
    }
}

impl<'a> Replies<'a> {
    /// How many there are: as many as commands.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pipeline.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pipeline.is_empty()
    }

    /// How many of them are errors.
    #[must_use]
    pub fn errors(&self) -> usize {
        let Pipeline { exchanges, plan, merged, wire, .. } = self.pipeline;
        let all: usize = exchanges.iter().map(Exchange::errors).sum();
        all - plan.hidden_errors(*wire, exchanges) + merged.errors
    }

    /// The answer to one command, in the bytes of the pipeline's wire form.
    ///
    /// # Panics
    /// If there is no such command.
    #[must_use]
    pub fn bytes(&self, command: usize) -> &'a [u8] {
        let Pipeline { exchanges, plan, merged, .. } = self.pipeline;
        plan.place(command).find(exchanges, merged)
    }

    /// The answer to one command of a pipeline in the engine's own wire form.
    ///
    /// # Panics
    /// If there is no such command, or the pipeline has another wire form.
    #[must_use]
    pub fn get(&self, command: usize) -> Reply<'a> {
        Reply::read(self.bytes(command))
    }

    /// Every answer, as by [`get`](Self::get).
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Reply<'a>> + use<'a> {
        let replies = *self;
        (0..self.len()).map(move |command| replies.get(command))
    }
}

/// Finds a command's row and the arguments after its name.
fn resolve<'s, 'a>(
    args: &'s [&'a [u8]],
) -> Result<(&'static Command, &'s [&'a [u8]]), CommandError> {
    let name = args.first().copied().unwrap_or_default();
    let Some((command, words)) = Command::find(name, args.get(1).copied()) else {
        return Err(unknown(args));
    };
    let rest = &args[1 + words..];
    command.check_arguments(rest.len())?;
    Ok((command, rest))
}

/// What is wrong with arguments that begin with no command.
fn unknown(args: &[&[u8]]) -> CommandError {
    // An error's text quotes the beginning of the arguments, so the beginning is enough.
    let mut bytes = Vec::new();
    let spans: Vec<Span> = args
        .iter()
        .take(QUOTED_MAX)
        .map(|arg| {
            let start = bytes.len();
            bytes.extend_from_slice(&arg[..arg.len().min(QUOTED_MAX)]);
            [start, bytes.len()].map(|place| u32::try_from(place).unwrap_or(u32::MAX))
        })
        .map(|[start, end]| Span { start, end })
        .collect();
    let resolved = Command::resolve(Args::new(&bytes, &spans));
    resolved.err().unwrap_or(CommandError::Syntax)
}

/// More arguments, and more bytes of each, than any error's text quotes.
const QUOTED_MAX: usize = 256;

const OUTSTANDING: &str = "a pipeline that was submitted is waited for first";
