//! How are fields of a hash drawn at random?

use std::collections::BTreeSet;

use crate::command::{Command, Flags};
use crate::commands::is_word;
use crate::context::Context;
use crate::error::CommandError;
use crate::number::parse_integer;
use crate::object::HashRef;
use crate::random::Random;
use crate::reply::ReplySink;
use crate::request::Args;
use crate::value::Value;

pub(super) const ROWS: &[Command] = &[Command::of_key("hrandfield", -2, Flags::READ, hrandfield)];

fn hrandfield(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let draw = match args.get(1) {
        Some(count) => Some(Draw::parse(count, args.skip(2))?),
        None => None,
    };
    let key = context.key(args, 0);
    match (context.hash_and_random(key)?, draw) {
        (Some((hash, random)), Some(draw)) => {
            if draw.is_too_long(hash, sink) {
                return Err(CommandError::ReplyTooLong);
            }
            draw.write(hash, random, sink);
        }
        (Some((hash, random)), None) => {
            hash.draw(&mut |bound| random.below(bound), &mut |field, _| {
                sink.value(Value::Bytes(field));
            });
        }
        (None, Some(_)) => sink.array(0),
        (None, None) => sink.null(),
    }
    Ok(())
}

/// So many repeats are written without a look at how long they will be.
const COUNT_TRIED: usize = 10_000;

/// No reply has more elements.
const ELEMENTS_MAX: usize = i32::MAX as usize;

/// In any form a string takes some bytes more than it has.
const ELEMENT_BYTES_MIN: usize = 4;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
struct Draw {
    count: usize,
    /// Every draw is from all fields, so that a field may come again.
    repeats: bool,
    with_values: bool,
}

impl Draw {
    fn parse(count: &[u8], options: Args<'_>) -> Result<Self, CommandError> {
        let count = parse_integer(count).ok_or(CommandError::NotAnInteger)?;
        if count == i64::MIN {
            return Err(CommandError::text(
                "ERR value is out of range, value must between \
                 -9223372036854775807 and 9223372036854775807",
            ));
        }
        let with_values = match options.get(0) {
            Some(option) if options.len() == 1 && is_word(option, "withvalues") => true,
            Some(_) => return Err(CommandError::Syntax),
            None => false,
        };
        if with_values && count.unsigned_abs() > i64::MAX.unsigned_abs() / 2 {
            return Err(CommandError::text("ERR value is out of range"));
        }
        let repeats = count < 0;
        let count = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
        Ok(Self { count, repeats, with_values })
    }

    /// Whether the reply would be too long for certain.
    fn is_too_long(self, hash: HashRef<'_>, sink: &dyn ReplySink) -> bool {
        if !self.repeats || self.count < COUNT_TRIED {
            return false;
        }
        let mut bytes_min = usize::MAX;
        hash.visit(&mut |field, value| {
            let value_bytes = if self.with_values { ELEMENT_BYTES_MIN + value.len() } else { 0 };
            bytes_min = bytes_min.min(ELEMENT_BYTES_MIN + field.len() + value_bytes);
        });
        self.count > ELEMENTS_MAX || self.count.saturating_mul(bytes_min) > sink.bytes_left()
    }

    fn write(self, hash: HashRef<'_>, random: &mut Random, sink: &mut dyn ReplySink) {
        let fields = hash.len();
        let count = if self.repeats { self.count } else { self.count.min(fields) };
        if self.with_values && count > 0 {
            sink.pairs(count);
        } else {
            sink.array(count);
        }
        let mut write = |field: &[u8], value: Value<'_>| {
            if self.with_values {
                sink.pair();
            }
            sink.value(Value::Bytes(field));
            if self.with_values {
                sink.value(value);
            }
            sink.is_full()
        };
        if self.repeats {
            // Nothing bounds the count but the sink.
            let ranking = hash.ranking();
            let mut is_full = false;
            for _ in 0..count {
                let rank = random.below(fields);
                ranking.visit(rank, &mut |field, value| is_full = write(field, value));
                if is_full {
                    break;
                }
            }
        } else if count > fields / 3 {
            write_most(hash, count, random, &mut write);
        } else {
            let ranking = hash.ranking();
            for rank in distinct_below(fields, count, random) {
                ranking.visit(rank, &mut |field, value| {
                    write(field, value);
                });
            }
        }
    }
}

/// Goes once over all fields and takes each with the chance that leaves `count` in the end (Knuth,
/// The Art of Computer Programming, 3.4.2, algorithm S).
fn write_most(
    hash: HashRef<'_>,
    count: usize,
    random: &mut Random,
    write: &mut dyn FnMut(&[u8], Value<'_>) -> bool,
) {
    let (mut left, mut wanted) = (hash.len(), count);
    let mut is_full = false;
    hash.visit(&mut |field, value| {
        if !is_full && random.below(left) < wanted {
            wanted -= 1;
            is_full = write(field, value);
        }
        left -= 1;
    });
}

/// So many different numbers below `bound`, each set of them as likely as any other (R. W. Floyd, in
/// Bentley's "Programming Pearls: a sample of brilliance", 1987).
fn distinct_below(bound: usize, count: usize, random: &mut Random) -> BTreeSet<usize> {
    let mut numbers = BTreeSet::new();
    for last in bound - count..bound {
        let number = random.below(last + 1);
        if !numbers.insert(number) {
            numbers.insert(last);
        }
    }
    numbers
}
