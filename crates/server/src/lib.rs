//! Who is on the line? Connections of Redis clients, over the engine and its protocol.

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
pub use parameters::{
    BufferLimit, BufferLimits, Dialect, LogLevel, Origin, Parameters, Problem, WhoMayDebug,
};
