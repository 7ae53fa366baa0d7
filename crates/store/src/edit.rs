//! How is a hash changed?
//!
//! A [`HashEdit`] keeps the books of its keyspace and chooses the form of the hash: packed as long as
//! Redis would have a listpack (so that fields keep their order as there), beyond that while it stays
//! within the store's own limits, else a table; and packed again when it has shrunk to half of these.

use crate::class::{Class, Encoding, Form};
use crate::config::Config;
use crate::encoding::{push_value, text_bytes, value_bytes};
use crate::error::CommandError;
use crate::heap::Heap;
use crate::keyspace::{Counts, Keyspace};
use crate::mapping::OutOfMemory;
use crate::object::{HashRef, ObjectRef};
use crate::record::{self, Record};
use crate::table::{Found, Key, Position, Table};
use crate::text::is_equal;
use crate::value::Value;
use smallvec::SmallVec;

/// What becomes of a field's deadline when the field is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldDeadline {
    /// It has none any more.
    Clear,
    /// It keeps what it has.
    Keep,
    /// This is the last millisecond at which it is alive.
    At(u64),
}

/// A hash to change.
#[derive(Debug)]
pub(crate) struct HashEdit<'a> {
    keyspace: &'a mut Keyspace,
    key: Key<'a>,
    /// `None` as long as there is no such key: it is there with its first field.
    position: Option<Position>,
    /// Its record as it was found, as long as nothing was written.
    found: Option<Found>,
    config: &'a Config,
    now_ms: u64,
}

impl<'a> HashEdit<'a> {
    /// Changes the hash of this key, whose record was found, or is made.
    #[inline]
    pub(crate) fn new(
        keyspace: &'a mut Keyspace,
        key: Key<'a>,
        found: Option<Found>,
        config: &'a Config,
        now_ms: u64,
    ) -> Self {
        let position = found.map(|found| found.position);
        Self { keyspace, key, position, found, config, now_ms }
    }

    fn read(&self) -> Option<HashRef<'_>> {
        match self.keyspace.object(self.record()?, self.now_ms) {
            ObjectRef::Hash(hash) => Some(hash),
            ObjectRef::String(_) => None,
        }
    }

    pub(crate) fn get(&self, field: &[u8]) -> Option<Value<'_>> {
        self.read()?.get(field)
    }

    /// The deadline of a field: `None` if there is no such field, `Some(None)` if it has none.
    pub(crate) fn deadline_ms(&self, field: &[u8]) -> Option<Option<u64>> {
        self.read()?.deadline_ms(field)
    }

    /// How many fields are alive.
    pub(crate) fn len(&self) -> usize {
        self.read().map_or(0, |hash| hash.len())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is no such key yet.
    pub(crate) fn is_new(&self) -> bool {
        self.position.is_none()
    }

    /// Lets it answer `listpackex` to `OBJECT ENCODING`, if it answers `listpack`.
    pub(crate) fn mark_listpackex(&mut self) -> Result<(), CommandError> {
        self.raise_encoding(Encoding::ListpackEx)
    }

    fn raise_encoding(&mut self, encoding: Encoding) -> Result<(), CommandError> {
        let Some(position) = self.position else { return Ok(()) };
        let is_lower = match self.class().map(|class| class.form) {
            Some(Form::Shaped(_, marks) | Form::Pairs(marks)) => marks.encoding < encoding,
            _ => false,
        };
        if is_lower {
            self.keyspace.fill_draft(position);
            self.keyspace.draft.raise_encoding(encoding);
            self.end_draft(0)?;
        }
        Ok(())
    }

    /// Sets one field; says whether it is new.
    pub(crate) fn set(
        &mut self,
        field: &[u8],
        value: Value<'_>,
        deadline: FieldDeadline,
    ) -> Result<bool, CommandError> {
        if self.set_in_place(field, value, deadline) {
            return Ok(false);
        }
        Ok(self.set_some(&[(field, value)], 1, deadline)? == 1)
    }

    /// Sets fields in turn; returns how many are new.
    pub(crate) fn set_all<'p>(
        &mut self,
        pairs: impl ExactSizeIterator<Item = (&'p [u8], Value<'p>)>,
        deadline: FieldDeadline,
    ) -> Result<usize, CommandError> {
        // Once, since to see whether a text is an integer takes time.
        let mut all = SmallVec::<[(&[u8], Value<'_>); 8]>::new();
        all.try_reserve(pairs.len()).map_err(|_| CommandError::OutOfMemory)?;
        all.extend(pairs);
        let pairs = all;
        if let [(field, value)] = pairs[..] {
            return Ok(usize::from(self.set(field, value, deadline)?));
        }
        // Never more of them in a draft than a packed hash can have, where each is looked for among
        // all: what is more goes into a table.
        let step = self.config.packed_fields_max.max(self.config.hash_max_listpack_entries).max(1);
        let mut added = 0;
        for some in pairs.chunks(step) {
            added += self.set_some(some, pairs.len(), deadline)?;
        }
        Ok(added)
    }

    /// Sets some of so many fields.
    fn set_some(
        &mut self,
        pairs: &[(&[u8], Value<'_>)],
        pairs_count: usize,
        deadline: FieldDeadline,
    ) -> Result<usize, CommandError> {
        if let Some(number) = self.large() {
            return self.set_in_table(number, pairs, deadline);
        }
        let value_bytes_max = self.config.hash_max_listpack_value;
        let is_long = |(field, value): (&[u8], Value<'_>)| {
            field.len() > value_bytes_max || value.is_longer_than(value_bytes_max)
        };
        let becomes_hashtable = pairs_count > self.config.hash_max_listpack_entries
            || pairs.iter().copied().any(is_long);
        if pairs.len() > 1 && self.rewrite(pairs, deadline, becomes_hashtable)? {
            return Ok(0);
        }
        self.begin_draft();
        let Keyspace { draft, heap, .. } = &mut *self.keyspace;
        if becomes_hashtable {
            draft.raise_encoding(Encoding::Hashtable);
        }
        let shapes = &heap.classes.shapes;
        let before = draft.len();
        let names_bytes = pairs.iter().map(|(field, _)| field.len()).sum();
        let values_bytes = pairs.iter().map(|(_, value)| value.len()).sum();
        draft.reserve(pairs.len(), names_bytes, values_bytes)?;
        for &(field, value) in pairs {
            let (index, is_new) = draft.set(shapes, field, value);
            match deadline {
                FieldDeadline::Keep => {}
                FieldDeadline::Clear if is_new => {}
                FieldDeadline::Clear => draft.set_deadline_ms(index, None),
                FieldDeadline::At(deadline_ms) => draft.set_deadline_ms(index, Some(deadline_ms)),
            }
        }
        if draft.len() > self.config.hash_max_listpack_entries {
            draft.raise_encoding(Encoding::Hashtable);
        }
        let added = draft.len() - before;
        self.end_draft(added.cast_signed())?;
        Ok(added)
    }

    /// Takes a field out; says whether it was there. The hash may be left empty.
    pub(crate) fn remove(&mut self, field: &[u8]) -> Result<bool, CommandError> {
        let Some(position) = self.position else { return Ok(false) };
        if self.read().is_none_or(|hash| hash.get(field).is_none()) {
            return Ok(false);
        }
        if let Some(number) = self.large() {
            self.keyspace.with_large(number, |heap, counts, table| {
                remove_from_table(heap, counts, table, field);
            });
            // The field is gone. If there is no memory for the other form, this one stays.
            let _ = self.pack_if_small(number);
            return Ok(true);
        }
        self.keyspace.fill_draft(position);
        let Keyspace { draft, heap, .. } = &mut *self.keyspace;
        let shapes = &heap.classes.shapes;
        let Some(index) = draft.find(shapes, field) else { return Ok(false) };
        draft.remove(shapes, index);
        self.end_draft(-1)?;
        Ok(true)
    }

    /// Gives a field another deadline, or none; says whether there is such a field.
    pub(crate) fn set_deadline_ms(
        &mut self,
        field: &[u8],
        deadline_ms: Option<u64>,
    ) -> Result<bool, CommandError> {
        let Some(position) = self.position else { return Ok(false) };
        let Some(old_ms) = self.deadline_ms(field) else { return Ok(false) };
        if old_ms == deadline_ms {
            return Ok(true);
        }
        if let Some(number) = self.large() {
            self.keyspace.with_large(number, |heap, _, table| -> Result<(), OutOfMemory> {
                let key = Key::new(field, heap.hasher.hash(field));
                let position = table.locate(heap, key).ok_or(OutOfMemory)?;
                // The value is copied, since writing may move it.
                let value = table.record(heap, position).value();
                let text = copy_of(value)?;
                let value = Value::parse(&text);
                let bytes_max = record::HEAD_BYTES_MAX + field.len() + text.len();
                let mut record = heap.take_record(bytes_max)?;
                record::write_string(&mut heap.classes, field, value, deadline_ms, &mut record);
                let replaced = table.replace(heap, key, position, &record);
                heap.give_record(record);
                replaced?;
                note(heap, table, key, deadline_ms);
                Ok(())
            })?;
            self.note_deadline(deadline_ms);
            return Ok(true);
        }
        self.keyspace.fill_draft(position);
        let Keyspace { draft, heap, .. } = &mut *self.keyspace;
        let Some(index) = draft.find(&heap.classes.shapes, field) else { return Ok(false) };
        draft.set_deadline_ms(index, deadline_ms);
        self.end_draft(0)?;
        Ok(true)
    }

    fn note_deadline(&mut self, deadline_ms: Option<u64>) {
        if let Some(deadline_ms) = deadline_ms {
            self.keyspace.note_deadline(self.key, deadline_ms);
        }
    }

    /// Its record.
    #[inline]
    fn record(&self) -> Option<Record<'_>> {
        match self.found {
            Some(found) => Some(self.keyspace.found(found)),
            None => Some(self.keyspace.record(self.position?)),
        }
    }

    /// The number of its table, if the hash is a large one.
    fn large(&self) -> Option<u32> {
        let position = self.position?;
        let is_large = self.class()?.form == Form::Large;
        is_large.then(|| self.keyspace.record(position).table())
    }

    /// The class of its record.
    fn class(&self) -> Option<Class> {
        let found = self.found.map(|found| found.class());
        found.or_else(|| Some(self.keyspace.class(self.position?)))
    }

    /// Its record was written anew, and lies there.
    fn is_at(&mut self, position: Position) {
        self.position = Some(position);
        self.found = None;
    }

    /// Overwrites the value of a field where it lies, if that is all there is to do; says whether it
    /// was.
    fn set_in_place(&mut self, field: &[u8], value: Value<'_>, deadline: FieldDeadline) -> bool {
        let again = || Some(self.keyspace.found_at(self.position?));
        let Some(found) = self.found.or_else(again) else { return false };
        let record = self.keyspace.found(found);
        let Some(packed) = record.packed() else { return false };
        let marks = packed.marks();
        let is_plain = match deadline {
            FieldDeadline::Keep => true,
            FieldDeadline::Clear => !marks.deadlines,
            FieldDeadline::At(_) => false,
        };
        // The limits may have been lowered since the field was set.
        let value_bytes_max = self.config.hash_max_listpack_value;
        let becomes_hashtable = marks.encoding != Encoding::Hashtable
            && (field.len() > value_bytes_max
                || value.is_longer_than(value_bytes_max)
                || packed.len() > self.config.hash_max_listpack_entries);
        if !is_plain || becomes_hashtable {
            return false;
        }
        let Some(place) = packed.find(field) else { return false };
        let body = packed.body();
        let old_bytes = value_bytes(body, place.value_at);
        let old_text_bytes = text_bytes(body, place.value_at);
        if value.is_longer_than(IN_PLACE_BYTES_MAX) {
            return false;
        }
        let at = record.body_at() + place.value_at;
        let mut encoded = std::mem::take(&mut self.keyspace.heap.values);
        encoded.clear();
        push_value(&mut encoded, value);
        let range = at..at + old_bytes;
        let is_done = if encoded.len() == old_bytes {
            self.keyspace.bytes_mut(found)[range].copy_from_slice(&encoded);
            true
        } else {
            self.found = None;
            self.keyspace.splice(found, range, &encoded)
        };
        self.keyspace.heap.values = encoded;
        if is_done {
            let payload_bytes = &mut self.keyspace.counts.payload_bytes;
            *payload_bytes = *payload_bytes + value.len() - old_text_bytes;
        }
        is_done
    }

    /// Writes the record with other values for the pairs, if the hash has all of them in this order,
    /// and nothing but values changes; says whether it is so. (Objects are mostly written whole, as
    /// they were the first time.)
    fn rewrite(
        &mut self,
        pairs: &[(&[u8], Value<'_>)],
        deadline: FieldDeadline,
        becomes_hashtable: bool,
    ) -> Result<bool, OutOfMemory> {
        let keeps_class = |class: Class| match class.form {
            Form::Shaped(shape, marks) => {
                let becomes_hashtable =
                    becomes_hashtable || shape.len() > self.config.hash_max_listpack_entries;
                !marks.deadlines && (!becomes_hashtable || marks.encoding == Encoding::Hashtable)
            }
            _ => false,
        };
        if matches!(deadline, FieldDeadline::At(_)) || !self.class().is_some_and(keeps_class) {
            return Ok(false);
        }
        let Some(position) = self.position else { return Ok(false) };
        let mut written = std::mem::take(&mut self.keyspace.heap.record);
        let Some(record) = self.record() else { return Ok(false) };
        let rewritten = rewrite(record, pairs, &mut written);
        let put = match rewritten {
            Some((old_bytes, _)) => {
                self.keyspace.overwrite(self.key, position, old_bytes, &written).map(Some)
            }
            None => Ok(None),
        };
        self.keyspace.heap.record = written;
        if let Some(position) = put? {
            self.is_at(position);
        }
        if let Some((_, change)) = rewritten {
            let payload_bytes = &mut self.keyspace.counts.payload_bytes;
            *payload_bytes = payload_bytes.wrapping_add_signed(change);
        }
        Ok(rewritten.is_some())
    }

    fn begin_draft(&mut self) {
        match self.position {
            Some(position) => self.keyspace.fill_draft(position),
            None => self.keyspace.draft.clear(),
        }
    }

    /// Writes what is in the draft, which has so many fields more or less, as what it should be.
    fn end_draft(&mut self, fields: isize) -> Result<(), OutOfMemory> {
        let draft = &self.keyspace.draft;
        let is_large = draft.encoding() == Encoding::Hashtable
            && (draft.bytes() > self.config.packed_bytes_max
                || draft.len() > self.config.packed_fields_max);
        if is_large {
            return self.unpack(fields);
        }
        let position = self.keyspace.put_draft(self.key, self.position)?;
        self.is_at(position);
        let counts = &mut self.keyspace.counts;
        counts.fields = counts.fields.wrapping_add_signed(fields);
        Ok(())
    }

    /// Makes a table of what is in the draft.
    fn unpack(&mut self, fields: isize) -> Result<(), OutOfMemory> {
        let draft = std::mem::take(&mut self.keyspace.draft);
        let filled = self.keyspace.add_large().and_then(|number| {
            let filled =
                self.keyspace.with_large(number, |heap, _, table| fill(heap, table, &draft));
            let key_bytes = if self.position.is_none() { self.key.bytes.len() } else { 0 };
            let put =
                filled.and_then(|()| self.keyspace.put_large(self.key, self.position, number));
            match put {
                Ok(position) => self.is_at(position),
                Err(OutOfMemory) => {
                    self.keyspace.doom(number);
                    return Err(OutOfMemory);
                }
            }
            let counts = &mut self.keyspace.counts;
            counts.fields = counts.fields.wrapping_add_signed(fields);
            counts.payload_bytes =
                (counts.payload_bytes + key_bytes).wrapping_add_signed(draft.payload_change);
            Ok(())
        });
        let first_deadline_ms = draft.first_deadline_ms();
        self.keyspace.draft = draft;
        self.keyspace.draft.trim();
        filled?;
        self.note_deadline(first_deadline_ms);
        Ok(())
    }

    /// Makes one record of a table that has become small.
    fn pack_if_small(&mut self, number: u32) -> Result<(), OutOfMemory> {
        let table = self.keyspace.large_table(number);
        if table.len() * 2 > self.config.packed_fields_max
            || table.payload_bytes * 2 > self.config.packed_bytes_max
            || table.len() == 0
        {
            return Ok(());
        }
        let mut draft = std::mem::take(&mut self.keyspace.draft);
        draft.clear();
        draft.raise_encoding(Encoding::Hashtable);
        let (heap, table) = (&self.keyspace.heap, self.keyspace.large_table(number));
        let mut name = Vec::new();
        table.for_each(heap, |record| {
            name.clear();
            record.write_key(&mut name);
            let (index, _) = draft.set(&heap.classes.shapes, &name, record.value());
            draft.set_deadline_ms(index, record.deadline_ms());
        });
        draft.payload_change = 0;
        self.keyspace.draft = draft;
        let position = self.keyspace.put_draft(self.key, self.position)?;
        self.is_at(position);
        self.keyspace.doom(number);
        Ok(())
    }

    fn set_in_table(
        &mut self,
        number: u32,
        pairs: &[(&[u8], Value<'_>)],
        deadline: FieldDeadline,
    ) -> Result<usize, CommandError> {
        let mut added = 0;
        let now_ms = self.now_ms;
        let (outcome, first_deadline_ms) =
            self.keyspace.with_large(number, |heap, counts, table| {
                let outcome = pairs.iter().try_for_each(|&(field, value)| {
                    let field = Field { name: field, value, deadline, now_ms };
                    added += usize::from(set_in_table(heap, counts, table, field)?);
                    Ok::<(), OutOfMemory>(())
                });
                (outcome, table.first_deadline_ms())
            });
        // Some fields may have been set though one could not.
        self.note_deadline(first_deadline_ms);
        outcome?;
        Ok(added)
    }
}

/// Writes a shaped record with other values for `pairs`, if it has all of them in this order. Returns
/// how many bytes the old record has, and how many more or less the texts of its values have now.
fn rewrite(
    record: Record<'_>,
    pairs: &[(&[u8], Value<'_>)],
    written: &mut Vec<u8>,
) -> Option<(usize, isize)> {
    let packed = record.packed()?;
    let shape = packed.shape()?;
    let body = record.body();
    let (mut at, mut change, mut pairs) = (packed.values_at(), 0, pairs.iter());
    let mut next = pairs.next();
    written.clear();
    written.extend_from_slice(record.head());
    written.extend_from_slice(&body[..at]);
    for name in packed.shapes().names(shape) {
        let end = at + value_bytes(body, at);
        match next {
            Some(&(field, value)) if is_equal(name, field) => {
                change += value.len().cast_signed() - text_bytes(body, at).cast_signed();
                push_value(written, value);
                next = pairs.next();
            }
            _ => written.extend_from_slice(&body[at..end]),
        }
        at = end;
    }
    next.is_none().then_some((record.body_at() + at, change))
}

/// Longer values are not overwritten where they lie: there is hardly room.
const IN_PLACE_BYTES_MAX: usize = 64 << 10;

/// A field to be set.
struct Field<'a> {
    name: &'a [u8],
    value: Value<'a>,
    deadline: FieldDeadline,
    now_ms: u64,
}

/// Sets a field of a large hash; says whether it is new.
fn set_in_table(
    heap: &mut Heap,
    counts: &mut Counts,
    table: &mut Table,
    Field { name, value, deadline, now_ms }: Field<'_>,
) -> Result<bool, OutOfMemory> {
    let key = Key::new(name, heap.hasher.hash(name));
    let position = table.locate(heap, key);
    let old = position.map(|position| table.record(heap, position));
    let old_ms = old.and_then(|old| old.deadline_ms());
    let old_bytes = old.map_or(0, |old| name.len() + old.value().len());
    let was_alive = old.is_some() && !crate::keyspace::is_past(old_ms, now_ms);
    let deadline_ms = match deadline {
        FieldDeadline::Clear => None,
        FieldDeadline::Keep => old_ms.filter(|_| was_alive),
        FieldDeadline::At(deadline_ms) => Some(deadline_ms),
    };
    let mut record = heap.take_record(record::HEAD_BYTES_MAX + name.len() + value.len())?;
    record::write_string(&mut heap.classes, name, value, deadline_ms, &mut record);
    let put = match position {
        Some(position) => table.replace(heap, key, position, &record),
        None => table.insert(heap, key.hash, &record),
    };
    heap.give_record(record);
    put?;
    note(heap, table, key, deadline_ms);
    counts.fields += usize::from(position.is_none());
    let bytes = name.len() + value.len();
    counts.payload_bytes = counts.payload_bytes + bytes - old_bytes;
    table.payload_bytes = table.payload_bytes + bytes - old_bytes;
    heap.classes.sweep();
    Ok(!was_alive)
}

fn note(heap: &mut Heap, table: &mut Table, key: Key<'_>, deadline_ms: Option<u64>) {
    if let Some(deadline_ms) = deadline_ms {
        table.note_deadline(heap, key.hash, deadline_ms);
    }
}

/// Puts every field of a draft into a new table.
fn fill(
    heap: &mut Heap,
    table: &mut Table,
    draft: &crate::draft::Draft,
) -> Result<(), OutOfMemory> {
    let mut fields = Vec::new();
    fields.try_reserve_exact(draft.len()).map_err(|_| OutOfMemory)?;
    let mut copied = Ok(());
    draft.for_each(&heap.classes.shapes, |name, value, deadline_ms| {
        match (copy_of(Value::Bytes(name)), copy_of(value)) {
            (Ok(name), Ok(value)) => fields.push((name, value, deadline_ms)),
            _ => copied = Err(OutOfMemory),
        }
    });
    copied?;
    for (name, value, deadline_ms) in &fields {
        let key = Key::new(name, heap.hasher.hash(name));
        let parsed = Value::parse(value);
        let mut record = heap.take_record(record::HEAD_BYTES_MAX + name.len() + value.len())?;
        record::write_string(&mut heap.classes, name, parsed, *deadline_ms, &mut record);
        let put = table.insert(heap, key.hash, &record);
        heap.give_record(record);
        put?;
        note(heap, table, key, *deadline_ms);
        table.payload_bytes += name.len() + value.len();
    }
    Ok(())
}

/// A copy of a value's text.
fn copy_of(value: Value<'_>) -> Result<Vec<u8>, OutOfMemory> {
    let mut text = Vec::new();
    text.try_reserve_exact(value.len()).map_err(|_| OutOfMemory)?;
    value.with_text(|bytes| text.extend_from_slice(bytes));
    Ok(text)
}

fn remove_from_table(heap: &mut Heap, counts: &mut Counts, table: &mut Table, field: &[u8]) {
    let key = Key::new(field, heap.hasher.hash(field));
    let Some(position) = table.locate(heap, key) else { return };
    let bytes = field.len() + table.record(heap, position).value().len();
    table.payload_bytes -= bytes;
    counts.payload_bytes -= bytes;
    counts.fields -= 1;
    table.remove(heap, key.hash, position);
}
