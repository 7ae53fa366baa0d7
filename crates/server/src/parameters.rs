//! What can be chosen about a server, and what was chosen?
//!
//! A parameter bears the name that it has in a `redis.conf`; those that are this server's own begin with
//! `hectare-`. Its table says of each how it is read, shown, and whether it can be changed while
//! the server runs. What a parameter becomes is said by the last of these that names it: a
//! [file](Parameters::read_file), the [environment](Parameters::read_environment), a
//! [flag](Parameters::read), `CONFIG SET` ([`Parameters::change`]).

mod change;
mod file;
mod question;
mod table;

mod buffer_limits;
mod choice;
mod value;
mod words;

use std::collections::BTreeMap;

pub use buffer_limits::{BufferLimit, BufferLimits};
pub use choice::{Dialect, LogLevel, WhoMayDebug};
pub use file::{Origin, Problem};

/// The parameters of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// The TCP port to listen on; with 0 the system chooses one.
    pub port: u16,
    /// The addresses to listen on: `*` and `::*` are all; one that begins with `-` may be missing.
    pub bind: Vec<String>,
    /// The path of a Unix socket to listen on; empty for none.
    pub unixsocket: String,
    /// Its permissions; 0 leaves them to the umask.
    pub unixsocketperm: u32,
    /// How many connections may wait to be accepted.
    pub tcp_backlog: u32,
    /// After how many idle seconds the system asks a peer whether it is still there; 0 for never.
    pub tcp_keepalive: u32,
    /// After how many idle seconds a client is disconnected; 0 for never.
    pub timeout: u32,
    /// How many clients there may be at once.
    pub maxclients: u32,
    /// Whether clients from other hosts are refused as long as there is no password.
    pub protected_mode: bool,
    /// The password that clients must give; empty for none.
    pub requirepass: Vec<u8>,
    /// The longest string that a client may send, in bytes.
    pub proto_max_bulk_len: u64,
    /// How many bytes of a client may wait to become a whole command.
    pub client_query_buffer_limit: u64,
    /// How many bytes of replies may wait for a client to read them.
    pub client_output_buffer_limit: BufferLimits,
    /// How many bytes the data may take; 0 for no limit.
    pub maxmemory: u64,
    /// A hash with more fields than this is a `hashtable` to `OBJECT ENCODING`.
    pub hash_max_listpack_entries: u64,
    /// A hash with a longer field or value, in bytes, is a `hashtable` likewise.
    pub hash_max_listpack_value: u64,
    /// How often a second the server looks after what nobody asks for.
    pub hz: u32,
    /// Which messages are logged.
    pub loglevel: LogLevel,
    /// The file that messages are appended to; empty for the standard error.
    pub logfile: String,
    /// The folder that the server runs in; empty for where it was started.
    pub dir: String,
    /// From where `DEBUG` may be called.
    pub enable_debug_command: WhoMayDebug,

    /// How many shards there are, each with a thread; 0 for one a core.
    pub hectare_shards: u32,
    /// The address and port where Prometheus finds the metrics; empty for nowhere.
    pub hectare_metrics_addr: String,
    /// Whose texts are spoken where Redis and Valkey differ.
    pub hectare_dialect: Dialect,
    /// The longest reply to one command, in bytes.
    pub hectare_reply_bytes_max: u64,
    /// A file whose first line is the password; empty for none.
    pub hectare_requirepass_file: String,

    /// What was chosen for parameters that are known and do nothing here.
    inert: BTreeMap<&'static str, Vec<u8>>,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            port: 6379,
            bind: vec!["*".to_owned(), "-::*".to_owned()],
            unixsocket: String::new(),
            unixsocketperm: 0,
            tcp_backlog: 511,
            tcp_keepalive: 300,
            timeout: 0,
            maxclients: 10_000,
            protected_mode: true,
            requirepass: Vec::new(),
            proto_max_bulk_len: 512 << 20,
            client_query_buffer_limit: 1 << 30,
            client_output_buffer_limit: BufferLimits::default(),
            maxmemory: 0,
            hash_max_listpack_entries: 512,
            hash_max_listpack_value: 64,
            hz: 10,
            loglevel: LogLevel::Notice,
            logfile: String::new(),
            dir: String::new(),
            enable_debug_command: WhoMayDebug::Local,
            hectare_shards: 0,
            hectare_metrics_addr: String::new(),
            hectare_dialect: Dialect::Redis,
            // Twice the longest value, so that no reply of one value is too long.
            hectare_reply_bytes_max: 1 << 30,
            hectare_requirepass_file: String::new(),
            inert: BTreeMap::new(),
        }
    }
}
