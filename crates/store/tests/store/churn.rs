//! Does what a store takes depend on what it holds, and not on how it came to hold it?

use crate::support::{Reply, Shard};

/// Numbers that look random and follow from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) as usize % bound
    }
}

/// Keys, each with the lengths of its fields' values.
type Content = Vec<Vec<usize>>;

struct Kind {
    keys: usize,
    fields: usize,
    value_bytes_max: usize,
}

fn set(shard: &mut Shard, key: usize, lengths: &[usize]) {
    let text = "v".repeat(lengths.iter().copied().max().unwrap_or(0));
    let mut words = vec!["HSET".to_owned(), format!("object:{key}")];
    for (field, &length) in lengths.iter().enumerate() {
        words.extend([format!("field{field}"), text[..length].to_owned()]);
    }
    assert!(matches!(shard.ask(&words), Reply::Integer(_)));
}

fn tend_all(shard: &mut Shard) {
    for _ in 0..1_000_000 {
        if !shard.store.tend() {
            return;
        }
    }
    panic!("there is always more to do");
}

/// What a store takes that was loaded with just this.
fn fresh_bytes(content: &Content) -> u64 {
    let mut shard = Shard::default();
    for (key, lengths) in content.iter().enumerate().filter(|(_, lengths)| !lengths.is_empty()) {
        set(&mut shard, key, lengths);
    }
    tend_all(&mut shard);
    shard.store.accounting().total_bytes()
}

/// Less than two extents of chunks never go back to the system, which is much for a small store.
const IDLE_BYTES: u64 = if cfg!(debug_assertions) { 4 << 20 } else { 0 };

/// Panics if more is taken than a fresh store takes, and so many percent of it more.
fn check(shard: &mut Shard, content: &Content, percent: u64, what: &str) {
    let fresh = fresh_bytes(content);
    let accounting = shard.store.accounting();
    let total = accounting.total_bytes();
    let total_max = fresh * (100 + percent) / 100 + IDLE_BYTES;
    assert!(total <= total_max, "{what}: {total} B, fresh {fresh} B: {accounting:?}");
}

fn churn(Kind { keys, fields, value_bytes_max }: &Kind, one_by_one: bool) {
    let mut random = Random(0x1234_5678_9abc);
    let mut shard = Shard::default();
    let draw = |random: &mut Random| -> Vec<usize> {
        (0..*fields).map(|_| random.below(value_bytes_max + 1)).collect()
    };
    let mut content: Content = (0..*keys).map(|_| draw(&mut random)).collect();
    for (key, lengths) in content.iter().enumerate() {
        set(&mut shard, key, lengths);
    }
    for _ in 0..10 {
        for (key, lengths) in content.iter_mut().enumerate() {
            *lengths = draw(&mut random);
            if one_by_one {
                for (field, &length) in lengths.iter().enumerate() {
                    let words = [
                        "HSET".to_owned(),
                        format!("object:{key}"),
                        format!("field{field}"),
                        "v".repeat(length),
                    ];
                    assert_eq!(shard.ask(&words), Reply::Integer(0));
                }
            } else {
                set(&mut shard, key, lengths);
            }
            if key % 100 == 0 {
                shard.store.tend();
            }
        }
    }
    tend_all(&mut shard);
    check(&mut shard, &content, 15, "after ten rounds of other lengths");
    // Shorter and shorter, to an eighth, and longer again.
    for divisor in [2, 4, 8, 1] {
        for (key, lengths) in content.iter_mut().enumerate() {
            *lengths = draw(&mut random).into_iter().map(|length| length / divisor).collect();
            set(&mut shard, key, lengths);
        }
        tend_all(&mut shard);
        check(&mut shard, &content, 35, &format!("with lengths divided by {divisor}"));
    }
    for _ in 0..2 {
        let gone: Vec<usize> = (0..*keys).filter(|_| random.below(2) == 0).collect();
        for &key in &gone {
            shard.say(&format!("DEL object:{key}"));
            content[key].clear();
        }
        tend_all(&mut shard);
        let (total, fresh) = (shard.store.accounting().total_bytes(), fresh_bytes(&content));
        assert!(total <= fresh * 115 / 100 + (4 << 20), "half: {total} B, fresh {fresh} B");
        for &key in &gone {
            content[key] = draw(&mut random);
            set(&mut shard, key, &content[key]);
        }
    }
    tend_all(&mut shard);
    check(&mut shard, &content, 15, "after half of the keys were taken out and put back");
}

const KEYS: usize = if cfg!(debug_assertions) { 20_000 } else { 500_000 };

#[test]
fn short_values_of_ever_other_lengths_leave_no_holes() {
    churn(&Kind { keys: KEYS, fields: 5, value_bytes_max: 24 }, false);
}

#[test]
fn short_values_that_change_one_by_one_leave_no_holes() {
    churn(&Kind { keys: KEYS, fields: 5, value_bytes_max: 24 }, true);
}

#[test]
fn single_values_of_ever_other_lengths_leave_no_holes() {
    churn(&Kind { keys: KEYS, fields: 1, value_bytes_max: 150 }, true);
}

#[test]
fn long_values_of_ever_other_lengths_leave_no_holes() {
    churn(&Kind { keys: KEYS / 8, fields: 4, value_bytes_max: 2_000 }, true);
}

#[test]
fn after_most_keys_are_gone_little_is_left() {
    let mut random = Random(77);
    let mut shard = Shard::default();
    let mut content: Content = (0..200_000).map(|_| vec![random.below(20), 5, 30]).collect();
    for (key, lengths) in content.iter().enumerate() {
        set(&mut shard, key, lengths);
    }
    for (key, lengths) in content.iter_mut().enumerate() {
        if random.below(20) != 0 {
            lengths.clear();
            shard.say(&format!("DEL object:{key}"));
        }
    }
    tend_all(&mut shard);
    let (total, fresh) = (shard.store.accounting().total_bytes(), fresh_bytes(&content));
    let total_max = fresh * 130 / 100 + (4 << 20);
    assert!(total <= total_max, "{total} B, fresh {fresh} B: {:?}", shard.store.accounting());
}
