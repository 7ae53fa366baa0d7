//! How do records that are near in hash order lie together?
//!
//! A segment holds the records whose hashes begin alike: a head chunk that says where everything is,
//! slots sorted by hash, and up to 63 chunks of records.
//!
//! ```text
//! head     depth │ chunks │ keys │ bytes │ earliest deadline │ ids of slot chunks │
//!          ids of record chunks │ their used bytes │ the first 153 slots
//! slots    tag, tag, …, place, place, …      16 bits of the hash behind the segment's own;
//!          16           6 + 10               chunk and offset
//! chunk    [ record │ record │ record │ … │ room ]      packed: no holes
//! ```
//!
//! The tag says where in the slots an entry belongs, so slots are spread out again without a look at
//! the keys. Slots are probed linearly and kept in the order of tags (Celis, Larson and Munro's Robin
//! Hood hashing, 1985, with one hash for both): a search ends at the first greater tag.
//!
//! A record that changes its length moves those behind it in its chunk, at most 1 KiB, and their
//! slots are mended in one pass over the slots. So nothing is ever dead in a chunk, and there is no
//! garbage to collect.
//!
//! | cost of a key | bytes |
//! | --- | --- |
//! | slot, at 60 to 85 % full | 4.7–6.7 |
//! | head without slots, at 490–980 keys | 0.4–0.9 |
//! | half a chunk at the end, at 490–980 keys | 0.5–1 |
//! | the ends of chunks | 1–3 % of the records, more if they are all longer than 100 bytes |

use crate::chunks::{CHUNK_BYTES, CHUNK_HALVES, ChunkId};
use crate::heap::Heap;
use crate::lanes::add_to_those_within;
use crate::mapping::{OutOfMemory, prefetch};

/// A segment, by its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment(pub(crate) ChunkId);

/// Where a record lies in a segment's chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    chunk: usize,
    offset: usize,
}

/// Where the bytes of a record are, until anything is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    chunk: ChunkId,
    offset: usize,
}

impl Place {
    /// The chunk from the record on.
    #[inline(always)]
    pub(crate) fn bytes(self, heap: &Heap) -> &[u8] {
        &heap.records.bytes(self.chunk)[self.offset..]
    }

    /// The same, to change what does not change its length.
    #[inline(always)]
    pub(crate) fn bytes_mut(self, heap: &mut Heap) -> &mut [u8] {
        &mut heap.records.bytes_mut(self.chunk)[self.offset..]
    }
}

/// Why something does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// The segment is full and must be split.
    Segment,
    /// The system has no more memory.
    Memory,
}

impl From<OutOfMemory> for NoRoom {
    fn from(_: OutOfMemory) -> Self {
        Self::Memory
    }
}

/// The number of record chunks is such that no slot in use looks like an empty one.
pub(crate) const RECORD_CHUNKS_MAX: usize = if cfg!(feature = "tiny") { 12 } else { 63 };
pub(crate) const SLOT_CHUNKS_MAX: usize = if cfg!(feature = "tiny") { 2 } else { 4 };

// Words of the head, of 32 bits. The first holds depth, slot chunks, record chunks and the chunk that
// was last written to, 8 bits each; the second the keys and the bytes of records, 16 bits each.
const COUNTS: usize = 0;
const SIZES: usize = 1;
const DEADLINE: usize = 2;
const SLOT_CHUNKS: usize = 4;
const RECORD_CHUNKS: usize = SLOT_CHUNKS + SLOT_CHUNKS_MAX;

// Then words of 16 bits.
const USED: usize = (RECORD_CHUNKS + RECORD_CHUNKS_MAX) * 2;
const HEAD_TAGS: usize = (USED + RECORD_CHUNKS_MAX).next_multiple_of(2);
const HEAD_SLOTS: usize = if cfg!(feature = "tiny") { 24 } else { (CHUNK_HALVES - HEAD_TAGS) / 2 };
const _: () = assert!(HEAD_TAGS + HEAD_SLOTS * 2 <= CHUNK_HALVES);

/// The slots of a slot chunk.
const CHUNK_SLOTS: usize = if cfg!(feature = "tiny") { 32 } else { CHUNK_HALVES / 2 };
pub(crate) const SLOTS_MAX: usize = HEAD_SLOTS + SLOT_CHUNKS_MAX * CHUNK_SLOTS;

/// Some of a segment's slots: so many tags from there on, and as many places behind them.
#[derive(Clone, Copy, Debug)]
struct Run {
    chunk: ChunkId,
    tags_at: usize,
    slots: usize,
}

/// What a processor reads at once.
const LINE_BYTES: usize = 64;

/// Slots at the end where no entry belongs, for those that are driven beyond.
const SLOTS_BEYOND: usize = 16;

pub(crate) const EMPTY: u32 = u32::MAX;
const NO_PLACE: u16 = u16::MAX;
const NO_CHUNK: u32 = u32::MAX;

/// No deadline.
pub(crate) const NEVER: u64 = u64::MAX;

impl Spot {
    #[inline(always)]
    fn of(slot: u32) -> Self {
        let place = slot as usize & 0xffff;
        Self { chunk: place >> 10, offset: place & 0x3ff }
    }

    fn slot(self, tag: u32) -> u32 {
        let place = self.chunk << 10 | self.offset;
        tag << 16 | u32::try_from(place).unwrap_or(0)
    }
}

/// How many entries so many slots take.
fn keys_max(slots: usize) -> usize {
    (slots - SLOTS_BEYOND) * 85 / 100
}

fn capacity_of(slot_chunks: usize) -> usize {
    HEAD_SLOTS + slot_chunks * CHUNK_SLOTS
}

/// Where among so many slots an entry of this tag belongs.
#[inline(always)]
fn home(tag: u32, capacity: usize) -> usize {
    (tag as usize * (capacity - SLOTS_BEYOND)) >> 16
}

/// The tag of a hash in a segment of this depth.
#[inline(always)]
pub(crate) fn tag_of(hash: u64, depth: u32) -> u32 {
    ((hash << depth) >> 48) as u32
}

impl Segment {
    /// A segment without entries.
    pub(crate) fn new(heap: &mut Heap, depth: u32) -> Result<Self, OutOfMemory> {
        let segment = Self(heap.heads.take()?);
        segment.clear(heap, depth);
        Ok(segment)
    }

    /// Forgets everything, without giving chunks back.
    fn clear(self, heap: &mut Heap, depth: u32) {
        let words = heap.heads.words_mut(self.0);
        words.fill(NO_CHUNK);
        words[COUNTS] = depth;
        words[SIZES] = 0;
        heap.heads.halves_mut(self.0)[USED..HEAD_TAGS].fill(0);
    }

    #[inline(always)]
    pub(crate) fn depth(self, heap: &Heap) -> u32 {
        heap.heads.words(self.0)[COUNTS] & 0xff
    }

    #[inline(always)]
    fn count(self, heap: &Heap, shift: u32) -> usize {
        (heap.heads.words(self.0)[COUNTS] >> shift) as usize & 0xff
    }

    fn set_count(self, heap: &mut Heap, shift: u32, count: usize) {
        let word = &mut heap.heads.words_mut(self.0)[COUNTS];
        *word = *word & !(0xff << shift) | u32::try_from(count).unwrap_or(0) << shift;
    }

    #[inline(always)]
    fn slot_chunks(self, heap: &Heap) -> usize {
        self.count(heap, 8)
    }

    pub(crate) fn record_chunks(self, heap: &Heap) -> usize {
        self.count(heap, 16)
    }

    #[inline]
    pub(crate) fn keys(self, heap: &Heap) -> usize {
        heap.heads.words(self.0)[SIZES] as usize >> 16
    }

    /// The bytes of its records.
    pub(crate) fn bytes(self, heap: &Heap) -> usize {
        heap.heads.words(self.0)[SIZES] as usize & 0xffff
    }

    /// The bytes of all its chunks.
    pub(crate) fn chunk_bytes(self, heap: &Heap) -> usize {
        (1 + self.slot_chunks(heap) + self.record_chunks(heap)) * CHUNK_BYTES
    }

    fn add_keys(self, heap: &mut Heap, keys: i32) {
        let word = &mut heap.heads.words_mut(self.0)[SIZES];
        *word = word.wrapping_add_signed(keys << 16);
    }

    fn add_bytes(self, heap: &mut Heap, bytes: isize) {
        let word = &mut heap.heads.words_mut(self.0)[SIZES];
        *word = word.wrapping_add_signed(i32::try_from(bytes).unwrap_or(0));
        heap.inline_bytes = heap.inline_bytes.wrapping_add_signed(bytes);
    }

    /// No record has an earlier deadline; [`NEVER`] if none has any.
    #[inline]
    pub(crate) fn deadline(self, heap: &Heap) -> u64 {
        let words = heap.heads.words(self.0);
        u64::from(words[DEADLINE]) | u64::from(words[DEADLINE + 1]) << 32
    }

    pub(crate) fn set_deadline(self, heap: &mut Heap, deadline_ms: u64) {
        let words = heap.heads.words_mut(self.0);
        #[expect(clippy::cast_possible_truncation, reason = "two halves")]
        {
            words[DEADLINE] = deadline_ms as u32;
            words[DEADLINE + 1] = (deadline_ms >> 32) as u32;
        }
    }

    #[inline(always)]
    pub(crate) fn capacity(self, heap: &Heap) -> usize {
        capacity_of(self.slot_chunks(heap))
    }

    /// The run in which a slot is, and the slot's index there.
    #[inline(always)]
    fn run(self, heap: &Heap, index: usize) -> (Run, usize) {
        match index.checked_sub(HEAD_SLOTS) {
            None => (self.head_run(), index),
            Some(beyond) => {
                let chunk = heap.heads.words(self.0)[SLOT_CHUNKS + beyond / CHUNK_SLOTS];
                let run = Run { chunk: ChunkId(chunk), tags_at: 0, slots: CHUNK_SLOTS };
                (run, beyond % CHUNK_SLOTS)
            }
        }
    }

    #[inline(always)]
    fn head_run(self) -> Run {
        Run { chunk: self.0, tags_at: HEAD_TAGS, slots: HEAD_SLOTS }
    }

    #[inline(always)]
    pub(crate) fn slot(self, heap: &Heap, index: usize) -> u32 {
        let (run, at) = self.run(heap, index);
        let halves = heap.heads.halves(run.chunk);
        let (tag, place) = (halves[run.tags_at + at], halves[run.tags_at + run.slots + at]);
        u32::from(tag) << 16 | u32::from(place)
    }

    #[inline]
    fn set_slot(self, heap: &mut Heap, index: usize, slot: u32) {
        let (run, at) = self.run(heap, index);
        let halves = heap.heads.halves_mut(run.chunk);
        #[expect(clippy::cast_possible_truncation, reason = "two halves")]
        {
            halves[run.tags_at + at] = (slot >> 16) as u16;
            halves[run.tags_at + run.slots + at] = slot as u16;
        }
    }

    /// Shows every run of slots, to be changed: tags and places.
    #[inline]
    fn each_run(self, heap: &mut Heap, mut visit: impl FnMut(&mut [u16], &mut [u16])) {
        let chunks = self.slot_chunks(heap);
        for number in 0..=chunks {
            let first = number.checked_sub(1).map_or(0, capacity_of);
            let (run, _) = self.run(heap, first);
            let slots = &mut heap.heads.halves_mut(run.chunk)[run.tags_at..];
            let (tags, places) = slots.split_at_mut(run.slots);
            visit(tags, &mut places[..run.slots]);
        }
    }

    /// Starts to read what is in the head, but for slots.
    #[inline]
    pub(crate) fn prefetch_head(self, heap: &Heap) {
        let bytes = heap.heads.bytes(self.0);
        bytes[..USED * 2].iter().step_by(LINE_BYTES).for_each(prefetch);
    }

    /// Starts to read the slot near which an entry of this hash lies.
    #[inline]
    pub(crate) fn prefetch_slot(self, heap: &Heap, hash: u64) {
        let words = heap.heads.words(self.0);
        let capacity = capacity_of((words[COUNTS] >> 8 & 0xff) as usize);
        let index = home(tag_of(hash, words[COUNTS] & 0xff), capacity);
        let (run, at) = self.run(heap, index);
        let slots = &heap.heads.halves(run.chunk)[run.tags_at + at..];
        prefetch(&slots[0]);
        if let Some(place) = slots.get(run.slots) {
            prefetch(place);
        }
    }

    /// The slot whose entry has this hash, as far as its tag says, and `is` knows; and where its record
    /// lies.
    #[inline(always)]
    pub(crate) fn find(
        self,
        heap: &Heap,
        hash: u64,
        mut is: impl FnMut(&[u8]) -> bool,
    ) -> Option<(usize, Place)> {
        let (words, halves) = (heap.heads.words(self.0), heap.heads.halves(self.0));
        let tag = tag_of(hash, words[COUNTS] & 0xff);
        let capacity = capacity_of((words[COUNTS] >> 8 & 0xff) as usize);
        #[expect(clippy::cast_possible_truncation, reason = "a tag has 16 bits")]
        let sought = tag as u16;
        let mut index = home(tag, capacity);
        while index < capacity {
            // Slots without an entry have the greatest tag.
            let (tags, places, first) = match index.checked_sub(HEAD_SLOTS) {
                None => {
                    let slots = &halves[HEAD_TAGS..HEAD_TAGS + HEAD_SLOTS * 2];
                    let (tags, places) = slots.split_at(HEAD_SLOTS);
                    (tags, places, 0)
                }
                Some(beyond) => {
                    let number = beyond / CHUNK_SLOTS;
                    let slots = heap.heads.halves(ChunkId(words[SLOT_CHUNKS + number]));
                    let (tags, places) = slots[..CHUNK_SLOTS * 2].split_at(CHUNK_SLOTS);
                    (tags, places, HEAD_SLOTS + number * CHUNK_SLOTS)
                }
            };
            let mut at = index - first;
            while at < tags.len() && tags[at] < sought {
                at += 1;
            }
            while at < tags.len() {
                if tags[at] != sought || places[at] == NO_PLACE {
                    return None;
                }
                let spot = Spot::of(u32::from(places[at]));
                let chunk = ChunkId(words[RECORD_CHUNKS + spot.chunk]);
                let place = Place { chunk, offset: spot.offset };
                if is(place.bytes(heap)) {
                    return Some((first + at, place));
                }
                at += 1;
            }
            index = first + tags.len();
        }
        None
    }

    /// The first slot in use, from `index` on, whose tag is not less.
    #[inline]
    pub(crate) fn first_from(self, heap: &Heap, index: usize, tag: u32) -> Option<usize> {
        self.first_where(heap, index, |(&at_tag, &place)| {
            place != NO_PLACE && u32::from(at_tag) >= tag
        })
    }

    /// Where the record is that the slot leads to.
    #[inline(always)]
    pub(crate) fn place(self, heap: &Heap, index: usize) -> Place {
        let spot = Spot::of(self.slot(heap, index));
        Place { chunk: self.chunk(heap, spot.chunk), offset: spot.offset }
    }

    /// The chunk from the record on that the slot leads to.
    #[inline(always)]
    pub(crate) fn at(self, heap: &Heap, index: usize) -> &[u8] {
        self.place(heap, index).bytes(heap)
    }

    /// The same, to change what does not change its length.
    pub(crate) fn at_mut(self, heap: &mut Heap, index: usize) -> &mut [u8] {
        let spot = Spot::of(self.slot(heap, index));
        let chunk = self.chunk(heap, spot.chunk);
        &mut heap.records.bytes_mut(chunk)[spot.offset..]
    }

    #[inline(always)]
    fn chunk(self, heap: &Heap, chunk: usize) -> ChunkId {
        ChunkId(heap.heads.words(self.0)[RECORD_CHUNKS + chunk])
    }

    #[inline]
    fn used(self, heap: &Heap, chunk: usize) -> usize {
        usize::from(heap.heads.halves(self.0)[USED + chunk])
    }

    fn set_used(self, heap: &mut Heap, chunk: usize, used: usize) {
        heap.heads.halves_mut(self.0)[USED + chunk] = u16::try_from(used).unwrap_or(0);
    }

    /// Adds an entry for the record, which fits a chunk and is not here yet; returns its slot.
    pub(crate) fn insert(self, heap: &mut Heap, hash: u64, record: &[u8]) -> Result<usize, NoRoom> {
        let tag = tag_of(hash, self.depth(heap));
        if self.keys(heap) >= keys_max(self.capacity(heap)) {
            self.grow_slots(heap)?;
        }
        let spot = self.write(heap, record, None)?;
        let index = loop {
            match self.open_slot(heap, tag) {
                Some(index) => break index,
                None => {
                    if let Err(error) = self.grow_slots(heap) {
                        self.erase(heap, spot, record.len());
                        return Err(error);
                    }
                }
            }
        };
        self.set_slot(heap, index, spot.slot(tag));
        self.add_keys(heap, 1);
        Ok(index)
    }

    /// Makes an empty slot where an entry of this tag belongs, if there is room behind.
    fn open_slot(self, heap: &mut Heap, tag: u32) -> Option<usize> {
        let home = home(tag, self.capacity(heap));
        let goes_before =
            |(&at_tag, &place): (&u16, &u16)| place == NO_PLACE || u32::from(at_tag) > tag;
        let index = self.first_where(heap, home, goes_before)?;
        let mut empty = self.first_where(heap, index, |(_, &place)| place == NO_PLACE)?;
        while empty > index {
            // What lies between moves up by one, run by run, and so does the last of the run before.
            let (run, at) = self.run(heap, empty);
            let first = at.saturating_sub(empty - index);
            let slots = &mut heap.heads.halves_mut(run.chunk)[run.tags_at..];
            slots.copy_within(first..at, first + 1);
            slots.copy_within(run.slots + first..run.slots + at, run.slots + first + 1);
            empty -= at - first;
            if empty > index {
                self.set_slot(heap, empty, self.slot(heap, empty - 1));
                empty -= 1;
            }
        }
        Some(index)
    }

    /// The first slot, from `index` on, whose tag and place are as asked.
    #[inline]
    fn first_where(
        self,
        heap: &Heap,
        mut index: usize,
        mut is: impl FnMut((&u16, &u16)) -> bool,
    ) -> Option<usize> {
        let capacity = self.capacity(heap);
        while index < capacity {
            let (run, at) = self.run(heap, index);
            let slots = &heap.heads.halves(run.chunk)[run.tags_at..run.tags_at + run.slots * 2];
            let (tags, places) = slots.split_at(run.slots);
            match tags[at..].iter().zip(&places[at..]).position(&mut is) {
                Some(offset) => return Some(index + offset),
                None => index += run.slots - at,
            }
        }
        None
    }

    /// Takes out the entry at a slot, whose record has so many bytes in its chunk.
    pub(crate) fn remove(self, heap: &mut Heap, index: usize, bytes: usize) {
        let spot = Spot::of(self.slot(heap, index));
        self.close_slot(heap, index);
        self.add_keys(heap, -1);
        self.erase(heap, spot, bytes);
    }

    fn close_slot(self, heap: &mut Heap, index: usize) {
        let capacity = self.capacity(heap);
        let mut at = index;
        while at + 1 < capacity {
            let next = self.slot(heap, at + 1);
            if next == EMPTY || home(next >> 16, capacity) > at {
                break;
            }
            self.set_slot(heap, at, next);
            at += 1;
        }
        self.set_slot(heap, at, EMPTY);
    }

    /// Replaces `range` of the record at a slot by other bytes, if its chunk has room; says whether
    /// it had.
    pub(crate) fn splice(
        self,
        heap: &mut Heap,
        index: usize,
        range: std::ops::Range<usize>,
        bytes: &[u8],
    ) -> bool {
        let Spot { chunk, offset } = Spot::of(self.slot(heap, index));
        let used = self.used(heap, chunk);
        let now_used = used + bytes.len() - range.len();
        if now_used > CHUNK_BYTES {
            return false;
        }
        let id = self.chunk(heap, chunk);
        let (start, end) = (offset + range.start, offset + range.end);
        let content = heap.records.bytes_mut(id);
        if range.len() != bytes.len() {
            content.copy_within(end..used, start + bytes.len());
        }
        content[start..start + bytes.len()].copy_from_slice(bytes);
        if used != now_used {
            let shift = bytes.len().cast_signed() - range.len().cast_signed();
            if end < used {
                self.shift_behind(heap, chunk, offset, shift);
            }
            self.set_used(heap, chunk, now_used);
            self.add_bytes(heap, shift);
        }
        true
    }

    /// Writes another record in the place of the one at a slot, which has so many bytes.
    pub(crate) fn replace(
        self,
        heap: &mut Heap,
        index: usize,
        old_bytes: usize,
        record: &[u8],
    ) -> Result<(), NoRoom> {
        if self.splice(heap, index, 0..old_bytes, record) {
            return Ok(());
        }
        let old = Spot::of(self.slot(heap, index));
        let new = self.write(heap, record, Some(old.chunk))?;
        let tag = self.slot(heap, index) >> 16;
        self.set_slot(heap, index, new.slot(tag));
        self.erase(heap, old, old_bytes);
        Ok(())
    }

    /// Writes a record into a chunk that has room, but not into `other_than`.
    fn write(
        self,
        heap: &mut Heap,
        record: &[u8],
        other_than: Option<usize>,
    ) -> Result<Spot, NoRoom> {
        let (chunk, offset) = match self.room_for(heap, record.len(), other_than) {
            Some(chunk) => (chunk, self.used(heap, chunk)),
            None => (self.add_chunk(heap)?, 0),
        };
        let id = self.chunk(heap, chunk);
        heap.records.bytes_mut(id)[offset..offset + record.len()].copy_from_slice(record);
        self.set_used(heap, chunk, offset + record.len());
        self.add_bytes(heap, record.len().cast_signed());
        Ok(Spot { chunk, offset })
    }

    fn room_for(self, heap: &mut Heap, bytes: usize, other_than: Option<usize>) -> Option<usize> {
        let last = self.count(heap, 24);
        let (words, halves) = (heap.heads.words(self.0), heap.heads.halves(self.0));
        let has_room = |chunk: usize| {
            usize::from(halves[USED + chunk]) + bytes <= CHUNK_BYTES
                && words[RECORD_CHUNKS + chunk] != NO_CHUNK
                && other_than != Some(chunk)
        };
        if has_room(last) {
            return Some(last);
        }
        let found = (0..RECORD_CHUNKS_MAX).find(|&chunk| has_room(chunk))?;
        self.set_count(heap, 24, found);
        Some(found)
    }

    fn add_chunk(self, heap: &mut Heap) -> Result<usize, NoRoom> {
        let ids = &heap.heads.words(self.0)[RECORD_CHUNKS..RECORD_CHUNKS + RECORD_CHUNKS_MAX];
        let chunk = ids.iter().position(|&id| id == NO_CHUNK).ok_or(NoRoom::Segment)?;
        let id = heap.records.take()?;
        heap.heads.words_mut(self.0)[RECORD_CHUNKS + chunk] = id.0;
        self.set_used(heap, chunk, 0);
        self.set_count(heap, 16, self.record_chunks(heap) + 1);
        self.set_count(heap, 24, chunk);
        Ok(chunk)
    }

    fn drop_chunk(self, heap: &mut Heap, chunk: usize) {
        heap.records.give_back(self.chunk(heap, chunk));
        heap.heads.words_mut(self.0)[RECORD_CHUNKS + chunk] = NO_CHUNK;
        self.set_used(heap, chunk, 0);
        self.set_count(heap, 16, self.record_chunks(heap) - 1);
    }

    /// Closes the gap that a record leaves.
    fn erase(self, heap: &mut Heap, spot: Spot, bytes: usize) {
        let used = self.used(heap, spot.chunk);
        let id = self.chunk(heap, spot.chunk);
        heap.records.bytes_mut(id).copy_within(spot.offset + bytes..used, spot.offset);
        self.shift_behind(heap, spot.chunk, spot.offset, -bytes.cast_signed());
        self.set_used(heap, spot.chunk, used - bytes);
        self.add_bytes(heap, -bytes.cast_signed());
        if used == bytes {
            self.drop_chunk(heap, spot.chunk);
        }
    }

    /// Mends the slots of the records behind one that changed its length.
    fn shift_behind(self, heap: &mut Heap, chunk: usize, offset: usize, bytes: isize) {
        #[expect(clippy::cast_possible_truncation, reason = "places have 16 bits")]
        let (first, count) = ((chunk << 10 | offset) as u16 + 1, (0x3ff - offset) as u16);
        #[expect(clippy::cast_possible_truncation, reason = "at most the length of a chunk")]
        let bytes = (bytes as i16).cast_unsigned();
        // An empty slot is in no chunk that there can be.
        self.each_run(heap, |_, places| add_to_those_within(places, first, count, bytes));
    }

    /// A chunk more for slots.
    fn grow_slots(self, heap: &mut Heap) -> Result<(), NoRoom> {
        let chunks = self.slot_chunks(heap);
        if chunks == SLOT_CHUNKS_MAX {
            return Err(NoRoom::Segment);
        }
        let chunk = heap.heads.take()?;
        heap.heads.words_mut(self.0)[SLOT_CHUNKS + chunks] = chunk.0;
        let mut entries = Entries::of(self, heap);
        self.set_count(heap, 8, chunks + 1);
        if !self.lay_out(heap, entries.sorted()) {
            // Many hashes begin alike, and more room does not part them.
            self.set_count(heap, 8, chunks);
            self.lay_out(heap, entries.sorted());
            heap.heads.give_back(chunk);
            return Err(NoRoom::Segment);
        }
        Ok(())
    }

    /// Gives back chunks of slots of which there are too many, and gathers records that lie in too
    /// many chunks: some of both, a bounded step. Says whether anything moved.
    pub(crate) fn tidy(self, heap: &mut Heap) -> bool {
        let mut moved = false;
        let slot_chunks = self.slot_chunks(heap);
        if slot_chunks > 0 && self.keys(heap) * 10 < keys_max(capacity_of(slot_chunks - 1)) * 7 {
            let mut entries = Entries::of(self, heap);
            let last = heap.heads.words(self.0)[SLOT_CHUNKS + slot_chunks - 1];
            self.set_count(heap, 8, slot_chunks - 1);
            if self.lay_out(heap, entries.sorted()) {
                heap.heads.give_back(ChunkId(last));
            } else {
                self.set_count(heap, 8, slot_chunks);
                self.lay_out(heap, entries.sorted());
            }
            moved = true;
        }
        moved | self.gather(heap)
    }

    /// Gathers records that lie in too many chunks, a bounded step. No slot moves. Says whether any
    /// record did.
    pub(crate) fn gather(self, heap: &mut Heap) -> bool {
        let chunks = self.record_chunks(heap);
        let is_loose = chunks > 1
            && self.bytes(heap) + CHUNK_BYTES * (1 + chunks / 12) + CHUNK_BYTES / 2
                < chunks * CHUNK_BYTES;
        if is_loose {
            self.empty_a_chunk(heap);
        }
        is_loose
    }

    /// Moves the records of the chunk that has the fewest bytes to the others.
    fn empty_a_chunk(self, heap: &mut Heap) {
        let is_there = |&chunk: &usize| self.chunk(heap, chunk).0 != NO_CHUNK;
        let chunks = (0..RECORD_CHUNKS_MAX).filter(is_there);
        let Some(chunk) = chunks.min_by_key(|&chunk| self.used(heap, chunk)) else { return };
        let capacity = self.capacity(heap);
        let mut moved = [0; CHUNK_BYTES];
        for index in 0..capacity {
            let slot = self.slot(heap, index);
            if slot == EMPTY || Spot::of(slot).chunk != chunk {
                continue;
            }
            let bytes = heap.inline_len(self.at(heap, index));
            moved[..bytes].copy_from_slice(&self.at(heap, index)[..bytes]);
            let Some(target) = self.room_for(heap, bytes, Some(chunk)) else { return };
            let offset = self.used(heap, target);
            let id = self.chunk(heap, target);
            heap.records.bytes_mut(id)[offset..offset + bytes].copy_from_slice(&moved[..bytes]);
            self.set_used(heap, target, offset + bytes);
            self.add_bytes(heap, bytes.cast_signed());
            self.set_slot(heap, index, Spot { chunk: target, offset }.slot(slot >> 16));
            self.erase(heap, Spot::of(slot), bytes);
        }
    }

    /// Moves the segment's chunks out of extents that are being emptied; returns its head, which
    /// may be another one, and whether anything moved.
    pub(crate) fn leave(self, heap: &mut Heap) -> Result<Self, OutOfMemory> {
        for chunk in 0..RECORD_CHUNKS_MAX {
            let id = self.chunk(heap, chunk);
            if id.0 != NO_CHUNK && heap.records.leaves(id) {
                let copy = heap.records.take()?;
                let content = *heap.records.words(id);
                *heap.records.words_mut(copy) = content;
                heap.records.give_back(id);
                heap.heads.words_mut(self.0)[RECORD_CHUNKS + chunk] = copy.0;
            }
        }
        let mut segment = self;
        for place in 0..=self.slot_chunks(heap) {
            let id = match place.checked_sub(1) {
                None => segment.0,
                Some(chunk) => ChunkId(heap.heads.words(segment.0)[SLOT_CHUNKS + chunk]),
            };
            if !heap.heads.leaves(id) {
                continue;
            }
            let copy = heap.heads.take()?;
            let content = *heap.heads.words(id);
            *heap.heads.words_mut(copy) = content;
            heap.heads.give_back(id);
            match place.checked_sub(1) {
                None => segment = Self(copy),
                Some(chunk) => heap.heads.words_mut(segment.0)[SLOT_CHUNKS + chunk] = copy.0,
            }
        }
        Ok(segment)
    }

    /// Spreads entries, which are sorted, over the slots; says whether they fit.
    fn lay_out(self, heap: &mut Heap, entries: &[u32]) -> bool {
        self.each_run(heap, |tags, places| {
            tags.fill(NO_PLACE);
            places.fill(NO_PLACE);
        });
        let capacity = self.capacity(heap);
        let mut next = 0;
        for &entry in entries {
            let index = home(entry >> 16, capacity).max(next);
            if index >= capacity {
                return false;
            }
            self.set_slot(heap, index, entry);
            next = index + 1;
        }
        true
    }

    /// Splits it by the next bit of its hashes: it keeps the lower half and returns the upper.
    pub(crate) fn split(self, heap: &mut Heap) -> Result<Self, OutOfMemory> {
        let depth = self.depth(heap) + 1;
        // All is asked for now, so that nothing can fail half way.
        heap.records.reserve(self.record_chunks(heap) / 4 + 8)?;
        heap.heads.reserve(2 * SLOT_CHUNKS_MAX + 1)?;
        let upper = Self::new(heap, depth)?;
        let mut entries = Entries::of(self, heap);
        let entries = &mut entries.entries[..entries.count];
        entries.sort_unstable_by_key(|entry| entry & 0xffff);
        let mut halves = [Entries::default(), Entries::default()];
        let deadline = self.deadline(heap);
        let (chunks, slot_chunks) = self.chunks(heap);
        heap.inline_bytes -= self.bytes(heap);
        self.clear(heap, depth);
        let mut key = std::mem::take(&mut heap.values);
        for group in entries.chunk_by(|a, b| Spot::of(*a).chunk == Spot::of(*b).chunk) {
            let id = chunks[Spot::of(group[0]).chunk];
            let content = *heap.records.bytes(id);
            heap.records.give_back(id);
            for &entry in group {
                let tail = &content[Spot::of(entry).offset..];
                let hash = heap.hash_of(heap.resolve(tail), &mut key);
                let record = &tail[..heap.inline_len(tail)];
                let half = usize::from(hash << (depth - 1) >> 63 != 0);
                let segment = [self, upper][half];
                let spot = segment.write(heap, record, None).map_err(|_| OutOfMemory)?;
                halves[half].push(spot.slot(tag_of(hash, depth)));
            }
        }
        heap.values = key;
        for chunk in slot_chunks.into_iter().filter(|chunk| chunk.0 != EMPTY) {
            heap.heads.give_back(chunk);
        }
        for (segment, half) in [self, upper].into_iter().zip(&mut halves) {
            segment.set_deadline(heap, deadline);
            segment.adopt(heap, half)?;
        }
        Ok(upper)
    }

    /// Takes over entries whose records it has, into slots of its own that are empty.
    fn adopt(self, heap: &mut Heap, entries: &mut Entries) -> Result<(), OutOfMemory> {
        self.add_keys(heap, i32::try_from(entries.count).unwrap_or(0));
        for place in 0..entries.slot_chunks().ok_or(OutOfMemory)? {
            let chunk = heap.heads.take()?;
            heap.heads.words_mut(self.0)[SLOT_CHUNKS + place] = chunk.0;
            self.set_count(heap, 8, place + 1);
        }
        self.lay_out(heap, entries.sorted());
        Ok(())
    }

    /// The ids of its chunks, of records and of slots.
    fn chunks(self, heap: &Heap) -> ([ChunkId; RECORD_CHUNKS_MAX], [ChunkId; SLOT_CHUNKS_MAX]) {
        let words = heap.heads.words(self.0);
        let records = std::array::from_fn(|chunk| ChunkId(words[RECORD_CHUNKS + chunk]));
        let chunks = self.slot_chunks(heap);
        let slots = std::array::from_fn(|chunk| {
            ChunkId(if chunk < chunks { words[SLOT_CHUNKS + chunk] } else { EMPTY })
        });
        (records, slots)
    }

    /// Whether it and its sibling are small enough to be one.
    pub(crate) fn merges_with(self, heap: &Heap, sibling: Self) -> bool {
        self.depth(heap) == sibling.depth(heap)
            && (self.keys(heap) + sibling.keys(heap)) * 5 < keys_max(SLOTS_MAX) * 2
            && (self.record_chunks(heap) + sibling.record_chunks(heap)) * 2 < RECORD_CHUNKS_MAX
    }

    /// Takes everything that its sibling with the next greater hashes has, if that fits; says whether
    /// it did. No record moves.
    pub(crate) fn merge(self, heap: &mut Heap, upper: Self) -> Result<bool, OutOfMemory> {
        let depth = self.depth(heap) - 1;
        let (mut merged, upper_entries) = (Entries::of(self, heap), Entries::of(upper, heap));
        for entry in &mut merged.entries[..merged.count] {
            *entry = *entry >> 17 << 16 | *entry & 0xffff;
        }
        let (chunks, upper_slots) = upper.chunks(heap);
        let Some(places) = self.places_for(heap, &chunks) else { return Ok(false) };
        for &entry in &upper_entries.entries[..upper_entries.count] {
            let Spot { chunk, offset } = Spot::of(entry);
            merged.push(Spot { chunk: places[chunk], offset }.slot(0x8000 | entry >> 17));
        }
        // All is known to fit, and is at hand, before anything changes.
        let Some(slot_chunks) = merged.slot_chunks() else { return Ok(false) };
        heap.heads.reserve(slot_chunks)?;
        for (chunk, id) in chunks.into_iter().enumerate().filter(|(_, id)| id.0 != NO_CHUNK) {
            let used = upper.used(heap, chunk);
            heap.heads.words_mut(self.0)[RECORD_CHUNKS + places[chunk]] = id.0;
            self.set_used(heap, places[chunk], used);
            self.set_count(heap, 16, self.record_chunks(heap) + 1);
        }
        let bytes = upper.bytes(heap).cast_signed();
        self.add_bytes(heap, bytes);
        heap.inline_bytes -= bytes.cast_unsigned();
        self.set_deadline(heap, self.deadline(heap).min(upper.deadline(heap)));
        let (_, slots) = self.chunks(heap);
        for chunk in slots.into_iter().chain(upper_slots).filter(|chunk| chunk.0 != EMPTY) {
            heap.heads.give_back(chunk);
        }
        heap.heads.give_back(upper.0);
        let keys = self.keys(heap);
        self.add_keys(heap, -i32::try_from(keys).unwrap_or(0));
        let word = &mut heap.heads.words_mut(self.0)[COUNTS];
        *word = *word & 0xffff_0000 | depth;
        self.adopt(heap, &mut merged)?;
        Ok(true)
    }

    /// Where each of another segment's record chunks would go, if there is room for all.
    fn places_for(
        self,
        heap: &Heap,
        chunks: &[ChunkId; RECORD_CHUNKS_MAX],
    ) -> Option<[usize; RECORD_CHUNKS_MAX]> {
        let ids = &heap.heads.words(self.0)[RECORD_CHUNKS..RECORD_CHUNKS + RECORD_CHUNKS_MAX];
        let mut vacant = (0..RECORD_CHUNKS_MAX).filter(|&place| ids[place] == NO_CHUNK);
        let mut places = [0; RECORD_CHUNKS_MAX];
        for (place, id) in places.iter_mut().zip(chunks) {
            if id.0 != NO_CHUNK {
                *place = vacant.next()?;
            }
        }
        Some(places)
    }

    /// Gives back all that it has.
    pub(crate) fn drop_all(self, heap: &mut Heap) {
        let (records, slots) = self.chunks(heap);
        for chunk in records.into_iter().filter(|chunk| chunk.0 != NO_CHUNK) {
            heap.records.give_back(chunk);
        }
        for chunk in slots.into_iter().filter(|chunk| chunk.0 != EMPTY) {
            heap.heads.give_back(chunk);
        }
        heap.inline_bytes -= self.bytes(heap);
        heap.heads.give_back(self.0);
    }
}

/// Entries of a segment, taken out of its slots.
struct Entries {
    entries: [u32; SLOTS_MAX],
    count: usize,
}

impl Default for Entries {
    fn default() -> Self {
        Self { entries: [EMPTY; SLOTS_MAX], count: 0 }
    }
}

impl Entries {
    fn of(segment: Segment, heap: &mut Heap) -> Self {
        let mut all = Self::default();
        segment.each_run(heap, |tags, places| {
            for (&tag, &place) in tags.iter().zip(&*places).filter(|&(_, &place)| place != NO_PLACE)
            {
                all.push(u32::from(tag) << 16 | u32::from(place));
            }
        });
        all
    }

    fn push(&mut self, entry: u32) {
        self.entries[self.count] = entry;
        self.count += 1;
    }

    /// How many slot chunks they need so that each gets a slot where it belongs or soon behind; none
    /// if that cannot be, since too many begin alike.
    fn slot_chunks(&mut self) -> Option<usize> {
        let entries = self.sorted();
        let fits = |capacity: usize| {
            let end =
                entries.iter().fold(0, |end, &entry| home(entry >> 16, capacity).max(end) + 1);
            end <= capacity
        };
        (0..=SLOT_CHUNKS_MAX).find(|&chunks| {
            let capacity = capacity_of(chunks);
            (entries.len() <= keys_max(capacity) || chunks == SLOT_CHUNKS_MAX) && fits(capacity)
        })
    }

    fn sorted(&mut self) -> &[u32] {
        let entries = &mut self.entries[..self.count];
        entries.sort_unstable();
        entries
    }
}
