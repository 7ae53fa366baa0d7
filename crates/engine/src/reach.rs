//! How does a caller get something done by a shard?
//!
//! If nobody is in it, by coming in: the caller runs its commands in place, and what others have
//! sent meanwhile. If somebody is, by sending a batch.

use crate::batch::Batch;
use crate::clock::unix_ms;
use crate::core::{Call, Core, Lost};
use crate::error::EngineError;
use crate::group;
use hectare_mailbox::{Lend, SendError, Sender, Standing};
use smallvec::SmallVec;
use std::time::{Duration, Instant};

/// The way to one shard.
pub(crate) type Way = Sender<Call, Core>;

/// A shard that the caller is in.
pub(crate) type Held<'a> = Lend<'a, Call, Core>;

/// How many commands of others a caller runs before it leaves the rest to the shard's own thread.
pub(crate) const FOREIGN_COMMANDS_MAX: usize = 1024;

/// Calls that are done, and are said to be so when nobody is held up by that any more.
pub(crate) type Done = SmallVec<[Call; 4]>;

/// What came of coming in.
pub(crate) enum Visit<R> {
    /// It was done.
    Done(R),
    /// Somebody else is in, or comes first.
    Busy,
    /// The engine is shut down.
    Closed,
}

/// Does something in the shard if nobody is in it, after everything that was sent before. `keeps`
/// says that it makes no key go earlier, so that the owner may sleep on.
#[inline]
pub(crate) fn visit<R>(
    held: Option<Held<'_>>,
    keeps: bool,
    run: impl FnOnce(&mut Core) -> R,
) -> Visit<R> {
    let Some(mut held) = held else { return Visit::Busy };
    if held.standing() != Standing::Quiet || held.with(|core| core.is_amid()) {
        return visit_after_others(held, run);
    }
    let outcome = held.with(run);
    if keeps {
        // Nothing waited a moment ago; if something does now, it is run.
        if let Some(again) = held.give_back() {
            help(again);
        }
    } else {
        help(held);
    }
    Visit::Done(outcome)
}

#[cold]
fn visit_after_others<R>(mut held: Held<'_>, run: impl FnOnce(&mut Core) -> R) -> Visit<R> {
    let mut done = Done::new();
    let mut budget = FOREIGN_COMMANDS_MAX;
    drain(&mut held, &mut budget, &mut done);
    let outcome = match held.standing() {
        Standing::Closed => Visit::Closed,
        Standing::Quiet if !held.with(|core| core.is_amid()) => Visit::Done(held.with(run)),
        Standing::Quiet | Standing::Busy => Visit::Busy,
    };
    leave(held, budget, done);
    outcome
}

/// Runs what waits in a shard, and leaves.
pub(crate) fn help(held: Held<'_>) {
    leave(held, FOREIGN_COMMANDS_MAX, Done::new());
}

/// Runs what others have sent, at most so many commands, and leaves; what is left then is the
/// owner's.
fn leave(held: Held<'_>, budget: usize, mut done: Done) {
    give_back(held, budget, &mut done);
    done.into_iter().for_each(Call::finish);
}

/// The same, but leaves it to the caller to finish the calls that are done.
pub(crate) fn give_back<'a>(held: Held<'a>, mut budget: usize, done: &mut Done) {
    let mut held: Held<'a> = held;
    loop {
        drain(&mut held, &mut budget, done);
        let needs_owner = held.with(|core| core.is_amid() || core.owner_oversleeps());
        if needs_owner || budget == 0 {
            held.hand_over();
            break;
        }
        match held.give_back() {
            Some(again) => held = again,
            None => break,
        }
    }
}

/// Runs what waits, at most so many commands; an interrupted call comes first.
pub(crate) fn drain(held: &mut Held<'_>, budget: &mut usize, done: &mut Done) {
    let mut is_set = false;
    while *budget > 0 {
        let Some(call) = held.with(Core::resume).or_else(|| held.pop()) else { break };
        let gathered = group::gather(call, || held.pop());
        held.with(|core| {
            if !is_set {
                core.set_now(unix_ms());
                is_set = true;
            }
            core.advance_group(gathered, budget, done);
        });
    }
}

/// Runs a batch in place if nobody is in the shard; says whether it has.
pub(crate) fn run_in_place(
    shard: usize,
    held: Option<Held<'_>>,
    batch: &mut Batch,
) -> Result<bool, EngineError> {
    let now = unix_ms();
    let visit = visit(held, false, |core| {
        core.set_now(now);
        core.run_batch(batch, usize::MAX)
    });
    match visit {
        Visit::Done(Ok(_)) => Ok(true),
        Visit::Done(Err(Lost)) => Err(EngineError::ShardLost { shard }),
        Visit::Busy => Ok(false),
        Visit::Closed => Err(EngineError::Closed),
    }
}

/// Sends a call, waiting for room as long as said; not at all if that is zero. If nobody is in the
/// shard any more, the caller runs it, unless `wake` says that the owner shall be woken for it.
///
/// # Errors
/// With the call.
pub(crate) fn send(
    way: &Way,
    shard: usize,
    call: Call,
    room_wait: Duration,
    wake: bool,
) -> Result<(), (Call, EngineError)> {
    let sent = match way.send_or_borrow(call) {
        Err(SendError::Full(call)) if !room_wait.is_zero() => {
            way.send_or_borrow_before(call, Instant::now() + room_wait)
        }
        sent => sent,
    };
    match sent {
        Ok(None) => Ok(()),
        Ok(Some(held)) => {
            if wake {
                held.hand_over();
            } else {
                help(held);
            }
            Ok(())
        }
        Err(SendError::Full(call)) => Err((call, EngineError::Full { shard })),
        Err(SendError::Closed(call)) => Err((call, EngineError::Closed)),
        Err(SendError::Gone(call)) => Err((call, EngineError::ShardLost { shard })),
    }
}

/// Why a shard cannot be had.
pub(crate) fn refusal(way: &Way, shard: usize, timed_out: bool) -> EngineError {
    if timed_out {
        EngineError::Busy { shard }
    } else if way.is_abandoned() {
        EngineError::ShardLost { shard }
    } else {
        EngineError::Closed
    }
}
