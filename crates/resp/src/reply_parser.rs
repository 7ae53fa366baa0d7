//! How do received bytes become a tree of replies?

use crate::element::{Element, ReplyError, ReplyKind};
use crate::limits::ReplyLimits;
use crate::number;
use crate::reply::Reply;
use crate::skim::{Skimmed, Skimmer};

/// Builds a [`Reply`] from the bytes of each reply, once all of them are there.
///
/// It is called like a [`Skimmer`], which is what waits for the bytes: however they arrive, each is looked
/// at twice, and memory is taken only for a reply that is complete. Attributes are read and left out.
///
/// ```
/// use hectare_resp::{Reply, ReplyParser};
///
/// let mut parser = ReplyParser::default();
/// assert_eq!(parser.parse(b"*2\r\n:1\r\n$2\r\nab")?, None);
/// let (reply, consumed) = parser.parse(b"*2\r\n:1\r\n$2\r\nab\r\n")?.expect("the reply is complete");
/// assert_eq!(reply, Reply::Array(vec![Reply::Integer(1), Reply::Bulk(b"ab".to_vec())]));
/// assert_eq!(consumed, 16);
/// # Ok::<(), hectare_resp::ReplyError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ReplyParser {
    limits: ReplyLimits,
    skimmer: Skimmer,
    failed: Option<ReplyError>,
}

impl ReplyParser {
    /// A parser at the start of a connection.
    #[must_use]
    pub fn new(limits: ReplyLimits) -> Self {
        Self { limits, skimmer: Skimmer::new(limits), failed: None }
    }

    /// Reads the reply at the start of `buffer` and how many bytes it took; `None` if it has not arrived
    /// yet.
    ///
    /// # Errors
    /// What was sent is no reply, or one beyond the limits. Every later call gives the same error.
    pub fn parse(&mut self, buffer: &[u8]) -> Result<Option<(Reply, usize)>, ReplyError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let Some(Skimmed { consumed, .. }) = self.skimmer.skim(buffer)? else {
            return Ok(None);
        };
        match build(&buffer[..consumed], &self.limits) {
            Ok(reply) => Ok(Some((reply, consumed))),
            Err(error) => {
                self.failed = Some(error);
                Err(error)
            }
        }
    }
}

/// An array, map, set or attribute that is not yet complete.
struct Aggregate {
    kind: ReplyKind,
    is_attribute: bool,
    outstanding: u64,
    elements: Vec<Reply>,
}

/// Builds the tree of one complete reply, with a stack of its own rather than the thread's.
fn build(bytes: &[u8], limits: &ReplyLimits) -> Result<Reply, ReplyError> {
    let mut open: Vec<Aggregate> = Vec::new();
    let mut rest = bytes;
    loop {
        let element = Element::read(rest, &mut 0, limits.line_bytes_max, rest.len())?
            .expect("the skimmer found the reply to be complete");
        let content = &rest[element.content.clone()];
        rest = &rest[element.end..];
        if is_aggregate(element.kind) {
            if open.len() == limits.depth_max {
                return Err(ReplyError::TooDeep);
            }
            open.push(Aggregate::new(&element));
        } else if let Some(reply) = deliver(&mut open, scalar(element.kind, content)?) {
            return Ok(reply);
        }
        // An aggregate may be complete at once, and so may be those around it.
        while let Some(complete) = open.pop_if(|innermost| innermost.outstanding == 0) {
            if complete.is_attribute {
                continue;
            }
            if let Some(reply) = deliver(&mut open, complete.into_reply()) {
                return Ok(reply);
            }
        }
    }
}

/// Puts a complete reply into the innermost open aggregate; gives it back if there is none.
fn deliver(open: &mut [Aggregate], reply: Reply) -> Option<Reply> {
    let Some(innermost) = open.last_mut() else {
        return Some(reply);
    };
    innermost.outstanding -= 1;
    if !innermost.is_attribute {
        innermost.elements.push(reply);
    }
    None
}

fn is_aggregate(kind: ReplyKind) -> bool {
    matches!(kind, ReplyKind::Array | ReplyKind::Map | ReplyKind::Set | ReplyKind::Push)
}

impl Aggregate {
    fn new(head: &Element) -> Self {
        // The element behind an attribute belongs to what the attribute stands in.
        let outstanding = head.elements - u64::from(head.is_attribute);
        Self { kind: head.kind, is_attribute: head.is_attribute, outstanding, elements: Vec::new() }
    }

    fn into_reply(self) -> Reply {
        match self.kind {
            ReplyKind::Map => {
                let mut elements = self.elements.into_iter();
                let mut pairs = Vec::with_capacity(elements.len() / 2);
                while let (Some(key), Some(value)) = (elements.next(), elements.next()) {
                    pairs.push((key, value));
                }
                Reply::Map(pairs)
            }
            ReplyKind::Set => Reply::Set(self.elements),
            ReplyKind::Push => Reply::Push(self.elements),
            _ => Reply::Array(self.elements),
        }
    }
}

/// The reply that an element without elements of its own is.
fn scalar(kind: ReplyKind, content: &[u8]) -> Result<Reply, ReplyError> {
    let reply = match kind {
        ReplyKind::Simple => Some(Reply::Simple(content.to_vec())),
        ReplyKind::Error => Some(Reply::Error(content.to_vec())),
        ReplyKind::Bulk => Some(Reply::Bulk(content.to_vec())),
        ReplyKind::Integer => number::parse_integer(content).map(Reply::Integer),
        ReplyKind::Null => content.is_empty().then_some(Reply::Null),
        ReplyKind::Double => {
            std::str::from_utf8(content).ok().and_then(|text| text.parse().ok()).map(Reply::Double)
        }
        ReplyKind::Boolean => match content {
            b"t" => Some(Reply::Boolean(true)),
            b"f" => Some(Reply::Boolean(false)),
            _ => None,
        },
        ReplyKind::BigNumber => {
            let digits = content.strip_prefix(b"-").unwrap_or(content);
            let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
            is_number.then(|| Reply::BigNumber(content.to_vec()))
        }
        ReplyKind::Verbatim => match content {
            [a, b, c, b':', text @ ..] => {
                Some(Reply::Verbatim { format: [*a, *b, *c], text: text.to_vec() })
            }
            _ => None,
        },
        ReplyKind::Array | ReplyKind::Map | ReplyKind::Set | ReplyKind::Push => None,
    };
    reply.ok_or(ReplyError::InvalidContent { kind })
}
