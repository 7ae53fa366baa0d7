//! Which parameters are there, and what does each take?
//!
//! | kind | its value | examples |
//! | --- | --- | --- |
//! | field | is a field of [`Parameters`] | `port`, `maxclients` |
//! | only | can be one: what it is about is not here | `appendonly no` |
//! | inert | is kept and shown, and does nothing | `rdbcompression`, `lazyfree-lazy-expire` |
//!
//! So a `redis.conf` that asks for nothing that is missing here can be used as it is.

use super::choice::{Dialect, LogLevel, WhoMayDebug};
use super::value::{self, Refusal};
use super::{BufferLimits, Parameters};

use Changes::{Always, AtStart, Protected};
use Form::{Choice, Integer, Memory, Text, Words, YesNo};

/// One parameter.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    /// An older name of the same, or empty.
    pub(super) alias: &'static str,
    pub(super) changes: Changes,
    pub(super) kind: Kind,
}

/// When a parameter can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Changes {
    /// At any time.
    Always,
    /// Before the server starts.
    AtStart,
    /// Likewise; Redis calls these protected.
    Protected,
}

/// Where the value of a parameter is.
#[derive(Debug)]
pub(super) enum Kind {
    Field {
        read: fn(&mut Parameters, &[&[u8]]) -> Result<(), Refusal>,
        show: fn(&Parameters) -> Vec<u8>,
    },
    Only {
        form: Form,
        value: &'static str,
        reason: &'static str,
    },
    Inert {
        form: Form,
        value: &'static str,
    },
}

/// What a value that nobody uses must look like all the same.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    Integer(i64, i64),
    Memory,
    YesNo,
    Choice(&'static [&'static str]),
    /// One word or none.
    Text,
    /// Any number of words.
    Words,
}

impl Form {
    fn check(self, words: &[&[u8]]) -> Result<(), Refusal> {
        let word = match (self, words) {
            (Self::Words, _) => return Ok(()),
            (_, [word]) => word,
            _ => return Err("wrong number of arguments".into()),
        };
        match self {
            Self::Integer(least, most) => value::integer(word, least, most).map(drop),
            Self::Memory => value::memory(word, 0, u64::MAX).map(drop),
            Self::YesNo => value::yes_no(word).map(drop),
            Self::Choice(choices) => value::choice(word, choices).map(drop),
            Self::Text | Self::Words => Ok(()),
        }
    }

    /// The value as it is shown.
    fn normalize(self, words: &[&[u8]]) -> Vec<u8> {
        let text = words.join(&b' ');
        match self {
            Self::Memory => value::bytes(&text).unwrap_or_default().to_string().into_bytes(),
            Self::YesNo | Self::Choice(_) => text.to_ascii_lowercase(),
            _ => text,
        }
    }
}

impl Row {
    /// The row of a name or an older name, in upper or lower case.
    pub(super) fn find(name: &[u8]) -> Option<&'static Self> {
        ROWS.iter().find(|row| row.names().any(|own| own.as_bytes().eq_ignore_ascii_case(name)))
    }

    /// The name and the older one.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        [self.name, self.alias].into_iter().filter(|name| !name.is_empty())
    }

    /// Takes over a value.
    pub(super) fn read(&self, parameters: &mut Parameters, words: &[&[u8]]) -> Result<(), Refusal> {
        match self.kind {
            Kind::Field { read, .. } => read(parameters, words),
            Kind::Only { form, value, reason } => {
                form.check(words)?;
                if form.normalize(words) == value.as_bytes() {
                    return Ok(());
                }
                Err(format!("only '{value}' is possible, since {reason}").into())
            }
            Kind::Inert { form, .. } => {
                form.check(words)?;
                parameters.inert.insert(self.name, form.normalize(words));
                Ok(())
            }
        }
    }

    /// The value as `CONFIG GET` shows it.
    pub(super) fn show(&self, parameters: &Parameters) -> Vec<u8> {
        match self.kind {
            Kind::Field { show, .. } => show(parameters),
            Kind::Only { value, .. } => value.into(),
            Kind::Inert { value, .. } => {
                parameters.inert.get(self.name).cloned().unwrap_or_else(|| value.into())
            }
        }
    }

    /// Whether a value is a list of words.
    pub(super) fn takes_words(&self) -> bool {
        matches!(self.name, "bind" | "client-output-buffer-limit")
            || matches!(self.kind, Kind::Only { form: Words, .. } | Kind::Inert { form: Words, .. })
    }
}

const fn field(
    name: &'static str,
    changes: Changes,
    read: fn(&mut Parameters, &[&[u8]]) -> Result<(), Refusal>,
    show: fn(&Parameters) -> Vec<u8>,
) -> Row {
    Row { name, alias: "", changes, kind: Kind::Field { read, show } }
}

const fn only(name: &'static str, form: Form, value: &'static str, reason: &'static str) -> Row {
    Row { name, alias: "", changes: Always, kind: Kind::Only { form, value, reason } }
}

const fn inert(name: &'static str, form: Form, value: &'static str) -> Row {
    Row { name, alias: "", changes: Always, kind: Kind::Inert { form, value } }
}

const fn inert_at_start(name: &'static str, form: Form, value: &'static str) -> Row {
    Row { changes: AtStart, ..inert(name, form, value) }
}

const fn also_called(alias: &'static str, row: Row) -> Row {
    Row { alias, ..row }
}

fn one<'a>(words: &[&'a [u8]]) -> Result<&'a [u8], Refusal> {
    match words {
        [word] => Ok(word),
        _ => Err("wrong number of arguments".into()),
    }
}

macro_rules! integer {
    ($name:literal, $changes:ident, $field:ident: $type:ty, $least:expr, $most:expr) => {
        field(
            $name,
            $changes,
            |parameters, words| {
                let value = value::integer(one(words)?, $least, $most)?;
                parameters.$field =
                    <$type>::try_from(value).map_err(|_| "argument is too large")?;
                Ok(())
            },
            |parameters| parameters.$field.to_string().into_bytes(),
        )
    };
}

macro_rules! memory {
    ($name:literal, $changes:ident, $field:ident, $least:expr, $most:expr) => {
        field(
            $name,
            $changes,
            |parameters, words| {
                parameters.$field = value::memory(one(words)?, $least, $most)?;
                Ok(())
            },
            |parameters| parameters.$field.to_string().into_bytes(),
        )
    };
}

macro_rules! text {
    ($name:literal, $changes:ident, $field:ident) => {
        field(
            $name,
            $changes,
            |parameters, words| {
                parameters.$field = value::text(one(words)?)?;
                Ok(())
            },
            |parameters| parameters.$field.clone().into_bytes(),
        )
    };
}

macro_rules! choice {
    ($name:literal, $changes:ident, $field:ident: $type:ty) => {
        field(
            $name,
            $changes,
            |parameters, words| {
                parameters.$field = <$type>::at(value::choice(one(words)?, <$type>::WORDS)?);
                Ok(())
            },
            |parameters| parameters.$field.word().into(),
        )
    };
}

const INT_MAX: i64 = i32::MAX as i64;
/// Redis counts clients in an unsigned `int`.
const CLIENTS_MAX: i64 = 0xffff_ffff;
const LONG_MAX: u64 = i64::MAX as u64;
const MIB: u64 = 1 << 20;

const NO_PERSISTENCE: &str = "nothing is kept on disk yet";
const NO_EVICTION: &str = "no key is evicted yet: commands that need memory are refused";
const SHARDS: &str = "each shard has a thread, and hectare-shards says how many there are";

/// Every parameter, in the order in which they are shown.
pub(super) static ROWS: &[Row] = &[
    integer!("port", AtStart, port: u16, 0, 65_535),
    field("bind", AtStart, read_bind, |parameters| parameters.bind.join(" ").into_bytes()),
    text!("unixsocket", AtStart, unixsocket),
    field("unixsocketperm", AtStart, read_permissions, |parameters| {
        format!("{:o}", parameters.unixsocketperm).into_bytes()
    }),
    integer!("tcp-backlog", AtStart, tcp_backlog: u32, 0, INT_MAX),
    integer!("tcp-keepalive", Always, tcp_keepalive: u32, 0, INT_MAX),
    integer!("timeout", Always, timeout: u32, 0, INT_MAX),
    integer!("maxclients", Always, maxclients: u32, 1, CLIENTS_MAX),
    field("protected-mode", Always, read_protected_mode, |parameters| {
        value::yes_no_text(parameters.protected_mode).into()
    }),
    field("requirepass", Always, read_password, |parameters| parameters.requirepass.clone()),
    only("databases", Integer(1, INT_MAX), "16", "there are always 16").at_start(),
    memory!("proto-max-bulk-len", Always, proto_max_bulk_len, MIB, LONG_MAX),
    memory!("client-query-buffer-limit", Always, client_query_buffer_limit, MIB, LONG_MAX),
    field("client-output-buffer-limit", Always, read_buffer_limits, |parameters| {
        parameters.client_output_buffer_limit.show().into_bytes()
    }),
    memory!("maxmemory", Always, maxmemory, 0, u64::MAX),
    only("maxmemory-policy", Choice(POLICIES), "noeviction", NO_EVICTION),
    also_called(
        "hash-max-ziplist-entries",
        integer!("hash-max-listpack-entries", Always, hash_max_listpack_entries: u64, 0, i64::MAX),
    ),
    also_called(
        "hash-max-ziplist-value",
        memory!("hash-max-listpack-value", Always, hash_max_listpack_value, 0, LONG_MAX),
    ),
    field("hz", Always, read_hz, |parameters| parameters.hz.to_string().into_bytes()),
    choice!("loglevel", Always, loglevel: LogLevel),
    text!("logfile", AtStart, logfile),
    text!("dir", Protected, dir),
    choice!("enable-debug-command", AtStart, enable_debug_command: WhoMayDebug),
    integer!("hectare-shards", AtStart, hectare_shards: u32, 0, hectare_store::SHARDS_MAX as i64),
    text!("hectare-metrics-addr", AtStart, hectare_metrics_addr),
    choice!("hectare-dialect", AtStart, hectare_dialect: Dialect),
    memory!("hectare-reply-bytes-max", Always, hectare_reply_bytes_max, MIB, LONG_MAX),
    text!("hectare-requirepass-file", AtStart, hectare_requirepass_file),
    only("save", Words, "", NO_PERSISTENCE),
    only("appendonly", YesNo, "no", NO_PERSISTENCE),
    only("notify-keyspace-events", Text, "", "nobody can subscribe to messages yet"),
    only("cluster-enabled", YesNo, "no", "there is no cluster").at_start(),
    only("daemonize", YesNo, "no", "the server stays in the foreground").at_start(),
    only("io-threads", Integer(1, 128), "1", SHARDS).at_start(),
    only("tls-port", Integer(0, 65_535), "0", "TLS is not spoken yet"),
    only("activedefrag", YesNo, "no", "memory is compacted as data are written"),
    only("maxmemory-clients", Text, "0", "client-output-buffer-limit bounds each client"),
    inert("active-expire-effort", Integer(1, 10), "1"),
    inert("activerehashing", YesNo, "yes"),
    also_called(
        "repl-ping-slave-period",
        inert("repl-ping-replica-period", Integer(1, INT_MAX), "10"),
    ),
    inert("dynamic-hz", YesNo, "yes"),
    inert("lazyfree-lazy-eviction", YesNo, "no"),
    inert("lazyfree-lazy-expire", YesNo, "no"),
    inert("lazyfree-lazy-server-del", YesNo, "no"),
    inert("lazyfree-lazy-user-del", YesNo, "no"),
    inert("lazyfree-lazy-user-flush", YesNo, "no"),
    inert("latency-monitor-threshold", Integer(0, i64::MAX), "0"),
    inert("latency-tracking", YesNo, "yes"),
    inert("slowlog-log-slower-than", Integer(-1, i64::MAX), "10000"),
    inert("slowlog-max-len", Integer(0, i64::MAX), "128"),
    also_called("lua-time-limit", inert("busy-reply-threshold", Integer(0, i64::MAX), "5000")),
    inert("maxmemory-samples", Integer(1, 64), "5"),
    inert("maxmemory-eviction-tenacity", Integer(0, 100), "10"),
    inert("lfu-log-factor", Integer(0, INT_MAX), "10"),
    inert("lfu-decay-time", Integer(0, INT_MAX), "1"),
    also_called(
        "list-max-ziplist-size",
        inert("list-max-listpack-size", Integer(-INT_MAX - 1, INT_MAX), "-2"),
    ),
    inert("list-compress-depth", Integer(0, INT_MAX), "0"),
    inert("set-max-intset-entries", Integer(0, i64::MAX), "512"),
    inert("set-max-listpack-entries", Integer(0, i64::MAX), "128"),
    inert("set-max-listpack-value", Memory, "64"),
    also_called(
        "zset-max-ziplist-entries",
        inert("zset-max-listpack-entries", Integer(0, i64::MAX), "128"),
    ),
    also_called("zset-max-ziplist-value", inert("zset-max-listpack-value", Memory, "64")),
    inert("hll-sparse-max-bytes", Memory, "3000"),
    inert("stream-node-max-bytes", Memory, "4096"),
    inert("stream-node-max-entries", Integer(0, i64::MAX), "100"),
    inert("acllog-max-len", Integer(0, INT_MAX), "128"),
    inert("tracking-table-max-keys", Integer(0, i64::MAX), "1000000"),
    inert("stop-writes-on-bgsave-error", YesNo, "yes"),
    inert("rdbcompression", YesNo, "yes"),
    inert_at_start("rdbchecksum", YesNo, "yes"),
    inert_at_start("dbfilename", Text, "dump.rdb"),
    inert("rdb-del-sync-files", YesNo, "no"),
    inert("rdb-save-incremental-fsync", YesNo, "yes"),
    inert_at_start("appendfilename", Text, "appendonly.aof"),
    inert_at_start("appenddirname", Text, "appendonlydir"),
    inert("appendfsync", Choice(&["everysec", "always", "no"]), "everysec"),
    inert("no-appendfsync-on-rewrite", YesNo, "no"),
    inert("auto-aof-rewrite-percentage", Integer(0, INT_MAX), "100"),
    inert("auto-aof-rewrite-min-size", Memory, "67108864"),
    inert("aof-load-truncated", YesNo, "yes"),
    inert("aof-use-rdb-preamble", YesNo, "yes"),
    inert("aof-timestamp-enabled", YesNo, "no"),
    inert("aof-rewrite-incremental-fsync", YesNo, "yes"),
    also_called("slave-serve-stale-data", inert("replica-serve-stale-data", YesNo, "yes")),
    also_called("slave-read-only", inert("replica-read-only", YesNo, "yes")),
    also_called("slave-priority", inert("replica-priority", Integer(0, INT_MAX), "100")),
    also_called("slave-lazy-flush", inert("replica-lazy-flush", YesNo, "no")),
    inert("repl-disable-tcp-nodelay", YesNo, "no"),
    inert("repl-diskless-sync", YesNo, "yes"),
    inert("repl-diskless-sync-delay", Integer(0, INT_MAX), "5"),
    inert("repl-diskless-sync-max-replicas", Integer(0, INT_MAX), "0"),
    inert(
        "repl-diskless-load",
        Choice(&["disabled", "on-empty-db", "swapdb", "always"]),
        "disabled",
    ),
    inert("oom-score-adj", Choice(&["no", "yes", "relative", "absolute"]), "no"),
    inert("oom-score-adj-values", Words, "0 200 800"),
    inert_at_start("disable-thp", YesNo, "yes"),
    inert("jemalloc-bg-thread", YesNo, "yes"),
    inert_at_start("always-show-logo", YesNo, "no"),
    inert_at_start("set-proc-title", YesNo, "yes"),
    inert("proc-title-template", Text, "{title} {listen-addr} {server-mode}"),
    inert("locale-collate", Text, ""),
    inert_at_start("pidfile", Text, ""),
    inert_at_start("supervised", Choice(&["upstart", "systemd", "auto", "no"]), "no"),
    inert_at_start("syslog-enabled", YesNo, "no"),
    inert_at_start("syslog-ident", Text, "redis"),
];

const POLICIES: &[&str] = &[
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "noeviction",
];

/// Redis takes so many addresses at most.
const ADDRESSES_MAX: usize = 16;

impl Row {
    const fn at_start(self) -> Self {
        Self { changes: AtStart, ..self }
    }
}

fn read_bind(parameters: &mut Parameters, words: &[&[u8]]) -> Result<(), Refusal> {
    if words.len() > ADDRESSES_MAX {
        return Err("Too many bind addresses specified.".into());
    }
    let words = words.iter().filter(|word| !word.is_empty());
    parameters.bind = words.map(|word| value::text(word)).collect::<Result<_, _>>()?;
    Ok(())
}

fn read_permissions(parameters: &mut Parameters, words: &[&[u8]]) -> Result<(), Refusal> {
    parameters.unixsocketperm = value::octal(one(words)?, 0o777)?;
    Ok(())
}

fn read_protected_mode(parameters: &mut Parameters, words: &[&[u8]]) -> Result<(), Refusal> {
    parameters.protected_mode = value::yes_no(one(words)?)?;
    Ok(())
}

fn read_password(parameters: &mut Parameters, words: &[&[u8]]) -> Result<(), Refusal> {
    let password = one(words)?;
    if password.len() > PASSWORD_BYTES_MAX {
        return Err("Password is longer than CONFIG_AUTHPASS_MAX_LEN".into());
    }
    parameters.requirepass = password.to_vec();
    Ok(())
}

const PASSWORD_BYTES_MAX: usize = 512;

fn read_buffer_limits(parameters: &mut Parameters, words: &[&[u8]]) -> Result<(), Refusal> {
    let limits: &mut BufferLimits = &mut parameters.client_output_buffer_limit;
    limits.read(words)
}

/// A number out of bounds becomes the nearest within, as in Redis.
fn read_hz(parameters: &mut Parameters, words: &[&[u8]]) -> Result<(), Refusal> {
    let hz = value::integer(one(words)?, 0, INT_MAX)?.clamp(1, 500);
    parameters.hz = u32::try_from(hz).map_err(|_| "argument is too large")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_name_is_there_once_and_in_lower_case() {
        let mut names = BTreeSet::new();
        for name in ROWS.iter().flat_map(Row::names) {
            assert!(names.insert(name), "{name} is there twice");
            assert_eq!(name, name.to_lowercase());
        }
    }

    #[test]
    fn what_is_shown_can_be_read() {
        let defaults = Parameters::default();
        for row in ROWS {
            let shown = row.show(&defaults);
            let words: Vec<&[u8]> = if row.takes_words() {
                shown.split(|&byte| byte == b' ').filter(|word| !word.is_empty()).collect()
            } else {
                vec![&shown]
            };
            let mut parameters = defaults.clone();
            row.read(&mut parameters, &words)
                .unwrap_or_else(|refusal| panic!("{}: {refusal}", row.name));
            assert_eq!(row.show(&parameters), shown, "{}", row.name);
        }
    }
}
