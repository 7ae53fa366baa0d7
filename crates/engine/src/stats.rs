//! What does the engine hold?

use hectare_store::{Accounting, Counted};

/// What the engine holds, by its own accounting, summed over its shards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// How many shards there are.
    pub shards: usize,
    /// How many keys, expired ones that nobody has met yet included.
    pub keys: u64,
    /// How many keys have a deadline.
    pub keys_with_deadline: u64,
    /// How many fields in all hashes.
    pub fields: u64,
    /// Key, field and value bytes, each as often as it is stored.
    pub payload_bytes: u64,
    /// What keys, fields and values take, payload included.
    pub record_bytes: u64,
    /// What it takes to find them.
    pub index_bytes: u64,
    /// What records have in common: names of fields, templates of keys.
    pub shape_bytes: u64,
    /// What holds nothing at this moment.
    pub slack_bytes: u64,
    /// The part of the slack that is free at once.
    pub free_bytes: u64,
    /// Everything: records, index, shapes and slack.
    pub memory_bytes: u64,
    /// What was counted since the engine was built.
    pub counted: Counted,
}

impl Stats {
    pub(crate) fn add(&mut self, shard: &Accounting) {
        self.keys += shard.keys;
        self.keys_with_deadline += shard.keys_with_deadline;
        self.fields += shard.fields;
        self.payload_bytes += shard.payload_bytes;
        self.record_bytes += shard.record_bytes;
        self.index_bytes += shard.index_bytes;
        self.shape_bytes += shard.shape_bytes;
        self.slack_bytes += shard.slack_bytes;
        self.free_bytes += shard.free_bytes;
        self.memory_bytes += shard.total_bytes();
    }
}
