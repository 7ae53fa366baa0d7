//! How are strings set, read and added to?

use crate::command::{Command, Flags, Keys, Merge, Spread};
use crate::commands::expire::{Moment, Unit};
use crate::commands::hash::write_optional;
use crate::context::Context;
use crate::error::CommandError;
use crate::number::parse_integer;
use crate::object::ObjectRef;
use crate::reply::ReplySink;
use crate::request::Args;
use crate::value::Value;

pub(super) const ROWS: &[Command] = &[
    Command::of_key("set", -3, Flags::GROW, set),
    Command::of_key("get", 2, Flags::READ_FAST, get),
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
    Command::of_key("incr", 2, Flags::GROW_FAST, incr),
    Command::of_key("decr", 2, Flags::GROW_FAST, decr),
    Command::of_key("incrby", 3, Flags::GROW_FAST, incrby),
    Command::of_key("decrby", 3, Flags::GROW_FAST, decrby),
];

fn set(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let options = SetOptions::parse(args.skip(2))?;
    let new_deadline_ms = match options.deadline {
        Some((moment, unit, text)) => Some(moment.deadline_ms(unit, text, context.now_ms)?),
        None => None,
    };
    let key = context.key(args, 0);
    if options.get {
        write_optional(context.string(key)?, sink);
    }
    let old_deadline_ms = context.deadline_ms(key);
    let is_met = match options.condition {
        Some(Condition::Missing) => old_deadline_ms.is_none(),
        Some(Condition::Present) => old_deadline_ms.is_some(),
        None => true,
    };
    if is_met {
        let kept_deadline_ms = old_deadline_ms.flatten().filter(|_| options.keep_deadline);
        let deadline_ms = new_deadline_ms.or(kept_deadline_ms);
        if new_deadline_ms.is_some_and(|deadline_ms| deadline_ms <= context.now_ms) {
            context.remove(key);
        } else {
            context.put_string(key, Value::parse(args.at(1)), deadline_ms)?;
        }
    }
    match (options.get, is_met) {
        (true, _) => {}
        (false, true) => sink.status("OK"),
        (false, false) => sink.null(),
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    /// The key must not be there.
    Missing,
    /// The key must be there.
    Present,
}

/// What follows key and value.
#[derive(Clone, Copy, Debug, Default)]
struct SetOptions<'a> {
    condition: Option<Condition>,
    get: bool,
    keep_deadline: bool,
    deadline: Option<(Moment, Unit, &'a [u8])>,
}

impl<'a> SetOptions<'a> {
    /// An option may come again, and the last counts, but none may follow one that it excludes.
    fn parse(options: Args<'a>) -> Result<Self, CommandError> {
        let mut parsed = Self::default();
        let mut options = options.iter();
        while let Some(option) = options.next() {
            let is = |name: &[u8]| option.eq_ignore_ascii_case(name);
            if is(b"nx") && parsed.condition != Some(Condition::Present) {
                parsed.condition = Some(Condition::Missing);
            } else if is(b"xx") && parsed.condition != Some(Condition::Missing) {
                parsed.condition = Some(Condition::Present);
            } else if is(b"get") {
                parsed.get = true;
            } else if is(b"keepttl") && parsed.deadline.is_none() {
                parsed.keep_deadline = true;
            } else {
                let (moment, unit) = DEADLINE_OPTIONS
                    .into_iter()
                    .find_map(|(name, moment, unit)| is(name).then_some((moment, unit)))
                    .ok_or(CommandError::Syntax)?;
                let other = parsed.deadline.is_some_and(|(m, u, _)| (m, u) != (moment, unit));
                if other || parsed.keep_deadline {
                    return Err(CommandError::Syntax);
                }
                let text = options.next().ok_or(CommandError::Syntax)?;
                parsed.deadline = Some((moment, unit, text));
            }
        }
        Ok(parsed)
    }
}

const DEADLINE_OPTIONS: [(&[u8], Moment, Unit); 4] = [
    (b"ex", Moment::FromNow, Unit::Seconds),
    (b"px", Moment::FromNow, Unit::Milliseconds),
    (b"exat", Moment::Absolute, Unit::Seconds),
    (b"pxat", Moment::Absolute, Unit::Milliseconds),
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
        Some(Value::Bytes(_)) => return Err(CommandError::NotAnInteger),
        None => 0,
    };
    let sum = integer.checked_add(increment).ok_or(CommandError::Overflow)?;
    let deadline_ms = context.deadline_ms(key).flatten();
    context.put_string(key, Value::Integer(sum), deadline_ms)?;
    sink.integer(sum);
    Ok(())
}
