//! How is a key kept, and what does it cost?

use crate::command::{Command, Flags};
use crate::commands::hash::integer;
use crate::context::Context;
use crate::error::CommandError;
use crate::number::parse_integer;
use crate::object::ObjectRef;
use crate::reply::ReplySink;
use crate::request::Args;
use crate::value::Value;

pub(super) const ROWS: &[Command] = &[
    Command::of_key("object|encoding", 3, Flags::READ, object_encoding),
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
    let encoding = context.object(key).map(|object| match object {
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

/// `SAMPLES` is taken, but the answer is exact without.
fn memory_usage(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let mut options = args.skip(1).iter();
    while let Some(option) = options.next() {
        let samples = options.next().filter(|_| option.eq_ignore_ascii_case(b"samples"));
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
