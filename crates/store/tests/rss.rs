//! Do the books of a store agree with what the system says that the process takes?
//!
//! Alone in its binary: nothing else takes memory meanwhile.

#![cfg(all(target_os = "linux", not(feature = "tiny")))]

#[path = "store/support.rs"]
#[expect(dead_code, reason = "other tests need the rest")]
mod support;

use support::{Reply, Shard};

/// What the process has in memory.
/// (Pages have 4 KiB where this runs, or all is off by much.)
fn resident_bytes() -> i64 {
    // What words and replies took is given back, so that it does not count.
    // SAFETY: it may be called at any time, from any thread.
    unsafe { libc::malloc_trim(0) };
    let statm = std::fs::read_to_string("/proc/self/statm").expect("this is Linux");
    let pages = statm.split(' ').nth(1).expect("the second is what is resident");
    pages.parse::<i64>().expect("it is a number") * 4096
}

/// Panics if books and system differ by more than 3 % or 1 MiB.
fn compare(shard: &Shard, before: i64, what: &str) {
    let accounting = shard.store.accounting();
    let booked = accounting.total_bytes().cast_signed();
    let grown = resident_bytes() - before;
    let difference = (grown - booked).abs();
    let difference_max = (grown * 3 / 100).max(1 << 20);
    assert!(
        difference <= difference_max,
        "{what}: {grown} B more are resident, {booked} B booked: {accounting:?}"
    );
}

fn tend_all(shard: &mut Shard) {
    for _ in 0..1_000_000 {
        if !shard.store.tend() {
            return;
        }
    }
    panic!("there is always more to do");
}

fn check(what: &str, objects: usize, words: impl Fn(usize, usize) -> Vec<String>) {
    // So that the memory of words and replies is there before.
    let mut first = Shard::default();
    for number in 0..objects.min(20_000) {
        first.ask(&words(number, 0));
    }
    drop(first);
    let before = resident_bytes();
    let mut shard = Shard::default();
    for number in 0..objects {
        assert!(!matches!(shard.ask(&words(number, 0)), Reply::Error(_)));
    }
    compare(&shard, before, &format!("{what}, loaded"));
    let loaded = shard.store.accounting().total_bytes();
    assert!(loaded >= 50 << 20, "{what}: {loaded} B are too few to compare");
    tend_all(&mut shard);
    compare(&shard, before, &format!("{what}, loaded and tended"));
    for turn in 1..3 {
        for number in 0..objects {
            shard.ask(&words(number, turn));
        }
        tend_all(&mut shard);
        compare(&shard, before, &format!("{what}, overwritten {turn} times"));
    }
    for number in (0..objects).filter(|number| number % 10 > 0) {
        let key = words(number, 0).swap_remove(1);
        shard.ask(&["DEL", &key]);
    }
    tend_all(&mut shard);
    compare(&shard, before, &format!("{what}, with a tenth left"));
    shard.say("FLUSHALL");
    tend_all(&mut shard);
    compare(&shard, before, &format!("{what}, flushed"));
}

fn text(random: usize, bytes_max: usize) -> String {
    let length = random.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    format!("{:x}", random.wrapping_mul(0x9e37_79b9)).repeat(bytes_max / 6 + 1)
        [..length % (bytes_max + 1)]
        .to_owned()
}

#[test]
fn books_and_system_agree() {
    check("short hashes", 900_000, |number, turn| {
        let fields = ["name", "email", "city", "age"].map(str::to_owned);
        let pairs = fields
            .into_iter()
            .enumerate()
            .flat_map(|(place, field)| [field, text(number * 31 + place + turn * 77, 24)]);
        ["HSET".to_owned(), format!("user:{number}")].into_iter().chain(pairs).collect()
    });
    check("strings of 4 KiB", 40_000, |number, turn| {
        let value = text(number + turn * 1_000_003, 4_096);
        vec!["SET".to_owned(), format!("page:{number}"), value]
    });
    check("strings of up to 2 MB", 120, |number, turn| {
        let value = text(number + turn * 1_009, 2_000_000);
        vec!["SET".to_owned(), format!("blob:{number}"), value]
    });
    check("one hash", 1_300_000, |number, turn| {
        let field = format!("field:{number}");
        if number > 1_200_000 && turn > 0 {
            return vec!["HDEL".to_owned(), "h".to_owned(), field];
        }
        vec!["HSET".to_owned(), "h".to_owned(), field, text(number + turn, 70)]
    });
}
