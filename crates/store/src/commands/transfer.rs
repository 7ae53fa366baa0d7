//! How does what a key holds come under another key?

use crate::command::{Command, Flags, Keys, Spread};
use crate::commands::is_word;
use crate::config::DATABASES;
use crate::contents::Contents;
use crate::context::Context;
use crate::error::CommandError;
use crate::number::parse_integer;
use crate::reply::ReplySink;
use crate::request::Args;

/// These take all their keys at one moment, so keys on several shards are the engine's affair. The
/// keys of `COPY` are its first two arguments, which [`Keys`] has no word for.
pub(super) const ROWS: &[Command] = &[
    of_two_keys("rename", Flags::WRITE, rename),
    of_two_keys("renamenx", Flags::WRITE_FAST, renamenx),
    Command::of_key("copy", -3, Flags::GROW, copy),
    // A key is in the same shard in every database.
    Command::of_key("move", 3, Flags::WRITE_FAST, move_),
];

const fn of_two_keys(name: &'static str, flags: Flags, run: crate::command::Run) -> Command {
    Command { name, arity: 3, flags, keys: Keys::All, spread: Spread::One, run }
}

fn rename(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let (from, to) = (context.key(args, 0), context.key(args, 1));
    let contents = Contents::read(context, from).ok_or(NO_SUCH_KEY)?;
    if from.bytes != to.bytes {
        contents.write(context, to)?;
        context.remove(from);
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
    let contents = Contents::read(context, from).ok_or(NO_SUCH_KEY)?;
    let is_free = context.object(to).is_none();
    if is_free {
        contents.write(context, to)?;
        context.remove(from);
    }
    sink.integer(i64::from(is_free));
    Ok(())
}

fn copy(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let options = CopyOptions::parse(args.skip(2).iter(), context.database)?;
    let (from, to) = (context.key(args, 0), context.key(args, 1));
    if from.bytes == to.bytes && options.database == context.database {
        return Err(SAME_OBJECT);
    }
    let Some(contents) = Contents::read(context, from) else {
        sink.integer(0);
        return Ok(());
    };
    let here = std::mem::replace(&mut context.database, options.database);
    let is_copied = options.replace || context.object(to).is_none();
    let written = if is_copied { contents.write(context, to) } else { Ok(()) };
    context.database = here;
    written?;
    sink.integer(i64::from(is_copied));
    Ok(())
}

pub(super) const NO_SUCH_KEY: CommandError = CommandError::text("ERR no such key");
const SAME_OBJECT: CommandError =
    CommandError::text("ERR source and destination objects are the same");

fn move_(
    context: &mut Context<'_>,
    args: Args<'_>,
    sink: &mut dyn ReplySink,
) -> Result<(), CommandError> {
    let (key, there) = (context.key(args, 0), parse_database(args.at(1))?);
    if there == context.database {
        return Err(SAME_OBJECT);
    }
    let Some(contents) = Contents::read(context, key) else {
        sink.integer(0);
        return Ok(());
    };
    // Where the key was seen says nothing of the other database.
    let hint = context.hint.take();
    let here = std::mem::replace(&mut context.database, there);
    let key_there = context.key(args, 0);
    let is_free = context.object(key_there).is_none();
    let written = if is_free { contents.write(context, key_there) } else { Ok(()) };
    (context.database, context.hint) = (here, hint);
    written?;
    if is_free {
        context.remove(key);
    }
    sink.integer(i64::from(is_free));
    Ok(())
}

/// What follows the two keys of `COPY`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyOptions {
    /// The database of the copy.
    pub database: usize,
    /// Whether the copy comes in the place of what is there.
    pub replace: bool,
}

impl CopyOptions {
    /// The options of a `COPY` in the database `here`.
    ///
    /// # Errors
    /// If one of them is none, or names no database.
    pub fn parse<'a>(
        options: impl IntoIterator<Item = &'a [u8]>,
        here: usize,
    ) -> Result<Self, CommandError> {
        let mut parsed = Self { database: here, replace: false };
        let mut options = options.into_iter();
        while let Some(option) = options.next() {
            if is_word(option, "replace") {
                parsed.replace = true;
            } else if is_word(option, "db") {
                parsed.database = parse_database(options.next().ok_or(CommandError::Syntax)?)?;
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(parsed)
    }
}

/// The number of a database, which Redis reads as a C `int` first.
fn parse_database(text: &[u8]) -> Result<usize, CommandError> {
    let number = parse_integer(text).ok_or(CommandError::NotAnInteger)?;
    let number = i32::try_from(number).map_err(|_| {
        CommandError::text(
            "ERR value is out of range, value must between -2147483648 and 2147483647",
        )
    })?;
    check_database(number)
}

/// The database of this number, if there is one.
pub(super) fn check_database(number: i32) -> Result<usize, CommandError> {
    let database = usize::try_from(number).ok().filter(|&number| number < DATABASES);
    database.ok_or(CommandError::text("ERR DB index is out of range"))
}
