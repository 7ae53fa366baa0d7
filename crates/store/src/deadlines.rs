//! Whose time comes first?

use std::collections::BTreeSet;

/// The deadlines of a keyspace in order, each with the hash of its key. A deadline is the last
/// millisecond at which its key is alive.
///
/// Two keys whose hashes and deadlines are all the same share one place; whoever takes it away must
/// know that no other key needs it.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    order: BTreeSet<(u64, u64)>,
}

impl Deadlines {
    /// What one deadline takes, in bytes: two words in a B-tree node that is two thirds full.
    pub(crate) const BYTES: usize = 24;

    pub(crate) fn insert(&mut self, deadline_ms: u64, hash: u64) {
        self.order.insert((deadline_ms, hash));
    }

    pub(crate) fn remove(&mut self, deadline_ms: u64, hash: u64) {
        self.order.remove(&(deadline_ms, hash));
    }

    /// The earliest deadline and the hash of its key.
    pub(crate) fn first(&self) -> Option<(u64, u64)> {
        self.order.first().copied()
    }

    /// How many have passed at `now_ms`, in time proportional to the answer.
    pub(crate) fn passed(&self, now_ms: u64) -> usize {
        self.order.range(..(now_ms, 0)).count()
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }
}
