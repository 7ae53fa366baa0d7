//! What do keys have in common?
//!
//! Keys are mostly a text around a number: `user:1207:email`. A template keeps the text once, its
//! prefix and suffix, and a record keeps the template's number and the key's: 3 bytes for numbers
//! up to two million. The number is the longest run of digits in the key (the last of equals). Where
//! it begins with a zero, as in `obj:00000042`, its width is part of the template; so a key comes
//! back byte for byte.
//!
//! A template is made when keys like it were seen [`SIGHTINGS`] times in a row or nearly so, and
//! while there is room for it; keys without one are kept as they are.

use std::collections::HashMap;

use ahash::RandomState;

use crate::sightings::Sightings;
use crate::text::{DIGITS_MAX, is_equal, parse_digits};

/// Which template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TemplateId(pub(crate) u16);

/// How often keys of a kind are seen before they get a template.
const SIGHTINGS: u8 = 3;

/// There are at most so many, and their texts take at most so many bytes.
const TEMPLATES_MAX: usize = if cfg!(feature = "tiny") { 4 } else { 4096 };
const TEXT_BYTES_MAX: usize = if cfg!(feature = "tiny") { 64 } else { 256 << 10 };

/// A longer key gets no template, and is not even looked at.
const KEY_BYTES_MAX: usize = 1024;

/// Templates by what they say.
#[derive(Debug)]
pub(crate) struct Templates {
    templates: Vec<Option<Template>>,
    ids: HashMap<Box<[u8]>, TemplateId, RandomState>,
    sightings: Sightings,
    text_bytes: usize,
    /// The template of the last key.
    last: Option<TemplateId>,
    /// What the last key was looked up by.
    text: Vec<u8>,
    /// A template was not made since there are too many.
    pub(crate) lacks_room: bool,
}

#[derive(Debug)]
struct Template {
    /// Prefix and suffix.
    text: Box<[u8]>,
    prefix_bytes: u16,
    /// The digits of a number that begins with a zero; 0 where it does not.
    width: u8,
    /// How many classes use it.
    uses: u32,
}

/// A key, taken apart.
#[derive(Clone, Copy, Debug)]
struct Parts<'a> {
    prefix: &'a [u8],
    digits: &'a [u8],
    suffix: &'a [u8],
}

impl Templates {
    pub(crate) fn new(hasher: RandomState) -> Self {
        Self {
            templates: Vec::new(),
            ids: HashMap::with_hasher(hasher),
            sightings: Sightings::default(),
            text_bytes: 0,
            last: None,
            text: Vec::new(),
            lacks_room: false,
        }
    }

    /// The template and number of a key that is to be kept.
    pub(crate) fn classify(&mut self, key: &[u8]) -> Option<(TemplateId, u64)> {
        if let Some(id) = self.last
            && let Some(number) = self.number(id, key)
        {
            return Some((id, number));
        }
        if key.len() > KEY_BYTES_MAX {
            return None;
        }
        let parts = Parts::of(key)?;
        let number = parse_digits(parts.digits)?;
        let mut text = std::mem::take(&mut self.text);
        write_lookup_text(parts.prefix, parts.suffix, parts.width(), &mut text);
        let id = match self.ids.get(&*text) {
            Some(&id) => Some(id),
            None => self.add(&parts, &text),
        };
        self.text = text;
        let id = id?;
        self.last = Some(id);
        Some((id, number))
    }

    /// The number of a key in this template, if it fits.
    #[inline(always)]
    pub(crate) fn number(&self, id: TemplateId, key: &[u8]) -> Option<u64> {
        let template = self.templates[usize::from(id.0)].as_ref()?;
        let (prefix, suffix) = template.text.split_at(usize::from(template.prefix_bytes));
        let digits_bytes = key.len().checked_sub(template.text.len())?;
        let (before, rest) = key.split_at(prefix.len());
        let (digits, after) = rest.split_at(digits_bytes);
        if !is_equal(before, prefix) || !is_equal(after, suffix) {
            return None;
        }
        let fits = match template.width {
            0 => matches!(digits, [b'0'] | [b'1'..=b'9', ..]),
            width => digits.len() == usize::from(width) && digits[0] == b'0',
        };
        if fits { parse_digits(digits) } else { None }
    }

    /// Writes the key of this template and number.
    pub(crate) fn write_key(&self, id: TemplateId, number: u64, key: &mut Vec<u8>) {
        let Some(template) = self.templates[usize::from(id.0)].as_ref() else { return };
        let (prefix, suffix) = template.text.split_at(usize::from(template.prefix_bytes));
        key.extend_from_slice(prefix);
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(number).as_bytes();
        let zeros = usize::from(template.width).saturating_sub(digits.len());
        key.extend(std::iter::repeat_n(b'0', zeros));
        key.extend_from_slice(digits);
        key.extend_from_slice(suffix);
    }

    /// The bytes of the key of this template and number.
    pub(crate) fn key_bytes(&self, id: TemplateId, number: u64) -> usize {
        let Some(template) = self.templates[usize::from(id.0)].as_ref() else { return 0 };
        let digits = number.checked_ilog10().map_or(1, |log| log as usize + 1);
        template.text.len() + digits.max(usize::from(template.width))
    }

    /// One class more uses it.
    pub(crate) fn retain(&mut self, id: TemplateId) {
        if let Some(template) = &mut self.templates[usize::from(id.0)] {
            template.uses += 1;
        }
    }

    /// One class less uses it; after the last it goes.
    pub(crate) fn release(&mut self, id: TemplateId) {
        let place = &mut self.templates[usize::from(id.0)];
        let Some(template) = place else { return };
        template.uses -= 1;
        if template.uses == 0 {
            self.text_bytes -= template.text.len();
            let (prefix, suffix) = template.text.split_at(usize::from(template.prefix_bytes));
            write_lookup_text(prefix, suffix, template.width, &mut self.text);
            self.ids.remove(&*self.text);
            *place = None;
            if self.last == Some(id) {
                self.last = None;
            }
        }
    }

    /// What templates take of the process' own memory.
    pub(crate) fn book_bytes(&self) -> usize {
        const ENTRY_BYTES: usize = size_of::<(Box<[u8]>, TemplateId)>() + 1;
        self.templates.capacity() * size_of::<Option<Template>>()
            + self.text_bytes * 2
            + self.ids.capacity() * 8 / 7 * ENTRY_BYTES
            + self.sightings.book_bytes()
    }

    fn add(&mut self, parts: &Parts<'_>, text: &[u8]) -> Option<TemplateId> {
        let prefix_bytes = u16::try_from(parts.prefix.len()).ok()?;
        let text_bytes = parts.prefix.len() + parts.suffix.len();
        let sign = self.ids.hasher().hash_one(text);
        if text_bytes > TEXT_BYTES_MAX || self.sightings.note(sign) < SIGHTINGS {
            return None;
        }
        if self.text_bytes + text_bytes > TEXT_BYTES_MAX {
            self.lacks_room = true;
            return None;
        }
        let vacant = self.templates.iter().position(Option::is_none);
        let place = match vacant {
            Some(place) => place,
            None if self.templates.len() < TEMPLATES_MAX => {
                self.templates.try_reserve(1).ok()?;
                self.templates.push(None);
                self.templates.len() - 1
            }
            None => {
                self.lacks_room = true;
                return None;
            }
        };
        let id = TemplateId(u16::try_from(place).ok()?);
        let whole = [parts.prefix, parts.suffix].concat().into();
        self.ids.try_reserve(1).ok()?;
        self.ids.insert(text.into(), id);
        let width = parts.width();
        self.templates[place] = Some(Template { text: whole, prefix_bytes, width, uses: 0 });
        self.text_bytes += text_bytes;
        Some(id)
    }

    /// Lets templates go that no class has come to use.
    pub(crate) fn sweep(&mut self) {
        self.lacks_room = false;
        for place in 0..self.templates.len() {
            if let Some(template) = &mut self.templates[place]
                && template.uses == 0
            {
                template.uses = 1;
                self.release(TemplateId(u16::try_from(place).unwrap_or(0)));
            }
        }
    }
}

/// What a template is found by. No two have one text: it says where the prefix ends.
fn write_lookup_text(prefix: &[u8], suffix: &[u8], width: u8, text: &mut Vec<u8>) {
    text.clear();
    text.push(width);
    text.extend_from_slice(&prefix.len().to_le_bytes());
    text.extend_from_slice(prefix);
    text.extend_from_slice(suffix);
}

impl<'a> Parts<'a> {
    /// Takes a key apart at its longest run of digits.
    fn of(key: &'a [u8]) -> Option<Self> {
        let (mut best, mut at) = (0..0, 0);
        while at < key.len() {
            let digits = key[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits > 0 && digits >= best.len() {
                best = at..at + digits;
            }
            at += digits + 1;
        }
        if best.is_empty() || best.len() > DIGITS_MAX {
            return None;
        }
        Some(Self {
            prefix: &key[..best.start],
            digits: &key[best.clone()],
            suffix: &key[best.end..],
        })
    }

    fn width(&self) -> u8 {
        match self.digits {
            [b'0', _, ..] => self.digits.len().to_le_bytes()[0],
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn templates() -> Templates {
        Templates::new(RandomState::with_seed(1))
    }

    fn comes_back(templates: &mut Templates, key: &[u8]) -> bool {
        let Some((id, number)) = templates.classify(key) else { return false };
        let mut back = Vec::new();
        templates.write_key(id, number, &mut back);
        assert_eq!(back, key);
        assert_eq!(templates.key_bytes(id, number), key.len());
        assert_eq!(templates.number(id, key), Some(number));
        true
    }

    proptest! {
        #[test]
        fn every_key_comes_back(prefix in "[a-z0:]{0,6}", number in any::<u64>(),
                                zeros in 0..4_usize, suffix in "[a-z0-9:]{0,6}") {
            let mut templates = templates();
            let zeros = "0".repeat(zeros);
            for shift in 0..64 {
                let key = format!("{prefix}{zeros}{}{suffix}", number >> shift);
                comes_back(&mut templates, key.as_bytes());
            }
        }
    }

    #[test]
    fn keys_that_are_alike_share_a_template_and_others_have_none() {
        let mut templates = templates();
        for number in [7, 0, 12, 1_000_000] {
            comes_back(&mut templates, format!("user:{number}:email").as_bytes());
        }
        assert_eq!(templates.templates.len(), 1);
        let known: Vec<bool> = ["user:5:email", "user:05:email", "user:5:emai", "user:x:email", ""]
            .iter()
            .map(|key| templates.classify(key.as_bytes()).is_some())
            .collect();
        assert_eq!(known, [true, false, false, false, false]);
        for _ in 0..8 {
            assert!(templates.classify(b"user:99999999999999999999:email").is_none());
        }
    }

    #[test]
    fn zeros_in_front_are_part_of_the_template() {
        let mut templates = templates();
        for number in 0..20 {
            comes_back(&mut templates, format!("obj:{number:08}").as_bytes());
            comes_back(&mut templates, format!("obj:{number}").as_bytes());
        }
        assert!(comes_back(&mut templates, b"obj:00000042"));
        assert!(comes_back(&mut templates, b"obj:0"));
        assert!(comes_back(&mut templates, b"obj:42"));
        let (wide, _) = templates.classify(b"obj:00000042").expect("it was seen");
        assert_eq!(templates.number(wide, b"obj:10000042"), None);
    }

    #[test]
    fn keys_with_zero_bytes_are_not_taken_for_others() {
        let mut templates = templates();
        for number in 0..5 {
            for key in [format!("a\0{number}b"), format!("a{number}\0b"), format!("a\0b{number}")] {
                comes_back(&mut templates, key.as_bytes());
            }
            comes_back(&mut templates, format!("a\u{2}0{number}").as_bytes());
            comes_back(&mut templates, format!("a0{number}\u{2}").as_bytes());
        }
        assert_eq!(templates.templates.len(), 5.min(TEMPLATES_MAX));
    }

    #[test]
    fn keys_without_anything_in_common_do_not_grow_the_table() {
        let mut templates = templates();
        for number in 0_u64..100_000 {
            let random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            templates.classify(format!("{random:016x}{:x}", random >> 7).as_bytes());
        }
        assert!(templates.templates.len() <= 64, "{}", templates.templates.len());
        assert!(templates.book_bytes() < 64 << 10);
    }
}
