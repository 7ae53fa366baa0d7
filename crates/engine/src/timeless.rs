//! Does a command need to know the time?
//!
//! Reading the clock costs a call in place a tenth of its time. If no key of the shard has a
//! deadline, most commands would not look at the time that they are told.

use hectare_store::{Command, commands};
use std::sync::LazyLock;

/// Commands that look at the time only to see whether what they meet is still there.
const TIMELESS: &[&str] = &[
    "decr",
    "decrby",
    "del",
    "exists",
    "get",
    "hdel",
    "hexists",
    "hget",
    "hgetall",
    "hincrby",
    "hincrbyfloat",
    "hkeys",
    "hlen",
    "hmget",
    "hmset",
    "hset",
    "hsetnx",
    "hstrlen",
    "hvals",
    "incr",
    "incrby",
    "mget",
    "mset",
    "touch",
    "type",
    "unlink",
];

/// By the command's place among the rows.
static ROWS: LazyLock<Box<[bool]>> =
    LazyLock::new(|| commands().iter().map(|row| TIMELESS.contains(&row.name)).collect());

/// Whether a command does without the time in a shard without deadlines.
pub(crate) fn is_timeless(command: &'static Command) -> bool {
    let distance = std::ptr::from_ref(command).addr().wrapping_sub(commands().as_ptr().addr());
    // A row that is none of the store's is far away.
    ROWS.get(distance / size_of::<Command>()).is_some_and(|is_timeless| *is_timeless)
}

#[cfg(test)]
mod tests {
    use super::{TIMELESS, is_timeless};
    use hectare_store::{Command, commands};

    #[test]
    fn rows_are_told_apart_by_their_place() {
        let timeless = commands().iter().filter(|row| is_timeless(row)).count();
        assert_eq!(timeless, TIMELESS.len(), "every name is a row's");
        let named = |name: &str| Command::find(name.as_bytes(), None).map(|(row, _)| row);
        assert!(named("hget").is_some_and(is_timeless));
        assert!(!named("expire").is_some_and(is_timeless));
        let elsewhere: &'static Command = Box::leak(Box::new(commands()[0]));
        assert!(!is_timeless(elsewhere));
    }
}
