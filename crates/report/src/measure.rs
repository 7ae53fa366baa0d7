//! What does one cell cost?
//!
//! The order is what makes the figures comparable: all commands are made; the target is opened and
//! warmed up without data; memory is read once it has come to rest; the data is loaded, with the
//! clock running; every key is looked for; memory is read again at rest; a sample is asked for its
//! encodings; if that is asked for, the data is worn, and memory read once more. What was written to a running server is removed in the end, also after a failure.

use std::fmt;
use std::thread;
use std::time::Duration;

use hectare_target::{
    AdmissionError, Books, Connection, ConnectionError, InquiryError, MemoryReading, OpenError,
    PeakReset, RssSource, Target, TargetOptions,
};
use hectare_workload::{Churn, Commands, LayoutError, LoadPlan};

use crate::cell::{Cell, DataError};
use crate::load::{self, Load, LoadError};
use crate::row::{Row, SCHEMA_VERSION};
use crate::units;

/// How many keys are asked for their encoding.
const SAMPLED_KEYS: u64 = 200;
/// How long between two readings that must agree, and how many times they are compared at most.
const REST_PAUSE: Duration = Duration::from_millis(60);
const REST_PAUSE_OF_SERVER_FIGURES: Duration = Duration::from_millis(150);
const REST_COMPARISONS_MAX: usize = 30;
/// Readings agree when neither figure moved by more.
const REST_BYTES: u64 = 64 * 1024;

/// Measures a cell in this process, which should be a fresh one: what was allocated and freed
/// before is taken up again by the embedded engine without growth.
///
/// `should_stop` is asked now and then; once it answers `true`, this returns
/// [`CellError::Stopped`] with everything tidied up.
///
/// # Errors
/// A [`CellError`] when the data cannot be made, the target cannot be had or does not take the
/// data, or what it holds afterwards is not what was written.
pub fn measure_cell(cell: &Cell, should_stop: &dyn Fn() -> bool) -> Result<Row, CellError> {
    let dataset = cell.dataset().map_err(CellError::Data)?;
    let plan =
        LoadPlan::new(&dataset, cell.layout, cell.write_pattern).map_err(CellError::Layout)?;
    let load = Load::make(plan)?;
    if should_stop() {
        return Err(CellError::Stopped);
    }
    let target = Target::open(&cell.target, &TargetOptions::default()).map_err(CellError::Open)?;
    target.admit(&cell.policy).map_err(CellError::Admission)?;
    check_headroom(&target, &load)?;
    let churn = cell.churn.then(|| load.churn());
    let measured = measure(cell, &target, &load, churn, should_stop);
    if target.is_running_server() {
        let removed = target
            .connect()
            .map_err(LoadError::Connection)
            .and_then(|mut connection| load.remove_keys(&mut connection));
        if let Err(removal) = removed {
            let cause = measured.err().map(|error| error.to_string());
            let target = cell.target.to_string();
            return Err(CellError::Left { target, cause, removal });
        }
    }
    measured
}

fn measure(
    cell: &Cell,
    target: &Target,
    load: &Load,
    mut churn: Option<Churn>,
    should_stop: &dyn Fn() -> bool,
) -> Result<Row, CellError> {
    let mut connection = target.connect().map_err(CellError::Connection)?;
    let inquire = CellError::Inquiry;
    let keys_before = target.keys().map_err(inquire)?;
    load.rehearse(&mut connection, churn.as_mut())?;
    let evicted_before = target.evicted_keys().map_err(inquire)?;
    let before = at_rest(target, should_stop)?;
    let peak_counts = target.reset_rss_peak() == PeakReset::Reset;
    let cpu_before = target.cpu_time();

    let sent = load.send(&mut connection, &|| {
        // Only a server of somebody else has a limit; there, every key it throws away is a loss.
        if target.is_running_server() {
            check_evictions(target, evicted_before)?;
        }
        if should_stop() { Err(CellError::Stopped) } else { Ok(()) }
    });
    let elapsed = sent?;
    check_evictions(target, evicted_before)?;
    let cpu = target.cpu_time().zip(cpu_before).map(|(after, before)| after.saturating_sub(before));
    let keys = load.count_keys(&mut connection)?;
    let after = at_rest(target, should_stop)?;
    let keys_after = target.keys().map_err(inquire)?;
    check_keys(load, keys, keys_after.saturating_sub(keys_before), target.is_running_server())?;
    let sample = load.sample(SAMPLED_KEYS);
    load.check_lengths(&mut connection, &sample)?;
    let worn = match &mut churn {
        Some(churn) => Some(wear(target, load, &mut connection, churn, should_stop)?),
        None => None,
    };
    let encodings = target.encodings(sample.iter().map(|&(_, key)| key)).map_err(inquire)?;
    let encodings: Vec<String> =
        encodings.iter().map(|(encoding, count)| format!("{encoding} {count}")).collect();

    let readings = Readings { before, after, worn, peak_counts };
    let times = Times { elapsed, cpu };
    Ok(row(cell, target, load, &readings, times, encodings.join(", "), keys))
}

/// Memory at rest before the load, after it, and after two ways of wearing the data.
struct Readings {
    before: MemoryReading,
    after: MemoryReading,
    worn: Option<[MemoryReading; 2]>,
    /// Whether the peak was of the load alone.
    peak_counts: bool,
}

/// How long the load took, by the clock and by the processors.
#[derive(Clone, Copy)]
struct Times {
    elapsed: Duration,
    cpu: Option<Duration>,
}

fn row(
    cell: &Cell,
    target: &Target,
    load: &Load,
    readings: &Readings,
    times: Times,
    encodings: String,
    keys: u64,
) -> Row {
    let &Readings { before, after, worn, peak_counts } = readings;
    let [overwritten, readded] = worn.map_or([None; 2], |worn| worn.map(Some));
    // A process that measures itself knows its own size only where the kernel says it.
    let embedded = cell.target.is_embedded();
    let resident_known =
        !(cell.written_before || embedded && after.rss_source == RssSource::Server);
    let peak = after.rss_peak_bytes.filter(|_| peak_counts && resident_known);
    let (dataset, server) = (load.dataset(), target.server());
    let used = |later: MemoryReading| growth(before.used_memory_bytes, later.used_memory_bytes);
    let rss =
        |later: MemoryReading| resident_known.then(|| growth(before.rss_bytes, later.rss_bytes));
    let book = |bytes: fn(Books) -> u64| Some(growth(bytes(before.books?), bytes(after.books?)));
    Row {
        schema_version: SCHEMA_VERSION,
        dataset: dataset.name().to_owned(),
        layout: cell.layout.name().to_owned(),
        bucket_size: cell.layout.bucket_size(),
        write_pattern: cell.write_pattern.name().to_owned(),
        target: format!("{} {}", server.name, server.version),
        server_build: server.build.clone(),
        allocator_quantum_bytes: server.allocator_quantum_bytes,
        shards: server.shards.map(|shards| shards as u64),
        thp: hectare_target::transparent_huge_pages(),
        objects: dataset.objects(),
        fields: dataset.fields(),
        logical_bytes: load.logical_bytes(),
        payload_bytes: load.payload_bytes(),
        used_memory_delta_bytes: used(after),
        rss_delta_bytes: rss(after),
        rss_peak_bytes: peak.map(|peak| growth(before.rss_bytes, peak)),
        rss_peak_ratio: None,
        accounted_error_percent: None,
        engine_payload_delta_bytes: book(|books| books.payload_bytes),
        engine_record_delta_bytes: book(|books| books.record_bytes),
        engine_index_delta_bytes: book(|books| books.index_bytes),
        engine_shape_delta_bytes: book(|books| books.shape_bytes),
        engine_slack_delta_bytes: book(|books| books.slack_bytes),
        used_memory_overwritten_delta_bytes: overwritten.map(used),
        rss_overwritten_delta_bytes: overwritten.and_then(rss),
        rss_overwritten_ratio: None,
        used_memory_readded_delta_bytes: readded.map(used),
        rss_readded_delta_bytes: readded.and_then(rss),
        rss_readded_ratio: None,
        used_memory_bytes_per_field: 0.0,
        rss_bytes_per_field: None,
        used_memory_bytes_per_object: 0.0,
        rss_bytes_per_object: None,
        logical_bytes_per_field: 0.0,
        payload_bytes_per_field: 0.0,
        load_commands: load.command_count(),
        load_seconds: times.elapsed.as_secs_f64(),
        load_fields_per_second: 0.0,
        load_cpu_seconds: times.cpu.map(|cpu| cpu.as_secs_f64()),
        encodings,
        keys,
    }
    .with_rates()
}

/// Overwrites every value many times, and then removes half of the keys and writes them again: memory
/// at rest after the one and after the other. The data is in the end what it was before, so only what
/// such a life leaves behind is in the difference.
fn wear(
    target: &Target,
    load: &Load,
    connection: &mut Connection,
    churn: &mut Churn,
    should_stop: &dyn Fn() -> bool,
) -> Result<[MemoryReading; 2], CellError> {
    let mut send = |commands: &Commands| {
        if should_stop() {
            return Err(CellError::Stopped);
        }
        Ok(load::send(connection, commands)?)
    };
    churn.overwrite(&mut send)?;
    let overwritten = at_rest(target, should_stop)?;
    churn.remove_and_add(&mut send)?;
    let readded = at_rest(target, should_stop)?;
    let found = load.count_keys(connection)?;
    check_keys(load, found, found, true)?;
    load.check_lengths(connection, &load.sample(SAMPLED_KEYS))?;
    Ok([overwritten, readded])
}

/// A reading of memory once two in a row agree twice, or after some seconds.
fn at_rest(target: &Target, should_stop: &dyn Fn() -> bool) -> Result<MemoryReading, CellError> {
    let near = |a: u64, b: u64| a.abs_diff(b) <= REST_BYTES;
    let mut last = target.memory().map_err(CellError::Inquiry)?;
    let mut agreed = 0;
    for _ in 0..REST_COMPARISONS_MAX {
        if should_stop() {
            return Err(CellError::Stopped);
        }
        thread::sleep(match last.rss_source {
            RssSource::Kernel => REST_PAUSE,
            RssSource::Server => REST_PAUSE_OF_SERVER_FIGURES,
        });
        let now = target.memory().map_err(CellError::Inquiry)?;
        let still = near(now.rss_bytes, last.rss_bytes)
            && near(now.used_memory_bytes, last.used_memory_bytes);
        last = now;
        agreed = if still { agreed + 1 } else { 0 };
        if agreed == 2 {
            break;
        }
    }
    Ok(last)
}

fn check_headroom(target: &Target, load: &Load) -> Result<(), CellError> {
    let Some(limit_bytes) = target.server().maxmemory_bytes else { return Ok(()) };
    let used_bytes = target.memory().map_err(CellError::Inquiry)?.used_memory_bytes;
    let needed_bytes = load.server_bytes_max();
    if used_bytes + needed_bytes <= limit_bytes {
        return Ok(());
    }
    Err(CellError::Headroom { limit_bytes, used_bytes, needed_bytes })
}

fn check_evictions(target: &Target, before: u64) -> Result<(), CellError> {
    let now = target.evicted_keys().map_err(CellError::Inquiry)?;
    match now.saturating_sub(before) {
        0 => Ok(()),
        evicted => Err(CellError::Evicted { evicted }),
    }
}

/// On a running server other clients may write too, so there the keys that were asked for count;
/// elsewhere nobody else writes, and a key too many is as wrong as one too few.
fn check_keys(load: &Load, found: u64, grown: u64, running: bool) -> Result<(), CellError> {
    let expected = load.key_count();
    let wrong = [found, if running { found } else { grown }].into_iter().find(|&n| n != expected);
    wrong.map_or(Ok(()), |found| Err(CellError::Keys { expected, found }))
}

fn growth(before: u64, after: u64) -> i64 {
    let bytes = i64::try_from(before.abs_diff(after)).unwrap_or(i64::MAX);
    if after < before { -bytes } else { bytes }
}

/// Why a cell has no row.
#[derive(Debug)]
pub enum CellError {
    /// There is no data to write.
    Data(DataError),
    /// The data cannot be laid out so.
    Layout(LayoutError),
    /// The target cannot be had.
    Open(OpenError),
    /// Nothing may be written there.
    Admission(AdmissionError),
    /// The server's limit is too near.
    Headroom {
        /// The limit.
        limit_bytes: u64,
        /// What is in use.
        used_bytes: u64,
        /// What the data takes at most.
        needed_bytes: u64,
    },
    /// There is no connection for the data.
    Connection(ConnectionError),
    /// The target does not say what it holds.
    Inquiry(InquiryError),
    /// The data did not get there.
    Load(LoadError),
    /// The server threw keys away meanwhile.
    Evicted {
        /// How many.
        evicted: u64,
    },
    /// There are other keys than were written.
    Keys {
        /// How many were written.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// Keys may be left on a running server.
    Left {
        /// The server, as the user named it.
        target: String,
        /// What went wrong before, if something did.
        cause: Option<String>,
        /// Why they could not be removed.
        removal: LoadError,
    },
    /// The run was to stop.
    Stopped,
}

impl From<LoadError> for CellError {
    fn from(error: LoadError) -> Self {
        Self::Load(error)
    }
}

impl fmt::Display for CellError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(error) => error.fmt(formatter),
            Self::Layout(error) => error.fmt(formatter),
            Self::Open(error) => error.fmt(formatter),
            Self::Admission(error) => error.fmt(formatter),
            Self::Headroom { limit_bytes, used_bytes, needed_bytes } => write!(
                formatter,
                "the data takes up to {}, and the server uses {} of its maxmemory of {}; \
                 give fewer --objects or raise maxmemory",
                units::bytes(*needed_bytes as f64),
                units::bytes(*used_bytes as f64),
                units::bytes(*limit_bytes as f64)
            ),
            Self::Connection(error) => error.fmt(formatter),
            Self::Inquiry(error) => error.fmt(formatter),
            Self::Load(error) => error.fmt(formatter),
            Self::Evicted { evicted } => write!(
                formatter,
                "the server threw away {} keys for want of memory during the load; \
                 give fewer --objects or raise maxmemory",
                units::count(*evicted)
            ),
            Self::Keys { expected, found } => write!(
                formatter,
                "{} keys were written and {} are there, so the figures would be of other data; \
                 does another client write to this server?",
                units::count(*expected),
                units::count(*found)
            ),
            Self::Left { target, cause, removal } => {
                if let Some(cause) = cause {
                    write!(formatter, "{cause}; ")?;
                }
                write!(formatter, "keys that were written may be left on {target}: {removal}")
            }
            Self::Stopped => formatter.write_str("the run was stopped"),
        }
    }
}

impl std::error::Error for CellError {}
