//! How is memory cut into pieces that never leave holes?
//!
//! Everything small lies in chunks of one size, cut from extents of 2 MiB that come from the system.
//! A chunk that is given back fits whatever is asked for next, so there is no fragmentation; and
//! what uses a chunk can be told to move to another ([`Chunks::leaves`]), so that extents that are
//! almost empty can be emptied and given back.
//!
//! ```text
//! extent   [ chunk │ chunk │ free │ chunk │ free │ … │ fresh, never written ]   2,048 × 1 KiB
//!                              └── 16 bits: the next free chunk of the extent
//! ```
//!
//! | cost | bytes |
//! | --- | --- |
//! | a chunk | 1,024 |
//! | an extent | 64 beside its chunks |

use std::collections::BTreeSet;

use crate::mapping::{EXTENT_PIECES, Extents, OutOfMemory, PIECE_BYTES};

/// The bytes of a chunk.
pub(crate) const CHUNK_BYTES: usize = PIECE_BYTES;

/// The 16-bit words of a chunk.
pub(crate) const CHUNK_HALVES: usize = CHUNK_BYTES / 2;

/// The 32-bit words of a chunk.
pub(crate) const CHUNK_WORDS: usize = CHUNK_BYTES / 4;

const EXTENT_CHUNKS_LOG2: u32 = if cfg!(feature = "tiny") { 4 } else { 11 };
const EXTENT_CHUNKS: u16 = 1 << EXTENT_CHUNKS_LOG2;
const _: () = assert!(EXTENT_CHUNKS as usize == EXTENT_PIECES);

/// The end of an extent's list of free chunks.
const NO_CHUNK: u16 = u16::MAX;

/// Extents are emptied when more than one part in so many of all chunks lies idle.
const IDLE_SHARE: usize = 8;

/// While much lies idle, it is news that so many chunks more do.
const NEWS_CHUNKS: usize = 256;

/// Which chunk. Another one may bear the same number after it was given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChunkId(pub(crate) u32);

/// Chunks of [`CHUNK_BYTES`].
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    memory: Extents,
    /// What is known of each extent; nothing that counts, where there is none.
    extents: Vec<Extent>,
    /// Extents from which chunks may be taken, but for the current one.
    with_room: BTreeSet<u32>,
    /// The extent from which chunks are taken.
    current: usize,
    used: usize,
    /// Chunks that were written since their extent was had: those in use, and those that lie idle.
    written: usize,
    /// Extents that nothing is in, and extents that are being emptied.
    empty: usize,
    leaving: usize,
    /// Extents that are written to their end and not yet in huge pages.
    small_pages: Vec<u32>,
    /// The system has no huge pages for us.
    without_huge_pages: bool,
    /// Something was given back since whoever tends looked.
    has_news: bool,
}

#[derive(Clone, Copy, Debug)]
struct Extent {
    is_there: bool,
    /// Chunks from here on were never used.
    fresh: u16,
    free: u16,
    used: u16,
    leaving: bool,
}

impl Extent {
    const NONE: Self = Self { is_there: false, fresh: 0, free: NO_CHUNK, used: 0, leaving: false };

    fn room(&self) -> usize {
        if self.has_room() { usize::from(EXTENT_CHUNKS - self.used) } else { 0 }
    }

    fn has_room(&self) -> bool {
        self.is_there && !self.leaving && self.used < EXTENT_CHUNKS
    }
}

impl Chunks {
    /// A chunk, with anything in it.
    pub(crate) fn take(&mut self) -> Result<ChunkId, OutOfMemory> {
        if !self.extents.get(self.current).is_some_and(Extent::has_room) {
            self.choose_extent()?;
        }
        let number = self.current;
        let extent = &mut self.extents[number];
        let chunk = if extent.free == NO_CHUNK {
            let fresh = extent.fresh;
            extent.fresh += 1;
            self.written += 1;
            if extent.fresh == EXTENT_CHUNKS && !self.without_huge_pages {
                self.small_pages.push(u32::try_from(number).map_err(|_| OutOfMemory)?);
            }
            fresh
        } else {
            let free = extent.free;
            extent.free = self.memory.halves(number, usize::from(free))[0];
            free
        };
        self.empty -= usize::from(extent.used == 0);
        extent.used += 1;
        self.used += 1;
        let number = u32::try_from(number).map_err(|_| OutOfMemory)?;
        Ok(ChunkId(number << EXTENT_CHUNKS_LOG2 | u32::from(chunk)))
    }

    /// Gives a chunk back.
    pub(crate) fn give_back(&mut self, id: ChunkId) {
        let (number, chunk) = split(id);
        let extent = &mut self.extents[number];
        self.memory.halves_mut(number, chunk)[0] = extent.free;
        #[expect(clippy::cast_possible_truncation, reason = "a chunk's number has 11 bits")]
        {
            extent.free = chunk as u16;
        }
        extent.used -= 1;
        self.used -= 1;
        self.empty += usize::from(extent.used == 0);
        let idle = self.written - self.used;
        self.has_news |= extent.used == 0 || (self.is_sparse() && idle.is_multiple_of(NEWS_CHUNKS));
        let extent = &self.extents[number];
        if number != self.current && !extent.leaving {
            #[expect(clippy::cast_possible_truncation, reason = "the number came from an id")]
            self.with_room.insert(number as u32);
        }
    }

    /// Makes sure that so many chunks can be taken without asking the system.
    pub(crate) fn reserve(&mut self, count: usize) -> Result<(), OutOfMemory> {
        loop {
            let at = |number: usize| self.extents.get(number).map_or(0, Extent::room);
            let mut left = count.saturating_sub(at(self.current));
            for &number in &self.with_room {
                if left == 0 {
                    return Ok(());
                }
                if number as usize != self.current {
                    left = left.saturating_sub(at(number as usize));
                }
            }
            if left == 0 {
                return Ok(());
            }
            let number = self.add_extent()?;
            // It may have the number of the current one, if that has been given back.
            if number as usize != self.current {
                self.with_room.insert(number);
            }
        }
    }

    #[inline(always)]
    pub(crate) fn bytes(&self, id: ChunkId) -> &[u8; CHUNK_BYTES] {
        let (number, chunk) = split(id);
        self.memory.bytes(number, chunk)
    }

    #[inline(always)]
    pub(crate) fn bytes_mut(&mut self, id: ChunkId) -> &mut [u8; CHUNK_BYTES] {
        let (number, chunk) = split(id);
        self.memory.bytes_mut(number, chunk)
    }

    #[inline(always)]
    pub(crate) fn halves(&self, id: ChunkId) -> &[u16; CHUNK_HALVES] {
        let (number, chunk) = split(id);
        self.memory.halves(number, chunk)
    }

    #[inline(always)]
    pub(crate) fn halves_mut(&mut self, id: ChunkId) -> &mut [u16; CHUNK_HALVES] {
        let (number, chunk) = split(id);
        self.memory.halves_mut(number, chunk)
    }

    #[inline(always)]
    pub(crate) fn words(&self, id: ChunkId) -> &[u32; CHUNK_WORDS] {
        let (number, chunk) = split(id);
        self.memory.words(number, chunk)
    }

    #[inline(always)]
    pub(crate) fn words_mut(&mut self, id: ChunkId) -> &mut [u32; CHUNK_WORDS] {
        let (number, chunk) = split(id);
        self.memory.words_mut(number, chunk)
    }

    /// The bytes of the chunks that are in use.
    pub(crate) fn used_bytes(&self) -> usize {
        self.used * CHUNK_BYTES
    }

    /// The bytes that were written and are in no chunk that is in use.
    pub(crate) fn idle_bytes(&self) -> usize {
        (self.written - self.used) * CHUNK_BYTES
    }

    /// Whether what is in this chunk should move to another one.
    pub(crate) fn leaves(&self, id: ChunkId) -> bool {
        self.leaving > 0 && self.extents[split(id).0].leaving
    }

    /// Whether any chunk should.
    pub(crate) fn any_leaves(&self) -> bool {
        self.leaving > 0
    }

    /// Whether there is something to tend: extents that may be empty, or could be emptied.
    pub(crate) fn has_news(&self) -> bool {
        self.has_news
    }

    /// Whoever tends has done all there is to do.
    pub(crate) fn clear_news(&mut self) {
        self.has_news = false;
    }

    /// Whether extents wait to be kept in huge pages.
    pub(crate) fn has_small_pages(&self) -> bool {
        !self.small_pages.is_empty()
    }

    /// Whether so much lies idle that it is worth emptying extents.
    fn is_sparse(&self) -> bool {
        let idle = self.written - self.used;
        idle >= self.written / IDLE_SHARE && idle >= usize::from(EXTENT_CHUNKS)
    }

    /// Lets the system keep one more extent in a huge page, where it has any; says whether it did.
    /// An extent that is not written to its end stays as it is: a huge page would be all in memory.
    /// It takes some hundred microseconds, but what is then read at random, in less than half the
    /// time: a look-up of an address is one step and not four, each of which may wait for memory.
    pub(crate) fn collapse_one(&mut self) -> bool {
        let Some(number) = self.small_pages.pop() else { return false };
        let number = number as usize;
        if self.extents.get(number).is_some_and(|extent| extent.fresh == EXTENT_CHUNKS)
            && !self.memory.collapse(number)
        {
            self.without_huge_pages = true;
            self.small_pages = Vec::new();
        }
        true
    }

    /// Gives one empty extent back to the system, if there is one; says whether there was.
    pub(crate) fn release_one(&mut self) -> bool {
        if self.empty == 0 {
            return false;
        }
        // One that was never written to takes nothing.
        let is_empty = |extent: &Extent| extent.is_there && extent.used == 0 && extent.fresh > 0;
        // The last, since the first are filled first.
        let Some(number) = self.extents.iter().rposition(is_empty) else { return false };
        let extent = std::mem::replace(&mut self.extents[number], Extent::NONE);
        self.written -= usize::from(extent.fresh);
        self.leaving -= usize::from(extent.leaving);
        self.empty -= 1;
        self.with_room.remove(&u32::try_from(number).unwrap_or(u32::MAX));
        self.memory.remove(number);
        self.extents.truncate(self.memory.len());
        true
    }

    /// Chooses extents to be emptied, if much lies idle and none is chosen: the emptiest, as long as
    /// what they hold fits into the others.
    pub(crate) fn choose_leaving(&mut self) {
        let idle = self.written - self.used;
        if self.leaving > 0 || idle < self.written / IDLE_SHARE || idle < usize::from(EXTENT_CHUNKS)
        {
            return;
        }
        let numbers = self.extents.iter().enumerate();
        let mut extents: Vec<(u16, usize)> = numbers
            .map(|(number, extent)| (extent.used, number))
            .filter(|&(used, number)| used > 0 && number != self.current)
            .collect();
        extents.sort_unstable();
        let mut room =
            extents.iter().map(|&(used, _)| usize::from(EXTENT_CHUNKS - used)).sum::<usize>();
        for (used, number) in extents {
            let (used, left) = (usize::from(used), usize::from(EXTENT_CHUNKS - used));
            // Half of the room stays, for what is written meanwhile.
            if room < left + used * 2 || used * 8 > usize::from(EXTENT_CHUNKS) * 7 {
                break;
            }
            room -= left + used;
            self.extents[number].leaving = true;
            self.leaving += 1;
            self.with_room.remove(&u32::try_from(number).unwrap_or(u32::MAX));
        }
    }

    /// Takes back every choice of [`choose_leaving`](Self::choose_leaving).
    pub(crate) fn stop_leaving(&mut self) {
        for (number, extent) in self.extents.iter_mut().enumerate() {
            if extent.leaving {
                extent.leaving = false;
                if number != self.current && extent.has_room() {
                    self.with_room.insert(u32::try_from(number).unwrap_or(u32::MAX));
                }
            }
        }
        self.leaving = 0;
    }

    /// Gives the last extent back to the system, whatever is in it; says whether there was one.
    /// Nothing may be done with chunks from then on.
    pub(crate) fn drop_extent(&mut self) -> bool {
        let Some(extent) = self.extents.pop() else { return false };
        self.used -= usize::from(extent.used);
        self.written -= usize::from(extent.fresh);
        if extent.is_there {
            self.memory.remove(self.extents.len());
        }
        self.extents.truncate(self.memory.len());
        true
    }

    /// What of the process' own memory keeps the books.
    pub(crate) fn book_bytes(&self) -> usize {
        self.extents.capacity() * size_of::<Extent>()
            + self.memory.book_bytes()
            + self.with_room.len() * 8
    }

    fn choose_extent(&mut self) -> Result<(), OutOfMemory> {
        let number = match self.with_room.pop_first() {
            Some(number) => number,
            None => self.add_extent()?,
        };
        self.current = number as usize;
        Ok(())
    }

    fn add_extent(&mut self) -> Result<u32, OutOfMemory> {
        let vacant = self.extents.iter().position(|extent| !extent.is_there);
        let number = vacant.unwrap_or(self.extents.len());
        let id = u32::try_from(number).ok().filter(|id| id >> (32 - EXTENT_CHUNKS_LOG2) == 0);
        let id = id.ok_or(OutOfMemory)?;
        self.extents.try_reserve(1).map_err(|_| OutOfMemory)?;
        self.memory.add(number)?;
        if number == self.extents.len() {
            self.extents.push(Extent::NONE);
        }
        self.extents[number] = Extent { is_there: true, ..Extent::NONE };
        self.empty += 1;
        Ok(id)
    }
}

#[inline(always)]
fn split(id: ChunkId) -> (usize, usize) {
    let chunk = id.0 as usize & (EXTENT_CHUNKS as usize - 1);
    ((id.0 >> EXTENT_CHUNKS_LOG2) as usize, chunk)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn chunks_keep_what_is_written_and_empty_extents_go() {
        let mut chunks = Chunks::default();
        let mut held = BTreeMap::new();
        for number in 0..10_000_u32 {
            let id = chunks.take().expect("ten megabytes");
            chunks.words_mut(id).fill(number);
            assert!(held.insert(id.0, number).is_none(), "a chunk in use was handed out again");
        }
        assert_eq!(chunks.used_bytes(), 10_000 * CHUNK_BYTES);
        assert_eq!(chunks.idle_bytes(), 0);
        // Nine of ten go, from everywhere.
        for id in held.keys().copied().filter(|id| id % 10 != 0).collect::<Vec<_>>() {
            held.remove(&id);
            chunks.give_back(ChunkId(id));
        }
        for _ in 0..3 {
            chunks.choose_leaving();
            let leaving = held.keys().copied().filter(|&id| chunks.leaves(ChunkId(id)));
            for id in leaving.collect::<Vec<_>>() {
                let number = held.remove(&id).expect("it is held");
                let copy = chunks.take().expect("there is room");
                assert!(!chunks.leaves(copy));
                chunks.words_mut(copy).fill(number);
                held.insert(copy.0, number);
                chunks.give_back(ChunkId(id));
            }
            while chunks.release_one() {}
            chunks.stop_leaving();
        }
        assert!(chunks.idle_bytes() < 3 << 20, "{} B idle", chunks.idle_bytes());
        for (&id, &number) in &held {
            assert!(chunks.words(ChunkId(id)).iter().all(|&word| word == number));
        }
        for &id in held.keys() {
            chunks.give_back(ChunkId(id));
        }
        while chunks.release_one() {}
        assert_eq!((chunks.used_bytes(), chunks.idle_bytes()), (0, 0));
    }

    #[test]
    fn what_is_reserved_can_be_taken_without_the_system() {
        let mut chunks = Chunks::default();
        chunks.reserve(5000).expect("five megabytes");
        let extents = chunks.extents.len();
        for _ in 0..5000 {
            chunks.take().expect("it was reserved");
        }
        assert_eq!(chunks.extents.len(), extents);
    }

    #[test]
    fn an_extent_that_is_reserved_where_the_current_one_was_is_not_filled_twice() {
        let mut chunks = Chunks::default();
        let all = usize::from(EXTENT_CHUNKS);
        let first: Vec<ChunkId> =
            (0..all).map(|_| chunks.take().expect("there is memory")).collect();
        let second = chunks.take().expect("there is memory");
        chunks.give_back(second);
        assert!(chunks.release_one(), "the current extent is empty");
        chunks.reserve(1).expect("there is memory");
        let mut held: BTreeMap<u32, u32> = first.iter().map(|id| (id.0, 0)).collect();
        for number in 0..3 * u32::from(EXTENT_CHUNKS) {
            let id = chunks.take().expect("there is memory");
            chunks.words_mut(id).fill(number);
            assert!(held.insert(id.0, number).is_none(), "a chunk in use was handed out again");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn chunks_are_kept_whatever_is_asked(steps in vec((0_u8..12, any::<usize>()), 1..300)) {
            let mut chunks = Chunks::default();
            let (mut held, mut next) = (Vec::<(ChunkId, u32)>::new(), 0);
            for (step, random) in steps {
                let count = random % (usize::from(EXTENT_CHUNKS) * 2);
                match step {
                    0..4 => for _ in 0..count {
                        let id = chunks.take().expect("there is memory");
                        prop_assert!(!chunks.leaves(id));
                        chunks.words_mut(id)[..2].fill(next);
                        held.push((id, next));
                        next += 1;
                    },
                    4..7 => for at in 0..count.min(held.len()) {
                        let at = random.wrapping_mul(2 * at + 1) % held.len();
                        chunks.give_back(held.swap_remove(at).0);
                    },
                    7 => for _ in 0..count.min(held.len()) {
                        // From the end, so that whole extents become empty.
                        chunks.give_back(held.pop().expect("there are so many").0);
                    },
                    8 => chunks.reserve(count).expect("there is memory"),
                    9 => while chunks.release_one() {},
                    10 => chunks.choose_leaving(),
                    _ => {
                        for (id, _) in &mut held {
                            if chunks.leaves(*id) {
                                let copy = chunks.take().expect("there is memory");
                                let content = *chunks.words(*id);
                                *chunks.words_mut(copy) = content;
                                chunks.give_back(*id);
                                *id = copy;
                            }
                        }
                        chunks.stop_leaving();
                    }
                }
                prop_assert_eq!(chunks.used_bytes(), held.len() * CHUNK_BYTES);
            }
            held.sort_unstable_by_key(|&(id, _)| id.0);
            prop_assert!(held.windows(2).all(|pair| pair[0].0 != pair[1].0));
            for &(id, number) in &held {
                prop_assert_eq!(&chunks.words(id)[..2], [number; 2]);
            }
            for (id, _) in held {
                chunks.give_back(id);
            }
            while chunks.release_one() {}
            prop_assert_eq!((chunks.used_bytes(), chunks.idle_bytes()), (0, 0));
        }
    }
}
