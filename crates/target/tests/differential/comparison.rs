//! Are two replies to one command the same?
//!
//! Byte by byte they are, but for what Redis leaves open: the order in which a hashtable's fields and
//! a database's keys are read, what is drawn at random, where a scan pauses, and what a key weighs.
//! And a time that counts from now is read twice, at two moments.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::differences;
use crate::split::{elements, integer, pairs, string};
use crate::words::{ABSOLUTE_DEADLINES_FROM_S, ABSOLUTE_DEADLINES_S, Command, KEYS};

/// What was compared so far, as far as it says how to compare what comes.
#[derive(Debug)]
pub(crate) struct Comparison {
    /// What the commands before this one have told of a key.
    probe: Probe,
    /// By how much the moments at which both sides run a command, or both of two commands, may be
    /// apart.
    slack: Duration,
}

#[derive(Debug, Default)]
struct Probe {
    key: Vec<u8>,
    is_unordered: bool,
    /// Fields and values, or keys, as elements of a reply.
    fields: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// In what replies differ that should not.
type Verdict = Result<(), &'static str>;

const SAME_BYTES: &str = "the bytes should be the same";

/// What moments may be apart beyond what was measured.
const SLACK_MIN: Duration = Duration::from_secs(1);

impl Comparison {
    pub(crate) fn new() -> Self {
        Self { probe: Probe::default(), slack: SLACK_MIN }
    }

    /// Notes how long both sides took for commands that were sent together.
    pub(crate) fn took(&mut self, time: Duration) {
        self.slack = self.slack.max(SLACK_MIN + 2 * time);
    }

    /// Compares the replies to the command that `row` names.
    pub(crate) fn compare(
        &mut self,
        row: &str,
        command: &Command,
        redis: &[u8],
        engine: &[u8],
    ) -> Verdict {
        let verdict = self.verdict(row, command, redis, engine);
        self.note(row, command, redis);
        verdict
    }

    fn verdict(&self, row: &str, command: &Command, redis: &[u8], engine: &[u8]) -> Verdict {
        if redis == engine {
            return Ok(());
        }
        if redis.starts_with(b"-") || engine.starts_with(b"-") {
            return Err(SAME_BYTES);
        }
        let is_unordered = self.probe.is_unordered && command.get(1) == Some(&self.probe.key);
        match row {
            "hgetall" if is_unordered => same_elements(redis, engine, 2),
            "hkeys" | "hvals" if is_unordered => same_elements(redis, engine, 1),
            "hscan" if is_unordered => self.same_field_scan(command, redis, engine),
            "hrandfield" => self.same_draw(command, is_unordered, redis, engine),
            "keys" => same_elements(redis, engine, 1),
            "randomkey" => {
                let is_key = |reply: &[u8]| self.probe.fields.contains_key(reply);
                check(is_key(redis) && is_key(engine), "both should be a key")
            }
            "scan" => same_key_scan(command, redis, engine),
            "ttl" | "pttl" | "expiretime" | "pexpiretime" => self.same_time(row, redis, engine),
            "httl" | "hpttl" | "hexpiretime" | "hpexpiretime" => {
                self.same_times(&row[1..], redis, engine)
            }
            "object|idletime" => {
                let is_time = |reply: &[u8]| integer(reply).is_some_and(|seconds| seconds >= 0);
                check(is_time(redis) && is_time(engine), "both should be a number of seconds")
            }
            // Only COPY makes Redis have a small integer twice.
            "object|refcount" if redis == b":1\r\n" => check(
                engine == redis || engine == differences::SHARED,
                "both should be 1, or the integer shared",
            ),
            // Valkey counts replies on their way to a client, which it sends without a copy.
            "object|refcount" if integer(redis).is_some_and(|references| references > 1) => {
                check(engine == b":1\r\n", "there should be one reference")
            }
            "memory|usage" => {
                let weighs = |reply: &[u8]| integer(reply).is_some_and(|bytes| bytes > 0);
                check(weighs(redis) && weighs(engine), "both should be a number of bytes")
            }
            "hello" => same_greeting(redis, engine),
            // A pattern finds parameters in any order.
            "config|get" => same_elements(redis, engine, 2),
            _ => Err(SAME_BYTES),
        }
    }

    /// `OBJECT ENCODING` and `HGETALL` of one key, one after the other, tell of that key until
    /// another command comes. So does `KEYS *` of the keys.
    fn note(&mut self, row: &str, command: &Command, reply: &[u8]) {
        match (row, &command[..]) {
            ("object|encoding", [_, _, key]) => {
                // Redis keeps the fields of a `listpackex` in the order of their deadlines.
                let unordered = [&b"hashtable"[..], b"listpackex"];
                let is_unordered = string(reply).is_some_and(|name| unordered.contains(&name));
                self.probe = Probe { key: key.clone(), is_unordered, fields: BTreeMap::new() };
            }
            ("hgetall", [_, key]) if *key == self.probe.key => {
                let fields = elements(reply).and_then(|(_, elements)| pairs(&elements));
                let owned = |(field, value): (&[u8], &[u8])| (field.to_vec(), value.to_vec());
                self.probe.fields = fields.unwrap_or_default().into_iter().map(owned).collect();
            }
            ("keys", [_, pattern]) if pattern == b"*" => {
                let (_, keys) = elements(reply).unwrap_or_default();
                let fields = keys.into_iter().map(|key| (key.to_vec(), Vec::new())).collect();
                self.probe = Probe { fields, ..Probe::default() };
            }
            _ => self.probe = Probe::default(),
        }
    }

    /// Fields drawn at random: as many, out of the hash, and none twice unless that was asked for.
    fn same_draw(
        &self,
        command: &Command,
        is_unordered: bool,
        redis: &[u8],
        engine: &[u8],
    ) -> Verdict {
        let Some(count) = command.get(2) else {
            let is_field = |reply: &[u8]| self.probe.fields.contains_key(reply);
            return check(is_field(redis) && is_field(engine), "both should be a field");
        };
        let is_negative = count.starts_with(b"-");
        let (Some(redis), Some(engine)) = (elements(redis), elements(engine)) else {
            return Err("both should be arrays");
        };
        check(redis.0 == engine.0, "both should be as long")?;
        let has_values = command.len() == 4;
        let drawn = [redis.1, engine.1].map(|elements| {
            let fields: Option<Vec<&[u8]>> = if has_values {
                let pairs = pairs(&elements)?;
                let is_right = |(field, value): &(&[u8], &[u8])| self.is_pair(field, value);
                pairs.iter().all(is_right).then(|| pairs.iter().map(|pair| pair.0).collect())
            } else {
                let is_field = |field: &&[u8]| self.probe.fields.contains_key(*field);
                elements.iter().all(is_field).then_some(elements)
            };
            fields
        });
        let [Some(redis), Some(engine)] = drawn else {
            return Err("both should be drawn from the hash");
        };
        let distinct = |fields: &[&[u8]]| fields.iter().collect::<BTreeSet<_>>().len();
        check(is_negative || distinct(&engine) == engine.len(), "no field should come twice")?;
        let is_whole = !is_negative && engine.len() == self.probe.fields.len();
        check(!is_whole || is_unordered || redis == engine, "a listpack has an order")
    }

    fn is_pair(&self, field: &[u8], value: &[u8]) -> bool {
        self.probe.fields.get(field).is_some_and(|known| known == value)
    }

    /// A part of a hashtable's fields; all of them where a scan from the start reached the end.
    fn same_field_scan(&self, command: &Command, redis: &[u8], engine: &[u8]) -> Verdict {
        let (Some(redis), Some(engine)) = (scanned(redis), scanned(engine)) else {
            return Err("both should be a cursor and an array");
        };
        let has_values = !has_novalues(&command[3..]);
        let mut found = Vec::new();
        for elements in [&redis.1, &engine.1] {
            let mut pairs = if has_values {
                pairs(elements).ok_or("fields should have values")?
            } else {
                elements.iter().map(|&field| (field, &b""[..])).collect()
            };
            let is_right = |&(field, value): &(&[u8], &[u8])| match has_values {
                true => self.is_pair(field, value),
                false => self.probe.fields.contains_key(field),
            };
            check(pairs.iter().all(is_right), "both should show fields of the hash")?;
            pairs.sort_unstable();
            found.push(pairs);
        }
        let is_whole = command[2] == b"0" && redis.0 == b"0" && engine.0 == b"0";
        check(!is_whole || found[0] == found[1], "both should show the same fields")
    }

    /// One time for each field.
    fn same_times(&self, row: &str, redis: &[u8], engine: &[u8]) -> Verdict {
        let (Some(redis), Some(engine)) = (elements(redis), elements(engine)) else {
            return Err("both should be arrays");
        };
        check(redis.0 == engine.0, "both should be as long")?;
        let mut times = redis.1.into_iter().zip(engine.1);
        times.try_for_each(|(redis, engine)| match redis == engine {
            true => Ok(()),
            false => self.same_time(row, redis, engine),
        })
    }

    fn same_time(&self, row: &str, redis: &[u8], engine: &[u8]) -> Verdict {
        let (Some(redis), Some(engine)) = (integer(redis), integer(engine)) else {
            return Err("both should be integers");
        };
        let unit_ms = if row.starts_with('p') { 1 } else { 1000 };
        let slack_ms = u64::try_from(self.slack.as_millis()).unwrap_or(u64::MAX);
        let tolerance = slack_ms / unit_ms + 1;
        let absolute_from = ABSOLUTE_DEADLINES_FROM_S * 1000 / unit_ms;
        // What is later counts from now after all.
        let absolute = absolute_from..=absolute_from + ABSOLUTE_DEADLINES_S * 1000 / unit_ms;
        let is_exact = row.ends_with("expiretime")
            && [redis, engine].iter().any(|time| absolute.contains(&time.cast_unsigned()));
        let is_near = redis >= 0 && engine >= 0 && redis.abs_diff(engine) <= tolerance;
        check(is_near && !is_exact, "both should be the same time")
    }
}

/// The same elements in any order, kept together in groups of `group`.
fn same_elements(redis: &[u8], engine: &[u8], group: usize) -> Verdict {
    let (Some(redis), Some(engine)) = (elements(redis), elements(engine)) else {
        return Err("both should have elements");
    };
    let sorted = |elements: &[&[u8]]| {
        let mut groups: Vec<Vec<Vec<u8>>> =
            elements.chunks(group).map(|g| g.iter().map(|e| e.to_vec()).collect()).collect();
        groups.sort_unstable();
        groups
    };
    check(redis.0 == engine.0, "both should be as long")?;
    check(sorted(&redis.1) == sorted(&engine.1), "the elements should be the same, in any order")
}

/// Who answers `HELLO`, but for the version of the server, the number of the connection and modules.
fn same_greeting(redis: &[u8], engine: &[u8]) -> Verdict {
    let (Some(redis), Some(engine)) = (elements(redis), elements(engine)) else {
        return Err("both should have elements");
    };
    let names = [&b"$7\r\nversion\r\n"[..], b"$2\r\nid\r\n", b"$7\r\nmodules\r\n"];
    let shared = |elements: &[&[u8]]| {
        let pairs = elements.chunks(2).map(|pair| match names.contains(&pair[0]) {
            true => vec![pair[0].to_vec()],
            false => pair.iter().map(|element| element.to_vec()).collect(),
        });
        pairs.collect::<Vec<Vec<Vec<u8>>>>()
    };
    check(redis.0 == engine.0, "both should be as long")?;
    check(shared(&redis.1) == shared(&engine.1), "both should say the same of themselves")
}

/// Some of the keys; all of them where a scan from the start reached the end.
fn same_key_scan(command: &Command, redis: &[u8], engine: &[u8]) -> Verdict {
    let (Some(redis), Some(engine)) = (scanned(redis), scanned(engine)) else {
        return Err("both should be a cursor and an array");
    };
    let is_key = |element: &&[u8]| string(element).is_some_and(|key| KEYS.contains(&key));
    check(redis.1.iter().chain(&engine.1).all(is_key), "both should show keys")?;
    let is_whole = command[1] == b"0" && redis.0 == b"0" && engine.0 == b"0";
    let set = |keys: &[&[u8]]| keys.iter().map(|key| key.to_vec()).collect::<BTreeSet<_>>();
    check(!is_whole || set(&redis.1) == set(&engine.1), "both should show the same keys")
}

/// The cursor and the elements of a scan's reply.
pub(crate) fn scanned(reply: &[u8]) -> Option<(&[u8], Vec<&[u8]>)> {
    let (head, parts) = elements(reply)?;
    let [cursor, list] = parts[..] else { return None };
    let cursor = string(cursor).filter(|cursor| {
        !cursor.is_empty() && cursor.iter().all(u8::is_ascii_digit) && head == b"*2\r\n"
    })?;
    let (_, elements) = elements(list).filter(|(head, _)| head.starts_with(b"*"))?;
    Some((cursor, elements))
}

/// Whether `NOVALUES` is among the options of an `HSCAN`, and not another option's value.
fn has_novalues(options: &[Vec<u8>]) -> bool {
    let mut options = options.iter();
    while let Some(option) = options.next() {
        if option.eq_ignore_ascii_case(b"novalues") {
            return true;
        }
        options.next();
    }
    false
}

fn check(holds: bool, otherwise: &'static str) -> Verdict {
    if holds { Ok(()) } else { Err(otherwise) }
}
