//! How are strings set, or read, together with their deadlines?

use crate::command::{Command, Flags};
use crate::commands::expire::{Moment, Unit};
use crate::commands::hash::write_optional;
use crate::commands::is_word;
use crate::config::Dialect;
use crate::context::Context;
use crate::error::CommandError;
use crate::reply::ReplySink;
use crate::request::Args;
use crate::value::Value;

pub(super) const ROWS: &[Command] = &[
    Command::of_key("set", -3, Flags::GROW, set),
    Command::of_key("setex", 4, Flags::GROW, setex),
    Command::of_key("psetex", 4, Flags::GROW, psetex),
    Command::of_key("getex", -2, Flags::WRITE_FAST, getex),
];

fn set(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let reader = Reader::Set(context.config.dialect);
    let Options { condition, get, lifetime, .. } = Options::parse(args.skip(2), reader)?;
    let new_deadline_ms = match lifetime {
        Some(Lifetime::Until(moment, unit, text)) => {
            Some(moment.deadline_ms(unit, text, "set", context.now_ms)?)
        }
        _ => None,
    };
    let key = context.key(args, 0);
    if get {
        write_optional(context.string(key)?, sink);
    }
    let is_equal = match condition {
        Some(Condition::Equal(wanted)) => {
            context.string(key)?.is_some_and(|value| value.with_text(|text| text == wanted))
        }
        _ => false,
    };
    let old_deadline_ms = context.deadline_ms(key);
    let is_met = match condition {
        Some(Condition::Missing) => old_deadline_ms.is_none(),
        Some(Condition::Present) => old_deadline_ms.is_some(),
        Some(Condition::Equal(_)) => is_equal,
        None => true,
    };
    if is_met {
        let keeps_deadline = matches!(lifetime, Some(Lifetime::Keep));
        let kept_deadline_ms = old_deadline_ms.flatten().filter(|_| keeps_deadline);
        let deadline_ms = new_deadline_ms.or(kept_deadline_ms);
        if new_deadline_ms.is_some_and(|deadline_ms| deadline_ms <= context.now_ms) {
            context.remove(key);
        } else {
            context.put_string(key, Value::parse(args.at(1)), deadline_ms)?;
        }
    }
    match (get, is_met) {
        (true, _) => {}
        (false, true) => sink.status("OK"),
        (false, false) => sink.null(),
    }
    Ok(())
}

fn setex(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    set_until(context, args, Unit::Seconds, "setex", sink)
}

fn psetex(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    set_until(context, args, Unit::Milliseconds, "psetex", sink)
}

fn set_until(
    context: &mut Context<'_>,
    args: Args<'_>,
    unit: Unit,
    command: &'static str,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let deadline_ms = Moment::FromNow.deadline_ms(unit, args.at(1), command, context.now_ms)?;
    let key = context.key(args, 0);
    context.put_string(key, Value::parse(args.at(2)), Some(deadline_ms))?;
    sink.status("OK");
    Ok(())
}

fn getex(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let options = Options::parse(args.skip(1), Reader::GetEx)?;
    let (key, now_ms) = (context.key(args, 0), context.now_ms);
    let deadline_ms = || match options.lifetime {
        Some(Lifetime::Until(moment, unit, text)) => {
            moment.deadline_ms(unit, text, "getex", now_ms).map(Some)
        }
        _ => Ok(None),
    };
    if context.config.dialect == Dialect::Valkey9 {
        // Redis does not look at the time if there is no such string.
        deadline_ms()?;
    }
    let Some(value) = context.string(key)? else {
        sink.null();
        return Ok(());
    };
    let deadline_ms = deadline_ms()?;
    sink.value(value);
    if deadline_ms.is_some_and(|deadline_ms| deadline_ms <= now_ms) {
        context.remove(key);
    } else if options.lifetime.is_some() {
        context.set_deadline_ms(key, deadline_ms)?;
    }
    Ok(())
}

/// When something is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition<'a> {
    /// It must not be there.
    Missing,
    /// It must be there.
    Present,
    /// It must be this string.
    Equal(&'a [u8]),
}

/// How long what is set shall live.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lifetime<'a> {
    /// As long as what was there before.
    Keep,
    /// For good.
    Persist,
    /// Until the time that a text gives.
    Until(Moment, Unit, &'a [u8]),
}

/// Which command reads the options, since they differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    Set(Dialect),
    GetEx,
    /// In Valkey.
    HsetEx,
    /// In Valkey.
    HgetEx,
}

impl Reader {
    /// Whether it sets values: then they may be to keep their deadline.
    fn sets(self) -> bool {
        matches!(self, Self::Set(_) | Self::HsetEx)
    }
}

/// What follows a key, and its value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Options<'a> {
    pub(super) condition: Option<Condition<'a>>,
    /// A condition on fields.
    pub(super) fields: Option<Condition<'a>>,
    pub(super) get: bool,
    pub(super) lifetime: Option<Lifetime<'a>>,
}

const DEADLINE_OPTIONS: [(&str, Moment, Unit); 4] = [
    ("ex", Moment::FromNow, Unit::Seconds),
    ("px", Moment::FromNow, Unit::Milliseconds),
    ("exat", Moment::Absolute, Unit::Seconds),
    ("pxat", Moment::Absolute, Unit::Milliseconds),
];

/// When a key, or a field, shall be gone: what the options with this name count from and in.
pub(super) fn deadline_option(option: &[u8]) -> Option<(Moment, Unit)> {
    let mut options = DEADLINE_OPTIONS.into_iter();
    options.find_map(|(name, moment, unit)| is_word(option, name).then_some((moment, unit)))
}

impl<'a> Options<'a> {
    /// An option may come again, and the last counts, but none may follow one that it excludes.
    pub(super) fn parse(options: Args<'a>, reader: Reader) -> Result<Self, CommandError> {
        let mut parsed = Self::default();
        let mut options = options.iter();
        while let Some(option) = options.next() {
            let is = |word: &str, wanted: bool| wanted && is_word(option, word);
            let of_set = matches!(reader, Reader::Set(_));
            let (missing, present) = (Some(Condition::Missing), Some(Condition::Present));
            if is("nx", reader.sets()) && [None, missing].contains(&parsed.condition) {
                parsed.condition = missing;
            } else if is("xx", reader.sets()) && [None, present].contains(&parsed.condition) {
                parsed.condition = present;
            } else if is("fnx", reader == Reader::HsetEx) && parsed.fields != present {
                parsed.fields = missing;
            } else if is("fxx", reader == Reader::HsetEx) && parsed.fields != missing {
                parsed.fields = present;
            } else if is("ifeq", reader == Reader::Set(Dialect::Valkey9))
                && parsed.condition.is_none()
            {
                let wanted = options.next().ok_or(CommandError::Syntax)?;
                parsed.condition = Some(Condition::Equal(wanted));
            } else if is("get", of_set) {
                parsed.get = true;
            } else {
                let lifetime = if is("keepttl", reader.sets()) {
                    Lifetime::Keep
                } else if is("persist", !reader.sets()) {
                    Lifetime::Persist
                } else {
                    let (moment, unit) = deadline_option(option).ok_or(CommandError::Syntax)?;
                    Lifetime::Until(moment, unit, options.next().ok_or(CommandError::Syntax)?)
                };
                if parsed.lifetime.is_some_and(|old| !old.is_like(lifetime)) {
                    return Err(CommandError::Syntax);
                }
                parsed.lifetime = Some(lifetime);
            }
        }
        Ok(parsed)
    }
}

impl Lifetime<'_> {
    /// Whether both come of the same option.
    fn is_like(self, other: Self) -> bool {
        match (self, other) {
            (Self::Until(moment, unit, _), Self::Until(other_moment, other_unit, _)) => {
                (moment, unit) == (other_moment, other_unit)
            }
            (Self::Keep, Self::Keep) | (Self::Persist, Self::Persist) => true,
            _ => false,
        }
    }
}
