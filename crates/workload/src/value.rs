//! What does a field hold, and how is one of its values made?

use crate::json;
use crate::random::Stream;

/// From `min` to `max`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) min: u32,
    pub(crate) max: u32,
}

impl Span {
    fn draw(self, stream: &mut Stream) -> usize {
        let number = u64::from(self.min) + stream.below(u64::from(self.max - self.min) + 1);
        usize::try_from(number).expect("a size of 32 bits is a usize")
    }
}

/// How the values of a field are distributed. What a schema promises is checked before one is made:
/// lists are not empty, spans not reversed, and an email's name is a [`Value::PersonName`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// From `min` to `max`, both included, each equally likely.
    Integer { min: i64, max: i64 },
    /// One of `values`; where there are weights, `weight_ends` are their running sums.
    Choice { values: Vec<String>, weight_ends: Option<Vec<u64>> },
    /// A first and a last name.
    PersonName(Names),
    /// Made from the name that the same object has in `name_field`.
    Email { name_field: usize, names: Names, domains: Vec<String> },
    /// Letters and digits, so many bytes of them.
    Alphanumeric { size: Span },
    /// So many words with a space between.
    Words { words: Vec<String>, count: Span },
}

/// The lists that a person's name is drawn from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) first: Vec<String>,
    pub(crate) last: Vec<String>,
}

impl Names {
    fn draw(&self, stream: &mut Stream) -> (&str, &str) {
        let first = &self.first[stream.index(self.first.len())];
        let last = &self.last[stream.index(self.last.len())];
        (first, last)
    }

    /// The same lists as they stand in an email: lower case, letters and digits only.
    pub(crate) fn for_email(&self) -> Self {
        let simple = |name: &String| {
            name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
        };
        Self {
            first: self.first.iter().map(simple).collect(),
            last: self.last.iter().map(simple).collect(),
        }
    }
}

/// Emails carry a number below this one.
const EMAIL_NUMBER_BOUND: u64 = 1000;

impl Value {
    /// Appends a value. `stream_of` gives the stream of a field (by its index) of the same object in
    /// the same version, `field` is this field's index.
    pub(crate) fn write(
        &self,
        field: usize,
        stream_of: impl Fn(usize) -> Stream,
        out: &mut Vec<u8>,
    ) {
        let mut stream = stream_of(field);
        match self {
            Self::Integer { min, max } => {
                let mut buffer = itoa::Buffer::new();
                out.extend_from_slice(buffer.format(stream.between(*min, *max)).as_bytes());
            }
            Self::Choice { values, weight_ends } => {
                let index = match weight_ends {
                    None => stream.index(values.len()),
                    Some(ends) => {
                        let draw = stream.below(ends[ends.len() - 1]);
                        ends.partition_point(|&end| end <= draw)
                    }
                };
                out.extend_from_slice(values[index].as_bytes());
            }
            Self::PersonName(names) => {
                let (first, last) = names.draw(&mut stream);
                out.extend_from_slice(first.as_bytes());
                out.push(b' ');
                out.extend_from_slice(last.as_bytes());
            }
            Self::Email { name_field, names, domains } => {
                let (first, last) = names.draw(&mut stream_of(*name_field));
                out.extend_from_slice(first.as_bytes());
                out.push(b'.');
                out.extend_from_slice(last.as_bytes());
                let mut buffer = itoa::Buffer::new();
                let number = stream.below(EMAIL_NUMBER_BOUND);
                out.extend_from_slice(buffer.format(number).as_bytes());
                out.push(b'@');
                out.extend_from_slice(domains[stream.index(domains.len())].as_bytes());
            }
            Self::Alphanumeric { size } => {
                let length = size.draw(&mut stream);
                stream.alphanumeric(length, out);
            }
            Self::Words { words, count } => {
                for index in 0..count.draw(&mut stream) {
                    if index > 0 {
                        out.push(b' ');
                    }
                    out.extend_from_slice(words[stream.index(words.len())].as_bytes());
                }
            }
        }
    }

    /// Whether every value is an integer, which JSON writes without quotes.
    pub(crate) fn is_integer(&self) -> bool {
        matches!(self, Self::Integer { .. })
    }

    /// Whether every value is an integer whose distance from 0 is at most `distance_max`.
    pub(crate) fn is_integer_within(&self, distance_max: u64) -> bool {
        matches!(self, Self::Integer { min, max }
            if min.unsigned_abs().max(max.unsigned_abs()) <= distance_max)
    }

    /// No value takes more bytes than this.
    pub(crate) fn bytes_max(&self) -> u64 {
        self.bytes_max_by(|text| text.len() as u64)
    }

    /// No value takes more bytes than this in JSON, quotes included.
    pub(crate) fn json_bytes_max(&self) -> u64 {
        let quotes = if self.is_integer() { 0 } else { 2 };
        self.bytes_max_by(json::escaped_bytes) + quotes
    }

    fn bytes_max_by(&self, bytes: impl Fn(&str) -> u64) -> u64 {
        let longest =
            |texts: &[String]| texts.iter().map(|text| bytes(text)).max().unwrap_or_default();
        match self {
            Self::Integer { min, max } => {
                let mut buffer = itoa::Buffer::new();
                let min_bytes = buffer.format(*min).len() as u64;
                min_bytes.max(buffer.format(*max).len() as u64)
            }
            Self::Choice { values, .. } => longest(values),
            Self::PersonName(names) => longest(&names.first) + 1 + longest(&names.last),
            Self::Email { names, domains, .. } => {
                longest(&names.first) + longest(&names.last) + longest(domains) + 5
            }
            Self::Alphanumeric { size } => u64::from(size.max),
            Self::Words { words, count } => u64::from(count.max) * (longest(words) + 1),
        }
    }
}
