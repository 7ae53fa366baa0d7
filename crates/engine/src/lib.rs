//! How do many cores share one keyspace?
//!
//! An [`Engine`] holds Redis' hashes and strings inside a Rust program, with Redis 8's semantics, and
//! any number of threads and tasks use it at once through a [`Client`].
//!
//! # First steps
//!
//! ```
//! use hectare_engine::{Engine, EngineError};
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
//! engine.shutdown()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Many commands at once
//!
//! A [`Pipeline`] sends commands together and gets their answers in the order asked. It hashes and
//! copies each command once, visits each shard once, and lets the shard fetch many keys from memory
//! side by side; so it is what to use for more than a few commands.
//!
//! ```
//! use hectare_engine::{Engine, Reply};
//!
//! let engine = Engine::builder().shards(2).build()?;
//! let threads: Vec<_> = (0..4)
//!     .map(|thread| {
//!         let mut pipeline = engine.client().pipeline();
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
//! assert_eq!(engine.client().dbsize()?, 4000);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How a command reaches its key
//!
//! Keys are split over *shards* by a hash of the key. A shard belongs to a thread, but mostly that
//! thread sleeps:
//!
//! ```text
//!                                     nobody is in the shard
//! arguments → row → hash → route ──────────────────────────────▶ the caller comes in, runs what
//!                            │                                   others have sent, then its own
//!                            │ somebody is                       command, and leaves
//!                            ▼
//!                          batch ───▶ mailbox ───▶ run by whoever is in, or by the shard's thread
//!                            ▲                                        │
//!                            └──────── replies, in the order asked ───┘
//! ```
//!
//! So a call on a quiet engine costs two compare-exchanges and no thread switch, an engine that
//! nobody uses costs nothing, and one core is enough. The shard's thread gets what would keep a
//! caller for too long: long pipelines, what a crowd has left, and keys whose time has come.
//!
//! # Order, and what belongs together
//!
//! - Commands on one key run in the order in which a caller has sent them; and after everything that
//!   was sent before something that the caller knows of, by whomever. Commands on different keys of
//!   different callers have no order.
//! - A single command is atomic, on several keys too: `MGET`, `MSET`, `DEL`, `RENAME`, `FLUSHALL` …
//!   hold all the shards that they need at one moment. A pipeline that contains one of them is run as
//!   a whole like that.
//! - [`Pipeline::run_atomically`] runs any commands like that, and
//!   [`Pipeline::run_if_unchanged`] only if nobody has written to the keys of a [`Watch`].
//! - [`Client::transaction`] does both, again and again until nobody came between.
//!
//! # Tasks and event loops
//!
//! [`Client::asynchronous`] gives the same methods as futures that need no runtime of any kind, and
//! [`Pipeline::run_async`] a pipeline as a future. An event loop that must not wait uses
//! [`Pipeline::submit_without_waiting`] and [`Pipeline::poll`].
//!
//! It may also own shards: [`Builder::build_driven`] starts no thread but hands out the [`Shard`]s,
//! and whoever holds one gives it its [`turn`](Shard::turn) when its wake (on Linux an
//! [`EventWake`]) says so, and runs its own commands on it without any message
//! ([`Pipeline::submit_from`]):
//!
//! ```
//! use hectare_engine::{Engine, Reply, ThreadWake, Turn};
//! use std::task::{Poll, Waker};
//!
//! let (engine, mut shards) =
//!     Engine::builder().build_driven(vec![Box::new(ThreadWake::current())])?;
//! let mut shard = shards.pop().expect("one wake, one shard");
//! let mut pipeline = engine.client().pipeline();
//!
//! // A request has come in on a connection of this thread.
//! pipeline.command([b"INCR".as_slice(), b"visits"])?;
//! pipeline.submit_from(&mut shard)?;
//! match pipeline.poll(Waker::noop()) {
//!     Poll::Ready(replies) => assert_eq!(replies?.get(0), Reply::Integer(1)),
//!     Poll::Pending => { /* another shard is busy: its answer will wake the waker */ }
//! }
//! // Now and then, and before it sleeps:
//! if let Turn::Idle { until: _ } = shard.turn(1024) {
//!     if shard.announce_sleep() {
//!         // … wait for sockets and for the shard's wake, at most until then …
//!         shard.wake_up();
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limits, and what can go wrong
//!
//! | what | bound | beyond it |
//! | --- | --- | --- |
//! | a mailbox | [batches](Builder::mailbox_batches), [commands](Builder::mailbox_commands), [bytes](Builder::mailbox_bytes) | callers [wait](Builder::room_wait), first come first served; then [`EngineError::Full`] |
//! | memory | [`Builder::memory_limit`] | what could grow is answered with Redis' `OOM …` error |
//! | a reply | [`ReplyBuffer::REPLY_BYTES_MAX`] | the command is answered with an error |
//!
//! A command that panics costs its shard the data, and nobody an answer: every call to that shard,
//! under way or later, fails with [`EngineError::ShardLost`], which says which one; the others go on.
//! After [`Engine::shutdown`] calls fail with [`EngineError::Closed`].

mod engine;

mod asynchronous;
mod client;
mod hashes;
mod keys;
mod scan;
mod strings;

mod in_place;
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
mod group;
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
pub use hectare_store::{Command, CommandError, Dialect, Span};
pub use in_place::InPlace;
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
