//! How do the fields of a hash get deadlines, and what is said of them?

use crate::command::{Command, Flags};
use crate::commands::expire::{Conditions, Moment, Unit};
use crate::commands::hash_valkey::{self, CountText};
use crate::commands::is_word;
use crate::config::Dialect;
use crate::context::Context;
use crate::error::CommandError;
use crate::number::parse_integer;
use crate::reply::ReplySink;
use crate::request::Args;
use crate::table::Key;

pub(super) const ROWS: &[Command] = &[
    Command::of_key("hexpire", -6, Flags::WRITE_FAST, hexpire),
    Command::of_key("hpexpire", -6, Flags::WRITE_FAST, hpexpire),
    Command::of_key("hexpireat", -6, Flags::WRITE_FAST, hexpireat),
    Command::of_key("hpexpireat", -6, Flags::WRITE_FAST, hpexpireat),
    Command::of_key("httl", -5, Flags::READ_FAST, httl),
    Command::of_key("hpttl", -5, Flags::READ_FAST, hpttl),
    Command::of_key("hexpiretime", -5, Flags::READ_FAST, hexpiretime),
    Command::of_key("hpexpiretime", -5, Flags::READ_FAST, hpexpiretime),
    Command::of_key("hpersist", -5, Flags::WRITE_FAST, hpersist),
];

/// Redis keeps the deadlines of fields in 46 bits: they end in the year 4199.
const DEADLINE_MS_MAX: u64 = (1 << 46) - 1;

/// The replies about one field: there is none, it has no deadline, a condition is not met, it has a
/// new deadline, it was removed because that is past.
const NO_FIELD: i64 = -2;
const NO_DEADLINE: i64 = -1;
const NOT_MET: i64 = 0;
const SET: i64 = 1;
const REMOVED: i64 = 2;

/// The deadline of a field that `text` gives; it may be past, but not negative.
pub(super) fn field_deadline_ms(
    text: &[u8],
    (moment, unit): (Moment, Unit),
    command: &'static str,
    now_ms: u64,
) -> Result<u64, CommandError> {
    let time = parse_integer(text).ok_or(CommandError::NotAnInteger)?;
    if time < 0 {
        return Err(CommandError::text("ERR invalid expire time, must be >= 0"));
    }
    let deadline_ms = unit.in_ms(time).and_then(|time_ms| moment.add(time_ms, now_ms));
    deadline_ms
        .and_then(|deadline_ms| u64::try_from(deadline_ms).ok())
        .filter(|&deadline_ms| deadline_ms <= DEADLINE_MS_MAX)
        .ok_or(CommandError::InvalidExpireTime { command })
}

/// The fields in `FIELDS count field …`, which `args` must be; `count_text` says what is wrong with
/// a count that is none.
pub(super) fn named_fields<'a>(
    args: Args<'a>,
    count_text: &'static str,
) -> Result<Args<'a>, CommandError> {
    if !args.get(0).is_some_and(|word| is_word(word, "fields")) {
        return Err(CommandError::text(
            "ERR Mandatory argument FIELDS is missing or not at the right position",
        ));
    }
    let count = args.get(1).and_then(parse_integer).filter(|&count| count > 0);
    let count = count.ok_or(CommandError::text(count_text))?;
    let fields = args.skip(2);
    if usize::try_from(count) != Ok(fields.len()) {
        return Err(CommandError::text(
            "ERR The `numfields` parameter must match the number of arguments",
        ));
    }
    Ok(fields)
}

/// The fields of a command that takes nothing else, once its key may hold a hash: Redis looks at the
/// key first, Valkey says `otherwise` of a count that is none before.
pub(super) fn fields_of<'a>(
    context: &mut Context<'_>,
    key: Key<'_>,
    args: Args<'a>,
    otherwise: CountText,
) -> Result<Args<'a>, CommandError> {
    match context.config.dialect {
        Dialect::Redis8 => {
            context.hash(key)?;
            named_fields(args, COUNT_TEXT)
        }
        Dialect::Valkey9 => hash_valkey::parse_fields(args, otherwise),
    }
}

/// What most commands say of a count of fields that is none.
pub(super) const COUNT_TEXT: &str = "ERR Number of fields must be a positive integer";

fn hexpire(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    set_deadlines(context, args, (Moment::FromNow, Unit::Seconds), "hexpire", sink)
}

fn hpexpire(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    set_deadlines(context, args, (Moment::FromNow, Unit::Milliseconds), "hpexpire", sink)
}

fn hexpireat(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    set_deadlines(context, args, (Moment::Absolute, Unit::Seconds), "hexpireat", sink)
}

fn hpexpireat(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    set_deadlines(context, args, (Moment::Absolute, Unit::Milliseconds), "hpexpireat", sink)
}

/// A deadline in the past removes the fields, and with the last of them the key.
fn set_deadlines(
    context: &mut Context<'_>,
    args: Args<'_>,
    form: (Moment, Unit),
    command: &'static str,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let (key, now_ms) = (context.key(args, 0), context.now_ms);
    let dialect = context.config.dialect;
    let (deadline_ms, conditions, fields) = match dialect {
        Dialect::Redis8 => {
            // The type of the key comes before anything that may be wrong with the arguments.
            context.hash(key)?;
            parse_hexpire(args.skip(1), form, command, now_ms)?
        }
        Dialect::Valkey9 => hash_valkey::parse_hexpire(args.skip(1), form, command, now_ms)?,
    };
    sink.array(fields.len());
    let Some(mut hash) = context.edit_hash(key)? else {
        fields.iter().for_each(|_| sink.integer(NO_FIELD));
        return Ok(());
    };
    if dialect == Dialect::Redis8 {
        hash.mark_listpackex()?;
    }
    for field in fields.iter() {
        let old_ms = hash.deadline_ms(field);
        let is_met = old_ms.map(|old_ms| conditions.are_met(old_ms, deadline_ms.into()));
        sink.integer(match is_met {
            None => NO_FIELD,
            Some(false) => NOT_MET,
            Some(true) if deadline_ms <= now_ms => {
                hash.remove(field)?;
                REMOVED
            }
            Some(true) => {
                hash.set_deadline_ms(field, Some(deadline_ms))?;
                SET
            }
        });
    }
    if hash.is_empty() {
        context.remove(key);
    }
    Ok(())
}

/// What follows the key: the deadline, on which condition, and the fields.
fn parse_hexpire<'a>(
    args: Args<'a>,
    form: (Moment, Unit),
    command: &'static str,
    now_ms: u64,
) -> Result<(u64, Conditions, Args<'a>), CommandError> {
    let deadline_ms = field_deadline_ms(args.at(0), form, command, now_ms)?;
    let words = ["nx", "xx", "gt", "lt"];
    let has_condition = words.iter().any(|word| is_word(args.at(1), word));
    let conditions = Conditions::parse(args.skip(1).first(usize::from(has_condition)))?;
    let count_text = "ERR Parameter `numFields` should be greater than 0";
    let fields = named_fields(args.skip(if has_condition { 2 } else { 1 }), count_text)?;
    Ok((deadline_ms, conditions, fields))
}

fn httl(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    write_deadlines(context, args, (Moment::FromNow, Unit::Seconds), sink)
}

fn hpttl(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    write_deadlines(context, args, (Moment::FromNow, Unit::Milliseconds), sink)
}

fn hexpiretime(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    write_deadlines(context, args, (Moment::Absolute, Unit::Seconds), sink)
}

fn hpexpiretime(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    write_deadlines(context, args, (Moment::Absolute, Unit::Milliseconds), sink)
}

/// Redis rounds seconds up here, and those of a key to the nearest; Valkey all to the nearest.
fn write_deadlines(
    context: &mut Context<'_>,
    args: Args<'_>,
    (moment, unit): (Moment, Unit),
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let (key, now_ms, dialect) = (context.key(args, 0), context.now_ms, context.config.dialect);
    let fields = fields_of(context, key, args.skip(1), CountText::Syntax)?;
    let hash = context.hash(key)?;
    sink.array(fields.len());
    for field in fields.iter() {
        let deadline_ms = hash.and_then(|hash| hash.deadline_ms(field));
        sink.integer(match deadline_ms {
            None => NO_FIELD,
            Some(None) => NO_DEADLINE,
            Some(Some(deadline_ms)) => {
                let time_ms = match moment {
                    Moment::FromNow => deadline_ms.saturating_sub(now_ms),
                    Moment::Absolute => deadline_ms,
                };
                let time = match (unit, dialect) {
                    (Unit::Seconds, Dialect::Redis8) => time_ms.div_ceil(1000),
                    (unit, _) => unit.count(time_ms),
                };
                i64::try_from(time).unwrap_or(i64::MAX)
            }
        });
    }
    Ok(())
}

fn hpersist(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let key = context.key(args, 0);
    let fields = fields_of(context, key, args.skip(1), CountText::Count)?;
    let mut hash = context.edit_hash(key)?;
    sink.array(fields.len());
    for field in fields.iter() {
        let deadline_ms = hash.as_ref().and_then(|hash| hash.deadline_ms(field));
        sink.integer(match (&mut hash, deadline_ms) {
            (Some(hash), Some(Some(_))) => {
                hash.set_deadline_ms(field, None)?;
                SET
            }
            (Some(_), Some(None)) => NO_DEADLINE,
            (_, None) | (None, _) => NO_FIELD,
        });
    }
    Ok(())
}
