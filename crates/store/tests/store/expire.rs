//! Do keys live as long as Redis 8 lets them?

use crate::support::{Reply, Shard};

fn shard_at(now_ms: u64) -> Shard {
    let mut shard = Shard::default();
    shard.store.set_now(now_ms);
    shard
}

#[test]
fn a_key_lives_through_its_last_millisecond() {
    let mut shard = shard_at(1_000);
    shard.say("HSET h a 1");
    assert_eq!(shard.count("PEXPIRE h 500"), 1);
    shard.store.set_now(1_500);
    assert_eq!(shard.say("HGET h a"), Reply::text("1"));
    assert_eq!(shard.count("PTTL h"), 0);
    shard.store.set_now(1_501);
    assert_eq!(shard.say("HGET h a"), Reply::Null);
    assert!(shard.holds_nothing());
}

#[test]
fn no_command_sees_a_key_that_is_past() {
    let past = |line: &str| {
        let mut shard = shard_at(1_000);
        shard.say("HSET h a 1");
        shard.say("SET s 1");
        shard.say("PEXPIRE h 1");
        shard.say("PEXPIRE s 1");
        shard.store.set_now(2_000);
        shard.say(line)
    };
    for line in ["EXISTS h s", "DEL h s", "TTL h", "PERSIST h", "HLEN h", "DBSIZE", "EXPIRE s 5"] {
        let expected = if line == "TTL h" { -2 } else { 0 };
        assert_eq!(past(line), Reply::Integer(expected), "{line}");
    }
    for line in ["HSET s a 1", "HINCRBY s a 1", "INCR h", "HSETNX h a 1", "SET h 1 NX"] {
        assert!(matches!(past(line), Reply::Integer(1) | Reply::Status(_)), "{line}");
    }
    for line in ["GET s", "SET s 2 XX", "OBJECT ENCODING h", "MEMORY USAGE h", "SET h 1 GET"] {
        assert_eq!(past(line), Reply::Null, "{line}");
    }
    let nothing = Reply::Array(vec![Reply::text("0"), Reply::Array(vec![])]);
    assert_eq!(past("SCAN 0"), nothing);
    assert_eq!(past("TYPE s"), Reply::Status("none".to_owned()));
}

#[test]
fn a_new_key_does_not_inherit_a_deadline() {
    let mut shard = shard_at(1_000);
    shard.say("SET k 1 PX 10");
    shard.store.set_now(2_000);
    assert_eq!(shard.count("HSET k a 1"), 1);
    assert_eq!(shard.count("TTL k"), -1);
    shard.store.set_now(u64::MAX);
    assert_eq!(shard.store.expire_some(10), 0);
    assert_eq!(shard.count("HLEN k"), 1);
}

#[test]
fn deadlines_are_told_in_four_ways() {
    let mut shard = shard_at(1_000_000);
    shard.say("SET k 1");
    for line in ["TTL k", "PTTL k", "EXPIRETIME k", "PEXPIRETIME k"] {
        assert_eq!(shard.count(line), -1);
        assert_eq!(shard.count(&line.replace(" k", " none")), -2);
    }
    assert_eq!(shard.count("PEXPIRE k 1499"), 1);
    assert_eq!(shard.count("TTL k"), 1);
    assert_eq!(shard.count("EXPIRETIME k"), 1_001);
    assert_eq!(shard.count("PEXPIREAT k 1001500"), 1);
    assert_eq!(shard.count("TTL k"), 2);
    assert_eq!(shard.count("PTTL k"), 1_500);
    assert_eq!(shard.count("EXPIRETIME k"), 1_002);
    assert_eq!(shard.count("PEXPIRETIME k"), 1_001_500);
    assert_eq!(shard.count("EXPIREAT k 2000"), 1);
    assert_eq!(shard.count("TTL k"), 1_000);
    assert_eq!(shard.count("PERSIST k"), 1);
    assert_eq!(shard.count("PERSIST k"), 0);
    shard.store.set_now(3_000_000);
    assert_eq!(shard.store.expire_some(10), 0);
    assert_eq!(shard.store.next_deadline_ms(), None);
}

#[test]
fn a_deadline_in_the_past_removes_the_key() {
    for line in ["EXPIRE k 0", "PEXPIRE k -1", "EXPIREAT k -9223372036854775", "PEXPIREAT k 1000"] {
        let mut shard = shard_at(1_000);
        shard.say("SET k 1");
        assert_eq!(shard.count(line), 1, "{line}");
        assert_eq!(shard.count("EXISTS k"), 0, "{line}");
        assert_eq!(shard.count(line), 0, "{line}");
    }
}

#[test]
fn expire_takes_its_conditions() {
    let mut shard = shard_at(1_000);
    shard.say("SET k 1");
    for (options, expected) in [
        ("100 XX", 0),
        ("100 GT", 0),
        ("100 XX LT", 0),
        ("100 NX", 1),
        ("200 nx", 0),
        ("50 GT", 0),
        ("100 GT", 0),
        ("200 GT XX", 1),
        ("300 lt", 0),
        ("200 LT", 0),
        ("150 LT", 1),
        ("120 XX", 1),
        ("-1 GT", 0),
    ] {
        assert_eq!(shard.count(&format!("EXPIRE k {options}")), expected, "{options}");
    }
    assert_eq!(shard.count("TTL k"), 120);
    shard.say("PERSIST k");
    assert_eq!(shard.count("EXPIRE k 100 LT"), 1);
}

#[test]
fn expire_checks_its_arguments_in_redis_order() {
    let mut shard = shard_at(1_000);
    assert_eq!(shard.fail("EXPIRE k x foo"), "ERR Unsupported option foo");
    let nx = "ERR NX and XX, GT or LT options at the same time are not compatible";
    assert_eq!(shard.fail("EXPIRE k x NX GT LT"), nx);
    let gt = "ERR GT and LT options at the same time are not compatible";
    assert_eq!(shard.fail("EXPIRE k x GT LT"), gt);
    assert_eq!(shard.fail("EXPIRE k x GT"), "ERR value is not an integer or out of range");
    for (line, name) in [
        ("EXPIRE k 9223372036854776", "expire"),
        ("EXPIRE k 9223372036854775", "expire"),
        ("EXPIRE k -9223372036854776", "expire"),
        ("PEXPIRE k 9223372036854774808", "pexpire"),
        ("EXPIREAT k 9223372036854776", "expireat"),
    ] {
        assert_eq!(shard.fail(line), format!("ERR invalid expire time in '{name}' command"));
    }
    assert_eq!(shard.count("PEXPIREAT k 9223372036854775807"), 0);
}

#[test]
fn expire_some_takes_the_earliest_first_and_no_more_than_its_budget() {
    let mut shard = shard_at(0);
    for key in 0..10 {
        shard.database = key % 3;
        shard.say(&format!("SET {key} v PXAT {}", 100 + u32::from(key)));
        shard.say(&format!("HSET h{key} f v"));
    }
    assert_eq!(shard.store.next_deadline_ms(), Some(101));
    shard.store.set_now(100);
    assert_eq!(shard.store.expire_some(100), 0);
    shard.store.set_now(107);
    assert_eq!(shard.store.expire_some(4), 4);
    assert_eq!(shard.store.expire_some(100), 3);
    assert_eq!(shard.store.next_deadline_ms(), Some(108));
    assert_eq!(shard.store.accounting().keys_with_deadline, 3);
    assert_eq!(shard.store.accounting().keys, 13);
}

#[test]
fn time_does_not_go_back() {
    let mut shard = shard_at(1_000);
    shard.say("SET k 1 PX 10");
    shard.store.set_now(2_000);
    shard.store.set_now(500);
    assert_eq!(shard.count("EXISTS k"), 0);
}
