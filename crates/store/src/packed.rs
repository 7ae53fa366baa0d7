//! How do the fields of a small hash lie in one record?
//!
//! One after another, in the order in which they came:
//!
//! ```text
//! field length │ field │ value head │ value │ field length │ field │ …
//!   varint               varint: length × 2, + 1 if the value is an integer
//! ```
//!
//! An integer takes the 0 to 8 bytes of a [`ShortInteger`]; so a field costs its name, its value and
//! two bytes, as long as both are shorter than 64. Finding a field walks over the ones before it.

use std::ops::Range;

use crate::number::ShortInteger;
use crate::value::Value;

/// One field, and where it lies in the body it was found in.
#[derive(Clone, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) field: &'a [u8],
    pub(crate) value: Value<'a>,
    /// All of it.
    pub(crate) range: Range<usize>,
    /// Where the value's head begins; the value ends where the element does.
    value_start: usize,
}

/// The fields of a body in order.
#[derive(Clone, Debug)]
pub(crate) struct Elements<'a> {
    body: &'a [u8],
    at: usize,
}

/// The fields of `body`.
pub(crate) fn elements(body: &[u8]) -> Elements<'_> {
    Elements { body, at: 0 }
}

impl<'a> Elements<'a> {
    /// The fields from the one that begins at `at`.
    pub(crate) fn from(body: &'a [u8], at: usize) -> Self {
        Self { body, at }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        if self.at >= self.body.len() {
            return None;
        }
        let start = self.at;
        let (field_length, field_start) = read_varint(self.body, start);
        let value_start = field_start + field_length;
        let (head, data_start) = read_varint(self.body, value_start);
        let end = data_start + head / 2;
        let data = &self.body[data_start..end];
        let is_integer = head & 1 != 0;
        let value =
            if is_integer { Value::Integer(ShortInteger::read(data)) } else { Value::Bytes(data) };
        self.at = end;
        let field = &self.body[field_start..value_start];
        Some(Element { field, value, range: start..end, value_start })
    }
}

/// What setting a field did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is new, after so many others.
    Added {
        /// The others.
        fields_before: usize,
    },
    /// It had a value whose text took so many bytes.
    Replaced {
        /// The text's length.
        old_value_bytes: usize,
    },
}

/// Sets a field in the body that begins at `body_start` of `record`: in its place, or at the end.
pub(crate) fn set(
    record: &mut Vec<u8>,
    body_start: usize,
    field: &[u8],
    value: Value<'_>,
) -> Change {
    let mut fields_before = 0;
    let found = elements(&record[body_start..])
        .inspect(|_| fields_before += 1)
        .find(|element| element.field == field);
    let Some(element) = found else {
        append(record, field, value);
        return Change::Added { fields_before };
    };
    let old_value_bytes = element.value.len();
    let place = body_start + element.value_start..body_start + element.range.end;
    let value = EncodedValue::new(value);
    let place = resize(record, place, value.len());
    value.write_to(&mut record[place]);
    Change::Replaced { old_value_bytes }
}

/// Takes a field out of the body that begins at `body_start`; returns the length of its value's text.
pub(crate) fn remove(record: &mut Vec<u8>, body_start: usize, field: &[u8]) -> Option<usize> {
    let element = elements(&record[body_start..]).find(|element| element.field == field)?;
    let value_bytes = element.value.len();
    let range = body_start + element.range.start..body_start + element.range.end;
    resize(record, range, 0);
    Some(value_bytes)
}

/// Puts a field after the last.
pub(crate) fn append(record: &mut Vec<u8>, field: &[u8], value: Value<'_>) {
    let name_length = Varint::new(field.len());
    let value = EncodedValue::new(value);
    record.reserve_exact(name_length.as_bytes().len() + field.len() + value.len());
    record.extend_from_slice(name_length.as_bytes());
    record.extend_from_slice(field);
    record.extend_from_slice(value.head.as_bytes());
    record.extend_from_slice(value.data());
}

/// The bytes that a field takes.
pub(crate) fn element_bytes(field: &[u8], value: Value<'_>) -> usize {
    Varint::new(field.len()).as_bytes().len() + field.len() + EncodedValue::new(value).len()
}

/// A number in 7 bits a byte, the lowest first; the top bit says that more follow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Varint {
    bytes: [u8; Self::BYTES_MAX],
    length: usize,
}

impl Varint {
    const BYTES_MAX: usize = 10;

    pub(crate) fn new(mut number: usize) -> Self {
        let mut bytes = [0; Self::BYTES_MAX];
        let mut length = 0;
        loop {
            let low = number.to_le_bytes()[0] & 0x7f;
            number >>= 7;
            bytes[length] = if number == 0 { low } else { low | 0x80 };
            length += 1;
            if number == 0 {
                return Self { bytes, length };
            }
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// The number that begins at `at`, and where it ends.
pub(crate) fn read_varint(bytes: &[u8], mut at: usize) -> (usize, usize) {
    let mut number = 0;
    let mut shift = 0;
    loop {
        let byte = bytes[at];
        at += 1;
        number |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return (number, at);
        }
    }
}

/// A value as it lies in a record.
struct EncodedValue<'a> {
    head: Varint,
    data: Data<'a>,
}

enum Data<'a> {
    Bytes(&'a [u8]),
    Integer(ShortInteger),
}

impl<'a> EncodedValue<'a> {
    fn new(value: Value<'a>) -> Self {
        match value {
            Value::Bytes(bytes) => {
                Self { head: Varint::new(bytes.len() * 2), data: Data::Bytes(bytes) }
            }
            Value::Integer(integer) => {
                let short = ShortInteger::new(integer);
                let head = Varint::new(short.as_bytes().len() * 2 + 1);
                Self { head, data: Data::Integer(short) }
            }
        }
    }

    fn data(&self) -> &[u8] {
        match &self.data {
            Data::Bytes(bytes) => bytes,
            Data::Integer(short) => short.as_bytes(),
        }
    }

    fn len(&self) -> usize {
        self.head.as_bytes().len() + self.data().len()
    }

    fn write_to(&self, place: &mut [u8]) {
        let (head, data) = place.split_at_mut(self.head.as_bytes().len());
        head.copy_from_slice(self.head.as_bytes());
        data.copy_from_slice(self.data());
    }
}

/// Makes `range` `length` bytes long, moving what follows, and returns where it now is.
pub(crate) fn resize(record: &mut Vec<u8>, range: Range<usize>, length: usize) -> Range<usize> {
    let old_length = record.len();
    let end = range.start + length;
    if end > range.end {
        let growth = end - range.end;
        record.reserve_exact(growth);
        record.resize(old_length + growth, 0);
        record.copy_within(range.end..old_length, end);
    } else {
        record.copy_within(range.end.., end);
        record.truncate(old_length - (range.end - end));
    }
    range.start..end
}
