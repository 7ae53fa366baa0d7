//! Does the command do what its user typed, and end well when that is impossible?

mod harness;
mod loadgen;
mod report;
mod serve;
mod servers;
mod usage;
