//! What does a running command have at hand?

use crate::config::{Config, DATABASES};
use crate::entry::Entry;
use crate::error::CommandError;
use crate::keyspace::{Key, Keyspace};
use crate::object::{HashEdit, HashRef, ObjectRef};
use crate::random::Random;
use crate::request::Args;
use crate::value::Value;

/// What a running command has at hand: the keys of its database, the others for `FLUSHALL`, the
/// time, and random numbers. Keys are looked up by `Key`, so that none is hashed twice.
#[derive(Debug)]
pub struct Context<'a> {
    pub(crate) keyspaces: &'a mut [Keyspace; DATABASES],
    pub(crate) database: usize,
    pub(crate) config: &'a Config,
    pub(crate) random: &'a mut Random,
    pub(crate) now_ms: u64,
    /// Of the first argument that is a key.
    pub(crate) hash: u64,
}

impl<'c> Context<'c> {
    /// The key that is the argument at `index`; the request brings the hash of the first.
    pub(crate) fn key<'k>(&self, args: Args<'k>, index: usize) -> Key<'k> {
        let bytes = args.at(index);
        let hash = if index == 0 { self.hash } else { self.config.hasher.hash(bytes) };
        Key { bytes, hash }
    }

    pub(crate) fn keyspace(&mut self) -> &mut Keyspace {
        &mut self.keyspaces[self.database]
    }

    /// What `key` holds.
    pub(crate) fn object(&mut self, key: Key<'_>) -> Option<ObjectRef<'_>> {
        let entry = self.keyspaces[self.database].get(key, self.now_ms)?;
        Some(entry.object(&self.config.hasher))
    }

    /// The string at `key`.
    pub(crate) fn string(&mut self, key: Key<'_>) -> Result<Option<Value<'_>>, CommandError> {
        match self.object(key) {
            Some(ObjectRef::String(value)) => Ok(Some(value)),
            Some(ObjectRef::Hash(_)) => Err(CommandError::WrongType),
            None => Ok(None),
        }
    }

    /// The hash at `key`.
    pub(crate) fn hash(&mut self, key: Key<'_>) -> Result<Option<HashRef<'_>>, CommandError> {
        Ok(self.hash_and_random(key)?.map(|(hash, _)| hash))
    }

    /// The hash at `key`, and random numbers to draw from it.
    pub(crate) fn hash_and_random(
        &mut self,
        key: Key<'_>,
    ) -> Result<Option<(HashRef<'_>, &mut Random)>, CommandError> {
        let Some(entry) = self.keyspaces[self.database].get(key, self.now_ms) else {
            return Ok(None);
        };
        match entry.object(&self.config.hasher) {
            ObjectRef::Hash(hash) => Ok(Some((hash, self.random))),
            ObjectRef::String(_) => Err(CommandError::WrongType),
        }
    }

    /// The hash at `key` to change.
    pub(crate) fn edit_hash(&mut self, key: Key<'_>) -> Result<Option<HashEdit<'_>>, CommandError> {
        let keyspace = &mut self.keyspaces[self.database];
        match keyspace.edit_hash(key, false, self.config, self.now_ms) {
            Some(edit) => edit.map(Some).ok_or(CommandError::WrongType),
            None => Ok(None),
        }
    }

    /// The hash at `key` to change; if there is none it is made, and must get a field.
    pub(crate) fn edit_or_create_hash(
        &mut self,
        key: Key<'_>,
    ) -> Result<HashEdit<'_>, CommandError> {
        let keyspace = &mut self.keyspaces[self.database];
        keyspace
            .edit_hash(key, true, self.config, self.now_ms)
            .flatten()
            .ok_or(CommandError::WrongType)
    }

    /// Lets `key` hold a string, whatever it held.
    pub(crate) fn put_string(
        &mut self,
        key: Key<'_>,
        value: Value<'_>,
        deadline_ms: Option<u64>,
    ) -> Result<(), CommandError> {
        let now_ms = self.now_ms;
        self.keyspace().put_string(key, value, deadline_ms, false, now_ms);
        Ok(())
    }

    /// The same, and the string answers `raw` to `OBJECT ENCODING`, however short it is.
    pub(crate) fn put_raw_string(
        &mut self,
        key: Key<'_>,
        bytes: &[u8],
        deadline_ms: Option<u64>,
    ) -> Result<(), CommandError> {
        let now_ms = self.now_ms;
        self.keyspace().put_string(key, Value::Bytes(bytes), deadline_ms, true, now_ms);
        Ok(())
    }

    /// Whether `key` holds a string that was put as a raw one.
    pub(crate) fn is_raw_string(&mut self, key: Key<'_>) -> bool {
        self.entry(key).is_some_and(Entry::is_raw)
    }

    /// Removes `key`; says whether it was there.
    pub(crate) fn remove(&mut self, key: Key<'_>) -> bool {
        let now_ms = self.now_ms;
        self.keyspace().remove(key, now_ms)
    }

    /// The deadline of `key`: `None` if there is no such key, `Some(None)` if it has none.
    pub(crate) fn deadline_ms(&mut self, key: Key<'_>) -> Option<Option<u64>> {
        self.entry(key).map(Entry::deadline_ms)
    }

    /// Gives `key` another deadline, or none.
    pub(crate) fn set_deadline_ms(
        &mut self,
        key: Key<'_>,
        deadline_ms: Option<u64>,
    ) -> Result<(), CommandError> {
        let now_ms = self.now_ms;
        self.keyspace().set_deadline_ms(key, deadline_ms, now_ms);
        Ok(())
    }

    /// The bytes that `key` takes.
    pub(crate) fn bytes(&mut self, key: Key<'_>) -> Option<usize> {
        self.entry(key).map(Keyspace::entry_bytes)
    }

    /// Shows about `count` keys of the database and what they hold, from `cursor` on; returns the
    /// cursor to go on from, 0 after the last.
    pub(crate) fn scan(
        &mut self,
        cursor: u64,
        count: usize,
        visit: &mut dyn FnMut(&[u8], ObjectRef<'_>),
    ) -> u64 {
        let keyspace = &self.keyspaces[self.database];
        keyspace.scan(cursor, count, self.now_ms, &mut |entry| {
            visit(entry.key(), entry.object(&self.config.hasher));
        })
    }

    fn entry(&mut self, key: Key<'_>) -> Option<&Entry> {
        let now_ms = self.now_ms;
        self.keyspace().get(key, now_ms)
    }
}
