//! What does a store weigh?

/// What a store holds and what that takes, by its own books, kept as it goes. The bytes add up to
/// what the process has in memory for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accounting {
    /// Keys, those included whose deadline has passed but that nobody has met since.
    pub keys: u64,
    /// Keys that have a deadline.
    pub keys_with_deadline: u64,
    /// Fields of all hashes.
    pub fields: u64,
    /// Bytes of all keys, fields and values, as a client would send them.
    pub payload_bytes: u64,
    /// Bytes of the records in which keys, fields and values are kept.
    pub record_bytes: u64,
    /// Bytes that lead to the records: slots, segments and directories of keyspaces and of large
    /// hashes.
    pub index_bytes: u64,
    /// Bytes of what records have in common: names of fields, templates of keys, and their tables.
    pub shape_bytes: u64,
    /// Bytes that hold nothing at this moment: the ends of chunks, what was given back and waits to
    /// be used again, long records that are dead and not yet collected.
    pub slack_bytes: u64,
    /// The part of the slack that the next command can use at once, or that goes back to the system
    /// as soon as somebody tends the store.
    pub free_bytes: u64,
}

impl Accounting {
    /// Everything that is taken.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.record_bytes + self.index_bytes + self.shape_bytes + self.slack_bytes
    }

    /// What holds something: everything but what is free.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.total_bytes() - self.free_bytes
    }

    /// Adds what another keyspace, or another shard, holds and takes.
    pub fn add(&mut self, other: Self) {
        self.keys += other.keys;
        self.keys_with_deadline += other.keys_with_deadline;
        self.fields += other.fields;
        self.payload_bytes += other.payload_bytes;
        self.record_bytes += other.record_bytes;
        self.index_bytes += other.index_bytes;
        self.shape_bytes += other.shape_bytes;
        self.slack_bytes += other.slack_bytes;
        self.free_bytes += other.free_bytes;
    }
}
