//! What does a server say of itself?

use std::fmt::{self, Display};

/// What is behind a target: the program, its version and the allocator that its figures depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerInfo {
    /// Which program it is.
    pub name: ServerName,
    /// Its version, such as `8.0.2`.
    pub version: String,
    /// Both and the allocator in one text, such as `redis 8.0.2 (jemalloc-5.3.0)`.
    pub build: String,
    /// The allocator, such as `jemalloc-5.3.0`; `unknown` when the server does not say.
    pub allocator: String,
    /// The step between the sizes of small allocations, when known. The same version of a server
    /// may come with 8 (jemalloc built with the server) or 16 (the system's jemalloc, glibc), and
    /// takes more bytes for the same data with 16.
    pub allocator_quantum_bytes: Option<u32>,
    /// The server's limit for its own accounting of memory; `None` when it has none.
    pub maxmemory_bytes: Option<u64>,
    /// What the server does at that limit, such as `noeviction`.
    pub maxmemory_policy: Option<String>,
    /// Whether the server is a node of a cluster, and so answers for some keys only.
    pub cluster: bool,
    /// The server's process, when it is one of this machine for certain: this process, the one
    /// that was started, or the one that holds the other end of our connection.
    pub process_id: Option<u32>,
    /// How many shards the embedded engine has; `None` for a server.
    pub shards: Option<usize>,
}

/// Which program serves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ServerName {
    /// Redis, or a program that says that it is.
    Redis,
    /// Valkey.
    Valkey,
    /// The engine of this repository, embedded or as a server.
    Hectare,
    /// Another program that speaks the protocol, by the name it gives.
    Other(String),
}

impl Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Redis => "redis",
            Self::Valkey => "valkey",
            Self::Hectare => "hectare",
            Self::Other(name) => name,
        })
    }
}

impl ServerInfo {
    /// Reads it from the answers to `INFO` and `MEMORY MALLOC-STATS`.
    ///
    /// `process_id` is left out: what the server says of it needs proof.
    pub(crate) fn from_answers(info: &Info, malloc_stats: &str) -> Self {
        let (name, version) = name_and_version(info);
        let allocator = info.get("mem_allocator").unwrap_or("unknown").to_owned();
        Self {
            build: format!("{name} {version} ({allocator})"),
            name,
            version,
            allocator_quantum_bytes: quantum_bytes(malloc_stats),
            allocator,
            maxmemory_bytes: info.number("maxmemory").filter(|&limit| limit > 0),
            maxmemory_policy: info.get("maxmemory_policy").map(str::to_owned),
            cluster: info.get("cluster_enabled") == Some("1"),
            process_id: None,
            shards: None,
        }
    }

    /// The engine in this process, of so many shards.
    pub(crate) fn embedded(shards: usize) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        // glibc's malloc hands out multiples of 16 bytes on 64-bit machines.
        let glibc = cfg!(all(target_env = "gnu", target_pointer_width = "64"));
        let allocator = if glibc { "glibc" } else { "system" };
        let plural = if shards == 1 { "shard" } else { "shards" };
        Self {
            name: ServerName::Hectare,
            build: format!("hectare {version} (embedded, {shards} {plural}, {allocator})"),
            version,
            allocator: allocator.to_owned(),
            allocator_quantum_bytes: glibc.then_some(16),
            maxmemory_bytes: None,
            maxmemory_policy: None,
            cluster: false,
            process_id: Some(std::process::id()),
            shards: Some(shards),
        }
    }
}

/// The answer to `INFO`: lines of `name:value` between headings.
#[derive(Debug, Clone)]
pub(crate) struct Info(String);

impl Info {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }
}

fn name_and_version(info: &Info) -> (ServerName, String) {
    // All speak of a `redis_version` too, for old clients, so their own line goes first.
    let named = [
        ("valkey_version", ServerName::Valkey),
        ("hectare_version", ServerName::Hectare),
        ("dragonfly_version", ServerName::Other("dragonfly".to_owned())),
        ("redis_version", ServerName::Redis),
    ];
    for (line, name) in named {
        if let Some(version) = info.get(line) {
            return (name, version.to_owned());
        }
    }
    (ServerName::Other("unknown server".to_owned()), "of unknown version".to_owned())
}

/// The `Quantum size: 16` of jemalloc's statistics.
fn quantum_bytes(malloc_stats: &str) -> Option<u32> {
    let line = malloc_stats.lines().find_map(|line| line.trim().strip_prefix("Quantum size:"))?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(text: &str) -> Info {
        Info::new(text.replace('\n', "\r\n"))
    }

    #[test]
    fn valkey_is_not_taken_for_the_redis_it_stands_in_for() {
        let info =
            info("# Server\nredis_version:7.2.4\nserver_name:valkey\nvalkey_version:9.1.2\n");
        let server = ServerInfo::from_answers(&info, "");
        assert_eq!((server.name, server.version.as_str()), (ServerName::Valkey, "9.1.2"));
    }

    #[test]
    fn limits_and_allocator_are_read() {
        let info = info(
            "redis_version:8.0.2\nmem_allocator:jemalloc-5.3.0\nmaxmemory:1048576\n\
             maxmemory_policy:allkeys-lru\ncluster_enabled:1\n",
        );
        let server =
            ServerInfo::from_answers(&info, "Arenas: 8\nQuantum size: 16\nPage size: 4096\n");
        assert_eq!(server.build, "redis 8.0.2 (jemalloc-5.3.0)");
        assert_eq!(server.allocator_quantum_bytes, Some(16));
        assert_eq!(server.maxmemory_bytes, Some(1_048_576));
        assert_eq!(server.maxmemory_policy.as_deref(), Some("allkeys-lru"));
        assert!(server.cluster);
    }

    #[test]
    fn a_limit_of_zero_is_no_limit_and_silence_is_no_quantum() {
        let server =
            ServerInfo::from_answers(&info("redis_version:7.0.15\nmaxmemory:0\n"), "nothing");
        assert_eq!((server.maxmemory_bytes, server.allocator_quantum_bytes), (None, None));
        assert_eq!(server.allocator, "unknown");
    }

    #[test]
    fn a_name_that_only_begins_alike_is_another_line() {
        let info = info("used_memory_rss:5\nused_memory:7\n");
        assert_eq!(info.number("used_memory"), Some(7));
    }
}
