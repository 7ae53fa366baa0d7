//! What is a typed method's answer, in Rust's own types?
//!
//! An answer of another form than its command's would be a fault of the store, so reading it
//! panics with what was expected.

use crate::native::{Elements, Reply};
use std::time::Duration;

/// A field's name and its value.
pub type FieldValue = (Vec<u8>, Vec<u8>);

pub(crate) fn nothing(_reply: Reply<'_>) {}

pub(crate) fn integer(reply: Reply<'_>) -> i64 {
    match reply {
        Reply::Integer(integer) => integer,
        other => panic!("an integer was expected, not {other:?}"),
    }
}

pub(crate) fn count(reply: Reply<'_>) -> u64 {
    u64::try_from(integer(reply)).expect("a count is not negative")
}

pub(crate) fn flag(reply: Reply<'_>) -> bool {
    integer(reply) != 0
}

pub(crate) fn bytes(reply: Reply<'_>) -> Option<Vec<u8>> {
    match reply {
        Reply::Bytes(bytes) => Some(bytes.to_vec()),
        Reply::Null => None,
        other => panic!("a string was expected, not {other:?}"),
    }
}

pub(crate) fn optional_bytes_list(reply: Reply<'_>) -> Vec<Option<Vec<u8>>> {
    elements(reply).map(bytes).collect()
}

pub(crate) fn bytes_list(reply: Reply<'_>) -> Vec<Vec<u8>> {
    elements(reply).filter_map(bytes).collect()
}

pub(crate) fn pairs(reply: Reply<'_>) -> Vec<FieldValue> {
    let mut elements = elements(reply).filter_map(bytes);
    std::iter::from_fn(|| elements.next().zip(elements.next())).collect()
}

pub(crate) fn bytes_or_none(reply: Reply<'_>) -> Vec<u8> {
    bytes(reply).unwrap_or_default()
}

pub(crate) fn optional_count(reply: Reply<'_>) -> Option<u64> {
    match reply {
        Reply::Integer(integer) => u64::try_from(integer).ok(),
        Reply::Null => None,
        other => panic!("an integer was expected, not {other:?}"),
    }
}

pub(crate) fn optional_duration(reply: Reply<'_>) -> Option<Duration> {
    optional_count(reply).map(Duration::from_millis)
}

pub(crate) fn is_ok(reply: Reply<'_>) -> bool {
    reply != Reply::Null
}

pub(crate) fn text(reply: Reply<'_>) -> String {
    match reply {
        Reply::Status(text) => text.to_owned(),
        other => panic!("a status was expected, not {other:?}"),
    }
}

pub(crate) fn keys_page(reply: Reply<'_>) -> (u64, Vec<Vec<u8>>) {
    page(reply, bytes_list)
}

pub(crate) fn pairs_page(reply: Reply<'_>) -> (u64, Vec<FieldValue>) {
    page(reply, pairs)
}

fn page<T: Default>(reply: Reply<'_>, read: fn(Reply<'_>) -> T) -> (u64, T) {
    let mut parts = elements(reply);
    let cursor = parts.next().and_then(bytes).unwrap_or_default();
    let cursor = std::str::from_utf8(&cursor).ok().and_then(|text| text.parse().ok());
    (cursor.unwrap_or(0), parts.next().map(read).unwrap_or_default())
}

fn elements(reply: Reply<'_>) -> Elements<'_> {
    match reply {
        Reply::Array(elements) | Reply::Map(elements) => elements,
        other => panic!("an array was expected, not {other:?}"),
    }
}
