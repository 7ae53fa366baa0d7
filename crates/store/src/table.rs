//! Where does a hash lead?
//!
//! A directory of 2^depth entries says which segment holds the records whose hashes begin with so
//! many bits (extendible hashing; Fagin, Nievergelt, Pippenger and Strong, 1979):
//!
//! ```text
//! directory   00 01 10 11        depth 2
//!              │  │  └──┴────────────────┐
//! segments    [02… 11… 3a…] [40… 5f… 7e…] [81… c2… f0…]
//! ```
//!
//! A full segment splits in two, two that are almost empty become one, and nothing else moves: there
//! is no rehash of the whole table and no second one. Since order is hash order, a hash is a position
//! at which a scan can stop and go on, whatever was added or removed in between.
//!
//! A keyspace is such a table, and so are the fields of a large hash: each field is a record like that
//! of a string.

use std::ops::Range;

use crate::chunks::ChunkId;
use crate::class::{Class, ClassId};
use crate::heap::{Heap, STUB_BYTES, stub, stub_target};
use crate::mapping::{OutOfMemory, prefetch};
use crate::record::{Record, class_if_key};
use crate::segment::{NEVER, NoRoom, SLOTS_MAX, Segment, tag_of};

/// A key and its hash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) hash: u64,
    /// Where its record was seen, most probably.
    hint: Option<Hint>,
}

impl<'a> Key<'a> {
    pub(crate) fn new(bytes: &'a [u8], hash: u64) -> Self {
        Self { bytes, hash, hint: None }
    }

    pub(crate) fn with_hint(bytes: &'a [u8], hash: u64, hint: Option<Hint>) -> Self {
        Self { bytes, hash, hint }
    }
}

/// Where a record of some hash was seen, as long as its table has not changed since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hint {
    position: Position,
    epoch: u32,
}

/// A longer record lies among the bodies: in a chunk it would leave too much room at the end.
const INLINE_BYTES_MAX: usize = if cfg!(feature = "tiny") { 48 } else { 192 };

/// The earliest deadline is known for so many entries of the directory together.
const GROUP_ENTRIES: usize = if cfg!(feature = "tiny") { 2 } else { 64 };

/// The directory is never deeper: hashes that begin alike in so many bits do not happen.
const DEPTH_MAX: u32 = 40;

/// Records by the hashes of their keys.
#[derive(Debug)]
pub(crate) struct Table {
    /// What bodies know it by.
    number: u32,
    /// The heads of the segments.
    directory: Vec<u32>,
    depth: u32,
    segments: usize,
    keys: usize,
    /// Counts whatever may let slots lead elsewhere.
    epoch: u32,
    /// The bytes of the texts that its records hold, as far as whoever uses it says so.
    pub(crate) payload_bytes: usize,
    /// For each group of the directory's entries, no deadline is earlier. None before the first.
    deadlines: Vec<u64>,
}

/// Where a record lies, until the next insertion or removal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    segment: Segment,
    slot: usize,
}

impl Table {
    /// A table without records, by the number that leads to it.
    pub(crate) fn new(number: u32) -> Self {
        let (directory, deadlines) = (Vec::new(), Vec::new());
        Self {
            number,
            directory,
            depth: 0,
            segments: 0,
            keys: 0,
            epoch: 0,
            payload_bytes: 0,
            deadlines,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.keys
    }

    /// What of the process' own memory it takes.
    pub(crate) fn book_bytes(&self) -> usize {
        self.directory.capacity() * 4 + self.deadlines.capacity() * 8
    }

    /// The bytes of its chunks, its directory, and the bodies of its records, in time proportional to
    /// its segments.
    pub(crate) fn bytes(&self, heap: &Heap) -> usize {
        let chunks: usize = self.segments(heap).map(|segment| segment.chunk_bytes(heap)).sum();
        // What its bodies take is not known of each table; on the whole it is what they hold.
        let bodies = self.payload_bytes.saturating_sub(chunks);
        chunks + bodies + self.book_bytes()
    }

    /// Where the record of a key lies.
    #[inline]
    pub(crate) fn locate(&self, heap: &Heap, key: Key<'_>) -> Option<Position> {
        self.locate_class(heap, key).map(|(position, _)| position)
    }

    /// Where the record of a key lies, and its class.
    #[inline]
    pub(crate) fn locate_class(&self, heap: &Heap, key: Key<'_>) -> Option<(Position, Class)> {
        let mut class = None;
        let mut has_key = |bytes: &[u8]| {
            class = class_if_key(&heap.classes, heap.resolve(bytes), key.bytes);
            class.is_some()
        };
        if let Some(Hint { position, epoch }) = key.hint
            && epoch == self.epoch
            && has_key(position.segment.at(heap, position.slot))
        {
            return Some((position, class?));
        }
        let segment = self.segment(key.hash)?;
        let slot = segment.find(heap, key.hash, has_key)?;
        Some((Position { segment, slot }, class?))
    }

    /// The class of the record at a position.
    #[inline]
    pub(crate) fn class(&self, heap: &Heap, position: Position) -> Class {
        let bytes = heap.resolve(position.segment.at(heap, position.slot));
        heap.classes.get(ClassId::read(bytes).0)
    }

    /// The record at a position; what follows it in its chunk may follow.
    #[inline]
    pub(crate) fn record<'a>(&self, heap: &'a Heap, position: Position) -> Record<'a> {
        let bytes = heap.resolve(position.segment.at(heap, position.slot));
        Record::read(&heap.classes, bytes)
    }

    /// The bytes of the record at a position, to change what changes neither length nor class.
    pub(crate) fn bytes_mut<'a>(&self, heap: &'a mut Heap, position: Position) -> &'a mut [u8] {
        match stub_target(position.segment.at(heap, position.slot)) {
            Some(at) => heap.bodies.record_mut(at),
            None => position.segment.at_mut(heap, position.slot),
        }
    }

    /// The bytes that the record at a position takes, those that lead to it included.
    pub(crate) fn record_bytes(&self, heap: &Heap, position: Position) -> usize {
        let bytes = position.segment.at(heap, position.slot);
        match stub_target(bytes) {
            Some(at) => STUB_BYTES + heap.bodies.bytes(at),
            None => heap.inline_len(bytes),
        }
    }

    /// Adds a record whose key is not here yet.
    pub(crate) fn insert(
        &mut self,
        heap: &mut Heap,
        hash: u64,
        record: &[u8],
    ) -> Result<Position, OutOfMemory> {
        if self.directory.is_empty() {
            self.directory.try_reserve_exact(1).map_err(|_| OutOfMemory)?;
            let segment = Segment::new(heap, 0)?;
            self.directory.push(segment.0.0);
            self.segments = 1;
        }
        self.epoch = self.epoch.wrapping_add(1);
        let short = Short::new(heap, self.number, record)?;
        let position = self.insert_short(heap, hash, short.bytes());
        if position.is_err() {
            short.abandon(heap);
        } else {
            heap.classes.retain(ClassId::read(record).0);
            self.keys += 1;
        }
        position
    }

    fn insert_short(
        &mut self,
        heap: &mut Heap,
        hash: u64,
        record: &[u8],
    ) -> Result<Position, OutOfMemory> {
        loop {
            let segment = self.segment(hash).ok_or(OutOfMemory)?;
            match segment.insert(heap, hash, record) {
                Ok(slot) => return Ok(Position { segment, slot }),
                Err(NoRoom::Memory) => return Err(OutOfMemory),
                Err(NoRoom::Segment) => self.split(heap, hash)?,
            }
        }
    }

    /// Writes another record for the same key; returns where it lies now.
    pub(crate) fn replace(
        &mut self,
        heap: &mut Heap,
        key: Key<'_>,
        position: Position,
        record: &[u8],
    ) -> Result<Position, OutOfMemory> {
        let Position { segment, slot } = position;
        let old = segment.at(heap, slot);
        let old_body = stub_target(old);
        let old_class = ClassId::read(heap.resolve(old)).0;
        let old_bytes = heap.inline_len(old);
        let new_class = ClassId::read(record).0;
        let mut position = position;
        let in_place = match old_body {
            Some(at) if record.len() > INLINE_BYTES_MAX => heap.bodies.replace(at, record)?,
            _ => false,
        };
        if !in_place {
            self.epoch = self.epoch.wrapping_add(1);
            let short = Short::new(heap, self.number, record)?;
            loop {
                let Position { segment, slot } = position;
                match segment.replace(heap, slot, old_bytes, short.bytes()) {
                    Ok(()) => break,
                    Err(NoRoom::Segment) if self.split(heap, key.hash).is_ok() => {
                        position = self.locate(heap, key).ok_or(OutOfMemory)?;
                    }
                    Err(_) => {
                        short.abandon(heap);
                        return Err(OutOfMemory);
                    }
                }
            }
            if let Some(at) = old_body {
                heap.bodies.remove(at);
            }
            if short.bytes().len() < old_bytes && position.segment.tidy(heap) {
                position = self.locate(heap, key).ok_or(OutOfMemory)?;
            }
        }
        if new_class != old_class {
            heap.classes.retain(new_class);
            heap.classes.release(old_class);
        }
        Ok(position)
    }

    /// Replaces `range` of the record at a position by other bytes, if that can be done where it
    /// lies; says whether it could.
    pub(crate) fn splice(
        &self,
        heap: &mut Heap,
        Position { segment, slot }: Position,
        range: Range<usize>,
        bytes: &[u8],
    ) -> bool {
        let old = segment.at(heap, slot);
        let is_inline = stub_target(old).is_none()
            && heap.inline_len(old) + bytes.len() <= INLINE_BYTES_MAX + range.len();
        is_inline && segment.splice(heap, slot, range, bytes)
    }

    /// Takes a record out.
    pub(crate) fn remove(&mut self, heap: &mut Heap, hash: u64, position: Position) {
        self.take_out(heap, position);
        self.settle(heap, hash);
    }

    /// Takes a record out, and leaves the room it had to [`settle`](Self::settle).
    fn take_out(&mut self, heap: &mut Heap, Position { segment, slot }: Position) {
        self.epoch = self.epoch.wrapping_add(1);
        let bytes = segment.at(heap, slot);
        let body = stub_target(bytes);
        let class = ClassId::read(heap.resolve(bytes)).0;
        let inline_bytes = heap.inline_len(bytes);
        segment.remove(heap, slot, inline_bytes);
        if let Some(at) = body {
            heap.bodies.remove(at);
        }
        heap.classes.release(class);
        self.keys -= 1;
    }

    /// Gives back what the segment of this hash has no use for, and lets small segments become one.
    fn settle(&mut self, heap: &mut Heap, hash: u64) {
        self.epoch = self.epoch.wrapping_add(1);
        if self.keys == 0 {
            self.clear(heap);
            return;
        }
        let Some(segment) = self.segment(hash) else { return };
        segment.tidy(heap);
        let depth = segment.depth(heap);
        if depth == 0 || segment.keys(heap) % 8 != 0 {
            return;
        }
        let sibling_hash = hash ^ 1 << (u64::BITS - depth);
        let Some(sibling) = self.segment(sibling_hash) else { return };
        if !segment.merges_with(heap, sibling) {
            return;
        }
        let is_lower = hash < sibling_hash;
        let (lower, upper) = if is_lower { (segment, sibling) } else { (sibling, segment) };
        if lower.merge(heap, upper).is_ok() {
            self.segments -= 1;
            let entries = self.entries_of(hash, depth - 1);
            self.directory[entries].fill(lower.0.0);
            self.halve(heap);
        }
    }

    /// Takes every record out.
    pub(crate) fn clear(&mut self, heap: &mut Heap) {
        let segments: Vec<Segment> = self.segments(heap).collect();
        for segment in segments {
            drop_records(segment, heap);
        }
        *self = Self { epoch: self.epoch.wrapping_add(1), ..Self::new(self.number) };
    }

    /// Takes out the records of the last segments, at least `budget` of them; says whether any is
    /// left. Nothing else may be done with the table from then on.
    pub(crate) fn shed(&mut self, heap: &mut Heap, budget: usize) -> bool {
        let mut shed = 0;
        while shed < budget {
            let Some(&last) = self.directory.last() else { return false };
            let segment = Segment(ChunkId(last));
            shed += segment.keys(heap).max(1);
            let entries = 1 << (self.depth - segment.depth(heap));
            self.directory.truncate(self.directory.len() - entries);
            drop_records(segment, heap);
        }
        !self.directory.is_empty()
    }

    /// Every segment, in hash order.
    fn segments<'a>(&'a self, heap: &'a Heap) -> impl Iterator<Item = Segment> + 'a {
        let mut entry = 0;
        std::iter::from_fn(move || {
            let segment = Segment(ChunkId(*self.directory.get(entry)?));
            entry += 1 << (self.depth - segment.depth(heap));
            Some(segment)
        })
    }

    /// Shows every record, in hash order.
    pub(crate) fn for_each<'a>(&self, heap: &'a Heap, mut visit: impl FnMut(Record<'a>)) {
        for segment in self.segments(heap) {
            let mut next = segment.first_from(heap, 0, 0);
            while let Some(slot) = next {
                visit(self.record(heap, Position { segment, slot }));
                next = segment.first_from(heap, slot + 1, 0);
            }
        }
    }

    /// A list of where the records lie, to reach the nth.
    pub(crate) fn ranking<'a>(&'a self, heap: &'a Heap) -> Ranking<'a> {
        let segments: Vec<Segment> = self.segments(heap).collect();
        let mut records = 0;
        let ends = segments.iter().map(|segment| {
            records += segment.keys(heap);
            records
        });
        Ranking { ends: ends.collect(), segments, table: self, heap }
    }

    /// The record that is drawn by a random number: all are equally likely. `random` gives numbers
    /// below a bound.
    pub(crate) fn draw<'a>(
        &self,
        heap: &'a Heap,
        mut random: impl FnMut(usize) -> usize,
    ) -> Option<Record<'a>> {
        if self.keys == 0 {
            return None;
        }
        // A segment and a number; and again, as long as the segment has no so many records. Segments
        // of several entries are met more often, so they must be luckier then.
        loop {
            let segment = Segment(ChunkId(self.directory[random(self.directory.len())]));
            let entries = 1 << (self.depth - segment.depth(heap));
            let rank = random(SLOTS_MAX * entries);
            if rank >= segment.keys(heap) {
                continue;
            }
            let slot = nth_slot(segment, heap, rank)?;
            return Some(self.record(heap, Position { segment, slot }));
        }
    }

    /// Goes through records in hash order from `from`, a position of `bits` bits, shows them to
    /// `visit`, and returns the position to go on from, 0 after the last. It stops when it has
    /// shown `count` records, but not between records of one position; or when it has seen ten times
    /// as many segments, so that a table that is almost empty takes no longer than a full one.
    pub(crate) fn scan<'a>(
        &self,
        heap: &'a Heap,
        from: u64,
        bits: u32,
        count: usize,
        mut visit: impl FnMut(Record<'a>),
    ) -> u64 {
        let shift = u64::BITS - bits;
        if from > u64::MAX >> shift {
            return 0;
        }
        let mut hash = from << shift;
        let mut shown = 0;
        let mut previous = None;
        for _ in 0..count.saturating_mul(10) {
            let Some(segment) = self.segment(hash) else { return 0 };
            let depth = segment.depth(heap);
            let begin = hash.checked_shr(u64::BITS - depth).unwrap_or(0);
            let begin = begin.checked_shl(u64::BITS - depth).unwrap_or(0);
            let mut next = segment.first_from(heap, 0, tag_of(hash, depth));
            while let Some(slot) = next {
                let tag = u64::from(segment.slot(heap, slot) >> 16);
                let position = (begin | (tag << 48 >> depth)) >> shift;
                if shown >= count && previous != Some(position) {
                    return position;
                }
                visit(self.record(heap, Position { segment, slot }));
                shown += 1;
                previous = Some(position);
                next = segment.first_from(heap, slot + 1, 0);
            }
            let low_bits = u64::MAX.checked_shr(depth).unwrap_or(0);
            match (hash | low_bits).checked_add(1) {
                Some(end) => hash = end,
                None => return 0,
            }
            if shown >= count {
                break;
            }
        }
        hash >> shift
    }

    /// Starts to read the slot of a hash.
    #[inline]
    pub(crate) fn prefetch_slot(&self, heap: &Heap, hash: u64) {
        if let Some(segment) = self.segment(hash) {
            segment.prefetch_slot(heap, hash);
        }
    }

    /// Starts to read the record that probably has this hash, once its slot is there, and says where
    /// that is.
    #[inline]
    pub(crate) fn prefetch_record(&self, heap: &Heap, hash: u64) -> Option<Hint> {
        let segment = self.segment(hash)?;
        let slot = segment.find(heap, hash, |bytes| {
            prefetch(&bytes[0]);
            if let Some(next_line) = bytes.get(64) {
                prefetch(next_line);
            }
            true
        })?;
        Some(Hint { position: Position { segment, slot }, epoch: self.epoch })
    }

    /// Starts to read the body of a record, if it has one, once what stands for it is there.
    #[inline]
    pub(crate) fn prefetch_body(&self, heap: &Heap, Hint { position, .. }: Hint) {
        if let Some(at) = stub_target(position.segment.at(heap, position.slot)) {
            let record = heap.bodies.record_unread(at);
            prefetch(&record[0]);
            if let Some(next_line) = record.get(64) {
                prefetch(next_line);
            }
        }
    }

    /// No record has an earlier deadline; `None` if none has any.
    pub(crate) fn first_deadline_ms(&self) -> Option<u64> {
        self.deadlines.iter().copied().min().filter(|&deadline_ms| deadline_ms != NEVER)
    }

    /// Notes that the record of this hash has a deadline, of its own or of a field.
    pub(crate) fn note_deadline(&mut self, heap: &mut Heap, hash: u64, deadline_ms: u64) {
        let Some(segment) = self.segment(hash) else { return };
        if self.deadlines.is_empty() {
            let groups = (self.directory.len() / GROUP_ENTRIES).max(1);
            self.deadlines = vec![NEVER; groups];
        }
        if deadline_ms < segment.deadline(heap) {
            segment.set_deadline(heap, deadline_ms);
        }
        // The segment's entries may be of several groups.
        let entries = self.entries_of(hash, segment.depth(heap));
        for group in entries.start / GROUP_ENTRIES..entries.end.div_ceil(GROUP_ENTRIES) {
            self.deadlines[group] = self.deadlines[group].min(deadline_ms);
        }
    }

    /// A segment in which a deadline may have passed, by the first of its entries; mends what was
    /// noted of groups that it looks at in vain.
    pub(crate) fn due_segment(&mut self, heap: &Heap, now_ms: u64) -> Option<DueSegment> {
        for group in 0..self.deadlines.len() {
            if self.deadlines[group] >= now_ms {
                continue;
            }
            let first = group * GROUP_ENTRIES;
            let last = (first + GROUP_ENTRIES).min(self.directory.len());
            let mut earliest = NEVER;
            for entry in first..last {
                let segment = Segment(ChunkId(self.directory[entry]));
                let deadline_ms = segment.deadline(heap);
                if deadline_ms < now_ms {
                    return Some(DueSegment { segment, entry, next: 0, earliest: NEVER });
                }
                earliest = earliest.min(deadline_ms);
            }
            self.deadlines[group] = earliest;
        }
        None
    }

    /// Shows the records of every segment in which a deadline may have passed.
    pub(crate) fn for_each_due<'a>(
        &self,
        heap: &'a Heap,
        now_ms: u64,
        mut visit: impl FnMut(Record<'a>),
    ) {
        let is_due = |&(_, &deadline_ms): &(usize, &u64)| deadline_ms < now_ms;
        for (group, _) in self.deadlines.iter().enumerate().filter(is_due) {
            let first = group * GROUP_ENTRIES;
            let last = (first + GROUP_ENTRIES).min(self.directory.len());
            let mut previous = None;
            for &head in &self.directory[first..last] {
                let segment = Segment(ChunkId(head));
                // A segment of more than a group's entries is shown with the first of them.
                let entries = 1 << (self.depth - segment.depth(heap));
                let is_first = entries <= GROUP_ENTRIES || first % entries == 0;
                if previous.replace(head) == Some(head) || !is_first {
                    continue;
                }
                if segment.deadline(heap) < now_ms {
                    let mut next = segment.first_from(heap, 0, 0);
                    while let Some(slot) = next {
                        visit(self.record(heap, Position { segment, slot }));
                        next = segment.first_from(heap, slot + 1, 0);
                    }
                }
            }
        }
    }

    /// The next record of a due segment.
    pub(crate) fn next_due(&self, heap: &Heap, due: &DueSegment) -> Option<Position> {
        let slot = due.segment.first_from(heap, due.next, 0)?;
        Some(Position { segment: due.segment, slot })
    }

    /// The record at a position of a due segment stays; it has this deadline, if any.
    pub(crate) fn keep_due(&self, due: &mut DueSegment, at: Position, deadline_ms: Option<u64>) {
        due.next = at.slot + 1;
        due.earliest = due.earliest.min(deadline_ms.unwrap_or(NEVER));
    }

    /// The record at a position of a due segment was written anew, and records of the segment may
    /// have moved: it is to be looked at again. This must be called before, for what follows.
    pub(crate) fn place_of_due(&self, heap: &Heap, at: Position) -> u32 {
        at.segment.slot(heap, at.slot) >> 16
    }

    /// Goes on with the records from a place on.
    pub(crate) fn revisit_due(&self, heap: &Heap, due: &mut DueSegment, place: u32) {
        due.next = due.segment.first_from(heap, 0, place).unwrap_or(usize::MAX);
    }

    /// The record at a position of a due segment goes.
    pub(crate) fn drop_due(&mut self, heap: &mut Heap, due: &mut DueSegment, at: Position) {
        // What lay behind may have moved up to its slot.
        due.next = at.slot;
        self.take_out(heap, at);
    }

    /// All records of a due segment were looked at.
    pub(crate) fn end_due(&mut self, heap: &mut Heap, due: &DueSegment) {
        due.segment.set_deadline(heap, due.earliest);
        self.settle_due(heap, due);
    }

    /// Not all records of a due segment were looked at.
    pub(crate) fn settle_due(&mut self, heap: &mut Heap, due: &DueSegment) {
        let hash = (due.entry as u64).checked_shl(u64::BITS - self.depth).unwrap_or(0);
        self.settle(heap, hash);
    }

    /// The body of a record was copied: its stub follows. Says whether there is such a record.
    pub(crate) fn follow(
        &self,
        heap: &mut Heap,
        hash: u64,
        from: crate::bodies::BodyRef,
        to: crate::bodies::BodyRef,
    ) -> bool {
        let Some(segment) = self.segment(hash) else { return false };
        let Some(slot) = segment.find(heap, hash, |bytes| stub_target(bytes) == Some(from)) else {
            return false;
        };
        segment.at_mut(heap, slot)[..STUB_BYTES].copy_from_slice(&stub(to));
        true
    }

    /// Moves what some segments have in extents that are being emptied, from the directory's entry
    /// on; returns the entry to go on from, `None` after the last.
    pub(crate) fn leave(
        &mut self,
        heap: &mut Heap,
        entry: usize,
        segments: usize,
    ) -> Result<Option<usize>, OutOfMemory> {
        let mut entry = entry;
        self.epoch = self.epoch.wrapping_add(1);
        for _ in 0..segments {
            let Some(&head) = self.directory.get(entry) else { return Ok(None) };
            let old = Segment(ChunkId(head));
            let depth = old.depth(heap);
            // The entry may not be the segment's first, if segments have split or merged meanwhile.
            let hash = (entry as u64).checked_shl(u64::BITS - self.depth).unwrap_or(0);
            let entries = self.entries_of(hash, depth);
            entry = entries.end;
            let new = old.leave(heap)?;
            if new != old {
                self.directory[entries].fill(new.0.0);
            }
        }
        Ok(if entry < self.directory.len() { Some(entry) } else { None })
    }

    #[inline]
    fn segment(&self, hash: u64) -> Option<Segment> {
        self.directory.get(self.entry_of(hash)).map(|&head| Segment(ChunkId(head)))
    }

    #[inline]
    fn entry_of(&self, hash: u64) -> usize {
        // At depth 0 the shift would be the whole word.
        let entry = hash.checked_shr(u64::BITS - self.depth).unwrap_or(0);
        usize::try_from(entry).unwrap_or(usize::MAX)
    }

    /// The directory's entries for the hashes that begin with the first `depth` bits of `hash`.
    fn entries_of(&self, hash: u64, depth: u32) -> Range<usize> {
        let entries = 1_usize << (self.depth - depth);
        let first = self.entry_of(hash) & !(entries - 1);
        first..first + entries
    }

    /// Splits the segment that holds `hash`.
    fn split(&mut self, heap: &mut Heap, hash: u64) -> Result<(), OutOfMemory> {
        let segment = self.segment(hash).ok_or(OutOfMemory)?;
        let depth = segment.depth(heap);
        if depth == self.depth {
            self.double()?;
        }
        let upper = segment.split(heap)?;
        self.segments += 1;
        let bit = 1_u64 << (u64::BITS - 1 - depth);
        let entries = self.entries_of(hash | bit, depth + 1);
        self.directory[entries].fill(upper.0.0);
        Ok(())
    }

    fn double(&mut self) -> Result<(), OutOfMemory> {
        if self.depth == DEPTH_MAX {
            return Err(OutOfMemory);
        }
        let mut directory = Vec::new();
        directory.try_reserve_exact(self.directory.len() * 2).map_err(|_| OutOfMemory)?;
        directory.extend(self.directory.iter().flat_map(|&head| [head, head]));
        if !self.deadlines.is_empty() && directory.len() >= 2 * GROUP_ENTRIES {
            let mut deadlines = Vec::new();
            deadlines.try_reserve_exact(self.deadlines.len() * 2).map_err(|_| OutOfMemory)?;
            deadlines.extend(self.deadlines.iter().flat_map(|&earliest| [earliest, earliest]));
            self.deadlines = deadlines;
        }
        self.directory = directory;
        self.depth += 1;
        Ok(())
    }

    /// Halves the directory if no segment needs so many entries any more.
    fn halve(&mut self, heap: &Heap) {
        while self.depth > 0 && self.segments * 2 <= self.directory.len() {
            // Merging goes on until few are left, so it is enough to look now and then.
            if self.segments > GROUP_ENTRIES && self.segments % GROUP_ENTRIES != 0 {
                return;
            }
            if self.segments(heap).any(|segment| segment.depth(heap) == self.depth) {
                return;
            }
            self.directory = self.directory.iter().copied().step_by(2).collect();
            if self.deadlines.len() > 1 {
                let pairs = self.deadlines.chunks(2).filter_map(|pair| pair.iter().copied().min());
                self.deadlines = pairs.collect();
            }
            self.depth -= 1;
        }
    }
}

/// A segment in which deadlines may have passed, being gone through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DueSegment {
    segment: Segment,
    entry: usize,
    next: usize,
    earliest: u64,
}

/// What goes into a chunk for a record: itself, or a stub and a body.
enum Short<'a> {
    Whole(&'a [u8]),
    Stub([u8; STUB_BYTES]),
}

impl<'a> Short<'a> {
    fn new(heap: &mut Heap, owner: u32, record: &'a [u8]) -> Result<Self, OutOfMemory> {
        if record.len() <= INLINE_BYTES_MAX {
            return Ok(Self::Whole(record));
        }
        Ok(Self::Stub(stub(heap.bodies.add(owner, record)?)))
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Whole(record) => record,
            Self::Stub(stub) => stub,
        }
    }

    /// It could not be put anywhere.
    fn abandon(self, heap: &mut Heap) {
        if let Some(at) = stub_target(self.bytes()) {
            heap.bodies.remove(at);
        }
    }
}

/// The records of a table by number.
#[derive(Debug)]
pub(crate) struct Ranking<'a> {
    /// How many records lie in the segments up to and including this one.
    ends: Vec<usize>,
    segments: Vec<Segment>,
    table: &'a Table,
    heap: &'a Heap,
}

impl<'a> Ranking<'a> {
    /// The record of number `rank`; `None` past the last.
    pub(crate) fn get(&self, rank: usize) -> Option<Record<'a>> {
        let place = self.ends.partition_point(|&end| end <= rank);
        let first = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        let segment = *self.segments.get(place)?;
        let slot = nth_slot(segment, self.heap, rank - first)?;
        Some(self.table.record(self.heap, Position { segment, slot }))
    }
}

/// Gives back a segment and all its records.
fn drop_records(segment: Segment, heap: &mut Heap) {
    let mut next = segment.first_from(heap, 0, 0);
    while let Some(slot) = next {
        let bytes = segment.at(heap, slot);
        let body = stub_target(bytes);
        let class = ClassId::read(heap.resolve(bytes)).0;
        heap.classes.release(class);
        if let Some(at) = body {
            heap.bodies.remove(at);
        }
        next = segment.first_from(heap, slot + 1, 0);
    }
    segment.drop_all(heap);
}

fn nth_slot(segment: Segment, heap: &Heap, rank: usize) -> Option<usize> {
    let mut slot = segment.first_from(heap, 0, 0)?;
    for _ in 0..rank {
        slot = segment.first_from(heap, slot + 1, 0)?;
    }
    Some(slot)
}
