//! What lies in a record?
//!
//! ```text
//! class │ key                        │ deadline │ body
//! 1–2     a number of 1–10 bytes, or    6, if     a string: one value
//!         length and bytes              any       a hash: see `packed`; a large one: its table, 4
//! ```
//!
//! The class says what of it is there: see `class`. How values lie is said in `encoding`. With an
//! object of five fields whose names are a shape's, and a key like others, all but the values takes
//! four bytes.

use crate::class::{Class, ClassId, Classes, Form};
use crate::encoding::{
    push_key_moment, push_value, push_varint, read_key_moment, read_value, read_varint, value_bytes,
};
use crate::packed::Packed;
use crate::text::is_equal;
use crate::value::Value;

/// A record taken apart. What it lies in may go on behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    bytes: &'a [u8],
    classes: &'a Classes,
    class: Class,
    key_at: usize,
    /// Where the key ends.
    deadline_at: usize,
    body_at: usize,
}

impl<'a> Record<'a> {
    /// The record that `bytes` begin with.
    #[inline(always)]
    pub(crate) fn read(classes: &'a Classes, bytes: &'a [u8]) -> Self {
        let (id, key_at) = ClassId::read(bytes);
        let class = classes.get(id);
        let (number, after) = read_varint(bytes, key_at);
        let key_end = match class.template {
            Some(_) => after,
            None => after + usize::try_from(number).unwrap_or(usize::MAX),
        };
        Self::of_head(classes, bytes, Head { class, key_at, key_end })
    }

    /// The record that `bytes` begin with, of which this is known.
    #[inline(always)]
    pub(crate) fn of_head(classes: &'a Classes, bytes: &'a [u8], head: Head) -> Self {
        let Head { class, key_at, key_end } = head;
        let body_at = if class.deadline { read_key_moment(bytes, key_end).1 } else { key_end };
        Self { bytes, classes, class, key_at, deadline_at: key_end, body_at }
    }

    pub(crate) fn class(&self) -> Class {
        self.class
    }

    /// What is known of it without its key.
    pub(crate) fn known(&self) -> Head {
        Head { class: self.class, key_at: self.key_at, key_end: self.deadline_at }
    }

    /// Puts the key behind what is there.
    pub(crate) fn write_key(&self, key: &mut Vec<u8>) {
        let (number, start) = read_varint(self.bytes, self.key_at);
        match self.class.template {
            Some(template) => self.classes.templates.write_key(template, number, key),
            None => key.extend_from_slice(&self.bytes[start..self.deadline_at]),
        }
    }

    /// The length of the key.
    pub(crate) fn key_bytes(&self) -> usize {
        let (number, start) = read_varint(self.bytes, self.key_at);
        match self.class.template {
            Some(template) => self.classes.templates.key_bytes(template, number),
            None => self.deadline_at - start,
        }
    }

    /// The last millisecond at which the key is alive.
    #[inline]
    pub(crate) fn deadline_ms(&self) -> Option<u64> {
        self.class.deadline.then(|| read_key_moment(self.bytes, self.deadline_at).0)
    }

    /// Everything before the body.
    pub(crate) fn head(&self) -> &'a [u8] {
        &self.bytes[..self.body_at]
    }

    pub(crate) fn body_at(&self) -> usize {
        self.body_at
    }

    pub(crate) fn body(&self) -> &'a [u8] {
        &self.bytes[self.body_at..]
    }

    /// The value of a string or of a field of a large hash.
    #[inline]
    pub(crate) fn value(&self) -> Value<'a> {
        read_value(self.bytes, self.body_at)
    }

    /// The table of a large hash.
    pub(crate) fn table(&self) -> u32 {
        let bytes = self.body();
        u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }

    /// The fields of a hash that is not large.
    #[inline(always)]
    pub(crate) fn packed(&self) -> Option<Packed<'a>> {
        Packed::read(&self.classes.shapes, self.class.form, self.body())
    }

    /// The bytes of the whole record.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        match self.class.form {
            Form::String | Form::RawString => self.body_at + value_bytes(self.bytes, self.body_at),
            Form::Large => self.body_at + LARGE_BODY_BYTES,
            Form::Shaped(..) | Form::Pairs(_) => {
                self.body_at + self.packed().map_or(0, |packed| packed.bytes())
            }
        }
    }
}

/// What is known of a record whose key was compared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) class: Class,
    key_at: usize,
    key_end: usize,
}

/// The head of the record that `bytes` begin with, if it is that of this key.
#[inline(always)]
pub(crate) fn head_if_key(classes: &Classes, bytes: &[u8], key: &[u8]) -> Option<Head> {
    let (id, key_at) = ClassId::read(bytes);
    let class = classes.get(id);
    let (number, after) = read_varint(bytes, key_at);
    let key_end = match class.template {
        Some(template) => {
            let is_same = classes.templates.number(template, key) == Some(number);
            is_same.then_some(after)?
        }
        None => {
            let key_end = after + key.len();
            let is_same = number == key.len() as u64
                && bytes.get(after..key_end).is_some_and(|bytes| is_equal(bytes, key));
            is_same.then_some(key_end)?
        }
    };
    Some(Head { class, key_at, key_end })
}

/// The body of a large hash: the number of its table.
const LARGE_BODY_BYTES: usize = 4;

/// Begins a record in `record`, whatever was there; the body must follow. The class may be a simpler
/// one than asked for: the body must be one for the class that is returned.
pub(crate) fn begin(
    classes: &mut Classes,
    form: Form,
    key: &[u8],
    deadline_ms: Option<u64>,
    record: &mut Vec<u8>,
) -> Class {
    let parts = classes.templates.classify(key);
    let template = parts.map(|(template, _)| template);
    let id = classes.id(Class { form, template, deadline: deadline_ms.is_some() });
    let class = classes.get(id);
    record.clear();
    id.push(record);
    match parts {
        Some((_, number)) if class.template.is_some() => push_varint(record, number),
        _ => {
            push_varint(record, key.len() as u64);
            record.extend_from_slice(key);
        }
    }
    if let Some(deadline_ms) = deadline_ms {
        push_key_moment(record, deadline_ms);
    }
    class
}

/// What a record takes at most beside the bytes of its key and its values.
pub(crate) const HEAD_BYTES_MAX: usize = 64;

/// Writes the record of a string, or of a field of a large hash.
pub(crate) fn write_string(
    classes: &mut Classes,
    key: &[u8],
    value: Value<'_>,
    deadline_ms: Option<u64>,
    record: &mut Vec<u8>,
) {
    begin(classes, Form::String, key, deadline_ms, record);
    push_value(record, value);
}

/// Writes the record of a string that answers `raw`.
pub(crate) fn write_raw_string(
    classes: &mut Classes,
    key: &[u8],
    value: Value<'_>,
    deadline_ms: Option<u64>,
    record: &mut Vec<u8>,
) {
    begin(classes, Form::RawString, key, deadline_ms, record);
    push_value(record, value);
}

/// Writes the record of a large hash.
pub(crate) fn write_large(
    classes: &mut Classes,
    key: &[u8],
    table: u32,
    deadline_ms: Option<u64>,
    record: &mut Vec<u8>,
) {
    begin(classes, Form::Large, key, deadline_ms, record);
    record.extend_from_slice(&table.to_le_bytes());
}
