//! How is a packed hash changed?
//!
//! It is taken out of its record, changed field by field, and written again: a record is at most a
//! few KiB, and most changes move all behind them anyway. (What can be done in place is done there:
//! see `HashEdit`.)

use crate::class::{Classes, Encoding, Form, Marks};
use crate::encoding::{
    encoded_bytes, push_field_moment, push_value, push_varint, read_value, text_bytes, value_bytes,
};
use crate::heap::BUFFER_BYTES_MAX;
use crate::mapping::OutOfMemory;
use crate::packed::{Packed, skip_values};
use crate::record;
use crate::shape::{Shape, Shapes};
use crate::value::Value;

/// A hash that gets a name more and has no more names than this is looked up as a whole.
const NAMES_TRIED_MAX: usize = if cfg!(feature = "tiny") { 4 } else { 64 };

/// The fields of a hash, to be changed.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    /// The names of the first fields.
    shape: Option<Shape>,
    /// The names of the others, one after another, and where each ends.
    names: Vec<u8>,
    ends: Vec<usize>,
    /// The values of all, encoded.
    values: Vec<u8>,
    /// Deadlines by the index of their field, in order.
    deadlines: Vec<(usize, u64)>,
    encoding: Encoding,
    /// Names were only added to those of a shape, or to none.
    only_added: bool,
    /// The field that was looked at last, and where its value begins.
    cursor: (usize, usize),
    /// How many bytes its names and values have more or less than before.
    pub(crate) payload_change: isize,
}

impl Draft {
    /// Forgets everything, and keeps the buffers.
    pub(crate) fn clear(&mut self) {
        self.shape = None;
        self.names.clear();
        self.ends.clear();
        self.values.clear();
        self.deadlines.clear();
        self.encoding = Encoding::Listpack;
        self.only_added = true;
        self.cursor = (0, 0);
        self.payload_change = 0;
    }

    /// Takes the fields out of a record.
    pub(crate) fn fill(&mut self, packed: &Packed<'_>) {
        self.clear();
        self.encoding = packed.marks().encoding;
        self.deadlines.extend(packed.deadlines());
        self.shape = packed.shape();
        if self.shape.is_some() {
            let values = packed.values_at()..packed.bytes();
            self.values.extend_from_slice(&packed.body()[values]);
            return;
        }
        self.only_added = false;
        for (name, place) in packed.iter() {
            name.with_text(|text| self.names.extend_from_slice(text));
            self.ends.push(self.names.len());
            let end = place.value_at + value_bytes(packed.body(), place.value_at);
            self.values.extend_from_slice(&packed.body()[place.value_at..end]);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.shape.map_or(0, Shape::len) + self.ends.len()
    }

    pub(crate) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Lets it answer no less than this to `OBJECT ENCODING`.
    pub(crate) fn raise_encoding(&mut self, encoding: Encoding) {
        self.encoding = self.encoding.max(encoding);
    }

    /// The bytes of its values and of the names that it has to itself.
    pub(crate) fn bytes(&self) -> usize {
        self.values.len() + self.names.len()
    }

    /// What it may take in a record, with or without a shape.
    pub(crate) fn record_bytes_max(&self, shapes: &Shapes) -> usize {
        const NAME_HEAD_BYTES_MAX: usize = 5;
        const DEADLINE_BYTES_MAX: usize = 24;
        let shaped = self.shape.map_or(0, |shape| shapes.names_bytes(shape));
        shaped
            + self.bytes()
            + self.len() * NAME_HEAD_BYTES_MAX
            + self.deadlines.len() * DEADLINE_BYTES_MAX
    }

    /// Makes sure that so many fields can be set whose names and values take so many bytes.
    pub(crate) fn reserve(
        &mut self,
        fields: usize,
        names_bytes: usize,
        values_bytes: usize,
    ) -> Result<(), OutOfMemory> {
        const VALUE_HEAD_BYTES_MAX: usize = 9;
        let values_bytes = values_bytes + fields * VALUE_HEAD_BYTES_MAX;
        self.names.try_reserve(names_bytes).map_err(|_| OutOfMemory)?;
        self.values.try_reserve(values_bytes).map_err(|_| OutOfMemory)?;
        self.ends.try_reserve(fields).map_err(|_| OutOfMemory)
    }

    /// Gives buffers back that have become long.
    pub(crate) fn trim(&mut self) {
        if self.names.capacity() + self.values.capacity() > BUFFER_BYTES_MAX {
            *self = Self::default();
        }
    }

    /// The earliest deadline of a field.
    pub(crate) fn first_deadline_ms(&self) -> Option<u64> {
        self.deadlines.iter().map(|&(_, deadline_ms)| deadline_ms).min()
    }

    fn name<'a>(&'a self, shapes: &'a Shapes, index: usize) -> &'a [u8] {
        match (self.shape, index.checked_sub(self.shape.map_or(0, Shape::len))) {
            (Some(shape), None) => shapes.name(shape, index),
            (_, own) => {
                let own = own.unwrap_or(0);
                let start = own.checked_sub(1).map_or(0, |before| self.ends[before]);
                &self.names[start..self.ends[own]]
            }
        }
    }

    /// The index of a field.
    pub(crate) fn find(&self, shapes: &Shapes, field: &[u8]) -> Option<usize> {
        let next = self.cursor.0 + 1;
        if next < self.len() && self.name(shapes, next) == field {
            return Some(next);
        }
        let in_shape = self.shape.and_then(|shape| shapes.index(shape, field));
        in_shape.or_else(|| {
            let shaped = self.shape.map_or(0, Shape::len);
            (shaped..self.len()).find(|&index| self.name(shapes, index) == field)
        })
    }

    /// Where the value of a field begins.
    fn value_at(&mut self, index: usize) -> usize {
        let (from, at) = if self.cursor.0 <= index { self.cursor } else { (0, 0) };
        let at = skip_values(&self.values, at, index - from);
        self.cursor = (index, at);
        at
    }

    /// Every field: name, value, deadline.
    pub(crate) fn for_each(
        &self,
        shapes: &Shapes,
        mut visit: impl FnMut(&[u8], Value<'_>, Option<u64>),
    ) {
        let mut at = 0;
        let mut deadlines = self.deadlines.iter().peekable();
        for index in 0..self.len() {
            let deadline = deadlines.next_if(|&&(of, _)| of == index);
            let value = read_value(&self.values, at);
            visit(self.name(shapes, index), value, deadline.map(|&(_, deadline_ms)| deadline_ms));
            at += value_bytes(&self.values, at);
        }
    }

    /// Sets a field, whose deadline stays; returns its index, and whether it is new.
    pub(crate) fn set(&mut self, shapes: &Shapes, field: &[u8], value: Value<'_>) -> (usize, bool) {
        // A hash like others mostly gets the field that comes next there.
        let expected = if self.ends.is_empty() { shapes.next(self.shape, field) } else { None };
        if let Some(shape) = expected {
            self.shape = Some(shape);
            return (self.append(field, value), true);
        }
        if let Some(index) = self.find(shapes, field) {
            self.overwrite(index, value);
            return (index, false);
        }
        let step = if self.ends.is_empty() { shapes.step(self.shape, field) } else { None };
        match step {
            Some(shape) => self.shape = Some(shape),
            None => {
                self.names.extend_from_slice(field);
                self.ends.push(self.names.len());
            }
        }
        (self.append(field, value), true)
    }

    fn append(&mut self, field: &[u8], value: Value<'_>) -> usize {
        push_value(&mut self.values, value);
        self.payload_change += (field.len() + value.len()).cast_signed();
        self.len() - 1
    }

    fn overwrite(&mut self, index: usize, value: Value<'_>) {
        let at = self.value_at(index);
        let old_bytes = value_bytes(&self.values, at);
        let old_text = text_bytes(&self.values, at);
        self.payload_change += value.len().cast_signed() - old_text.cast_signed();
        let new_bytes = encoded_bytes(value);
        let behind = at + old_bytes..self.values.len();
        // The new value is written at the end, where there is room, and then brought to its place.
        push_value(&mut self.values, value);
        if old_bytes == new_bytes {
            self.values.copy_within(behind.end.., at);
            self.values.truncate(behind.end);
        } else {
            self.values[at..].rotate_right(new_bytes);
            let rest = at + new_bytes;
            self.values.copy_within(rest + old_bytes.., rest);
            self.values.truncate(rest + behind.len());
        }
    }

    /// Takes a field out.
    pub(crate) fn remove(&mut self, shapes: &Shapes, index: usize) {
        if let Some(shape) = self.shape.take() {
            let own_names = std::mem::take(&mut self.names);
            let own_ends = std::mem::take(&mut self.ends);
            for index in 0..shape.len() {
                self.names.extend_from_slice(shapes.name(shape, index));
                self.ends.push(self.names.len());
            }
            let shaped_bytes = self.names.len();
            self.names.extend(own_names);
            self.ends.extend(own_ends.into_iter().map(|end| end + shaped_bytes));
        }
        self.only_added = false;
        let at = self.value_at(index);
        let bytes = value_bytes(&self.values, at);
        let name_start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        let name = name_start..self.ends[index];
        let text_bytes = name.len() + text_bytes(&self.values, at);
        self.payload_change -= text_bytes.cast_signed();
        self.values.drain(at..at + bytes);
        for end in &mut self.ends[index..] {
            *end -= name.len();
        }
        self.ends.remove(index);
        self.names.drain(name);
        self.deadlines.retain_mut(|(of, _)| {
            let stays = *of != index;
            *of -= usize::from(*of > index);
            stays
        });
        self.cursor = (0, 0);
    }

    /// Takes out up to `budget` fields whose deadline has passed; returns how many they were.
    pub(crate) fn remove_past(&mut self, shapes: &Shapes, budget: usize, now_ms: u64) -> usize {
        let mut removed = 0;
        while removed < budget
            && let Some(&(index, _)) = self.deadlines.iter().find(|&&(_, ms)| ms < now_ms)
        {
            self.remove(shapes, index);
            removed += 1;
        }
        removed
    }

    /// Gives a field another deadline, or none.
    pub(crate) fn set_deadline_ms(&mut self, index: usize, deadline_ms: Option<u64>) {
        let place = self.deadlines.binary_search_by_key(&index, |&(of, _)| of);
        match (place, deadline_ms) {
            (Ok(place), Some(deadline_ms)) => self.deadlines[place].1 = deadline_ms,
            (Ok(place), None) => {
                self.deadlines.remove(place);
            }
            (Err(place), Some(deadline_ms)) => {
                self.deadlines.insert(place, (index, deadline_ms));
                self.raise_encoding(Encoding::ListpackEx);
            }
            (Err(_), None) => {}
        }
    }

    /// Writes the record of a hash with these fields, whatever was in `record`.
    pub(crate) fn write(
        &mut self,
        classes: &mut Classes,
        key: &[u8],
        deadline_ms: Option<u64>,
        record: &mut Vec<u8>,
    ) {
        let shape = self.find_shape(&mut classes.shapes);
        let marks = Marks { deadlines: !self.deadlines.is_empty(), encoding: self.encoding };
        let form = shape.map_or(Form::Pairs(marks), |shape| Form::Shaped(shape, marks));
        let class = record::begin(classes, form, key, deadline_ms, record);
        let is_shaped = matches!(class.form, Form::Shaped(..));
        if !is_shaped {
            push_varint(record, self.len() as u64);
        }
        if marks.deadlines {
            push_varint(record, self.deadlines.len() as u64);
            let mut next = 0;
            for &(index, moment_ms) in &self.deadlines {
                push_varint(record, (index - next) as u64);
                push_field_moment(record, moment_ms);
                next = index + 1;
            }
        }
        if is_shaped {
            record.extend_from_slice(&self.values);
            return;
        }
        let mut at = 0;
        for index in 0..self.len() {
            push_value(record, Value::parse(self.name(&classes.shapes, index)));
            let end = at + value_bytes(&self.values, at);
            record.extend_from_slice(&self.values[at..end]);
            at = end;
        }
    }

    /// The shape of all its names, if there is one or one is to be made.
    fn find_shape(&self, shapes: &mut Shapes) -> Option<Shape> {
        if self.ends.is_empty() {
            return self.shape;
        }
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let names = starts.zip(&self.ends).map(|(start, &end)| &self.names[start..end]);
        if self.only_added || self.len() <= NAMES_TRIED_MAX {
            shapes.extend(self.shape, names)
        } else {
            shapes.find(self.shape, names)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::ClassId;
    use crate::record::Record;
    use ahash::RandomState;
    use proptest::collection::vec;
    use proptest::prelude::*;

    type Field = (Vec<u8>, Vec<u8>, Option<u64>);

    fn text_of(random: u32) -> Vec<u8> {
        match random % 5 {
            0 => (random / 5).to_string().into(),
            1 => format!("-{}", random >> 20).into(),
            _ => vec![b'x'; (random >> 8) as usize % if random % 40 == 7 { 400 } else { 30 }],
        }
    }

    fn name_of(random: u32) -> Vec<u8> {
        match random % 3 {
            0 => (random / 3 % 9).to_string().into(),
            1 => format!("a longer name {}", random / 3 % 5).into(),
            _ => format!("n{}", random / 3 % 12).into(),
        }
    }

    fn payload(fields: &[Field]) -> isize {
        let bytes: usize = fields.iter().map(|(name, value, _)| name.len() + value.len()).sum();
        bytes.cast_signed()
    }

    proptest! {
        #[test]
        fn a_draft_holds_what_a_list_holds(
            steps in vec((0_u8..12, any::<u32>(), any::<u32>()), 1..200),
        ) {
            let mut classes = Classes::new(&RandomState::with_seed(1));
            let (mut draft, mut record) = (Draft::default(), Vec::new());
            draft.clear();
            let mut list: Vec<Field> = Vec::new();
            let (mut before, mut held) = (0, None);
            for (step, one, other) in steps {
                let (name, text) = (name_of(one), text_of(other));
                let place = list.iter().position(|(other, ..)| *other == name);
                match step {
                    0..5 => {
                        let (index, is_new) =
                            draft.set(&classes.shapes, &name, Value::parse(&text));
                        prop_assert_eq!(is_new, place.is_none());
                        match place {
                            Some(place) => list[place].1 = text,
                            None => list.push((name, text, None)),
                        }
                        prop_assert_eq!(index, place.unwrap_or(list.len() - 1));
                    }
                    5..7 => {
                        prop_assert_eq!(draft.find(&classes.shapes, &name), place);
                        if let Some(place) = place {
                            draft.remove(&classes.shapes, place);
                            list.remove(place);
                        }
                    }
                    7..9 => if let Some(place) = place {
                        let deadline_ms = (other % 3 > 0).then_some(u64::from(other) << (one % 20));
                        draft.set_deadline_ms(place, deadline_ms);
                        list[place].2 = deadline_ms;
                    },
                    9 => {
                        let now_ms = u64::from(other) << (one % 16);
                        let past = |field: &Field| field.2.is_some_and(|at| at < now_ms);
                        let count = list.iter().filter(|field| past(field)).count();
                        let removed = draft.remove_past(&classes.shapes, usize::MAX, now_ms);
                        prop_assert_eq!(removed, count);
                        list.retain(|field| !past(field));
                    }
                    _ => {
                        // Into a record and out of it again, which may give it a shape.
                        prop_assert_eq!(draft.payload_change, payload(&list) - before);
                        draft.write(&mut classes, b"key:12", (one % 2 > 0).then_some(5), &mut record);
                        let length = record.len();
                        record.extend([0xee; 20]);
                        let read = Record::read(&classes, &record);
                        prop_assert_eq!(read.len(), length);
                        let packed = read.packed().expect("it is a hash");
                        prop_assert_eq!(packed.payload_bytes().cast_signed(), payload(&list));
                        for (name, value, deadline_ms) in &list {
                            let place = packed.find(name).expect("it was set");
                            prop_assert_eq!(packed.value(place), Value::parse(value));
                            prop_assert_eq!(packed.deadline_ms(place.index), *deadline_ms);
                        }
                        draft.fill(&packed);
                        // As a table does, so that the shape stays as long as the draft has it.
                        let id = ClassId::read(&record).0;
                        classes.retain(id);
                        if let Some(old) = held.replace(id) {
                            classes.release(old);
                        }
                        before = payload(&list);
                        prop_assert_eq!(draft.payload_change, 0);
                        classes.sweep();
                    }
                }
                prop_assert_eq!(draft.len(), list.len());
                let mut shown = Vec::new();
                draft.for_each(&classes.shapes, |name, value, deadline_ms| {
                    shown.push((name.to_vec(), value.with_text(<[u8]>::to_vec), deadline_ms));
                });
                prop_assert_eq!(&shown, &list);
                let first = list.iter().filter_map(|(.., at)| *at).min();
                prop_assert_eq!(draft.first_deadline_ms(), first);
            }
        }
    }
}
