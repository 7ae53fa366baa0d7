//! What does the first byte of a record say?
//!
//! Everything that many records have in common: the form, the template of the key, the shape of the
//! hash, whether there are deadlines. Each combination that is in use is a *class*; a record begins
//! with its number.
//!
//! ```text
//! 0          the record lies elsewhere: see `bodies`
//! 1–239      the class
//! 240–255 x  class 240 + (first − 240) × 256 + x
//! ```
//!
//! Classes count their records. One that has none left stays until there are [`SWEEP_MIN`] and half
//! of all are idle, since growing hashes pass through the same ones again and again. The first few
//! are always there, so that a record can be written when there is room for no more.

use std::collections::HashMap;

use ahash::RandomState;

use crate::shape::{Shape, Shapes};
use crate::template::{TemplateId, Templates};

/// Which class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClassId(u16);

/// What the records of a class have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Class {
    pub(crate) form: Form,
    /// The key is a number in this template; else it is there as it is.
    pub(crate) template: Option<TemplateId>,
    /// The key has a deadline.
    pub(crate) deadline: bool,
}

impl Class {
    /// Whether its records are strings.
    pub(crate) fn is_string(&self) -> bool {
        matches!(self.form, Form::String | Form::RawString)
    }

    /// Whether its records have no deadline, and no field that has one.
    pub(crate) fn is_timeless(&self) -> bool {
        let of_fields = match self.form {
            Form::Shaped(_, marks) | Form::Pairs(marks) => marks.deadlines,
            Form::String | Form::RawString => false,
            Form::Large => true,
        };
        !self.deadline && !of_fields
    }
}

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// A key and a value: a string, or a field of a large hash.
    String,
    /// A string that was written in part, and answers `raw` to `OBJECT ENCODING`, short as it may be.
    RawString,
    /// A hash whose names are a shape's.
    Shaped(Shape, Marks),
    /// A hash that has its names beside its values.
    Pairs(Marks),
    /// A hash whose fields are records of a table.
    Large,
}

/// What else there is to know of a hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Marks {
    /// Some of its fields have deadlines.
    pub(crate) deadlines: bool,
    /// What it answers to `OBJECT ENCODING`.
    pub(crate) encoding: Encoding,
}

/// What Redis would have made of a hash. It never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Encoding {
    /// It never had many fields, long ones, or deadlines.
    #[default]
    Listpack,
    /// The same, but a field has, or had, a deadline.
    ListpackEx,
    /// It had many fields, or long ones.
    Hashtable,
}

const ONE_BYTE_MAX: u8 = if cfg!(feature = "tiny") { 30 } else { 239 };
const CLASSES_MAX: usize =
    if cfg!(feature = "tiny") { 48 } else { ONE_BYTE_MAX as usize + 1 + 16 * 256 };

/// Idle classes stay while there are fewer than so many.
const SWEEP_MIN: usize = if cfg!(feature = "tiny") { 24 } else { 128 };

/// Classes, and what they are made of.
#[derive(Debug)]
pub(crate) struct Classes {
    /// By number; the first is none.
    classes: Vec<Option<Counted>>,
    ids: HashMap<Class, ClassId, RandomState>,
    pub(crate) templates: Templates,
    pub(crate) shapes: Shapes,
    /// What was asked for last.
    last: (Class, ClassId),
    /// Classes are looked through when there are so many.
    sweep_at: usize,
    /// But not the next so many times: there was room for no more, and may be none yet.
    sweeps_left_out: usize,
}

#[derive(Debug)]
struct Counted {
    class: Class,
    records: u64,
}

impl Classes {
    pub(crate) fn new(hasher: &RandomState) -> Self {
        let bare = Class { form: Form::String, template: None, deadline: false };
        let mut classes = Self {
            classes: vec![None],
            ids: HashMap::with_hasher(hasher.clone()),
            templates: Templates::new(hasher.clone()),
            shapes: Shapes::new(hasher.clone()),
            last: (bare, ClassId(1)),
            sweep_at: SWEEP_MIN,
            sweeps_left_out: 0,
        };
        for (number, class) in bare_classes().enumerate() {
            let id = ClassId(u16::try_from(number + 1).unwrap_or(u16::MAX));
            classes.classes.push(Some(Counted { class, records: 0 }));
            classes.ids.insert(class, id);
        }
        classes
    }

    /// The class that a record of these properties belongs to. Where there is room for no more, a
    /// simpler one: without template, or with pairs for a shape.
    pub(crate) fn id(&mut self, class: Class) -> ClassId {
        if self.last.0 == class {
            return self.last.1;
        }
        let id = self.ids.get(&class).copied().or_else(|| self.add(class));
        let id = id.unwrap_or_else(|| {
            let form = match class.form {
                Form::Shaped(_, marks) => Form::Pairs(marks),
                form => form,
            };
            // The first few are always there.
            self.ids.get(&Class { form, template: None, ..class }).copied().unwrap_or(ClassId(1))
        });
        self.last = (self.get(id), id);
        id
    }

    #[inline]
    pub(crate) fn get(&self, id: ClassId) -> Class {
        let counted = self.classes[usize::from(id.0)].as_ref();
        counted.expect("a record's class is there as long as the record").class
    }

    /// A record of this class was written.
    #[inline]
    pub(crate) fn retain(&mut self, id: ClassId) {
        if let Some(counted) = &mut self.classes[usize::from(id.0)] {
            counted.records += 1;
        }
    }

    /// A record of this class is gone.
    #[inline]
    pub(crate) fn release(&mut self, id: ClassId) {
        if let Some(counted) = &mut self.classes[usize::from(id.0)] {
            counted.records -= 1;
        }
    }

    /// What classes, templates and shapes take of the process' own memory.
    pub(crate) fn book_bytes(&self) -> usize {
        self.classes.capacity() * size_of::<Option<Counted>>()
            + self.ids.capacity() * 8 / 7 * (size_of::<(Class, ClassId)>() + 1)
            + self.templates.book_bytes()
            + self.shapes.book_bytes()
    }

    /// Lets idle classes go, if there are many, or too many of what they are made of.
    #[inline]
    pub(crate) fn sweep(&mut self) {
        let lacks_room = self.shapes.lacks_room || self.templates.lacks_room;
        if lacks_room || self.ids.len() >= self.sweep_at {
            self.sweep_now(lacks_room);
        }
    }

    fn sweep_now(&mut self, lacks_room: bool) {
        if self.sweeps_left_out > 0 {
            self.sweeps_left_out -= 1;
            return;
        }
        for number in bare_classes().count() + 1..self.classes.len() {
            let Some(Counted { class, records: 0 }) = self.classes[number] else { continue };
            self.classes[number] = None;
            self.ids.remove(&class);
            if let Some(template) = class.template {
                self.templates.release(template);
            }
            if let Form::Shaped(shape, _) = class.form {
                self.shapes.release(shape);
            }
        }
        self.templates.sweep();
        self.shapes.sweep();
        self.last = (self.get(ClassId(1)), ClassId(1));
        self.sweep_at = (self.ids.len() * 2).clamp(SWEEP_MIN, CLASSES_MAX - 1);
        if lacks_room || self.ids.len() >= self.sweep_at {
            self.sweeps_left_out = CLASSES_MAX;
        }
    }

    fn add(&mut self, class: Class) -> Option<ClassId> {
        // The first number is nobody's.
        if self.ids.len() >= CLASSES_MAX - 1 {
            return None;
        }
        let number = match self.classes.iter().skip(1).position(Option::is_none) {
            Some(vacant) => vacant + 1,
            None if self.classes.len() < CLASSES_MAX => {
                self.classes.try_reserve(1).ok()?;
                self.classes.push(None);
                self.classes.len() - 1
            }
            None => return None,
        };
        self.ids.try_reserve(1).ok()?;
        let id = ClassId(u16::try_from(number).ok()?);
        if let Some(template) = class.template {
            self.templates.retain(template);
        }
        if let Form::Shaped(shape, _) = class.form {
            self.shapes.retain(shape);
        }
        self.classes[number] = Some(Counted { class, records: 0 });
        self.ids.insert(class, id);
        Some(id)
    }
}

/// The classes that are always there: every form without shape, for keys without template.
fn bare_classes() -> impl Iterator<Item = Class> {
    const ENCODINGS: [Encoding; 3] =
        [Encoding::Listpack, Encoding::ListpackEx, Encoding::Hashtable];
    let marks = [false, true].into_iter().flat_map(|deadlines| {
        ENCODINGS.into_iter().map(move |encoding| Marks { deadlines, encoding })
    });
    let forms =
        [Form::String, Form::RawString, Form::Large].into_iter().chain(marks.map(Form::Pairs));
    forms.flat_map(|form| {
        [false, true].into_iter().map(move |deadline| Class { form, template: None, deadline })
    })
}

impl ClassId {
    /// Puts the bytes that a record begins with.
    #[inline]
    pub(crate) fn push(self, record: &mut Vec<u8>) {
        match self.0.checked_sub(u16::from(ONE_BYTE_MAX) + 1) {
            None => record.push(self.0.to_le_bytes()[0]),
            Some(beyond) => {
                let [low, high] = beyond.to_le_bytes();
                record.extend([ONE_BYTE_MAX + 1 + high, low]);
            }
        }
    }

    /// The class that a record begins with, and where its key begins.
    #[inline]
    pub(crate) fn read(record: &[u8]) -> (Self, usize) {
        match record[0] {
            first @ 0..=ONE_BYTE_MAX => (Self(u16::from(first)), 1),
            first => {
                let beyond = u16::from_le_bytes([record[1], first - ONE_BYTE_MAX - 1]);
                (Self(beyond + u16::from(ONE_BYTE_MAX) + 1), 2)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes() -> Classes {
        Classes::new(&RandomState::with_seed(1))
    }

    #[test]
    fn every_class_comes_back_from_what_records_begin_with() {
        for number in 1..u16::try_from(CLASSES_MAX).expect("they are few") {
            let mut record = Vec::new();
            ClassId(number).push(&mut record);
            assert_eq!(ClassId::read(&record), (ClassId(number), record.len()));
            assert_ne!(record[0], 0);
        }
    }

    #[test]
    fn idle_classes_go_when_there_are_many_and_room_for_no_more_is_a_simpler_class() {
        let mut classes = classes();
        let names: Vec<Vec<u8>> = (0..6000_u32).map(|n| n.to_be_bytes().to_vec()).collect();
        let mut kept = Vec::new();
        for name in &names {
            let list = || std::iter::once(&name[..]);
            let shape = classes.shapes.extend(None, list());
            let shape = shape.or_else(|| classes.shapes.extend(None, list()));
            let Some(shape) = shape else { break };
            let form = Form::Shaped(shape, Marks::default());
            let id = classes.id(Class { form, template: None, deadline: false });
            if kept.len() < 100 {
                classes.retain(id);
                kept.push((id, name));
            }
            classes.sweep();
        }
        assert!(classes.classes.len() < 300, "{}", classes.classes.len());
        for (id, name) in kept {
            let Form::Shaped(shape, _) = classes.get(id).form else { panic!("a shape is kept") };
            assert_eq!(classes.shapes.name(shape, 0), name);
            classes.release(id);
        }
    }

    #[test]
    fn classes_go_after_there_were_as_many_as_there_can_be() {
        let mut classes = classes();
        let names: Vec<Vec<u8>> =
            (0..crate::shape::SHAPE_NAMES_MAX.min(500)).map(|n| n.to_string().into()).collect();
        let list = |count: usize| names[..count].iter().map(Vec::as_slice);
        let shapes = (1..=names.len()).map(|count| {
            classes.shapes.extend(None, list(count));
            classes.shapes.extend(None, list(count)).expect("it was seen before")
        });
        let shapes: Vec<Shape> = shapes.collect();
        let all = bare_classes().flat_map(|bare| {
            let form = |shape: Shape| match bare.form {
                Form::Pairs(marks) => Some(Form::Shaped(shape, marks)),
                _ => None,
            };
            let forms = shapes.iter().filter_map(move |&shape| form(shape)).collect::<Vec<_>>();
            forms.into_iter().map(move |form| Class { form, ..bare })
        });
        let all: Vec<Class> = all.collect();
        let mut held = Vec::new();
        for &class in &all {
            let id = classes.id(class);
            classes.retain(id);
            classes.sweep();
            held.push(id);
        }
        assert!(all.len() > CLASSES_MAX, "{} are too few", all.len());
        let last = *all.last().expect("there are classes");
        let simpler = classes.id(last);
        assert!(matches!(classes.get(simpler).form, Form::Pairs(_)), "there is room for no more");
        for id in held {
            classes.release(id);
        }
        for _ in 0..=CLASSES_MAX {
            classes.sweep();
        }
        assert_eq!(classes.ids.len(), bare_classes().count());
        assert!(classes.shapes.find(None, list(1)).is_none(), "a shape that nobody uses is there");
    }
}
