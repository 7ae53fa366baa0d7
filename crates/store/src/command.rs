//! What does the program know about a command? One row each; all else derives from the rows.

use crate::error::CommandError;
use crate::request::Args;

/// One command: what `COMMAND INFO` would say of it, how it goes to shards, and how it runs.
///
/// `R` is what running takes: [`Run`] for the store's commands; a server has rows of its own kind
/// for commands about connections.
#[derive(Debug)]
pub struct Command<R: 'static = crate::store::Run> {
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
    /// To the shard of its one key.
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
    /// An array with one element for each key, in the order of the keys.
    Array,
}
