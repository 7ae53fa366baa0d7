//! What does one database of a shard hold?

use crate::accounting::{Accounting, Weight};
use crate::config::Config;
use crate::deadlines::Deadlines;
use crate::entry::Entry;
use crate::index::{Index, Position};
use crate::object::{FieldOrder, HashEdit, ObjectRef};
use crate::value::Value;

/// A cursor over a keyspace has so many bits; those to 53, the most that a double can hold, are for
/// the number of the shard.
const CURSOR_BITS: u32 = 43;

/// A key and its hash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) hash: u64,
}

/// The keys of one database. A key whose deadline has passed is gone as soon as anybody asks.
#[derive(Debug, Default)]
pub(crate) struct Keyspace {
    index: Index<Entry>,
    deadlines: Deadlines,
    field_order: FieldOrder,
    /// Of all entries.
    weight: Weight,
}

impl Keyspace {
    pub(crate) fn get(&mut self, key: Key<'_>, now_ms: u64) -> Option<&Entry> {
        let position = self.locate(key, now_ms)?;
        Some(self.index.get(position))
    }

    /// Reads the slot of a key, and returns what it read.
    pub(crate) fn touch_slot(&self, hash: u64) -> u64 {
        self.index.touch(hash)
    }

    /// Reads the beginning of a key's record, and returns what it read.
    pub(crate) fn touch_record(&self, hash: u64) -> u64 {
        self.index.at(hash).next().map_or(0, Entry::touch)
    }

    /// Puts a string in the place of whatever the key held.
    pub(crate) fn put_string(
        &mut self,
        key: Key<'_>,
        value: Value<'_>,
        deadline_ms: Option<u64>,
        is_raw: bool,
        now_ms: u64,
    ) {
        let mut entry = Entry::string(key.bytes, value, deadline_ms);
        if is_raw {
            entry.mark_raw();
        }
        self.weight.add(entry.weight());
        match self.locate(key, now_ms) {
            Some(position) => {
                let old = std::mem::replace(self.index.get_mut(position), entry);
                self.weight.subtract(old.weight());
                self.forget_deadline(key.hash, old.deadline_ms());
            }
            None => {
                self.index.insert(key.hash, entry);
            }
        }
        if let Some(deadline_ms) = deadline_ms {
            self.deadlines.insert(deadline_ms, key.hash);
        }
    }

    /// The hash at `key` to change; `create` makes an empty one, which must get a field, where there
    /// is no key. `None` if there is none and none is made, `Some(None)` if the key holds a string.
    pub(crate) fn edit_hash<'a>(
        &'a mut self,
        key: Key<'_>,
        create: bool,
        config: &'a Config,
        now_ms: u64,
    ) -> Option<Option<HashEdit<'a>>> {
        let position = match self.locate(key, now_ms) {
            Some(position) => position,
            None if create => {
                let entry = Entry::empty_hash(key.bytes);
                self.weight.add(entry.weight());
                self.index.insert(key.hash, entry)
            }
            None => return None,
        };
        let entry = self.index.get_mut(position);
        let is_hash = matches!(entry.object(&config.hasher), ObjectRef::Hash(_));
        Some(is_hash.then(|| {
            HashEdit::new(entry, &mut self.weight, config, &mut self.field_order, key.hash)
        }))
    }

    /// Removes a key; says whether it was there.
    pub(crate) fn remove(&mut self, key: Key<'_>, now_ms: u64) -> bool {
        let position = self.locate(key, now_ms);
        position.map(|position| self.take(key.hash, position)).is_some()
    }

    /// Gives a key another deadline, or none.
    pub(crate) fn set_deadline_ms(&mut self, key: Key<'_>, deadline_ms: Option<u64>, now_ms: u64) {
        let Some(position) = self.locate(key, now_ms) else { return };
        let entry = self.index.get_mut(position);
        let old_deadline_ms = entry.deadline_ms();
        self.weight.record_bytes -= entry.record_bytes();
        entry.set_deadline_ms(deadline_ms);
        self.weight.record_bytes += entry.record_bytes();
        self.forget_deadline(key.hash, old_deadline_ms);
        if let Some(deadline_ms) = deadline_ms {
            self.deadlines.insert(deadline_ms, key.hash);
        }
    }

    /// Shows about `count` living keys from `cursor` on, a position in hash order, and returns the
    /// cursor to go on from, 0 after the last.
    pub(crate) fn scan(
        &self,
        cursor: u64,
        count: usize,
        now_ms: u64,
        visit: &mut dyn FnMut(&Entry),
    ) -> u64 {
        self.index.scan(cursor, CURSOR_BITS, count, |entry| {
            if !is_past(entry.deadline_ms(), now_ms) {
                visit(entry);
            }
        })
    }

    /// How many keys are alive, in time proportional to those that are past but still here.
    pub(crate) fn keys_alive(&self, now_ms: u64) -> usize {
        self.index.len() - self.deadlines.passed(now_ms)
    }

    /// Removes up to `budget` keys whose deadline has passed, the earliest first; returns how many.
    pub(crate) fn expire_some(&mut self, budget: usize, now_ms: u64) -> usize {
        let mut removed = 0;
        while removed < budget
            && let Some((deadline_ms, hash)) = self.deadlines.first()
            && deadline_ms < now_ms
        {
            let is_due = |entry: &Entry| entry.deadline_ms() == Some(deadline_ms);
            match self.index.locate(hash, is_due) {
                Some(position) => {
                    self.take(hash, position);
                    removed += 1;
                }
                None => self.deadlines.remove(deadline_ms, hash),
            }
        }
        removed
    }

    /// The last millisecond at which the next key or field to go is alive.
    pub(crate) fn first_deadline_ms(&self) -> Option<u64> {
        let of_keys = self.deadlines.first().map(|(deadline_ms, _)| deadline_ms);
        let is_current = |&&(deadline_ms, hash): &&(u64, u64)| {
            let mut deadlines =
                self.index.at(hash).filter_map(|entry| entry.field_deadlines.as_ref());
            deadlines.any(|deadlines| deadlines.values().any(|&at| at == deadline_ms))
        };
        let of_fields =
            self.field_order.iter().find(is_current).map(|&(deadline_ms, _)| deadline_ms);
        of_keys.into_iter().chain(of_fields).min()
    }

    /// Removes up to `budget` fields whose deadline has passed.
    pub(crate) fn expire_fields(&mut self, budget: usize, config: &Config, now_ms: u64) -> usize {
        let mut removed = 0;
        while removed < budget
            && let Some(&(deadline_ms, hash)) = self.field_order.first()
            && deadline_ms < now_ms
        {
            let is_due = |field: &(&Box<[u8]>, &u64)| *field.1 == deadline_ms;
            let find = |entry: &Entry| {
                let found = entry.field_deadlines.as_ref()?.iter().find(is_due)?;
                Some(found.0.clone())
            };
            let Some(position) = self.index.locate(hash, |entry| find(entry).is_some()) else {
                self.field_order.pop_first();
                continue;
            };
            let entry = self.index.get_mut(position);
            if let Some(field) = find(entry) {
                let mut edit =
                    HashEdit::new(entry, &mut self.weight, config, &mut self.field_order, hash);
                let _ = edit.remove(&field);
                if edit.is_empty() {
                    self.take(hash, position);
                }
                removed += 1;
            }
        }
        removed
    }

    /// What `entry`, one of this keyspace, takes with its slot and its deadline.
    pub(crate) fn entry_bytes(entry: &Entry) -> usize {
        let deadline_bytes = entry.deadline_ms().map_or(0, |_| Deadlines::BYTES);
        let slot_bytes = Index::<Entry>::SLOT_BYTES;
        entry.record_bytes() + entry.index_bytes() + slot_bytes + deadline_bytes
    }

    pub(crate) fn accounting(&self) -> Accounting {
        let index_bytes =
            self.index.bytes() + self.weight.index_bytes + self.deadlines.len() * Deadlines::BYTES;
        Accounting {
            keys: self.index.len() as u64,
            keys_with_deadline: self.deadlines.len() as u64,
            fields: self.weight.fields as u64,
            payload_bytes: self.weight.payload_bytes as u64,
            record_bytes: self.weight.record_bytes as u64,
            index_bytes: index_bytes as u64,
        }
    }

    /// Where a living key lies; one whose deadline has passed is removed.
    fn locate(&mut self, key: Key<'_>, now_ms: u64) -> Option<Position> {
        let position = self.index.locate(key.hash, |entry| entry.key() == key.bytes)?;
        if is_past(self.index.get(position).deadline_ms(), now_ms) {
            self.take(key.hash, position);
            return None;
        }
        Some(position)
    }

    fn take(&mut self, hash: u64, position: Position) {
        let entry = self.index.remove(position);
        self.weight.subtract(entry.weight());
        self.forget_deadline(hash, entry.deadline_ms());
    }

    /// Takes a deadline out of the order, unless another key of the same hash still has it.
    fn forget_deadline(&mut self, hash: u64, deadline_ms: Option<u64>) {
        let Some(deadline_ms) = deadline_ms else { return };
        if !self.index.at(hash).any(|entry| entry.deadline_ms() == Some(deadline_ms)) {
            self.deadlines.remove(deadline_ms, hash);
        }
    }
}

/// Whether a key with this deadline is gone: as in Redis, it lives through its last millisecond.
fn is_past(deadline_ms: Option<u64>, now_ms: u64) -> bool {
    deadline_ms.is_some_and(|deadline_ms| deadline_ms < now_ms)
}
