//! Who is on the line? Connections of Redis clients, over the engine and its protocol.

mod parameters;

pub use parameters::{
    BufferLimit, BufferLimits, Dialect, LogLevel, Origin, Parameters, Problem, WhoMayDebug,
};
