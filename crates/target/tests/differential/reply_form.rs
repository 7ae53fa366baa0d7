//! How does the engine answer in the protocol's own bytes?

use hectare_engine::{CommandError, ReplyBuffer, Wire};
use hectare_resp::{Encoder, Protocol, Reply, ReplyParser};
use hectare_store::{ReplySink, Value};

/// The replies of RESP2 or RESP3.
#[derive(Debug)]
pub(crate) struct ReplyForm {
    protocol: Protocol,
}

static RESP2: ReplyForm = ReplyForm { protocol: Protocol::Resp2 };
static RESP3: ReplyForm = ReplyForm { protocol: Protocol::Resp3 };

impl ReplyForm {
    pub(crate) fn of(protocol: Protocol) -> &'static Self {
        match protocol {
            Protocol::Resp2 => &RESP2,
            Protocol::Resp3 => &RESP3,
        }
    }

    /// The reply to a command that no shard has seen.
    pub(crate) fn error(&self, error: &CommandError) -> Vec<u8> {
        let mut reply = Vec::new();
        Encoder::new(&mut reply, self.protocol).error(error.bytes());
        reply
    }
}

impl Wire for ReplyForm {
    fn lend(&self, replies: &mut ReplyBuffer, run: &mut dyn FnMut(&mut dyn ReplySink)) {
        run(&mut EncodingSink { replies, protocol: self.protocol });
    }

    fn integer(&self, reply: &[u8]) -> Option<i64> {
        match ReplyParser::default().parse(reply) {
            Ok(Some((Reply::Integer(integer), _))) => Some(integer),
            _ => None,
        }
    }

    fn array(&self, reply: &[u8]) -> Option<(usize, usize)> {
        let head_bytes = reply.iter().position(|&byte| byte == b'\n')? + 1;
        let digits = reply.strip_prefix(b"*")?.get(..head_bytes - 3)?;
        Some((std::str::from_utf8(digits).ok()?.parse().ok()?, head_bytes))
    }

    fn is_error(&self, reply: &[u8]) -> bool {
        reply.starts_with(b"-")
    }
}

struct EncodingSink<'a> {
    replies: &'a mut ReplyBuffer,
    protocol: Protocol,
}

impl EncodingSink<'_> {
    fn encoder(&mut self) -> Encoder<'_> {
        Encoder::new(&mut self.replies.bytes, self.protocol)
    }
}

impl ReplySink for EncodingSink<'_> {
    fn status(&mut self, text: &str) {
        self.encoder().simple(text);
    }

    fn error(&mut self, error: &CommandError) {
        self.encoder().error(error.bytes());
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
        match self.protocol {
            Protocol::Resp2 => self.encoder().array(2 * pairs),
            Protocol::Resp3 => self.encoder().array(pairs),
        }
    }

    fn pair(&mut self) {
        if self.protocol == Protocol::Resp3 {
            self.encoder().array(2);
        }
    }

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
