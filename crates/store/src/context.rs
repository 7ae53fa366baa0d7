//! What does a running command have at hand?

use crate::config::{Config, Dialect};
use crate::databases::Databases;
use crate::edit::HashEdit;
use crate::error::CommandError;
use crate::keyspace::Keyspace;
use crate::object::{HashRef, ObjectRef};
use crate::random::Random;
use crate::request::Args;
use crate::table::{Hint, Key};
use crate::value::Value;

/// What a running command has at hand: the keys of its database, the others for `FLUSHALL`, the
/// time, and random numbers. Keys are looked up by `Key`, so that none is hashed twice.
#[derive(Debug)]
pub struct Context<'a> {
    pub(crate) databases: &'a mut Databases,
    pub(crate) database: usize,
    pub(crate) config: &'a Config,
    pub(crate) random: &'a mut Random,
    pub(crate) now_ms: u64,
    /// Of the first argument that is a key.
    pub(crate) hash: u64,
    /// Where that key's record was seen, most probably.
    pub(crate) hint: Option<Hint>,
    /// How often a key was not found, and found.
    pub(crate) lookups: &'a mut [u64; 2],
}

impl<'c> Context<'c> {
    /// The key that is the argument at `index`; the request brings the hash of the first.
    pub(crate) fn key<'k>(&self, args: Args<'k>, index: usize) -> Key<'k> {
        let bytes = args.at(index);
        if index == 0 {
            Key::with_hint(bytes, self.hash, self.hint)
        } else {
            Key::new(bytes, self.config.hasher.hash(bytes))
        }
    }

    pub(crate) fn keyspace(&mut self) -> &mut Keyspace {
        self.databases.keyspace(self.database)
    }

    /// What `key` holds.
    #[inline(always)]
    pub(crate) fn object(&mut self, key: Key<'_>) -> Option<ObjectRef<'_>> {
        Some(self.get(key)?.0)
    }

    /// What `key` holds, and its deadline.
    #[inline(always)]
    fn get(&mut self, key: Key<'_>) -> Option<(ObjectRef<'_>, Option<u64>)> {
        let found = self.databases.keyspace(self.database).get(key, self.now_ms);
        self.lookups[usize::from(found.is_some())] += 1;
        found
    }

    /// The string at `key`.
    #[inline(always)]
    pub(crate) fn string(&mut self, key: Key<'_>) -> Result<Option<Value<'_>>, CommandError> {
        match self.object(key) {
            Some(ObjectRef::String(value)) => Ok(Some(value)),
            Some(ObjectRef::Hash(_)) => Err(CommandError::WrongType),
            None => Ok(None),
        }
    }

    /// The hash at `key`.
    #[inline(always)]
    pub(crate) fn hash(&mut self, key: Key<'_>) -> Result<Option<HashRef<'_>>, CommandError> {
        Ok(self.hash_and_random(key)?.map(|(hash, _)| hash))
    }

    /// The hash at `key`, and random numbers to draw from it.
    #[inline(always)]
    pub(crate) fn hash_and_random(
        &mut self,
        key: Key<'_>,
    ) -> Result<Option<(HashRef<'_>, &mut Random)>, CommandError> {
        let found = self.databases.keyspace(self.database).get(key, self.now_ms);
        self.lookups[usize::from(found.is_some())] += 1;
        match found {
            Some((ObjectRef::Hash(hash), _)) => Ok(Some((hash, self.random))),
            Some((ObjectRef::String(_), _)) => Err(CommandError::WrongType),
            None => Ok(None),
        }
    }

    /// The hash at `key` to change.
    pub(crate) fn edit_hash<'a>(
        &'a mut self,
        key: Key<'a>,
    ) -> Result<Option<HashEdit<'a>>, CommandError> {
        let edit = self.edit(key, self.config)?;
        Ok(Some(edit).filter(|edit| !edit.is_new()))
    }

    /// The hash at `key` to change; if there is none it is made with its first field.
    pub(crate) fn edit_or_create_hash<'a>(
        &'a mut self,
        key: Key<'a>,
    ) -> Result<HashEdit<'a>, CommandError> {
        self.edit_or_create_hash_within(key, self.config)
    }

    /// The same, within the limits of another configuration.
    pub(crate) fn edit_or_create_hash_within<'a>(
        &'a mut self,
        key: Key<'a>,
        config: &'a Config,
    ) -> Result<HashEdit<'a>, CommandError> {
        self.edit(key, config)
    }

    #[inline]
    fn edit<'a>(
        &'a mut self,
        key: Key<'a>,
        config: &'a Config,
    ) -> Result<HashEdit<'a>, CommandError> {
        let keyspace = self.databases.keyspace(self.database);
        let found = keyspace.find(key, self.now_ms);
        if found.is_some_and(|found| found.class().is_string()) {
            return Err(CommandError::WrongType);
        }
        Ok(HashEdit::new(keyspace, key, found, config, self.now_ms))
    }

    /// Lets `key` hold a string, whatever it held.
    pub(crate) fn put_string(
        &mut self,
        key: Key<'_>,
        value: Value<'_>,
        deadline_ms: Option<u64>,
    ) -> Result<(), CommandError> {
        let now_ms = self.now_ms;
        let is_raw = self.is_raw_in_valkey(key, value, deadline_ms);
        Ok(self.keyspace().put_string(key, value, deadline_ms, is_raw, now_ms)?)
    }

    /// The same, and the string answers `raw` to `OBJECT ENCODING`, however short it is.
    pub(crate) fn put_raw_string(
        &mut self,
        key: Key<'_>,
        bytes: &[u8],
        deadline_ms: Option<u64>,
    ) -> Result<(), CommandError> {
        let now_ms = self.now_ms;
        Ok(self.keyspace().put_string(key, Value::Bytes(bytes), deadline_ms, true, now_ms)?)
    }

    /// Whether a string is `raw` because Valkey does not find room for it beside its key.
    fn is_raw_in_valkey(&self, key: Key<'_>, value: Value<'_>, deadline_ms: Option<u64>) -> bool {
        const ROOM_BYTES: usize = 128;
        let Value::Bytes(bytes) = value else { return false };
        if self.config.dialect == Dialect::Redis8 {
            return false;
        }
        // What begins an object, a short string, and a longer one.
        let key_bytes = key.bytes.len() + if key.bytes.len() < 32 { 3 } else { 5 };
        let deadline_bytes = if deadline_ms.is_some() { 8 } else { 0 };
        8 + key_bytes + 4 + bytes.len() + deadline_bytes > ROOM_BYTES
    }

    /// Whether `key` holds a string that was put as a raw one.
    pub(crate) fn is_raw_string(&mut self, key: Key<'_>) -> bool {
        let now_ms = self.now_ms;
        self.keyspace().is_raw_string(key, now_ms)
    }

    /// Removes `key`; says whether it was there.
    pub(crate) fn remove(&mut self, key: Key<'_>) -> bool {
        let now_ms = self.now_ms;
        self.keyspace().remove(key, now_ms)
    }

    /// The deadline of `key`: `None` if there is no such key, `Some(None)` if it has none.
    pub(crate) fn deadline_ms(&mut self, key: Key<'_>) -> Option<Option<u64>> {
        Some(self.get(key)?.1)
    }

    /// Gives `key` another deadline, or none.
    pub(crate) fn set_deadline_ms(
        &mut self,
        key: Key<'_>,
        deadline_ms: Option<u64>,
    ) -> Result<(), CommandError> {
        let now_ms = self.now_ms;
        if self.config.dialect == Dialect::Valkey9 {
            self.make_room_for_deadline(key, deadline_ms)?;
        }
        Ok(self.keyspace().set_deadline_ms(key, deadline_ms, now_ms)?)
    }

    /// A string that has no room any more beside its key becomes `raw`.
    fn make_room_for_deadline(
        &mut self,
        key: Key<'_>,
        deadline_ms: Option<u64>,
    ) -> Result<(), CommandError> {
        if self.is_raw_string(key) {
            return Ok(());
        }
        let Some(ObjectRef::String(Value::Bytes(bytes))) = self.object(key) else { return Ok(()) };
        let text = bytes.to_vec();
        if !self.is_raw_in_valkey(key, Value::Bytes(&text), deadline_ms) {
            return Ok(());
        }
        self.put_raw_string(key, &text, deadline_ms)
    }

    /// The bytes that `key` takes.
    pub(crate) fn bytes(&mut self, key: Key<'_>) -> Option<usize> {
        let now_ms = self.now_ms;
        self.keyspace().key_bytes(key, now_ms)
    }

    /// Shows about `count` keys of the database and what they hold, from `cursor` on; returns the
    /// cursor to go on from, 0 after the last.
    pub(crate) fn scan(
        &mut self,
        cursor: u64,
        count: usize,
        visit: &mut dyn FnMut(&[u8], ObjectRef<'_>),
    ) -> u64 {
        let now_ms = self.now_ms;
        self.keyspace().scan(cursor, count, now_ms, visit)
    }

    /// Shows a key of the database that is drawn, if there is one.
    pub(crate) fn draw_key(&mut self, visit: &mut dyn FnMut(&[u8])) {
        let keyspace = self.databases.keyspace(self.database);
        keyspace.draw(self.now_ms, &mut |bound| self.random.below(bound), visit);
    }
}
