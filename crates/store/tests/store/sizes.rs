//! Does a store hold hashes and values of every size, and are they small again once they shrink?

use std::time::{Duration, Instant};

use crate::support::{Reply, Shard};

/// Fields of the largest hash here.
const FIELDS: usize =
    if cfg!(any(debug_assertions, feature = "tiny")) { 50_000 } else { 1_000_000 };

fn usage(shard: &mut Shard, key: &str) -> usize {
    usize::try_from(shard.count(&format!("MEMORY USAGE {key}"))).expect("it is there")
}

#[test]
fn a_hash_grows_from_one_field_to_very_many_and_is_small_again_when_it_has_shrunk() {
    let mut shard = Shard::default();
    shard.say("HSET other f v");
    let mut sizes = Vec::new();
    for field in 0..FIELDS {
        assert_eq!(shard.say(&format!("HSET h field:{field} {field}")), Reply::Integer(1));
        if field < 2_000 || field % 997 == 0 {
            assert_eq!(shard.count("HLEN h").unsigned_abs(), field as u64 + 1);
            let seen = field / 2;
            assert_eq!(shard.say(&format!("HGET h field:{seen}")), Reply::text(&seen.to_string()));
            assert_eq!(shard.say(&format!("HGET h field:{}", field + 1)), Reply::Null);
        }
        if field < 300 {
            sizes.push(usage(&mut shard, "h"));
        }
    }
    let large = usage(&mut shard, "h");
    let payload = shard.store.accounting().payload_bytes;
    assert!((large as u64) < payload * 3 || cfg!(feature = "tiny"), "{large} B for {payload} B");
    for field in (0..FIELDS).rev() {
        assert_eq!(shard.count(&format!("HDEL h field:{field}")), 1);
        // Names that were a shape's are the hash's own now, of which the integers take less.
        if field > 0 && field <= 200 && !cfg!(feature = "tiny") {
            let now = usage(&mut shard, "h");
            let limit = sizes[field - 1] + field * 12 + 64;
            assert!(now <= limit, "{now} B for {field} fields, {} B before", sizes[field - 1]);
        }
    }
    assert_eq!(shard.say("EXISTS h"), Reply::Integer(0));
    while shard.store.tend() {}
    let accounting = shard.store.accounting();
    assert_eq!((accounting.keys, accounting.fields), (1, 1));
    let total_max = if cfg!(feature = "tiny") { 64 << 10 } else { 5 << 20 };
    assert!(accounting.total_bytes() < total_max, "{accounting:?}");
}

#[test]
fn values_of_all_lengths_come_back() {
    let mut shard = Shard::default();
    let text: String = (0..1 << 20).map(|place| char::from(b'a' + (place % 23) as u8)).collect();
    let near = |length: usize| length.saturating_sub(2)..=length + 2;
    let borders = [0, 112, 192, 368, 1024, 4096, 8192, 65_536, 131_072, 1 << 20];
    let lengths = || borders.into_iter().flat_map(near).filter(|&length| length <= 1 << 20);
    for round in 0..2 {
        // Each key meets each length, from any other.
        for (place, length) in lengths().enumerate() {
            let value = &text[..length];
            for key in 0..3 {
                let key = format!("{}", (place * 7 + key * 5 + round * 3) % 11);
                assert_eq!(shard.ask(&["SET", &format!("s:{key}"), value]), Reply::ok());
                assert_eq!(shard.ask(&["GET", &format!("s:{key}")]), Reply::text(value));
                shard.ask(&["HSET", &format!("h:{key}"), &format!("f{}", place % 5), value]);
                let reply = shard.ask(&["HGET", &format!("h:{key}"), &format!("f{}", place % 5)]);
                assert_eq!(reply, Reply::text(value));
            }
        }
    }
    for key in 0..11 {
        shard.say(&format!("DEL s:{key} h:{key}"));
    }
    while shard.store.tend() {}
    assert!(shard.holds_nothing());
}

#[test]
fn many_fields_in_one_command_take_time_in_proportion() {
    let mut shard = Shard::default();
    let mut words = vec!["HSET".to_owned(), "h".to_owned()];
    words.extend((0..100_000).flat_map(|field| [format!("field:{field}"), field.to_string()]));
    let start = Instant::now();
    assert_eq!(shard.ask(&words), Reply::Integer(100_000));
    // Each field once looked for among all before would take minutes.
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!(shard.count("HLEN h"), 100_000);
    assert_eq!(shard.say("HGET h field:99999"), Reply::text("99999"));
    assert_eq!(shard.ask(&words), Reply::Integer(0));
    // The same field again and again is one field.
    let mut words = vec!["HSET", "one"];
    words.extend(std::iter::repeat_n("f", 2 * 5_000));
    assert_eq!(shard.ask(&words), Reply::Integer(1));
    assert_eq!(shard.say("HGETALL one"), Reply::texts(&["f", "f"]));
}

#[test]
fn the_longest_value_is_kept_and_leaves_nothing_behind() {
    const LENGTH: i64 = 512 << 20;
    let mut shard = Shard::default();
    assert_eq!(shard.count(&format!("SETRANGE long {} end", LENGTH - 3)), LENGTH);
    assert_eq!(shard.say("GETRANGE long -4 -1"), Reply::text("\0end"));
    assert_eq!(
        shard.fail("APPEND long v"),
        "ERR string exceeds maximum allowed size (proto-max-bulk-len)"
    );
    let total_bytes = shard.store.accounting().total_bytes();
    assert!(total_bytes.abs_diff(LENGTH.unsigned_abs()) < 8 << 20, "{total_bytes}");
    assert_eq!(shard.say("SET long short"), Reply::ok());
    while shard.store.tend() {}
    assert!(shard.store.accounting().total_bytes() < 1 << 20);
}
