//! What lies behind a slot of a keyspace?
//!
//! A string or a small hash is one record; a large hash is a [`Table`] beside its key.
//!
//! ```text
//! flags │ deadline │ key length │ key │ body
//!   1      8 or 0     varint            a string's bytes, the bytes of a ShortInteger,
//!                                       or the fields of a packed hash
//! ```

use crate::accounting::Weight;
use crate::hasher::KeyHasher;
use crate::number::ShortInteger;
use crate::object::{HashForm, HashRef, ObjectRef};
use crate::packed::{self, Varint, elements, read_varint};
use crate::table::Table;
use crate::value::Value;

/// The deadlines of a hash's fields.
pub(crate) type FieldDeadlines = std::collections::BTreeMap<Box<[u8]>, u64>;

/// A key with its deadline and what it holds.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) form: Form,
    /// There once the hash had one, or nearly.
    pub(crate) field_deadlines: Option<Box<FieldDeadlines>>,
}

/// How it is kept.
#[derive(Debug)]
pub(crate) enum Form {
    /// A string or a small hash, in one record.
    Record(Box<[u8]>),
    /// A large hash.
    Large(Box<LargeHash>),
}

/// A hash that is a table.
#[derive(Debug)]
pub(crate) struct LargeHash {
    key: Box<[u8]>,
    deadline_ms: Option<u64>,
    pub(crate) table: Table,
}

/// The record is a hash; else it is a string.
const HASH: u8 = 1;
/// The string is an integer.
const INTEGER: u8 = 2;
/// The record has a deadline.
const DEADLINE: u8 = 4;
/// The hash once passed Redis' limits for a listpack, and answers `hashtable` ever since.
const HASHTABLE: u8 = 8;
/// The string answers `raw`, however short it is.
const RAW: u8 = 16;

const DEADLINE_BYTES: usize = 8;

impl Entry {
    pub(crate) fn string(key: &[u8], value: Value<'_>, deadline_ms: Option<u64>) -> Self {
        let (flags, short);
        let body = match value {
            Value::Bytes(bytes) => {
                flags = 0;
                bytes
            }
            Value::Integer(integer) => {
                flags = INTEGER;
                short = ShortInteger::new(integer);
                short.as_bytes()
            }
        };
        let mut record = head(flags, key, deadline_ms, body.len());
        record.extend_from_slice(body);
        Self::of(Form::Record(record.into_boxed_slice()))
    }

    /// A hash without fields, which must get one before anybody looks.
    pub(crate) fn empty_hash(key: &[u8]) -> Self {
        Self::of(Form::Record(head(HASH, key, None, 0).into_boxed_slice()))
    }

    fn of(form: Form) -> Self {
        Self { form, field_deadlines: None }
    }

    /// Lets a string answer `raw`.
    pub(crate) fn mark_raw(&mut self) {
        if let Form::Record(record) = &mut self.form {
            record[0] |= RAW;
        }
    }

    pub(crate) fn is_raw(&self) -> bool {
        matches!(&self.form, Form::Record(record) if record[0] & RAW != 0)
    }

    pub(crate) fn key(&self) -> &[u8] {
        match &self.form {
            Form::Record(record) => {
                let (length, start) = read_varint(record, key_length_start(record));
                &record[start..start + length]
            }
            Form::Large(large) => &large.key,
        }
    }

    /// Reads the beginning of the record, and returns what it read.
    pub(crate) fn touch(&self) -> u64 {
        match &self.form {
            Form::Record(record) => u64::from(record[0]),
            Form::Large(large) => large.table.len() as u64,
        }
    }

    /// The last millisecond at which the entry is alive.
    pub(crate) fn deadline_ms(&self) -> Option<u64> {
        match &self.form {
            Form::Record(record) => {
                let bytes = record.get(1..key_length_start(record))?;
                Some(u64::from_le_bytes(bytes.try_into().ok()?))
            }
            Form::Large(large) => large.deadline_ms,
        }
    }

    pub(crate) fn set_deadline_ms(&mut self, deadline_ms: Option<u64>) {
        match &mut self.form {
            Form::Record(record) => {
                let place = 1..key_length_start(record);
                let length = deadline_ms.map_or(0, |_| DEADLINE_BYTES);
                if place.len() != length {
                    let mut bytes = std::mem::take(record).into_vec();
                    packed::resize(&mut bytes, place, length);
                    bytes[0] ^= DEADLINE;
                    *record = bytes.into_boxed_slice();
                }
                if let Some(deadline_ms) = deadline_ms {
                    record[1..1 + length].copy_from_slice(&deadline_ms.to_le_bytes());
                }
            }
            Form::Large(large) => large.deadline_ms = deadline_ms,
        }
    }

    /// What the entry holds, for commands to read.
    pub(crate) fn object<'a>(&'a self, hasher: &'a KeyHasher) -> ObjectRef<'a> {
        let deadlines = self.field_deadlines.as_deref();
        let hash = |form| ObjectRef::Hash(HashRef { form, deadlines });
        match &self.form {
            Form::Large(large) => hash(HashForm::Table { table: &large.table, hasher }),
            Form::Record(record) => {
                if record[0] & HASH != 0 {
                    let body = &record[body_start(record)..];
                    let hashtable = record[0] & HASHTABLE != 0;
                    hash(HashForm::Packed { body, hashtable })
                } else {
                    ObjectRef::String(string_value(record))
                }
            }
        }
    }

    /// What the entry holds and takes, its slot and deadline left out. Walks over a small hash.
    pub(crate) fn weight(&self) -> Weight {
        let mut weight = Weight {
            payload_bytes: self.key().len(),
            record_bytes: self.record_bytes(),
            index_bytes: self.index_bytes(),
            fields: 0,
        };
        match &self.form {
            Form::Large(large) => {
                weight.fields = large.table.len();
                weight.payload_bytes += large.table.weight().payload_bytes;
            }
            Form::Record(record) if record[0] & HASH != 0 => {
                for element in elements(&record[body_start(record)..]) {
                    weight.fields += 1;
                    weight.payload_bytes += element.field.len() + element.value.len();
                }
            }
            Form::Record(record) => weight.payload_bytes += string_value(record).len(),
        }
        weight
    }

    /// The bytes of the entry's record, or of its key and its table's records.
    pub(crate) fn record_bytes(&self) -> usize {
        match &self.form {
            Form::Record(record) => record.len(),
            Form::Large(large) => {
                size_of::<LargeHash>() + large.key.len() + large.table.weight().record_bytes
            }
        }
    }

    /// The bytes of slots and segments of its table, if it has one.
    pub(crate) fn index_bytes(&self) -> usize {
        match &self.form {
            Form::Record(_) => 0,
            Form::Large(large) => large.table.weight().index_bytes,
        }
    }

    /// Lets a hash answer `hashtable` from now on.
    pub(crate) fn mark_hashtable(&mut self) {
        if let Form::Record(record) = &mut self.form {
            record[0] |= HASHTABLE;
        }
    }

    /// Turns a packed hash into a table.
    pub(crate) fn unpack(&mut self, hasher: &KeyHasher) {
        let Form::Record(record) = &self.form else { return };
        let mut table = Table::default();
        for element in elements(&record[body_start(record)..]) {
            table.set(hasher, element.field, element.value);
        }
        let (key, deadline_ms) = (self.key().into(), self.deadline_ms());
        self.form = Form::Large(Box::new(LargeHash { key, deadline_ms, table }));
    }

    /// Turns a table into a packed hash, whose fields then lie in hash order.
    pub(crate) fn pack(&mut self) {
        let Form::Large(large) = &self.form else { return };
        let body_bytes = large.table.weight().record_bytes;
        let mut record = head(HASH | HASHTABLE, &large.key, large.deadline_ms, body_bytes);
        large.table.pack_into(&mut record);
        self.form = Form::Record(record.into_boxed_slice());
    }
}

/// The head of a record, with room for a body of so many bytes.
fn head(flags: u8, key: &[u8], deadline_ms: Option<u64>, body_bytes: usize) -> Vec<u8> {
    let key_length = Varint::new(key.len());
    let deadline_bytes = deadline_ms.map_or(0, |_| DEADLINE_BYTES);
    let head_bytes = 1 + deadline_bytes + key_length.as_bytes().len() + key.len();
    let mut record = Vec::with_capacity(head_bytes + body_bytes);
    record.push(flags | if deadline_ms.is_some() { DEADLINE } else { 0 });
    if let Some(deadline_ms) = deadline_ms {
        record.extend_from_slice(&deadline_ms.to_le_bytes());
    }
    record.extend_from_slice(key_length.as_bytes());
    record.extend_from_slice(key);
    record
}

fn key_length_start(record: &[u8]) -> usize {
    if record[0] & DEADLINE != 0 { 1 + DEADLINE_BYTES } else { 1 }
}

/// Where the body of a record begins.
pub(crate) fn body_start(record: &[u8]) -> usize {
    let (key_bytes, key_start) = read_varint(record, key_length_start(record));
    key_start + key_bytes
}

fn string_value(record: &[u8]) -> Value<'_> {
    let body = &record[body_start(record)..];
    if record[0] & INTEGER != 0 {
        Value::Integer(ShortInteger::read(body))
    } else {
        Value::Bytes(body)
    }
}
