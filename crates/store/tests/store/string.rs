//! Do the commands on strings answer as Redis 8 does?

use crate::support::{Reply, Shard};

#[test]
fn set_replaces_whatever_was_there() {
    let mut shard = Shard::default();
    shard.say("HSET k a 1");
    shard.say("EXPIRE k 100");
    assert_eq!(shard.say("SET k v"), Reply::ok());
    assert_eq!(shard.say("GET k"), Reply::text("v"));
    assert_eq!(shard.count("TTL k"), -1);
    assert_eq!(shard.store.accounting().fields, 0);
}

#[test]
fn set_takes_its_conditions() {
    let mut shard = Shard::default();
    assert_eq!(shard.say("SET k 1 XX"), Reply::Null);
    assert_eq!(shard.say("SET k 1 nx"), Reply::ok());
    assert_eq!(shard.say("SET k 2 NX"), Reply::Null);
    assert_eq!(shard.say("SET k 3 XX GET"), Reply::text("1"));
    assert_eq!(shard.say("SET k 4 NX GET"), Reply::text("3"));
    assert_eq!(shard.say("SET none 5 GET NX"), Reply::Null);
    assert_eq!(shard.say("MGET k none"), Reply::texts(&["3", "5"]));
}

#[test]
fn set_get_wants_a_string() {
    let mut shard = Shard::default();
    shard.say("HSET h a 1");
    let wrong_type = "WRONGTYPE Operation against a key holding the wrong kind of value";
    assert_eq!(shard.fail("SET h v GET"), wrong_type);
    assert_eq!(shard.count("HLEN h"), 1);
    assert_eq!(shard.fail("GET h"), wrong_type);
    assert_eq!(shard.fail("INCR h"), wrong_type);
}

#[test]
fn set_takes_a_deadline_in_four_ways() {
    let mut shard = Shard::default();
    shard.store.set_now(1_000_000);
    for (options, ttl_ms) in
        [("EX 10", 10_000), ("PX 10", 10), ("EXAT 1010", 10_000), ("pxat 1000010", 10)]
    {
        assert_eq!(shard.say(&format!("SET k v {options}")), Reply::ok());
        assert_eq!(shard.count("PTTL k"), ttl_ms, "{options}");
    }
    assert_eq!(shard.say("SET k w KEEPTTL"), Reply::ok());
    assert_eq!(shard.count("PTTL k"), 10);
    assert_eq!(shard.say("SET k w EX 1 EX 2"), Reply::ok());
    assert_eq!(shard.count("TTL k"), 2);
    assert_eq!(shard.say("SET k w"), Reply::ok());
    assert_eq!(shard.count("TTL k"), -1);
    assert_eq!(shard.say("SET k w EXAT 1000"), Reply::ok());
    assert_eq!(shard.count("EXISTS k"), 0);
}

#[test]
fn set_refuses_deadlines_that_cannot_be() {
    let mut shard = Shard::default();
    shard.store.set_now(1_000_000);
    for options in [
        "EX 0",
        "PX -1",
        "EXAT 0",
        "PXAT -5",
        "EX 9223372036854776",
        "EX 9223372036854775",
        "PX 9223372036854775807",
    ] {
        let line = format!("SET k v {options}");
        assert_eq!(shard.fail(&line), "ERR invalid expire time in 'set' command", "{line}");
    }
    let line = "SET k v EX x";
    assert_eq!(shard.fail(line), "ERR value is not an integer or out of range");
}

#[test]
fn set_refuses_options_that_exclude_each_other() {
    let mut shard = Shard::default();
    for options in [
        "NX XX",
        "XX NX",
        "EX 1 PX 1",
        "PX 1 EXAT 1",
        "EX 1 KEEPTTL",
        "KEEPTTL EX 1",
        "EX",
        "foo",
        "EX 1 2",
    ] {
        let line = format!("SET k v {options}");
        assert_eq!(shard.fail(&line), "ERR syntax error", "{line}");
    }
    assert_eq!(shard.count("EXISTS k"), 0);
}

#[test]
fn increments_keep_the_deadline() {
    let mut shard = Shard::default();
    shard.say("SET n 10 EX 100");
    assert_eq!(shard.count("INCR n"), 11);
    assert_eq!(shard.count("DECR n"), 10);
    assert_eq!(shard.count("INCRBY n -20"), -10);
    assert_eq!(shard.count("DECRBY n -5"), -5);
    assert_eq!(shard.count("TTL n"), 100);
    assert_eq!(shard.count("INCR new"), 1);
    assert_eq!(shard.say("GET n"), Reply::text("-5"));
}

#[test]
fn increments_stay_within_64_bits() {
    let mut shard = Shard::default();
    shard.say("MSET max 9223372036854775807 min -9223372036854775808 text x zeros 007");
    let overflow = "ERR increment or decrement would overflow";
    assert_eq!(shard.fail("INCR max"), overflow);
    assert_eq!(shard.fail("DECR min"), overflow);
    assert_eq!(shard.fail("DECRBY n -9223372036854775808"), "ERR decrement would overflow");
    for line in ["INCR text", "INCR zeros", "INCRBY n x", "DECRBY n 1.5"] {
        assert_eq!(shard.fail(line), "ERR value is not an integer or out of range", "{line}");
    }
    assert_eq!(shard.count("INCRBY min 9223372036854775807"), -1);
}

#[test]
fn mset_and_mget_take_keys_in_turn() {
    let mut shard = Shard::default();
    shard.say("HSET h a 1");
    assert_eq!(shard.say("MSET a 1 b 2 a 3"), Reply::ok());
    let values = [Reply::text("3"), Reply::Null, Reply::Null, Reply::text("2")];
    assert_eq!(shard.say("MGET a h none b"), Reply::Array(values.to_vec()));
    assert_eq!(shard.fail("MSET a 1 b"), "ERR wrong number of arguments for 'mset' command");
}

#[test]
fn object_encoding_of_a_string_follows_from_its_text() {
    let mut shard = Shard::default();
    let (embedded, raw) = ("x".repeat(44), "x".repeat(45));
    for (value, encoding) in
        [("12", "int"), ("012", "embstr"), ("", "embstr"), (&embedded, "embstr"), (&raw, "raw")]
    {
        shard.ask(&["SET", "k", value]);
        assert_eq!(shard.say("OBJECT ENCODING k"), Reply::text(encoding), "{value}");
    }
    assert_eq!(shard.say("OBJECT ENCODING none"), Reply::Null);
}
