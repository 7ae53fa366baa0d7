//! What does memory hold?

use super::human::human;
use super::lines::Lines;
use crate::Facts;

pub(super) fn memory(facts: &Facts, lines: &mut Lines) {
    let memory = &facts.memory;
    let used = memory.used_bytes();
    let peak = memory.peak_bytes.max(used);
    let dataset = used.saturating_sub(memory.overhead_bytes());
    let taken = used + memory.data.free_bytes;
    let resident = memory.resident_bytes;

    lines.bytes("used_memory", used);
    lines.bytes("used_memory_rss", resident);
    lines.bytes("used_memory_peak", peak);
    lines.line("used_memory_peak_perc", percent(used, peak));
    lines.line("used_memory_overhead", memory.overhead_bytes());
    lines.line("used_memory_startup", memory.startup_bytes);
    lines.line("used_memory_dataset", dataset);
    let grown = used.saturating_sub(memory.startup_bytes);
    lines.line("used_memory_dataset_perc", percent(dataset, grown));
    lines.line("allocator_allocated", used);
    lines.line("allocator_active", taken);
    lines.line("allocator_resident", resident);
    lines.line("allocator_muzzy", 0);
    lines.bytes("total_system_memory", memory.system_bytes);
    lines.zeros(&["used_memory_lua", "used_memory_vm_eval"]);
    lines.line("used_memory_lua_human", human(0));
    lines.zeros(&[
        "used_memory_scripts_eval",
        "number_of_cached_scripts",
        "number_of_functions",
        "number_of_libraries",
        "used_memory_vm_functions",
    ]);
    lines.bytes("used_memory_vm_total", 0);
    lines.line("used_memory_functions", 0);
    lines.bytes("used_memory_scripts", 0);
    lines.bytes("maxmemory", memory.maxmemory_bytes);
    lines.line("maxmemory_policy", "noeviction");
    lines.line("allocator_frag_ratio", ratio(taken, used));
    lines.line("allocator_frag_bytes", difference(taken, used));
    lines.line("allocator_rss_ratio", ratio(resident, taken));
    lines.line("allocator_rss_bytes", difference(resident, taken));
    lines.line("rss_overhead_ratio", "1.00");
    lines.line("rss_overhead_bytes", 0);
    lines.line("mem_fragmentation_ratio", ratio(resident, used));
    lines.line("mem_fragmentation_bytes", difference(resident, used));
    lines.zeros(&[
        "mem_not_counted_for_evict",
        "mem_replication_backlog",
        "mem_total_replication_buffers",
        "mem_replica_full_sync_buffer",
        "mem_clients_slaves",
    ]);
    lines.line("mem_clients_normal", memory.client_bytes);
    lines.zeros(&["mem_cluster_links", "mem_aof_buffer"]);
    lines.line("mem_allocator", "hectare");
    lines.zeros(&[
        "mem_overhead_db_hashtable_rehashing",
        "active_defrag_running",
        "lazyfree_pending_objects",
        "lazyfreed_objects",
    ]);
}

/// What Redis has no lines for: the store's own books.
pub(super) fn hectare(facts: &Facts, lines: &mut Lines) {
    let data = &facts.memory.data;
    lines.line("hectare_shards", facts.server.shards);
    lines.line("hectare_keys", data.keys);
    lines.line("hectare_keys_with_deadline", data.keys_with_deadline);
    lines.line("hectare_fields", data.fields);
    lines.line("hectare_payload_bytes", data.payload_bytes);
    lines.line("hectare_record_bytes", data.record_bytes);
    lines.line("hectare_index_bytes", data.index_bytes);
    lines.line("hectare_shape_bytes", data.shape_bytes);
    lines.line("hectare_slack_bytes", data.slack_bytes);
    lines.line("hectare_free_bytes", data.free_bytes);
    lines.line("hectare_total_bytes", data.total_bytes());
}

fn percent(part: u64, whole: u64) -> String {
    let percent = if whole == 0 { 0.0 } else { part as f64 / whole as f64 * 100.0 };
    format!("{percent:.2}%")
}

fn ratio(over: u64, under: u64) -> String {
    let ratio = if under == 0 { 0.0 } else { over as f64 / under as f64 };
    format!("{ratio:.2}")
}

fn difference(minuend: u64, subtrahend: u64) -> i128 {
    i128::from(minuend) - i128::from(subtrahend)
}
