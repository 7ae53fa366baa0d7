//! How is a key kept, and what does it cost?

use crate::command::{Command, Flags, Keys};
use crate::commands::hash::integer;
use crate::commands::is_word;
use crate::context::Context;
use crate::error::CommandError;
use crate::number::parse_integer;
use crate::object::ObjectRef;
use crate::reply::ReplySink;
use crate::request::Args;
use crate::value::Value;

pub(super) const ROWS: &[Command] = &[
    Command::of_key("object|encoding", 3, Flags::READ, object_encoding),
    Command::of_key("object|refcount", 3, Flags::READ, object_refcount),
    Command::of_key("object|idletime", 3, Flags::READ, object_idletime),
    Command::of_key("object|freq", 3, Flags::READ, object_freq),
    Command { keys: Keys::None, ..Command::of_key("object|help", 2, Flags::READ, object_help) },
    Command::of_key("memory|usage", -3, Flags::READ, memory_usage),
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
    let is_raw = context.is_raw_string(key);
    let encoding = context.object(key).map(|object| match object {
        ObjectRef::String(_) if is_raw => "raw",
        ObjectRef::String(Value::Integer(_)) => "int",
        ObjectRef::String(Value::Bytes(bytes)) if bytes.len() <= EMBEDDED_BYTES_MAX => "embstr",
        ObjectRef::String(Value::Bytes(_)) => "raw",
        ObjectRef::Hash(hash) if hash.is_hashtable() => "hashtable",
        ObjectRef::Hash(hash) if hash.has_deadlines() => "listpackex",
        ObjectRef::Hash(_) => "listpack",
    });
    match encoding {
        Some(encoding) => sink.value(Value::Bytes(encoding.as_bytes())),
        None => sink.null(),
    }
    Ok(())
}

/// Redis keeps one object for each of the smallest integers, and says that it has no end of references.
fn object_refcount(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let key = context.key(args, 0);
    match context.object(key) {
        Some(ObjectRef::String(Value::Integer(0..10_000))) => sink.integer(i32::MAX.into()),
        Some(_) => sink.integer(1),
        None => sink.null(),
    }
    Ok(())
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
