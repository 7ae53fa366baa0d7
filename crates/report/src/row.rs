//! What was measured in one cell?
//!
//! A [`Row`] is a line of `memory.csv`, its fields the columns in their order. Whoever reads that
//! file with another program reads this file for what a column means.

use serde::{Deserialize, Serialize};

use crate::units::rounded;

/// The version of the columns below; it grows when a column changes its name or its meaning.
pub const SCHEMA_VERSION: u32 = 2;

/// One measured cell: a dataset in one layout, written in one pattern to one target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// [`SCHEMA_VERSION`] of the program that measured.
    pub schema_version: u32,
    /// The schema's name, such as `user`.
    pub dataset: String,
    /// `flat`, `hash`, `json` or `bucketed`.
    pub layout: String,
    /// How many objects share a hash; empty unless `layout` is `bucketed`.
    pub bucket_size: Option<u32>,
    /// `bulk` (each object at once) or `grown` (one field at a time, round-robin over the objects).
    pub write_pattern: String,
    /// The target's product and version, such as `valkey 9.1.2`.
    pub target: String,
    /// What tells two builds of that version apart: build id, allocator.
    pub server_build: String,
    /// The spacing of the allocator's smallest size classes, where it was found out.
    pub allocator_quantum_bytes: Option<u32>,
    /// How many shards the embedded engine has; empty for a server.
    pub shards: Option<u64>,
    /// The machine's setting for transparent huge pages; empty where there is none.
    pub thp: Option<String>,
    /// How many objects were written.
    pub objects: u64,
    /// How many fields all objects have together.
    pub fields: u64,
    /// Key once, field names and values of all objects: the same in every layout.
    pub logical_bytes: u64,
    /// Keys, field names and values as this layout stores them.
    pub payload_bytes: u64,
    /// How much the target's own accounting grew.
    pub used_memory_delta_bytes: i64,
    /// How much the target's resident memory grew; empty where it cannot be read, and where the
    /// target had been written to before in the same run, since freed memory is taken up again.
    pub rss_delta_bytes: Option<i64>,
    /// The most resident memory the target had during the load, less what it had before it.
    pub rss_peak_bytes: Option<i64>,
    /// `rss_peak_bytes` by `rss_delta_bytes`.
    pub rss_peak_ratio: Option<f64>,
    /// How far the embedded engine's own accounting is from the growth of resident memory:
    /// `used_memory_delta_bytes` less `rss_delta_bytes`, in hundredths of the latter.
    pub accounted_error_percent: Option<f64>,
    /// How much each of the sums in the embedded engine's books grew: the payload, as it counts it;
    pub engine_payload_delta_bytes: Option<i64>,
    /// and what it takes: the records that hold it,
    pub engine_record_delta_bytes: Option<i64>,
    /// what leads to them,
    pub engine_index_delta_bytes: Option<i64>,
    /// what they have in common,
    pub engine_shape_delta_bytes: Option<i64>,
    /// and what holds nothing. These four add up to `used_memory_delta_bytes`.
    pub engine_slack_delta_bytes: Option<i64>,
    /// As `used_memory_delta_bytes`, after every value was overwritten ten times with another length,
    /// in the end with what was loaded; this and the columns that follow are empty without `--churn`.
    pub used_memory_overwritten_delta_bytes: Option<i64>,
    /// As `rss_delta_bytes`, at that time.
    pub rss_overwritten_delta_bytes: Option<i64>,
    /// `rss_overwritten_delta_bytes` by `rss_delta_bytes`.
    pub rss_overwritten_ratio: Option<f64>,
    /// As `used_memory_delta_bytes`, after half of the keys were then deleted and written again.
    pub used_memory_readded_delta_bytes: Option<i64>,
    /// As `rss_delta_bytes`, at that time.
    pub rss_readded_delta_bytes: Option<i64>,
    /// `rss_readded_delta_bytes` by `rss_delta_bytes`.
    pub rss_readded_ratio: Option<f64>,
    /// `used_memory_delta_bytes` by `fields`.
    pub used_memory_bytes_per_field: f64,
    /// `rss_delta_bytes` by `fields`.
    pub rss_bytes_per_field: Option<f64>,
    /// `used_memory_delta_bytes` by `objects`.
    pub used_memory_bytes_per_object: f64,
    /// `rss_delta_bytes` by `objects`.
    pub rss_bytes_per_object: Option<f64>,
    /// `logical_bytes` by `fields`.
    pub logical_bytes_per_field: f64,
    /// `payload_bytes` by `fields`.
    pub payload_bytes_per_field: f64,
    /// How many commands were sent.
    pub load_commands: u64,
    /// From the first command sent to the last reply read.
    pub load_seconds: f64,
    /// `fields` by `load_seconds`.
    pub load_fields_per_second: f64,
    /// The processor time that the target's process spent meanwhile, in kernel and user mode; for
    /// the embedded engine that includes the thread that sends.
    pub load_cpu_seconds: Option<f64>,
    /// Encodings of sampled keys with how many there were of each: `listpack 198, hashtable 2`.
    pub encodings: String,
    /// How many keys there are afterwards.
    pub keys: u64,
}

impl Row {
    /// Fills the columns that follow from others: the amounts by field, by object and by second.
    #[must_use]
    pub fn with_rates(self) -> Self {
        let per = |amount: f64, number: u64| rounded(amount / number.max(1) as f64);
        // What did not grow is no measure for anything.
        let fresh = self.rss_delta_bytes.filter(|&bytes| bytes > 0).map(|bytes| bytes as f64);
        let by_fresh = |bytes: Option<i64>| Some(rounded(bytes? as f64 / fresh?));
        let accounted = self.shards.map(|_| self.used_memory_delta_bytes as f64);
        Self {
            rss_peak_ratio: by_fresh(self.rss_peak_bytes),
            rss_overwritten_ratio: by_fresh(self.rss_overwritten_delta_bytes),
            rss_readded_ratio: by_fresh(self.rss_readded_delta_bytes),
            accounted_error_percent: accounted
                .zip(fresh)
                .map(|(accounted, fresh)| rounded(100.0 * (accounted - fresh) / fresh)),
            payload_bytes_per_field: per(self.payload_bytes as f64, self.fields),
            used_memory_bytes_per_field: per(self.used_memory_delta_bytes as f64, self.fields),
            rss_bytes_per_field: self.rss_delta_bytes.map(|bytes| per(bytes as f64, self.fields)),
            used_memory_bytes_per_object: per(self.used_memory_delta_bytes as f64, self.objects),
            rss_bytes_per_object: self.rss_delta_bytes.map(|bytes| per(bytes as f64, self.objects)),
            logical_bytes_per_field: per(self.logical_bytes as f64, self.fields),
            load_fields_per_second: rounded(self.fields as f64 / self.load_seconds.max(1e-9)),
            ..self
        }
    }

    /// The layout as it is typed and shown: `hash`, `bucketed:512`.
    #[must_use]
    pub fn layout_label(&self) -> String {
        match self.bucket_size {
            Some(size) => format!("{}:{size}", self.layout),
            None => self.layout.clone(),
        }
    }

    /// Whether the target was the engine of this repository, in the measuring process.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.server_build.starts_with("hectare ") && self.server_build.contains("embedded")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A row of `user` with round figures, for the tests of what shows rows.
    pub(crate) fn example(target: &str, layout: &str, pattern: &str, rss_per_field: i64) -> Row {
        let (objects, fields) = (1000, 5000);
        let build = match target {
            "hectare 0.1.0" => "hectare 0.1.0 (embedded, 1 shard, glibc)".to_owned(),
            _ => format!("{target} (jemalloc-5.3.0)"),
        };
        Row {
            schema_version: SCHEMA_VERSION,
            dataset: "user".to_owned(),
            layout: layout.to_owned(),
            bucket_size: None,
            write_pattern: pattern.to_owned(),
            target: target.to_owned(),
            server_build: build,
            allocator_quantum_bytes: Some(16),
            shards: target.starts_with("hectare").then_some(1),
            thp: Some("madvise".to_owned()),
            objects,
            fields,
            logical_bytes: 95_000,
            payload_bytes: 105_000,
            used_memory_delta_bytes: (rss_per_field - 1) * 5000,
            rss_delta_bytes: Some(rss_per_field * 5000),
            rss_peak_bytes: Some(rss_per_field * 5500),
            rss_peak_ratio: None,
            accounted_error_percent: None,
            engine_payload_delta_bytes: None,
            engine_record_delta_bytes: None,
            engine_index_delta_bytes: None,
            engine_shape_delta_bytes: None,
            engine_slack_delta_bytes: None,
            used_memory_overwritten_delta_bytes: None,
            rss_overwritten_delta_bytes: None,
            rss_overwritten_ratio: None,
            used_memory_readded_delta_bytes: None,
            rss_readded_delta_bytes: None,
            rss_readded_ratio: None,
            used_memory_bytes_per_field: 0.0,
            rss_bytes_per_field: None,
            used_memory_bytes_per_object: 0.0,
            rss_bytes_per_object: None,
            logical_bytes_per_field: 0.0,
            payload_bytes_per_field: 0.0,
            load_commands: 1000,
            load_seconds: 0.5,
            load_fields_per_second: 0.0,
            load_cpu_seconds: Some(0.25),
            encodings: "listpack 200".to_owned(),
            keys: objects,
        }
        .with_rates()
    }

    #[test]
    fn rates_are_amounts_by_field_object_and_second() {
        let row = example("redis 8.0.2", "hash", "bulk", 40);
        assert_eq!(row.used_memory_bytes_per_field, 39.0);
        assert_eq!(row.rss_bytes_per_field, Some(40.0));
        assert_eq!(row.rss_bytes_per_object, Some(200.0));
        assert_eq!((row.logical_bytes_per_field, row.payload_bytes_per_field), (19.0, 21.0));
        assert_eq!((row.rss_peak_ratio, row.rss_readded_ratio), (Some(1.1), None));
        assert_eq!(row.load_fields_per_second, 10_000.0);
    }

    #[test]
    fn only_the_engine_is_asked_whether_it_counts_right() {
        let error = |target| example(target, "hash", "bulk", 40).accounted_error_percent;
        assert_eq!((error("hectare 0.1.0"), error("redis 8.0.2")), (Some(-2.5), None));
    }

    #[test]
    fn what_is_worn_is_compared_with_what_was_loaded() {
        let row = Row {
            rss_overwritten_delta_bytes: Some(5000 * 46),
            rss_readded_delta_bytes: Some(5000 * 36),
            ..example("redis 8.0.2", "hash", "bulk", 40)
        };
        let row = row.with_rates();
        assert_eq!((row.rss_overwritten_ratio, row.rss_readded_ratio), (Some(1.15), Some(0.9)));
    }

    #[test]
    fn no_resident_memory_gives_no_rate_of_it() {
        let row = Row { rss_delta_bytes: None, ..example("redis 8.0.2", "hash", "bulk", 40) };
        assert_eq!(row.with_rates().rss_bytes_per_field, None);
    }
}
