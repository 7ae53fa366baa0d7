//! How many replies have arrived, of what kind, and where does each end?

use crate::element::{ELEMENT_BYTES_MIN, Element, ReplyError, ReplyKind};
use crate::limits::ReplyLimits;

/// Finds where each reply ends without looking into it or taking memory: for who counts answers.
///
/// When `None` comes back, call again with a buffer that starts at the same byte and holds more; nothing
/// that was seen is looked at again, but for the line that announces the string being waited for. After a
/// reply the next call starts behind its `consumed` bytes. After an error every call gives that error.
///
/// However deep a reply is nested, all that is kept is the number of elements still outstanding. The
/// content of elements is not checked: a number that is none is for [`ReplyParser`](crate::ReplyParser)
/// to refuse. Attributes belong to the reply that they stand in front of.
///
/// ```
/// use hectare_resp::{ReplyKind, Skimmer};
///
/// let received = b":1\r\n*2\r\n$1\r\na\r\n$-1\r\n-ERR no\r\n$5\r\nhel";
/// let mut skimmer = Skimmer::default();
/// let (mut position, mut replies, mut errors) = (0, 0, 0);
/// while let Some(reply) = skimmer.skim(&received[position..])? {
///     position += reply.consumed;
///     replies += 1;
///     errors += u32::from(reply.kind == ReplyKind::Error);
/// }
/// assert_eq!((replies, errors), (3, 1));
/// assert_eq!(&received[position..], b"$5\r\nhel");
/// # Ok::<(), hectare_resp::ReplyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Skimmer {
    limits: ReplyLimits,
    /// Where the element being read starts, counted from the start of the reply.
    position: usize,
    /// How many bytes from `position` on are known not to hold the end of the element's first line.
    searched: usize,
    /// How many elements are needed to complete the reply, as far as is known.
    outstanding: u64,
    /// What the reply is, once the attributes in front of it are past.
    kind: Option<ReplyKind>,
    failed: Option<ReplyError>,
}

/// A complete reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skimmed {
    /// What it is.
    pub kind: ReplyKind,
    /// How many bytes of the buffer it took; the next one starts behind them.
    pub consumed: usize,
}

impl Default for Skimmer {
    fn default() -> Self {
        Self::new(ReplyLimits::default())
    }
}

impl Skimmer {
    /// A skimmer at the start of a connection.
    #[must_use]
    pub fn new(limits: ReplyLimits) -> Self {
        Self { limits, position: 0, searched: 0, outstanding: 1, kind: None, failed: None }
    }

    /// Finds the end of the reply at the start of `buffer`, or goes on looking for it; `None` if it has
    /// not arrived yet. The time is linear in the bytes not seen before.
    ///
    /// # Errors
    /// What was sent is no reply, or one beyond the limits.
    #[inline]
    pub fn skim(&mut self, buffer: &[u8]) -> Result<Option<Skimmed>, ReplyError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let skimmed = self.skim_elements(buffer);
        if let Err(error) = skimmed {
            self.failed = Some(error);
        }
        skimmed
    }

    #[inline]
    fn skim_elements(&mut self, buffer: &[u8]) -> Result<Option<Skimmed>, ReplyError> {
        loop {
            let rest = buffer.get(self.position..).unwrap_or_default();
            let room = self.limits.reply_bytes_max - self.position;
            let line_bytes_max = self.limits.line_bytes_max;
            let Some(element) = Element::read(rest, &mut self.searched, line_bytes_max, room)?
            else {
                return Ok(None);
            };
            if element.end > room {
                return Err(ReplyError::TooBig);
            }
            // With one element outstanding and no kind yet, all that came before were attributes.
            if self.outstanding == 1 && !element.is_attribute {
                self.kind.get_or_insert(element.kind);
            }
            self.outstanding = self.outstanding - 1 + element.elements;
            self.position += element.end;
            self.searched = 0;
            match self.kind {
                Some(kind) if self.outstanding == 0 => {
                    let consumed = self.position;
                    self.position = 0;
                    self.outstanding = 1;
                    self.kind = None;
                    return Ok(Some(Skimmed { kind, consumed }));
                }
                // Kept below the limit, the sum above cannot overflow: a count has at most 18 digits.
                _ if self.outstanding.saturating_mul(ELEMENT_BYTES_MIN)
                    > (room - element.end) as u64 =>
                {
                    return Err(ReplyError::TooBig);
                }
                _ => {}
            }
        }
    }
}
