//! What has happened, and how long did it take?

use super::lines::Lines;
use crate::Facts;

pub(super) fn stats(facts: &Facts, lines: &mut Lines) {
    let stats = &facts.stats;
    lines.line("total_connections_received", stats.connections);
    lines.line("total_commands_processed", stats.commands);
    lines.line("instantaneous_ops_per_sec", stats.commands_per_s);
    lines.line("total_net_input_bytes", stats.input_bytes);
    lines.line("total_net_output_bytes", stats.output_bytes);
    lines.zeros(&["total_net_repl_input_bytes", "total_net_repl_output_bytes"]);
    lines.line("instantaneous_input_kbps", format_args!("{:.2}", stats.input_kib_per_s));
    lines.line("instantaneous_output_kbps", format_args!("{:.2}", stats.output_kib_per_s));
    lines.line("instantaneous_input_repl_kbps", "0.00");
    lines.line("instantaneous_output_repl_kbps", "0.00");
    lines.line("rejected_connections", stats.rejected_connections);
    lines.zeros(&["sync_full", "sync_partial_ok", "sync_partial_err"]);
    lines.line("expired_subkeys", stats.expired_fields);
    lines.line("expired_keys", stats.expired_keys);
    lines.line("expired_stale_perc", "0.00");
    lines.zeros(&[
        "expired_time_cap_reached_count",
        "expire_cycle_cpu_milliseconds",
        "evicted_keys",
        "evicted_clients",
        "evicted_scripts",
        "total_eviction_exceeded_time",
        "current_eviction_exceeded_time",
    ]);
    lines.line("keyspace_hits", stats.hits);
    lines.line("keyspace_misses", stats.misses);
    lines.zeros(&[
        "pubsub_channels",
        "pubsub_patterns",
        "pubsubshard_channels",
        "latest_fork_usec",
        "total_forks",
        "migrate_cached_sockets",
        "slave_expires_tracked_keys",
        "active_defrag_hits",
        "active_defrag_misses",
        "active_defrag_key_hits",
        "active_defrag_key_misses",
        "total_active_defrag_time",
        "current_active_defrag_time",
        "tracking_total_keys",
        "tracking_total_items",
        "tracking_total_prefixes",
        "unexpected_error_replies",
    ]);
    lines.line("total_error_replies", stats.error_replies);
    lines.line("dump_payload_sanitizations", 0);
    lines.line("total_reads_processed", stats.reads);
    lines.line("total_writes_processed", stats.writes);
    lines.zeros(&["io_threaded_reads_processed", "io_threaded_writes_processed"]);
    lines.line("client_query_buffer_limit_disconnections", stats.query_buffer_disconnections);
    lines.line("client_output_buffer_limit_disconnections", stats.output_buffer_disconnections);
    lines.zeros(&[
        "reply_buffer_shrinks",
        "reply_buffer_expands",
        "eventloop_cycles",
        "eventloop_duration_sum",
        "eventloop_duration_cmd_sum",
        "instantaneous_eventloop_cycles_per_sec",
        "instantaneous_eventloop_duration_usec",
    ]);
    lines.line("acl_access_denied_auth", stats.denied_passwords);
    lines.line("acl_access_denied_cmd", stats.denied_commands);
    lines.zeros(&["acl_access_denied_key", "acl_access_denied_channel"]);
}

pub(super) fn cpu(facts: &Facts, lines: &mut Lines) {
    lines.line("used_cpu_sys", format_args!("{:.6}", facts.cpu.system_s));
    lines.line("used_cpu_user", format_args!("{:.6}", facts.cpu.user_s));
    lines.line("used_cpu_sys_children", "0.000000");
    lines.line("used_cpu_user_children", "0.000000");
    lines.line("used_cpu_sys_main_thread", "0.000000");
    lines.line("used_cpu_user_main_thread", "0.000000");
}

pub(super) fn commands(facts: &Facts, lines: &mut Lines) {
    for command in &facts.commands {
        let microseconds_per_call = match command.calls {
            0 => 0.0,
            calls => command.microseconds as f64 / calls as f64,
        };
        let value = format!(
            "calls={},usec={},usec_per_call={microseconds_per_call:.2},rejected_calls={},failed_calls={}",
            command.calls, command.microseconds, command.rejected, command.failed
        );
        lines.line(&format!("cmdstat_{}", command.name), value);
    }
}

pub(super) fn latencies(facts: &Facts, lines: &mut Lines) {
    for command in &facts.commands {
        let Some([half, most, nearly_all]) = command.percentiles_us else { continue };
        let value = format!("p50={half:.3},p99={most:.3},p99.9={nearly_all:.3}");
        lines.line(&format!("latency_percentiles_usec_{}", command.name), value);
    }
}

pub(super) fn errors(facts: &Facts, lines: &mut Lines) {
    for error in &facts.errors {
        lines.line(&format!("errorstat_{}", error.kind), format_args!("count={}", error.count));
    }
}

pub(super) fn keyspace(facts: &Facts, lines: &mut Lines) {
    for database in facts.databases.iter().filter(|database| database.keys > 0) {
        let value = format!(
            "keys={},expires={},avg_ttl={},subexpiry={}",
            database.keys,
            database.keys_with_deadline,
            database.milliseconds_left_mean,
            database.hashes_with_deadlines
        );
        lines.line(&format!("db{}", database.database), value);
    }
}
