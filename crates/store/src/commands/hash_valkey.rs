//! How does Valkey 9 read what follows the key in commands on fields and their deadlines?
//!
//! `FIELDS` may stand anywhere behind the options, options may come again, and all of it is read before
//! the key is looked at.

use crate::commands::expire::{Conditions, Moment, Unit};
use crate::commands::is_word;
use crate::commands::string_set::{Condition, Lifetime, Options, Reader};
use crate::error::CommandError;
use crate::number::parse_integer;
use crate::request::Args;

const COUNT: CommandError = CommandError::text(
    "ERR numfields should be greater than 0 and match the provided number of fields",
);

/// The arguments before `FIELDS`, as `read` reads them, and those behind its count, which are `width`
/// for each field.
fn split<'a, T>(
    args: Args<'a>,
    width: usize,
    read: impl FnOnce(Args<'a>) -> Result<T, CommandError>,
) -> Result<(T, Args<'a>), CommandError> {
    // A count must follow.
    let last = args.len().saturating_sub(1);
    let place = args.iter().take(last).position(|word| is_word(word, "fields")).ok_or(COUNT)?;
    let options = read(args.first(place))?;
    let count = parse_integer(args.at(place + 1)).ok_or(CommandError::NotAnInteger)?;
    let fields = args.skip(place + 2);
    let wanted = usize::try_from(count).ok().and_then(|count| count.checked_mul(width));
    if count < 1 || wanted != Some(fields.len()) {
        return Err(COUNT);
    }
    Ok((options, fields))
}

/// The deadline of a field that `text` gives; it may be past, but not negative.
fn deadline_ms(
    text: &[u8],
    (moment, unit): (Moment, Unit),
    command: &'static str,
    now_ms: u64,
) -> Result<u64, CommandError> {
    let time = parse_integer(text).ok_or(CommandError::NotAnInteger)?;
    let time_ms = unit.in_ms(time).filter(|_| time >= 0);
    let deadline_ms = time_ms.and_then(|time_ms| moment.add(time_ms, now_ms));
    let deadline_ms = deadline_ms.and_then(|deadline_ms| u64::try_from(deadline_ms).ok());
    deadline_ms.ok_or(CommandError::InvalidExpireTime { command })
}

/// What follows the key of `HEXPIRE` and its like: the deadline, on which conditions, and the fields.
pub(super) fn parse_hexpire<'a>(
    args: Args<'a>,
    form: (Moment, Unit),
    command: &'static str,
    now_ms: u64,
) -> Result<(u64, Conditions, Args<'a>), CommandError> {
    let (conditions, fields) = split(args.skip(1), 1, Conditions::parse)?;
    Ok((deadline_ms(args.at(0), form, command, now_ms)?, conditions, fields))
}

/// The fields of a command that takes nothing else; `otherwise` is said of a count that is not theirs.
pub(super) fn parse_fields(args: Args<'_>, otherwise: CountText) -> Result<Args<'_>, CommandError> {
    if !is_word(args.at(0), "fields") {
        return Err(CommandError::Syntax);
    }
    match split(args, 1, |_| Ok(())) {
        Ok(((), fields)) => Ok(fields),
        Err(error) if error == COUNT && otherwise == CountText::Syntax => Err(CommandError::Syntax),
        Err(error) => Err(error),
    }
}

/// What is said of a count of fields that is not theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CountText {
    /// By the commands that read deadlines: a syntax error.
    Syntax,
    /// By others: what is wrong.
    Count,
}

/// What follows the key of `HGETEX`: what becomes of the deadlines, if anything does (`Some(None)`:
/// they are taken away), and the fields.
pub(super) fn parse_hgetex(
    args: Args<'_>,
) -> Result<(Option<Lifetime<'_>>, Args<'_>), CommandError> {
    let (options, fields) = split(args, 1, |options| Options::parse(options, Reader::HgetEx))?;
    Ok((options.lifetime, fields))
}

/// What follows the key of `HSETEX`.
#[derive(Clone, Copy, Debug)]
pub(super) struct HsetexOptions<'a> {
    /// Whether the key must be there, or must not.
    pub(super) key: Option<Condition<'a>>,
    /// Whether all fields must be there, or none of them.
    pub(super) fields: Option<Condition<'a>>,
    pub(super) lifetime: Option<Lifetime<'a>>,
    /// Fields and values in turn.
    pub(super) pairs: Args<'a>,
}

pub(super) fn parse_hsetex(args: Args<'_>) -> Result<HsetexOptions<'_>, CommandError> {
    let (options, pairs) = split(args, 2, |options| Options::parse(options, Reader::HsetEx))?;
    let Options { condition: key, fields, lifetime, .. } = options;
    Ok(HsetexOptions { key, fields, lifetime, pairs })
}

impl Lifetime<'_> {
    /// The deadline of a field that this gives, if it gives one.
    pub(super) fn field_deadline_ms(
        self,
        command: &'static str,
        now_ms: u64,
    ) -> Result<Option<u64>, CommandError> {
        match self {
            Self::Keep | Self::Persist => Ok(None),
            Self::Until(moment, unit, text) => {
                deadline_ms(text, (moment, unit), command, now_ms).map(Some)
            }
        }
    }
}
