//! How do many commands go out at once, and come back in order?

use crate::client::Client;
use crate::core::Lost;
use crate::error::EngineError;
use crate::exchange::Exchange;
use crate::native::Reply;
use crate::plan::Plan;
use crate::several::Several;
use crate::shard::Shard;
use crate::watch::Watch;
use crate::wire::{ReplyBuffer, Wire};
use hectare_store::{Args, Command, CommandError, Span};
use std::task::{Poll, Waker};
use std::time::Duration;

/// Commands that are sent together, one batch for each shard that they touch, and answered in the
/// order in which they were asked.
///
/// Used again and again, it takes no memory per command once its buffers have grown. Commands on
/// one key run in order. If one of them needs several shards at one moment (`MGET`, `DEL` of many
/// keys, `RENAME` …), the whole pipeline is run while its shards are held, and others see it whole or
/// not at all.
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
    /// The answers of commands that needed several shards at one moment.
    across: ReplyBuffer,
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
            across: ReplyBuffer::default(),
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
        let mut args = args.into_iter();
        // Most commands have few arguments; a vector that could grow costs them more than this.
        let mut few: [&[u8]; FEW_ARGUMENTS] = [&[]; FEW_ARGUMENTS];
        let mut count = 0;
        for (place, arg) in few.iter_mut().zip(&mut args) {
            *place = arg;
            count += 1;
        }
        let rest = if count == FEW_ARGUMENTS { args.next() } else { None };
        let Some(next) = rest else {
            let (command, args) = resolve(&few[..count])?;
            self.add(command, args)?;
            return Ok(self);
        };
        let all: Vec<&[u8]> = few.into_iter().chain([next]).chain(args).collect();
        let (command, args) = resolve(&all)?;
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

    /// Says which database the commands are for that are added from now on.
    ///
    /// # Panics
    /// If there is no such database.
    pub fn select(&mut self, database: u8) {
        self.client.select(database);
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
        self.submit_now_or(false)
    }

    /// Like [`submit`](Self::submit), for a caller that must not wait, such as an event loop or a
    /// task: what finds no room stays here and is sent by [`poll`](Self::poll).
    ///
    /// It waits only for commands that need several shards at one moment: until each of those is
    /// between two batches.
    ///
    /// # Errors
    /// [`EngineError::Closed`] or [`EngineError::ShardLost`]; nothing is outstanding then.
    ///
    /// # Panics
    /// If it was submitted already.
    pub fn submit_without_waiting(&mut self) -> Result<(), EngineError> {
        self.submit_now_or(true)
    }

    /// Like [`submit_without_waiting`](Self::submit_without_waiting), for the driver of a shard: what
    /// is for this shard is run at once, without a message.
    ///
    /// # Errors
    /// As for `submit_without_waiting`.
    ///
    /// # Panics
    /// If it was submitted already, or the shard is another engine's.
    pub fn submit_from(&mut self, shard: &mut Shard) -> Result<(), EngineError> {
        let number = shard.number();
        assert!(number < self.exchanges.len(), "the shard is one of this engine's");
        self.open();
        if self.plan.needs_several() {
            return shard.aside(|| self.submit_now_or(true));
        }
        let exchange = &mut self.exchanges[number];
        if exchange.has_commands() {
            let ran = shard.run_batch(exchange.batch());
            if let Err(error) = ran {
                self.forget();
                return Err(error);
            }
        }
        self.submit_now_or(true)
    }

    fn submit_now_or(&mut self, is_later: bool) -> Result<(), EngineError> {
        self.open();
        if let Err(error) = self.start(is_later) {
            // Whatever went out has to come back first; this error is the one that counts.
            let _also = self.collect();
            self.forget();
            return Err(error);
        }
        self.state = State::Sent;
        Ok(())
    }

    /// Runs every command while all shards that they touch are held: others see all of it or
    /// nothing, and so does it of theirs.
    ///
    /// # Errors
    /// As for [`run`](Self::run); if a shard could not be had, nothing has been run.
    pub fn run_atomically(&mut self) -> Result<Replies<'_>, EngineError> {
        self.open();
        let outcome = self.run_holding(None);
        self.settle(outcome)?;
        Ok(Replies { pipeline: self })
    }

    /// The same, if nobody has written to the watched keys meanwhile; else nothing is run, and there
    /// is no answer.
    ///
    /// # Errors
    /// As for [`run_atomically`](Self::run_atomically).
    pub fn run_if_unchanged(&mut self, watch: &Watch) -> Result<Option<Replies<'_>>, EngineError> {
        self.open();
        let outcome = self.run_holding(Some(watch));
        let has_run = self.settle(outcome)?;
        Ok(has_run.then_some(Replies { pipeline: self }))
    }

    /// What comes after the commands were run or not, all shards given back.
    fn settle(&mut self, outcome: Result<bool, EngineError>) -> Result<bool, EngineError> {
        if let Ok(true) = outcome {
            self.answered();
        } else {
            self.forget();
        }
        outcome
    }

    fn run_holding(&mut self, watch: Option<&Watch>) -> Result<bool, EngineError> {
        let Self { client, wire, exchanges, plan, across, .. } = self;
        let is_touched = |shard: usize| {
            exchanges[shard].has_commands()
                || watch.is_some_and(|watch| watch.is_on(shard))
                || plan.across.iter().any(|one| one.after.iter().any(|(on, _)| *on == shard))
        };
        let mut several = Several::take(client, is_touched)?;
        if watch.is_some_and(|watch| !watch.holds(&mut several)) {
            return Ok(false);
        }
        let lost = |shard| move |Lost| EngineError::ShardLost { shard };
        for one in &plan.across {
            for &(shard, commands) in &one.after {
                let batch = exchanges[shard].batch();
                let budget = commands - batch.done().min(commands);
                several.with(shard, |core| core.run_batch(batch, budget)).map_err(lost(shard))?;
            }
            let on = one.after[0].0;
            one.run(client, &mut several, *wire, across).map_err(lost(on))?;
        }
        for (shard, exchange) in exchanges.iter_mut().enumerate() {
            if exchange.has_commands() {
                let batch = exchange.batch();
                several
                    .with(shard, |core| core.run_batch(batch, usize::MAX))
                    .map_err(lost(shard))?;
            }
        }
        Ok(true)
    }

    /// Runs in place what can be, first what nobody is in the way of; sends the rest, and what finds
    /// no room stays here if that `is_later`.
    fn start(&mut self, is_later: bool) -> Result<(), EngineError> {
        if self.plan.needs_several() {
            return self.run_holding(None).map(|_has_run| ());
        }
        let Self { client, exchanges, first, .. } = self;
        let room_wait = if is_later { Duration::ZERO } else { client.room_wait() };
        let shards = exchanges.len();
        // Callers that all began with the same shard would queue up there.
        *first = (*first + 1) % shards;
        for patience in [false, true] {
            for shard in (*first..shards).chain(0..*first) {
                let exchange = &mut exchanges[shard];
                if !exchange.has_commands() {
                    continue;
                }
                let is_done = exchange.run_in_place(shard, client.way(shard), patience)?;
                if !is_done && patience {
                    match exchange.send(shard, client.way(shard), room_wait) {
                        Err(EngineError::Full { .. }) if is_later => {}
                        sent => sent?,
                    }
                }
            }
        }
        Ok(())
    }

    /// Waits for every answer.
    ///
    /// # Errors
    /// [`EngineError::ShardLost`], and what the rest of it meets if it was submitted without waiting.
    ///
    /// # Panics
    /// If it was not submitted.
    pub fn wait(&mut self) -> Result<Replies<'_>, EngineError> {
        assert!(self.state == State::Sent, "a pipeline is submitted before it is waited for");
        let room_wait = self.client.room_wait();
        let unsent = self.send_what_is_here(room_wait);
        if let Err(error) = self.collect().and(unsent) {
            self.forget();
            return Err(error);
        }
        self.answered();
        Ok(Replies { pipeline: self })
    }

    /// Every answer, if all are there; else `waker` is woken when there is something to look at
    /// again. Only the waker of the last call counts.
    ///
    /// # Errors
    /// [`EngineError::Closed`] or [`EngineError::ShardLost`]; nothing is outstanding then.
    ///
    /// # Panics
    /// If it was not submitted.
    pub fn poll(&mut self, waker: &Waker) -> Poll<Result<Replies<'_>, EngineError>> {
        match self.poll_outstanding(waker) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(())) => Poll::Ready(Ok(Replies { pipeline: self })),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        }
    }

    /// Sends every command and waits for every answer as a future does: in any runtime, or none.
    ///
    /// If the future is dropped before it is ready, the answers are still outstanding:
    /// [`wait`](Self::wait) for them, or drop the pipeline.
    ///
    /// # Errors
    /// As for [`run`](Self::run), but never [`EngineError::Full`]: a task that finds no room is
    /// polled again.
    pub async fn run_async(&mut self) -> Result<Replies<'_>, EngineError> {
        self.submit_without_waiting()?;
        std::future::poll_fn(|context| self.poll_outstanding(context.waker())).await?;
        Ok(Replies { pipeline: self })
    }

    /// The answers of the last run, as long as no command has been added since.
    #[must_use]
    pub fn replies(&self) -> Option<Replies<'_>> {
        (self.state == State::Answered).then_some(Replies { pipeline: self })
    }

    /// Forgets commands and answers, and keeps the buffers.
    ///
    /// # Panics
    /// If the pipeline was submitted and not waited for.
    pub fn clear(&mut self) {
        assert!(self.state != State::Sent, "{OUTSTANDING}");
        self.forget();
    }

    fn poll_outstanding(&mut self, waker: &Waker) -> Poll<Result<(), EngineError>> {
        assert!(self.state == State::Sent, "a pipeline is submitted before it is polled");
        let mut outcome = match self.send_what_is_here(Duration::ZERO) {
            Err(EngineError::Full { .. }) => {
                // Nobody says when there is room.
                waker.wake_by_ref();
                return Poll::Pending;
            }
            sent => sent,
        };
        for (shard, exchange) in self.exchanges.iter_mut().enumerate() {
            if exchange.is_away() {
                match exchange.poll(shard, waker) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(answer) => outcome = outcome.and(answer),
                }
            }
        }
        match outcome {
            Ok(()) => self.answered(),
            Err(_) => self.forget(),
        }
        Poll::Ready(outcome)
    }

    /// Sends what found no room when it was submitted.
    fn send_what_is_here(&mut self, room_wait: Duration) -> Result<(), EngineError> {
        let Self { client, exchanges, .. } = self;
        for (shard, exchange) in exchanges.iter_mut().enumerate() {
            if exchange.has_commands() {
                exchange.send(shard, client.way(shard), room_wait)?;
            }
        }
        Ok(())
    }

    fn forget(&mut self) {
        self.exchanges.iter_mut().for_each(Exchange::clear);
        self.plan.clear();
        self.merged.clear();
        self.across.clear();
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

    fn answered(&mut self) {
        self.state = State::Answered;
        self.plan.merge(self.wire, &self.exchanges, &mut self.merged);
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
        let Pipeline { exchanges, plan, merged, across, wire, .. } = self.pipeline;
        let all: usize = exchanges.iter().map(Exchange::errors).sum();
        all - plan.hidden_errors(*wire, exchanges) + merged.errors + across.errors
    }

    /// The answer to one command, in the bytes of the pipeline's wire form.
    ///
    /// # Panics
    /// If there is no such command.
    #[must_use]
    pub fn bytes(&self, command: usize) -> &'a [u8] {
        let Pipeline { exchanges, plan, merged, across, .. } = self.pipeline;
        plan.place(command).find(exchanges, merged, across)
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

/// As many as `HSET` of three fields has, and its name.
const FEW_ARGUMENTS: usize = 8;

const OUTSTANDING: &str = "a pipeline that was submitted is waited for first";
