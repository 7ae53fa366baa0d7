//! Who is on the line? Connections of Redis clients, over the engine and its protocol.
//!
//! A [`Server`] listens on TCP addresses and a unix socket, and answers as Redis does. Each of its
//! threads owns one shard of the engine and some of the connections:
//!
//! ```text
//!             event_loop.rs            connection.rs
//! epoll ───▶ a socket is ready ───▶ one read ─▶ requests ─▶ row of the store ──▶ work.rs: pipeline
//!                                                   │                              │ own shard: at once
//!                                                   └─▶ row of the server          │ others: by mail
//!                                                        (commands/)               ▼
//!                                      one write ◀──── replies in the order asked ─┘
//! ```
//!
//! A connection that waits for something — an answer of another shard, a pause, a socket that takes
//! no more — costs its thread nothing until a door (`door.rs`) is rung, a timer runs out or epoll says
//! so. Buffers and pipelines belong to the thread and are lent to a connection while it has use for
//! them, so one that is idle holds none.
#![forbid(unsafe_code)]

mod server;
mod settings;

mod event_loop;

mod connection;
mod input;
mod output;
mod session;
mod work;

mod commands;
mod desk;
mod rows;

mod counts;
mod directory;
mod door;
mod live;
mod pace;
mod pause;
mod shared;

mod listener;
mod log;
mod socket;
mod wire;

mod command_table;
mod dialect;
mod facts;
mod info;
pub mod metrics;
mod parameters;

pub use command_table::{CommandTable, Outline};
pub use facts::{
    ClientFacts, CommandFacts, CpuFacts, DatabaseFacts, ErrorFacts, Facts, MemoryFacts,
    ServerFacts, StatFacts, ThreadFacts,
};
pub use info::InfoRequest;
pub use listener::{Address, ListenError};
pub use log::{Level, Log};
pub use parameters::{
    BufferLimit, BufferLimits, Dialect, LogLevel, Origin, Parameters, Problem, WhoMayDebug,
};
pub use server::{ServeError, Server, StartError, Stopper};
pub use settings::Settings;
