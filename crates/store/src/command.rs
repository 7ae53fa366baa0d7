//! What does the program know about a command? One row each; all else derives from the rows.

use crate::context::Context;
use crate::error::CommandError;
use crate::reply::ReplySink;
use crate::request::Args;

/// How a command of the store runs: the arguments come without the command's name, and as many as
/// its arity asks for. It writes one reply, or none and returns an error.
pub type Run = fn(&mut Context<'_>, Args<'_>, &mut dyn ReplySink) -> Result<(), CommandError>;

/// One command: what `COMMAND INFO` would say of it, how it goes to shards, and how it runs.
///
/// `R` is what runs it: [`Run`] for the store's commands; a server has rows of its own kind
/// for commands about connections.
#[derive(Clone, Copy, Debug)]
pub struct Command<R: 'static = Run> {
    /// The name in lower case; `object|encoding` for a subcommand.
    pub name: &'static str,
    /// As Redis counts: with the name (and subcommand); negative means "at least".
    pub arity: i8,
    /// What the command does to data.
    pub flags: Flags,
    /// Which arguments are keys.
    pub keys: Keys,
    /// How it reaches the shards, and how their answers become one.
    pub spread: Spread,
    /// What runs it.
    pub run: R,
}

impl Command {
    /// The row of a command whose first argument is its one key.
    pub(crate) const fn of_key(name: &'static str, arity: i8, flags: Flags, run: Run) -> Self {
        Self { name, arity, flags, keys: Keys::First, spread: Spread::One, run }
    }
}

/// What a command does to data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags {
    /// It may change data.
    pub write: bool,
    /// It may make data grow, so it is refused when memory is full.
    pub deny_oom: bool,
    /// It takes constant or logarithmic time.
    pub fast: bool,
}

impl Flags {
    /// Reads, in more than logarithmic time.
    pub(crate) const READ: Self = Self { write: false, deny_oom: false, fast: false };
    /// Reads fast.
    pub(crate) const READ_FAST: Self = Self { fast: true, ..Self::READ };
    /// Writes, but makes nothing grow.
    pub(crate) const WRITE: Self = Self { write: true, ..Self::READ };
    /// The same, fast.
    pub(crate) const WRITE_FAST: Self = Self { fast: true, ..Self::WRITE };
    /// May make data grow.
    pub(crate) const GROW: Self = Self { deny_oom: true, ..Self::WRITE };
    /// The same, fast.
    pub(crate) const GROW_FAST: Self = Self { fast: true, ..Self::GROW };
}

/// Which arguments are keys, counted from 0 after the name (and subcommand): every `step`-th from
/// `first` to the end, or only the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// None.
    None,
    /// The first argument.
    First,
    /// Every argument.
    All,
    /// Every second argument, from the first on: key, value, key, value …
    EverySecond,
}

/// How a command reaches the shards that hold its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// To the shard of its one key, or to any if it has none.
    One,
    /// Key by key (with what belongs to each key), each to its shard.
    EachKey(Merge),
    /// To every shard.
    Everywhere(Merge),
    /// To one shard after another, by a cursor that is its first argument and first answer.
    Cursor,
}

/// How the answers of several shards become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// The sum of integers.
    Sum,
    /// `OK` if all say so, else the first error.
    Status,
    /// The elements of their arrays in one array, in the order of the answers.
    Array,
    /// Of answers that are a lot and a string, the string with the lowest lot; a null where no answer
    /// is such.
    Draw,
}
