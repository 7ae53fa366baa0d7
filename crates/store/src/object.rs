//! What do commands see of what a key holds?
//!
//! They read and edit through these types, which hide whether a hash is one packed record or a
//! table, and when one becomes the other.

use crate::accounting::Weight;
use crate::config::Config;
use crate::entry::{Entry, FieldDeadlines, Form, body_start};
use crate::error::CommandError;
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

/// What becomes of a field's deadline when the field is set.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FieldDeadline {
    /// It has none.
    Clear,
    /// It stays as it is.
    Keep,
    /// It is this, the last millisecond at which the field is alive.
    At(u64),
}

/// A hash to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HashRef<'a> {
    pub(crate) form: HashForm<'a>,
    pub(crate) deadlines: Option<&'a FieldDeadlines>,
}

/// How its fields are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HashForm<'a> {
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
        match &self.form {
            HashForm::Packed { body, .. } => elements(body).count(),
            HashForm::Table { table, .. } => table.len(),
        }
    }

    /// Whether Redis would keep it as a hashtable rather than a listpack. A listpack's fields are
    /// read in the order in which they came, and a scan shows all of them at once.
    pub(crate) fn is_hashtable(&self) -> bool {
        match &self.form {
            HashForm::Packed { hashtable, .. } => *hashtable,
            HashForm::Table { .. } => true,
        }
    }

    pub(crate) fn get(&self, field: &[u8]) -> Option<Value<'a>> {
        match &self.form {
            HashForm::Packed { body, .. } => {
                elements(body).find(|element| element.field == field).map(|element| element.value)
            }
            HashForm::Table { table, hasher } => table.get(hasher, field),
        }
    }

    /// The deadline of a field: `None` if there is no such field, `Some(None)` if it has none.
    pub(crate) fn deadline_ms(&self, field: &[u8]) -> Option<Option<u64>> {
        self.get(field).map(|_| self.deadlines.and_then(|deadlines| deadlines.get(field)).copied())
    }

    /// Whether a field has a deadline, or had one, or was about to get one: a listpack to Redis is
    /// `listpackex` then, for good.
    pub(crate) fn has_deadlines(&self) -> bool {
        self.deadlines.is_some()
    }

    /// Shows every field.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(&[u8], Value<'_>)) {
        match &self.form {
            HashForm::Packed { body, .. } => {
                elements(body).for_each(|element| visit(element.field, element.value));
            }
            HashForm::Table { table, .. } => {
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
        match &self.form {
            HashForm::Packed { .. } => {
                self.visit(visit);
                0
            }
            HashForm::Table { table, .. } => table.scan(cursor, count, visit),
        }
    }

    /// The fields by number, for drawing at random.
    pub(crate) fn ranking(&self) -> FieldRanking<'a> {
        match &self.form {
            HashForm::Packed { body, .. } => {
                let starts = elements(body).map(|element| element.range.start).collect();
                FieldRanking::Packed { body, starts }
            }
            HashForm::Table { table, .. } => FieldRanking::Table(table.ranking()),
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
    order: &'a mut FieldOrder,
    hash: u64,
}

/// Deadlines of fields with the hash of their key, some of them out of date.
pub(crate) type FieldOrder = std::collections::BTreeSet<(u64, u64)>;

impl<'a> HashEdit<'a> {
    /// Changes `entry`, which must be a hash, and with it `weight`, of which it is a part.
    pub(crate) fn new(
        entry: &'a mut Entry,
        weight: &'a mut Weight,
        config: &'a Config,
        order: &'a mut FieldOrder,
        hash: u64,
    ) -> Self {
        Self { entry, weight, config, order, hash }
    }

    fn as_ref(&self) -> Option<HashRef<'_>> {
        match self.entry.object(&self.config.hasher) {
            ObjectRef::Hash(hash) => Some(hash),
            ObjectRef::String(_) => None,
        }
    }

    pub(crate) fn deadline_ms(&self, field: &[u8]) -> Option<Option<u64>> {
        self.as_ref()?.deadline_ms(field)
    }

    /// Lets the hash answer `listpackex` from now on, if it is no `hashtable`.
    pub(crate) fn mark_listpackex(&mut self) {
        self.entry.field_deadlines.get_or_insert_default();
    }

    /// Gives a field another deadline, or none; says whether there is such a field.
    pub(crate) fn set_deadline_ms(
        &mut self,
        field: &[u8],
        deadline_ms: Option<u64>,
    ) -> Result<bool, CommandError> {
        let is_there = self.get(field).is_some();
        if is_there {
            self.put_deadline(field, deadline_ms);
        }
        Ok(is_there)
    }

    fn put_deadline(&mut self, field: &[u8], deadline_ms: Option<u64>) {
        match deadline_ms {
            Some(deadline_ms) => {
                self.entry
                    .field_deadlines
                    .get_or_insert_default()
                    .insert(field.into(), deadline_ms);
                self.order.insert((deadline_ms, self.hash));
            }
            None => {
                if let Some(deadlines) = &mut self.entry.field_deadlines {
                    deadlines.remove(field);
                }
            }
        }
    }

    pub(crate) fn get(&self, field: &[u8]) -> Option<Value<'_>> {
        self.as_ref()?.get(field)
    }

    pub(crate) fn is_empty(&self) -> bool {
        match &self.entry.form {
            Form::Record(record) => body_start(record) == record.len(),
            Form::Large(large) => large.table.len() == 0,
        }
    }

    /// Sets one field; says whether it is new.
    pub(crate) fn set(
        &mut self,
        field: &[u8],
        value: Value<'_>,
        deadline: FieldDeadline,
    ) -> Result<bool, CommandError> {
        Ok(self.set_all(std::iter::once((field, value)), deadline)? == 1)
    }

    /// Sets fields in turn; returns how many are new.
    pub(crate) fn set_all<'p>(
        &mut self,
        pairs: impl ExactSizeIterator<Item = (&'p [u8], Value<'p>)> + Clone,
        deadline: FieldDeadline,
    ) -> Result<usize, CommandError> {
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
        self.set_each(pairs.clone());
        self.unpack_if_large();
        self.settle(bytes_before);
        for (field, _) in pairs {
            match deadline {
                FieldDeadline::Keep => {}
                FieldDeadline::Clear => self.put_deadline(field, None),
                FieldDeadline::At(deadline_ms) => self.put_deadline(field, Some(deadline_ms)),
            }
        }
        Ok(self.weight.fields - fields_before)
    }

    /// Takes a field out; says whether it was there. The hash may be left empty.
    pub(crate) fn remove(&mut self, field: &[u8]) -> Result<bool, CommandError> {
        let bytes_before = self.bytes();
        let removed = match &mut self.entry.form {
            Form::Record(record) => {
                let mut bytes = std::mem::take(record).into_vec();
                let body_start = body_start(&bytes);
                let removed = packed::remove(&mut bytes, body_start, field);
                *record = bytes.into_boxed_slice();
                removed
            }
            Form::Large(large) => large.table.remove(&self.config.hasher, field),
        };
        let Some(value_bytes) = removed else { return Ok(false) };
        self.put_deadline(field, None);
        self.weight.fields -= 1;
        self.weight.payload_bytes -= field.len() + value_bytes;
        self.pack_if_small();
        self.settle(bytes_before);
        Ok(true)
    }

    fn set_each<'p>(&mut self, pairs: impl Iterator<Item = (&'p [u8], Value<'p>)> + Clone) {
        match &mut self.entry.form {
            Form::Large(large) => {
                for (field, value) in pairs {
                    let change = large.table.set(&self.config.hasher, field, value);
                    note(self.weight, change, field, value);
                }
            }
            Form::Record(record) => {
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
        let ObjectRef::Hash(HashRef { form: HashForm::Packed { body, hashtable: true }, .. }) =
            object
        else {
            return;
        };
        if body.len() > self.config.packed_bytes_max
            || elements(body).count() > self.config.packed_fields_max
        {
            self.entry.unpack(&self.config.hasher);
        }
    }

    fn pack_if_small(&mut self) {
        let Form::Large(large) = &self.entry.form else { return };
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
