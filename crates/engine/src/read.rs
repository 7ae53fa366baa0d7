//! What is a typed method's answer, in Rust's own types?
//!
//! An answer of another form than its command's would be a fault of the store, so reading it
//! panics with what was expected.

use crate::native::{Elements, Reply};

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

fn elements(reply: Reply<'_>) -> Elements<'_> {
    match reply {
        Reply::Array(elements) | Reply::Map(elements) => elements,
        other => panic!("an array was expected, not {other:?}"),
    }
}
