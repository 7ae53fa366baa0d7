//! What can be chosen about a store, and what bounds it?

use crate::hasher::KeyHasher;

/// How many databases a store has: a request names one from 0 to 15.
pub const DATABASES: usize = 16;

/// How many requests a group holds at most.
pub const GROUP: usize = 32;

/// How many shards one keyspace can have: a `SCAN` cursor names its shard in 10 bits.
pub const SHARDS_MAX: usize = 1 << SHARD_BITS;

/// The bits of a `SCAN` cursor that name a shard. The position takes 43 more; together they are
/// below 2⁵³, so that clients that keep numbers as floats keep them exact.
pub(crate) const SHARD_BITS: u32 = 10;

/// Whose replies and texts the commands give, where the two differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Redis 8.0.
    #[default]
    Redis8,
    /// Valkey 9.1.
    Valkey9,
}

/// What can be chosen about a [`Store`](crate::Store). The limits bear Redis' names and defaults.
#[derive(Clone, Debug)]
pub struct Config {
    /// Hashes keys; whoever routes requests must use the same one.
    pub hasher: KeyHasher,
    /// Where the random numbers of `HRANDFIELD` start.
    pub random_seed: u64,
    /// Which of the keyspace's shards this is, from 0: the lowest bits of a `SCAN` cursor say where
    /// the scan stands, and after a shard's last key comes the next shard's first.
    pub shard: usize,
    /// How many shards there are, at most [`SHARDS_MAX`].
    pub shards: usize,
    /// Whose replies and texts the commands give.
    pub dialect: Dialect,
    /// Whether keys and fields whose deadline has passed go by themselves
    /// ([`Store::tend`](crate::Store::tend)). If not, they go when somebody asks for them.
    pub expires_actively: bool,
    /// A hash with more fields than this is a `hashtable` to `OBJECT ENCODING`, for good.
    pub hash_max_listpack_entries: usize,
    /// A hash that once held a longer field or value, in bytes, is a `hashtable` likewise.
    pub hash_max_listpack_value: usize,
    /// A `hashtable` with no more fields than this may still be kept as one packed record.
    pub packed_fields_max: usize,
    /// A `hashtable` whose fields and values take no more bytes than this likewise.
    pub packed_bytes_max: usize,
}

impl Config {
    /// The defaults, with the two things that have none.
    #[must_use]
    pub fn new(hasher: KeyHasher, random_seed: u64) -> Self {
        Self {
            hasher,
            random_seed,
            shard: 0,
            shards: 1,
            dialect: Dialect::Redis8,
            expires_actively: true,
            hash_max_listpack_entries: 512,
            hash_max_listpack_value: 64,
            packed_fields_max: 1024,
            packed_bytes_max: 16 * 1024,
        }
    }
}
