//! What was typed?

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand};
use hectare_report::LayoutChoice;
use hectare_target::TargetSpec;
use hectare_workload::{KeyPopularity, Mix, WritePattern};

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
    Loadgen(Box<LoadgenArgs>),
    Serve(Box<ServeArgs>),
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
    /// What is measured: `embedded` (the engine in this process) or `embedded:SHARDS`, `spawn:PATH` (a
    /// redis-server or valkey-server, started for it and stopped again) or `redis://host:port` (a
    /// running server, which must be empty); may be given several times.
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

    /// Measures again after the data has been worn: every value overwritten ten times with another
    /// length (and in the end with what was loaded), then half of the keys deleted and written again.
    #[arg(long)]
    pub(crate) churn: bool,

    /// Measures every size and shape of data that comes with the program, each as large as its schema
    /// says, in the engine with one shard and with two (unless targets are given) and in the newest
    /// servers found: some 130 cells, a quarter of an hour on 2 cores.
    #[arg(
        long,
        conflicts_with_all = [
            "datasets", "schemas", "layouts", "bucket_sizes", "write_patterns", "churn", "emit_resp",
        ]
    )]
    pub(crate) standard: bool,

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
            "write_patterns", "churn", "standard", "output", "allow_nonempty", "key_prefix",
            "emit_resp",
        ]
    )]
    pub(crate) from: Option<PathBuf>,

    /// Writes the commands of one dataset, layout and write pattern to a file (`-` for standard
    /// output) as `redis-cli --pipe` takes them, and measures nothing.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["targets", "churn", "output", "allow_nonempty", "csv", "json"]
    )]
    pub(crate) emit_resp: Option<PathBuf>,
}

/// Measures how fast a target answers, and how late.
///
/// Without arguments, `user` objects are loaded into the embedded engine as hashes, and a mix of
/// mostly single-field HSET is sent for ten seconds.
#[derive(Debug, ClapArgs)]
pub(crate) struct LoadgenArgs {
    /// What is measured: `embedded` (the engine in this process) or `embedded:SHARDS`, `spawn:PATH` (a
    /// redis-server or valkey-server, started for it and stopped again) or `redis://host:port` (a
    /// running server, which must be empty).
    #[arg(long, value_name = "TARGET", default_value = "embedded")]
    pub(crate) target: TargetSpec,

    /// Data that comes with the program: `user` (if none is named), `counter`, `session`, `wide`,
    /// `bucketed`, `large`, `giant` or `sweep:FIELDS`.
    #[arg(long, value_name = "NAME", conflicts_with = "schema")]
    pub(crate) dataset: Option<String>,

    /// Data of your own, described in a TOML file.
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: Option<PathBuf>,

    /// How many objects there are; as many as the schema says if left out.
    #[arg(long, value_name = "N")]
    pub(crate) objects: Option<u64>,

    /// The shares of the operations hset1 (one field), hset (all fields), hget, hmget, hgetall and
    /// hincrby.
    #[arg(long, value_name = "OPERATION=SHARE,…", default_value_t)]
    pub(crate) mix: Mix,

    /// Which objects are asked for: `uniform`, `zipf` or `zipf:EXPONENT`.
    #[arg(long, value_name = "POPULARITY", default_value_t)]
    pub(crate) popularity: KeyPopularity,

    /// How many threads send; for the embedded engine one for each core, for a server half as many,
    /// if left out.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,

    /// How many connections they have together; for the embedded engine one for each thread, for a
    /// server 50, if left out.
    #[arg(long, value_name = "N")]
    pub(crate) connections: Option<NonZeroUsize>,

    /// How many commands each connection has in flight.
    #[arg(long, value_name = "N")]
    pub(crate) pipeline: Option<NonZeroUsize>,

    /// How many shards the embedded engine has, as `--target embedded:SHARDS`; for each core as many
    /// as the engine likes if left out.
    #[arg(long, value_name = "N")]
    pub(crate) shards: Option<NonZeroUsize>,

    /// After how many commands it ends.
    #[arg(long, value_name = "N", conflicts_with = "duration")]
    pub(crate) requests: Option<NonZeroU64>,

    /// After how long it ends: `10`, `10s`, `500ms`, `2m`.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) duration: Option<Duration>,

    /// For how long commands are sent before they count.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) warm_up: Option<Duration>,

    /// What the operations are drawn from; the same seed gives the same commands.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,

    /// Sends to a server that holds the objects already, instead of loading them first.
    #[arg(long)]
    pub(crate) no_fill: bool,

    #[command(flatten)]
    pub(crate) running: RunningArgs,

    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

/// Serves hashes and strings to Redis clients, from memory.
///
/// Speaks the Redis protocol on port 6379 of this machine, with a thread and a shard for each core.
/// Nothing is written to disk: it is for measuring and for caches.
#[derive(Debug, ClapArgs)]
pub(crate) struct ServeArgs {
    /// A file of parameters, in the form of a redis.conf. The environment (`HECTARE_MAXMEMORY` and
    /// the like) goes before it, and these options before both.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// The TCP port, 6379 if nothing says otherwise; 0 lets the system choose one.
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<String>,

    /// The addresses to listen on (127.0.0.1 and ::1 if nothing says otherwise); one that begins with
    /// `-`, as in `--bind=-::1`, may be missing, and an empty one means no TCP at all.
    #[arg(long, value_name = "ADDRESS", num_args = 1..)]
    pub(crate) bind: Vec<String>,

    /// Listens on a unix socket, too.
    #[arg(long, value_name = "PATH")]
    pub(crate) unixsocket: Option<String>,

    /// The permissions of the unix socket, in octal digits.
    #[arg(long, value_name = "MODE")]
    pub(crate) unixsocketperm: Option<String>,

    /// How many shards there are, each with a thread; one for each core if nothing says otherwise.
    #[arg(long, value_name = "N")]
    pub(crate) shards: Option<String>,

    /// The password that clients must log in with. Others on this machine can see it; better are
    /// --requirepass-file and the environment variable HECTARE_REQUIREPASS.
    #[arg(long, value_name = "PASSWORD", conflicts_with = "requirepass_file")]
    pub(crate) requirepass: Option<String>,

    /// A file whose first line is the password.
    #[arg(long, value_name = "FILE")]
    pub(crate) requirepass_file: Option<String>,

    /// Whether clients of other machines are refused while there is no password: yes, if nothing
    /// says otherwise.
    #[arg(long, value_name = "YES|NO")]
    pub(crate) protected_mode: Option<String>,

    /// How many clients may be connected at once; 10000 if nothing says otherwise.
    #[arg(long, value_name = "N")]
    pub(crate) maxclients: Option<String>,

    /// After how many seconds of silence a client is disconnected; never, if nothing says otherwise.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) timeout: Option<String>,

    /// After how many seconds of silence the system asks whether a client is still there; 300, if
    /// nothing says otherwise.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) tcp_keepalive: Option<String>,

    /// How many clients may wait to be accepted; 511 if nothing says otherwise.
    #[arg(long, value_name = "N")]
    pub(crate) tcp_backlog: Option<String>,

    /// How much memory the data may take, such as `100mb` or `2gb`; as much as there is, if nothing
    /// says otherwise.
    #[arg(long, value_name = "BYTES")]
    pub(crate) maxmemory: Option<String>,

    /// The longest argument of a command; 512mb, and no more, if nothing says otherwise.
    #[arg(long, value_name = "BYTES")]
    pub(crate) proto_max_bulk_len: Option<String>,

    /// Answers Prometheus at `http://ADDRESS/metrics`. A port alone is one of this machine, and 0 lets
    /// the system choose one; there is no password, so others should not reach it.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) metrics_addr: Option<String>,

    /// What standard error gets: debug, verbose, notice, warning or nothing; notice, if nothing says
    /// otherwise.
    #[arg(long, value_name = "LEVEL")]
    pub(crate) loglevel: Option<String>,

    /// Whose texts are spoken where the two differ: redis or valkey; redis, if nothing says otherwise.
    #[arg(long, value_name = "SERVER")]
    pub(crate) dialect: Option<String>,
}

/// Reads a time: a number and its unit, seconds if there is none.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, seconds) = if let Some(number) = text.strip_suffix("ms") {
        (number, 0.001)
    } else if let Some(number) = text.strip_suffix('m') {
        (number, 60.0)
    } else {
        (text.strip_suffix('s').unwrap_or(text), 1.0)
    };
    let read = number.parse::<f64>().ok().map(|number| number * seconds);
    read.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "a time is a number with the unit ms, s or m, such as 10s".to_owned())
}

/// Which data.
#[derive(Debug, ClapArgs)]
pub(crate) struct DataArgs {
    /// Data that comes with the program: `user`, `counter`, `session`, `wide`, `bucketed`, `large`,
    /// `giant` (one hash of 1.8 M fields, as `--layout bucketed`) or `sweep:FIELDS` (objects of 1 to
    /// 1024 fields); may be given several times.
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
    /// Writes CSV rows instead of text.
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,

    /// Writes JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_with_a_unit() {
        for (text, millis) in [("10", 10_000), ("1.5s", 1500), ("20ms", 20), ("2m", 120_000)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "-1s", "1h", "ten", "NaN", "inf", "1e300m"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
