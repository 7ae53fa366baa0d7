//! What does a server know of itself, when it is asked?
//!
//! [`InfoRequest`](crate::InfoRequest) shows it as `INFO` does, [`metrics`](crate::metrics::text) as
//! Prometheus reads it. Whoever asks fills it in; nothing here is counted or measured.

use hectare_store::Accounting;

use crate::Dialect;

/// Everything that is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Of the process.
    pub server: ServerFacts,
    /// Of connections.
    pub clients: ClientFacts,
    /// Of memory.
    pub memory: MemoryFacts,
    /// Of what has happened since the start, or since `CONFIG RESETSTAT`.
    pub stats: StatFacts,
    /// Of the time that processors have spent.
    pub cpu: CpuFacts,
    /// Of the databases that hold keys, by number.
    pub databases: Vec<DatabaseFacts>,
    /// Of the commands that were called.
    pub commands: Vec<CommandFacts>,
    /// Of the errors that were answered.
    pub errors: Vec<ErrorFacts>,
}

/// What is known of the process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerFacts {
    /// Whose texts are spoken.
    pub dialect: Dialect,
    /// The system, its version and the processor, as `Linux 6.12 x86_64`.
    pub os: String,
    /// The number of the process.
    pub process_id: u32,
    /// 40 random hexadecimal digits that a start of the server has to itself.
    pub run_id: String,
    /// The TCP port; 0 for none.
    pub tcp_port: u16,
    /// The addresses listened on, as `name=tcp,bind=127.0.0.1,port=6379`.
    pub listeners: Vec<String>,
    /// Microseconds since 1970.
    pub unix_time_us: u64,
    /// Seconds since the start.
    pub uptime_s: u64,
    /// How often a second the server looks after what nobody asks for.
    pub hz: u32,
    /// The path of the program.
    pub executable: String,
    /// The path of the configuration file; empty for none.
    pub config_file: String,
    /// How many shards there are.
    pub shards: usize,
}

/// What is known of connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientFacts {
    /// Those that are open.
    pub connected: u64,
    /// How many there may be.
    pub maxclients: u64,
    /// Those that wait within a command.
    pub blocked: u64,
    /// Those that watch keys.
    pub watching: u64,
    /// How many keys they watch.
    pub watched_keys: u64,
    /// The largest query buffer of those that are open, in bytes.
    pub input_buffer_bytes_max: u64,
    /// The largest output buffer, in bytes.
    pub output_buffer_bytes_max: u64,
    /// Connections of each thread; empty if that is not known.
    pub threads: Vec<ThreadFacts>,
}

/// What one thread has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThreadFacts {
    /// Its connections.
    pub clients: u64,
    /// How often it has read from a connection.
    pub reads: u64,
    /// How often it has written to one.
    pub writes: u64,
}

/// What is known of memory, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryFacts {
    /// What the data take in all shards.
    pub data: Accounting,
    /// What connections take.
    pub client_bytes: u64,
    /// What the process had taken before there were data or connections.
    pub startup_bytes: u64,
    /// The most that data and connections have taken at once.
    pub peak_bytes: u64,
    /// What of the process is in memory.
    pub resident_bytes: u64,
    /// The memory of the machine.
    pub system_bytes: u64,
    /// How many bytes the data may take; 0 for no limit.
    pub maxmemory_bytes: u64,
}

impl MemoryFacts {
    /// What is used, as Redis counts it: data, connections, and what was there at the start.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.startup_bytes + self.client_bytes + self.data.used_bytes()
    }

    /// What of it is not the records of the data.
    #[must_use]
    pub fn overhead_bytes(&self) -> u64 {
        self.startup_bytes + self.client_bytes + self.data.index_bytes
    }
}

/// What has happened.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StatFacts {
    /// Connections that were accepted.
    pub connections: u64,
    /// Connections that were refused because there were too many.
    pub rejected_connections: u64,
    /// Commands that were run.
    pub commands: u64,
    /// Commands a second, lately.
    pub commands_per_s: u64,
    /// Bytes that were received.
    pub input_bytes: u64,
    /// Bytes that were sent.
    pub output_bytes: u64,
    /// Kibibytes received a second, lately.
    pub input_kib_per_s: f64,
    /// Kibibytes sent a second, lately.
    pub output_kib_per_s: f64,
    /// Keys whose deadline had passed and that were removed.
    pub expired_keys: u64,
    /// Fields likewise.
    pub expired_fields: u64,
    /// Look-ups of keys that were there.
    pub hits: u64,
    /// Look-ups of keys that were not.
    pub misses: u64,
    /// How often connections were read.
    pub reads: u64,
    /// How often they were written to.
    pub writes: u64,
    /// Errors that were answered.
    pub error_replies: u64,
    /// Commands that clients had no right to, for want of a password.
    pub denied_commands: u64,
    /// Passwords that were wrong.
    pub denied_passwords: u64,
    /// Clients that were disconnected because of what they sent without ending a command.
    pub query_buffer_disconnections: u64,
    /// Clients that were disconnected because they did not read.
    pub output_buffer_disconnections: u64,
    /// Writes since the start, which a save would keep.
    pub changes: u64,
}

/// What time processors have spent, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CpuFacts {
    /// In the system, for this process.
    pub system_s: f64,
    /// In this process.
    pub user_s: f64,
}

/// What is known of one database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DatabaseFacts {
    /// Its number.
    pub database: u32,
    /// Its keys.
    pub keys: u64,
    /// Those that have a deadline.
    pub keys_with_deadline: u64,
    /// The hashes among its keys that have fields with a deadline.
    pub hashes_with_deadlines: u64,
    /// How long keys with a deadline have left, on average; 0 if that is not known.
    pub milliseconds_left_mean: u64,
}

/// What is known of one command.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CommandFacts {
    /// Its name, as `config|get`.
    pub name: String,
    /// How often it was run.
    pub calls: u64,
    /// How many microseconds that took.
    pub microseconds: u64,
    /// How often it was refused before it ran.
    pub rejected: u64,
    /// How often it failed.
    pub failed: u64,
    /// Within how many microseconds half of the calls were done, 99 % and 99.9 %; if that is known.
    pub percentiles_us: Option<[f64; 3]>,
}

/// How often an error of one kind was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorFacts {
    /// What it began with, as `WRONGTYPE`.
    pub kind: String,
    /// How often.
    pub count: u64,
}
