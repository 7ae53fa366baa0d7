//! What can be chosen about a server?

use std::path::PathBuf;
use std::time::Duration;

/// What a server is started with; the defaults are Redis' own where there is such a setting.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The TCP addresses to listen on, names or numbers; one that begins with `-` may be missing.
    /// Without any, there is no TCP.
    pub bind: Vec<String>,
    /// The TCP port; 0 lets the system choose.
    pub port: u16,
    /// Where the unix socket is, if there is to be one.
    pub unix_socket: Option<PathBuf>,
    /// The permissions of the unix socket; what the process' mask leaves if not said.
    pub unix_socket_mode: Option<u32>,
    /// How many shards, and so threads; one for each core if not said.
    pub shards: Option<usize>,
    /// What clients must log in with.
    pub password: Option<String>,
    /// Whether clients from other machines are refused while there is no password.
    pub protected_mode: bool,
    /// How many clients may be connected.
    pub clients_max: usize,
    /// After how long without a command a client is disconnected; never if zero.
    pub idle_timeout: Duration,
    /// After how much silence the system asks whether a client is still there; never if zero.
    pub tcp_keepalive: Duration,
    /// How many clients may wait to be accepted.
    pub tcp_backlog: u32,
    /// The longest argument, in bytes.
    pub bulk_bytes_max: u32,
    /// The longest reply, in bytes; a longer one becomes an error.
    pub reply_bytes_max: usize,
    /// How many bytes of replies may wait for a client before nothing more is read from it.
    pub output_bytes_pause: usize,
    /// How many bytes of replies may wait for a client before it is disconnected.
    pub output_bytes_max: usize,
    /// How many bytes of replies may wait for all clients of a thread together; beyond it, only
    /// clients that take what is there are read from.
    pub outputs_bytes_max: usize,
    /// How many bytes the data may take; no limit if not said.
    pub memory_bytes: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bind: vec!["127.0.0.1".to_owned(), "-::1".to_owned()],
            port: 6379,
            unix_socket: None,
            unix_socket_mode: None,
            shards: None,
            password: None,
            protected_mode: true,
            clients_max: 10_000,
            idle_timeout: Duration::ZERO,
            tcp_keepalive: Duration::from_secs(300),
            tcp_backlog: 511,
            bulk_bytes_max: 512 << 20,
            reply_bytes_max: 1 << 30,
            output_bytes_pause: 64 << 20,
            output_bytes_max: 2 << 30,
            outputs_bytes_max: 1 << 30,
            memory_bytes: None,
        }
    }
}
