//! What do commands see of what a key holds?
//!
//! They read and edit through these types, which hide whether a hash is one packed record or a
//! table, and when one becomes the other.

use crate::accounting::Weight;
use crate::config::Config;
use crate::entry::{Entry, body_start};
use crate::hasher::KeyHasher;
use crate::index::Ranking;
use crate::packed::{self, Change, Elements, elements};
use crate::table::{Table, element};
use crate::value::Value;

/// What a key holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ObjectRef<'a> {
    /// A string.
    String(Value<'a>),
    /// A hash, which has at least one field.
    Hash(HashRef<'a>),
}

impl ObjectRef<'_> {
    /// What `TYPE` answers.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::String(_) => "string",
            Self::Hash(_) => "hash",
        }
    }
}

/// A hash to read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HashRef<'a> {
    /// Fields one after another.
    Packed {
        /// The fields.
        body: &'a [u8],
        /// Whether it answers `hashtable` all the same.
        hashtable: bool,
    },
    /// Fields by their hashes.
    Table {
        /// The fields.
        table: &'a Table,
        /// Hashes names.
        hasher: &'a KeyHasher,
    },
}

impl<'a> HashRef<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Packed { body, .. } => elements(body).count(),
            Self::Table { table, .. } => table.len(),
        }
    }

    /// Whether Redis would keep it as a hashtable rather than a listpack. A listpack's fields are
    /// read in the order in which they came, and a scan shows all of them at once.
    pub(crate) fn is_hashtable(&self) -> bool {
        match self {
            Self::Packed { hashtable, .. } => *hashtable,
            Self::Table { .. } => true,
        }
    }

    pub(crate) fn get(&self, field: &[u8]) -> Option<Value<'a>> {
        match self {
            Self::Packed { body, .. } => {
                elements(body).find(|element| element.field == field).map(|element| element.value)
            }
            Self::Table { table, hasher } => table.get(hasher, field),
        }
    }

    /// Shows every field.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(&[u8], Value<'_>)) {
        match self {
            Self::Packed { body, .. } => {
                elements(body).for_each(|element| visit(element.field, element.value));
            }
            Self::Table { table, .. } => {
                table.iter().for_each(|element| visit(element.field, element.value));
            }
        }
    }

    /// Shows about `count` fields from `cursor` on and returns the cursor to go on from, 0 after
    /// the last; a packed hash is shown whole.
    pub(crate) fn scan(
        &self,
        cursor: u64,
        count: usize,
        visit: &mut dyn FnMut(&[u8], Value<'_>),
    ) -> u64 {
        match self {
            Self::Packed { .. } => {
                self.visit(visit);
                0
            }
            Self::Table { table, .. } => table.scan(cursor, count, visit),
        }
    }

    /// The fields by number, for drawing at random.
    pub(crate) fn ranking(&self) -> FieldRanking<'a> {
        match self {
            Self::Packed { body, .. } => {
                let starts = elements(body).map(|element| element.range.start).collect();
                FieldRanking::Packed { body, starts }
            }
            Self::Table { table, .. } => FieldRanking::Table(table.ranking()),
        }
    }
}

/// The fields of a hash by number.
#[derive(Debug)]
pub(crate) enum FieldRanking<'a> {
    /// Of a packed hash.
    Packed {
        /// The fields.
        body: &'a [u8],
        /// Where each begins.
        starts: Vec<usize>,
    },
    /// Of a table.
    Table(Ranking<'a, Box<[u8]>>),
}

impl FieldRanking<'_> {
    /// Shows the field of number `rank`, if there are so many.
    pub(crate) fn visit(&self, rank: usize, visit: &mut dyn FnMut(&[u8], Value<'_>)) {
        let element = match self {
            Self::Packed { body, starts } => {
                starts.get(rank).and_then(|&start| Elements::from(body, start).next())
            }
            Self::Table(ranking) => ranking.get(rank).map(|record| element(record)),
        };
        if let Some(element) = element {
            visit(element.field, element.value);
        }
    }
}

/// A hash to change. It keeps the books of its keyspace and chooses the form of the hash: packed as
/// long as Redis would have a listpack (so that fields keep their order as there), beyond that
/// while it stays within the store's own limits, else a table; and packed again when it has shrunk
/// to half of these.
#[derive(Debug)]
pub(crate) struct HashEdit<'a> {
    entry: &'a mut Entry,
    weight: &'a mut Weight,
    config: &'a Config,
}

impl<'a> HashEdit<'a> {
    /// Changes `entry`, which must be a hash, and with it `weight`, of which it is a part.
    pub(crate) fn new(entry: &'a mut Entry, weight: &'a mut Weight, config: &'a Config) -> Self {
        Self { entry, weight, config }
    }

    pub(crate) fn get(&self, field: &[u8]) -> Option<Value<'_>> {
        match self.entry.object(&self.config.hasher) {
            ObjectRef::Hash(hash) => hash.get(field),
            ObjectRef::String(_) => None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        match &*self.entry {
            Entry::Record(record) => body_start(record) == record.len(),
            Entry::Large(large) => large.table.len() == 0,
        }
    }

    /// Sets one field; says whether it is new.
    pub(crate) fn set(&mut self, field: &[u8], value: Value<'_>) -> bool {
        self.set_all(std::iter::once((field, value))) == 1
    }

    /// Sets fields in turn; returns how many are new.
    pub(crate) fn set_all<'p>(
        &mut self,
        pairs: impl ExactSizeIterator<Item = (&'p [u8], Value<'p>)> + Clone,
    ) -> usize {
        let bytes_before = self.bytes();
        let fields_before = self.weight.fields;
        let value_bytes_max = self.config.hash_max_listpack_value;
        let is_long = |bytes: usize| bytes > value_bytes_max;
        if pairs.len() > self.config.hash_max_listpack_entries
            || pairs.clone().any(|(field, value)| is_long(field.len()) || is_long(value.len()))
        {
            self.entry.mark_hashtable();
            if pairs.len() > self.config.packed_fields_max {
                self.entry.unpack(&self.config.hasher);
            }
        }
        self.set_each(pairs);
        self.unpack_if_large();
        self.settle(bytes_before);
        self.weight.fields - fields_before
    }

    /// Takes a field out; says whether it was there. The hash may be left empty.
    pub(crate) fn remove(&mut self, field: &[u8]) -> bool {
        let bytes_before = self.bytes();
        let removed = match self.entry {
            Entry::Record(record) => {
                let mut bytes = std::mem::take(record).into_vec();
                let body_start = body_start(&bytes);
                let removed = packed::remove(&mut bytes, body_start, field);
                *record = bytes.into_boxed_slice();
                removed
            }
            Entry::Large(large) => large.table.remove(&self.config.hasher, field),
        };
        let Some(value_bytes) = removed else { return false };
        self.weight.fields -= 1;
        self.weight.payload_bytes -= field.len() + value_bytes;
        self.pack_if_small();
        self.settle(bytes_before);
        true
    }

    fn set_each<'p>(&mut self, pairs: impl Iterator<Item = (&'p [u8], Value<'p>)> + Clone) {
        match self.entry {
            Entry::Large(large) => {
                for (field, value) in pairs {
                    let change = large.table.set(&self.config.hasher, field, value);
                    note(self.weight, change, field, value);
                }
            }
            Entry::Record(record) => {
                let mut bytes = std::mem::take(record).into_vec();
                let body_start = body_start(&bytes);
                if bytes.len() == body_start {
                    // To the byte: what a new record is later cut off leaves a hole in the heap
                    // that no other record fits (45.6 B a field instead of 30 for `user`).
                    let element_bytes = |(field, value)| packed::element_bytes(field, value);
                    bytes.reserve_exact(pairs.clone().map(element_bytes).sum());
                }
                let mut fields_max = 0;
                for (field, value) in pairs {
                    let change = packed::set(&mut bytes, body_start, field, value);
                    if let Change::Added { fields_before } = change {
                        fields_max = fields_before + 1;
                    }
                    note(self.weight, change, field, value);
                }
                *record = bytes.into_boxed_slice();
                if fields_max > self.config.hash_max_listpack_entries {
                    self.entry.mark_hashtable();
                }
            }
        }
    }

    fn unpack_if_large(&mut self) {
        let object = self.entry.object(&self.config.hasher);
        let ObjectRef::Hash(HashRef::Packed { body, hashtable: true }) = object else { return };
        if body.len() > self.config.packed_bytes_max
            || elements(body).count() > self.config.packed_fields_max
        {
            self.entry.unpack(&self.config.hasher);
        }
    }

    fn pack_if_small(&mut self) {
        let Entry::Large(large) = &self.entry else { return };
        let weight = large.table.weight();
        if weight.fields * 2 <= self.config.packed_fields_max
            && weight.record_bytes * 2 <= self.config.packed_bytes_max
        {
            self.entry.pack();
        }
    }

    fn bytes(&self) -> (usize, usize) {
        (self.entry.record_bytes(), self.entry.index_bytes())
    }

    /// Books what the entry takes more or less than before.
    fn settle(&mut self, (record_bytes, index_bytes): (usize, usize)) {
        let (record_bytes_now, index_bytes_now) = self.bytes();
        self.weight.record_bytes = self.weight.record_bytes + record_bytes_now - record_bytes;
        self.weight.index_bytes = self.weight.index_bytes + index_bytes_now - index_bytes;
    }
}

fn note(weight: &mut Weight, change: Change, field: &[u8], value: Value<'_>) {
    match change {
        Change::Added { .. } => {
            weight.fields += 1;
            weight.payload_bytes += field.len() + value.len();
        }
        Change::Replaced { old_value_bytes } => {
            weight.payload_bytes = weight.payload_bytes + value.len() - old_value_bytes;
        }
    }
}
