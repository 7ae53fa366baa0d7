//! Which commands do the received bytes hold, and where do their arguments lie?

use std::fmt;
use std::ops::Range;

use crate::inline;
use crate::limits::RequestLimits;
use crate::line::{self, LineEnd};
use crate::number;

/// How many spans a parser keeps room for between requests, so that one request of a million arguments
/// does not weigh on its connection for ever.
const SPANS_KEPT_COUNT_MAX: usize = 256;

/// Finds one request after the other in a buffer that the caller owns and reads into.
///
/// After [`Parsed::Partial`] call again with a buffer that starts at the same byte and holds more (it may
/// have moved in memory); nothing that was seen is looked at again, but for the line that announces the
/// argument being waited for. After a request or [`Parsed::Empty`] the next call starts behind the
/// `consumed` bytes. After an error the connection is of no more use, and every call gives that error.
///
/// What is accepted is what Redis 8 accepts, which is more than the protocol's description allows: the
/// byte behind the `\r` of a line and the two behind an argument are skipped whatever they are (Valkey 9.1
/// wants `\r\n`). There are two differences, so that the answer depends neither on how the bytes were cut
/// nor on what else has arrived: a line is too long as soon as its end is not among the first
/// `line_bytes_max + 1` bytes, and a NUL is a byte like any other, where Redis' search for a line end
/// never gets past it.
///
/// ```
/// use hectare_resp::{Parsed, RequestParser};
///
/// let mut parser = RequestParser::default();
/// let Parsed::Request(request) = parser.parse(b"*3\r\n$4\r\nHGET\r\n$1\r\nk\r\n$1\r\nf\r\n")? else {
///     unreachable!("the request is complete");
/// };
/// assert_eq!(request.iter().collect::<Vec<_>>(), [&b"HGET"[..], b"k", b"f"]);
/// assert_eq!(request.consumed(), 28);
/// # Ok::<(), hectare_resp::ProtocolError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RequestParser {
    limits: RequestLimits,
    phase: Phase,
    /// Where the line or argument being read starts, counted from the start of the request.
    position: usize,
    /// How many bytes from `position` on are known not to hold the end of the line.
    searched: usize,
    /// The arguments read so far.
    spans: Vec<Span>,
    /// The unescaped arguments of an inline command.
    unescaped: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Phase {
    /// No whole line of the request has been read.
    #[default]
    FirstLine,
    /// So many arguments are still to come, at least one.
    Arguments { remaining: u32 },
    /// The client broke the protocol.
    Failed(ProtocolError),
}

/// What [`RequestParser::parse`] found at the start of the buffer.
#[derive(Debug)]
pub enum Parsed<'a> {
    /// A request of at least one argument.
    Request(Request<'a>),
    /// A request of no argument (`*0`, `*-1`, an empty line), which gets no reply.
    Empty {
        /// How many bytes it took.
        consumed: usize,
    },
    /// The start of a request, or nothing.
    Partial {
        /// At least so many more bytes are needed. It follows from what the client *claims* will come, so
        /// it is a size for the next read, not for an allocation.
        missing_bytes_min: usize,
    },
}

/// A complete request: at least one argument.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    bytes: &'a [u8],
    spans: &'a [Span],
    consumed: usize,
    is_inline: bool,
}

/// Where an argument lies: from `start` up to `end` of [`Request::bytes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The argument's first byte.
    pub start: u32,
    /// The byte behind its last one.
    pub end: u32,
}

impl Span {
    /// As a range to index with.
    #[inline]
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl<'a> Request<'a> {
    /// How many arguments there are, the command's name included.
    #[inline]
    #[must_use]
    pub fn args_count(&self) -> usize {
        self.spans.len()
    }

    /// The argument at `index`; the command's name is at 0.
    #[inline]
    #[must_use]
    pub fn arg(&self, index: usize) -> Option<&'a [u8]> {
        self.spans.get(index).map(|span| &self.bytes[span.range()])
    }

    /// The arguments, the command's name first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        let bytes = self.bytes;
        self.spans.iter().map(move |span| &bytes[span.range()])
    }

    /// What the spans point into: the buffer given to [`RequestParser::parse`], at the same offsets,
    /// unless the request [is inline](Self::is_inline).
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Where the arguments lie in [`bytes`](Self::bytes).
    #[inline]
    #[must_use]
    pub fn spans(&self) -> &'a [Span] {
        self.spans
    }

    /// How many bytes of the buffer the request took; the next one starts behind them.
    #[inline]
    #[must_use]
    pub fn consumed(&self) -> usize {
        self.consumed
    }

    /// Whether it was typed as a line. Its arguments then lie unescaped in memory of the parser's own.
    #[inline]
    #[must_use]
    pub fn is_inline(&self) -> bool {
        self.is_inline
    }
}

impl RequestParser {
    /// A parser at the start of a connection.
    #[must_use]
    pub fn new(limits: RequestLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Changes the limits, such as after a login. They hold from the next line on.
    pub fn set_limits(&mut self, limits: RequestLimits) {
        self.limits = limits;
    }

    /// Reads the request at the start of `buffer`, or goes on reading it.
    ///
    /// The time is linear in the bytes not seen before. The memory, which is kept and reused, is that of
    /// the spans of this request and, for an inline command, of its arguments.
    ///
    /// # Errors
    /// The client broke the protocol: send the error ([`ProtocolError::write_reply`]) and close.
    #[inline]
    pub fn parse<'a>(&'a mut self, buffer: &'a [u8]) -> Result<Parsed<'a>, ProtocolError> {
        let step = match self.phase {
            Phase::Arguments { remaining } => self.read_arguments(buffer, remaining),
            Phase::FirstLine => self.read_first_line(buffer),
            Phase::Failed(error) => Err(error),
        };
        let (consumed, is_inline) = match step {
            Ok(Step::Partial { missing_bytes_min }) => {
                return Ok(Parsed::Partial { missing_bytes_min });
            }
            Ok(Step::Complete { consumed }) => (consumed, false),
            Ok(Step::CompleteInline { consumed }) => (consumed, true),
            Err(error) => {
                self.phase = Phase::Failed(error);
                return Err(error);
            }
        };
        self.phase = Phase::FirstLine;
        self.position = 0;
        self.searched = 0;
        if self.spans.is_empty() {
            return Ok(Parsed::Empty { consumed });
        }
        let bytes = if is_inline { &self.unescaped[..] } else { buffer };
        Ok(Parsed::Request(Request { bytes, spans: &self.spans, consumed, is_inline }))
    }

    #[inline]
    fn read_first_line(&mut self, buffer: &[u8]) -> Result<Step, ProtocolError> {
        self.spans.clear();
        self.spans.shrink_to(SPANS_KEPT_COUNT_MAX);
        match buffer.first() {
            Some(b'*') => self.read_args_count(buffer),
            Some(_) => self.read_inline(buffer),
            None => Ok(Step::Partial { missing_bytes_min: 1 }),
        }
    }

    #[inline]
    fn read_args_count(&mut self, buffer: &[u8]) -> Result<Step, ProtocolError> {
        let (count, line_bytes) = match announced(buffer, b'*') {
            Some((count, line_bytes)) => (i64::try_from(count).ok(), line_bytes),
            None => {
                let too_long = ProtocolError::TooBigArgsCountLine;
                let Some(end) = self.find_line_end(b'\r', buffer, too_long)? else {
                    return Ok(Step::Partial { missing_bytes_min: 1 });
                };
                (number::parse_integer(&buffer[1..end]), end + 2)
            }
        };
        let count = count.ok_or(ProtocolError::InvalidArgsCount)?;
        let Ok(remaining) = u32::try_from(count.max(0)) else {
            return Err(ProtocolError::InvalidArgsCount);
        };
        if remaining > self.limits.args_count_max {
            return Err(ProtocolError::InvalidArgsCount);
        }
        if !self.limits.authenticated && remaining > RequestLimits::UNAUTHENTICATED_ARGS_COUNT_MAX {
            return Err(ProtocolError::UnauthenticatedArgsCount);
        }
        self.position = line_bytes;
        self.searched = 0;
        self.read_arguments(buffer, remaining)
    }

    #[inline]
    fn read_arguments(&mut self, buffer: &[u8], remaining: u32) -> Result<Step, ProtocolError> {
        // In a variable of its own: it changes with every argument, and is kept where reading stops.
        let mut position = self.position;
        for remaining in (1..=remaining).rev() {
            let rest = buffer.get(position..).unwrap_or_default();
            let Some((bulk_bytes, line_bytes)) = announced(rest, b'$') else {
                self.stop_at(position, remaining);
                self.check_bulk_line(rest)?;
                return Ok(Step::Partial { missing_bytes_min: 1 });
            };
            let start = (position + line_bytes) as u64;
            let end = start + bulk_bytes;
            let span = self.check_span(start, end)?;
            // Fits: a span's end is a `u32`.
            let next = span.end as usize + 2;
            if next > buffer.len() {
                self.stop_at(position, remaining);
                return Ok(Step::Partial { missing_bytes_min: next - buffer.len() });
            }
            self.spans.push(span);
            position = next;
        }
        self.position = position;
        Ok(Step::Complete { consumed: self.position })
    }

    /// Reading goes on at an argument, behind which so many more come, itself counted.
    fn stop_at(&mut self, position: usize, remaining: u32) {
        if position != self.position {
            self.searched = 0;
        }
        self.position = position;
        self.phase = Phase::Arguments { remaining };
    }

    /// Holds an announced argument against the limits before any of its bytes is waited for.
    #[inline]
    fn check_span(&self, start: u64, end: u64) -> Result<Span, ProtocolError> {
        let bulk_bytes = end - start;
        if bulk_bytes > u64::from(self.limits.bulk_bytes_max) {
            return Err(ProtocolError::InvalidBulkLength);
        }
        if !self.limits.authenticated
            && bulk_bytes > u64::from(RequestLimits::UNAUTHENTICATED_BULK_BYTES_MAX)
        {
            return Err(ProtocolError::UnauthenticatedBulkLength);
        }
        if end + 2 > u64::from(self.limits.request_bytes_max) {
            return Err(ProtocolError::TooBigRequest);
        }
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) => Ok(Span { start, end }),
            _ => Err(ProtocolError::TooBigRequest),
        }
    }

    /// Says what is wrong with a line that does not announce an argument, if it is there in full.
    #[cold]
    fn check_bulk_line(&mut self, rest: &[u8]) -> Result<(), ProtocolError> {
        let too_long = ProtocolError::TooBigBulkLengthLine;
        match (self.find_line_end(b'\r', rest, too_long)?, rest.first()) {
            (Some(_), Some(b'$')) => Err(ProtocolError::InvalidBulkLength),
            (Some(_), Some(&found)) => Err(ProtocolError::ExpectedBulk { found }),
            _ => Ok(()),
        }
    }

    #[cold]
    fn read_inline(&mut self, buffer: &[u8]) -> Result<Step, ProtocolError> {
        let too_long = ProtocolError::TooBigInline;
        let Some(end) = self.find_line_end(b'\n', buffer, too_long)? else {
            return Ok(Step::Partial { missing_bytes_min: 1 });
        };
        self.unescaped.clear();
        // A `\r` in front of the `\n` is a blank, and a quote that is open there is never closed.
        inline::split(&buffer[..end], &mut self.unescaped, &mut self.spans)
            .map_err(|inline::UnbalancedQuotes| ProtocolError::UnbalancedQuotes)?;
        Ok(Step::CompleteInline { consumed: end + 1 })
    }

    /// The index in `rest`, which starts at `position`, of the `mark` that ends its first line. A `\r` is
    /// only found together with the byte behind it.
    fn find_line_end(
        &mut self,
        mark: u8,
        rest: &[u8],
        too_long: ProtocolError,
    ) -> Result<Option<usize>, ProtocolError> {
        let line_bytes_max = self.limits.line_bytes_max as usize;
        match line::find_end(mark, rest, self.searched, line_bytes_max) {
            LineEnd::At(index) if mark == b'\r' && index + 1 == rest.len() => {
                self.searched = index;
                Ok(None)
            }
            LineEnd::At(index) => Ok(Some(index)),
            LineEnd::Missing => {
                self.searched = rest.len();
                Ok(None)
            }
            LineEnd::TooLong => Err(too_long),
        }
    }
}

/// What one call could do with the bytes it was given.
enum Step {
    Complete { consumed: usize },
    CompleteInline { consumed: usize },
    Partial { missing_bytes_min: usize },
}

/// Reads `marker`, a canonical number and a line end of two bytes: the number, and the bytes of the line.
///
/// This is the path of all well-formed input. Whatever is not like this, also a line that is not all
/// there, gives `None` and is left to the code that tells the cases apart.
#[inline]
fn announced(rest: &[u8], marker: u8) -> Option<(u64, usize)> {
    // Almost all have one digit or two.
    match *rest {
        [first, ones @ b'0'..=b'9', b'\r', b'\n', ..] if first == marker => {
            return Some((u64::from(ones - b'0'), 4));
        }
        [first, tens @ b'1'..=b'9', ones @ b'0'..=b'9', b'\r', b'\n', ..] if first == marker => {
            return Some((u64::from(tens - b'0') * 10 + u64::from(ones - b'0'), 5));
        }
        _ => {}
    }
    let (&first, behind) = rest.split_first()?;
    if first != marker {
        return None;
    }
    let (number, digits) = number::leading_number(behind)?;
    let line_bytes = digits + 3;
    (rest.len() >= line_bytes && behind[digits] == b'\r').then_some((number, line_bytes))
}

/// How a client broke the protocol; there is no way to go on after it.
///
/// As text it is what Redis says behind `-ERR `, but for the byte in
/// [`ExpectedBulk`](Self::ExpectedBulk), which is escaped where it is not printable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// The number behind `*` is none, or above [`RequestLimits::args_count_max`].
    InvalidArgsCount,
    /// More arguments than a client may send that has yet to log in.
    UnauthenticatedArgsCount,
    /// The line that starts with `*` has no end.
    TooBigArgsCountLine,
    /// Where `$` and the length of an argument should be there is something else.
    ExpectedBulk {
        /// What was there instead of `$`.
        found: u8,
    },
    /// The number behind `$` is none, negative, or above [`RequestLimits::bulk_bytes_max`].
    InvalidBulkLength,
    /// A longer argument than a client may send that has yet to log in.
    UnauthenticatedBulkLength,
    /// The line that starts with `$` has no end.
    TooBigBulkLengthLine,
    /// The request would pass [`RequestLimits::request_bytes_max`], where Redis closes without a word.
    TooBigRequest,
    /// An inline command above [`RequestLimits::line_bytes_max`].
    TooBigInline,
    /// A quote in an inline command that is not closed, or is followed by something other than a blank.
    UnbalancedQuotes,
}

impl ProtocolError {
    /// Appends the error as a reply, byte for byte that of Redis: also the byte it found instead of `$`,
    /// but for `\r` and `\n`, which become blanks.
    pub fn write_reply(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"-ERR Protocol error: ");
        match *self {
            Self::ExpectedBulk { found } => {
                let found = if matches!(found, b'\r' | b'\n') { b' ' } else { found };
                out.extend_from_slice(&[b"expected '$', got '", &[found][..], b"'"].concat());
            }
            _ => out.extend_from_slice(self.fixed_text().as_bytes()),
        }
        out.extend_from_slice(b"\r\n");
    }

    fn fixed_text(self) -> &'static str {
        match self {
            Self::InvalidArgsCount => "invalid multibulk length",
            Self::UnauthenticatedArgsCount => "unauthenticated multibulk length",
            Self::TooBigArgsCountLine => "too big mbulk count string",
            Self::ExpectedBulk { .. } => "expected '$'",
            Self::InvalidBulkLength => "invalid bulk length",
            Self::UnauthenticatedBulkLength => "unauthenticated bulk length",
            Self::TooBigBulkLengthLine => "too big bulk count string",
            Self::TooBigRequest => "too big request",
            Self::TooBigInline => "too big inline request",
            Self::UnbalancedQuotes => "unbalanced quotes in request",
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Protocol error: {}", self.fixed_text())?;
        match self {
            Self::ExpectedBulk { found } => write!(f, ", got '{}'", found.escape_ascii()),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for ProtocolError {}
