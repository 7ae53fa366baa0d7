//! Which keys are there, of what type, and how do they go?

use crate::command::{Command, Flags, Keys, Merge, Spread};
use crate::commands::hash::integer;
use crate::context::Context;
use crate::error::CommandError;
use crate::reply::ReplySink;
use crate::request::Args;
use crate::table::Key;

pub(super) const ROWS: &[Command] = &[
    counting("del", Flags::WRITE, del),
    counting("unlink", Flags::WRITE_FAST, del),
    counting("exists", Flags::READ_FAST, exists),
    Command::of_key("type", 2, Flags::READ_FAST, type_),
];

/// The row of a command that takes any number of keys and answers how many of them it met.
const fn counting(name: &'static str, flags: Flags, run: crate::command::Run) -> Command {
    let (keys, spread) = (Keys::All, Spread::EachKey(Merge::Sum));
    Command { name, arity: -2, flags, keys, spread, run }
}

fn del(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    count_keys(context, args, sink, |context, key| context.remove(key))
}

fn exists(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    count_keys(context, args, sink, |context, key| context.object(key).is_some())
}

fn count_keys(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
    counts: fn(&mut Context<'_>, Key<'_>) -> bool,
) -> Result<(), CommandError> {
    let mut keys = 0;
    for index in 0..args.len() {
        let key = context.key(args, index);
        keys += usize::from(counts(context, key));
    }
    sink.integer(integer(keys));
    Ok(())
}

fn type_(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let key = context.key(args, 0);
    sink.status(context.object(key).map_or("none", |object| object.type_name()));
    Ok(())
}
