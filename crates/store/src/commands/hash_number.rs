//! How are numbers in the fields of a hash added to?

use crate::command::{Command, Flags};
use crate::context::Context;
use crate::edit::FieldDeadline;
use crate::error::CommandError;
use crate::extended::Extended;
use crate::number::parse_integer;
use crate::reply::ReplySink;
use crate::request::Args;
use crate::value::Value;

pub(super) const ROWS: &[Command] = &[
    Command::of_key("hincrby", 4, Flags::GROW_FAST, hincrby),
    Command::of_key("hincrbyfloat", 4, Flags::GROW_FAST, hincrbyfloat),
];

fn hincrby(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let increment = parse_integer(args.at(2)).ok_or(CommandError::NotAnInteger)?;
    let key = context.key(args, 0);
    let mut hash = context.edit_or_create_hash(key)?;
    let integer = match hash.get(args.at(1)) {
        Some(Value::Integer(integer)) => integer,
        Some(Value::Bytes(_)) => return Err(CommandError::FieldNotAnInteger),
        None => 0,
    };
    // A new field takes any increment, so a hash that was just made is not left empty.
    let sum = integer.checked_add(increment).ok_or(CommandError::Overflow)?;
    hash.set(args.at(1), Value::Integer(sum), FieldDeadline::Keep)?;
    sink.integer(sum);
    Ok(())
}

fn hincrbyfloat(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let increment =
        Extended::parse(args.at(2)).ok_or(CommandError::text("ERR value is not a valid float"))?;
    if !increment.is_finite() {
        return Err(CommandError::text("ERR value is NaN or Infinity"));
    }
    let key = context.key(args, 0);
    let mut hash = context.edit_or_create_hash(key)?;
    let number = match hash.get(args.at(1)) {
        Some(value) => value
            .with_text(Extended::parse)
            .ok_or(CommandError::text("ERR hash value is not a float"))?,
        None => Extended::ZERO,
    };
    // A new field takes any finite increment, so a hash that was just made is not left empty.
    let sum = number.add(increment);
    if !sum.is_finite() {
        return Err(CommandError::text("ERR increment would produce NaN or Infinity"));
    }
    let text = sum.to_text();
    let sum = Value::parse(text.as_bytes());
    hash.set(args.at(1), sum, FieldDeadline::Keep)?;
    sink.value(sum);
    Ok(())
}
