//! How are the fields of a hash set, read and removed?

use crate::command::{Command, Flags};
use crate::context::Context;
use crate::edit::FieldDeadline;
use crate::error::CommandError;
use crate::reply::ReplySink;
use crate::request::Args;
use crate::value::Value;

pub(super) const ROWS: &[Command] = &[
    Command::of_key("hset", -4, Flags::GROW_FAST, hset),
    Command::of_key("hmset", -4, Flags::GROW_FAST, hmset),
    Command::of_key("hsetnx", 4, Flags::GROW_FAST, hsetnx),
    Command::of_key("hget", 3, Flags::READ_FAST, hget),
    Command::of_key("hmget", -3, Flags::READ_FAST, hmget),
    Command::of_key("hgetall", 2, Flags::READ, hgetall),
    Command::of_key("hkeys", 2, Flags::READ, hkeys),
    Command::of_key("hvals", 2, Flags::READ, hvals),
    Command::of_key("hdel", -3, Flags::WRITE_FAST, hdel),
    Command::of_key("hexists", 3, Flags::READ_FAST, hexists),
    Command::of_key("hlen", 2, Flags::READ_FAST, hlen),
    Command::of_key("hstrlen", 3, Flags::READ_FAST, hstrlen),
];

fn hset(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let added = set_pairs(context, args, "hset")?;
    sink.integer(integer(added));
    Ok(())
}

fn hmset(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    set_pairs(context, args, "hmset")?;
    sink.status("OK");
    Ok(())
}

fn set_pairs(
    context: &mut Context<'_>,
    args: Args<'_>,
    command: &'static str,
) -> Result<usize, CommandError> {
    let pairs = args.skip(1);
    if !pairs.len().is_multiple_of(2) {
        return Err(CommandError::WrongArity { command });
    }
    let key = context.key(args, 0);
    let mut hash = context.edit_or_create_hash(key)?;
    if pairs.len() == 2 {
        let is_new = hash.set(pairs.at(0), Value::parse(pairs.at(1)), FieldDeadline::Clear)?;
        return Ok(usize::from(is_new));
    }
    let pair = |index: usize| (pairs.at(index * 2), Value::parse(pairs.at(index * 2 + 1)));
    hash.set_all((0..pairs.len() / 2).map(pair), FieldDeadline::Clear)
}

fn hsetnx(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let key = context.key(args, 0);
    let mut hash = context.edit_or_create_hash(key)?;
    let is_new = hash.get(args.at(1)).is_none();
    if is_new {
        hash.set(args.at(1), Value::parse(args.at(2)), FieldDeadline::Clear)?;
    }
    sink.integer(i64::from(is_new));
    Ok(())
}

fn hget(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let key = context.key(args, 0);
    let hash = context.hash(key)?;
    write_optional(hash.and_then(|hash| hash.get(args.at(1))), sink);
    Ok(())
}

fn hmget(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let key = context.key(args, 0);
    let hash = context.hash(key)?;
    let fields = args.skip(1);
    sink.array(fields.len());
    for field in fields.iter() {
        if sink.is_full() {
            break;
        }
        write_optional(hash.and_then(|hash| hash.get(field)), sink);
    }
    Ok(())
}

fn hgetall(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let key = context.key(args, 0);
    let Some(hash) = context.hash(key)? else {
        sink.map(0);
        return Ok(());
    };
    sink.map(hash.len());
    hash.visit(&mut |field, value| {
        if !sink.is_full() {
            sink.value(Value::Bytes(field));
            sink.value(value);
        }
    });
    Ok(())
}

fn hkeys(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    write_each(context, args, sink, |field, _| Value::Bytes(field))
}

fn hvals(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    write_each(context, args, sink, |_, value| value)
}

/// Writes what `part` chooses of every field.
fn write_each(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
    part: for<'f> fn(&'f [u8], Value<'f>) -> Value<'f>,
) -> Result<(), CommandError> {
    let key = context.key(args, 0);
    let Some(hash) = context.hash(key)? else {
        sink.array(0);
        return Ok(());
    };
    sink.array(hash.len());
    hash.visit(&mut |field, value| {
        if !sink.is_full() {
            sink.value(part(field, value));
        }
    });
    Ok(())
}

fn hdel(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let key = context.key(args, 0);
    let mut removed = 0;
    if let Some(mut hash) = context.edit_hash(key)? {
        for field in args.skip(1).iter() {
            removed += usize::from(hash.remove(field)?);
            if hash.is_empty() {
                context.remove(key);
                break;
            }
        }
    }
    sink.integer(integer(removed));
    Ok(())
}

fn hexists(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let key = context.key(args, 0);
    let exists = context.hash(key)?.is_some_and(|hash| hash.get(args.at(1)).is_some());
    sink.integer(i64::from(exists));
    Ok(())
}

fn hlen(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let key = context.key(args, 0);
    sink.integer(integer(context.hash(key)?.map_or(0, |hash| hash.len())));
    Ok(())
}

fn hstrlen(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let key = context.key(args, 0);
    let value = context.hash(key)?.and_then(|hash| hash.get(args.at(1)));
    sink.integer(integer(value.map_or(0, |value| value.len())));
    Ok(())
}

/// Writes a value, or that there is none.
pub(super) fn write_optional(value: Option<Value<'_>>, sink: &mut dyn ReplySink) {
    match value {
        Some(value) => sink.value(value),
        None => sink.null(),
    }
}

/// A count as the integer that replies carry.
pub(super) fn integer(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
