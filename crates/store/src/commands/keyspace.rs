//! How large is a database, and how is it emptied?

use crate::command::{Command, Flags, Keys, Merge, Spread};
use crate::commands::hash::integer;
use crate::commands::is_word;
use crate::commands::transfer::check_database;
use crate::context::Context;
use crate::error::CommandError;
use crate::number::parse_integer;
use crate::reply::ReplySink;
use crate::request::Args;

pub(super) const ROWS: &[Command] = &[
    everywhere("dbsize", 1, Flags::READ_FAST, Merge::Sum, dbsize),
    everywhere("flushdb", -1, Flags::WRITE, Merge::Status, flushdb),
    everywhere("flushall", -1, Flags::WRITE, Merge::Status, flushall),
    everywhere("swapdb", 3, Flags::WRITE_FAST, Merge::Status, swapdb),
];

const fn everywhere(
    name: &'static str,
    arity: i8,
    flags: Flags,
    merge: Merge,
    run: crate::command::Run,
) -> Command {
    Command { name, arity, flags, keys: Keys::None, spread: Spread::Everywhere(merge), run }
}

/// Unlike Redis, keys whose deadline has passed do not count.
fn dbsize(
    context: &mut Context<'_>,
    _args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let now_ms = context.now_ms;
    sink.integer(integer(context.keyspace().keys_alive(now_ms)));
    Ok(())
}

fn flushdb(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    check_flush_options(args)?;
    context.databases.flush(context.database);
    sink.status("OK");
    Ok(())
}

fn flushall(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    check_flush_options(args)?;
    context.databases.flush_all();
    sink.status("OK");
    Ok(())
}

/// All shards do it at one moment.
fn swapdb(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let number = |index: usize, otherwise: &'static str| {
        let number = parse_integer(args.at(index)).and_then(|number| i32::try_from(number).ok());
        number.ok_or(CommandError::text(otherwise))
    };
    let one = number(0, "ERR invalid first DB index")?;
    let other = number(1, "ERR invalid second DB index")?;
    context.databases.swap(check_database(one)?, check_database(other)?);
    sink.status("OK");
    Ok(())
}

/// `SYNC` and `ASYNC` are both taken, and both mean: before the answer.
fn check_flush_options(args: Args<'_>) -> Result<(), CommandError> {
    match args.get(0) {
        None => Ok(()),
        Some(option) => {
            let is_known = is_word(option, "sync") || is_word(option, "async");
            if is_known && args.len() == 1 { Ok(()) } else { Err(CommandError::Syntax) }
        }
    }
}
