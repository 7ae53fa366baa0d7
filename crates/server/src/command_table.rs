//! What does `COMMAND` answer?
//!
//! What can be seen from a command's row comes from the row ([`Outline`]); what cannot is in a table by
//! name ([`facts`]). Replies are those of Redis 8, but for the texts of `HELP` and for summaries,
//! complexities and notes, which are the project's own words.

mod answer;
mod entry;
mod filter;
mod keys;

mod docs;
mod info;

mod arguments;
mod facts;

use hectare_store::{Command, Flags, Keys};

use entry::Entry;

/// What a row says of its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outline {
    /// The name in lower case; `object|encoding` for a subcommand.
    pub name: &'static str,
    /// As Redis counts: with the name (and subcommand); negative means "at least".
    pub arity: i8,
    /// What it does to data.
    pub flags: Flags,
    /// Which arguments are keys.
    pub keys: Keys,
}

impl<R> From<&Command<R>> for Outline {
    fn from(row: &Command<R>) -> Self {
        Self { name: row.name, arity: row.arity, flags: row.flags, keys: row.keys }
    }
}

/// Every command of a server.
#[derive(Debug)]
pub struct CommandTable {
    /// Commands, in the order of their first rows.
    entries: Vec<Entry>,
}

impl CommandTable {
    /// The table of these rows, and of `COMMAND` and its subcommands, which need not be among them.
    /// A command that has rows of subcommands alone gets one of its own; a subcommand that Redis does not
    /// list, as those of `DEBUG`, is not listed.
    #[must_use]
    pub fn new(rows: impl IntoIterator<Item = Outline>) -> Self {
        let mut entries: Vec<Entry> = Vec::new();
        for row in rows.into_iter().chain(OWN.map(own_row)) {
            let name = row.name.split('|').next().unwrap_or(row.name);
            let known = entries.iter().position(|entry| entry.name() == name);
            let place = known.unwrap_or_else(|| {
                entries.push(Entry::container(name));
                entries.len() - 1
            });
            entries[place].add(row);
        }
        Self { entries }
    }

    /// The names of commands that nothing is known of but their rows.
    pub fn unknown(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.entries.iter().filter(|entry| !entry.is_known()).map(Entry::name)
    }

    /// The command that a request begins with, or its subcommand.
    fn find(&self, name: &[u8], first: Option<&[u8]>) -> Option<&Entry> {
        let entry = self.entries.iter().find(|entry| entry.is_called(name))?;
        match first {
            Some(first) if !entry.subcommands().is_empty() => entry.subcommand(first),
            _ => Some(entry),
        }
    }

    /// The command of a full name, as `config|get`.
    fn find_full(&self, name: &[u8]) -> Option<&Entry> {
        match name.iter().position(|&byte| byte == b'|') {
            None => self.find(name, None),
            Some(bar) => {
                let (container, part) = (&name[..bar], &name[bar + 1..]);
                self.find(container, None)?.subcommand(part)
            }
        }
    }

    /// Commands and subcommands, each command before its own.
    fn all(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().flat_map(|entry| std::iter::once(entry).chain(entry.subcommands()))
    }
}

const OWN: [(&str, i8); 8] = [
    ("command", -1),
    ("command|count", 2),
    ("command|docs", -2),
    ("command|getkeys", -3),
    ("command|getkeysandflags", -3),
    ("command|help", 2),
    ("command|info", -2),
    ("command|list", -2),
];

fn own_row((name, arity): (&'static str, i8)) -> Outline {
    let flags = Flags { write: false, deny_oom: false, fast: false };
    Outline { name, arity, flags, keys: Keys::None }
}
