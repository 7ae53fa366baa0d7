//! How does the engine write replies that go out as they are?

use crate::parameters::Parameters;
use crate::rows::write_error;
use hectare_engine::{ReplyBuffer, Wire};
use hectare_resp::{Encoder, Protocol};
use hectare_store::{CommandError, ReplySink, Value};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Replies in RESP2 or RESP3, each bounded.
#[derive(Debug)]
pub(crate) struct RespWire {
    protocol: Protocol,
    /// The longest reply; all replies of a batch may take twice as much together. Relaxed: a reply
    /// that is being written keeps to one bound or the other.
    reply_bytes_max: AtomicUsize,
}

/// One wire for each protocol.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wires {
    resp2: &'static RespWire,
    resp3: &'static RespWire,
}

impl Wires {
    /// The engine keeps a wire for good, so these stay for as long as the process: once a server.
    pub(crate) fn new(parameters: &Parameters) -> Self {
        let wire = |protocol| -> &'static _ { Box::leak(Box::new(RespWire::new(protocol, 0))) };
        let wires = Self { resp2: wire(Protocol::Resp2), resp3: wire(Protocol::Resp3) };
        wires.bound(parameters);
        wires
    }

    pub(crate) fn of(&self, protocol: Protocol) -> &'static RespWire {
        match protocol {
            Protocol::Resp2 => self.resp2,
            Protocol::Resp3 => self.resp3,
        }
    }

    /// Takes over how long a reply may be.
    pub(crate) fn bound(&self, parameters: &Parameters) {
        let bytes = usize::try_from(parameters.hectare_reply_bytes_max).unwrap_or(usize::MAX);
        for wire in [self.resp2, self.resp3] {
            wire.reply_bytes_max.store(bytes, Ordering::Relaxed);
        }
    }
}

impl RespWire {
    fn new(protocol: Protocol, reply_bytes_max: usize) -> Self {
        Self { protocol, reply_bytes_max: AtomicUsize::new(reply_bytes_max) }
    }
}

impl Wire for RespWire {
    fn lend(&self, replies: &mut ReplyBuffer, run: &mut dyn FnMut(&mut dyn ReplySink)) {
        run(&mut RespSink { replies, wire: self });
    }

    fn integer(&self, reply: &[u8]) -> Option<i64> {
        let line = head(reply, b':')?.0;
        std::str::from_utf8(line).ok()?.parse().ok()
    }

    fn array(&self, reply: &[u8]) -> Option<(usize, usize)> {
        let (line, behind) = head(reply, b'*')?;
        // A null array of RESP2 (`*-1`) is none.
        Some((std::str::from_utf8(line).ok()?.parse().ok()?, behind))
    }

    fn is_error(&self, reply: &[u8]) -> bool {
        reply.first() == Some(&b'-')
    }
}

/// What stands between the marker and the line end, and where the next line begins.
fn head(reply: &[u8], marker: u8) -> Option<(&[u8], usize)> {
    let behind = reply.strip_prefix(&[marker])?;
    let end = memchr::memchr(b'\r', behind)?;
    Some((&behind[..end], end + 3))
}

struct RespSink<'a> {
    replies: &'a mut ReplyBuffer,
    wire: &'a RespWire,
}

impl RespSink<'_> {
    fn encoder(&mut self) -> Encoder<'_> {
        Encoder::new(&mut self.replies.bytes, self.wire.protocol)
    }
}

impl ReplySink for RespSink<'_> {
    fn status(&mut self, text: &str) {
        self.encoder().simple(text);
    }

    fn error(&mut self, error: &CommandError) {
        write_error(error, &mut self.replies.bytes);
        self.replies.errors += 1;
    }

    fn integer(&mut self, integer: i64) {
        self.encoder().integer(integer);
    }

    fn value(&mut self, value: Value<'_>) {
        match value {
            Value::Bytes(bytes) => self.encoder().bulk(bytes),
            Value::Integer(integer) => self.encoder().bulk_integer(integer),
        }
    }

    fn null(&mut self) {
        self.encoder().null();
    }

    fn null_array(&mut self) {
        self.encoder().null_array();
    }

    fn array(&mut self, elements: usize) {
        self.encoder().array(elements);
    }

    fn map(&mut self, pairs: usize) {
        self.encoder().map(pairs);
    }

    fn pairs(&mut self, pairs: usize) {
        match self.wire.protocol {
            Protocol::Resp2 => self.array(2 * pairs),
            Protocol::Resp3 => self.array(pairs),
        }
    }

    fn pair(&mut self) {
        if self.wire.protocol == Protocol::Resp3 {
            self.array(2);
        }
    }

    fn written(&self) -> usize {
        self.replies.bytes.len()
    }

    fn truncate(&mut self, written: usize) {
        self.replies.bytes.truncate(written);
    }

    fn is_full(&self) -> bool {
        let reply_bytes_max = self.wire.reply_bytes_max.load(Ordering::Relaxed);
        self.replies.unfinished_bytes() > reply_bytes_max
            || self.replies.bytes.len() / 2 > reply_bytes_max
    }

    fn bytes_left(&self) -> usize {
        let reply_bytes_max = self.wire.reply_bytes_max.load(Ordering::Relaxed);
        reply_bytes_max.saturating_sub(self.replies.unfinished_bytes())
    }

    fn end(&mut self) {
        self.replies.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_engine_merges_is_read_from_replies_as_they_are() {
        let wire = RespWire::new(Protocol::Resp2, 100);
        assert_eq!(wire.integer(b":-12\r\n:3\r\n"), Some(-12));
        assert_eq!(wire.integer(b"$1\r\n1\r\n"), None);
        assert_eq!(wire.array(b"*2\r\n:1\r\n:2\r\n"), Some((2, 4)));
        assert_eq!(wire.array(b"*-1\r\n"), None);
        assert!(wire.is_error(b"-ERR no\r\n") && !wire.is_error(b"+OK\r\n"));
    }

    #[test]
    fn a_reply_and_a_batch_of_replies_are_bounded() {
        let wire = RespWire::new(Protocol::Resp3, 100);
        let mut replies = ReplyBuffer::default();
        wire.lend(&mut replies, &mut |sink| {
            sink.value(Value::Bytes(&[b'x'; 99]));
            assert!(sink.is_full());
            sink.end();
            sink.integer(1);
            assert!(!sink.is_full());
            sink.end();
            sink.value(Value::Bytes(&[b'x'; 84]));
            assert!(!sink.is_full());
            sink.end();
            sink.integer(1);
            assert!(sink.is_full());
        });
    }
}
