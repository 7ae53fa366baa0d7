//! Which databases are there?

use crate::accounting::{Accounting, Counted};
use crate::config::DATABASES;
use crate::hasher::KeyHasher;
use crate::keyspace::Keyspace;

/// The databases of a shard, each made when it is first used.
#[derive(Debug)]
pub(crate) struct Databases {
    keyspaces: [Option<Box<Keyspace>>; DATABASES],
    /// Keyspaces that were emptied, whose memory goes back little by little.
    #[expect(clippy::vec_box, reason = "they come in boxes, and are large")]
    flushed: Vec<Box<Keyspace>>,
    /// How often databases were emptied or swapped: what was seen before is elsewhere afterwards.
    flushes: u64,
    hasher: KeyHasher,
    /// What was counted by keyspaces that were emptied.
    counted: Counted,
}

impl Databases {
    pub(crate) fn new(hasher: &KeyHasher) -> Self {
        let keyspaces = std::array::from_fn(|_| None);
        Self {
            keyspaces,
            flushed: Vec::new(),
            flushes: 0,
            hasher: hasher.clone(),
            counted: Counted::default(),
        }
    }

    /// The keyspace of a database.
    ///
    /// # Panics
    /// If there is no such database.
    #[inline]
    pub(crate) fn keyspace(&mut self, database: usize) -> &mut Keyspace {
        let hasher = &self.hasher;
        self.keyspaces[database].get_or_insert_with(|| Box::new(Keyspace::new(hasher)))
    }

    /// The keyspace of a database, if there is such a database and it was ever used.
    #[inline]
    pub(crate) fn get(&self, database: usize) -> Option<&Keyspace> {
        self.keyspaces.get(database)?.as_deref()
    }

    /// The same, to change it.
    #[inline]
    pub(crate) fn get_mut(&mut self, database: usize) -> Option<&mut Keyspace> {
        self.keyspaces.get_mut(database)?.as_deref_mut()
    }

    /// Every keyspace, to change it.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Keyspace> {
        self.keyspaces.iter_mut().flatten().map(Box::as_mut)
    }

    /// Every keyspace.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Keyspace> {
        self.keyspaces.iter().flatten().map(Box::as_ref)
    }

    /// Empties a database, in constant time.
    pub(crate) fn flush(&mut self, database: usize) {
        self.flushes += 1;
        let flushed = self.keyspaces[database].take();
        self.put_away(flushed);
    }

    /// Empties every database.
    pub(crate) fn flush_all(&mut self) {
        self.flushes += 1;
        let flushed = std::mem::take(&mut self.keyspaces);
        flushed.into_iter().for_each(|keyspace| self.put_away(keyspace));
    }

    fn put_away(&mut self, keyspace: Option<Box<Keyspace>>) {
        let Some(keyspace) = keyspace else { return };
        self.counted.add(keyspace.expired());
        self.flushed.push(keyspace);
    }

    /// Lets each of two databases hold what the other held.
    pub(crate) fn swap(&mut self, one: usize, other: usize) {
        self.flushes += 1;
        self.keyspaces.swap(one, other);
    }

    /// Whether memory of databases that were emptied waits to go back.
    pub(crate) fn has_flushed(&self) -> bool {
        !self.flushed.is_empty()
    }

    pub(crate) fn flushes(&self) -> u64 {
        self.flushes
    }

    /// Gives back some memory of databases that were emptied; says whether there is more.
    pub(crate) fn release_some(&mut self) -> bool {
        if self.flushed.last_mut().is_some_and(|keyspace| !keyspace.release_some()) {
            self.flushed.pop();
        }
        !self.flushed.is_empty()
    }

    /// What was counted since the store was made.
    pub(crate) fn counted(&self) -> Counted {
        let mut counted = self.counted;
        self.iter().for_each(|keyspace| counted.add(keyspace.expired()));
        counted
    }

    /// What is held and taken. What was emptied and not yet given back is slack.
    pub(crate) fn accounting(&self) -> Accounting {
        let mut whole = Accounting::default();
        for keyspace in self.iter() {
            whole.add(keyspace.accounting());
        }
        for keyspace in &self.flushed {
            let bytes = keyspace.resident_bytes();
            let (slack_bytes, free_bytes) = (bytes, bytes);
            whole.add(Accounting { slack_bytes, free_bytes, ..Accounting::default() });
        }
        whole
    }
}
