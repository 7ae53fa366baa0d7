//! What happens when the system has no more memory?
//!
//! Each test runs itself again in a process of its own, which may take so much address space and no
//! more, fills a store until it says that memory is out, and goes on from there. An abort of that
//! process is a failure here.

#![cfg(all(target_os = "linux", not(feature = "tiny")))]

#[path = "store/support.rs"]
#[expect(dead_code, reason = "other tests need the rest")]
mod support;

use std::process::Command;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use support::{Reply, Shard};

/// The child may take so much more than it has when it begins.
const BYTES_MORE: u64 = 96 << 20;

/// What the test itself may need for words and replies, while the store is full.
const OWN_BYTES: u64 = 16 << 20;

const CHILD: &str = "HECTARE_OUT_OF_MEMORY_CHILD";

const OUT_OF_MEMORY: &str = "OOM command not allowed when used memory > 'maxmemory'.";

/// Runs a test in a process of its own.
fn in_a_child(name: &str, body: impl FnOnce()) {
    if std::env::var_os(CHILD).is_some() {
        return body();
    }
    let own = std::env::current_exe().expect("a test has a path");
    let output = Command::new(own)
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .output()
        .expect("a test can run itself");
    let text =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success(), "{}: {}", output.status, text.concat());
    assert!(text[0].contains("1 passed"), "the child ran no test: {}", text[0]);
}

fn address_space_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let text = line.and_then(|line| line.trim().strip_suffix(" kB")).expect("it is in kB");
    text.parse::<u64>().expect("it is a number") * 1024
}

fn limit(bytes: u64) {
    let maximum = getrlimit(Resource::As).maximum;
    setrlimit(Resource::As, Rlimit { current: Some(bytes), maximum })
        .expect("less than the maximum");
}

/// Writes until memory is out, checks all that was acknowledged, takes half of it away, and writes
/// again. `write` says how the command of a number looks, `read` how it is read and what it answers,
/// and `remove` how it is taken away.
fn fill_and_go_on(
    write: impl Fn(u32) -> Vec<String>,
    read: impl Fn(u32) -> (Vec<String>, String),
    remove: impl Fn(u32) -> Vec<String>,
) {
    let mut shard = Shard::default();
    let limit_bytes = address_space_bytes() + BYTES_MORE;
    limit(limit_bytes);
    let mut written = 0;
    loop {
        match shard.ask(&write(written)) {
            Reply::Error(text) => {
                assert_eq!(text, OUT_OF_MEMORY);
                break;
            }
            _ => written += 1,
        }
        assert!(written < 100_000_000, "it is never full");
    }
    limit(limit_bytes + OWN_BYTES);
    let check = |shard: &mut Shard, number: u32| {
        let (words, value) = read(number);
        assert_eq!(shard.ask(&words), Reply::Bytes(value.into_bytes()), "{number} of {written}");
    };
    (0..written).for_each(|number| check(&mut shard, number));
    // The command that failed has changed nothing.
    assert_eq!(shard.ask(&read(written).0), Reply::Null);
    limit(limit_bytes);
    for number in (0..written).step_by(2) {
        assert_eq!(shard.ask(&remove(number)), Reply::Integer(1), "{number} of {written}");
    }
    for _ in 0..1_000_000 {
        if !shard.store.tend() {
            break;
        }
    }
    limit(limit_bytes + OWN_BYTES);
    (1..written).step_by(2).for_each(|number| check(&mut shard, number));
    limit(limit_bytes);
    for number in (0..written / 4).step_by(2) {
        let reply = shard.ask(&write(number));
        assert!(!matches!(reply, Reply::Error(_)), "{reply:?} to {number} of {written}");
    }
    limit(limit_bytes + OWN_BYTES);
    (0..written / 4).for_each(|number| check(&mut shard, number));
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[test]
fn a_store_full_of_short_hashes_goes_on() {
    in_a_child("a_store_full_of_short_hashes_goes_on", || {
        fill_and_go_on(
            |n| words(&["HSET", &format!("k:{n}"), "name", "somebody", "text", &"t".repeat(150)]),
            |n| (words(&["HGET", &format!("k:{n}"), "name"]), "somebody".to_owned()),
            |n| words(&["DEL", &format!("k:{n}")]),
        );
    });
}

#[test]
fn a_store_full_of_strings_of_many_lengths_goes_on() {
    let value = |n: u32| format!("{n}").repeat(1 + (n as usize * 7919) % 4_000);
    in_a_child("a_store_full_of_strings_of_many_lengths_goes_on", || {
        fill_and_go_on(
            |n| words(&["SET", &format!("k:{n}"), &value(n)]),
            |n| (words(&["GET", &format!("k:{n}")]), value(n)),
            |n| words(&["DEL", &format!("k:{n}")]),
        );
    });
}

#[test]
fn a_store_full_of_long_strings_goes_on() {
    let value = |n: u32| format!("{n:8}").repeat(400_000);
    in_a_child("a_store_full_of_long_strings_goes_on", || {
        fill_and_go_on(
            |n| words(&["SET", &format!("k:{n}"), &value(n)]),
            |n| (words(&["GET", &format!("k:{n}")]), value(n)),
            |n| words(&["DEL", &format!("k:{n}")]),
        );
    });
}

#[test]
fn a_store_full_of_one_hash_goes_on() {
    in_a_child("a_store_full_of_one_hash_goes_on", || {
        fill_and_go_on(
            |n| words(&["HSET", "large", &format!("field:{n}"), &format!("{n}{}", "v".repeat(90))]),
            |n| {
                let value = format!("{n}{}", "v".repeat(90));
                (words(&["HGET", "large", &format!("field:{n}")]), value)
            },
            |n| words(&["HDEL", "large", &format!("field:{n}")]),
        );
    });
}

#[test]
fn values_that_do_not_fit_are_refused_and_nothing_else_is_lost() {
    in_a_child("values_that_do_not_fit_are_refused_and_nothing_else_is_lost", || {
        let long = "v".repeat(80 << 20);
        let mut shard = Shard::default();
        shard.say("SET string short");
        shard.say("HSET hash field short other 1");
        let fields = (0..2_000).flat_map(|n| [format!("f{n}"), n.to_string()]);
        let mut large = words(&["HSET", "large"]);
        large.extend(fields);
        assert_eq!(shard.ask(&large), Reply::Integer(2_000));
        assert_eq!(shard.ask(&["SET", "long", &long]), Reply::ok());
        limit(address_space_bytes() + (100 << 20));
        let refused: [&[&str]; 9] = [
            &["SET", "string", &long],
            &["SET", "new", &long],
            &["HSET", "hash", "field", &long],
            &["HSET", "hash", "new", &long],
            &["HSET", "new", &long, "v"],
            &["HSET", "large", "f1", &long],
            &["HSET", "large", "new", &long],
            &["APPEND", "long", "v"],
            &["SETRANGE", "string", "200000000", "v"],
        ];
        for command in refused {
            let reply = shard.ask(command);
            assert_eq!(reply, Reply::Error(OUT_OF_MEMORY.to_owned()), "{:?}", &command[..2]);
            assert_eq!(shard.say("GET string"), Reply::text("short"));
            assert_eq!(shard.say("HGETALL hash"), Reply::texts(&["field", "short", "other", "1"]));
            assert_eq!(shard.say("HGET large f1"), Reply::text("1"));
            assert_eq!(shard.count("HLEN large"), 2_000);
            assert_eq!(shard.count("STRLEN long"), 80 << 20);
            assert_eq!(shard.count("DBSIZE"), 4);
        }
        shard.say("DEL long");
        while shard.store.tend() {}
        assert_eq!(shard.say("SET string other"), Reply::ok());
    });
}
