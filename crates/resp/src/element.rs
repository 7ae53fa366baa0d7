//! What is the next element of a reply, and is all of it there?
//!
//! An element is a text, number or string with its content, or the head alone of an array, map or set.
//! Only the frame is looked at here: markers, lengths and line ends, not whether a number is one.

use std::fmt;
use std::ops::Range;

use crate::line::{self, LineEnd};
use crate::number;

/// The fewest bytes of an element: RESP3's null, `_\r\n`.
pub(crate) const ELEMENT_BYTES_MIN: u64 = 3;

/// What a reply is, told by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReplyKind {
    /// A status such as `OK`.
    Simple,
    /// An error, in either of RESP3's forms.
    Error,
    /// An integer.
    Integer,
    /// A string of any bytes.
    Bulk,
    /// No value, in any of its three forms.
    Null,
    /// An array.
    Array,
    /// A map (RESP3).
    Map,
    /// A set (RESP3).
    Set,
    /// A message that answers no command (RESP3): not to be counted among the answers.
    Push,
    /// A double (RESP3).
    Double,
    /// A truth value (RESP3).
    Boolean,
    /// A whole number of any size (RESP3).
    BigNumber,
    /// Text with its format (RESP3).
    Verbatim,
}

/// Where an element lies, counted from its own first byte.
#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) kind: ReplyKind,
    /// Whether it is an attribute: a map that stands in front of the element it says something about.
    pub(crate) is_attribute: bool,
    /// The text, digits or bytes; nothing for a head.
    pub(crate) content: Range<usize>,
    /// How many elements follow that belong to it: two for each pair of a map, and for an attribute one
    /// more, the element that it stands in front of.
    pub(crate) elements: u64,
    /// The byte behind it.
    pub(crate) end: usize,
}

impl Element {
    /// Reads the element at the start of `rest`; `None` if more bytes are needed.
    ///
    /// `searched` is how many bytes of its first line are known not to hold the line's end. A string that
    /// would end behind `room` bytes is refused before its bytes are waited for.
    #[inline]
    pub(crate) fn read(
        rest: &[u8],
        searched: &mut usize,
        line_bytes_max: usize,
        room: usize,
    ) -> Result<Option<Self>, ReplyError> {
        let Some(&marker) = rest.first() else {
            return Ok(None);
        };
        let mut head = Head { rest, searched, line_bytes_max, room };
        match marker {
            b'$' => head.read_bulk(ReplyKind::Bulk),
            b':' => head.read_text(ReplyKind::Integer),
            b'+' => head.read_text(ReplyKind::Simple),
            b'*' => head.read_aggregate(ReplyKind::Array),
            b'-' => head.read_text(ReplyKind::Error),
            b'%' => head.read_aggregate(ReplyKind::Map),
            b'_' => head.read_text(ReplyKind::Null),
            b'~' => head.read_aggregate(ReplyKind::Set),
            b'>' => head.read_aggregate(ReplyKind::Push),
            b',' => head.read_text(ReplyKind::Double),
            b'#' => head.read_text(ReplyKind::Boolean),
            b'(' => head.read_text(ReplyKind::BigNumber),
            b'=' => head.read_bulk(ReplyKind::Verbatim),
            b'!' => head.read_bulk(ReplyKind::Error),
            b'|' => head.read_attribute(),
            found => Err(ReplyError::UnknownMarker { found }),
        }
    }

    fn scalar(kind: ReplyKind, content: Range<usize>) -> Self {
        let end = content.end + 2;
        Self { kind, is_attribute: false, content, elements: 0, end }
    }
}

/// The first line of an element.
struct Head<'a, 's> {
    rest: &'a [u8],
    searched: &'s mut usize,
    line_bytes_max: usize,
    room: usize,
}

impl Head<'_, '_> {
    #[inline]
    fn read_text(&mut self, kind: ReplyKind) -> Result<Option<Element>, ReplyError> {
        let end = match self.rest {
            // The most common answers to writes, `:0\r\n` and `+OK\r\n`, need no search.
            [_, a, b'\r', b'\n', ..] if *a != b'\r' => 2,
            [_, a, b, b'\r', b'\n', ..] if *a != b'\r' && *b != b'\r' => 3,
            _ => match self.find_line_end()? {
                Some(end) => end,
                None => return Ok(None),
            },
        };
        Ok(Some(Element::scalar(kind, 1..end)))
    }

    #[inline]
    fn read_bulk(&mut self, kind: ReplyKind) -> Result<Option<Element>, ReplyError> {
        let Some((bytes, start)) = self.read_number()? else {
            return Ok(None);
        };
        let Some(bytes) = bytes else {
            return Ok(Some(Element::scalar(ReplyKind::Null, start - 2..start - 2)));
        };
        let end = match usize::try_from(bytes) {
            Ok(bytes) if bytes <= self.room.saturating_sub(start + 2) => start + bytes,
            _ => return Err(ReplyError::TooBig),
        };
        match self.rest.get(end..end + 2) {
            None => Ok(None),
            Some(b"\r\n") => Ok(Some(Element::scalar(kind, start..end))),
            Some(_) => Err(ReplyError::MissingLineEnd),
        }
    }

    #[inline]
    fn read_aggregate(&mut self, kind: ReplyKind) -> Result<Option<Element>, ReplyError> {
        let Some((count, end)) = self.read_number()? else {
            return Ok(None);
        };
        let (kind, elements) = match count {
            None => (ReplyKind::Null, 0),
            // Cannot overflow: a count has at most 18 digits.
            Some(pairs) if kind == ReplyKind::Map => (kind, 2 * pairs),
            Some(elements) => (kind, elements),
        };
        Ok(Some(Element { kind, is_attribute: false, content: end..end, elements, end }))
    }

    fn read_attribute(&mut self) -> Result<Option<Element>, ReplyError> {
        let head = self.read_aggregate(ReplyKind::Map)?;
        match head {
            Some(Element { kind: ReplyKind::Null, .. }) => Err(ReplyError::InvalidLength),
            Some(head) => {
                Ok(Some(Element { is_attribute: true, elements: head.elements + 1, ..head }))
            }
            None => Ok(None),
        }
    }

    /// The number behind the marker, `None` if it is the -1 that stands for null, and where the line
    /// behind it starts.
    #[inline]
    fn read_number(&mut self) -> Result<Option<(Option<u64>, usize)>, ReplyError> {
        if let Some((number, digits)) = number::leading_number(&self.rest[1..])
            && let Some(b"\r\n") = self.rest.get(digits + 1..digits + 3)
        {
            return Ok(Some((Some(number), digits + 3)));
        }
        let Some(end) = self.find_line_end()? else {
            return Ok(None);
        };
        match &self.rest[1..end] {
            b"-1" => Ok(Some((None, end + 2))),
            b"?" => Err(ReplyError::Streamed),
            _ => Err(ReplyError::InvalidLength),
        }
    }

    /// The index of the `\r\n` that ends the line; `None` if it is not there yet.
    fn find_line_end(&mut self) -> Result<Option<usize>, ReplyError> {
        match line::find_end(b'\r', self.rest, *self.searched, self.line_bytes_max) {
            LineEnd::At(index) => match self.rest.get(index + 1) {
                Some(b'\n') => Ok(Some(index)),
                Some(_) => Err(ReplyError::MissingLineEnd),
                None => {
                    *self.searched = index;
                    Ok(None)
                }
            },
            LineEnd::Missing => {
                *self.searched = self.rest.len();
                Ok(None)
            }
            LineEnd::TooLong => Err(ReplyError::TooLongLine),
        }
    }
}

/// Why received bytes are no reply, or one that is refused; there is no way to go on after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyError {
    /// An element starts with a byte that marks no type: most likely this is no Redis server.
    UnknownMarker {
        /// The byte.
        found: u8,
    },
    /// What stands for a length or a count is neither that nor the -1 of a null.
    InvalidLength,
    /// A line or a string does not end in `\r\n`.
    MissingLineEnd,
    /// A string or array of a length that is not announced, which no server sends unasked.
    Streamed,
    /// A line above [`ReplyLimits::line_bytes_max`](crate::ReplyLimits::line_bytes_max).
    TooLongLine,
    /// A reply that is, or must become, longer than
    /// [`ReplyLimits::reply_bytes_max`](crate::ReplyLimits::reply_bytes_max).
    TooBig,
    /// A reply that is nested deeper than [`ReplyLimits::depth_max`](crate::ReplyLimits::depth_max).
    TooDeep,
    /// The content of an element is not what its marker says.
    InvalidContent {
        /// What it should be.
        kind: ReplyKind,
    },
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownMarker { found } => write!(
                f,
                "a reply starts with a type marker such as '+', '-', ':', '$' or '*', not with '{}'",
                found.escape_ascii()
            ),
            Self::InvalidLength => f.write_str("a length in a reply is -1 or a count from 0 up"),
            Self::MissingLineEnd => f.write_str("a line or string in a reply ends in \\r\\n"),
            Self::Streamed => {
                f.write_str("a string or array in a reply announces its length, not '?'")
            }
            Self::TooLongLine => f.write_str("a line in a reply ends before the longest allowed"),
            Self::TooBig => f.write_str("a reply is at most as long as the longest allowed"),
            Self::TooDeep => f.write_str("a reply is nested at most as deep as allowed"),
            Self::InvalidContent { kind } => {
                write!(f, "an element marked as {kind:?} holds one, and this one does not")
            }
        }
    }
}

impl std::error::Error for ReplyError {}
