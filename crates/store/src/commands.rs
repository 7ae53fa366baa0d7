//! Which commands are there, and which one is meant?

use crate::command::Command;
use crate::error::CommandError;
use crate::request::Args;

mod expire;
mod hash;
mod hash_ex;
mod hash_expire;
mod hash_number;
mod hash_random;
mod hash_scan;
mod hash_valkey;
mod key;
mod key_list;
mod keyspace;
mod object;
mod scan;
mod several;
mod string;
mod string_number;
mod string_range;
mod string_set;
mod transfer;

pub use scan::shard_of_cursor;
pub use transfer::CopyOptions;

/// Every row of the store.
#[must_use]
pub fn commands() -> &'static [Command] {
    &COMMANDS
}

impl Command {
    /// The row of the command that `args` begin with, and the arguments after its name (and its
    /// subcommand's). Names may be in upper or lower case.
    ///
    /// # Errors
    /// If there is no such command or subcommand, or its arity asks for another number of arguments.
    pub fn resolve<'a>(args: Args<'a>) -> Result<(&'static Self, Args<'a>), CommandError> {
        let name = args.get(0).unwrap_or_default();
        let Some(command) = NAMES.find(name) else { return resolve_subcommand(name, args) };
        command.check_arity(args.len())?;
        Ok((command, args.skip(1)))
    }

    /// The row of a command by its name and, if it may have subcommands, its first argument; and how
    /// many arguments after the name belong to it: 1 if the row is a subcommand's.
    #[must_use]
    pub fn find(name: &[u8], first: Option<&[u8]>) -> Option<(&'static Self, usize)> {
        let whole = NAMES.find(name).map(|command| (command, 0));
        whole.or_else(|| {
            let is = |(container, part): (&str, &str)| {
                container.as_bytes().eq_ignore_ascii_case(name)
                    && first.is_some_and(|first| part.as_bytes().eq_ignore_ascii_case(first))
            };
            let command = COMMANDS.iter().find(|command| command.parts().is_some_and(is))?;
            Some((command, 1))
        })
    }

    /// Whether the command takes so many arguments, its name (and its subcommand's) not counted.
    ///
    /// # Errors
    /// [`CommandError::WrongArity`].
    pub fn check_arguments(&'static self, arguments: usize) -> Result<(), CommandError> {
        self.check_arity(arguments + 1 + usize::from(self.parts().is_some()))
    }

    fn check_arity(&'static self, arguments: usize) -> Result<(), CommandError> {
        let arity = usize::from(self.arity.unsigned_abs());
        if arguments == arity || (self.arity < 0 && arguments > arity) {
            Ok(())
        } else {
            Err(CommandError::WrongArity { command: self.name })
        }
    }

    /// The command's name and its subcommand's, if this is the row of a subcommand.
    fn parts(&'static self) -> Option<(&'static str, &'static str)> {
        self.name.split_once('|')
    }
}

/// Subcommands are few, so their rows are looked through.
fn resolve_subcommand<'a>(
    name: &[u8],
    args: Args<'a>,
) -> Result<(&'static Command, Args<'a>), CommandError> {
    let is_part = |part: &str, text: &[u8]| part.as_bytes().eq_ignore_ascii_case(text);
    let rows = COMMANDS.iter().filter_map(|row| Some((row, row.parts()?)));
    let mut rows = rows.filter(|(_, (container, _))| is_part(container, name)).peekable();
    let Some(&(_, (container, _))) = rows.peek() else { return Err(unknown_command(name, args)) };
    let Some(subcommand) = args.get(1) else {
        return Err(CommandError::WrongArity { command: container });
    };
    let row = rows.find(|(_, (_, part))| is_part(part, subcommand));
    if container == "debug" {
        // Redis takes these for arguments, and counts them later.
        let row = row.filter(|(row, _)| row.check_arity(args.len()).is_ok());
        return Ok((row.ok_or_else(|| unknown_debug(subcommand))?.0, args.skip(2)));
    }
    let Some((row, _)) = row else {
        let container = container.to_uppercase();
        let end = format!("'. Try {container} HELP.");
        let parts = [b"ERR unknown subcommand '", &quotable(subcommand)[..], end.as_bytes()];
        return Err(CommandError::quoting(&parts));
    };
    row.check_arity(args.len())?;
    Ok((row, args.skip(2)))
}

/// Redis quotes as many arguments as begin within their first 128 bytes.
fn unknown_command(name: &[u8], args: Args<'_>) -> CommandError {
    let mut quoted = Vec::new();
    for argument in args.skip(1).iter() {
        let Some(room) = QUOTED_BYTES_MAX.checked_sub(quoted.len()).filter(|&room| room > 0) else {
            break;
        };
        quoted.push(b'\'');
        quoted.extend(until_nul(argument).iter().take(room));
        quoted.extend(b"' ");
    }
    CommandError::quoting(&[
        b"ERR unknown command '",
        &quotable(name),
        b"', with args beginning with: ",
        &in_one_line(&quoted),
    ])
}

fn unknown_debug(subcommand: &[u8]) -> CommandError {
    CommandError::quoting(&[
        b"ERR unknown subcommand or wrong number of arguments for '",
        &quotable(subcommand),
        b"'. Try DEBUG HELP.",
    ])
}

/// Error texts quote at most so many bytes of what a client sent.
const QUOTED_BYTES_MAX: usize = 128;

/// What an error text quotes of an argument.
fn quotable(argument: &[u8]) -> Vec<u8> {
    let argument = until_nul(argument);
    in_one_line(&argument[..argument.len().min(QUOTED_BYTES_MAX)])
}

/// The same at the end of a text, where Redis quotes without a bound, but drops line ends.
fn quotable_last(argument: &[u8]) -> Vec<u8> {
    let argument = until_nul(argument);
    let is_text = |byte: &u8| !matches!(byte, b'\r' | b'\n');
    in_one_line(&argument[..argument.iter().rposition(is_text).map_or(0, |last| last + 1)])
}

/// Whether an option is this word, in upper or lower case; it ends where a C string ends.
fn is_word(argument: &[u8], word: &str) -> bool {
    until_nul(argument).eq_ignore_ascii_case(word.as_bytes())
}

fn in_one_line(text: &[u8]) -> Vec<u8> {
    let is_break = |byte: u8| matches!(byte, b'\r' | b'\n');
    text.iter().map(|&byte| if is_break(byte) { b' ' } else { byte }).collect()
}

/// Redis reads some arguments as C strings, which end at a zero byte.
fn until_nul(argument: &[u8]) -> &[u8] {
    argument.split(|&byte| byte == 0).next().unwrap_or_default()
}

const GROUPS: [&[Command]; 18] = [
    hash::ROWS,
    hash_ex::ROWS,
    hash_expire::ROWS,
    hash_number::ROWS,
    hash_random::ROWS,
    hash_scan::ROWS,
    string::ROWS,
    string_set::ROWS,
    string_number::ROWS,
    string_range::ROWS,
    key::ROWS,
    key_list::ROWS,
    expire::ROWS,
    scan::ROWS,
    keyspace::ROWS,
    object::ROWS,
    several::ROWS,
    transfer::ROWS,
];

const ROWS: usize = {
    let (mut rows, mut group) = (0, 0);
    while group < GROUPS.len() {
        rows += GROUPS[group].len();
        group += 1;
    }
    rows
};

static COMMANDS: [Command; ROWS] = {
    let mut commands = [GROUPS[0][0]; ROWS];
    let (mut command, mut group) = (0, 0);
    while group < GROUPS.len() {
        let mut row = 0;
        while row < GROUPS[group].len() {
            commands[command] = GROUPS[group][row];
            command += 1;
            row += 1;
        }
        group += 1;
    }
    commands
};

/// Names without subcommands, by a hash of their length and three of their bytes.
struct Names {
    /// An index into `COMMANDS`, or `NO_ROW`.
    places: [u8; PLACES],
}

const PLACES: usize = 256;
const NO_ROW: u8 = u8::MAX;

static NAMES: Names = {
    assert!(ROWS < NO_ROW as usize, "row numbers are bytes");
    let mut places = [NO_ROW; PLACES];
    let mut row = 0;
    while row < ROWS {
        let name = COMMANDS[row].name.as_bytes();
        if has_subcommand(name) {
            row += 1;
            continue;
        }
        let mut place = Names::place(name);
        while places[place] != NO_ROW {
            place = (place + 1) % PLACES;
        }
        #[expect(clippy::cast_possible_truncation, reason = "asserted above")]
        {
            places[place] = row as u8;
        }
        row += 1;
    }
    Names { places }
};

impl Names {
    fn find(&self, name: &[u8]) -> Option<&'static Command> {
        if name.is_empty() {
            return None;
        }
        let mut place = Self::place(name);
        loop {
            let command = COMMANDS.get(usize::from(self.places[place]))?;
            if command.name.as_bytes().eq_ignore_ascii_case(name) {
                return Some(command);
            }
            place = (place + 1) % PLACES;
        }
    }

    /// Where to begin to look for a name that is not empty.
    const fn place(name: &[u8]) -> usize {
        let (first, middle, last) = (name[0], name[name.len() / 2], name[name.len() - 1]);
        let letters = lower(first) * 7 + lower(middle) * 31 + lower(last) * 131;
        (letters + name.len() * 17) % PLACES
    }
}

/// The same number for a letter in upper and lower case.
const fn lower(letter: u8) -> usize {
    (letter | 0x20) as usize
}

const fn has_subcommand(name: &[u8]) -> bool {
    let mut index = 0;
    while index < name.len() {
        if name[index] == b'|' {
            return true;
        }
        index += 1;
    }
    false
}
