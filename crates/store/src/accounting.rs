//! What does a store weigh?

/// What a store holds and what that takes, by its own books, kept as it goes. Bytes are those asked
/// of the allocator: what it adds for itself is not in them.
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
    /// Bytes that lead to the records: slots and segments of keyspaces and of large hashes, and the
    /// order of deadlines.
    pub index_bytes: u64,
}

impl Accounting {
    /// Everything that is held: records and what leads to them.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.record_bytes + self.index_bytes
    }

    /// Adds what another keyspace, or another shard, holds and takes.
    pub fn add(&mut self, other: Self) {
        self.keys += other.keys;
        self.keys_with_deadline += other.keys_with_deadline;
        self.fields += other.fields;
        self.payload_bytes += other.payload_bytes;
        self.record_bytes += other.record_bytes;
        self.index_bytes += other.index_bytes;
    }
}

/// What an entry, or all entries of a keyspace, hold and take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weight {
    pub(crate) fields: usize,
    pub(crate) payload_bytes: usize,
    pub(crate) record_bytes: usize,
    /// Of large hashes: their slots and segments.
    pub(crate) index_bytes: usize,
}

impl Weight {
    pub(crate) fn add(&mut self, other: Self) {
        self.fields += other.fields;
        self.payload_bytes += other.payload_bytes;
        self.record_bytes += other.record_bytes;
        self.index_bytes += other.index_bytes;
    }

    pub(crate) fn subtract(&mut self, other: Self) {
        self.fields -= other.fields;
        self.payload_bytes -= other.payload_bytes;
        self.record_bytes -= other.record_bytes;
        self.index_bytes -= other.index_bytes;
    }
}
