//! Can clients whose names and keys are all different let what hashes have in common grow?

use crate::support::{Reply, Shard};

/// What names, templates and their tables may take.
const SHAPE_BYTES_MAX: u64 = 8 << 20;

const HASHES: u32 = if cfg!(feature = "tiny") { 5_000 } else { 30_000 };

/// Sets each hash to what `fields` says, twice, and checks what there is.
fn set_all(key: impl Fn(u32) -> String, fields: impl Fn(u32, u32) -> Vec<(String, String)>) {
    let mut shard = Shard::default();
    let mut fields_held = 0;
    for number in 0..HASHES {
        for turn in 0..2 {
            let pairs = fields(number, turn);
            let mut words = vec!["HSET".to_owned(), key(number)];
            words.extend(pairs.into_iter().flat_map(|(name, value)| [name, value]));
            let Reply::Integer(added) = shard.ask(&words) else { panic!("{words:?}") };
            fields_held += added.unsigned_abs();
        }
        if number % 1_000 == 0 {
            let shape_bytes = shard.store.accounting().shape_bytes;
            assert!(shape_bytes < SHAPE_BYTES_MAX, "{shape_bytes} B after {number}");
        }
    }
    let accounting = shard.store.accounting();
    assert!(accounting.shape_bytes < SHAPE_BYTES_MAX, "{accounting:?}");
    assert_eq!((accounting.keys, accounting.fields), (u64::from(HASHES), fields_held));
    for number in (0..HASHES).step_by(997) {
        for (name, value) in fields(number, 1) {
            let reply = shard.ask(&["HGET", &key(number), &name]);
            assert_eq!(reply, Reply::Bytes(value.into_bytes()));
        }
    }
    for number in 0..HASHES {
        assert_eq!(shard.ask(&["DEL", &key(number)]), Reply::Integer(1));
    }
    assert!(shard.holds_nothing());
    // What was made for them is not in the way of others: after a while, these are kept as hashes
    // that are like each other.
    let mut record_bytes = 0;
    for number in 0..30_000 {
        shard.say(&format!("HSET user:{number} name-of-the-user {number} city-of-the-user 7"));
        if number == 10_000 {
            record_bytes = shard.store.accounting().record_bytes;
        }
    }
    if !cfg!(feature = "tiny") {
        let accounting = shard.store.accounting();
        assert!(accounting.record_bytes - record_bytes < 20_000 * 12, "{accounting:?}");
    }
}

#[test]
fn names_that_are_all_different_take_bounded_room() {
    set_all(
        |number| format!("k:{number}"),
        |number, turn| (0..3).map(|n| (format!("{number}-{turn}-{n}"), "v".into())).collect(),
    );
}

#[test]
fn names_that_come_twice_and_never_again_take_bounded_room() {
    set_all(
        |number| format!("k:{number}"),
        |number, _| (0..3).map(|n| (format!("{}-{n}", number / 2), "v".into())).collect(),
    );
}

#[test]
fn names_that_change_with_each_write_take_bounded_room() {
    set_all(
        |number| format!("k:{number}"),
        |number, turn| {
            let first = number.wrapping_mul(2_654_435_769) % 30;
            let order = (0..6).map(|n| (first + n * (turn + 1) * 7) % 31);
            order.map(|name| (format!("name{name}"), number.to_string())).collect()
        },
    );
}

#[test]
fn long_names_and_long_keys_take_bounded_room() {
    set_all(
        |number| format!("{}{}:{number}", "k".repeat(300), number / 4),
        |number, _| vec![(format!("{}{}", "n".repeat(400), number / 4), "v".into())],
    );
}

#[test]
fn keys_of_ever_new_kinds_take_bounded_room() {
    set_all(
        |number| format!("{:x}kind:{}", number / 4 * 7919, number % 4 + 10),
        |_, _| vec![("f".into(), "v".into())],
    );
}
