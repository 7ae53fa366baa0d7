//! What is known of one command, from its row and from the table of facts?

use hectare_store::{Flags, Keys};

use super::Outline;
use super::facts::Fact;

/// A command, or a subcommand.
#[derive(Debug)]
pub(super) struct Entry {
    row: Outline,
    fact: Option<&'static Fact>,
    subcommands: Vec<Self>,
}

impl Entry {
    /// A command that may have subcommands, without a row of its own.
    pub(super) fn container(name: &'static str) -> Self {
        let flags = Flags { write: false, deny_oom: false, fast: false };
        Self::new(Outline { name, arity: -2, flags, keys: Keys::None })
    }

    fn new(row: Outline) -> Self {
        Self { row, fact: Fact::find(row.name), subcommands: Vec::new() }
    }

    /// Takes over a row of this command, or of a subcommand of it.
    pub(super) fn add(&mut self, row: Outline) {
        if !row.name.contains('|') {
            self.row = row;
        } else if self.subcommands.iter().all(|known| known.row.name != row.name) {
            let subcommand = Self::new(row);
            self.subcommands.extend(subcommand.is_known().then_some(subcommand));
        }
    }

    pub(super) fn is_known(&self) -> bool {
        self.fact.is_some()
    }

    /// The full name.
    pub(super) fn name(&self) -> &'static str {
        self.row.name
    }

    /// Whether this is its name, or the part of it after the bar, in upper or lower case.
    pub(super) fn is_called(&self, name: &[u8]) -> bool {
        let own = self.row.name.split('|').next_back().unwrap_or_default();
        own.as_bytes().eq_ignore_ascii_case(name)
    }

    pub(super) fn subcommands(&self) -> &[Self] {
        &self.subcommands
    }

    pub(super) fn subcommand(&self, name: &[u8]) -> Option<&Self> {
        self.subcommands.iter().find(|entry| entry.is_called(name))
    }

    pub(super) fn is_subcommand(&self) -> bool {
        self.row.name.contains('|')
    }

    pub(super) fn fact(&self) -> &'static Fact {
        self.fact.unwrap_or(&super::facts::NONE)
    }

    pub(super) fn arity(&self) -> i8 {
        self.row.arity
    }

    /// Whether a request of so many words, names included, is long enough and not too long.
    pub(super) fn takes(&self, words: usize) -> bool {
        let arity = usize::from(self.row.arity.unsigned_abs());
        words == arity || (self.row.arity < 0 && words > arity)
    }

    /// Redis' flags, in its order.
    pub(super) fn flags(&self) -> Vec<&'static str> {
        let Flags { write, deny_oom, fast } = self.row.flags;
        let more = self.fact().flags;
        let is_set = |flag: &str| match flag {
            "write" => write || more.split(' ').any(|more| more == flag),
            "denyoom" => deny_oom,
            "fast" => fast || more.split(' ').any(|more| more == flag),
            _ => more.split(' ').any(|more| more == flag),
        };
        FLAGS.into_iter().filter(|flag| is_set(flag)).collect()
    }

    /// Redis' categories of commands, in its order: those that follow from flags, and more.
    pub(super) fn categories(&self) -> Vec<&'static str> {
        let flags = self.flags();
        let has = |flag| flags.contains(&flag);
        let is_in = |category: &str| match category {
            "write" => has("write"),
            "read" => has("readonly"),
            "admin" => has("admin"),
            "fast" => has("fast"),
            "slow" => !has("fast"),
            "blocking" => has("blocking"),
            "dangerous" if has("admin") => true,
            _ => self.fact().categories.split(' ').any(|more| more == category),
        };
        CATEGORIES.into_iter().filter(|category| is_in(category)).collect()
    }

    /// Where keys are, for each of the specifications of keys.
    pub(super) fn specs(&self) -> Vec<KeySpec> {
        let first = 1 + usize::from(self.is_subcommand());
        let flags: Vec<&'static str> = match self.row.keys {
            Keys::None => Vec::new(),
            _ => self.fact().keys.split("; ").collect(),
        };
        let is_one = flags.len() == 1;
        let (last, step) = match self.row.keys {
            Keys::All if is_one => (-1, 1),
            Keys::EverySecond if is_one => (-1, 2),
            // A command of two keys has two specifications, each of one key.
            _ => (0, 1),
        };
        let spec = |(index, flags)| KeySpec { first: first + index, last, step, flags };
        flags.into_iter().enumerate().map(spec).collect()
    }

    /// First key, last key and step, as Redis told them before there were specifications.
    pub(super) fn key_range(&self) -> (i64, i64, i64) {
        let specs = self.specs();
        let (Some(first), Some(last)) = (specs.first(), specs.last()) else { return (0, 0, 0) };
        let place = |index: usize| i64::try_from(index).unwrap_or_default();
        let end = if last.last < 0 { last.last } else { place(last.first) };
        (place(first.first), end, place(first.step))
    }
}

/// Keys that are found in one way.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeySpec {
    /// The first one's place, where the command's name is at 0.
    pub(super) first: usize,
    /// The last one's: 0 if it is the first, −1 if it is the last argument.
    pub(super) last: i64,
    /// From one to the next.
    pub(super) step: usize,
    /// What happens to them, parted by blanks.
    pub(super) flags: &'static str,
}

const FLAGS: [&str; 16] = [
    "write",
    "readonly",
    "denyoom",
    "admin",
    "pubsub",
    "noscript",
    "blocking",
    "loading",
    "stale",
    "skip_monitor",
    "skip_slowlog",
    "asking",
    "fast",
    "no_auth",
    "no_multi",
    "allow_busy",
];

const CATEGORIES: [&str; 14] = [
    "keyspace",
    "read",
    "write",
    "hash",
    "string",
    "pubsub",
    "admin",
    "fast",
    "slow",
    "blocking",
    "dangerous",
    "connection",
    "transaction",
    "scripting",
];
