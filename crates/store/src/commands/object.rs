//! How is a key kept, and what does it cost?

use crate::command::{Command, Flags, Keys};
use crate::commands::hash::integer;
use crate::commands::is_word;
use crate::commands::transfer::NO_SUCH_KEY;
use crate::config::Dialect;
use crate::context::Context;
use crate::error::CommandError;
use crate::number::parse_integer;
use crate::object::ObjectRef;
use crate::reply::ReplySink;
use crate::request::Args;
use crate::table::Key;
use crate::value::Value;

pub(super) const ROWS: &[Command] = &[
    Command::of_key("object|encoding", 3, Flags::READ, object_encoding),
    Command::of_key("object|refcount", 3, Flags::READ, object_refcount),
    Command::of_key("object|idletime", 3, Flags::READ, object_idletime),
    Command::of_key("object|freq", 3, Flags::READ, object_freq),
    Command { keys: Keys::None, ..Command::of_key("object|help", 2, Flags::READ, object_help) },
    Command::of_key("memory|usage", -3, Flags::READ, memory_usage),
    Command::of_key("debug|object", 3, Flags::READ, debug_object),
];

/// A string of at most so many bytes lies beside its object in Redis.
const EMBEDDED_BYTES_MAX: usize = 44;

/// Answers what Redis would have made of the same commands, not how the key is kept here.
fn object_encoding(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let key = context.key(args, 0);
    match encoding(context, key) {
        Some(encoding) => sink.value(Value::Bytes(encoding.as_bytes())),
        None => sink.null(),
    }
    Ok(())
}

fn encoding(context: &mut Context<'_>, key: Key<'_>) -> Option<&'static str> {
    let is_raw = context.is_raw_string(key);
    let dialect = context.config.dialect;
    // What is too long to Valkey was put as a raw one.
    let is_embedded =
        |bytes: &[u8]| dialect == Dialect::Valkey9 || bytes.len() <= EMBEDDED_BYTES_MAX;
    context.object(key).map(|object| match object {
        ObjectRef::String(_) if is_raw => "raw",
        ObjectRef::String(Value::Integer(_)) => "int",
        ObjectRef::String(Value::Bytes(bytes)) if is_embedded(bytes) => "embstr",
        ObjectRef::String(Value::Bytes(_)) => "raw",
        ObjectRef::Hash(hash) if hash.is_hashtable() => "hashtable",
        // Valkey keeps no deadlines in a listpack.
        ObjectRef::Hash(hash) if hash.has_deadlines() && dialect == Dialect::Valkey9 => "hashtable",
        ObjectRef::Hash(hash) if hash.has_deadlines() => "listpackex",
        ObjectRef::Hash(_) => "listpack",
    })
}

/// Redis keeps one object for each of the smallest integers, and says that it has no end of
/// references; Valkey does not.
fn object_refcount(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let (key, dialect) = (context.key(args, 0), context.config.dialect);
    match context.object(key) {
        Some(object) => sink.integer(refcount(object, dialect).into()),
        None => sink.null(),
    }
    Ok(())
}

fn refcount(object: ObjectRef<'_>, dialect: Dialect) -> i32 {
    match (object, dialect) {
        (ObjectRef::String(Value::Integer(0..10_000)), Dialect::Redis8) => i32::MAX,
        _ => 1,
    }
}

/// Nobody notes when a key was asked for: each might have been just now.
fn object_idletime(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let key = context.key(args, 0);
    match context.object(key) {
        Some(_) => sink.integer(0),
        None => sink.null(),
    }
    Ok(())
}

fn object_freq(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let key = context.key(args, 0);
    if context.object(key).is_some() {
        return Err(CommandError::text(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note \
             that when switching between policies at runtime LRU and LFU data will take some time \
             to adjust.",
        ));
    }
    sink.null();
    Ok(())
}

/// Line by line, as Redis says it.
const HELP: [&str; 15] = [
    "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "ENCODING <key>",
    "    Return the kind of internal representation used in order to store the value",
    "    associated with a <key>.",
    "FREQ <key>",
    "    Return the access frequency index of the <key>. The returned integer is",
    "    proportional to the logarithm of the recent access frequency of the key.",
    "IDLETIME <key>",
    "    Return the idle time of the <key>, that is the approximated number of",
    "    seconds elapsed since the last access to the key.",
    "REFCOUNT <key>",
    "    Return the number of references of the value associated with the specified",
    "    <key>.",
    "HELP",
    "    Print this help.",
];

fn object_help(
    _context: &mut Context<'_>,
    _args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    sink.array(HELP.len());
    HELP.into_iter().for_each(|line| sink.status(line));
    Ok(())
}

/// What Redis tells of an object, as far as there is such a thing here: nothing lies at an address
/// that would stay, and nobody notes when a key was asked for.
fn debug_object(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    const CLOCK_MASK: u64 = (1 << 24) - 1;
    let key = context.key(args, 0);
    let dialect = context.config.dialect;
    let clock_s = (context.now_ms / 1000) & CLOCK_MASK;
    let encoding = encoding(context, key).ok_or(NO_SUCH_KEY)?;
    let object = context.object(key).ok_or(NO_SUCH_KEY)?;
    let (refcount, dump_bytes) = (refcount(object, dialect), dump_bytes(object));
    sink.status(&format!(
        "Value at:0x0 refcount:{refcount} encoding:{encoding} serializedlength:{dump_bytes} \
         lru:{clock_s} lru_seconds_idle:0"
    ));
    Ok(())
}

/// What an object takes in a dump of Redis', without compression: the texts, each behind its length.
fn dump_bytes(object: ObjectRef<'_>) -> usize {
    let with_head = |length: usize| match length {
        0..64 => length + 1,
        64..16_384 => length + 2,
        _ => length + 5,
    };
    match object {
        ObjectRef::String(Value::Integer(-128..128)) => 2,
        ObjectRef::String(Value::Integer(-32_768..32_768)) => 3,
        ObjectRef::String(Value::Integer(integer)) if i32::try_from(integer).is_ok() => 5,
        ObjectRef::String(value) => with_head(value.len()),
        ObjectRef::Hash(hash) => {
            let mut bytes = 0;
            hash.visit(&mut |field, value| {
                bytes += with_head(field.len()) + with_head(value.len());
            });
            with_head(bytes)
        }
    }
}

/// `SAMPLES` is taken, but the answer is exact without.
fn memory_usage(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let mut options = args.skip(1).iter();
    while let Some(option) = options.next() {
        let samples = options.next().filter(|_| is_word(option, "samples"));
        let samples = parse_integer(samples.ok_or(CommandError::Syntax)?);
        if samples.ok_or(CommandError::NotAnInteger)? < 0 {
            return Err(CommandError::Syntax);
        }
    }
    let key = context.key(args, 0);
    match context.bytes(key) {
        Some(bytes) => sink.integer(integer(bytes)),
        None => sink.null(),
    }
    Ok(())
}
