//! How do keys get deadlines, and what is said of them?

use crate::command::{Command, Flags};
use crate::commands::{is_word, quotable_last};
use crate::context::Context;
use crate::error::CommandError;
use crate::number::parse_integer;
use crate::reply::ReplySink;
use crate::request::Args;

pub(super) const ROWS: &[Command] = &[
    Command::of_key("expire", -3, Flags::WRITE_FAST, expire),
    Command::of_key("pexpire", -3, Flags::WRITE_FAST, pexpire),
    Command::of_key("expireat", -3, Flags::WRITE_FAST, expireat),
    Command::of_key("pexpireat", -3, Flags::WRITE_FAST, pexpireat),
    Command::of_key("ttl", 2, Flags::READ_FAST, ttl),
    Command::of_key("pttl", 2, Flags::READ_FAST, pttl),
    Command::of_key("expiretime", 2, Flags::READ_FAST, expiretime),
    Command::of_key("pexpiretime", 2, Flags::READ_FAST, pexpiretime),
    Command::of_key("persist", 2, Flags::WRITE_FAST, persist),
];

/// What a time counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// From now.
    FromNow,
    /// From 1970.
    Absolute,
}

/// What a time counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
}

impl Unit {
    pub(super) fn in_ms(self, time: i64) -> Option<i64> {
        match self {
            Self::Seconds => time.checked_mul(1000),
            Self::Milliseconds => Some(time),
        }
    }

    /// To the nearest, as Redis rounds.
    pub(super) fn count(self, time_ms: u64) -> u64 {
        match self {
            Self::Seconds => time_ms.saturating_add(500) / 1000,
            Self::Milliseconds => time_ms,
        }
    }
}

impl Moment {
    /// The deadline that `SET` or a command like it is given; it must be positive.
    pub(super) fn deadline_ms(
        self,
        unit: Unit,
        text: &[u8],
        command: &'static str,
        now_ms: u64,
    ) -> Result<u64, CommandError> {
        let time = parse_integer(text).ok_or(CommandError::NotAnInteger)?;
        let invalid = CommandError::InvalidExpireTime { command };
        let deadline_ms = unit.in_ms(time).filter(|_| time > 0).and_then(|ms| self.add(ms, now_ms));
        deadline_ms.and_then(|deadline_ms| u64::try_from(deadline_ms).ok()).ok_or(invalid)
    }

    pub(super) fn add(self, time_ms: i64, now_ms: u64) -> Option<i64> {
        match self {
            Self::FromNow => time_ms.checked_add_unsigned(now_ms),
            Self::Absolute => Some(time_ms),
        }
    }
}

fn expire(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    set_deadline(context, args, (Moment::FromNow, Unit::Seconds, "expire"), sink)
}

fn pexpire(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    set_deadline(context, args, (Moment::FromNow, Unit::Milliseconds, "pexpire"), sink)
}

fn expireat(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    set_deadline(context, args, (Moment::Absolute, Unit::Seconds, "expireat"), sink)
}

fn pexpireat(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    set_deadline(context, args, (Moment::Absolute, Unit::Milliseconds, "pexpireat"), sink)
}

/// A deadline in the past removes the key.
fn set_deadline(
    context: &mut Context<'_>,
    args: Args<'_>,
    (moment, unit, command): (Moment, Unit, &'static str),
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let conditions = Conditions::parse(args.skip(2))?;
    let time = parse_integer(args.at(1)).ok_or(CommandError::NotAnInteger)?;
    let deadline_ms = unit
        .in_ms(time)
        .and_then(|time_ms| moment.add(time_ms, context.now_ms))
        .ok_or(CommandError::InvalidExpireTime { command })?;
    let key = context.key(args, 0);
    let is_met =
        context.deadline_ms(key).is_some_and(|old| conditions.are_met(old, deadline_ms.into()));
    if is_met {
        match u64::try_from(deadline_ms).ok().filter(|&deadline_ms| deadline_ms > context.now_ms) {
            Some(deadline_ms) => context.set_deadline_ms(key, Some(deadline_ms))?,
            None => {
                context.remove(key);
            }
        }
    }
    sink.integer(i64::from(is_met));
    Ok(())
}

/// When a deadline may be set.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Conditions {
    /// The key must have none yet.
    pub(super) if_none: bool,
    /// The key must have one.
    pub(super) if_some: bool,
    /// It must be later; no deadline is later than any.
    pub(super) if_later: bool,
    /// It must be earlier.
    pub(super) if_earlier: bool,
}

impl Conditions {
    pub(super) fn parse(options: Args<'_>) -> Result<Self, CommandError> {
        let mut parsed = Self::default();
        for option in options.iter() {
            let is = |word| is_word(option, word);
            let condition = match option {
                _ if is("nx") => &mut parsed.if_none,
                _ if is("xx") => &mut parsed.if_some,
                _ if is("gt") => &mut parsed.if_later,
                _ if is("lt") => &mut parsed.if_earlier,
                _ => {
                    let parts = [b"ERR Unsupported option ", &quotable_last(option)[..]];
                    return Err(CommandError::quoting(&parts));
                }
            };
            *condition = true;
        }
        if parsed.if_none && (parsed.if_some || parsed.if_later || parsed.if_earlier) {
            return Err(CommandError::text(
                "ERR NX and XX, GT or LT options at the same time are not compatible",
            ));
        }
        if parsed.if_later && parsed.if_earlier {
            return Err(CommandError::text(
                "ERR GT and LT options at the same time are not compatible",
            ));
        }
        Ok(parsed)
    }

    pub(super) fn are_met(self, old_ms: Option<u64>, new_ms: i128) -> bool {
        let (is_later, is_earlier) = match old_ms.map(i128::from) {
            Some(old_ms) => (new_ms > old_ms, new_ms < old_ms),
            None => (false, true),
        };
        (!self.if_none || old_ms.is_none())
            && (!self.if_some || old_ms.is_some())
            && (!self.if_later || is_later)
            && (!self.if_earlier || is_earlier)
    }
}

fn ttl(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    write_deadline(context, args, (Moment::FromNow, Unit::Seconds), sink)
}

fn pttl(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    write_deadline(context, args, (Moment::FromNow, Unit::Milliseconds), sink)
}

fn expiretime(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    write_deadline(context, args, (Moment::Absolute, Unit::Seconds), sink)
}

fn pexpiretime(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    write_deadline(context, args, (Moment::Absolute, Unit::Milliseconds), sink)
}

/// Writes the deadline, -1 if there is none, -2 if there is no key.
fn write_deadline(
    context: &mut Context<'_>,
    args: Args<'_>,
    (moment, unit): (Moment, Unit),
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let key = context.key(args, 0);
    let deadline_ms = context.deadline_ms(key);
    let integer = match deadline_ms {
        None => -2,
        Some(None) => -1,
        Some(Some(deadline_ms)) => {
            let time_ms = match moment {
                Moment::FromNow => deadline_ms.saturating_sub(context.now_ms),
                Moment::Absolute => deadline_ms,
            };
            i64::try_from(unit.count(time_ms)).unwrap_or(i64::MAX)
        }
    };
    sink.integer(integer);
    Ok(())
}

fn persist(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let key = context.key(args, 0);
    let had_deadline = context.deadline_ms(key).flatten().is_some();
    if had_deadline {
        context.set_deadline_ms(key, None)?;
    }
    sink.integer(i64::from(had_deadline));
    Ok(())
}
