//! What do hashes have in common?
//!
//! Objects of one kind have fields of the same names, in the same order. A *shape* is such a list of
//! names, kept once; a record keeps the shape's number and the values. Adding a field leads from one
//! shape to the next, as from one hidden class to the next in a JavaScript engine:
//!
//! ```text
//! family 0    name │ email │ age │ city      shapes (0, 1), (0, 2), (0, 3), (0, 4)
//!                      └── phone             branch at (0, 1), which is family 1:
//! family 1    name │ phone                   shape (1, 2)
//! ```
//!
//! A *family* is a list of names; a shape is a family and how many of its names there are, so all the
//! shapes that a growing hash goes through share one list and one table of names. Another name at the
//! same place branches off, into a family of its own with the same beginning.
//!
//! A shape is made only when its names were seen before, so that hashes whose names are all different
//! never make any; and while there is room.

use std::collections::HashMap;

use ahash::RandomState;

use crate::sightings::Sightings;
use crate::text::{is_equal, word_of};

/// The first names of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    family: u16,
    names: u16,
}

/// A shape has at most so many names.
pub(crate) const SHAPE_NAMES_MAX: usize = if cfg!(feature = "tiny") { 6 } else { 1024 };

const FAMILIES_MAX: usize = if cfg!(feature = "tiny") { 6 } else { 1024 };

/// Shapes are made while names and tables take no more than this.
const BOOK_BYTES_MAX: usize = if cfg!(feature = "tiny") { 1 << 10 } else { 2 << 20 };

/// Names beyond so many are found by a table; up to here, by looking at each.
const LISTED_NAMES_MAX: usize = if cfg!(feature = "tiny") { 2 } else { 8 };

/// Every shape.
#[derive(Debug)]
pub(crate) struct Shapes {
    families: Vec<Option<Family>>,
    /// Family, number of names and hash of the next name → the family that goes on with it.
    branches: HashMap<(u16, u16, u64), u16, RandomState>,
    sightings: Sightings,
    /// Of all families.
    family_bytes: usize,
    /// A shape was not made since there are too many.
    pub(crate) lacks_room: bool,
}

/// The family before the first name.
const ROOT: u16 = u16::MAX;

#[derive(Debug)]
struct Family {
    /// The names one after another, and where each ends.
    text: Vec<u8>,
    ends: Vec<u32>,
    /// What each name is recognized by.
    marks: Vec<u64>,
    /// For each number of names, what their list is known by.
    signs: Vec<u64>,
    /// Name → its index, by the name's hash; `u16::MAX` is vacant. Empty while names are few.
    table: Vec<u16>,
    /// How many classes use it, and families that branch off from it.
    uses: u32,
    /// The branch that leads to it, from another family.
    origin: (u16, u16, u64),
}

impl Shape {
    /// How many names it has.
    pub(crate) fn len(self) -> usize {
        usize::from(self.names)
    }
}

impl Shapes {
    pub(crate) fn new(hasher: RandomState) -> Self {
        Self {
            families: Vec::new(),
            branches: HashMap::with_hasher(hasher),
            sightings: Sightings::default(),
            family_bytes: 0,
            lacks_room: false,
        }
    }

    /// The shape that has one name more; none if it was never made. No shape is before the first
    /// name.
    pub(crate) fn step(&self, shape: Option<Shape>, name: &[u8]) -> Option<Shape> {
        if let Some(next) = self.next(shape, name) {
            return Some(next);
        }
        let (family, names) = shape.map_or((ROOT, 0), |shape| (shape.family, shape.names));
        let branch = *self.branches.get(&(family, names, self.hash(name)))?;
        let is_next = self.family(branch)?.name(usize::from(names)) == name;
        is_next.then_some(Shape { family: branch, names: names + 1 })
    }

    /// The shape of `names` after those of `shape`, which must all be different. If it is not there
    /// it is made, if the list was seen before.
    pub(crate) fn extend<'n>(
        &mut self,
        shape: Option<Shape>,
        names: impl Iterator<Item = &'n [u8]> + Clone,
    ) -> Option<Shape> {
        let (mut known, mut rest) = (shape, names);
        loop {
            let mut after = rest.clone();
            let Some(name) = after.next() else { return known };
            let Some(next) = self.step(known, name) else { break };
            (known, rest) = (Some(next), after);
        }
        let start = known.map_or(0, |shape| self.sign(shape));
        let sign = rest.clone().fold(start, |sign, name| next_sign(sign, self.hash(name)));
        let added = rest.clone().count();
        if known.map_or(0, Shape::len) + added > SHAPE_NAMES_MAX || self.sightings.note(sign) < 2 {
            return None;
        }
        for name in rest {
            known = Some(self.add(known, name)?);
        }
        known
    }

    /// The shape of these names in this order behind those of `shape`, if there is one.
    pub(crate) fn find<'n>(
        &self,
        mut shape: Option<Shape>,
        names: impl Iterator<Item = &'n [u8]>,
    ) -> Option<Shape> {
        for name in names {
            shape = Some(self.step(shape, name)?);
        }
        shape
    }

    /// The shape that has one name more, if that is the next of the same family: then it is not
    /// among those before.
    #[inline]
    pub(crate) fn next(&self, shape: Option<Shape>, name: &[u8]) -> Option<Shape> {
        let Shape { family, names } = shape?;
        let own = self.family(family)?;
        let at = usize::from(names);
        let is_next = own.marks.get(at) == Some(&mark(name)) && own.is(at, name);
        is_next.then_some(Shape { family, names: names + 1 })
    }

    /// The place of a name in a shape.
    #[inline]
    pub(crate) fn index(&self, shape: Shape, name: &[u8]) -> Option<usize> {
        let family = self.family(shape.family)?;
        if family.table.is_empty() {
            return family.find(shape.len(), name);
        }
        let index = family.look_up(self.hash(name), name)?;
        (index < shape.len()).then_some(index)
    }

    /// The name at a place.
    #[inline]
    pub(crate) fn name(&self, shape: Shape, index: usize) -> &[u8] {
        self.family(shape.family).map_or(&[], |family| family.name(index))
    }

    /// The bytes of all names of a shape.
    pub(crate) fn names_bytes(&self, shape: Shape) -> usize {
        let family = self.family(shape.family);
        family.map_or(0, |family| family.ends[shape.len() - 1] as usize)
    }

    /// Every name of a shape, in order.
    pub(crate) fn names(&self, shape: Shape) -> impl Iterator<Item = &[u8]> {
        let family = self.family(shape.family);
        family.into_iter().flat_map(move |family| {
            let mut start = 0;
            family.ends[..shape.len()].iter().map(move |&end| {
                let name = &family.text[start..end as usize];
                start = end as usize;
                name
            })
        })
    }

    /// One class more uses the shape.
    pub(crate) fn retain(&mut self, shape: Shape) {
        if let Some(Some(family)) = self.families.get_mut(usize::from(shape.family)) {
            family.uses += 1;
        }
    }

    /// One class less uses the shape; after the last, its family goes, and what led to it alone.
    pub(crate) fn release(&mut self, shape: Shape) {
        let mut number = shape.family;
        while let Some(place) = self.families.get_mut(usize::from(number))
            && let Some(family) = place
        {
            family.uses -= 1;
            if family.uses > 0 {
                return;
            }
            let origin = family.origin;
            self.family_bytes -= family.bytes();
            *place = None;
            if self.branches.get(&origin) == Some(&number) {
                self.branches.remove(&origin);
            }
            number = origin.0;
        }
    }

    /// Lets families go that no class has come to use.
    pub(crate) fn sweep(&mut self) {
        self.lacks_room = false;
        for place in 0..self.families.len() {
            if let Some(family) = &mut self.families[place]
                && family.uses == 0
            {
                family.uses = 1;
                self.release(Shape { family: u16::try_from(place).unwrap_or(ROOT), names: 0 });
            }
        }
    }

    /// What shapes take of the process' own memory.
    pub(crate) fn book_bytes(&self) -> usize {
        const BRANCH_BYTES: usize = size_of::<((u16, u16, u64), u16)>() + 1;
        self.families.capacity() * size_of::<Option<Family>>()
            + self.family_bytes
            + self.branches.capacity() * 8 / 7 * BRANCH_BYTES
            + self.sightings.book_bytes()
    }

    fn hash(&self, name: &[u8]) -> u64 {
        self.branches.hasher().hash_one(name)
    }

    #[inline]
    fn family(&self, family: u16) -> Option<&Family> {
        self.families.get(usize::from(family))?.as_ref()
    }

    fn sign(&self, shape: Shape) -> u64 {
        self.family(shape.family).map_or(0, |family| family.signs[shape.len() - 1])
    }

    /// Makes the shape that has one name more.
    fn add(&mut self, shape: Option<Shape>, name: &[u8]) -> Option<Shape> {
        if u16::try_from(name.len()).is_err() {
            return None;
        }
        if self.family_bytes > BOOK_BYTES_MAX {
            self.lacks_room = true;
            return None;
        }
        let hash = self.hash(name);
        let (from, names) = shape.map_or((ROOT, 0), |shape| (shape.family, shape.names));
        let sign = next_sign(shape.map_or(0, |shape| self.sign(shape)), hash);
        let is_end = self.family(from).is_some_and(|family| family.len() == usize::from(names));
        let number = if is_end { from } else { self.branch(from, names, hash)? };
        let family = self.families.get_mut(usize::from(number))?.as_mut()?;
        self.family_bytes -= family.bytes();
        let pushed = family.push(name, sign);
        self.family_bytes += family.bytes();
        if family.len() > LISTED_NAMES_MAX && family.table.len() < family.len() * 2 {
            self.build_table(number)?;
        } else {
            let at = family.len() - 1;
            family.enter(hash, u16::try_from(at).ok()?);
        }
        pushed.then_some(Shape { family: number, names: names + 1 })
    }

    /// A new family with the first names of another.
    fn branch(&mut self, from: u16, names: u16, hash: u64) -> Option<u16> {
        let place = match self.families.iter().position(Option::is_none) {
            Some(place) => place,
            None if self.families.len() < FAMILIES_MAX => {
                self.families.try_reserve(1).ok()?;
                self.families.push(None);
                self.families.len() - 1
            }
            None => {
                self.lacks_room = true;
                return None;
            }
        };
        let number = u16::try_from(place).ok()?;
        self.branches.try_reserve(1).ok()?;
        let mut family = self.family(from).map_or_else(Family::default, |f| f.beginning(names));
        family.origin = (from, names, hash);
        self.retain(Shape { family: from, names });
        self.family_bytes += family.bytes();
        self.families[place] = Some(family);
        self.branches.insert((from, names, hash), number);
        Some(number)
    }

    fn build_table(&mut self, number: u16) -> Option<()> {
        let family = self.family(number)?;
        let hashes: Vec<u64> =
            (0..family.len()).map(|index| self.hash(family.name(index))).collect();
        let family = self.families.get_mut(usize::from(number))?.as_mut()?;
        self.family_bytes -= family.bytes();
        family.table = vec![u16::MAX; (family.len() * 4).next_power_of_two()];
        for (index, hash) in hashes.into_iter().enumerate() {
            family.enter(hash, u16::try_from(index).ok()?);
        }
        self.family_bytes += family.bytes();
        Some(())
    }
}

/// Shorter names are all in their mark.
const MARKED_WHOLE: usize = 8;

/// What a name is recognized by: its length, and what it begins and ends with.
#[inline(always)]
fn mark(name: &[u8]) -> u64 {
    let length = (name.len().min(0xff) as u64) << 56;
    if name.len() < MARKED_WHOLE {
        return word_of(name) | length;
    }
    let begin = word_of(name);
    let end = name.last_chunk().map_or(0, |last| u64::from_le_bytes(*last));
    length | (begin ^ end.rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 8
}

/// What a list with one name more is known by.
fn next_sign(sign: u64, hash: u64) -> u64 {
    (sign.rotate_left(23) ^ hash).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1
}

impl Default for Family {
    fn default() -> Self {
        Self {
            text: Vec::new(),
            ends: Vec::new(),
            marks: Vec::new(),
            signs: Vec::new(),
            table: Vec::new(),
            uses: 0,
            origin: (ROOT, 0, 0),
        }
    }
}

impl Family {
    fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline]
    fn name(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.text[start..self.ends[index] as usize]
    }

    /// The place of a name among the first so many.
    #[inline]
    fn find(&self, names: usize, name: &[u8]) -> Option<usize> {
        let mark = mark(name);
        let marks = &self.marks[..names];
        let index = marks.iter().position(|&other| other == mark)?;
        if self.is(index, name) {
            return Some(index);
        }
        // Names of one mark are rare.
        (index + 1..names).find(|&index| marks[index] == mark && self.name(index) == name)
    }

    /// Whether a name with the same mark is the one at a place.
    #[inline]
    fn is(&self, index: usize, name: &[u8]) -> bool {
        name.len() < MARKED_WHOLE || is_equal(self.name(index), name)
    }

    fn push(&mut self, name: &[u8], sign: u64) -> bool {
        let Ok(end) = u32::try_from(self.text.len() + name.len()) else { return false };
        self.text.extend_from_slice(name);
        self.ends.push(end);
        self.marks.push(mark(name));
        self.signs.push(sign);
        true
    }

    fn beginning(&self, names: u16) -> Self {
        let names = usize::from(names);
        let text_bytes = names.checked_sub(1).map_or(0, |last| self.ends[last] as usize);
        let (text, ends) = (self.text[..text_bytes].to_vec(), self.ends[..names].to_vec());
        let (marks, signs) = (self.marks[..names].to_vec(), self.signs[..names].to_vec());
        Self { text, ends, marks, signs, table: Vec::new(), uses: 0, origin: (ROOT, 0, 0) }
    }

    fn look_up(&self, hash: u64, name: &[u8]) -> Option<usize> {
        let mut place = self.place(hash);
        loop {
            let index = usize::from(self.table[place]);
            if index >= self.len() {
                return None;
            }
            if self.name(index) == name {
                return Some(index);
            }
            place = (place + 1) & (self.table.len() - 1);
        }
    }

    /// Notes a name in the table, if there is one.
    fn enter(&mut self, hash: u64, index: u16) {
        if self.table.is_empty() {
            return;
        }
        let mut place = self.place(hash);
        while self.table[place] != u16::MAX {
            place = (place + 1) & (self.table.len() - 1);
        }
        self.table[place] = index;
    }

    fn place(&self, hash: u64) -> usize {
        usize::try_from(hash >> 16).unwrap_or(0) & (self.table.len() - 1)
    }

    fn bytes(&self) -> usize {
        self.text.capacity()
            + self.ends.capacity() * 4
            + (self.marks.capacity() + self.signs.capacity()) * 8
            + self.table.capacity() * 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn shapes() -> Shapes {
        Shapes::new(RandomState::with_seed(1))
    }

    fn make(shapes: &mut Shapes, names: &[Vec<u8>]) -> Option<Shape> {
        shapes.extend(None, names.iter().map(Vec::as_slice))
    }

    #[test]
    fn names_seen_once_make_no_shape_and_names_seen_twice_make_one() {
        let mut shapes = shapes();
        let names: Vec<Vec<u8>> = ["a", "b", "c"].map(Vec::from).to_vec();
        assert_eq!(make(&mut shapes, &names), None);
        let shape = make(&mut shapes, &names).expect("it was seen before");
        assert_eq!(
            (shape.len(), shapes.find(None, names.iter().map(|n| &n[..]))),
            (3, Some(shape))
        );
        assert_eq!(shapes.index(shape, b"c"), Some(2));
        assert_eq!(shapes.index(shape, b"d"), None);
        let shorter = shapes.step(None, b"a").expect("it is on the way");
        assert_eq!(shapes.index(shorter, b"b"), None);
    }

    proptest! {
        #[test]
        fn a_shape_is_the_list_of_its_names(
            lists in vec((vec(0_u32..40, 0..30), any::<bool>(), 0_usize..200), 1..80),
        ) {
            let mut shapes = shapes();
            let mut held = BTreeMap::<_, (Shape, Vec<Vec<u8>>)>::new();
            for (numbers, drops, extra) in lists {
                let mut names: Vec<Vec<u8>> = Vec::new();
                for number in numbers {
                    let name = match number {
                        0 => Vec::new(),
                        1 => vec![b'x'; extra],
                        _ => number.to_string().into(),
                    };
                    if !names.contains(&name) {
                        names.push(name);
                    }
                }
                for _ in 0..2 {
                    let Some(shape) = make(&mut shapes, &names) else { continue };
                    let key = (shape.family, shape.names);
                    if let Some((_, old)) = held.insert(key, (shape, names.clone())) {
                        prop_assert_eq!(&old, &names);
                    } else {
                        shapes.retain(shape);
                    }
                }
                if drops && let Some((key, _)) = held.iter().nth(extra % held.len().max(1)) {
                    let (shape, _) = held.remove(&key.clone()).expect("it is held");
                    shapes.release(shape);
                }
                if extra % 5 == 0 {
                    shapes.sweep();
                }
                for (shape, names) in held.values() {
                    prop_assert_eq!(shapes.names(*shape).collect::<Vec<_>>(), names.iter().collect::<Vec<_>>());
                    for (index, name) in names.iter().enumerate() {
                        prop_assert_eq!(shapes.index(*shape, name), Some(index));
                        prop_assert_eq!(shapes.name(*shape, index), &name[..]);
                    }
                    prop_assert_eq!(shapes.find(None, names.iter().map(|n| &n[..])), Some(*shape));
                }
            }
            for (shape, _) in held.into_values() {
                shapes.release(shape);
            }
            shapes.sweep();
            prop_assert_eq!(shapes.family_bytes, 0);
            prop_assert!(shapes.branches.is_empty());
        }
    }

    #[test]
    fn names_as_long_as_can_be_take_no_more_than_there_may_be() {
        let mut shapes = shapes();
        for number in 0..300_u32 {
            let mut names: Vec<Vec<u8>> = (0..20).map(|n| vec![n; 20_000]).collect();
            names.insert(number as usize % 20, number.to_string().into());
            for _ in 0..2 {
                if let Some(shape) = make(&mut shapes, &names) {
                    shapes.retain(shape);
                }
            }
        }
        assert!(shapes.book_bytes() < 8 << 20, "{}", shapes.book_bytes());
    }
}
