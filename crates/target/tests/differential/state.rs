//! Do both sides hold the same?

use std::collections::BTreeMap;

use crate::comparison::scanned;
use crate::sides::Side;
use crate::split::{pairs, string};
use crate::words::{Command, KEYS, Words};

/// Far more than there are keys, or fields in any hash.
const STEPS_MAX: usize = 100_000;

/// Reads the whole of both sides.
pub(crate) fn questions() -> Vec<Command> {
    let mut commands = Vec::new();
    for key in KEYS {
        for name in ["TYPE", "OBJECT ENCODING", "HGETALL", "GET", "HLEN", "PEXPIRETIME"] {
            let name = name.split(' ').map(|word| word.as_bytes().to_vec());
            commands.push(name.chain([key.to_vec()]).collect());
        }
    }
    for key in KEYS {
        let fields: Vec<Vec<u8>> =
            (0..60).map(|number| format!("f{number}").into_bytes()).collect();
        let names =
            ["a", "b", "name", "count", "float", "7", ""].map(|name| name.as_bytes().to_vec());
        let head = ["HPEXPIRETIME".into(), key.to_vec(), "FIELDS".into()];
        let count = (fields.len() + names.len()).to_string().into_bytes();
        commands.push(head.into_iter().chain([count]).chain(fields).chain(names).collect());
    }
    // Last, when every key whose deadline has passed was looked for, so that Redis counts none.
    commands.push(vec![b"DBSIZE".to_vec()]);
    commands
}

/// Scans from start to end: of the keys, and of each key as if it were a hash, without the cursor.
pub(crate) fn walks(words: &mut Words) -> Vec<Command> {
    let mut walks = vec![vec![b"SCAN".to_vec()]];
    walks.extend(KEYS.map(|key| vec![b"HSCAN".to_vec(), key.to_vec()]));
    for walk in &mut walks {
        // Where the cursor goes.
        walk.push(b"0".to_vec());
        if words.dice.percent(70) {
            let count = [1, 2, 10, 100, 1000][words.dice.index(5)];
            walk.extend([b"COUNT".to_vec(), count.to_string().into_bytes()]);
        }
        if words.dice.percent(50) {
            walk.extend([b"MATCH".to_vec(), words.pattern()]);
        }
        if walk[0] == b"SCAN" && words.dice.percent(40) {
            let name = words.dice.pick(&[&b"hash"[..], b"STRING", b"nosuch"]);
            walk.extend([b"TYPE".to_vec(), name.to_vec()]);
        }
    }
    walks
}

/// What a walk has found, keys or fields with their values; or the error that it met.
pub(crate) type Found = Result<BTreeMap<Vec<u8>, Vec<u8>>, Vec<u8>>;

/// Follows a walk's cursors to the end.
pub(crate) fn walk(side: &mut dyn Side, walk: &Command) -> Found {
    let place = walk.iter().position(|word| word == b"0").expect("a walk has a cursor");
    let has_values = walk[0] == b"HSCAN";
    let mut command = walk.clone();
    let mut found = BTreeMap::new();
    for _ in 0..STEPS_MAX {
        let reply = side.ask(std::slice::from_ref(&command)).remove(0);
        if reply.starts_with(b"-") {
            return Err(reply);
        }
        let (cursor, elements) = scanned(&reply).expect("a scan answers a cursor and an array");
        let text = |element: &[u8]| string(element).expect("an element is a string").to_vec();
        if has_values {
            let pairs = pairs(&elements).expect("fields have values");
            found.extend(pairs.into_iter().map(|(field, value)| (text(field), text(value))));
        } else {
            found.extend(elements.into_iter().map(|key| (text(key), Vec::new())));
        }
        if cursor == b"0" {
            return Ok(found);
        }
        command[place] = cursor.to_vec();
    }
    panic!("a scan of so few keys and fields ends before {STEPS_MAX} steps");
}
