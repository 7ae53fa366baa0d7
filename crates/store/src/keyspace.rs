//! What does one database of a shard hold?

use crate::accounting::{Accounting, Counted};
use crate::bodies::Moved;
use crate::class::{Class, Form};
use crate::draft::Draft;
use crate::hasher::KeyHasher;
use crate::heap::Heap;
use crate::mapping::OutOfMemory;
use crate::object::{HashRef, ObjectRef};
use crate::record::{self, Record};
use crate::table::{Found, Hint, Key, Position, Table};
use crate::value::Value;

/// A cursor over a keyspace has so many bits; those to 53, the most that a double can hold, are for
/// the number of the shard.
const CURSOR_BITS: u32 = 43;

/// How many fields of a large hash are removed at most when somebody asks for the hash and their
/// deadline has passed. The others are not seen, and go little by little.
const ACCESS_EXPIRED_FIELDS: usize = if cfg!(feature = "tiny") { 2 } else { 64 };

/// The keys of one database. A key whose deadline has passed is gone as soon as anybody asks.
#[derive(Debug)]
pub(crate) struct Keyspace {
    pub(crate) heap: Heap,
    table: Table,
    /// The tables of large hashes; table `n` at index `n - 1`.
    large: Vec<Option<Table>>,
    /// Numbers of tables that there is no table for.
    vacant: Vec<u32>,
    /// Numbers of tables that no key leads to any more.
    doomed: Vec<u32>,
    /// What the directories of large hashes take.
    large_book_bytes: usize,
    pub(crate) draft: Draft,
    pub(crate) counts: Counts,
    departure: Option<Departure>,
}

/// What there is in a keyspace.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) fields: usize,
    pub(crate) keys_with_deadline: usize,
    pub(crate) payload_bytes: usize,
    /// What has gone because its deadline had passed.
    pub(crate) expired_keys: u64,
    pub(crate) expired_fields: u64,
}

/// How far chunks have moved out of extents that are being emptied.
#[derive(Clone, Copy, Debug)]
struct Departure {
    /// The number of the table, and its directory's entry.
    table: usize,
    entry: usize,
}

impl Keyspace {
    pub(crate) fn new(hasher: &KeyHasher) -> Self {
        Self {
            heap: Heap::new(hasher),
            table: Table::new(0),
            large: Vec::new(),
            vacant: Vec::new(),
            doomed: Vec::new(),
            large_book_bytes: 0,
            draft: Draft::default(),
            counts: Counts::default(),
            departure: None,
        }
    }

    /// What a key holds, and its deadline.
    #[inline(always)]
    pub(crate) fn get(
        &mut self,
        key: Key<'_>,
        now_ms: u64,
    ) -> Option<(ObjectRef<'_>, Option<u64>)> {
        let found = self.find(key, now_ms)?;
        let record = self.found(found);
        Some((self.object(record, now_ms), record.deadline_ms()))
    }

    /// What a record of the keyspace holds.
    #[inline(always)]
    pub(crate) fn object<'a>(&'a self, record: Record<'a>, now_ms: u64) -> ObjectRef<'a> {
        match record.class().form {
            Form::String | Form::RawString => ObjectRef::String(record.value()),
            Form::Large => {
                let table = self.large_table(record.table());
                ObjectRef::Hash(HashRef::Table { table, heap: &self.heap, now_ms })
            }
            Form::Shaped(..) | Form::Pairs(_) => match record.packed() {
                Some(fields) => ObjectRef::Hash(HashRef::Packed { fields, now_ms }),
                None => ObjectRef::String(Value::Bytes(&[])),
            },
        }
    }

    /// Starts to read what says where the slot of a key is, and where the record is that the slot
    /// leads to.
    #[inline]
    pub(crate) fn prefetch_head(&self, hash: u64) {
        self.table.prefetch_head(&self.heap, hash);
    }

    /// Starts to read the slot that leads to a key.
    #[inline]
    pub(crate) fn prefetch_slot(&self, hash: u64) {
        self.table.prefetch_slot(&self.heap, hash);
    }

    /// Starts to read a key's record, once its slot is there; says where it is.
    #[inline]
    pub(crate) fn prefetch_record(&self, hash: u64) -> Option<Hint> {
        self.table.prefetch_record(&self.heap, hash)
    }

    /// Whether some records lie elsewhere.
    #[inline]
    pub(crate) fn has_bodies(&self) -> bool {
        self.heap.bodies.live_bytes() > 0
    }

    /// Starts to read what is left of a key's record, if it lies elsewhere, once that is known.
    #[inline]
    pub(crate) fn prefetch_body(&self, hint: Hint) {
        self.table.prefetch_body(&self.heap, hint);
    }

    #[inline]
    pub(crate) fn class(&self, position: Position) -> Class {
        self.table.class(&self.heap, position)
    }

    /// Whether a key holds a string that was put as a raw one.
    pub(crate) fn is_raw_string(&mut self, key: Key<'_>, now_ms: u64) -> bool {
        let position = self.locate(key, now_ms);
        position.is_some_and(|position| self.class(position).form == Form::RawString)
    }

    /// Puts a string in the place of whatever the key held; `is_raw`: one that answers `raw`.
    pub(crate) fn put_string(
        &mut self,
        key: Key<'_>,
        value: Value<'_>,
        deadline_ms: Option<u64>,
        is_raw: bool,
        now_ms: u64,
    ) -> Result<(), OutOfMemory> {
        let bytes_max = record::HEAD_BYTES_MAX + key.bytes.len() + value.len();
        let mut record = self.heap.take_record(bytes_max)?;
        let write = if is_raw { record::write_raw_string } else { record::write_string };
        write(&mut self.heap.classes, key.bytes, value, deadline_ms, &mut record);
        let position = self.locate(key, now_ms);
        let put = self.put(key, position, &record);
        self.heap.give_record(record);
        put?;
        self.counts.payload_bytes +=
            value.len() + if position.is_none() { key.bytes.len() } else { 0 };
        Ok(())
    }

    /// Puts a record in the place of the one at `position`, of which nothing is left in the counts
    /// but the bytes of the key, or adds it; notes its key's deadline.
    fn put(
        &mut self,
        key: Key<'_>,
        position: Option<Position>,
        record: &[u8],
    ) -> Result<Position, OutOfMemory> {
        let position = match position {
            Some(position) => {
                let old = self.record(position);
                let (fields, payload_bytes) = self.content(old);
                let large = (old.class().form == Form::Large).then(|| old.table());
                let had_deadline = old.class().deadline;
                let position = self.table.replace(&mut self.heap, key, position, record)?;
                self.counts.fields -= fields;
                self.counts.payload_bytes -= payload_bytes;
                self.counts.keys_with_deadline -= usize::from(had_deadline);
                large.into_iter().for_each(|number| self.doom(number));
                position
            }
            None => self.table.insert(&mut self.heap, key.hash, record)?,
        };
        self.note_key_deadline(key, position);
        self.heap.classes.sweep();
        Ok(position)
    }

    fn note_key_deadline(&mut self, key: Key<'_>, position: Position) {
        if let Some(deadline_ms) = self.record(position).deadline_ms() {
            self.counts.keys_with_deadline += 1;
            self.table.note_deadline(&mut self.heap, key.hash, deadline_ms);
        }
    }

    /// How many fields a record holds, and the bytes of fields and values.
    fn content(&self, record: Record<'_>) -> (usize, usize) {
        match record.class().form {
            Form::String | Form::RawString => (0, record.value().len()),
            Form::Large => {
                let table = self.large_table(record.table());
                (table.len(), table.payload_bytes)
            }
            Form::Shaped(..) | Form::Pairs(_) => {
                let packed = record.packed();
                packed.map_or((0, 0), |packed| (packed.len(), packed.payload_bytes()))
            }
        }
    }

    /// Puts what is in the draft at `position`, or adds it: the fields of a hash. The counts are
    /// brought up to date but for the number of fields.
    pub(crate) fn put_draft(
        &mut self,
        key: Key<'_>,
        position: Option<Position>,
    ) -> Result<Position, OutOfMemory> {
        let deadline_ms = position
            .filter(|&position| self.class(position).deadline)
            .and_then(|position| self.record(position).deadline_ms());
        let draft_bytes_max = self.draft.record_bytes_max(&self.heap.classes.shapes);
        let bytes_max = record::HEAD_BYTES_MAX + key.bytes.len() + draft_bytes_max;
        let mut record = self.heap.take_record(bytes_max)?;
        self.draft.write(&mut self.heap.classes, key.bytes, deadline_ms, &mut record);
        let put = match position {
            Some(position) => self.table.replace(&mut self.heap, key, position, &record),
            None => self.table.insert(&mut self.heap, key.hash, &record),
        };
        self.heap.give_record(record);
        let change = self.draft.payload_change;
        let key_bytes = if position.is_none() { key.bytes.len() } else { 0 };
        let put = put?;
        self.counts.payload_bytes =
            (self.counts.payload_bytes + key_bytes).wrapping_add_signed(change);
        if let Some(deadline_ms) = self.draft.first_deadline_ms() {
            self.table.note_deadline(&mut self.heap, key.hash, deadline_ms);
        }
        self.heap.classes.sweep();
        Ok(put)
    }

    /// Removes a key; says whether it was there.
    pub(crate) fn remove(&mut self, key: Key<'_>, now_ms: u64) -> bool {
        let position = self.locate(key, now_ms);
        position.map(|position| self.take(key.hash, position)).is_some()
    }

    fn take(&mut self, hash: u64, position: Position) {
        self.forget(position);
        self.table.remove(&mut self.heap, hash, position);
    }

    /// Takes what a record holds out of the counts.
    fn forget(&mut self, position: Position) {
        let record = self.record(position);
        let (fields, payload_bytes) = self.content(record);
        let key_bytes = record.key_bytes();
        let large = (record.class().form == Form::Large).then(|| record.table());
        self.counts.keys_with_deadline -= usize::from(record.class().deadline);
        self.counts.fields -= fields;
        self.counts.payload_bytes -= payload_bytes + key_bytes;
        large.into_iter().for_each(|number| self.doom(number));
    }

    /// Gives a key another deadline, or none.
    pub(crate) fn set_deadline_ms(
        &mut self,
        key: Key<'_>,
        deadline_ms: Option<u64>,
        now_ms: u64,
    ) -> Result<(), OutOfMemory> {
        let Some(position) = self.locate(key, now_ms) else { return Ok(()) };
        let old_bytes = self.table.record(&self.heap, position).len();
        let bytes_max = record::HEAD_BYTES_MAX + key.bytes.len() + old_bytes;
        let mut record = self.heap.take_record(bytes_max)?;
        let old = self.table.record(&self.heap, position);
        let had_deadline = old.class().deadline;
        let (form, body_at, end) = (old.class().form, old.body_at(), old.len());
        let class =
            record::begin(&mut self.heap.classes, form, key.bytes, deadline_ms, &mut record);
        let old = self.table.record(&self.heap, position);
        let put = if class.form == form {
            record.extend_from_slice(&old.body()[..end - body_at]);
            self.table.replace(&mut self.heap, key, position, &record)
        } else if let Some(packed) = old.packed() {
            // There is no room for another class.
            self.draft.fill(&packed);
            self.draft.write(&mut self.heap.classes, key.bytes, deadline_ms, &mut record);
            self.table.replace(&mut self.heap, key, position, &record)
        } else {
            Err(OutOfMemory)
        };
        self.heap.give_record(record);
        let position = put?;
        self.counts.keys_with_deadline -= usize::from(had_deadline);
        self.note_key_deadline(key, position);
        self.heap.classes.sweep();
        Ok(())
    }

    /// Shows about `count` living keys from `cursor` on, a position in hash order, and returns the
    /// cursor to go on from, 0 after the last.
    pub(crate) fn scan(
        &self,
        cursor: u64,
        count: usize,
        now_ms: u64,
        visit: &mut dyn FnMut(&[u8], ObjectRef<'_>),
    ) -> u64 {
        let mut key = Vec::new();
        self.table.scan(&self.heap, cursor, CURSOR_BITS, count, |record| {
            if self.is_alive(record, now_ms) {
                key.clear();
                record.write_key(&mut key);
                visit(&key, self.object(record, now_ms));
            }
        })
    }

    /// Shows a living key that is drawn: all are equally likely. `random` gives numbers below a bound.
    /// Nothing is shown if there is none.
    pub(crate) fn draw(
        &self,
        now_ms: u64,
        random: &mut dyn FnMut(usize) -> usize,
        visit: &mut dyn FnMut(&[u8]),
    ) {
        // Keys that are past are few, since they go by themselves; but there may be no other.
        for _ in 0..DRAWS {
            let Some(record) = self.table.draw(&self.heap, random) else { return };
            if self.is_alive(record, now_ms) {
                let mut key = Vec::new();
                record.write_key(&mut key);
                return visit(&key);
            }
        }
        let (mut cursor, mut is_found) = (0, false);
        loop {
            cursor = self.scan(cursor, 10, now_ms, &mut |key, _| {
                if !is_found {
                    visit(key);
                }
                is_found = true;
            });
            if is_found || cursor == 0 {
                return;
            }
        }
    }

    fn is_alive(&self, record: Record<'_>, now_ms: u64) -> bool {
        if is_past(record.deadline_ms(), now_ms) {
            return false;
        }
        match self.object(record, now_ms) {
            ObjectRef::String(_) => true,
            ObjectRef::Hash(hash) => !hash.is_empty(),
        }
    }

    /// How many keys are alive, in time proportional to those near whose deadline has passed.
    pub(crate) fn keys_alive(&self, now_ms: u64) -> usize {
        let mut past = 0;
        self.table.for_each_due(&self.heap, now_ms, |record| {
            past += usize::from(!self.is_alive(record, now_ms));
        });
        self.table.len() - past
    }

    /// Removes up to `budget` keys and fields whose deadline has passed; returns how many. Fewer
    /// than `budget` means that none is left.
    pub(crate) fn expire_some(&mut self, budget: usize, now_ms: u64) -> usize {
        let mut removed = 0;
        while removed < budget
            && let Some(mut due) = self.table.due_segment(&self.heap, now_ms)
        {
            while let Some(position) = self.table.next_due(&self.heap, &due) {
                let record = self.table.record(&self.heap, position);
                if self.fields_of(record) == 0 {
                    // Its last field went just now: it must not be seen.
                    self.counts.expired_keys += 1;
                    self.forget(position);
                    self.table.drop_due(&mut self.heap, &mut due, position);
                    continue;
                }
                if removed >= budget {
                    self.table.settle_due(&mut self.heap, &due);
                    return removed;
                }
                let deadline_ms = self.first_deadline_ms(record);
                if is_past(record.deadline_ms(), now_ms) {
                    self.counts.expired_keys += 1;
                    self.forget(position);
                    self.table.drop_due(&mut self.heap, &mut due, position);
                    removed += 1;
                } else if is_past(deadline_ms, now_ms) {
                    let place = self.table.place_of_due(&self.heap, position);
                    let gone = self.expire_fields(position, budget - removed, now_ms);
                    removed += gone.max(1);
                    if gone > 0 {
                        self.table.revisit_due(&self.heap, &mut due, place);
                    } else {
                        self.table.keep_due(&mut due, position, deadline_ms);
                    }
                } else {
                    self.table.keep_due(&mut due, position, deadline_ms);
                }
            }
            self.table.end_due(&mut self.heap, &due);
        }
        removed
    }

    fn fields_of(&self, record: Record<'_>) -> usize {
        match record.class().form {
            Form::Large => self.large_table(record.table()).len(),
            _ => record.packed().map_or(1, |packed| packed.len()),
        }
    }

    /// The next time at which something of a record is past.
    fn first_deadline_ms(&self, record: Record<'_>) -> Option<u64> {
        let of_fields = match record.class().form {
            Form::String | Form::RawString => None,
            Form::Large => self.large_table(record.table()).first_deadline_ms(),
            _ => record.packed().and_then(|packed| packed.first_deadline_ms()),
        };
        [record.deadline_ms(), of_fields].into_iter().flatten().min()
    }

    /// Removes up to `budget` fields of the hash at a position whose deadline has passed. The hash
    /// may be left empty. Returns how many.
    fn expire_fields(&mut self, position: Position, budget: usize, now_ms: u64) -> usize {
        let record = self.table.record(&self.heap, position);
        if record.class().form == Form::Large {
            let number = record.table();
            return self.with_large(number, |heap, counts, table| {
                expire_table(heap, counts, table, budget, now_ms)
            });
        }
        let Some(packed) = record.packed() else { return 0 };
        self.draft.fill(&packed);
        let removed = self.draft.remove_past(&self.heap.classes.shapes, budget, now_ms);
        let mut key = Vec::new();
        record.write_key(&mut key);
        let hash = self.heap.hasher.hash(&key);
        // The record may move within its segment, but its slot stays, as long as nothing is tidied.
        match self.put_draft(Key::new(&key, hash), Some(position)) {
            Ok(_) => {
                self.counts.fields -= removed;
                self.counts.expired_fields += removed as u64;
                removed
            }
            Err(OutOfMemory) => 0,
        }
    }

    /// Calls `work` with the table of a large hash, and keeps the books.
    pub(crate) fn with_large<T>(
        &mut self,
        number: u32,
        work: impl FnOnce(&mut Heap, &mut Counts, &mut Table) -> T,
    ) -> T {
        let table = self.large[number as usize - 1].as_mut().expect("a record's table is there");
        self.large_book_bytes -= table.book_bytes();
        let result = work(&mut self.heap, &mut self.counts, table);
        self.large_book_bytes += table.book_bytes();
        result
    }

    pub(crate) fn large_table(&self, number: u32) -> &Table {
        self.large[number as usize - 1].as_ref().expect("a record's table is there")
    }

    /// A new table for a large hash.
    pub(crate) fn add_large(&mut self) -> Result<u32, OutOfMemory> {
        let number = match self.vacant.pop() {
            Some(number) => number,
            None => {
                self.large.try_reserve(1).map_err(|_| OutOfMemory)?;
                self.large.push(None);
                u32::try_from(self.large.len()).map_err(|_| OutOfMemory)?
            }
        };
        self.large[number as usize - 1] = Some(Table::new(number));
        Ok(number)
    }

    /// Nobody leads to the table any more: its records go little by little.
    pub(crate) fn doom(&mut self, number: u32) {
        self.doomed.push(number);
        self.shed(DOOMED_RECORDS_AT_ONCE);
    }

    /// Puts a record for a large hash at `position`.
    pub(crate) fn put_large(
        &mut self,
        key: Key<'_>,
        position: Option<Position>,
        number: u32,
    ) -> Result<Position, OutOfMemory> {
        let deadline_ms = position.and_then(|position| self.record(position).deadline_ms());
        let mut record = self.heap.take_record(record::HEAD_BYTES_MAX + key.bytes.len())?;
        record::write_large(&mut self.heap.classes, key.bytes, number, deadline_ms, &mut record);
        let put = match position {
            Some(position) => self.table.replace(&mut self.heap, key, position, &record),
            None => self.table.insert(&mut self.heap, key.hash, &record),
        };
        self.heap.give_record(record);
        put
    }

    /// The next deadline, or an earlier time.
    pub(crate) fn first_deadline(&self) -> Option<u64> {
        self.table.first_deadline_ms()
    }

    /// Notes that a field of the hash at `key` has a deadline.
    pub(crate) fn note_deadline(&mut self, key: Key<'_>, deadline_ms: u64) {
        self.table.note_deadline(&mut self.heap, key.hash, deadline_ms);
    }

    /// What the key's record takes with what leads to it.
    pub(crate) fn key_bytes(&mut self, key: Key<'_>, now_ms: u64) -> Option<usize> {
        let position = self.locate(key, now_ms)?;
        let record_bytes = self.table.record_bytes(&self.heap, position);
        let record = self.record(position);
        let of_table = match record.class().form {
            Form::Large => self.large_table(record.table()).bytes(&self.heap),
            _ => 0,
        };
        // The slot, at three quarters full; the record's part of the ends of chunks; the head's part.
        Some(record_bytes + record_bytes / 64 + SLOT_SHARE_BYTES + of_table)
    }

    /// What has gone because its deadline had passed.
    pub(crate) fn expired(&self) -> Counted {
        let Counts { expired_keys, expired_fields, .. } = self.counts;
        Counted { expired_keys, expired_fields, ..Counted::default() }
    }

    pub(crate) fn accounting(&self) -> Accounting {
        let heap = &self.heap;
        let slack_bytes = heap.records.used_bytes() - heap.inline_bytes
            + heap.records.idle_bytes()
            + heap.heads.idle_bytes()
            + heap.bodies.dead_bytes()
            + heap.bodies.page_end_bytes();
        Accounting {
            keys: self.table.len() as u64,
            keys_with_deadline: self.counts.keys_with_deadline as u64,
            fields: self.counts.fields as u64,
            payload_bytes: self.counts.payload_bytes as u64,
            record_bytes: (heap.inline_bytes + heap.bodies.live_bytes()) as u64,
            index_bytes: (heap.heads.used_bytes() + self.book_bytes()) as u64,
            shape_bytes: heap.classes.book_bytes() as u64,
            slack_bytes: slack_bytes as u64,
            free_bytes: (heap.records.idle_bytes() + heap.heads.idle_bytes()) as u64,
        }
    }

    /// What of the process' own memory keeps the books.
    fn book_bytes(&self) -> usize {
        let heap = &self.heap;
        self.table.book_bytes()
            + self.large_book_bytes
            + self.large.capacity() * size_of::<Option<Table>>()
            + (self.vacant.capacity() + self.doomed.capacity()) * 4
            + heap.heads.book_bytes()
            + heap.records.book_bytes()
            + heap.bodies.book_bytes()
    }

    /// The bytes that the process has in memory for it, whether it is being given back or not.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let Heap { heads, records, bodies, classes, .. } = &self.heap;
        let chunk_bytes = [heads, records].map(|chunks| chunks.used_bytes() + chunks.idle_bytes());
        let body_bytes = bodies.live_bytes() + bodies.dead_bytes();
        let own_bytes = self.book_bytes() + classes.book_bytes();
        (chunk_bytes.iter().sum::<usize>() + body_bytes + own_bytes) as u64
    }

    /// Gives back a piece of the memory of a keyspace that nothing is asked of any more; says
    /// whether there was any.
    pub(crate) fn release_some(&mut self) -> bool {
        let heap = &mut self.heap;
        heap.records.drop_extent() || heap.heads.drop_extent() || heap.bodies.drop_any_region()
    }

    /// Does a bounded piece of the work that keeps memory dense: about `budget` bytes of dead
    /// bodies, some records of tables that are gone, some chunks that should move. Says whether
    /// there is more to do.
    pub(crate) fn tend(&mut self, budget: usize) -> bool {
        let compacting = self.compact(budget);
        let shedding = self.shed(budget / 64);
        let leaving = self.leave();
        let released = self.heap.heads.release_one() || self.heap.records.release_one();
        let has_more = compacting || shedding || leaving || released;
        if !has_more {
            self.heap.heads.clear_news();
            self.heap.records.clear_news();
        }
        has_more
    }

    /// Whether [`tend`](Self::tend) or [`collapse_one`](Self::collapse_one) has something to do.
    pub(crate) fn has_chores(&self) -> bool {
        let heap = &self.heap;
        heap.heads.has_news()
            || heap.records.has_news()
            || heap.heads.has_small_pages()
            || heap.records.has_small_pages()
            || !self.doomed.is_empty()
            || self.departure.is_some()
    }

    /// Lets the system keep more of it in huge pages; says whether there was something to do.
    pub(crate) fn collapse_one(&mut self) -> bool {
        self.heap.heads.collapse_one() || self.heap.records.collapse_one()
    }

    /// Goes through some bodies if too many are dead; says whether there are more.
    pub(crate) fn compact(&mut self, budget: usize) -> bool {
        if !self.heap.bodies.wants_compaction() {
            return false;
        }
        let mut key = Vec::new();
        let mut left = budget;
        while left > 0 {
            // No memory now may be memory later; what is dead stays dead.
            let Ok(step) = self.heap.bodies.compact(left) else { return false };
            let Some(moved) = step else { break };
            left = left.saturating_sub(self.heap.bodies.bytes(moved.to) + 64);
            self.follow(moved, &mut key);
        }
        self.heap.bodies.wants_compaction()
    }

    fn follow(&mut self, moved: Moved, key: &mut Vec<u8>) {
        let Moved { owner, from, to } = moved;
        let hash = self.heap.hash_of(self.heap.bodies.record(to), key);
        let table = match owner.checked_sub(1) {
            None => Some(&self.table),
            Some(large) => self.large.get(large as usize).and_then(Option::as_ref),
        };
        let followed = table.is_some_and(|table| table.follow(&mut self.heap, hash, from, to));
        debug_assert!(followed, "a living body belongs to a record");
        self.heap.bodies.end_move(moved);
    }

    /// Takes out some records of tables that no key leads to; says whether there are more.
    fn shed(&mut self, budget: usize) -> bool {
        let Some(&number) = self.doomed.last() else { return false };
        let more = self.with_large(number, |heap, _, table| table.shed(heap, budget));
        if !more {
            self.doomed.pop();
            if let Some(table) = self.large[number as usize - 1].take() {
                self.large_book_bytes -= table.book_bytes();
            }
            self.vacant.push(number);
        }
        !self.doomed.is_empty()
    }

    /// Moves some chunks out of extents that are being emptied; says whether there are more.
    fn leave(&mut self) -> bool {
        let heap = &mut self.heap;
        if self.departure.is_none() {
            heap.heads.choose_leaving();
            heap.records.choose_leaving();
            if !(heap.heads.any_leaves() || heap.records.any_leaves()) {
                return false;
            }
        }
        let mut at = self.departure.unwrap_or(Departure { table: 0, entry: 0 });
        for _ in 0..LEAVING_SEGMENTS_AT_ONCE {
            let table = match at.table.checked_sub(1) {
                None => Some(&mut self.table),
                Some(large) => match self.large.get_mut(large) {
                    Some(table) => table.as_mut(),
                    None => {
                        // Everything was looked at. What is doomed may still be there.
                        self.departure = None;
                        heap.heads.stop_leaving();
                        heap.records.stop_leaving();
                        return false;
                    }
                },
            };
            let next = table.map_or(Ok(None), |table| table.leave(heap, at.entry, 1));
            at = match next {
                Ok(Some(entry)) => Departure { entry, ..at },
                Ok(None) => Departure { table: at.table + 1, entry: 0 },
                Err(OutOfMemory) => break,
            };
        }
        self.departure = Some(at);
        true
    }

    /// Where a living key lies; one whose deadline has passed is removed, and so are fields.
    #[inline]
    pub(crate) fn locate(&mut self, key: Key<'_>, now_ms: u64) -> Option<Position> {
        self.find(key, now_ms).map(|found| found.position)
    }

    /// The record of a key, if the key is alive.
    #[inline(always)]
    pub(crate) fn find(&mut self, key: Key<'_>, now_ms: u64) -> Option<Found> {
        let found = self.table.find(&self.heap, key)?;
        if found.class().is_timeless() {
            return Some(found);
        }
        let position = self.expire_at(key, found.position, now_ms)?;
        Some(self.table.found_at(&self.heap, position))
    }

    /// The record at a position, as if it was found there just now.
    pub(crate) fn found_at(&self, position: Position) -> Found {
        self.table.found_at(&self.heap, position)
    }

    /// The record that was found just now.
    #[inline(always)]
    pub(crate) fn found(&self, found: Found) -> Record<'_> {
        self.table.found(&self.heap, found)
    }

    /// Removes what is past of the key at a position; where it lies then, if it is still there.
    fn expire_at(&mut self, key: Key<'_>, position: Position, now_ms: u64) -> Option<Position> {
        let record = self.table.record(&self.heap, position);
        if is_past(record.deadline_ms(), now_ms) {
            self.counts.expired_keys += 1;
            self.take(key.hash, position);
            return None;
        }
        let has_past = match record.class().form {
            Form::String | Form::RawString => false,
            Form::Large => is_past(self.large_table(record.table()).first_deadline_ms(), now_ms),
            Form::Shaped(_, marks) | Form::Pairs(marks) => {
                marks.deadlines
                    && record
                        .packed()
                        .is_some_and(|fields| is_past(fields.first_deadline_ms(), now_ms))
            }
        };
        if !has_past {
            return Some(position);
        }
        let is_large = record.class().form == Form::Large;
        let budget = if is_large { ACCESS_EXPIRED_FIELDS } else { usize::MAX };
        self.expire_fields(position, budget, now_ms);
        let position = self.table.locate(&self.heap, key)?;
        let record = self.table.record(&self.heap, position);
        let is_empty = match self.object(record, now_ms) {
            ObjectRef::Hash(hash) => hash.is_empty(),
            ObjectRef::String(_) => false,
        };
        if is_empty {
            self.counts.expired_keys += 1;
            self.take(key.hash, position);
            return None;
        }
        Some(position)
    }

    #[inline(always)]
    pub(crate) fn record(&self, position: Position) -> Record<'_> {
        self.table.record(&self.heap, position)
    }

    /// The bytes of the record that was found, to change what changes neither length nor class.
    #[inline]
    pub(crate) fn bytes_mut(&mut self, found: Found) -> &mut [u8] {
        self.table.bytes_mut(&mut self.heap, found)
    }

    /// Replaces a part of the record that was found, if that can be done where it lies.
    #[inline]
    pub(crate) fn splice(
        &mut self,
        found: Found,
        range: std::ops::Range<usize>,
        bytes: &[u8],
    ) -> bool {
        self.table.splice(&mut self.heap, found, range, bytes)
    }

    /// Writes another record of the same class at a position where one of so many bytes lies.
    pub(crate) fn overwrite(
        &mut self,
        key: Key<'_>,
        position: Position,
        old_bytes: usize,
        record: &[u8],
    ) -> Result<Position, OutOfMemory> {
        if self.table.splice_whole(&mut self.heap, position, old_bytes, record) {
            return Ok(position);
        }
        self.table.replace(&mut self.heap, key, position, record)
    }

    /// Takes the fields of a packed hash into the draft.
    pub(crate) fn fill_draft(&mut self, position: Position) {
        let record = self.table.record(&self.heap, position);
        if let Some(packed) = record.packed() {
            self.draft.fill(&packed);
        }
    }
}

/// How often a key is drawn until one is alive.
const DRAWS: usize = 100;

/// What leads to a record: its slot at three quarters full, and its part of the segment's head.
const SLOT_SHARE_BYTES: usize = 6;

/// How many records of a table that no key leads to are freed in one step.
const DOOMED_RECORDS_AT_ONCE: usize = if cfg!(feature = "tiny") { 2 } else { 1024 };

/// How many segments move out of extents that are being emptied in one step.
const LEAVING_SEGMENTS_AT_ONCE: usize = if cfg!(feature = "tiny") { 1 } else { 4 };

/// Removes up to `budget` records of a large hash whose deadline has passed; returns how many.
fn expire_table(
    heap: &mut Heap,
    counts: &mut Counts,
    table: &mut Table,
    budget: usize,
    now_ms: u64,
) -> usize {
    let mut removed = 0;
    while removed < budget
        && let Some(mut due) = table.due_segment(heap, now_ms)
    {
        while let Some(position) = table.next_due(heap, &due) {
            if removed >= budget {
                table.settle_due(heap, &due);
                return removed;
            }
            let record = table.record(heap, position);
            if is_past(record.deadline_ms(), now_ms) {
                let bytes = record.key_bytes() + record.value().len();
                table.payload_bytes -= bytes;
                counts.payload_bytes -= bytes;
                counts.fields -= 1;
                counts.expired_fields += 1;
                table.drop_due(heap, &mut due, position);
                removed += 1;
            } else {
                let deadline_ms = record.deadline_ms();
                table.keep_due(&mut due, position, deadline_ms);
            }
        }
        table.end_due(heap, &due);
    }
    removed
}

/// Whether a key or field with this deadline is gone: as in Redis, it lives through its last
/// millisecond.
pub(crate) fn is_past(deadline_ms: Option<u64>, now_ms: u64) -> bool {
    deadline_ms.is_some_and(|deadline_ms| deadline_ms < now_ms)
}
