//! What does one shard hold, and what does it weigh?
//!
//! A [`Store`] is the data of one shard: hashes and strings with deadlines, in up to
//! [`DATABASES`] keyspaces. It runs [`Request`]s, whose keys arrive hashed, and writes replies into
//! a [`ReplySink`]. Semantics and error texts are those of Redis 8, or of Valkey 9 ([`Dialect`]).
//!
//! It knows no thread, atomic, clock, randomness or I/O: the time and a seed are handed in.
//!
//! ```text
//! request → commands/* → Context → HashRef, HashEdit → Keyspace → Table → Segment → Record → Value
//! ```
//!
//! Commands end at `Context` and the objects it lends: they read a value as bytes or integer and a
//! key as bytes that may be a copy, and never learn how either is kept.

#![deny(unsafe_code)]

mod command;
mod error;
mod hasher;
mod reply;
mod request;
mod value;

mod config;
mod store;

mod commands;
mod contents;
mod context;
mod extended;
mod glob;
mod number;
mod random;

mod edit;
mod object;

mod accounting;
mod databases;
mod draft;
mod keyspace;

mod segment;
mod table;

mod class;
mod encoding;
mod packed;
mod record;
mod shape;
mod sightings;
mod template;
mod text;

mod bodies;
mod chunks;
mod heap;
mod lanes;
mod mapping;

pub use accounting::{Accounting, Counted};
pub use command::{Command, Flags, Keys, Merge, Run, Spread};
pub use commands::{CopyOptions, commands, shard_of_cursor};
pub use config::{Config, DATABASES, Dialect, GROUP, SHARDS_MAX};
pub use contents::Contents;
pub use context::Context;
pub use error::CommandError;
pub use glob::Glob;
pub use hasher::KeyHasher;
pub use reply::ReplySink;
pub use request::{Args, Request, Span};
pub use store::Store;
pub use value::Value;
