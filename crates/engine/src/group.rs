//! How are several callers' small batches run as one group?
//!
//! A group's keys are fetched from memory side by side, so a mailbox full of batches of one command
//! is run like one batch of many. Each reply still goes to its own batch, in that batch's form: the
//! sinks of all batches are lent one inside the other, and a relay writes to that of the batch whose
//! command has its turn.

use crate::batch::Batch;
use crate::core::{Alive, Call};
use arrayvec::ArrayVec;
use hectare_store::{CommandError, GROUP, ReplySink, Request, Value};

/// Calls that are run together: at most a group of commands.
pub(crate) type Group = ArrayVec<Call, GROUP>;

/// What is to be run next.
#[expect(clippy::large_enum_variant, reason = "it lives on the stack, for a moment")]
pub(crate) enum Gathered {
    /// A call by itself.
    One(Call),
    /// Small calls, and one that was taken and did not fit: it comes next.
    Group(Group, Option<Call>),
}

/// Gathers small calls behind a first one. `next` gives the call that comes behind.
pub(crate) fn gather(first: Call, mut next: impl FnMut() -> Option<Call>) -> Gathered {
    let mut commands = first.batch.commands();
    if commands > GROUP / 2 || first.batch.done() > 0 {
        return Gathered::One(first);
    }
    let Some(second) = next() else { return Gathered::One(first) };
    let mut group = Group::new();
    group.push(first);
    let mut waiting = Some(second);
    while let Some(call) = waiting {
        commands += call.batch.commands();
        if commands > GROUP || group.is_full() {
            return Gathered::Group(group, Some(call));
        }
        group.push(call);
        waiting = if commands < GROUP { next() } else { None };
    }
    Gathered::Group(group, None)
}

/// Runs all commands of batches that have together at most a group of them.
pub(crate) fn run(alive: &mut Alive, batches: &mut [&mut Batch]) {
    let mut requests = ArrayVec::<Request<'_>, GROUP>::new();
    let mut turns = ArrayVec::<usize, GROUP>::new();
    let mut sinks = ArrayVec::<_, GROUP>::new();
    for (index, batch) in batches.iter_mut().enumerate() {
        let (commands, wire, replies) = batch.all();
        for request in commands {
            requests.push(request);
            turns.push(index);
        }
        sinks.push((wire, replies));
    }
    let mut run = |chain: &mut dyn Chain| {
        let mut relay = Relay { chain, turns: &turns, turn: 0 };
        alive.run_group(&requests, &mut relay);
    };
    lend_each(&mut sinks, 0, &mut Nobody, &mut run);
}

type Lender<'a> = (&'static dyn crate::wire::Wire, &'a mut crate::wire::ReplyBuffer);

/// Lends the sinks one inside the other, and runs with all of them.
fn lend_each(
    sinks: &mut [Lender<'_>],
    number: usize,
    outer: &mut dyn Chain,
    run: &mut dyn FnMut(&mut dyn Chain),
) {
    let Some(((wire, replies), rest)) = sinks.split_first_mut() else { return run(outer) };
    wire.lend(replies, &mut |sink| {
        let mut link = Link { number, sink, outer };
        lend_each(rest, number + 1, &mut link, run);
    });
}

/// Sinks by their batches' numbers.
trait Chain {
    fn sink(&mut self, number: usize) -> &mut dyn ReplySink;
    fn look(&self, number: usize) -> &dyn ReplySink;
}

struct Nobody;

impl Chain for Nobody {
    fn sink(&mut self, number: usize) -> &mut dyn ReplySink {
        unreachable!("batch {number} has lent its sink")
    }

    fn look(&self, number: usize) -> &dyn ReplySink {
        unreachable!("batch {number} has lent its sink")
    }
}

struct Link<'a> {
    number: usize,
    sink: &'a mut dyn ReplySink,
    outer: &'a mut dyn Chain,
}

impl Chain for Link<'_> {
    fn sink(&mut self, number: usize) -> &mut dyn ReplySink {
        if number == self.number { self.sink } else { self.outer.sink(number) }
    }

    fn look(&self, number: usize) -> &dyn ReplySink {
        if number == self.number { self.sink } else { self.outer.look(number) }
    }
}

/// Writes each reply to the batch whose command it answers.
struct Relay<'a> {
    chain: &'a mut dyn Chain,
    /// The batch of each command.
    turns: &'a [usize],
    turn: usize,
}

impl Relay<'_> {
    fn sink(&mut self) -> &mut dyn ReplySink {
        self.chain.sink(self.turns[self.turn])
    }

    fn look(&self) -> &dyn ReplySink {
        self.chain.look(self.turns[self.turn])
    }
}

impl ReplySink for Relay<'_> {
    fn status(&mut self, text: &str) {
        self.sink().status(text);
    }

    fn error(&mut self, error: &CommandError) {
        self.sink().error(error);
    }

    fn integer(&mut self, integer: i64) {
        self.sink().integer(integer);
    }

    fn value(&mut self, value: Value<'_>) {
        self.sink().value(value);
    }

    fn null(&mut self) {
        self.sink().null();
    }

    fn null_array(&mut self) {
        self.sink().null_array();
    }

    fn array(&mut self, elements: usize) {
        self.sink().array(elements);
    }

    fn map(&mut self, pairs: usize) {
        self.sink().map(pairs);
    }

    fn pairs(&mut self, pairs: usize) {
        self.sink().pairs(pairs);
    }

    fn pair(&mut self) {
        self.sink().pair();
    }

    fn written(&self) -> usize {
        self.look().written()
    }

    fn truncate(&mut self, written: usize) {
        self.sink().truncate(written);
    }

    fn is_full(&self) -> bool {
        self.look().is_full()
    }

    fn bytes_left(&self) -> usize {
        self.look().bytes_left()
    }

    fn end(&mut self) {
        self.sink().end();
        self.turn += 1;
    }
}
