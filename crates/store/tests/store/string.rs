//! Do the commands on strings answer as Redis 8 does?

use crate::support::{Reply, Shard};

const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";

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
    assert_eq!(shard.fail("SET h v GET"), WRONG_TYPE);
    assert_eq!(shard.count("HLEN h"), 1);
    assert_eq!(shard.fail("GET h"), WRONG_TYPE);
    assert_eq!(shard.fail("INCR h"), WRONG_TYPE);
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

#[test]
fn setex_and_psetex_set_a_deadline_that_must_be_positive() {
    let mut shard = Shard::default();
    shard.store.set_now(1_000_000);
    shard.say("HSET k a 1");
    assert_eq!(shard.say("SETEX k 10 v"), Reply::ok());
    assert_eq!(shard.count("PTTL k"), 10_000);
    assert_eq!(shard.say("PSETEX k 10 12"), Reply::ok());
    assert_eq!(shard.count("PTTL k"), 10);
    assert_eq!(shard.say("GET k"), Reply::text("12"));
    for (line, text) in [
        ("SETEX k 0 v", "ERR invalid expire time in 'setex' command"),
        ("PSETEX k -1 v", "ERR invalid expire time in 'psetex' command"),
        ("SETEX k 9223372036854775807 v", "ERR invalid expire time in 'setex' command"),
        ("SETEX k x v", "ERR value is not an integer or out of range"),
    ] {
        assert_eq!(shard.fail(line), text, "{line}");
    }
}

#[test]
fn getset_getdel_and_setnx_answer_what_was_there() {
    let mut shard = Shard::default();
    assert_eq!(shard.count("SETNX k 1"), 1);
    assert_eq!(shard.count("SETNX k 2"), 0);
    shard.say("EXPIRE k 100");
    assert_eq!(shard.say("GETSET k 3"), Reply::text("1"));
    assert_eq!(shard.count("TTL k"), -1);
    assert_eq!(shard.say("GETDEL k"), Reply::text("3"));
    assert_eq!(shard.say("GETDEL k"), Reply::Null);
    assert_eq!(shard.say("GETSET k 4"), Reply::Null);
    shard.say("HSET h a 1");
    assert_eq!(shard.count("SETNX h 1"), 0);
    for line in ["GETSET h 1", "GETDEL h", "GETEX h", "STRLEN h", "APPEND h x", "GETRANGE h 0 1"] {
        assert_eq!(shard.fail(line), WRONG_TYPE, "{line}");
    }
    assert_eq!(shard.say("HGETALL h"), Reply::texts(&["a", "1"]));
}

#[test]
fn getex_changes_the_deadline_and_nothing_else() {
    let mut shard = Shard::default();
    shard.store.set_now(1_000_000);
    shard.say("SET k 7");
    for (options, ttl_ms) in [
        ("", -1),
        (" EX 10", 10_000),
        ("", 10_000),
        (" PERSIST", -1),
        (" PX 10 PX 20", 20),
        (" EXAT 1010", 10_000),
        (" PXAT 1000010", 10),
        (" persist PERSIST", -1),
    ] {
        assert_eq!(shard.say(&format!("GETEX k{options}")), Reply::text("7"), "{options}");
        assert_eq!(shard.count("PTTL k"), ttl_ms, "{options}");
    }
    assert_eq!(shard.say("GETEX k EXAT 1"), Reply::text("7"));
    assert_eq!(shard.count("EXISTS k"), 0);
}

#[test]
fn getex_checks_its_arguments_in_redis_order() {
    let mut shard = Shard::default();
    shard.say("HSET h a 1");
    shard.say("SET k 1");
    for options in ["NX", "GET", "KEEPTTL", "EX", "EX 1 PERSIST", "PERSIST PX 1", "EX 1 PX 1", "x"]
    {
        assert_eq!(shard.fail(&format!("GETEX h {options}")), "ERR syntax error", "{options}");
    }
    assert_eq!(shard.fail("GETEX h EX x"), WRONG_TYPE);
    assert_eq!(shard.say("GETEX none EX x"), Reply::Null);
    assert_eq!(shard.fail("GETEX k EX x"), "ERR value is not an integer or out of range");
    assert_eq!(shard.fail("GETEX k PXAT 0"), "ERR invalid expire time in 'getex' command");
    assert_eq!(shard.count("TTL k"), -1);
}

#[test]
fn append_and_setrange_write_parts_and_keep_the_deadline() {
    let mut shard = Shard::default();
    assert_eq!(shard.count("APPEND k 12"), 2);
    shard.say("EXPIRE k 100");
    assert_eq!(shard.count("APPEND k 3"), 3);
    assert_eq!(shard.say("GET k"), Reply::text("123"));
    assert_eq!(shard.count("SETRANGE k 1 xyz"), 4);
    assert_eq!(shard.say("GET k"), Reply::text("1xyz"));
    assert_eq!(shard.count("SETRANGE k 6 end"), 9);
    assert_eq!(shard.say("GET k"), Reply::text("1xyz\0\0end"));
    assert_eq!(shard.count("STRLEN k"), 9);
    assert_eq!(shard.count("TTL k"), 100);
    assert_eq!(shard.count("SETRANGE new 2 v"), 3);
    assert_eq!(shard.say("GET new"), Reply::text("\0\0v"));
    shard.ask(&["SETRANGE", "none", "5", ""]);
    assert_eq!(shard.count("EXISTS none"), 0);
}

#[test]
fn a_string_that_would_be_too_long_takes_no_memory() {
    let mut shard = Shard::default();
    shard.say("SET k 123");
    let text = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
    for line in [
        "SETRANGE k 536870912 x",
        "SETRANGE none 536870911 xy",
        "SETRANGE none 9223372036854775807 x",
    ] {
        assert_eq!(shard.fail(line), text, "{line}");
    }
    assert_eq!(shard.fail("SETRANGE k -1 x"), "ERR offset is out of range");
    assert_eq!(shard.fail("SETRANGE k 1.5 x"), "ERR value is not an integer or out of range");
    assert_eq!(shard.ask(&["SETRANGE", "k", "536870912", ""]), Reply::Integer(3));
    assert_eq!(shard.count("EXISTS k none"), 1);
}

#[test]
fn getrange_counts_from_both_ends() {
    let mut shard = Shard::default();
    shard.ask(&["SET", "k", "This is a string"]);
    shard.say("SET n -1234");
    for (line, part) in [
        ("GETRANGE k 0 3", "This"),
        ("GETRANGE k -3 -1", "ing"),
        ("GETRANGE k 10 100", "string"),
        ("GETRANGE k 5 3", ""),
        ("GETRANGE k -1 -5", ""),
        ("GETRANGE k -100 -50", "T"),
        ("GETRANGE k -9223372036854775808 9223372036854775807", "This is a string"),
        ("SUBSTR n 0 1", "-1"),
        ("GETRANGE none 0 -1", ""),
    ] {
        assert_eq!(shard.say(line), Reply::text(part), "{line}");
    }
    let not_an_integer = "ERR value is not an integer or out of range";
    shard.say("HSET h a 1");
    assert_eq!(shard.fail("GETRANGE h x 1"), not_an_integer);
    assert_eq!(shard.fail("GETRANGE h 1 x"), not_an_integer);
}

#[test]
fn incrbyfloat_keeps_the_deadline_and_checks_the_value_first() {
    let mut shard = Shard::default();
    shard.say("SET n 10.5 EX 100");
    assert_eq!(shard.say("INCRBYFLOAT n 0.1"), Reply::text("10.6"));
    assert_eq!(shard.say("INCRBYFLOAT n -5.6e0"), Reply::text("5"));
    assert_eq!(shard.count("INCR n"), 6);
    assert_eq!(shard.count("TTL n"), 100);
    assert_eq!(shard.say("INCRBYFLOAT new 3"), Reply::text("3"));
    shard.say("HSET h a 1");
    shard.say("MSET text abc infinite inf");
    let not_a_float = "ERR value is not a valid float";
    let not_finite = "ERR increment would produce NaN or Infinity";
    for (line, text) in [
        ("INCRBYFLOAT h x", WRONG_TYPE),
        ("INCRBYFLOAT text 1", not_a_float),
        ("INCRBYFLOAT n nan", not_a_float),
        ("INCRBYFLOAT n 1.5x", not_a_float),
        ("INCRBYFLOAT n inf", not_finite),
        ("INCRBYFLOAT infinite 1", not_finite),
        ("INCRBYFLOAT none -inf", not_finite),
    ] {
        assert_eq!(shard.fail(line), text, "{line}");
    }
    assert_eq!(shard.count("EXISTS none"), 0);
}

#[test]
fn a_string_that_was_written_to_is_raw_until_it_is_set_again() {
    let mut shard = Shard::default();
    let mut encoding = |line: &str| {
        shard.say("SET k 12");
        assert!(!matches!(shard.say(line), Reply::Error(_)), "{line}");
        shard.say("OBJECT ENCODING k")
    };
    for (line, expected) in [
        ("APPEND k 3", "raw"),
        ("APPEND k ", "raw"),
        ("SETRANGE k 0 3", "raw"),
        ("SETRANGE k 0 ", "int"),
        ("INCRBYFLOAT k 1", "embstr"),
        ("GETSET k 13", "int"),
        ("GETEX k EX 100", "int"),
    ] {
        assert_eq!(encoding(line), Reply::text(expected), "{line}");
    }
    shard.say("APPEND k 3");
    shard.say("EXPIRE k 100");
    assert_eq!(shard.say("OBJECT ENCODING k"), Reply::text("raw"));
    assert_eq!(shard.count("INCR k"), 124);
    assert_eq!(shard.say("OBJECT ENCODING k"), Reply::text("int"));
    shard.say("APPEND k 3");
    shard.say("SET k abc");
    assert_eq!(shard.say("OBJECT ENCODING k"), Reply::text("embstr"));
    shard.say("DEL k");
    assert_eq!(shard.count("APPEND k 12"), 2);
    assert_eq!(shard.say("OBJECT ENCODING k"), Reply::text("int"));
}
