//! Where do records lie that are too long for a chunk?
//!
//! One after another in regions. A body that grows is written again at the end; what it leaves
//! behind is dead. When more than one part in [`DEAD_SHARE`] is dead, the region with the most is
//! gone through, its living bodies are written at the end too, and it goes back to the system: a
//! few bodies at a time, by whoever owns the store, who alone can tell the bodies' owners.
//!
//! ```text
//! region   [ body │ dead │ body │ … │ room ]
//! body     owner │ length │ record …
//!            4       4
//! ```
//!
//! The owner is the number of the table in which the body's record is found by its key; `u32::MAX`
//! marks a dead one. A body of an eighth of a region or more, and of 32 KiB or more, has a mapping of
//! its own.
//!
//! | cost | bytes |
//! | --- | --- |
//! | body | 8 |
//! | dead bodies | up to 1/[`DEAD_SHARE`] of all |
//! | the end of a region | 1/16 of a region at most, and seldom that |

use crate::mapping::{Mapping, OutOfMemory, PAGE_BYTES};

/// Where a body lies: 24 bits of a region's number, 24 bits of an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BodyRef(u64);

/// What a [`BodyRef`] takes in a record.
pub(crate) const BODY_REF_BYTES: usize = 6;

const HEAD_BYTES: usize = 8;
const DEAD: u32 = u32::MAX;
const REGION_BYTES_MIN: usize = if cfg!(feature = "tiny") { 4 << 10 } else { 64 << 10 };
/// A shorter body has no mapping of its own: too much of its last page would be empty.
const SINGLE_BYTES_MIN: usize = REGION_BYTES_MIN / 2;
const REGION_BYTES_MAX: usize = if cfg!(feature = "tiny") { 16 << 10 } else { 2 << 20 };

/// A region has one part in so many of what there is.
const REGION_SHARE: usize = if cfg!(feature = "tiny") { 4 } else { 64 };
const REGIONS_MAX: usize = 1 << 24;

/// One part in so many may be dead.
const DEAD_SHARE: usize = 10;

/// Bodies by where they lie.
#[derive(Debug, Default)]
pub(crate) struct Bodies {
    regions: Vec<Option<Region>>,
    /// Numbers of regions that are gone.
    vacant: Vec<u32>,
    /// Memory that is asked for and not written to: where living bodies go when the system has no
    /// more, so that dead ones can.
    reserve: Option<Mapping>,
    /// Where new bodies are written.
    current: Option<usize>,
    /// Of all regions.
    used_bytes: usize,
    dead_bytes: usize,
    /// Behind bodies that have pages of their own.
    page_end_bytes: usize,
    compaction: Option<Compaction>,
}

#[derive(Debug)]
struct Region {
    mapping: Mapping,
    used: usize,
    dead: usize,
    /// It holds one body, which may grow and shrink with it.
    single: bool,
}

/// How far a region is gone through.
#[derive(Clone, Copy, Debug)]
struct Compaction {
    region: usize,
    offset: usize,
}

impl BodyRef {
    fn new(region: usize, offset: usize) -> Self {
        Self((region as u64) << 24 | offset as u64)
    }

    fn region(self) -> usize {
        usize::try_from(self.0 >> 24).unwrap_or(usize::MAX)
    }

    fn offset(self) -> usize {
        usize::try_from(self.0 & 0xff_ffff).unwrap_or(usize::MAX)
    }

    pub(crate) fn to_bytes(self) -> [u8; BODY_REF_BYTES] {
        let [a, b, c, d, e, f, _, _] = self.0.to_le_bytes();
        [a, b, c, d, e, f]
    }

    pub(crate) fn from_bytes([a, b, c, d, e, f]: [u8; BODY_REF_BYTES]) -> Self {
        Self(u64::from_le_bytes([a, b, c, d, e, f, 0, 0]))
    }
}

impl Bodies {
    /// Writes a body for a record of the table `owner`.
    pub(crate) fn add(&mut self, owner: u32, record: &[u8]) -> Result<BodyRef, OutOfMemory> {
        let at = self.place(HEAD_BYTES + record.len(), Self::ask)?;
        let length = u32::try_from(record.len()).map_err(|_| OutOfMemory)?;
        let body = self.tail_mut(at);
        body[..4].copy_from_slice(&owner.to_le_bytes());
        body[4..HEAD_BYTES].copy_from_slice(&length.to_le_bytes());
        body[HEAD_BYTES..HEAD_BYTES + record.len()].copy_from_slice(record);
        Ok(at)
    }

    /// The record of a body.
    pub(crate) fn record(&self, at: BodyRef) -> &[u8] {
        let tail = self.tail(at);
        let length = length_of(tail);
        &tail[HEAD_BYTES..HEAD_BYTES + length]
    }

    /// The bytes that a body takes.
    pub(crate) fn bytes(&self, at: BodyRef) -> usize {
        HEAD_BYTES + length_of(self.tail(at))
    }

    /// Where the record of a body begins; what follows it may follow. Nothing is read.
    pub(crate) fn record_unread(&self, at: BodyRef) -> &[u8] {
        &self.tail(at)[HEAD_BYTES..]
    }

    /// The record of a body, to change what does not change its length.
    pub(crate) fn record_mut(&mut self, at: BodyRef) -> &mut [u8] {
        let tail = self.tail_mut(at);
        let length = length_of(tail);
        &mut tail[HEAD_BYTES..HEAD_BYTES + length]
    }

    /// Writes another record in a body's place, if there is room there; says whether there was.
    pub(crate) fn replace(&mut self, at: BodyRef, record: &[u8]) -> Result<bool, OutOfMemory> {
        let old_length = length_of(self.tail(at));
        let single_bytes_min = (self.region_bytes() / 8).max(SINGLE_BYTES_MIN) / 2;
        let Some(region) = &mut self.regions[at.region()] else { return Ok(false) };
        let end = at.offset() + HEAD_BYTES + old_length;
        let new_end = at.offset() + HEAD_BYTES + record.len();
        if region.single {
            if new_end < single_bytes_min {
                // A page of its own would hold little else than its own end.
                return Ok(false);
            }
            let pages = new_end.next_multiple_of(PAGE_BYTES);
            self.page_end_bytes -= region.mapping.len() - region.used;
            let resized =
                if pages == region.mapping.len() { Ok(()) } else { region.mapping.resize(pages) };
            if resized.is_ok() {
                self.used_bytes = self.used_bytes - region.used + new_end;
                region.used = new_end;
            }
            self.page_end_bytes += region.mapping.len() - region.used;
            resized?;
        } else if end == region.used && new_end <= region.mapping.len() {
            // The last of its region moves nobody.
            self.used_bytes = self.used_bytes - end + new_end;
            region.used = new_end;
        } else if new_end != end {
            return Ok(false);
        }
        let length = u32::try_from(record.len()).map_err(|_| OutOfMemory)?;
        let tail = self.tail_mut(at);
        tail[4..HEAD_BYTES].copy_from_slice(&length.to_le_bytes());
        tail[HEAD_BYTES..HEAD_BYTES + record.len()].copy_from_slice(record);
        Ok(true)
    }

    /// Lets a body die.
    pub(crate) fn remove(&mut self, at: BodyRef) {
        self.kill(at);
    }

    fn kill(&mut self, at: BodyRef) {
        let number = at.region();
        let tail = self.tail_mut(at);
        let bytes = HEAD_BYTES + length_of(tail);
        tail[..4].copy_from_slice(&DEAD.to_le_bytes());
        let Some(region) = &mut self.regions[number] else { return };
        if region.single {
            self.drop_region(number);
            return;
        }
        region.dead += bytes;
        self.dead_bytes += bytes;
        if region.dead != region.used {
            return;
        }
        if self.current != Some(number) {
            self.drop_region(number);
        } else if region.mapping.len() > REGION_BYTES_MIN {
            self.current = None;
            self.drop_region(number);
        } else {
            // It begins again, so that one body that comes and goes asks nothing of the system.
            self.used_bytes -= region.used;
            self.dead_bytes -= region.dead;
            (region.used, region.dead) = (0, 0);
        }
    }

    /// Bytes of records and their heads that live.
    pub(crate) fn live_bytes(&self) -> usize {
        self.used_bytes - self.dead_bytes
    }

    /// Bytes that were written and hold nothing now.
    pub(crate) fn dead_bytes(&self) -> usize {
        self.dead_bytes
    }

    /// The ends of pages behind bodies that have pages of their own.
    pub(crate) fn page_end_bytes(&self) -> usize {
        self.page_end_bytes
    }

    pub(crate) fn book_bytes(&self) -> usize {
        self.regions.capacity() * size_of::<Option<Region>>() + self.vacant.capacity() * 4
    }

    /// Whether so much is dead that [`compact`](Self::compact) should be called.
    pub(crate) fn wants_compaction(&self) -> bool {
        self.compaction.is_some() || self.has_too_much_dead()
    }

    /// Goes through about `budget` bytes of the region with the most dead bytes. The first that lives
    /// is written anew and returned: whoever owns it must be told, and then [`end_move`](Self::end_move).
    pub(crate) fn compact(&mut self, budget: usize) -> Result<Option<Moved>, OutOfMemory> {
        let mut seen = 0;
        while seen < budget {
            let Some(Compaction { region, offset }) = self.compaction.or_else(|| self.choose())
            else {
                return Ok(None);
            };
            let used = self.regions.get(region).and_then(Option::as_ref).map(|region| region.used);
            // It may have gone meanwhile, with its last body.
            if used.is_none_or(|used| offset >= used) {
                self.compaction = None;
                continue;
            }
            let from = BodyRef::new(region, offset);
            let tail = self.tail(from);
            let length = length_of(tail);
            let owner = owner_of(tail);
            let next = Some(Compaction { region, offset: offset + HEAD_BYTES + length });
            seen += HEAD_BYTES + length.min(64);
            if owner == DEAD {
                self.compaction = next;
                continue;
            }
            let to = self.place(HEAD_BYTES + length, Self::ask_or_take_reserve)?;
            self.compaction = next;
            self.copy(from, to, HEAD_BYTES + length);
            return Ok(Some(Moved { owner, from, to }));
        }
        Ok(None)
    }

    /// Ends a move that [`compact`](Self::compact) has begun: the old place dies.
    pub(crate) fn end_move(&mut self, moved: Moved) {
        self.kill(moved.from);
    }

    /// Gives the last region back to the system, whatever is in it; says whether there was one.
    /// Nothing may be done with bodies from then on.
    pub(crate) fn drop_any_region(&mut self) -> bool {
        while let Some(region) = self.regions.pop() {
            if let Some(region) = region {
                if region.single {
                    self.page_end_bytes -= region.mapping.len() - region.used;
                }
                self.used_bytes -= region.used;
                self.dead_bytes -= region.dead;
                return true;
            }
        }
        false
    }

    fn has_too_much_dead(&self) -> bool {
        self.dead_bytes > REGION_BYTES_MIN.max(self.used_bytes / DEAD_SHARE)
    }

    fn choose(&mut self) -> Option<Compaction> {
        if !self.has_too_much_dead() {
            return None;
        }
        let share = |region: &Region| region.dead * 1024 / region.used.max(1);
        let regions = self.regions.iter().enumerate();
        let most = regions
            .filter(|&(number, _)| self.current != Some(number))
            .filter_map(|(number, region)| Some((share(region.as_ref()?), number)))
            .filter(|&(share, _)| share > 0)
            .max();
        // If all that is dead is where bodies are written, they are written elsewhere from now on.
        let region = most.map(|(_, region)| region).or_else(|| self.current.take());
        self.compaction = region.map(|region| Compaction { region, offset: 0 });
        self.compaction
    }

    fn copy(&mut self, from: BodyRef, to: BodyRef, bytes: usize) {
        if from.region() == to.region() {
            let start = from.offset();
            if let Some(region) = &mut self.regions[to.region()] {
                region.mapping.bytes_mut().copy_within(start..start + bytes, to.offset());
            }
            return;
        }
        let Some(target) = self.regions[to.region()].take() else { return };
        let mut target = target;
        target.mapping.bytes_mut()[to.offset()..to.offset() + bytes]
            .copy_from_slice(&self.tail(from)[..bytes]);
        self.regions[to.region()] = Some(target);
    }

    /// Memory for a region.
    fn ask(&mut self, bytes: usize) -> Result<Mapping, OutOfMemory> {
        let mapping = new_region(bytes)?;
        self.keep_reserve();
        Ok(mapping)
    }

    /// The same, and if there is none what was kept for such a time.
    fn ask_or_take_reserve(&mut self, bytes: usize) -> Result<Mapping, OutOfMemory> {
        self.ask(bytes).or_else(|error| self.reserve.take().ok_or(error))
    }

    fn keep_reserve(&mut self) {
        if self.reserve.is_none() {
            self.reserve = new_region(self.region_bytes()).ok();
        }
    }

    /// Room for so many bytes, booked as used; `ask` gives the memory for a region.
    fn place(
        &mut self,
        bytes: usize,
        ask: fn(&mut Self, usize) -> Result<Mapping, OutOfMemory>,
    ) -> Result<BodyRef, OutOfMemory> {
        let region_bytes = self.region_bytes();
        let (number, offset) = match self.current {
            Some(number) if self.room(number) >= bytes => (number, self.used(number)),
            _ if bytes >= (region_bytes / 8).max(SINGLE_BYTES_MIN) => {
                let mapping = Mapping::new(bytes.next_multiple_of(PAGE_BYTES))?;
                (self.add_region(mapping, true)?, 0)
            }
            _ => {
                let mapping = ask(self, region_bytes)?;
                if mapping.len() < bytes {
                    return Err(OutOfMemory);
                }
                let number = self.add_region(mapping, false)?;
                if let Some(old) = self.current.replace(number) {
                    let is_dead = |region: &Region| region.dead == region.used;
                    if self.regions[old].as_ref().is_some_and(is_dead) {
                        self.drop_region(old);
                    }
                }
                (number, 0)
            }
        };
        if let Some(region) = &mut self.regions[number] {
            region.used = offset + bytes;
            if region.single {
                self.page_end_bytes += region.mapping.len() - region.used;
            }
        }
        self.used_bytes += bytes;
        Ok(BodyRef::new(number, offset))
    }

    fn region_bytes(&self) -> usize {
        let share = (self.used_bytes / REGION_SHARE).next_multiple_of(PAGE_BYTES);
        share.clamp(REGION_BYTES_MIN, REGION_BYTES_MAX)
    }

    fn add_region(&mut self, mapping: Mapping, single: bool) -> Result<usize, OutOfMemory> {
        let number = match self.vacant.pop() {
            Some(number) => number as usize,
            None if self.regions.len() < REGIONS_MAX => {
                self.regions.try_reserve(1).map_err(|_| OutOfMemory)?;
                self.regions.push(None);
                self.regions.len() - 1
            }
            None => return Err(OutOfMemory),
        };
        self.regions[number] = Some(Region { mapping, used: 0, dead: 0, single });
        Ok(number)
    }

    fn drop_region(&mut self, number: usize) {
        let Some(region) = self.regions[number].take() else { return };
        if region.single {
            self.page_end_bytes -= region.mapping.len() - region.used;
        }
        self.used_bytes -= region.used;
        self.dead_bytes -= region.dead;
        drop(region.mapping);
        if self.used_bytes > 0 {
            self.keep_reserve();
        } else {
            self.reserve = None;
        }
        self.vacant.push(u32::try_from(number).unwrap_or(0));
        if self.compaction.is_some_and(|compaction| compaction.region == number) {
            self.compaction = None;
        }
    }

    fn room(&self, number: usize) -> usize {
        self.regions[number].as_ref().map_or(0, |region| region.mapping.len() - region.used)
    }

    fn used(&self, number: usize) -> usize {
        self.regions[number].as_ref().map_or(0, |region| region.used)
    }

    fn tail(&self, at: BodyRef) -> &[u8] {
        let region = self.regions[at.region()].as_ref().expect("a body lies in a region");
        &region.mapping.bytes()[at.offset()..]
    }

    fn tail_mut(&mut self, at: BodyRef) -> &mut [u8] {
        let region = self.regions[at.region()].as_mut().expect("a body lies in a region");
        &mut region.mapping.bytes_mut()[at.offset()..]
    }
}

/// A body that compaction has copied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moved {
    pub(crate) owner: u32,
    pub(crate) from: BodyRef,
    pub(crate) to: BodyRef,
}

/// Memory for a region of so many bytes, or a short one if there is no more.
fn new_region(bytes: usize) -> Result<Mapping, OutOfMemory> {
    Mapping::new(bytes).or_else(|OutOfMemory| Mapping::new(REGION_BYTES_MIN))
}

fn length_of(body: &[u8]) -> usize {
    u32::from_le_bytes([body[4], body[5], body[6], body[7]]) as usize
}

fn owner_of(body: &[u8]) -> u32 {
    u32::from_le_bytes([body[0], body[1], body[2], body[3]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// Compacts until there is nothing to do, at most so many times.
    fn compact_all(bodies: &mut Bodies, held: &mut [(BodyRef, Vec<u8>)]) {
        for _ in 0..100_000 {
            if !bodies.wants_compaction() {
                return;
            }
            if let Some(moved) = bodies.compact(1 << 10).expect("there is memory") {
                let body = held.iter_mut().find(|(at, _)| *at == moved.from);
                let (at, _) = body.expect("what lives is held");
                *at = moved.to;
                bodies.end_move(moved);
            }
        }
        panic!("there is always more to compact");
    }

    #[test]
    fn what_is_dead_to_the_last_body_goes() {
        let mut bodies = Bodies::default();
        let held: Vec<BodyRef> =
            (0..9_000).map(|_| bodies.add(0, &[7; 1_000]).expect("nine megabytes")).collect();
        for at in held {
            bodies.remove(at);
        }
        assert_eq!((bodies.live_bytes(), bodies.dead_bytes()), (0, 0));
        assert!(bodies.regions.iter().flatten().all(|r| r.mapping.len() <= REGION_BYTES_MIN));
        let at = bodies.add(0, b"again").expect("there is memory");
        assert_eq!(bodies.record(at), b"again");
    }

    #[test]
    fn long_bodies_that_become_short_take_no_page_each() {
        let mut bodies = Bodies::default();
        let long = vec![7; REGION_BYTES_MIN];
        let held = (0..1_000).map(|_| bodies.add(0, &long).expect("there is memory"));
        let mut held: Vec<_> =
            held.collect::<Vec<_>>().into_iter().map(|at| (at, vec![])).collect();
        for (at, record) in &mut held {
            *record = b"short".to_vec();
            if !bodies.replace(*at, record).expect("there is memory") {
                let new = bodies.add(0, record).expect("there is memory");
                bodies.remove(std::mem::replace(at, new));
            }
        }
        compact_all(&mut bodies, &mut held);
        let mapped: usize = bodies.regions.iter().flatten().map(|r| r.mapping.len()).sum();
        assert!(mapped < 8 * REGION_BYTES_MIN, "{mapped} B for {} B", bodies.live_bytes());
    }

    #[test]
    fn compaction_ends_when_only_the_current_region_has_dead_bodies() {
        let mut bodies = Bodies::default();
        let body = vec![7; REGION_BYTES_MIN / 16];
        let mut held = Vec::new();
        // Until the current region is so large that more of it can be dead than may be.
        while bodies.region_bytes() < 2 * REGION_BYTES_MIN
            || bodies.used(bodies.current.expect("there are bodies")) <= body.len() * 20
        {
            held.push((bodies.add(0, &body).expect("there is memory"), body.clone()));
        }
        let current = bodies.current.expect("there are bodies");
        let is_in_current = |at: &BodyRef| at.region() == current;
        let (gone, mut stay): (Vec<_>, Vec<_>) =
            held.into_iter().partition(|(at, _)| is_in_current(at) && at.offset() > 0);
        for (at, _) in gone {
            bodies.remove(at);
        }
        // So few are left elsewhere that what is dead here is too much.
        for (at, _) in stay.extract_if(.., |(at, _)| !is_in_current(at)) {
            bodies.remove(at);
        }
        assert!(bodies.wants_compaction());
        compact_all(&mut bodies, &mut stay);
        assert!(stay.iter().all(|(at, body)| bodies.record(*at) == body));
        assert_eq!(bodies.dead_bytes(), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn bodies_hold_what_a_list_holds(
            steps in vec((0_u8..12, any::<usize>(), any::<u8>()), 1..400),
            bytes_max in prop_oneof![Just(1_000_usize), Just(20_000), Just(300_000)],
        ) {
            let mut bodies = Bodies::default();
            let mut held: Vec<(BodyRef, Vec<u8>)> = Vec::new();
            for (step, random, byte) in steps {
                let record = vec![byte; random / 64 % bytes_max];
                match step {
                    0..3 => held.push((bodies.add(7, &record).expect("there is memory"), record)),
                    3..5 => for _ in 0..random % 30 {
                        held.push((bodies.add(7, &record).expect("there is memory"), record.clone()));
                    },
                    _ if held.is_empty() => {}
                    5..7 => {
                        // As a table does: in place, or a new one before the old one goes.
                        let last = held.len() - 1;
                        let (at, old) = &mut held[if step == 5 { random % (last + 1) } else { last }];
                        if !bodies.replace(*at, &record).expect("there is memory") {
                            let new = bodies.add(7, &record).expect("there is memory");
                            bodies.remove(std::mem::replace(at, new));
                        }
                        *old = record;
                    }
                    7..9 => bodies.remove(held.swap_remove(random % held.len()).0),
                    9 => for _ in 0..random % 40 % (held.len() + 1) {
                        bodies.remove(held.swap_remove(random % held.len()).0);
                    },
                    _ => for _ in 0..random % 20 {
                        if let Some(moved) = bodies.compact(random % 4_096).expect("there is memory") {
                            let body = held.iter_mut().find(|(at, _)| *at == moved.from);
                            body.expect("what lives is held").0 = moved.to;
                            bodies.end_move(moved);
                        }
                    },
                }
                let live = held.iter().map(|(_, record)| HEAD_BYTES + record.len()).sum::<usize>();
                prop_assert_eq!(bodies.live_bytes(), live);
            }
            compact_all(&mut bodies, &mut held);
            for (at, record) in &held {
                prop_assert_eq!(bodies.record(*at), record);
            }
            let dead_max = REGION_BYTES_MIN.max(bodies.used_bytes / DEAD_SHARE);
            prop_assert!(bodies.dead_bytes() <= dead_max);
            let mapped = bodies.regions.iter().flatten().map(|region| region.mapping.len());
            let singles = bodies.regions.iter().flatten().filter(|region| region.single).count();
            // What is mapped and not written is the end of each region: an eighth, or less than a page.
            let mapped_max = bodies.used_bytes * 8 / 7 + singles * PAGE_BYTES + 2 * REGION_BYTES_MAX;
            prop_assert!(mapped.sum::<usize>() <= mapped_max);
            for (at, _) in held {
                bodies.remove(at);
            }
            prop_assert_eq!((bodies.live_bytes(), bodies.dead_bytes()), (0, 0));
        }
    }
}
