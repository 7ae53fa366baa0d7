//! What does the server know of itself at this moment?

use crate::counts;
use crate::facts::{
    ClientFacts, CpuFacts, DatabaseFacts, Facts, MemoryFacts, ServerFacts, StatFacts, ThreadFacts,
};
use crate::shared::{Shared, Tally, unix_ms};
use hectare_engine::{Client, EngineError, Reply, Stats};
use hectare_store::{Accounting, Counted, DATABASES};
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// What the engine has said.
#[derive(Debug)]
pub(crate) struct Asked {
    stats: Stats,
    databases: Vec<DatabaseFacts>,
}

/// Asks the engine. The driver of a shard does so aside from it, since the other shards' drivers may be
/// asking for this one.
pub(crate) fn ask(client: &Client) -> Result<Asked, EngineError> {
    Ok(Asked { stats: client.stats()?, databases: databases(client)? })
}

/// Adds to what the engine has said what the system knows and the threads have counted.
pub(crate) fn facts(shared: &Shared, asked: Asked, now: Instant) -> Facts {
    let Asked { stats, databases } = asked;
    let (client_bytes, clients) = clients(shared);
    let resident_bytes = resident_bytes();
    let data = accounting(&stats);
    Facts {
        server: server(shared, (now - shared.start).as_secs()),
        clients,
        memory: MemoryFacts {
            data,
            client_bytes,
            startup_bytes: shared.startup_bytes,
            peak_bytes: shared.peak(shared.startup_bytes + client_bytes + data.used_bytes()),
            resident_bytes,
            system_bytes: system_bytes(),
            maxmemory_bytes: shared.parameters().maxmemory,
        },
        stats: happened(shared, shared.counted(stats.counted)),
        cpu: cpu(),
        databases,
        commands: counts::commands(&shared.counts),
        errors: counts::errors(&shared.counts),
    }
}

fn server(shared: &Shared, uptime_s: u64) -> ServerFacts {
    let parameters = shared.parameters();
    ServerFacts {
        dialect: parameters.hectare_dialect,
        os: os(),
        process_id: std::process::id(),
        run_id: shared.run_id.clone(),
        tcp_port: shared.port,
        listeners: shared.listeners.clone(),
        unix_time_us: unix_ms() * 1000,
        uptime_s,
        hz: parameters.hz,
        executable: std::env::current_exe()
            .map(|path| path.display().to_string())
            .unwrap_or_default(),
        config_file: String::new(),
        shards: shared.doors.len(),
    }
}

/// The system's name, its version and the processor.
fn os() -> String {
    let name = rustix::system::uname();
    [name.sysname(), name.release(), name.machine()].map(|part| part.to_string_lossy()).join(" ")
}

/// How much memory connections take, and what is known of them.
fn clients(shared: &Shared) -> (u64, ClientFacts) {
    let load = |figure: &std::sync::atomic::AtomicUsize| figure.load(Ordering::Relaxed) as u64;
    let mut facts = ClientFacts {
        connected: shared.clients() as u64,
        maxclients: shared.live.clients_max() as u64,
        threads: shared
            .clients
            .iter()
            .zip(&shared.tally)
            .map(|(clients, tally)| ThreadFacts {
                clients: load(clients),
                reads: tally.reads.load(Ordering::Relaxed),
                writes: tally.writes.load(Ordering::Relaxed),
            })
            .collect(),
        ..ClientFacts::default()
    };
    let mut bytes = 0;
    for card in shared.directory.all() {
        let (input, output) = (load(&card.input_bytes), load(&card.output_bytes));
        facts.blocked += u64::from(card.is_suspended.load(Ordering::Relaxed));
        facts.input_buffer_bytes_max = facts.input_buffer_bytes_max.max(input);
        facts.output_buffer_bytes_max = facts.output_buffer_bytes_max.max(output);
        bytes += input + output + size_of_val(&*card) as u64;
    }
    (bytes, facts)
}

fn happened(shared: &Shared, counted: Counted) -> StatFacts {
    let sum = |figure: fn(&Tally) -> &AtomicU64| {
        shared.tally.iter().map(|tally| figure(tally).load(Ordering::Relaxed)).sum()
    };
    let now_ms = unix_ms();
    let paces = shared.tally.iter().map(|tally| tally.pace.per_s(tally, now_ms));
    let [commands_per_s, input_bytes_per_s, output_bytes_per_s] =
        paces.fold([0; 3], |sum, pace| std::array::from_fn(|index| sum[index] + pace[index]));
    StatFacts {
        commands_per_s,
        input_kib_per_s: input_bytes_per_s as f64 / 1024.0,
        output_kib_per_s: output_bytes_per_s as f64 / 1024.0,
        expired_keys: counted.expired_keys,
        expired_fields: counted.expired_fields,
        hits: counted.hits,
        misses: counted.misses,
        connections: sum(|tally| &tally.accepted),
        rejected_connections: sum(|tally| &tally.rejected),
        commands: sum(|tally| &tally.commands),
        input_bytes: sum(|tally| &tally.received_bytes),
        output_bytes: sum(|tally| &tally.sent_bytes),
        reads: sum(|tally| &tally.reads),
        writes: sum(|tally| &tally.writes),
        error_replies: sum(|tally| &tally.errors),
        ..StatFacts::default()
    }
}

fn accounting(stats: &Stats) -> Accounting {
    Accounting {
        keys: stats.keys,
        keys_with_deadline: stats.keys_with_deadline,
        fields: stats.fields,
        payload_bytes: stats.payload_bytes,
        record_bytes: stats.record_bytes,
        index_bytes: stats.index_bytes,
        shape_bytes: stats.shape_bytes,
        slack_bytes: stats.slack_bytes,
        free_bytes: stats.free_bytes,
    }
}

/// The databases that hold keys.
fn databases(client: &Client) -> Result<Vec<DatabaseFacts>, EngineError> {
    let mut pipeline = client.pipeline();
    for database in 0..DATABASES {
        pipeline.select(u8::try_from(database).unwrap_or_default());
        pipeline.command([b"DBSIZE".as_slice()])?;
    }
    let held = client.database_stats()?;
    let mut found = Vec::new();
    for ((database, reply), held) in (0..).zip(pipeline.run()?.iter()).zip(held) {
        if let Reply::Integer(keys @ 1..) = reply {
            let (keys, keys_with_deadline) = (keys.unsigned_abs(), held.keys_with_deadline);
            let facts = DatabaseFacts { database, keys, keys_with_deadline, ..Default::default() };
            found.push(facts);
        }
    }
    Ok(found)
}

/// What of the process is in memory; 0 where the system does not say.
pub(crate) fn resident_bytes() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or_default() * rustix::param::page_size() as u64
}

fn system_bytes() -> u64 {
    let info = rustix::system::sysinfo();
    #[expect(clippy::useless_conversion, reason = "it is a u32 or a u64, by the processor")]
    let bytes = u64::from(info.totalram) * u64::from(info.mem_unit);
    bytes
}

/// The processor time of the process, from the system's 14th and 15th figure of it.
fn cpu() -> CpuFacts {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may hold blanks; the third figure comes behind it.
    let behind = text.rsplit_once(')').map(|(_, behind)| behind).unwrap_or_default();
    let mut figures = behind.split_ascii_whitespace().skip(11);
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let mut seconds = || {
        let figure = figures.next().and_then(|figure| figure.parse::<f64>().ok());
        figure.unwrap_or_default() / ticks
    };
    let user_s = seconds();
    CpuFacts { user_s, system_s: seconds() }
}
