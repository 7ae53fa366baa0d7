//! What was typed?

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};
use hectare_report::LayoutChoice;
use hectare_target::TargetSpec;
use hectare_workload::WritePattern;

/// What a field costs, in memory and in time: an embedded engine for Redis hashes, measured beside
/// Redis-protocol servers.
#[derive(Debug, Parser)]
#[command(name = "hectare", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) tool: Tool,
}

/// The tools.
#[derive(Debug, Subcommand)]
pub(crate) enum Tool {
    Report(Box<ReportArgs>),
    /// Measures one cell of a report, in a process of its own.
    #[command(hide = true)]
    Cell,
}

/// Measures how many bytes a field takes, as flat keys, in hashes and as JSON.
///
/// Without arguments, `user` and `counter` data, about a million fields each, is loaded into the
/// embedded engine and into every redis-server and valkey-server that scripts/peers has unpacked or
/// that is on PATH: in each layout, written at once and grown one field at a time.
#[derive(Debug, ClapArgs)]
pub(crate) struct ReportArgs {
    /// What is measured: `embedded`, `spawn:PATH` (a redis-server or valkey-server, started for it
    /// and stopped again) or `redis://host:port` (a running server, which must be empty); may be
    /// given several times.
    #[arg(long = "target", value_name = "TARGET")]
    pub(crate) targets: Vec<TargetSpec>,

    #[command(flatten)]
    pub(crate) data: DataArgs,

    /// How an object is stored: `flat`, `hash`, `json`, `bucketed` or `bucketed:SIZE`; may be given
    /// several times.
    #[arg(long = "layout", value_name = "LAYOUT")]
    pub(crate) layouts: Vec<LayoutChoice>,

    /// How many objects share a hash in the bucketed layout; may be given several times.
    #[arg(long = "bucket-size", value_name = "OBJECTS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) bucket_sizes: Vec<u32>,

    /// In which order fields are written: `bulk` (each object at once) or `grown` (one field at a
    /// time, round-robin over the objects); may be given several times.
    #[arg(long = "write-pattern", value_name = "PATTERN")]
    pub(crate) write_patterns: Vec<WritePattern>,

    /// The folder in which a folder for this run is made.
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub(crate) output: PathBuf,

    #[command(flatten)]
    pub(crate) running: RunningArgs,

    #[command(flatten)]
    pub(crate) format: FormatArgs,

    /// Shows the run that a folder keeps, and renders its summary and chart again, without
    /// measuring.
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = [
            "targets", "datasets", "schemas", "objects", "layouts", "bucket_sizes",
            "write_patterns", "output", "allow_nonempty", "key_prefix", "emit_resp",
        ]
    )]
    pub(crate) from: Option<PathBuf>,

    /// Writes the commands of one dataset, layout and write pattern to a file (`-` for standard
    /// output) as `redis-cli --pipe` takes them, and measures nothing.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["targets", "output", "allow_nonempty", "csv", "json"]
    )]
    pub(crate) emit_resp: Option<PathBuf>,
}

/// Which data.
#[derive(Debug, ClapArgs)]
pub(crate) struct DataArgs {
    /// Data that comes with the program: `user`, `counter`, `session`, `wide`, `bucketed` or
    /// `large`; may be given several times.
    #[arg(long = "dataset", value_name = "NAME")]
    pub(crate) datasets: Vec<String>,

    /// Data of your own, described in a TOML file; may be given several times.
    #[arg(long = "schema", value_name = "FILE")]
    pub(crate) schemas: Vec<PathBuf>,

    /// How many objects each dataset has; layouts are compared on equal objects.
    #[arg(long, value_name = "N")]
    pub(crate) objects: Option<u64>,
}

/// What is allowed on a running server.
#[derive(Debug, ClapArgs)]
pub(crate) struct RunningArgs {
    /// Lets a running server hold data already; keys are then written under --key-prefix, and
    /// removed afterwards.
    #[arg(long, requires = "key_prefix")]
    pub(crate) allow_nonempty: bool,

    /// What every key that is written begins with.
    #[arg(long, value_name = "PREFIX")]
    pub(crate) key_prefix: Option<String>,
}

/// How results are written to standard output.
#[derive(Debug, ClapArgs)]
pub(crate) struct FormatArgs {
    /// Writes rows as CSV instead of tables.
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,

    /// Writes rows as JSON instead of tables, an object a line.
    #[arg(long)]
    pub(crate) json: bool,
}
