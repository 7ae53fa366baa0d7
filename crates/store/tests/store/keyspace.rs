//! Do keys, databases and what they weigh add up?

use crate::support::{Reply, Shard};

#[test]
fn keys_are_counted_as_often_as_they_are_named() {
    let mut shard = Shard::default();
    shard.say("MSET a 1 b 2");
    shard.say("HSET h f 1");
    assert_eq!(shard.count("EXISTS a a b none h"), 4);
    assert_eq!(shard.count("DEL a a none"), 1);
    assert_eq!(shard.count("UNLINK b h"), 2);
    assert_eq!(shard.count("DBSIZE"), 0);
}

#[test]
fn type_names_what_a_key_holds() {
    let mut shard = Shard::default();
    shard.say("SET s 1");
    shard.say("HSET h f 1");
    for (key, name) in [("s", "string"), ("h", "hash"), ("none", "none")] {
        assert_eq!(shard.say(&format!("TYPE {key}")), Reply::Status(name.to_owned()));
    }
}

#[test]
fn databases_are_apart() {
    let mut shard = Shard::default();
    for database in 0..16 {
        shard.database = database;
        shard.say(&format!("SET k {database}"));
    }
    for database in 0..16 {
        shard.database = database;
        assert_eq!(shard.say("GET k"), Reply::text(&database.to_string()));
    }
    shard.database = 16;
    assert_eq!(shard.fail("GET k"), "ERR DB index is out of range");
    shard.database = 3;
    assert_eq!(shard.say("FLUSHDB"), Reply::ok());
    assert_eq!(shard.count("DBSIZE"), 0);
    assert_eq!(shard.store.accounting().keys, 15);
    assert_eq!(shard.say("FLUSHALL ASYNC"), Reply::ok());
    assert!(shard.holds_nothing());
    while shard.store.tend() {}
    assert_eq!(shard.store.accounting().total_bytes(), 0);
}

#[test]
fn flushing_takes_one_option_or_none() {
    let mut shard = Shard::default();
    shard.say("SET k 1");
    for line in ["FLUSHALL foo", "FLUSHDB SYNC ASYNC", "FLUSHALL SYNC SYNC"] {
        assert_eq!(shard.fail(line), "ERR syntax error", "{line}");
    }
    assert_eq!(shard.count("DBSIZE"), 1);
    assert_eq!(shard.say("flushdb sync"), Reply::ok());
    assert_eq!(shard.count("DBSIZE"), 0);
}

#[test]
fn payload_is_what_clients_sent_and_is_all_given_back() {
    let mut shard = Shard::default();
    shard.say("HSET user:1 name Ada age 36");
    assert_eq!(shard.store.accounting().payload_bytes, 6 + 4 + 3 + 3 + 2);
    shard.say("SET n -100");
    shard.say("HSET user:1 name Grace");
    let accounting = shard.store.accounting();
    assert_eq!(accounting.payload_bytes, 6 + 4 + 5 + 3 + 2 + 1 + 4);
    assert_eq!((accounting.keys, accounting.fields), (2, 2));
    assert!(accounting.record_bytes > accounting.payload_bytes / 2, "{accounting:?}");
    shard.say("DEL user:1 n");
    assert!(shard.holds_nothing());
}

#[test]
fn memory_usage_grows_with_what_a_key_holds() {
    let mut shard = Shard::default();
    let mut last = 0;
    for fields in [1, 10, 100, 1_000, 10_000] {
        for field in 0..fields {
            shard.say(&format!("HSET h field:{field:06} {:010}", field * 7));
        }
        let bytes = shard.count("MEMORY USAGE h");
        assert!(bytes > last && bytes >= fields * 22, "{bytes} bytes for {fields} fields");
        assert!(bytes < 100 + fields * 60, "{bytes} bytes for {fields} fields");
        last = bytes;
        let total_bytes = i64::try_from(shard.store.accounting().total_bytes())
            .expect("what a test sends is good");
        // Some tables are there before the first key, and some dead bytes are not worth a region.
        assert!((bytes..bytes + 130_000).contains(&total_bytes), "{total_bytes} of {bytes}");
    }
    shard.say("PEXPIREAT h 5");
    assert!(shard.count("MEMORY USAGE h SAMPLES 5") > last);
}

#[test]
fn memory_usage_checks_its_options() {
    let mut shard = Shard::default();
    assert_eq!(shard.say("MEMORY USAGE none"), Reply::Null);
    let not_an_integer = "ERR value is not an integer or out of range";
    for (line, text) in [
        ("MEMORY USAGE k SAMPLES x", not_an_integer),
        ("MEMORY USAGE k SAMPLES -1", "ERR syntax error"),
        ("MEMORY USAGE k SAMPLES", "ERR syntax error"),
        ("MEMORY USAGE k foo 1", "ERR syntax error"),
        ("MEMORY USAGE k SAMPLES 1 foo", "ERR syntax error"),
    ] {
        assert_eq!(shard.fail(line), text, "{line}");
    }
}

#[test]
fn a_large_hash_gives_its_memory_back_when_it_shrinks() {
    let mut shard = Shard::default();
    for field in 0..20_000 {
        shard.say(&format!("HSET h field:{field:06} value"));
    }
    for field in 4..20_000 {
        shard.say(&format!("HDEL h field:{field:06}"));
    }
    assert_eq!(shard.count("HLEN h"), 4);
    assert_eq!(shard.say("HGET h field:000003"), Reply::text("value"));
    assert!(shard.count("MEMORY USAGE h") < 200);
    assert_eq!(shard.say("OBJECT ENCODING h"), Reply::text("hashtable"));
}
