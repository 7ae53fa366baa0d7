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

/// What a store has counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Keys that went because their deadline had passed, or with their last field.
    pub expired_keys: u64,
    /// Fields that went because their deadline had passed, but for those of keys that went.
    pub expired_fields: u64,
    /// How often a command that only reads has looked for a key that was there.
    pub hits: u64,
    /// How often a command that only reads has looked for a key that was not there.
    pub misses: u64,
}

impl Counted {
    /// Adds what another keyspace, or another shard, has counted.
    pub fn add(&mut self, other: Self) {
        self.expired_keys += other.expired_keys;
        self.expired_fields += other.expired_fields;
        self.hits += other.hits;
        self.misses += other.misses;
    }

    /// What was counted since another time.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            expired_keys: self.expired_keys.saturating_sub(before.expired_keys),
            expired_fields: self.expired_fields.saturating_sub(before.expired_fields),
            hits: self.hits.saturating_sub(before.hits),
            misses: self.misses.saturating_sub(before.misses),
        }
    }
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
