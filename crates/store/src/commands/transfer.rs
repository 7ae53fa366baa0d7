//! How does what a key holds come under another key?

use crate::command::{Command, Flags, Keys, Spread};
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
    let options = CopyOptions::parse(args.skip(2), context.database)?;
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
