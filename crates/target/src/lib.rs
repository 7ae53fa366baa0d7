//! What is being measured?
//!
//! A [`TargetSpec`] says it in words, [`Target::open`] makes it answer, a [`Connection`] carries
//! pipelines of commands to it, and the target itself is asked what it is and what it weighs:
//!
//! ```no_run
//! use hectare_target::{Target, TargetOptions, TargetSpec};
//!
//! let spec: TargetSpec = "spawn:/usr/bin/redis-server".parse()?;
//! let target = Target::open(&spec, &TargetOptions::default())?;
//! println!("{}: {} B", target.server().build, target.memory()?.used_memory_bytes);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What this crate does not know: which commands are sent and why (`workload`), the clock they
//! are judged by (`loadgen`), and what the figures mean (`report`). It writes to no terminal.
//!
//! What needs Linux stands in one file, `process.rs`; elsewhere the same questions answer
//! `None`, and everything else works.

mod admission;
mod buffers;
mod connection;
mod embedded;
mod info;
mod inquiry;
mod memory;
mod peers;
mod process;
mod spawned;
mod spec;
mod target;
mod wire;

pub use admission::{Admission, AdmissionError, DataPolicy};
pub use connection::{Connection, ConnectionError, Outcome, Progress, ReplyKind, ReplySummary};
pub use hectare_resp::Reply;
pub use info::{ServerInfo, ServerName};
pub use inquiry::InquiryError;
pub use memory::{Books, MemoryReading, PeakReset, RssSource};
pub use peers::{Peer, installed_servers, servers_for_tests};
pub use process::{own_cpu_time, transparent_huge_pages};
pub use spawned::SpawnError;
pub use spec::{ServerAddress, SpecError, TargetSpec};
pub use target::{OpenError, Target, TargetOptions};
