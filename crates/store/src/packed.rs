//! How do the fields of a small hash lie in one record?
//!
//! Values one after another, in the order in which the fields came. Their names are a shape's, or
//! stand before them:
//!
//! ```text
//! shaped   deadlines │ value │ value │ …
//! pairs    count │ deadlines │ name │ value │ name │ value │ …
//!
//! deadlines, if a field has any:
//!          count │ gap │ moment │ gap │ moment │ …      gap: fields left out since the last
//!                   1      5
//! ```
//!
//! | cost of a field | bytes |
//! | --- | --- |
//! | shaped | its value, and 1 if that is a string |
//! | pairs | name and value, and 1 for each that is a string |
//! | deadline | 6 (until 2054, and with fewer than 128 fields left out) |
//!
//! Names are encoded like values, so a name that is an integer is kept as one. Finding a value walks
//! over those before it: about a nanosecond each.

use crate::class::{Form, Marks};
use crate::encoding::{push_value, read_field_moment, read_value, read_varint, value_bytes};
use crate::shape::{Shape, Shapes};
use crate::value::Value;

/// The fields of a hash that is one record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packed<'a> {
    shapes: &'a Shapes,
    shape: Option<Shape>,
    marks: Marks,
    fields: usize,
    body: &'a [u8],
    /// Where the deadlines begin, and how many there are.
    deadlines_at: usize,
    deadlines: usize,
    /// Where the first value (shaped) or name (pairs) begins.
    values_at: usize,
}

/// One field in a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) index: usize,
    /// Where its value begins.
    pub(crate) value_at: usize,
}

impl<'a> Packed<'a> {
    /// The fields in the body of a record of this form, if it is one of packed hashes.
    #[inline(always)]
    pub(crate) fn read(shapes: &'a Shapes, form: Form, body: &'a [u8]) -> Option<Self> {
        let (shape, marks, fields, deadlines_at) = match form {
            Form::Shaped(shape, marks) => (Some(shape), marks, shape.len(), 0),
            Form::Pairs(marks) => {
                let (fields, after) = read_varint(body, 0);
                (None, marks, usize::try_from(fields).unwrap_or(usize::MAX), after)
            }
            Form::String | Form::RawString | Form::Large => return None,
        };
        let mut packed =
            Self { shapes, shape, marks, fields, body, deadlines_at, deadlines: 0, values_at: 0 };
        packed.values_at = deadlines_at;
        if marks.deadlines {
            let (deadlines, after) = read_varint(body, deadlines_at);
            packed.deadlines = usize::try_from(deadlines).unwrap_or(usize::MAX);
            packed.deadlines_at = after;
            packed.values_at = after;
            let mut moments = packed.deadlines();
            moments.by_ref().for_each(drop);
            packed.values_at = moments.at;
        }
        Some(packed)
    }

    pub(crate) fn len(&self) -> usize {
        self.fields
    }

    pub(crate) fn marks(&self) -> Marks {
        self.marks
    }

    pub(crate) fn shape(&self) -> Option<Shape> {
        self.shape
    }

    pub(crate) fn shapes(&self) -> &'a Shapes {
        self.shapes
    }

    pub(crate) fn body(&self) -> &'a [u8] {
        self.body
    }

    /// Where the values begin, and the names of pairs.
    pub(crate) fn values_at(&self) -> usize {
        self.values_at
    }

    /// The bytes of the body.
    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        let values = if self.shape.is_some() { self.fields } else { self.fields * 2 };
        skip_values(self.body, self.values_at, values)
    }

    /// Where a field lies.
    #[inline]
    pub(crate) fn find(&self, field: &[u8]) -> Option<Place> {
        match self.shape {
            Some(shape) => {
                let index = self.shapes.index(shape, field)?;
                let value_at = skip_values(self.body, self.values_at, index);
                Some(Place { index, value_at })
            }
            None => {
                let mut name = Vec::with_capacity(field.len() + 5);
                push_value(&mut name, Value::parse(field));
                let mut at = self.values_at;
                for index in 0..self.fields {
                    let value_at = at + value_bytes(self.body, at);
                    // Names are all encoded in one way, whose first byte says how long it is.
                    if self.body[at..].starts_with(&name) {
                        return Some(Place { index, value_at });
                    }
                    at = value_at + value_bytes(self.body, value_at);
                }
                None
            }
        }
    }

    #[inline]
    pub(crate) fn value(&self, place: Place) -> Value<'a> {
        read_value(self.body, place.value_at)
    }

    /// Every field in order: name, and where it lies.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Value<'a>, Place)> + use<'a> {
        let packed = *self;
        let mut at = packed.values_at;
        (0..packed.fields).map(move |index| {
            let name = match packed.shape {
                Some(shape) => Value::Bytes(packed.shapes.name(shape, index)),
                None => {
                    let name = read_value(packed.body, at);
                    at += value_bytes(packed.body, at);
                    name
                }
            };
            let place = Place { index, value_at: at };
            at += value_bytes(packed.body, at);
            (name, place)
        })
    }

    /// Every deadline, with the index of its field, in order of the fields.
    pub(crate) fn deadlines(&self) -> Moments<'a> {
        Moments { body: self.body, at: self.deadlines_at, left: self.deadlines, index: 0 }
    }

    /// The last millisecond at which a field is alive.
    pub(crate) fn deadline_ms(&self, index: usize) -> Option<u64> {
        let found = self.deadlines().find(|&(at, _)| at >= index);
        found.filter(|&(at, _)| at == index).map(|(_, deadline_ms)| deadline_ms)
    }

    /// The earliest deadline.
    pub(crate) fn first_deadline_ms(&self) -> Option<u64> {
        self.deadlines().map(|(_, deadline_ms)| deadline_ms).min()
    }

    /// The bytes of all names and of the texts of all values.
    pub(crate) fn payload_bytes(&self) -> usize {
        self.iter().map(|(name, place)| name.len() + self.value(place).len()).sum()
    }
}

/// Deadlines of fields.
#[derive(Clone, Debug)]
pub(crate) struct Moments<'a> {
    body: &'a [u8],
    at: usize,
    left: usize,
    index: usize,
}

impl Iterator for Moments<'_> {
    type Item = (usize, u64);

    fn next(&mut self) -> Option<(usize, u64)> {
        self.left = self.left.checked_sub(1)?;
        let (gap, after) = read_varint(self.body, self.at);
        let (moment_ms, end) = read_field_moment(self.body, after);
        let index = self.index + usize::try_from(gap).unwrap_or(usize::MAX);
        (self.at, self.index) = (end, index + 1);
        Some((index, moment_ms))
    }
}

/// Where so many values end that begin at `at`.
#[inline]
pub(crate) fn skip_values(bytes: &[u8], mut at: usize, count: usize) -> usize {
    for _ in 0..count {
        at += value_bytes(bytes, at);
    }
    at
}
