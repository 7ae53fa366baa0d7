//! Which keys does a database hold, all of them or any?

use crate::command::{Command, Flags, Keys, Merge, Spread};
use crate::context::Context;
use crate::error::CommandError;
use crate::glob::Glob;
use crate::reply::ReplySink;
use crate::request::Args;
use crate::value::Value;

pub(super) const ROWS: &[Command] = &[
    everywhere("keys", 2, Merge::Array, keys),
    everywhere("randomkey", 1, Merge::Draw, randomkey),
];

const fn everywhere(
    name: &'static str,
    arity: i8,
    merge: Merge,
    run: crate::command::Run,
) -> Command {
    let spread = Spread::Everywhere(merge);
    Command { name, arity, flags: Flags::READ, keys: Keys::None, spread, run }
}

fn keys(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let pattern = Glob::new(args.at(0));
    let all = args.at(0) == b"*";
    // The reply begins with what is known only at its end, so the keys are gone through twice.
    let mut keys = 0;
    context.scan(0, usize::MAX, &mut |key, _| keys += usize::from(all || pattern.is_match(key)));
    sink.array(keys);
    context.scan(0, usize::MAX, &mut |key, _| {
        if !sink.is_full() && (all || pattern.is_match(key)) {
            sink.value(Value::Bytes(key));
        }
    });
    Ok(())
}

/// Where there are other shards, a lot comes before the key: the shard with the lowest has the key
/// that is answered.
fn randomkey(
    context: &mut Context<'_>,
    _args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let now_ms = context.now_ms;
    let keys = context.keyspace().keys_alive(now_ms);
    if keys == 0 {
        sink.null();
        return Ok(());
    }
    if context.config.shards > 1 {
        sink.array(2);
        sink.integer(lot(context, keys));
    }
    context.draw_key(&mut |key| sink.value(Value::Bytes(key)));
    Ok(())
}

/// The lowest of as many random numbers as there are keys, so that every key of every shard is as
/// likely as any other: the time until the first of `keys` events that each come at random.
fn lot(context: &mut Context<'_>, keys: usize) -> i64 {
    const SCALE: usize = 1 << 53;
    let uniform = (context.random.below(SCALE) + 1) as f64 / SCALE as f64;
    let time = -uniform.ln() / keys as f64;
    #[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
    {
        (time * SCALE as f64) as i64
    }
}
