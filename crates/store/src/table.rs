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
use crate::record::{Head, Record, head_if_key};
use crate::segment::{NEVER, NoRoom, Place, SLOTS_MAX, Segment, tag_of};

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
    place: Place,
    epoch: u32,
    moves: u32,
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
    /// Counts what moves records, but leaves the slots that lead to them.
    moves: u32,
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

/// A record that was found, until anything is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) position: Position,
    place: Place,
    head: Head,
}

impl Found {
    #[inline(always)]
    pub(crate) fn class(&self) -> Class {
        self.head.class
    }
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
            moves: 0,
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
        self.find(heap, key).map(|found| found.position)
    }

    /// The record of a key.
    #[inline(always)]
    pub(crate) fn find(&self, heap: &Heap, key: Key<'_>) -> Option<Found> {
        let mut head = None;
        let mut has_key = |bytes: &[u8]| {
            head = head_if_key(&heap.classes, heap.resolve(bytes), key.bytes);
            head.is_some()
        };
        if let Some(Hint { position, mut place, epoch, moves }) = key.hint
            && epoch == self.epoch
        {
            if moves != self.moves {
                place = position.segment.place(heap, position.slot);
            }
            if has_key(place.bytes(heap)) {
                return Some(Found { position, place, head: head? });
            }
        }
        let segment = self.segment(key.hash)?;
        let (slot, place) = segment.find(heap, key.hash, has_key)?;
        Some(Found { position: Position { segment, slot }, place, head: head? })
    }

    /// The class of the record at a position.
    #[inline]
    pub(crate) fn class(&self, heap: &Heap, position: Position) -> Class {
        let bytes = heap.resolve(position.segment.at(heap, position.slot));
        heap.classes.get(ClassId::read(bytes).0)
    }

    /// The record at a position, as if it was found there just now.
    pub(crate) fn found_at(&self, heap: &Heap, position: Position) -> Found {
        let place = position.segment.place(heap, position.slot);
        Found { position, place, head: self.record(heap, position).known() }
    }

    /// The record that was found just now; what follows it in its chunk may follow.
    #[inline(always)]
    pub(crate) fn found<'a>(&self, heap: &'a Heap, found: Found) -> Record<'a> {
        Record::of_head(&heap.classes, heap.resolve(found.place.bytes(heap)), found.head)
    }

    /// The record at a position; what follows it in its chunk may follow.
    #[inline(always)]
    pub(crate) fn record<'a>(&self, heap: &'a Heap, position: Position) -> Record<'a> {
        let bytes = heap.resolve(position.segment.at(heap, position.slot));
        Record::read(&heap.classes, bytes)
    }

    /// The bytes of the record that was found, to change what changes neither length nor class.
    #[inline(always)]
    pub(crate) fn bytes_mut<'a>(&self, heap: &'a mut Heap, found: Found) -> &'a mut [u8] {
        match stub_target(found.place.bytes(heap)) {
            Some(at) => heap.bodies.record_mut(at),
            None => found.place.bytes_mut(heap),
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

    /// Replaces `range` of the record that was found by other bytes, if that can be done where it
    /// lies; says whether it could.
    pub(crate) fn splice(
        &mut self,
        heap: &mut Heap,
        found: Found,
        range: Range<usize>,
        bytes: &[u8],
    ) -> bool {
        let old = found.place.bytes(heap);
        let becomes_shorter = bytes.len() <= range.len();
        let fits = |old_bytes: usize| old_bytes + bytes.len() <= INLINE_BYTES_MAX + range.len();
        if stub_target(old).is_some() || !(becomes_shorter || fits(heap.inline_len(old))) {
            return false;
        }
        let Position { segment, slot } = found.position;
        self.moves = self.moves.wrapping_add(1);
        let is_done = segment.splice(heap, slot, range, bytes);
        if is_done && becomes_shorter {
            segment.gather(heap);
        }
        is_done
    }

    /// Writes another record of the same class over one that has so many bytes, if that can be done
    /// where it lies; says whether it could.
    #[inline]
    pub(crate) fn splice_whole(
        &mut self,
        heap: &mut Heap,
        Position { segment, slot }: Position,
        old_bytes: usize,
        record: &[u8],
    ) -> bool {
        let is_inline = stub_target(segment.at(heap, slot)).is_none();
        self.moves = self.moves.wrapping_add(u32::from(record.len() != old_bytes));
        is_inline
            && record.len() <= INLINE_BYTES_MAX
            && segment.splice(heap, slot, 0..old_bytes, record)
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
        if lower.merge(heap, upper) == Ok(true) {
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
        random: &mut dyn FnMut(usize) -> usize,
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

    /// Starts to read the head of the segment of a hash, but for its slots.
    #[inline]
    pub(crate) fn prefetch_head(&self, heap: &Heap, hash: u64) {
        if let Some(segment) = self.segment(hash) {
            segment.prefetch_head(heap);
        }
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
        let (slot, place) = segment.find(heap, hash, |bytes| {
            prefetch(&bytes[0]);
            if let Some(next_line) = bytes.get(64) {
                prefetch(next_line);
            }
            true
        })?;
        let position = Position { segment, slot };
        Some(Hint { position, place, epoch: self.epoch, moves: self.moves })
    }

    /// Starts to read the body of a record, if it has one, once what stands for it is there.
    #[inline]
    pub(crate) fn prefetch_body(&self, heap: &Heap, Hint { place, .. }: Hint) {
        if let Some(at) = stub_target(place.bytes(heap)) {
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
        // The entries of a segment follow one another, be they of one group or of several.
        let mut previous = None;
        for (group, _) in self.deadlines.iter().enumerate().filter(is_due) {
            let first = group * GROUP_ENTRIES;
            let last = (first + GROUP_ENTRIES).min(self.directory.len());
            for &head in &self.directory[first..last] {
                let segment = Segment(ChunkId(head));
                if previous.replace(head) == Some(head) {
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
        let is_stub = |bytes: &[u8]| stub_target(bytes) == Some(from);
        let Some((slot, _)) = segment.find(heap, hash, is_stub) else { return false };
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
            if self.segments > GROUP_ENTRIES && !self.segments.is_multiple_of(GROUP_ENTRIES) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hasher::KeyHasher;
    use crate::record::{begin, write_string};
    use crate::value::Value;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// A table, and what it should hold: value and deadline by key.
    struct Pair {
        heap: Heap,
        table: Table,
        model: BTreeMap<Vec<u8>, (Vec<u8>, Option<u64>)>,
    }

    fn key_of(number: u32) -> Vec<u8> {
        if number.is_multiple_of(3) {
            format!("key {number:x} x").into()
        } else {
            format!("k:{number}").into()
        }
    }

    fn value_of(random: usize) -> Vec<u8> {
        let bytes = match random % 16 {
            0..8 => random / 16 % 30,
            8..13 => random / 16 % INLINE_BYTES_MAX,
            13..15 => random / 16 % 600,
            _ => random / 16 % 9_000,
        };
        vec![b'v'; bytes]
    }

    impl Pair {
        fn new() -> Self {
            let heap = Heap::new(&KeyHasher::with_seed(5));
            Self { heap, table: Table::new(0), model: BTreeMap::new() }
        }

        fn locate(&self, key: &[u8]) -> Option<Position> {
            self.table.locate(&self.heap, Key::new(key, self.heap.hasher.hash(key)))
        }

        fn put(&mut self, key: &[u8], value: &[u8], deadline_ms: Option<u64>) {
            let Self { heap, table, .. } = self;
            let mut record = Vec::new();
            let parsed = Value::parse(value);
            write_string(&mut heap.classes, key, parsed, deadline_ms, &mut record);
            let full_key = Key::new(key, heap.hasher.hash(key));
            let position = match table.locate(heap, full_key) {
                Some(position) => table.replace(heap, full_key, position, &record),
                None => table.insert(heap, full_key.hash, &record),
            };
            let position = position.expect("there is memory");
            assert_eq!(self.table.record(&self.heap, position).value(), parsed);
            if let Some(deadline_ms) = deadline_ms {
                self.table.note_deadline(&mut self.heap, full_key.hash, deadline_ms);
            }
            self.heap.classes.sweep();
            self.model.insert(key.to_vec(), (value.to_vec(), deadline_ms));
        }

        fn remove(&mut self, key: &[u8]) {
            let position = self.locate(key);
            assert_eq!(position.is_some(), self.model.remove(key).is_some());
            if let Some(position) = position {
                let hash = self.heap.hasher.hash(key);
                self.table.remove(&mut self.heap, hash, position);
            }
        }

        /// Replaces the end of a value where it lies, as a command would, if that can be done.
        fn splice(&mut self, key: &[u8], added: usize) {
            let Some(position) = self.locate(key) else { return };
            let record = self.table.record(&self.heap, position);
            let (at, end) = (record.body_at(), record.len());
            let Value::Bytes(old) = record.value() else { return };
            let new = vec![b's'; (old.len() + added) % 100];
            let mut encoded = Vec::new();
            crate::encoding::push_value(&mut encoded, Value::Bytes(&new));
            let found = self.table.found_at(&self.heap, position);
            if self.table.splice(&mut self.heap, found, at..end, &encoded) {
                self.model.get_mut(key).expect("it is there").0 = new;
            }
        }

        fn compact(&mut self) {
            for _ in 0..50 {
                let Some(moved) = self.heap.bodies.compact(1_000).expect("there is memory") else {
                    return;
                };
                let mut key = Vec::new();
                let hash = self.heap.hash_of(self.heap.bodies.record(moved.to), &mut key);
                assert!(self.table.follow(&mut self.heap, hash, moved.from, moved.to));
                self.heap.bodies.end_move(moved);
            }
        }

        fn leave(&mut self) {
            self.heap.heads.choose_leaving();
            self.heap.records.choose_leaving();
            let mut entry = Some(0);
            while let Some(at) = entry {
                entry = self.table.leave(&mut self.heap, at, 2).expect("there is memory");
            }
            self.heap.heads.stop_leaving();
            self.heap.records.stop_leaving();
            while self.heap.heads.release_one() || self.heap.records.release_one() {}
        }

        /// Takes out what is past, as the keyspace does.
        fn expire(&mut self, now_ms: u64) {
            let is_past = |at: Option<u64>| at.is_some_and(|at| at < now_ms);
            let mut due_shown = 0;
            self.table.for_each_due(&self.heap, now_ms, |record| {
                due_shown += usize::from(is_past(record.deadline_ms()));
            });
            let due = self.model.values().filter(|(_, at)| is_past(*at)).count();
            assert_eq!(due_shown, due);
            while let Some(mut due) = self.table.due_segment(&self.heap, now_ms) {
                while let Some(position) = self.table.next_due(&self.heap, &due) {
                    let deadline_ms = self.table.record(&self.heap, position).deadline_ms();
                    if is_past(deadline_ms) {
                        self.table.drop_due(&mut self.heap, &mut due, position);
                    } else {
                        self.table.keep_due(&mut due, position, deadline_ms);
                    }
                }
                self.table.end_due(&mut self.heap, &due);
            }
            self.model.retain(|_, (_, at)| !is_past(*at));
        }

        fn check(&self) {
            let Self { heap, table, model } = self;
            assert_eq!(table.len(), model.len());
            for (key, (value, deadline_ms)) in model {
                let record = table.record(heap, self.locate(key).expect("it was put"));
                assert_eq!(record.value(), Value::parse(value));
                assert_eq!(record.deadline_ms(), *deadline_ms);
            }
            let (mut shown, mut last, mut bytes) = (0, 0, 0);
            table.for_each(heap, |record| {
                let mut key = Vec::new();
                record.write_key(&mut key);
                assert_eq!(record.key_bytes(), key.len());
                assert!(model.contains_key(&key));
                let hash = heap.hasher.hash(&key);
                assert!(hash >> 48 >= last, "records are shown in hash order");
                (shown, last) = (shown + 1, hash >> 48);
                bytes += if record.len() > INLINE_BYTES_MAX { STUB_BYTES } else { record.len() };
            });
            assert_eq!((shown, bytes), (model.len(), heap.inline_bytes));
            let segments: Vec<Segment> = table.segments(heap).collect();
            assert_eq!(segments.len(), table.segments);
            let chunks: usize = segments.iter().map(|segment| segment.chunk_bytes(heap)).sum();
            assert_eq!(chunks, heap.heads.used_bytes() + heap.records.used_bytes());
            let ranking = table.ranking(heap);
            for rank in [0, model.len() / 2, model.len().saturating_sub(1)] {
                assert_eq!(ranking.get(rank).is_some(), rank < model.len());
            }
            assert!(ranking.get(model.len()).is_none());
            let first = model.values().filter_map(|(_, at)| *at).min();
            assert!(table.first_deadline_ms().unwrap_or(NEVER) <= first.unwrap_or(NEVER));
        }
    }

    /// What a scan has shown, and what was there all the while.
    struct Scan {
        cursor: u64,
        stayed: Vec<Vec<u8>>,
        shown: Vec<Vec<u8>>,
    }

    impl Scan {
        fn step(&mut self, pair: &Pair, count: usize) {
            self.cursor = pair.table.scan(&pair.heap, self.cursor, 43, count, |record| {
                let mut key = Vec::new();
                record.write_key(&mut key);
                self.shown.push(key);
            });
            if self.cursor == 0 {
                self.shown.sort();
                for key in &self.stayed {
                    assert!(self.shown.binary_search(key).is_ok(), "a scan must show what stays");
                }
                self.begin(pair);
            }
        }

        fn begin(&mut self, pair: &Pair) {
            self.shown.clear();
            self.stayed = pair.model.keys().cloned().collect();
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(feature = "tiny") { 256 } else { 48 }))]

        #[test]
        fn a_table_holds_what_a_map_holds(
            steps in vec((0_u8..20, any::<u32>(), any::<usize>()), 1..150),
            keys_max in prop_oneof![20_u32..200, 200_u32..6_000],
        ) {
            let mut pair = Pair::new();
            let mut scan = Scan { cursor: 0, stayed: Vec::new(), shown: Vec::new() };
            let mut now_ms = 0;
            for (step, number, random) in steps {
                let first = number % keys_max;
                let range = first..(first + 1 + number / 7 % (keys_max / 2)).min(keys_max);
                let key = key_of(first);
                match step {
                    0..4 => pair.put(&key, &value_of(random), None),
                    4..7 => for number in range {
                        let random = random.wrapping_mul(number as usize | 1) >> 7;
                        let deadline = (random % 5 == 0).then(|| now_ms + random as u64 % 90);
                        pair.put(&key_of(number), &value_of(random), deadline);
                    },
                    7..9 => pair.remove(&key),
                    9..12 => for number in range {
                        pair.remove(&key_of(number));
                    },
                    12..14 => pair.splice(&key, random % 100),
                    14 => for number in range {
                        pair.splice(&key_of(number), random % 100);
                    },
                    15 => pair.compact(),
                    16 => pair.leave(),
                    17 => {
                        now_ms += u64::from(number) % 40;
                        pair.expire(now_ms);
                    }
                    _ => scan.step(&pair, 1 + random % 30),
                }
                scan.stayed.retain(|key| pair.model.contains_key(key));
            }
            pair.check();
            for key in pair.model.keys().cloned().collect::<Vec<_>>() {
                pair.remove(&key);
            }
            pair.check();
            prop_assert_eq!(pair.heap.bodies.live_bytes(), 0);
            prop_assert_eq!(pair.table.book_bytes(), 0);
        }

        #[test]
        fn a_table_sheds_all_that_it_has(
            numbers in vec(0_u32..3_000, 1..2_000), budget in 1_usize..200, clears in any::<bool>(),
        ) {
            let mut pair = Pair::new();
            for number in numbers {
                pair.put(&key_of(number), &value_of(number as usize * 31), None);
            }
            let Pair { mut heap, mut table, .. } = pair;
            if clears {
                table.clear(&mut heap);
            } else {
                while table.shed(&mut heap, budget) {}
            }
            prop_assert_eq!((heap.inline_bytes, heap.bodies.live_bytes()), (0, 0));
            prop_assert_eq!((heap.heads.used_bytes(), heap.records.used_bytes()), (0, 0));
        }
    }

    #[test]
    fn records_that_become_shorter_where_they_lie_are_gathered() {
        let mut pair = Pair::new();
        for number in 0..2_000 {
            pair.put(&key_of(number), &[b'v'; INLINE_BYTES_MAX - 16], None);
        }
        for number in 0..2_000 {
            // To a length of 3, or 4 where the key's is longer.
            pair.splice(&key_of(number), 103 - (INLINE_BYTES_MAX - 16) % 100);
        }
        pair.check();
        let (used, inline) = (pair.heap.records.used_bytes(), pair.heap.inline_bytes);
        assert!(used < inline * 2, "{used} B for {inline} B of records");
    }

    #[test]
    fn every_record_is_drawn_as_often_as_any() {
        let mut pair = Pair::new();
        for number in 0..2_000 {
            pair.put(&key_of(number), b"v", None);
        }
        // Most of one half go, so that segments have different depths.
        for number in 0..2_000 {
            let key = key_of(number);
            if pair.heap.hasher.hash(&key) >> 63 == 0 && number % 10 > 0 {
                pair.remove(&key);
            }
        }
        let mut random = crate::random::Random::with_seed(3);
        let mut times = BTreeMap::<Vec<u8>, u32>::new();
        let draws = u32::try_from(pair.model.len() * 100).expect("they are few");
        for _ in 0..draws {
            let record = pair.table.draw(&pair.heap, &mut |bound| random.below(bound));
            let mut key = Vec::new();
            record.expect("there are records").write_key(&mut key);
            *times.entry(key).or_default() += 1;
        }
        assert_eq!(times.len(), pair.model.len());
        // A hundred times on the average: the deviation is ten, and six of it next to impossible.
        assert!(times.values().all(|times| (35..=165).contains(times)));
    }

    #[test]
    fn what_is_due_is_shown_when_a_segment_has_more_entries_than_a_group() {
        let mut pair = Pair::new();
        let numbers = if cfg!(feature = "tiny") { 2_000 } else { 150_000 };
        for number in 0..numbers {
            pair.put(&key_of(number), b"v", None);
        }
        let place = |pair: &Pair, key: &[u8]| pair.heap.hasher.hash(key) >> 61;
        let kept = (0..numbers).map(key_of).find(|key| place(&pair, key) == 3).expect("one of 8");
        pair.put(&kept, b"v", Some(10));
        for key in (0..numbers).map(key_of) {
            if place(&pair, &key) < 4 && key != kept {
                pair.remove(&key);
            }
        }
        let mut shown = 0;
        pair.table.for_each_due(&pair.heap, 11, |_| shown += 1);
        assert_eq!(shown, 1);
        pair.expire(11);
        assert!(!pair.model.contains_key(&kept));
    }

    #[test]
    fn a_scan_from_any_cursor_shows_what_lies_behind_it() {
        let mut pair = Pair::new();
        for number in 0..3_000 {
            pair.put(&key_of(number), b"v", None);
        }
        for cursor in [0, 1, 1 << 20, 1 << 42, (1 << 43) - 1] {
            let mut shown = 0;
            let next = pair.table.scan(&pair.heap, cursor, 43, usize::MAX / 10, |_| shown += 1);
            let behind = pair.model.keys().filter(|key| pair.heap.hasher.hash(key) >> 21 >= cursor);
            assert_eq!(next, 0);
            assert!(shown >= behind.count());
        }
        assert_eq!(pair.table.scan(&pair.heap, 1 << 43, 43, 10, |_| panic!("nothing is there")), 0);
    }

    #[test]
    fn a_record_of_any_form_has_the_length_that_it_says() {
        let mut heap = Heap::new(&KeyHasher::with_seed(5));
        let mut record = Vec::new();
        for deadline_ms in [None, Some(0), Some(1 << 47), Some(u64::MAX - 1)] {
            let class =
                begin(&mut heap.classes, crate::class::Form::Large, b"k", deadline_ms, &mut record);
            assert_eq!(class.deadline, deadline_ms.is_some());
            record.extend(7_u32.to_le_bytes());
            let length = record.len();
            record.extend([9; 20]);
            let read = Record::read(&heap.classes, &record);
            assert_eq!((read.len(), read.table(), read.deadline_ms()), (length, 7, deadline_ms));
        }
    }
}
