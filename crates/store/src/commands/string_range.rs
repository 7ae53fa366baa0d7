//! How are parts of strings read and written?

use crate::command::{Command, Flags};
use crate::commands::hash::integer;
use crate::context::Context;
use crate::error::CommandError;
use crate::number::parse_integer;
use crate::reply::ReplySink;
use crate::request::Args;
use crate::table::Key;
use crate::value::Value;

pub(super) const ROWS: &[Command] = &[
    Command::of_key("append", 3, Flags::GROW_FAST, append),
    Command::of_key("getrange", 4, Flags::READ, getrange),
    Command::of_key("substr", 4, Flags::READ, getrange),
    Command::of_key("setrange", 4, Flags::GROW, setrange),
];

/// The longest string, as `proto-max-bulk-len` is in Redis.
const STRING_BYTES_MAX: usize = 512 * 1024 * 1024;

fn append(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let (key, added) = (context.key(args, 0), args.at(1));
    let length = match context.string(key)?.map(|value| value.len()) {
        None => {
            context.put_string(key, Value::parse(added), None)?;
            added.len()
        }
        Some(length) => overwrite(context, key, length, added)?,
    };
    sink.integer(integer(length));
    Ok(())
}

fn setrange(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let offset = parse_integer(args.at(1)).ok_or(CommandError::NotAnInteger)?;
    let offset =
        usize::try_from(offset).map_err(|_| CommandError::text("ERR offset is out of range"))?;
    let (key, bytes) = (context.key(args, 0), args.at(2));
    let length = context.string(key)?.map_or(0, |value| value.len());
    let length = if bytes.is_empty() { length } else { overwrite(context, key, offset, bytes)? };
    sink.integer(integer(length));
    Ok(())
}

/// Lets the string at `key` have `bytes` from `offset` on, with zeros up to there; returns its new
/// length. It keeps its deadline, and becomes what Redis calls raw.
fn overwrite(
    context: &mut Context<'_>,
    key: Key<'_>,
    offset: usize,
    bytes: &[u8],
) -> Result<usize, CommandError> {
    let end = offset.saturating_add(bytes.len());
    if end > STRING_BYTES_MAX {
        return Err(CommandError::text(
            "ERR string exceeds maximum allowed size (proto-max-bulk-len)",
        ));
    }
    let mut text = Vec::new();
    let old = context.string(key)?.unwrap_or(Value::Bytes(b""));
    let length = old.len().max(end);
    text.try_reserve_exact(length).map_err(|_| CommandError::OutOfMemory)?;
    old.with_text(|old| text.extend_from_slice(old));
    text.resize(length, 0);
    text[offset..end].copy_from_slice(bytes);
    let deadline_ms = context.deadline_ms(key).flatten();
    context.put_raw_string(key, &text, deadline_ms)?;
    Ok(length)
}

fn getrange(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let start = parse_integer(args.at(1)).ok_or(CommandError::NotAnInteger)?;
    let end = parse_integer(args.at(2)).ok_or(CommandError::NotAnInteger)?;
    let key = context.key(args, 0);
    let value = context.string(key)?.unwrap_or(Value::Bytes(b""));
    value.with_text(|text| {
        let range = range(start, end, text.len());
        sink.value(Value::Bytes(text.get(range).unwrap_or(b"")));
    });
    Ok(())
}

/// The bytes from `start` to `end`, both included, of so many; those below 0 count from the end. As in
/// Redis, an end that is before the first byte means that byte, unless `start` is even later.
fn range(start: i64, end: i64, length: usize) -> std::ops::Range<usize> {
    let signed_length = integer(length);
    let place = |index: i64| {
        let from_start = if index < 0 { signed_length.saturating_add(index) } else { index };
        usize::try_from(from_start.max(0)).unwrap_or(usize::MAX)
    };
    if start < 0 && end < 0 && start > end {
        return 0..0;
    }
    place(start)..place(end).saturating_add(1).min(length)
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn a_range_is_read_as_redis_reads_it() {
        for (start, end, length, expected) in [
            (0, -1, 5, 0..5),
            (1, 3, 5, 1..4),
            (-3, -1, 5, 2..5),
            (-1, -3, 5, 0..0),
            (-100, -50, 5, 0..1),
            (-100, 100, 5, 0..5),
            (i64::MIN, i64::MAX, 5, 0..5),
            (0, 0, 0, 0..0),
        ] {
            assert_eq!(range(start, end, length), expected, "{start} {end} of {length}");
        }
        for (start, end) in [(3, 1), (5, 9), (9, 9), (4, -2), (i64::MAX, i64::MAX)] {
            assert!(
                b"abcde".get(range(start, end, 5)).is_none_or(<[u8]>::is_empty),
                "{start} {end}"
            );
        }
    }
}
