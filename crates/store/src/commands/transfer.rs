//! How does what a key holds come under another key?

use crate::command::{Command, Flags, Keys, Spread};
use crate::config::DATABASES;
use crate::context::Context;
use crate::error::CommandError;
use crate::keyspace::Key;
use crate::number::parse_integer;
use crate::object::ObjectRef;
use crate::reply::ReplySink;
use crate::request::Args;
use crate::value::Value;

/// These take all their keys at one moment, so keys on several shards are the engine's affair. The
/// keys of `COPY` are its first two arguments, which [`Keys`] has no word for.
pub(super) const ROWS: &[Command] = &[
    of_two_keys("rename", Flags::WRITE, rename),
    of_two_keys("renamenx", Flags::WRITE_FAST, renamenx),
    Command::of_key("copy", -3, Flags::GROW, copy),
];

const fn of_two_keys(name: &'static str, flags: Flags, run: crate::command::Run) -> Command {
    Command { name, arity: 3, flags, keys: Keys::All, spread: Spread::One, run }
}

/// What a key holds, apart from the store.
struct Contents {
    object: Object,
    deadline_ms: Option<u64>,
}

enum Object {
    String(Piece),
    Hash {
        fields: Vec<(Vec<u8>, Piece)>,
        /// Whether `OBJECT ENCODING` says `hashtable`, and says so for ever.
        is_hashtable: bool,
    },
}

/// A value that owns its bytes.
enum Piece {
    Bytes(Vec<u8>),
    Integer(i64),
}

impl Piece {
    fn of(value: Value<'_>) -> Self {
        match value {
            Value::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
            Value::Integer(integer) => Self::Integer(integer),
        }
    }

    fn value(&self) -> Value<'_> {
        match self {
            Self::Bytes(bytes) => Value::Bytes(bytes),
            Self::Integer(integer) => Value::Integer(*integer),
        }
    }
}

fn rename(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let (from, to) = (context.key(args, 0), context.key(args, 1));
    let contents = read(context, from).ok_or(NO_SUCH_KEY)?;
    if from.bytes != to.bytes {
        context.remove(from);
        write(context, to, &contents)?;
    }
    sink.status("OK");
    Ok(())
}

fn renamenx(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let (from, to) = (context.key(args, 0), context.key(args, 1));
    let contents = read(context, from).ok_or(NO_SUCH_KEY)?;
    let is_free = context.object(to).is_none();
    if is_free {
        context.remove(from);
        write(context, to, &contents)?;
    }
    sink.integer(i64::from(is_free));
    Ok(())
}

fn copy(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let options = CopyOptions::parse(args.skip(2), context.database)?;
    let (from, to) = (context.key(args, 0), context.key(args, 1));
    if from.bytes == to.bytes && options.database == context.database {
        return Err(SAME_OBJECT);
    }
    let Some(contents) = read(context, from) else {
        sink.integer(0);
        return Ok(());
    };
    let here = std::mem::replace(&mut context.database, options.database);
    let is_copied = options.replace || context.object(to).is_none();
    let written = if is_copied { write(context, to, &contents) } else { Ok(()) };
    context.database = here;
    written?;
    sink.integer(i64::from(is_copied));
    Ok(())
}

const NO_SUCH_KEY: CommandError = CommandError::text("ERR no such key");
const SAME_OBJECT: CommandError =
    CommandError::text("ERR source and destination objects are the same");

struct CopyOptions {
    database: usize,
    replace: bool,
}

impl CopyOptions {
    fn parse(options: Args<'_>, here: usize) -> Result<Self, CommandError> {
        let mut parsed = Self { database: here, replace: false };
        let mut options = options.iter();
        while let Some(option) = options.next() {
            if option.eq_ignore_ascii_case(b"replace") {
                parsed.replace = true;
            } else if option.eq_ignore_ascii_case(b"db") {
                let text = options.next().ok_or(CommandError::Syntax)?;
                let number = parse_integer(text).ok_or(CommandError::NotAnInteger)?;
                let database = usize::try_from(number).ok().filter(|number| *number < DATABASES);
                parsed.database =
                    database.ok_or(CommandError::text("ERR DB index is out of range"))?;
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(parsed)
    }
}

fn read(context: &mut Context<'_>, key: Key<'_>) -> Option<Contents> {
    let deadline_ms = context.deadline_ms(key).flatten();
    let object = match context.object(key)? {
        ObjectRef::String(value) => Object::String(Piece::of(value)),
        ObjectRef::Hash(hash) => {
            let mut fields = Vec::with_capacity(hash.len());
            hash.visit(&mut |name, value| fields.push((name.to_vec(), Piece::of(value))));
            Object::Hash { fields, is_hashtable: hash.is_hashtable() }
        }
    };
    Some(Contents { object, deadline_ms })
}

/// Puts contents in the place of whatever the key held. Once fields have deadlines, they come along
/// here.
fn write(context: &mut Context<'_>, key: Key<'_>, contents: &Contents) -> Result<(), CommandError> {
    match &contents.object {
        Object::String(piece) => context.put_string(key, piece.value(), contents.deadline_ms),
        Object::Hash { fields, is_hashtable } => {
            context.remove(key);
            let long_max = context.config.hash_max_listpack_value;
            let mut hash = context.edit_or_create_hash(key)?;
            if *is_hashtable {
                // A value that is too long for a listpack, and goes again, leaves that behind.
                hash.set(b"", Value::Bytes(&vec![0; long_max + 1]));
            }
            for (name, piece) in fields {
                hash.set(name, piece.value());
            }
            if *is_hashtable && fields.iter().all(|(name, _)| !name.is_empty()) {
                hash.remove(b"");
            }
            if contents.deadline_ms.is_some() {
                context.set_deadline_ms(key, contents.deadline_ms);
            }
        }
    }
    Ok(())
}
