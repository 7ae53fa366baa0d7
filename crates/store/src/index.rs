//! Where does a hash lead?
//!
//! An index is a list of segments in hash order. A directory of 2^depth entries says which segment
//! holds the hashes that begin with so many bits (extendible hashing; Fagin, Nievergelt, Pippenger
//! and Strong, 1979). Inside a segment the slots lie sorted by hash, so the place of a hash follows
//! from its share of the segment's range, give or take the square root of the slots:
//!
//! ```text
//! directory   00 01 10 11        depth 2
//!              │  │  └──┴────────────────┐
//! segments    [02… 11… 3a…] [40… 5f… 7e…] [81… c2… f0…]
//! ```
//!
//! A full segment splits in two; nothing else moves, so there is no rehash of the whole index and
//! no second table. Since order is hash order, a hash is a position at which a scan can stop and go
//! on, whatever was added or removed in between.
//!
//! | cost of an item | bytes |
//! | --- | --- |
//! | slot: hash and item | 8 + item |
//! | room to grow | up to 1/8 of that |
//! | segment and directory, at 128–256 slots a segment | 0.2–0.4 |

use std::mem::size_of;
use std::ops::Range;

/// A segment with so many slots splits. Inserting moves half of them on average.
const SEGMENT_SLOTS_MAX: usize = 256;

/// Segments split only while the directory has at most so many entries for each: hashes that all
/// begin alike (nobody can choose such keys, but a hasher could be bad) must not grow it without
/// end.
const DIRECTORY_ENTRIES_PER_SEGMENT_MAX: usize = 64;

/// Items by their hashes. Several items may have one hash: whoever looks says which one it is.
#[derive(Debug)]
pub(crate) struct Index<T> {
    segments: Vec<Segment<T>>,
    directory: Vec<u32>,
    /// The directory is chosen by so many of the top bits.
    depth: u32,
    items: usize,
    /// Slots that are allocated, used or not, in all segments.
    slots_allocated: usize,
}

#[derive(Debug)]
struct Segment<T> {
    /// All hashes in it begin with the same so many bits.
    depth: u32,
    slots: Vec<Slot<T>>,
}

#[derive(Debug)]
struct Slot<T> {
    hash: u64,
    item: T,
}

/// Where an item lies, until the next insertion or removal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    segment: usize,
    slot: usize,
}

impl<T> Default for Index<T> {
    fn default() -> Self {
        Self { segments: Vec::new(), directory: Vec::new(), depth: 0, items: 0, slots_allocated: 0 }
    }
}

impl<T> Index<T> {
    /// The bytes of one slot.
    pub(crate) const SLOT_BYTES: usize = size_of::<Slot<T>>();

    pub(crate) fn len(&self) -> usize {
        self.items
    }

    /// The bytes of slots, segments and directory. None when nothing is held.
    pub(crate) fn bytes(&self) -> usize {
        self.slots_allocated * Self::SLOT_BYTES
            + self.segments.capacity() * size_of::<Segment<T>>()
            + self.directory.capacity() * size_of::<u32>()
    }

    /// Where the item lies that has this hash and that `is` knows.
    pub(crate) fn locate(&self, hash: u64, is: impl Fn(&T) -> bool) -> Option<Position> {
        let segment = self.segment_of(hash)?;
        let slots = &self.segments[segment].slots;
        let first = self.segments[segment].first_at_or_after(hash);
        let run = slots[first..].iter().take_while(|slot| slot.hash == hash);
        let slot = first + run.take_while(|slot| !is(&slot.item)).count();
        (slots.get(slot)?.hash == hash).then_some(Position { segment, slot })
    }

    pub(crate) fn get(&self, position: Position) -> &T {
        &self.segments[position.segment].slots[position.slot].item
    }

    pub(crate) fn get_mut(&mut self, position: Position) -> &mut T {
        &mut self.segments[position.segment].slots[position.slot].item
    }

    /// Every item with exactly this hash.
    pub(crate) fn at(&self, hash: u64) -> impl Iterator<Item = &T> {
        let segment = self.segment_of(hash).map(|segment| &self.segments[segment]);
        segment
            .into_iter()
            .flat_map(move |segment| &segment.slots[segment.first_at_or_after(hash)..])
            .take_while(move |slot| slot.hash == hash)
            .map(|slot| &slot.item)
    }

    /// Adds an item that is not here yet.
    pub(crate) fn insert(&mut self, hash: u64, item: T) -> Position {
        if self.segments.is_empty() {
            self.segments = Vec::with_capacity(1);
            self.segments.push(Segment { depth: 0, slots: Vec::new() });
            self.directory = vec![0];
        }
        let mut segment = self.segment_of(hash).unwrap_or_default();
        while self.segments[segment].slots.len() >= SEGMENT_SLOTS_MAX && self.split(segment, hash) {
            segment = self.segment_of(hash).unwrap_or_default();
        }
        let target = &mut self.segments[segment];
        let slot = target.first_at_or_after(hash);
        self.slots_allocated -= target.slots.capacity();
        if target.slots.len() == target.slots.capacity() {
            target.slots.reserve_exact((target.slots.len() / 8).max(4));
        }
        self.slots_allocated += target.slots.capacity();
        target.slots.insert(slot, Slot { hash, item });
        self.items += 1;
        Position { segment, slot }
    }

    /// Takes an item out, and gives room back where less than half is used.
    pub(crate) fn remove(&mut self, position: Position) -> T {
        let segment = &mut self.segments[position.segment];
        let item = segment.slots.remove(position.slot).item;
        self.items -= 1;
        let used = segment.slots.len();
        if used * 2 < segment.slots.capacity() {
            self.slots_allocated -= segment.slots.capacity();
            segment.slots.shrink_to(used + used / 8);
            self.slots_allocated += segment.slots.capacity();
        }
        if self.items == 0 {
            *self = Self::default();
        }
        item
    }

    /// Every item, in hash order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.segments_in_order().flat_map(|segment| &segment.slots).map(|slot| &slot.item)
    }

    /// A list of where the items lie, to reach the nth.
    pub(crate) fn ranking(&self) -> Ranking<'_, T> {
        let mut items = 0;
        let ends = self.segments.iter().map(|segment| {
            items += segment.slots.len();
            items
        });
        Ranking { ends: ends.collect(), segments: &self.segments }
    }

    /// Goes through items in hash order from `from`, a position of `bits` bits, shows them to
    /// `visit`, and returns the position to go on from, 0 after the last. It stops when it has
    /// shown `count` items, but not between items of one position; or when it has seen ten times as
    /// many segments, so that an index that is almost empty takes no longer than a full one.
    pub(crate) fn scan(
        &self,
        from: u64,
        bits: u32,
        count: usize,
        mut visit: impl FnMut(&T),
    ) -> u64 {
        let shift = u64::BITS - bits;
        let last_position = u64::MAX >> shift;
        if from > last_position {
            return 0;
        }
        let mut hash = from << shift;
        let mut shown = 0;
        let mut previous = None;
        for _ in 0..count.saturating_mul(10) {
            let Some(segment) = self.segment_of(hash).map(|segment| &self.segments[segment]) else {
                return 0;
            };
            for slot in &segment.slots[segment.first_at_or_after(hash)..] {
                let position = slot.hash >> shift;
                if shown >= count && previous != Some(position) {
                    return position;
                }
                visit(&slot.item);
                shown += 1;
                previous = Some(position);
            }
            match segment.end(hash) {
                Some(end) => hash = end,
                None => return 0,
            }
            if shown >= count {
                break;
            }
        }
        hash >> shift
    }

    /// Reads the slot near which an item of this hash would lie, and no other: a read that nothing
    /// depends on, so that a processor has many of them in flight. Returns what it read.
    pub(crate) fn touch(&self, hash: u64) -> u64 {
        let Some(segment) = self.segment_of(hash).map(|segment| &self.segments[segment]) else {
            return 0;
        };
        segment.slots.get(segment.guess(hash)).map_or(0, |slot| slot.hash)
    }

    fn segment_of(&self, hash: u64) -> Option<usize> {
        self.directory.get(self.entry_of(hash)).map(|&segment| segment as usize)
    }

    fn entry_of(&self, hash: u64) -> usize {
        // At depth 0 the shift would be the whole word.
        let entry = hash.checked_shr(u64::BITS - self.depth).unwrap_or(0);
        usize::try_from(entry).unwrap_or(usize::MAX)
    }

    fn segments_in_order(&self) -> impl Iterator<Item = &Segment<T>> {
        let mut entry = 0;
        std::iter::from_fn(move || {
            let segment = &self.segments[*self.directory.get(entry)? as usize];
            entry += 1 << (self.depth - segment.depth);
            Some(segment)
        })
    }

    /// Splits the segment that holds `hash` by the next bit of its hashes; says whether it did.
    fn split(&mut self, segment: usize, hash: u64) -> bool {
        let depth = self.segments[segment].depth;
        let Ok(upper_id) = u32::try_from(self.segments.len()) else { return false };
        if depth == self.depth {
            let entries = self.directory.len() * 2;
            if entries > self.segments.len() * DIRECTORY_ENTRIES_PER_SEGMENT_MAX {
                return false;
            }
            self.directory = self.directory.iter().flat_map(|&entry| [entry, entry]).collect();
            self.depth += 1;
        }
        let bit = 1_u64 << (u64::BITS - 1 - depth);
        let lower = &mut self.segments[segment];
        self.slots_allocated -= lower.slots.capacity();
        let middle = lower.slots.partition_point(|slot| slot.hash & bit == 0);
        let mut slots = Vec::with_capacity((lower.slots.len() - middle) * 9 / 8);
        slots.extend(lower.slots.drain(middle..));
        lower.slots.shrink_to(middle * 9 / 8);
        lower.depth = depth + 1;
        self.slots_allocated += lower.slots.capacity() + slots.capacity();
        let upper = Segment { depth: depth + 1, slots };
        let entries = self.entries_of(hash | bit, upper.depth);
        self.directory[entries].fill(upper_id);
        self.segments.push(upper);
        true
    }

    /// The directory's entries for the hashes that begin with the first `depth` bits of `hash`.
    fn entries_of(&self, hash: u64, depth: u32) -> Range<usize> {
        let entries = 1_usize << (self.depth - depth);
        let first = self.entry_of(hash) & !(entries - 1);
        first..first + entries
    }
}

impl<T> Segment<T> {
    /// The first slot whose hash is `hash` or more.
    fn first_at_or_after(&self, hash: u64) -> usize {
        let mut slot = self.guess(hash);
        while self.slots.get(slot).is_some_and(|at| at.hash < hash) {
            slot += 1;
        }
        while slot > 0 && self.slots[slot - 1].hash >= hash {
            slot -= 1;
        }
        slot
    }

    /// Where `hash` would be if hashes were spread evenly over the segment's range.
    fn guess(&self, hash: u64) -> usize {
        let share = u128::from(hash.checked_shl(self.depth).unwrap_or(0));
        let guess = (share * self.slots.len() as u128) >> u64::BITS;
        usize::try_from(guess).unwrap_or(0)
    }

    /// The first hash after this segment, which holds `hash`; `None` if it is the last segment.
    fn end(&self, hash: u64) -> Option<u64> {
        let low_bits = u64::MAX.checked_shr(self.depth).unwrap_or(0);
        (hash | low_bits).checked_add(1)
    }
}

/// The items of an index by number.
#[derive(Debug)]
pub(crate) struct Ranking<'a, T> {
    /// How many items lie in the segments up to and including this one.
    ends: Vec<usize>,
    segments: &'a [Segment<T>],
}

impl<'a, T> Ranking<'a, T> {
    /// The item of number `rank`; `None` past the last.
    pub(crate) fn get(&self, rank: usize) -> Option<&'a T> {
        let segment = self.ends.partition_point(|&end| end <= rank);
        let first = segment.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.segments.get(segment)?.slots.get(rank - first).map(|slot| &slot.item)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    impl<T> Index<T> {
        fn check(&self) {
            assert_eq!(self.items, self.segments.iter().map(|segment| segment.slots.len()).sum());
            let allocated = self.segments.iter().map(|segment| segment.slots.capacity()).sum();
            assert_eq!(self.slots_allocated, allocated);
            assert!(self.segments.is_empty() || self.directory.len() == 1 << self.depth);
            let mut previous = None;
            for segment in self.segments_in_order() {
                for slot in &segment.slots {
                    assert!(previous <= Some(slot.hash));
                    previous = Some(slot.hash);
                }
            }
        }
    }

    /// Hashes that are spread evenly, that are the same, and that begin alike.
    fn hash() -> impl Strategy<Value = u64> {
        prop_oneof![
            4 => any::<u64>(),
            1 => 0_u64..4,
            1 => (0_u64..4).prop_map(|low| u64::MAX - low),
            1 => any::<u16>().prop_map(|low| 0xabcd << 48 | u64::from(low)),
        ]
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u64),
        Remove(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => hash().prop_map(Step::Insert),
            2 => any::<prop::sample::Index>().prop_map(|at| Step::Remove(at.index(1 << 20))),
        ];
        let mostly_inserts = prop_oneof![
            20 => hash().prop_map(Step::Insert),
            1 => any::<prop::sample::Index>().prop_map(|at| Step::Remove(at.index(1 << 20))),
        ];
        prop_oneof![vec(step, 0..500), vec(mostly_inserts, 0..3_000)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn an_index_holds_what_a_sorted_map_holds(steps in steps(), count in 1_usize..400) {
            let mut index = Index::default();
            let mut model = BTreeMap::new();
            for (item, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Insert(hash) => {
                        let position = index.insert(hash, item);
                        prop_assert_eq!(*index.get(position), item);
                        model.insert((hash, item), ());
                    }
                    Step::Remove(at) => {
                        let Some(&(hash, item)) = model.keys().nth(at % model.len().max(1)) else {
                            continue;
                        };
                        model.remove(&(hash, item));
                        let position = index.locate(hash, |&found| found == item);
                        prop_assert_eq!(index.remove(position.expect("it is here")), item);
                        prop_assert!(index.locate(hash, |&found| found == item).is_none());
                    }
                }
            }
            index.check();
            prop_assert_eq!(index.len(), model.len());
            prop_assert_eq!(index.bytes() == 0, model.is_empty());
            let ranking = index.ranking();
            let mut ranked = (0..model.len()).map(|rank| *ranking.get(rank).expect("a rank"));
            let mut ranked = ranked.by_ref().collect::<Vec<_>>();
            prop_assert!(ranking.get(model.len()).is_none());
            let mut in_order = index.iter().copied().collect::<Vec<_>>();
            let mut scanned = Vec::new();
            let mut cursor = 0;
            loop {
                let next = index.scan(cursor, 43, count, |&item| scanned.push(item));
                prop_assert!(next == 0 || next > cursor);
                cursor = next;
                if cursor == 0 {
                    break;
                }
            }
            let mut items = model.keys().map(|&(_, item)| item).collect::<Vec<_>>();
            for found in [&mut ranked, &mut in_order, &mut scanned, &mut items] {
                found.sort_unstable();
            }
            prop_assert_eq!(&ranked, &items);
            prop_assert_eq!(&in_order, &items);
            prop_assert_eq!(&scanned, &items);
        }
    }

    #[test]
    fn items_of_one_position_are_shown_together() {
        let mut index = Index::default();
        for item in 0..3_000_u64 {
            // 43 bits make 3 positions of them.
            index.insert((item / 1_000) << 21 | item, item);
        }
        let mut shown = 0;
        assert_eq!(index.scan(0, 43, 1, |_| shown += 1), 1);
        assert_eq!(shown, 1_000);
        assert_eq!(index.scan(1, 43, 1, |_| shown += 1), 2);
        assert_eq!(shown, 2_000);
        assert_eq!(index.scan(2, 43, usize::MAX, |_| shown += 1), 0);
        assert_eq!(shown, 3_000);
    }

    #[test]
    fn hashes_that_begin_alike_do_not_blow_up_the_directory() {
        let mut index = Index::default();
        for item in 0..5_000_u64 {
            index.insert(item, item);
        }
        index.check();
        assert!(index.directory.len() <= 1_024, "{} entries", index.directory.len());
        assert!((0..5_000).all(|item| index.locate(item, |&found| found == item).is_some()));
    }
}
