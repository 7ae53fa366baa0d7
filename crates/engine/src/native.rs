//! How does the engine answer a caller in its own process?
//!
//! # Layout
//!
//! A reply is a tag and what follows, all integers little-endian:
//!
//! | tag | what follows | bytes |
//! | --- | --- | --- |
//! | `+` status, `-` error, `$` string | length `u32`, bytes | 5 + length |
//! | `:` integer | `i64` | 9 |
//! | `_` null | | 1 |
//! | `*` array | count `u32`, that many replies | 5 |
//! | `%` map | pairs `u32`, twice that many replies | 5 |

use crate::wire::{ReplyBuffer, Wire};
use hectare_store::{CommandError, ReplySink, Value};
use std::fmt::Write;

/// The engine's own wire form: nothing to escape, and every length known before its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Native;

/// One reply, as a caller reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply<'a> {
    /// A status such as `OK`.
    Status(&'a str),
    /// A failure, by Redis' text, code first.
    Error(&'a str),
    /// An integer.
    Integer(i64),
    /// A string.
    Bytes(&'a [u8]),
    /// No value.
    Null,
    /// Several replies.
    Array(Elements<'a>),
    /// Keys and values, alternating.
    Map(Elements<'a>),
}

/// The replies inside a reply, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elements<'a> {
    left: usize,
    bytes: &'a [u8],
}

impl<'a> Reply<'a> {
    /// Reads a whole reply of a [`ReplyBuffer`] that [`Native`] has written.
    ///
    /// # Panics
    /// If it is none.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Self {
        let (reply, rest) = Self::split(bytes);
        debug_assert!(rest.is_empty() || matches!(reply, Self::Array(_) | Self::Map(_)));
        reply
    }

    /// Reads the first reply; what comes after it is the rest (for an array: its elements first).
    fn split(bytes: &'a [u8]) -> (Self, &'a [u8]) {
        let (tag, rest) = bytes.split_first().expect("a reply starts with its tag");
        match tag {
            b':' => {
                let (integer, rest) = rest.split_first_chunk().expect("an integer has 8 bytes");
                (Self::Integer(i64::from_le_bytes(*integer)), rest)
            }
            b'_' => (Self::Null, rest),
            _ => {
                let (length, rest) = rest.split_first_chunk().expect("a length has 4 bytes");
                Self::split_sized(*tag, u32::from_le_bytes(*length) as usize, rest)
            }
        }
    }

    fn split_sized(tag: u8, length: usize, rest: &'a [u8]) -> (Self, &'a [u8]) {
        match tag {
            b'*' => (Self::Array(Elements { left: length, bytes: rest }), rest),
            b'%' => (Self::Map(Elements { left: 2 * length, bytes: rest }), rest),
            b'$' => (Self::Bytes(&rest[..length]), &rest[length..]),
            _ => {
                let text = std::str::from_utf8(&rest[..length]).expect("the sink wrote a str");
                let reply = if tag == b'+' { Self::Status(text) } else { Self::Error(text) };
                (reply, &rest[length..])
            }
        }
    }

    /// What comes after the first reply and all that is in it.
    fn skip(bytes: &'a [u8]) -> &'a [u8] {
        let (mut reply, mut rest) = Self::split(bytes);
        let mut left = 0;
        loop {
            if let Self::Array(elements) | Self::Map(elements) = reply {
                left += elements.left;
            }
            if left == 0 {
                return rest;
            }
            (reply, rest) = Self::split(rest);
            left -= 1;
        }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Reply<'a>;

    fn next(&mut self) -> Option<Reply<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (reply, _) = Reply::split(self.bytes);
        self.bytes = Reply::skip(self.bytes);
        Some(reply)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Elements<'_> {}

impl Wire for Native {
    fn lend(&self, replies: &mut ReplyBuffer, run: &mut dyn FnMut(&mut dyn ReplySink)) {
        run(&mut NativeSink { replies });
    }

    fn integer(&self, reply: &[u8]) -> Option<i64> {
        match Reply::split(reply).0 {
            Reply::Integer(integer) => Some(integer),
            _ => None,
        }
    }

    fn array(&self, reply: &[u8]) -> Option<(usize, usize)> {
        let Reply::Array(elements) = Reply::read(reply) else { return None };
        Some((elements.left, reply.len() - elements.bytes.len()))
    }

    fn is_error(&self, reply: &[u8]) -> bool {
        reply.first() == Some(&b'-')
    }
}

struct NativeSink<'a> {
    replies: &'a mut ReplyBuffer,
}

impl NativeSink<'_> {
    fn head(&mut self, tag: u8, length: usize) {
        let length = u32::try_from(length).expect("a value has at most 512 MiB");
        let [a, b, c, d] = length.to_le_bytes();
        self.replies.bytes.extend_from_slice(&[tag, a, b, c, d]);
    }

    fn text(&mut self, tag: u8, text: &[u8]) {
        self.head(tag, text.len());
        self.replies.bytes.extend_from_slice(text);
    }
}

impl ReplySink for NativeSink<'_> {
    fn status(&mut self, text: &str) {
        self.text(b'+', text.as_bytes());
    }

    fn error(&mut self, error: &CommandError) {
        let mut text = String::new();
        write!(text, "{error}").expect("a String takes any text");
        self.text(b'-', text.as_bytes());
        self.replies.errors += 1;
    }

    fn integer(&mut self, integer: i64) {
        self.replies.bytes.push(b':');
        self.replies.bytes.extend_from_slice(&integer.to_le_bytes());
    }

    fn value(&mut self, value: Value<'_>) {
        match value {
            Value::Bytes(bytes) => self.text(b'$', bytes),
            Value::Integer(integer) => {
                self.text(b'$', itoa::Buffer::new().format(integer).as_bytes());
            }
        }
    }

    fn null(&mut self) {
        self.replies.bytes.push(b'_');
    }

    fn null_array(&mut self) {
        self.null();
    }

    fn array(&mut self, elements: usize) {
        self.head(b'*', elements);
    }

    fn map(&mut self, pairs: usize) {
        self.head(b'%', pairs);
    }

    fn pairs(&mut self, pairs: usize) {
        self.head(b'%', pairs);
    }

    fn pair(&mut self) {}

    fn written(&self) -> usize {
        self.replies.bytes.len()
    }

    fn truncate(&mut self, written: usize) {
        self.replies.bytes.truncate(written);
    }

    fn is_full(&self) -> bool {
        self.replies.unfinished_bytes() > ReplyBuffer::REPLY_BYTES_MAX
    }

    fn bytes_left(&self) -> usize {
        self.replies.bytes_left()
    }

    fn end(&mut self) {
        self.replies.end();
    }
}
