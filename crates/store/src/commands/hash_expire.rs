//! How do the fields of a hash get deadlines, and what is said of them?

use crate::command::{Command, Flags};
use crate::commands::expire::{Moment, Unit};
use crate::commands::is_word;
use crate::context::Context;
use crate::error::CommandError;
use crate::number::parse_integer;
use crate::reply::ReplySink;
use crate::request::Args;

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
    // The type of the key comes before anything that may be wrong with the arguments.
    context.hash(key)?;
    let deadline_ms = field_deadline_ms(args.at(1), form, command, now_ms)?;
    let condition = Condition::parse(args.at(2));
    let fields_start = if condition.is_some() { 3 } else { 2 };
    let count_text = "ERR Parameter `numFields` should be greater than 0";
    let fields = named_fields(args.skip(fields_start), count_text)?;
    sink.array(fields.len());
    let Some(mut hash) = context.edit_hash(key)? else {
        fields.iter().for_each(|_| sink.integer(NO_FIELD));
        return Ok(());
    };
    hash.mark_listpackex()?;
    for field in fields.iter() {
        let is_met = hash.deadline_ms(field).map(|old_ms| match condition {
            Some(condition) => condition.is_met(old_ms, deadline_ms),
            None => true,
        });
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

/// When a deadline may be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    /// The field must have none yet.
    None,
    /// The field must have one.
    Some,
    /// It must have one, and the new one must be later.
    Later,
    /// The new one must be earlier; no deadline is later than any.
    Earlier,
}

impl Condition {
    fn parse(word: &[u8]) -> Option<Self> {
        let conditions =
            [("nx", Self::None), ("xx", Self::Some), ("gt", Self::Later), ("lt", Self::Earlier)];
        conditions
            .into_iter()
            .find_map(|(name, condition)| is_word(word, name).then_some(condition))
    }

    fn is_met(self, old_ms: Option<u64>, new_ms: u64) -> bool {
        match self {
            Self::None => old_ms.is_none(),
            Self::Some => old_ms.is_some(),
            Self::Later => old_ms.is_some_and(|old_ms| new_ms > old_ms),
            Self::Earlier => old_ms.is_none_or(|old_ms| new_ms < old_ms),
        }
    }
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

/// Seconds are rounded up; those of a key are rounded to the nearest.
fn write_deadlines(
    context: &mut Context<'_>,
    args: Args<'_>,
    (moment, unit): (Moment, Unit),
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let (key, now_ms) = (context.key(args, 0), context.now_ms);
    let hash = context.hash(key)?;
    let fields = named_fields(args.skip(1), COUNT_TEXT)?;
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
                let time = match unit {
                    Unit::Seconds => time_ms.div_ceil(1000),
                    Unit::Milliseconds => time_ms,
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
    let mut hash = context.edit_hash(key)?;
    let fields = named_fields(args.skip(1), COUNT_TEXT)?;
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
