//! How are strings set, read and removed?

use crate::command::{Command, Flags, Keys, Merge, Spread};
use crate::commands::hash::{integer, write_optional};
use crate::context::Context;
use crate::error::CommandError;
use crate::object::ObjectRef;
use crate::reply::ReplySink;
use crate::request::Args;
use crate::value::Value;

pub(super) const ROWS: &[Command] = &[
    Command::of_key("get", 2, Flags::READ_FAST, get),
    Command::of_key("getset", 3, Flags::GROW_FAST, getset),
    Command::of_key("getdel", 2, Flags::WRITE_FAST, getdel),
    Command::of_key("setnx", 3, Flags::GROW_FAST, setnx),
    Command::of_key("strlen", 2, Flags::READ_FAST, strlen),
    Command {
        name: "mset",
        arity: -3,
        flags: Flags::GROW,
        keys: Keys::EverySecond,
        spread: Spread::EachKey(Merge::Status),
        run: mset,
    },
    Command {
        name: "mget",
        arity: -2,
        flags: Flags::READ_FAST,
        keys: Keys::All,
        spread: Spread::EachKey(Merge::Array),
        run: mget,
    },
];

fn get(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let key = context.key(args, 0);
    write_optional(context.string(key)?, sink);
    Ok(())
}

fn getset(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    get(context, args, sink)?;
    let key = context.key(args, 0);
    context.put_string(key, Value::parse(args.at(1)), None)
}

fn getdel(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    get(context, args, sink)?;
    let key = context.key(args, 0);
    context.remove(key);
    Ok(())
}

fn setnx(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let key = context.key(args, 0);
    let is_new = context.object(key).is_none();
    if is_new {
        context.put_string(key, Value::parse(args.at(1)), None)?;
    }
    sink.integer(i64::from(is_new));
    Ok(())
}

fn strlen(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let key = context.key(args, 0);
    sink.integer(integer(context.string(key)?.map_or(0, |value| value.len())));
    Ok(())
}

fn mset(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    if !args.len().is_multiple_of(2) {
        return Err(CommandError::WrongArity { command: "mset" });
    }
    for index in (0..args.len()).step_by(2) {
        let key = context.key(args, index);
        context.put_string(key, Value::parse(args.at(index + 1)), None)?;
    }
    sink.status("OK");
    Ok(())
}

fn mget(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    sink.array(args.len());
    for index in 0..args.len() {
        if sink.is_full() {
            break;
        }
        let key = context.key(args, index);
        match context.object(key) {
            Some(ObjectRef::String(value)) => sink.value(value),
            Some(ObjectRef::Hash(_)) | None => sink.null(),
        }
    }
    Ok(())
}
