//! What else can be done with several keys at once?

use crate::command::{Command, Flags, Keys, Merge, Spread};
use crate::context::Context;
use crate::error::CommandError;
use crate::reply::ReplySink;
use crate::request::Args;
use crate::value::Value;

pub(super) const ROWS: &[Command] = &[
    Command {
        name: "touch",
        arity: -2,
        flags: Flags::READ_FAST,
        keys: Keys::All,
        spread: Spread::EachKey(Merge::Sum),
        run: touch,
    },
    // All keys or none, so it cannot be spread key by key: keys on several shards are the engine's
    // affair.
    Command {
        name: "msetnx",
        arity: -3,
        flags: Flags::GROW,
        keys: Keys::EverySecond,
        spread: Spread::One,
        run: msetnx,
    },
];

/// Counts keys that are there. There is no idle time that it could end.
fn touch(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let mut keys = 0;
    for index in 0..args.len() {
        let key = context.key(args, index);
        keys += i64::from(context.object(key).is_some());
    }
    sink.integer(keys);
    Ok(())
}

fn msetnx(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    if !args.len().is_multiple_of(2) {
        return Err(CommandError::WrongArity { command: "msetnx" });
    }
    let mut are_free = true;
    for index in (0..args.len()).step_by(2) {
        let key = context.key(args, index);
        are_free &= context.object(key).is_none();
    }
    if are_free {
        for index in (0..args.len()).step_by(2) {
            let key = context.key(args, index);
            context.put_string(key, Value::parse(args.at(index + 1)), None)?;
        }
    }
    sink.integer(i64::from(are_free));
    Ok(())
}
