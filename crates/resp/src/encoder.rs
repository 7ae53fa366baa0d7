//! How is a reply written, in the protocol that the client speaks?

use std::fmt;
use std::io::Write as _;

use crate::double::DoubleText;
use crate::number;

/// Which of its two forms a connection's replies take; `HELLO` chooses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Strings, integers and arrays only.
    #[default]
    Resp2,
    /// With maps, sets, doubles, booleans, and one null.
    Resp3,
}

/// Appends replies to bytes that the caller owns.
///
/// Each method writes one element. What RESP2 has no form for is written as Redis does: a map as an array
/// of twice as many elements, a double as a string, a boolean as 1 or 0. Making one is free, so it need
/// not be kept; no method takes memory other than the room it writes to.
///
/// ```
/// use hectare_resp::{Encoder, Protocol};
///
/// let mut out = Vec::new();
/// for protocol in [Protocol::Resp2, Protocol::Resp3] {
///     let mut encoder = Encoder::new(&mut out, protocol);
///     encoder.map(1);
///     encoder.bulk(b"age");
///     encoder.null();
/// }
/// assert_eq!(out, b"*2\r\n$3\r\nage\r\n$-1\r\n%1\r\n$3\r\nage\r\n_\r\n");
/// ```
#[derive(Debug)]
pub struct Encoder<'a> {
    out: &'a mut Vec<u8>,
    protocol: Protocol,
}

impl<'a> Encoder<'a> {
    /// An encoder that appends to `out`.
    #[inline]
    #[must_use]
    pub fn new(out: &'a mut Vec<u8>, protocol: Protocol) -> Self {
        Self { out, protocol }
    }

    /// The form in which it writes.
    #[inline]
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The status `OK`.
    #[inline]
    pub fn ok(&mut self) {
        self.out.extend_from_slice(b"+OK\r\n");
    }

    /// A status; a line break in it becomes blanks, as in [`error`](Self::error).
    pub fn simple(&mut self, text: &str) {
        let start = self.out.len() + 1;
        self.out.push(b'+');
        self.out.extend_from_slice(text.as_bytes());
        self.end_text(start);
    }

    /// An error: its code, a blank and what is wrong. `\r` and `\n` are cut off its ends and become
    /// blanks inside of it, since a line break would end the reply.
    pub fn error(&mut self, text: impl AsRef<[u8]>) {
        let start = self.out.len() + 1;
        self.out.push(b'-');
        self.out.extend_from_slice(text.as_ref());
        self.end_text(start);
    }

    /// An [`error`](Self::error) whose text is what `error` displays, written without an intermediate
    /// string.
    pub fn error_display(&mut self, error: impl fmt::Display) {
        let start = self.out.len() + 1;
        self.out.push(b'-');
        write!(self.out, "{error}").expect("a Vec takes whatever is written to it");
        self.end_text(start);
    }

    /// Makes one line of what was written since `start`.
    fn end_text(&mut self, start: usize) {
        let is_break = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let text = &self.out[start..];
        if memchr::memchr2(b'\r', b'\n', text).is_some() {
            let kept = text.iter().rposition(|byte| !is_break(byte)).map_or(0, |last| last + 1);
            self.out.truncate(start + kept);
            let leading = self.out[start..].iter().take_while(|byte| is_break(byte)).count();
            self.out.drain(start..start + leading);
            for byte in self.out[start..].iter_mut().filter(|byte| is_break(byte)) {
                *byte = b' ';
            }
        }
        self.end_line();
    }

    /// An integer.
    #[inline]
    pub fn integer(&mut self, integer: i64) {
        number::write_signed_line(self.out, b':', integer);
    }

    /// A string of any bytes.
    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) {
        number::write_line(self.out, b'$', bytes.len() as u64);
        self.out.extend_from_slice(bytes);
        self.end_line();
    }

    /// The digits of an integer as a string.
    #[inline]
    pub fn bulk_integer(&mut self, integer: i64) {
        self.bulk(itoa::Buffer::new().format(integer).as_bytes());
    }

    /// No value where there could be a string.
    #[inline]
    pub fn null(&mut self) {
        self.out.extend_from_slice(match self.protocol {
            Protocol::Resp2 => b"$-1\r\n",
            Protocol::Resp3 => b"_\r\n",
        });
    }

    /// No value where there could be an array.
    #[inline]
    pub fn null_array(&mut self) {
        self.out.extend_from_slice(match self.protocol {
            Protocol::Resp2 => b"*-1\r\n",
            Protocol::Resp3 => b"_\r\n",
        });
    }

    /// The head of an array of so many elements, which follow.
    #[inline]
    pub fn array(&mut self, elements: usize) {
        number::write_line(self.out, b'*', elements as u64);
    }

    /// The head of a map of so many pairs; key, value, key, value … follow.
    #[inline]
    pub fn map(&mut self, pairs: usize) {
        match self.protocol {
            Protocol::Resp2 => self.array(2 * pairs),
            Protocol::Resp3 => number::write_line(self.out, b'%', pairs as u64),
        }
    }

    /// The head of a set of so many elements, which follow.
    #[inline]
    pub fn set(&mut self, elements: usize) {
        self.head(b'~', elements);
    }

    /// The head of a message of so many elements that answers no command; its kind and the others follow.
    #[inline]
    pub fn push(&mut self, elements: usize) {
        self.head(b'>', elements);
    }

    fn head(&mut self, resp3_marker: u8, elements: usize) {
        let marker = match self.protocol {
            Protocol::Resp2 => b'*',
            Protocol::Resp3 => resp3_marker,
        };
        number::write_line(self.out, marker, elements as u64);
    }

    /// A double, in the form that Redis writes: the shortest digits that read back as the same, in full or
    /// with an exponent by Redis' thresholds. Now and then Redis' last digit is another.
    pub fn double(&mut self, value: f64) {
        let text = DoubleText::new(value);
        match self.protocol {
            Protocol::Resp2 => self.bulk(text.as_bytes()),
            Protocol::Resp3 => self.line(b',', text.as_bytes()),
        }
    }

    /// A truth value.
    #[inline]
    pub fn boolean(&mut self, value: bool) {
        self.out.extend_from_slice(match (self.protocol, value) {
            (Protocol::Resp2, false) => b":0\r\n",
            (Protocol::Resp2, true) => b":1\r\n",
            (Protocol::Resp3, false) => b"#f\r\n",
            (Protocol::Resp3, true) => b"#t\r\n",
        });
    }

    /// Text for a person to read, in a format of three bytes such as `txt` or `mkd`.
    pub fn verbatim(&mut self, format: [u8; 3], text: &[u8]) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(text),
            Protocol::Resp3 => {
                number::write_line(self.out, b'=', text.len() as u64 + 4);
                self.out.extend_from_slice(&format);
                self.out.push(b':');
                self.out.extend_from_slice(text);
                self.end_line();
            }
        }
    }

    /// A whole number beyond an `i64`, given as its decimal digits with or without a minus.
    pub fn big_number(&mut self, digits: &str) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(digits.as_bytes()),
            Protocol::Resp3 => self.line(b'(', digits.as_bytes()),
        }
    }

    fn line(&mut self, marker: u8, text: &[u8]) {
        self.out.push(marker);
        self.out.extend_from_slice(text);
        self.end_line();
    }

    #[inline]
    fn end_line(&mut self) {
        self.out.extend_from_slice(b"\r\n");
    }
}
