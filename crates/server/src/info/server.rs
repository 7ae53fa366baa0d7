//! Who serves, since when, and to whom?

use super::lines::Lines;
use crate::{Dialect, Facts};

pub(super) fn server(facts: &Facts, lines: &mut Lines) {
    let server = &facts.server;
    lines.line("redis_version", server.dialect.redis_version());
    if server.dialect == Dialect::Valkey {
        lines.line("server_name", server.dialect.server_name());
        lines.line("valkey_version", server.dialect.version());
        lines.line("valkey_release_stage", "ga");
    }
    lines.line("hectare_version", env!("CARGO_PKG_VERSION"));
    lines.line("redis_git_sha1", "00000000");
    lines.line("redis_git_dirty", 0);
    lines.line("redis_build_id", 0);
    match server.dialect {
        Dialect::Redis => lines.line("redis_mode", "standalone"),
        Dialect::Valkey => lines.line("server_mode", "standalone"),
    }
    lines.line("os", &server.os);
    lines.line("arch_bits", usize::BITS);
    lines.line("monotonic_clock", "POSIX clock_gettime");
    lines.line("multiplexing_api", "epoll");
    lines.line("atomicvar_api", "c11-builtin");
    lines.line("gcc_version", "0.0.0");
    lines.line("process_id", server.process_id);
    lines.line("process_supervised", "no");
    lines.line("run_id", &server.run_id);
    lines.line("tcp_port", server.tcp_port);
    lines.line("server_time_usec", server.unix_time_us);
    lines.line("uptime_in_seconds", server.uptime_s);
    lines.line("uptime_in_days", server.uptime_s / (24 * 60 * 60));
    lines.line("hz", server.hz);
    lines.line("configured_hz", server.hz);
    lines.line("lru_clock", server.unix_time_us / 1_000_000 % LRU_CLOCK_END);
    lines.line("executable", &server.executable);
    lines.line("config_file", &server.config_file);
    lines.line("io_threads_active", u8::from(server.shards > 1));
    for (index, listener) in server.listeners.iter().enumerate() {
        lines.line(&format!("listener{index}"), listener);
    }
}

/// Redis' clock for what was used last counts seconds in 24 bits.
const LRU_CLOCK_END: u64 = 1 << 24;

pub(super) fn clients(facts: &Facts, lines: &mut Lines) {
    let clients = &facts.clients;
    lines.line("connected_clients", clients.connected);
    lines.line("cluster_connections", 0);
    lines.line("maxclients", clients.maxclients);
    lines.line("client_recent_max_input_buffer", clients.input_buffer_bytes_max);
    lines.line("client_recent_max_output_buffer", clients.output_buffer_bytes_max);
    lines.line("blocked_clients", clients.blocked);
    lines.zeros(&["tracking_clients", "pubsub_clients"]);
    lines.line("watching_clients", clients.watching);
    lines.line("clients_in_timeout_table", 0);
    lines.line("total_watched_keys", clients.watched_keys);
    lines.zeros(&["total_blocking_keys", "total_blocking_keys_on_nokey"]);
}

pub(super) fn threads(facts: &Facts, lines: &mut Lines) {
    for (index, thread) in facts.clients.threads.iter().enumerate() {
        let value =
            format!("clients={},reads={},writes={}", thread.clients, thread.reads, thread.writes);
        lines.line(&format!("io_thread_{index}"), value);
    }
}

/// Nothing is kept on disk.
pub(super) fn persistence(facts: &Facts, lines: &mut Lines) {
    lines.zeros(&[
        "loading",
        "async_loading",
        "current_cow_peak",
        "current_cow_size",
        "current_cow_size_age",
    ]);
    lines.line("current_fork_perc", "0.00");
    lines.zeros(&["current_save_keys_processed", "current_save_keys_total"]);
    lines.line("rdb_changes_since_last_save", facts.stats.changes);
    lines.line("rdb_bgsave_in_progress", 0);
    let started = (facts.server.unix_time_us / 1_000_000).saturating_sub(facts.server.uptime_s);
    lines.line("rdb_last_save_time", started);
    lines.line("rdb_last_bgsave_status", "ok");
    lines.line("rdb_last_bgsave_time_sec", -1);
    lines.line("rdb_current_bgsave_time_sec", -1);
    lines.zeros(&[
        "rdb_saves",
        "rdb_last_cow_size",
        "rdb_last_load_keys_expired",
        "rdb_last_load_keys_loaded",
        "aof_enabled",
        "aof_rewrite_in_progress",
        "aof_rewrite_scheduled",
    ]);
    lines.line("aof_last_rewrite_time_sec", -1);
    lines.line("aof_current_rewrite_time_sec", -1);
    lines.line("aof_last_bgrewrite_status", "ok");
    lines.zeros(&["aof_rewrites", "aof_rewrites_consecutive_failures"]);
    lines.line("aof_last_write_status", "ok");
    lines.zeros(&["aof_last_cow_size", "module_fork_in_progress", "module_fork_last_cow_size"]);
}

/// A server on its own.
pub(super) fn replication(facts: &Facts, lines: &mut Lines) {
    lines.line("role", "master");
    lines.line("connected_slaves", 0);
    lines.line("master_failover_state", "no-failover");
    lines.line("master_replid", &facts.server.run_id);
    lines.line("master_replid2", "0".repeat(40));
    lines.line("master_repl_offset", 0);
    lines.line("second_repl_offset", -1);
    lines.line("repl_backlog_active", 0);
    lines.line("repl_backlog_size", 1 << 20);
    lines.zeros(&["repl_backlog_first_byte_offset", "repl_backlog_histlen"]);
}

pub(super) fn cluster(_facts: &Facts, lines: &mut Lines) {
    lines.line("cluster_enabled", 0);
}
