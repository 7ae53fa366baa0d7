//! How are numbers in strings added to?

use crate::command::{Command, Flags};
use crate::context::Context;
use crate::error::CommandError;
use crate::extended::Extended;
use crate::number::parse_integer;
use crate::reply::ReplySink;
use crate::request::Args;
use crate::value::Value;

pub(super) const ROWS: &[Command] = &[
    Command::of_key("incr", 2, Flags::GROW_FAST, incr),
    Command::of_key("decr", 2, Flags::GROW_FAST, decr),
    Command::of_key("incrby", 3, Flags::GROW_FAST, incrby),
    Command::of_key("decrby", 3, Flags::GROW_FAST, decrby),
    Command::of_key("incrbyfloat", 3, Flags::GROW_FAST, incrbyfloat),
];

fn incr(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    add(context, args, 1, sink)
}

fn decr(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    add(context, args, -1, sink)
}

fn incrby(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let increment = parse_integer(args.at(1)).ok_or(CommandError::NotAnInteger)?;
    add(context, args, increment, sink)
}

fn decrby(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let decrement = parse_integer(args.at(1)).ok_or(CommandError::NotAnInteger)?;
    let increment =
        decrement.checked_neg().ok_or(CommandError::text("ERR decrement would overflow"))?;
    add(context, args, increment, sink)
}

/// Adds to the integer at the key, which keeps its deadline.
fn add(
    context: &mut Context<'_>,
    args: Args<'_>,
    increment: i64,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let key = context.key(args, 0);
    let integer = match context.string(key)? {
        Some(Value::Integer(integer)) => integer,
        // What was appended to may have become one.
        Some(Value::Bytes(bytes)) => parse_integer(bytes).ok_or(CommandError::NotAnInteger)?,
        None => 0,
    };
    let sum = integer.checked_add(increment).ok_or(CommandError::Overflow)?;
    let deadline_ms = context.deadline_ms(key).flatten();
    context.put_string(key, Value::Integer(sum), deadline_ms)?;
    sink.integer(sum);
    Ok(())
}

/// The sum is kept as the text that it is, for Redis does not look whether that is an integer.
fn incrbyfloat(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let not_a_float = CommandError::text("ERR value is not a valid float");
    let key = context.key(args, 0);
    let number = match context.string(key)? {
        Some(value) => value.with_text(Extended::parse).ok_or(not_a_float.clone())?,
        None => Extended::ZERO,
    };
    let increment = Extended::parse(args.at(1)).ok_or(not_a_float)?;
    let sum = number.add(increment);
    if !sum.is_finite() {
        return Err(CommandError::text("ERR increment would produce NaN or Infinity"));
    }
    let text = sum.to_text();
    let sum = Value::Bytes(text.as_bytes());
    let deadline_ms = context.deadline_ms(key).flatten();
    context.put_string(key, sum, deadline_ms)?;
    sink.value(sum);
    Ok(())
}
