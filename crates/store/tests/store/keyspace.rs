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

#[test]
fn keys_are_listed_by_pattern() {
    let mut shard = Shard::default();
    shard.say("MSET user:1 a user:2 b name c");
    shard.say("HSET user:3 f v");
    let mut listed = |pattern: &str| {
        let keys = shard.ask(&["KEYS", pattern]).into_elements();
        let mut keys = keys.into_iter().map(Reply::into_bytes).collect::<Vec<_>>();
        keys.sort();
        String::from_utf8(keys.join(&b' ')).expect("the keys are text")
    };
    assert_eq!(listed("*"), "name user:1 user:2 user:3");
    assert_eq!(listed("user:[12]"), "user:1 user:2");
    assert_eq!(listed("x*"), "");
    assert_eq!(listed(""), "");
}

#[test]
fn randomkey_draws_few_keys_about_as_often() {
    let mut shard = Shard::default();
    assert_eq!(shard.say("RANDOMKEY"), Reply::Null);
    for key in 0..10 {
        shard.say(&format!("SET {key} v"));
    }
    let mut times = [0; 10];
    for _ in 0..10_000 {
        let key = shard.say("RANDOMKEY").into_bytes();
        times[usize::from(key[0] - b'0')] += 1;
    }
    assert!(times.iter().all(|times| (800..1_200).contains(times)), "{times:?}");
}

#[test]
fn randomkey_reaches_all_of_many_keys_and_none_that_is_past() {
    let mut shard = Shard::default();
    for key in 0..300 {
        shard.say(&format!("SET {key} v"));
        shard.say(&format!("SET past:{key} v PX 1"));
    }
    shard.store.set_now(1_000);
    let mut drawn = std::collections::BTreeSet::new();
    for _ in 0..30_000 {
        drawn.insert(shard.say("RANDOMKEY").into_bytes());
    }
    assert_eq!(drawn.len(), 300);
    assert!(drawn.iter().all(|key| !key.starts_with(b"past")));
}

#[test]
fn where_there_are_other_shards_a_lot_comes_before_a_random_key() {
    let mut shards = [1, 3].map(|keys| {
        let mut shard = Shard::with_config(|config| {
            (config.shards, config.random_seed) = (2, keys);
        });
        for key in 0..keys {
            shard.say(&format!("SET {key} v"));
        }
        shard
    });
    let mut drawn_from_first = 0;
    for _ in 0..4_000 {
        let [first, second] = shards.each_mut().map(|shard| {
            let elements = shard.say("RANDOMKEY").into_elements();
            let [Reply::Integer(lot), Reply::Bytes(_)] = elements[..] else { panic!() };
            lot
        });
        drawn_from_first += i32::from(first < second);
    }
    // One key of four.
    assert!((850..1_150).contains(&drawn_from_first), "{drawn_from_first}");
}

#[test]
fn object_tells_what_redis_would() {
    let mut shard = Shard::default();
    shard.say("MSET small 9999 large 10000 negative -1 text x");
    shard.say("HSET hash f v");
    shard.say("APPEND small 9");
    shard.say("SET small 9999");
    for (key, references) in
        [("small", i64::from(i32::MAX)), ("large", 1), ("negative", 1), ("text", 1), ("hash", 1)]
    {
        assert_eq!(shard.count(&format!("OBJECT REFCOUNT {key}")), references, "{key}");
    }
    assert_eq!(shard.count("OBJECT IDLETIME hash"), 0);
    assert!(shard.fail("OBJECT FREQ hash").starts_with("ERR An LFU maxmemory policy is not"));
    for name in ["REFCOUNT", "IDLETIME", "FREQ", "ENCODING"] {
        assert_eq!(shard.say(&format!("OBJECT {name} none")), Reply::Null, "{name}");
    }
    let help = shard.say("object help").into_elements();
    assert_eq!(help.len(), 15);
    assert_eq!(help.last(), Some(&Reply::Status("    Print this help.".to_owned())));
}

#[test]
fn what_was_flushed_weighs_less_and_less_until_it_weighs_nothing() {
    let mut shard = Shard::default();
    for key in 0..20_000 {
        shard.say(&format!("HSET user:{key} name {} city {key}", "n".repeat(30)));
    }
    for key in 0..200 {
        shard.say(&format!("SET long:{key} {}", "v".repeat(3_000)));
    }
    let full = shard.store.accounting();
    shard.say("FLUSHDB");
    let mut last = shard.store.accounting().total_bytes();
    assert!(last <= full.total_bytes() && last > full.total_bytes() / 2);
    while shard.store.tend() {
        let accounting = shard.store.accounting();
        let total_bytes = accounting.total_bytes();
        assert_eq!(accounting.slack_bytes, total_bytes);
        assert!(total_bytes <= last, "{total_bytes} after {last}");
        last = total_bytes;
    }
    assert_eq!(shard.store.accounting().total_bytes(), 0);
}
