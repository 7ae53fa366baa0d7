//! How fast was it?
//!
//! A [`Plan`] says what is sent where, [`run()`] sends it and returns a [`Measurement`]: throughput and
//! latency for each kind of operation and in total, with warnings about what should not be believed.
//!
//! ```no_run
//! use std::sync::atomic::AtomicBool;
//!
//! use hectare_loadgen::{Plan, run};
//! use hectare_target::TargetSpec;
//! use hectare_workload::{Dataset, Schema};
//!
//! let dataset = Dataset::new(Schema::preset("user")?);
//! let plan = Plan::new("redis://127.0.0.1:6379".parse()?, dataset);
//! let measurement = run(&plan, &|_| (), &AtomicBool::new(false))?;
//! measurement.write_text(&mut std::io::stdout())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is measured
//!
//! The load is *closed*: each connection has one pipeline in flight and sends the next when the last
//! answer of it has come. So the figures say how fast the target answers this many callers that
//! wait, not what happens when requests come at their own pace.
//!
//! The *latency* of a command runs from the moment at which the first byte of its pipeline could
//! leave until its own answer is here. The commands were made before the clock started and their
//! wire form before the latency began; the *throughput* does contain the encoding, as it would for
//! any client. It is the number of commands divided by the time from the first of them that counts
//! to the last answer.
//!
//! The commands of each connection are made ahead on all cores, up to a bound for all of them
//! together. A run that is longer sends them again from the first on: the keys and sizes stay as
//! they should be distributed, only the values that are written repeat.
//! [`Measurement::prepared_commands`] says how many there were.

#![forbid(unsafe_code)]

mod csv_rows;
mod fill;
mod json;
mod lane;
mod measurement;
mod plan;
mod prepared;
mod quantity;
mod recorder;
mod run;
mod supervisor;
mod text;
mod warning;
mod worker;

pub use fill::Filled;
pub use measurement::{Figures, Measurement, Setting};
pub use plan::{Length, Plan, PlanError};
pub use run::{Moment, RunError, Stage, run};
pub use warning::Warning;
