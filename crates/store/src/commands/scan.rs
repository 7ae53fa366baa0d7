//! How is a keyspace gone through, a few keys at a time?

use crate::command::{Command, Flags, Keys, Spread};
use crate::commands::{is_word, quotable_last, until_nul};
use crate::config::{Config, Dialect, SHARD_BITS, SHARDS_MAX};
use crate::context::Context;
use crate::error::CommandError;
use crate::glob::Glob;
use crate::number::parse_integer;
use crate::object::ObjectRef;
use crate::reply::ReplySink;
use crate::request::Args;
use crate::value::Value;

pub(super) const ROWS: &[Command] = &[Command {
    name: "scan",
    arity: -2,
    flags: Flags::READ,
    keys: Keys::None,
    spread: Spread::Cursor,
    run: scan,
}];

/// Which shard a `SCAN` with this cursor continues in; `None` if it is no cursor.
#[must_use]
pub fn shard_of_cursor(cursor: &[u8]) -> Option<usize> {
    parse_cursor(cursor).ok().map(|cursor| split_cursor(cursor).0)
}

/// A shard and a position in it.
fn split_cursor(cursor: u64) -> (usize, u64) {
    #[expect(clippy::cast_possible_truncation, reason = "the mask leaves 10 bits")]
    let shard = cursor as usize & (SHARDS_MAX - 1);
    (shard, cursor >> SHARD_BITS)
}

/// The cursor that goes on at a position of this shard, or where it is at its end (0) in the next.
fn join_cursor(config: &Config, position: u64) -> u64 {
    let next_shard = config.shard + 1;
    match position {
        0 if next_shard < config.shards => next_shard as u64,
        0 => 0,
        position => position << SHARD_BITS | config.shard as u64,
    }
}

fn scan(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let (_, cursor) = split_cursor(parse_cursor(args.at(0))?);
    let options = ScanOptions::parse(args.skip(1), Scanned::Keys(context.config.dialect))?;
    let is_wanted = |key: &[u8], object: ObjectRef<'_>| {
        options.is_type(object.type_name()) && options.is_match(key)
    };
    // The reply begins with what is known only at its end, so the keys are gone through twice.
    let mut keys = 0;
    let next = context.scan(cursor, options.count, &mut |key, object| {
        keys += usize::from(is_wanted(key, object));
    });
    write_head(join_cursor(context.config, next), keys, sink);
    context.scan(cursor, options.count, &mut |key, object| {
        if !sink.is_full() && is_wanted(key, object) {
            sink.value(Value::Bytes(key));
        }
    });
    Ok(())
}

/// The head of a scan's reply; so many elements follow.
pub(super) fn write_head(cursor: u64, elements: usize, sink: &mut dyn ReplySink) {
    sink.array(2);
    sink.value(Value::Integer(i64::try_from(cursor).unwrap_or(0)));
    sink.array(elements);
}

/// The cursor that a client sent: any text that C's `strtoull` reads to its end, as in Redis, but not
/// the canonical form of a negative number.
///
/// # Errors
/// If it is not such a text.
pub(super) fn parse_cursor(text: &[u8]) -> Result<u64, CommandError> {
    let text = until_nul(text);
    if let Some(integer) = parse_integer(text) {
        return u64::try_from(integer).map_err(|_| CommandError::InvalidCursor);
    }
    let spaces = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
    let (is_negative, digits) = match &text[spaces..] {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    if digits.is_empty() {
        return Err(CommandError::InvalidCursor);
    }
    let number = digits.iter().try_fold(0_u64, |number, byte| {
        let digit = char::from(*byte).to_digit(10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    });
    let number = number.ok_or(CommandError::InvalidCursor)?;
    Ok(if is_negative { number.wrapping_neg() } else { number })
}

/// What a scan goes through, since options differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scanned {
    /// The keys of a database.
    Keys(Dialect),
    /// The fields of a hash.
    Fields,
}

/// The types that Valkey knows.
const TYPES: [&str; 7] = ["string", "list", "set", "zset", "hash", "stream", "module"];

/// What follows the cursor of a scan.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScanOptions<'a> {
    /// About how many elements to look at.
    pub(super) count: usize,
    pub(super) with_values: bool,
    pattern: Option<Glob<'a>>,
    type_name: Option<&'a [u8]>,
}

impl<'a> ScanOptions<'a> {
    pub(super) fn parse(options: Args<'a>, scanned: Scanned) -> Result<Self, CommandError> {
        let mut parsed = Self {
            count: 10,
            with_values: scanned == Scanned::Fields,
            pattern: None,
            type_name: None,
        };
        let mut index = 0;
        while let Some(option) = options.get(index) {
            let is = |word| is_word(option, word);
            match options.get(index + 1) {
                Some(count) if is("count") => {
                    let count = parse_integer(count).ok_or(CommandError::NotAnInteger)?;
                    if count < 1 {
                        return Err(CommandError::Syntax);
                    }
                    parsed.count = usize::try_from(count).unwrap_or(usize::MAX);
                    index += 2;
                }
                Some(pattern) if is("match") => {
                    parsed.pattern = Some(Glob::new(pattern)).filter(|_| pattern != b"*");
                    index += 2;
                }
                Some(name) if is("type") && scanned != Scanned::Fields => {
                    let is_type = |known: &&str| is_word(name, known);
                    if scanned == Scanned::Keys(Dialect::Valkey9) && !TYPES.iter().any(is_type) {
                        let parts = [b"ERR unknown type name '", &quotable_last(name)[..], b"'"];
                        return Err(CommandError::quoting(&parts));
                    }
                    parsed.type_name = Some(name);
                    index += 2;
                }
                _ if is("novalues") => {
                    if scanned != Scanned::Fields {
                        return Err(CommandError::text(
                            "ERR NOVALUES option can only be used in HSCAN",
                        ));
                    }
                    parsed.with_values = false;
                    index += 1;
                }
                _ => return Err(CommandError::Syntax),
            }
        }
        Ok(parsed)
    }

    /// A type that nobody knows is no error to Redis; no key is of it.
    fn is_type(&self, type_name: &str) -> bool {
        self.type_name.is_none_or(|wanted| is_word(wanted, type_name))
    }

    pub(super) fn is_match(&self, name: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| pattern.is_match(name))
    }

    /// How many elements of a reply `fields` fields make.
    pub(super) fn elements(&self, fields: usize) -> usize {
        if self.with_values { fields * 2 } else { fields }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_as_c_reads_them() {
        for (text, cursor) in [
            ("0", 0),
            ("18446744073709551615", u64::MAX),
            ("007", 7),
            ("+7", 7),
            (" \t7", 7),
            ("-07", 7_u64.wrapping_neg()),
            ("7\u{0}x", 7),
        ] {
            assert_eq!(parse_cursor(text.as_bytes()), Ok(cursor), "{text:?}");
        }
        let others =
            ["", "x", "-1", "7 ", "7x", "+", " ", "--7", "18446744073709551616", "0x7", "1.5"];
        for text in others {
            let invalid = Err(CommandError::InvalidCursor);
            assert_eq!(parse_cursor(text.as_bytes()), invalid, "{text:?}");
        }
    }
}
