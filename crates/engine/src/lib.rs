//! How do many cores share one keyspace?
//!
//! An [`Engine`] splits its keys over shards, one per core. A shard is reached by its owner alone;
//! everybody else sends it batches of commands through a lock-free mailbox and gets them back with
//! the answers. A [`Client`] does that behind calls such as [`Client::hset`], and a [`Pipeline`]
//! sends many commands at the price of a few.
//!
//! ```
//! use hectare_engine::{Engine, EngineError, Reply};
//!
//! let engine = Engine::builder().shards(2).build()?;
//! let client = engine.client();
//!
//! // Calls, named as Redis names them.
//! client.hset("user:1", [("name", "Ada"), ("city", "London")])?;
//! client.hincrby("user:1", "visits", 3)?;
//! assert_eq!(client.hget("user:1", "visits")?.as_deref(), Some(b"3".as_slice()));
//!
//! // A command's failure is an error with Redis' text.
//! let failed = client.hincrby("user:1", "name", 1);
//! assert_eq!(failed, Err(EngineError::Failed("ERR hash value is not an integer".into())));
//!
//! // Many commands at once, from any thread.
//! let threads: Vec<_> = (0..4)
//!     .map(|thread| {
//!         let mut pipeline = client.pipeline();
//!         std::thread::spawn(move || -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
//!             for number in 0..1000 {
//!                 let key = format!("counter:{thread}:{number}");
//!                 pipeline.command([b"HINCRBY".as_slice(), key.as_bytes(), b"views", b"1"])?;
//!             }
//!             let replies = pipeline.run()?;
//!             assert!(replies.iter().all(|reply| reply == Reply::Integer(1)));
//!             Ok(replies.len())
//!         })
//!     })
//!     .collect();
//! for thread in threads {
//!     assert_eq!(thread.join().expect("no panic").expect("no error"), 1000);
//! }
//! assert_eq!(client.dbsize()?, 4001);
//! engine.shutdown()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The way of a command
//!
//! ```text
//! arguments → row (Command) → hash → route → batch → mailbox → shard's turn → store
//!                                                                               │
//! caller  ←  replies in the order asked  ←  completion  ←  batch with replies ←─┘
//! ```
//!
//! Arguments are copied once, into the batch; replies are written once, in the form in which they
//! are read ([`Wire`]).
//!
//! # Order
//!
//! One caller's commands on one key run in the order in which they were sent. A command on keys of
//! several shards (`MGET`, `DEL`, `DBSIZE` …) is atomic for each shard, not over all of them.
//!
//! # Driving a shard yourself
//!
//! [`Builder::build_driven`] starts no thread: it hands out the [`Shard`]s, and an event loop gives
//! each its [`turn`](Shard::turn) when its wake (on Linux an [`EventWake`]) says so.

mod engine;

mod asynchronous;
mod client;
mod hashes;
mod keys;
mod scan;
mod strings;

mod pipeline;

mod transaction;
mod watch;

mod across;
mod exchange;
mod plan;
mod read;
mod route;
mod row;

mod batch;
mod native;
mod reach;
mod several;
mod wire;

mod clock;
mod core;
mod placement;
mod shard;
mod timeless;
mod versions;

mod error;
mod stats;

#[cfg(target_os = "linux")]
mod event_wake;

pub use asynchronous::{AsyncClient, Pending};
pub use client::Client;
pub use engine::{BuildError, Builder, Engine};
pub use error::{EngineError, Outcome};
#[cfg(target_os = "linux")]
pub use event_wake::EventWake;
pub use hectare_mailbox::{ThreadWake, Wake};
pub use hectare_store::{Command, CommandError};
pub use native::{Elements, Native, Reply};
pub use pipeline::{Pipeline, Replies};
pub use read::FieldValue;
pub use scan::{HashScan, Scan};
pub use shard::{Shard, Turn};
pub use stats::Stats;
pub use strings::{Deadline, SetOptions};
pub use transaction::{Committed, Transaction};
pub use watch::Watch;
pub use wire::{ReplyBuffer, Wire};
