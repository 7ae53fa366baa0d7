//! Does a scan show everything that was there all along?

use std::collections::BTreeMap;

use hectare_store::shard_of_cursor;
use proptest::prelude::*;

use crate::support::{Reply, Shard};

const NOT_AN_INTEGER: &str = "ERR value is not an integer or out of range";

/// One step of a scan: the next cursor and what was shown.
fn step(shard: &mut Shard, line: &str) -> (u64, Vec<String>) {
    let mut elements = shard.say(line).into_elements();
    assert_eq!(elements.len(), 2, "{line}");
    let text =
        |reply: Reply| String::from_utf8(reply.into_bytes()).expect("what a test sends is good");
    let shown = elements.remove(1).into_elements().into_iter().map(text).collect();
    (text(elements.remove(0)).parse().expect("what a test sends is good"), shown)
}

/// Scans to the end, calling `between` after each step, and counts how often each element was shown.
fn scan_all(
    shard: &mut Shard,
    line: impl Fn(u64) -> String,
    mut between: impl FnMut(&mut Shard, u32),
) -> BTreeMap<String, u32> {
    let mut times = BTreeMap::new();
    let (mut cursor, mut steps) = (0, 0);
    loop {
        let (next, shown) = step(shard, &line(cursor));
        for element in shown {
            *times.entry(element).or_default() += 1;
        }
        assert!(next == 0 || next > cursor, "{next} after {cursor}");
        assert!(next < 1 << 53);
        if next == 0 {
            return times;
        }
        cursor = next;
        steps += 1;
        between(shard, steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_key_that_stays_is_shown_once_while_others_come_and_go(
        stay in 0_u32..2_000,
        others in 0_u32..2_000,
        count in prop_oneof![1_u32..20, 20_u32..3_000],
        churn in 0_u32..100,
    ) {
        let mut shard = Shard::default();
        for key in 0..stay {
            shard.say(&format!("SET stay:{key} v"));
        }
        for key in 0..others {
            shard.say(&format!("SET old:{key} v"));
        }
        let line = |cursor: u64| format!("SCAN {cursor} COUNT {count}");
        let times = scan_all(&mut shard, line, |shard, step| {
            // The new ones go again: were they to pile up, they would come faster than they are seen.
            for key in 0..churn {
                shard.say(&format!("DEL new:{}:{key}", step - 1));
                shard.say(&format!("SET new:{step}:{key} v"));
                shard.say(&format!("DEL old:{}", (step - 1) * churn + key));
            }
        });
        for key in 0..stay {
            prop_assert_eq!(times.get(&format!("stay:{key}")), Some(&1), "{}", key);
        }
        prop_assert!(times.values().all(|&times| times == 1));
    }

    #[test]
    fn every_field_that_stays_is_shown_while_others_come_and_go(
        stay in 1_u32..2_000,
        others in 0_u32..2_000,
        count in 1_u32..300,
        churn in 0_u32..100,
    ) {
        let mut shard = Shard::with_config(|config| config.packed_fields_max = 64);
        for field in 0..stay {
            shard.say(&format!("HSET h stay:{field} v"));
        }
        for field in 0..others {
            shard.say(&format!("HSET h old:{field} v"));
        }
        let line = |cursor: u64| format!("HSCAN h {cursor} COUNT {count} NOVALUES");
        let times = scan_all(&mut shard, line, |shard, step| {
            for field in 0..churn {
                shard.say(&format!("HDEL h old:{}", (step - 1) * churn + field));
                shard.say(&format!("HDEL h new:{}:{field}", step - 1));
                shard.say(&format!("HSET h new:{step}:{field} v"));
            }
        });
        for field in 0..stay {
            prop_assert!(times.contains_key(&format!("stay:{field}")), "{}", field);
        }
    }

    #[test]
    fn any_cursor_and_count_are_answered(cursor: u64, count in 1_i64..=i64::MAX) {
        let mut shard = Shard::default();
        for key in 0..600 {
            shard.say(&format!("SET {key} v"));
        }
        shard.say(&format!("HSET h{}", " f v".repeat(600)));
        for line in [format!("SCAN {cursor} COUNT {count}"), format!("HSCAN h {cursor} COUNT {count}")] {
            let (next, _) = step(&mut shard, &line);
            prop_assert!(next == 0 || next > cursor);
        }
    }
}

#[test]
fn a_scan_of_almost_nothing_in_a_large_index_still_ends() {
    let mut shard = Shard::default();
    for key in 0..20_000 {
        shard.say(&format!("SET {key} v"));
    }
    for key in 1..20_000 {
        shard.say(&format!("DEL {key}"));
    }
    let times = scan_all(&mut shard, |cursor| format!("SCAN {cursor} COUNT 1"), |_, _| {});
    assert_eq!(times, BTreeMap::from([("0".to_owned(), 1)]));
}

#[test]
fn a_scan_shows_about_as_many_as_asked() {
    let mut shard = Shard::default();
    for key in 0..5_000 {
        shard.say(&format!("SET {key} v"));
    }
    for count in [1, 7, 100, 1_000] {
        assert_eq!(step(&mut shard, &format!("SCAN 0 COUNT {count}")).1.len(), count);
    }
    assert_eq!(step(&mut shard, "SCAN 0").1.len(), 10);
    assert_eq!(step(&mut shard, "SCAN 0 COUNT 100000").1.len(), 5_000);
}

#[test]
fn a_scan_shows_what_matches_and_is_of_the_type() {
    let mut shard = Shard::default();
    shard.say("MSET user:1 a user:2 b name c");
    shard.say("HSET user:3 f v");
    let mut shown = |line: &str| {
        let (next, mut shown) = step(&mut shard, line);
        assert_eq!(next, 0);
        shown.sort();
        shown.join(" ")
    };
    assert_eq!(shown("SCAN 0 MATCH user:*"), "user:1 user:2 user:3");
    assert_eq!(shown("SCAN 0 MATCH user:[^12] MATCH *"), "name user:1 user:2 user:3");
    assert_eq!(shown("SCAN 0 TYPE hash"), "user:3");
    assert_eq!(shown("SCAN 0 TYPE STRING MATCH *2"), "user:2");
    assert_eq!(shown("SCAN 0 TYPE zset"), "");
    assert_eq!(shown("SCAN 0 TYPE nosuch"), "");
}

#[test]
fn a_listpack_is_shown_whole_and_in_order() {
    let mut shard = Shard::default();
    shard.say("HSET h b 1 a 2 c 3");
    let fields = |elements: &[&str]| Reply::Array(vec![Reply::text("0"), Reply::texts(elements)]);
    for line in ["HSCAN h 0", "HSCAN h 77 COUNT 1", "HSCAN h 0 MATCH *"] {
        assert_eq!(shard.say(line), fields(&["b", "1", "a", "2", "c", "3"]), "{line}");
    }
    assert_eq!(shard.say("HSCAN h 0 NOVALUES"), fields(&["b", "a", "c"]));
    assert_eq!(shard.say("HSCAN h 0 MATCH [ac]"), fields(&["a", "2", "c", "3"]));
    assert_eq!(shard.say("HSCAN none 0"), fields(&[]));
}

#[test]
fn options_are_checked_in_redis_order() {
    let mut shard = Shard::default();
    shard.say("HSET h f v");
    for (line, text) in [
        ("SCAN x COUNT 0", "ERR invalid cursor"),
        ("SCAN 0 COUNT 0", "ERR syntax error"),
        ("SCAN 0 COUNT -1 foo", "ERR syntax error"),
        ("SCAN 0 COUNT x", NOT_AN_INTEGER),
        ("SCAN 0 COUNT", "ERR syntax error"),
        ("SCAN 0 MATCH", "ERR syntax error"),
        ("SCAN 0 NOVALUES", "ERR NOVALUES option can only be used in HSCAN"),
        ("SCAN 0 foo", "ERR syntax error"),
        ("HSCAN none -1", "ERR invalid cursor"),
        ("HSCAN h 0 COUNT 0", "ERR syntax error"),
        ("HSCAN h 0 TYPE hash", "ERR syntax error"),
        ("HSCAN h 0 NOVALUES 1", "ERR syntax error"),
    ] {
        assert_eq!(shard.fail(line), text, "{line}");
    }
    let nothing = Reply::Array(vec![Reply::text("0"), Reply::Array(vec![])]);
    assert_eq!(shard.say("HSCAN none 0 COUNT 0 foo"), nothing);
}

#[test]
fn after_the_last_key_of_a_shard_comes_the_next_shard() {
    let mut shard = Shard::with_config(|config| (config.shard, config.shards) = (1, 3));
    for key in 0..100 {
        shard.say(&format!("SET {key} v"));
    }
    let (next, shown) = step(&mut shard, "SCAN 1 COUNT 60");
    assert_eq!((shard_of_cursor(next.to_string().as_bytes()), shown.len()), (Some(1), 60));
    let (next, shown) = step(&mut shard, &format!("SCAN {next} COUNT 60"));
    assert_eq!((next, shown.len()), (2, 40));
    let mut last = Shard::with_config(|config| (config.shard, config.shards) = (2, 3));
    assert_eq!(step(&mut last, "SCAN 2"), (0, vec![]));
    assert_eq!(shard_of_cursor(b"x"), None);
}

#[test]
fn keys_that_are_removed_in_the_order_of_a_scan_are_gone_and_the_others_stay() {
    for keys in [1_000, 5_000, 20_000] {
        let mut shard = Shard::default();
        for key in 0..keys {
            shard.say(&format!("SET key:{key} {key}"));
        }
        let mut left = keys;
        while left > 0 {
            let mut elements = shard.say("SCAN 0 COUNT 100").into_elements();
            let shown = elements.remove(1).into_elements();
            for key in shown {
                let key = key.into_bytes();
                let number = String::from_utf8_lossy(&key[4..]).into_owned();
                assert_eq!(shard.ask(&[b"GET", &key[..]]), Reply::text(&number));
                assert_eq!(shard.ask(&[b"UNLINK", &key[..]]), Reply::Integer(1));
                left -= 1;
            }
            assert_eq!(shard.count("DBSIZE"), left);
        }
        assert!(shard.holds_nothing());
    }
}
