//! Which command of the server is meant?
//!
//! The store has the rows of commands on data, this crate those of commands about connections and
//! the server; both are rows of one kind. A name is looked for here first: it costs one look into a
//! table of bytes to learn that it is not here.

use crate::commands::{GROUPS, absent};
use crate::desk::ServerRun;
use hectare_resp::{Encoder, Protocol};
use hectare_store::{Args, Command, CommandError, Span};

/// A row of the server.
pub(crate) type Row = Command<ServerRun>;

/// Every row of the server; those of one name's subcommands stand together.
pub(crate) static ROWS: [Row; ROW_COUNT] = {
    let mut rows = [GROUPS[0][0]; ROW_COUNT];
    let (mut next, mut group) = (0, 0);
    while group < GROUPS.len() {
        let mut row = 0;
        while row < GROUPS[group].len() {
            rows[next] = GROUPS[group][row];
            next += 1;
            row += 1;
        }
        group += 1;
    }
    rows
};

const ROW_COUNT: usize = {
    let (mut rows, mut group) = (0, 0);
    while group < GROUPS.len() {
        rows += GROUPS[group].len();
        group += 1;
    }
    rows
};

/// What a name leads to.
pub(crate) enum Found {
    /// A row, and how many words its name has.
    Row(&'static Row, usize),
    /// A name of ours, but not with these arguments.
    Refused(CommandError),
    /// No name of ours.
    Elsewhere,
}

/// Whether a row, or rows of subcommands, have this name.
pub(crate) fn is_ours(name: &[u8]) -> bool {
    NAMES.find(name).is_some()
}

/// Looks for the row that `args`, the name first, begin with, and holds their number against it.
pub(crate) fn find(args: &[&[u8]]) -> Found {
    let name = args.first().copied().unwrap_or_default();
    let Some(first) = NAMES.find(name) else { return Found::Elsewhere };
    let row = &ROWS[first];
    let Some((container, _)) = row.name.split_once('|') else {
        return checked(row, args.len(), 1);
    };
    let Some(word) = args.get(1) else {
        return Found::Refused(CommandError::WrongArity { command: container });
    };
    let rows = ROWS[first..].iter().map_while(|row| {
        let (other, part) = row.name.split_once('|')?;
        (other == container).then_some((row, part))
    });
    for (row, part) in rows {
        if part.as_bytes().eq_ignore_ascii_case(word) {
            return checked(row, args.len(), 2);
        }
    }
    // Some names have subcommands here and in the store.
    if Command::find(name, Some(word)).is_some() {
        return Found::Elsewhere;
    }
    Found::Refused(unknown_subcommand(container, word))
}

pub(crate) fn unknown_subcommand(container: &str, word: &[u8]) -> CommandError {
    let (word, container) = (quotable(word), container.to_uppercase());
    CommandError::Other(format!("ERR unknown subcommand '{word}'. Try {container} HELP.").into())
}

fn checked(row: &'static Row, count: usize, words: usize) -> Found {
    let arity = usize::from(row.arity.unsigned_abs());
    if count == arity || (row.arity < 0 && count > arity) {
        Found::Row(row, words)
    } else {
        Found::Refused(CommandError::WrongArity { command: row.name })
    }
}

/// Whether it is no command, but what HTTP begins with.
pub(crate) fn is_of_browser(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:")
}

/// What is wrong with a request that is neither the server's nor the store's.
#[cold]
pub(crate) fn refusal(args: &[&[u8]]) -> CommandError {
    let name = args.first().copied().unwrap_or_default();
    if let Some(error) = absent::refusal(name) {
        return error;
    }
    // An error quotes the beginning of the arguments, so the beginning is enough.
    let mut bytes = Vec::new();
    let spans: Vec<Span> = args
        .iter()
        .take(QUOTED_MAX)
        .map(|arg| {
            let start = bytes.len();
            bytes.extend_from_slice(&arg[..arg.len().min(QUOTED_MAX)]);
            [start, bytes.len()].map(|place| u32::try_from(place).unwrap_or(u32::MAX))
        })
        .map(|[start, end]| Span { start, end })
        .collect();
    let resolved = Command::resolve(Args::new(&bytes, &spans));
    resolved.err().unwrap_or(CommandError::Syntax)
}

/// More arguments, and more bytes of each, than any error quotes.
const QUOTED_MAX: usize = 256;

/// Whether an argument is this word, in upper or lower case; as in Redis it ends where a string of C
/// does.
pub(crate) fn is_word(argument: &[u8], word: &str) -> bool {
    until_nul(argument).eq_ignore_ascii_case(word.as_bytes())
}

/// What C would take for the string.
pub(crate) fn until_nul(argument: &[u8]) -> &[u8] {
    argument.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// What an error quotes of an argument.
pub(crate) fn quotable(argument: &[u8]) -> String {
    let argument = until_nul(argument);
    String::from_utf8_lossy(&argument[..argument.len().min(128)]).replace(['\r', '\n'], " ")
}

/// Writes an error as a reply, with what it quotes of a client's bytes as they were.
pub(crate) fn write_error(error: &CommandError, out: &mut Vec<u8>) {
    // An error is the same in both protocols.
    let mut encoder = Encoder::new(out, Protocol::Resp2);
    match error {
        CommandError::Quoting(text) => encoder.error(text),
        error => encoder.error_display(error),
    }
}

/// A row's number among all rows, the store's first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowNumber;

impl RowNumber {
    /// The number of no row.
    pub(crate) const NONE: usize = usize::MAX;

    /// The number of a row of the store.
    pub(crate) fn of_store(row: &'static Command) -> usize {
        number(row, hectare_store::commands())
    }

    /// The number of a row of the server.
    pub(crate) fn of_server(row: &'static Row) -> usize {
        hectare_store::commands().len() + number(row, &ROWS)
    }
}

fn number<R>(row: &'static Command<R>, rows: &'static [Command<R>]) -> usize {
    (std::ptr::from_ref(row).addr() - rows.as_ptr().addr()) / size_of::<Command<R>>()
}

/// The name of a row by its number.
pub(crate) fn name(number: usize) -> Option<&'static str> {
    let store = hectare_store::commands();
    match store.get(number) {
        Some(row) => Some(row.name),
        None => ROWS.get(number.checked_sub(store.len())?).map(|row| row.name),
    }
}

/// First rows by name, by a hash of their length and three of their bytes.
struct Names {
    /// An index into `ROWS`, or `NO_ROW`.
    places: [u8; PLACES],
}

const PLACES: usize = 256;
const NO_ROW: u8 = u8::MAX;

static NAMES: Names = {
    assert!(ROW_COUNT < NO_ROW as usize, "row numbers are bytes");
    let mut places = [NO_ROW; PLACES];
    let mut row = 0;
    while row < ROW_COUNT {
        let name = first_word(ROWS[row].name.as_bytes());
        if row > 0 && is_same(name, first_word(ROWS[row - 1].name.as_bytes())) {
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
    fn find(&self, name: &[u8]) -> Option<usize> {
        if name.is_empty() {
            return None;
        }
        let mut place = Self::place(name);
        loop {
            let row = usize::from(self.places[place]);
            let found = ROWS.get(row)?.name.as_bytes();
            if first_word(found).eq_ignore_ascii_case(name) {
                return Some(row);
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

/// What stands before `|`.
const fn first_word(name: &[u8]) -> &[u8] {
    let mut end = 0;
    while end < name.len() && name[end] != b'|' {
        end += 1;
    }
    name.split_at(end).0
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut index = 0;
    while index < one.len() {
        if one[index] != other[index] {
            return false;
        }
        index += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_its_name_and_no_name_is_the_stores_too() {
        for row in &ROWS {
            let mut args: Vec<&[u8]> = row.name.split('|').map(str::as_bytes).collect();
            assert!(Command::find(args[0], args.get(1).copied()).is_none(), "{}", row.name);
            let words = args.len();
            args.resize(usize::from(row.arity.unsigned_abs()).max(words), b"x");
            match find(&args) {
                Found::Row(found, found_words) => {
                    assert_eq!((found.name, found_words), (row.name, words));
                    assert_eq!(name(RowNumber::of_server(found)), Some(row.name));
                }
                _ => panic!("{} is not found", row.name),
            }
        }
        for row in hectare_store::commands() {
            assert_eq!(name(RowNumber::of_store(row)), Some(row.name));
        }
        assert_eq!(name(RowNumber::NONE), None);
    }
}
