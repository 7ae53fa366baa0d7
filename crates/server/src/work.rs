//! How do the commands of one burst become replies in the order asked?
//!
//! Commands on data go into a pipeline of the engine. What is answered without the engine between
//! them — `PING`, a refusal — is written at once into `own`, and the steps say how the two are put
//! together.

use crate::counts::Counts;
use crate::rows::RowNumber;
use crate::shared::Tally;
use crate::wire::Wires;
use hectare_engine::Shard;
use hectare_engine::{Client, Command, CommandError, EngineError, Pipeline};
use hectare_resp::{Encoder, Protocol};
use std::task::{Poll, Waker};

/// The commands of one burst of one connection.
#[derive(Debug)]
pub(crate) struct Work {
    pipeline: Pipeline,
    protocol: Protocol,
    database: u8,
    own: Vec<u8>,
    steps: Vec<Step>,
    /// The row of each command of the engine.
    rows: Vec<u16>,
}

/// What comes next in the answer.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// So many answers of the engine.
    Answers(u32),
    /// So many answers of the engine that nobody wants.
    Silence(u32),
    /// So many bytes that are ours.
    Own(usize),
}

/// What came of a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) commands: usize,
    pub(crate) reply_bytes: usize,
}

/// What works keep of their own bytes.
const OWN_BYTES_KEPT: usize = 16 << 10;

impl Work {
    fn new(client: &Client, wires: Wires, protocol: Protocol) -> Self {
        Self {
            pipeline: client.pipeline_in(wires.of(protocol)),
            protocol,
            database: 0,
            own: Vec::new(),
            steps: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// How many commands of the engine there are.
    pub(crate) fn commands(&self) -> usize {
        self.pipeline.len()
    }

    /// Adds a command on data.
    pub(crate) fn push(
        &mut self,
        command: &'static Command,
        database: u8,
        args: &[&[u8]],
        is_silent: bool,
    ) -> Result<(), CommandError> {
        if database != self.database {
            self.pipeline.select(database);
            self.database = database;
        }
        self.pipeline.push(command, args)?;
        self.rows.push(u16::try_from(RowNumber::of_store(command)).unwrap_or(u16::MAX));
        match (self.steps.last_mut(), is_silent) {
            (Some(Step::Answers(count)), false) | (Some(Step::Silence(count)), true) => *count += 1,
            (_, false) => self.steps.push(Step::Answers(1)),
            (_, true) => self.steps.push(Step::Silence(1)),
        }
        Ok(())
    }

    /// Adds an answer that is known already.
    pub(crate) fn answer(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let before = self.own.len();
        write(&mut self.own);
        let bytes = self.own.len() - before;
        match self.steps.last_mut() {
            Some(Step::Own(all)) => *all += bytes,
            _ => self.steps.push(Step::Own(bytes)),
        }
    }

    /// Sends everything off; what is for this shard is run.
    pub(crate) fn submit(&mut self, shard: &mut Shard) -> Result<(), EngineError> {
        self.pipeline.submit_from(shard)
    }

    /// Writes all answers in order, if they are all here.
    pub(crate) fn poll(
        &mut self,
        waker: &Waker,
        out: &mut Vec<u8>,
        tally: &Tally,
        counts: &Counts,
    ) -> Poll<Result<Settled, EngineError>> {
        let commands = self.pipeline.len();
        let Poll::Ready(replies) = self.pipeline.poll(waker) else { return Poll::Pending };
        let replies = match replies {
            Ok(replies) => replies,
            Err(error) => return Poll::Ready(Err(error)),
        };
        let start = out.len();
        let (mut next, mut own) = (0, 0);
        for step in self.steps.drain(..) {
            match step {
                Step::Answers(count) => {
                    for _ in 0..count {
                        out.extend_from_slice(replies.bytes(next));
                        next += 1;
                    }
                }
                Step::Silence(count) => next += count as usize,
                Step::Own(bytes) => {
                    out.extend_from_slice(&self.own[own..own + bytes]);
                    own += bytes;
                }
            }
        }
        if replies.errors() > 0 {
            Tally::add(&tally.errors, replies.errors() as u64);
            for (command, &row) in self.rows.iter().enumerate() {
                counts.settle(usize::from(row), replies.bytes(command));
            }
        }
        Poll::Ready(Ok(Settled { commands, reply_bytes: out.len() - start }))
    }

    /// Answers with a failure whatever would have been answered by the engine.
    pub(crate) fn fail(&mut self, error: &EngineError, out: &mut Vec<u8>) {
        let text = match error {
            EngineError::Failed(text) => text.clone(),
            error => format!("ERR {error}"),
        };
        let mut own = 0;
        for step in self.steps.drain(..) {
            match step {
                Step::Answers(count) => {
                    (0..count).for_each(|_| Encoder::new(out, self.protocol).error(&text));
                }
                Step::Silence(_) => {}
                Step::Own(bytes) => {
                    out.extend_from_slice(&self.own[own..own + bytes]);
                    own += bytes;
                }
            }
        }
    }

    /// Makes it as new.
    fn clear(&mut self) {
        self.pipeline.clear();
        self.steps.clear();
        self.rows.clear();
        self.own.clear();
        self.own.shrink_to(OWN_BYTES_KEPT);
    }
}

/// What a thread keeps to lend to its connections.
#[derive(Debug)]
pub(crate) struct Works {
    client: Client,
    wires: Wires,
    /// `Box`es, since what is lent moves in and out of connections.
    #[expect(clippy::vec_box, reason = "what is lent moves, and should be small when it does")]
    spare: [Vec<Box<Work>>; 2],
}

/// So many works are kept for each protocol.
const SPARE_MAX: usize = 32;

impl Works {
    pub(crate) fn new(client: Client, wires: Wires) -> Self {
        Self { client, wires, spare: [Vec::new(), Vec::new()] }
    }

    pub(crate) fn lend(&mut self, protocol: Protocol) -> Box<Work> {
        self.spare[place(protocol)]
            .pop()
            .unwrap_or_else(|| Box::new(Work::new(&self.client, self.wires, protocol)))
    }

    pub(crate) fn give_back(&mut self, mut work: Box<Work>) {
        let spare = &mut self.spare[place(work.protocol)];
        if spare.len() < SPARE_MAX {
            work.clear();
            spare.push(work);
        }
    }
}

fn place(protocol: Protocol) -> usize {
    usize::from(protocol == Protocol::Resp3)
}
