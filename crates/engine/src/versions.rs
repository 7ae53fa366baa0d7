//! Has a key been written to since somebody looked?
//!
//! A shard counts the commands that may have written to the keys of a bucket, and buckets go by
//! hash: a watcher may be told of a change to a neighbour of its key, and then looks again for
//! nothing; it never misses one.
//!
//! # Cost
//!
//! 4 KiB a shard, and an increment for each write.

use hectare_store::{KeyHasher, Keys, Request, Spread};

const BUCKETS: usize = 1024;

/// How often the keys of each bucket were written to.
pub(crate) struct Versions {
    hasher: KeyHasher,
    buckets: Box<[u32; BUCKETS]>,
    /// How often all keys at once.
    everything: u64,
}

impl Versions {
    pub(crate) fn new(hasher: KeyHasher) -> Self {
        Self { hasher, buckets: Box::new([0; BUCKETS]), everything: 0 }
    }

    /// A number that has changed if a key with this hash was written to.
    pub(crate) fn of(&self, hash: u64) -> u64 {
        (self.everything << 32).wrapping_add(u64::from(self.buckets[bucket(hash)]))
    }

    /// A command that writes is about to run.
    pub(crate) fn note(&mut self, request: &Request<'_>) {
        match (request.command.spread, request.command.keys) {
            (Spread::Everywhere(_), _) | (_, Keys::None) => self.everything += 1,
            (_, Keys::First) => {
                self.count(request.hash);
                // The keys of COPY are its first two arguments.
                if request.command.name == "copy" {
                    self.count_each(request, 1);
                }
            }
            (_, Keys::All) => self.count_each(request, 1),
            (_, Keys::EverySecond) => self.count_each(request, 2),
        }
    }

    /// A key is about to be written to.
    pub(crate) fn note_key(&mut self, key: &[u8]) {
        let hash = self.hasher.hash(key);
        self.count(hash);
    }

    fn count_each(&mut self, request: &Request<'_>, step: usize) {
        self.count(request.hash);
        for key in request.args.iter().step_by(step).skip(1) {
            let hash = self.hasher.hash(key);
            self.count(hash);
        }
    }

    fn count(&mut self, hash: u64) {
        let version = &mut self.buckets[bucket(hash)];
        *version = version.wrapping_add(1);
    }
}

/// By other bits than those that choose the shard.
fn bucket(hash: u64) -> usize {
    (hash >> 48) as usize % BUCKETS
}

impl std::fmt::Debug for Versions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Versions").finish_non_exhaustive()
    }
}
