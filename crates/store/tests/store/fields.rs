//! Do fields live as long as Redis 8 lets them?

use crate::support::{Reply, Shard};

const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";
const NO_FIELDS_WORD: &str =
    "ERR Mandatory argument FIELDS is missing or not at the right position";
const OTHER_COUNT: &str = "ERR The `numfields` parameter must match the number of arguments";
const NO_COUNT: &str = "ERR Number of fields must be a positive integer";
const NO_INTEGER: &str = "ERR value is not an integer or out of range";

fn shard_at(now_ms: u64) -> Shard {
    let mut shard = Shard::default();
    shard.store.set_now(now_ms);
    shard
}

/// The integers that a command answers.
fn counts(shard: &mut Shard, line: &str) -> Vec<i64> {
    let integer = |reply| match reply {
        Reply::Integer(integer) => integer,
        other => panic!("{line} answers {other:?}"),
    };
    shard.say(line).into_elements().into_iter().map(integer).collect()
}

fn array(elements: &[Option<&str>]) -> Reply {
    let element = |text: &Option<&str>| text.map_or(Reply::Null, Reply::text);
    Reply::Array(elements.iter().map(element).collect())
}

#[test]
fn a_field_lives_through_its_last_millisecond() {
    let mut shard = shard_at(1_000);
    shard.say("HSET h a 1 b 2");
    assert_eq!(counts(&mut shard, "HPEXPIRE h 500 FIELDS 2 a x"), [1, -2]);
    assert_eq!(shard.store.next_deadline_ms(), Some(1_501));
    shard.store.set_now(1_500);
    assert_eq!(shard.say("HGET h a"), Reply::text("1"));
    assert_eq!(counts(&mut shard, "HPTTL h FIELDS 2 a b"), [0, -1]);
    shard.store.set_now(1_501);
    assert_eq!(shard.say("HGETALL h"), Reply::texts(&["b", "2"]));
    assert_eq!(counts(&mut shard, "HPTTL h FIELDS 2 a b"), [-2, -1]);
    assert_eq!(shard.store.expire_some(10), 0);
    assert_eq!(shard.store.next_deadline_ms(), None);
}

#[test]
fn no_command_sees_a_field_that_is_past() {
    let past = |line: &str| {
        let mut shard = shard_at(1_000);
        shard.say("HSET h a 1 b 2");
        shard.say("HPEXPIRE h 1 FIELDS 1 a");
        shard.store.set_now(2_000);
        shard.say(line)
    };
    for line in ["HEXISTS h a", "HSTRLEN h a", "HDEL h a", "HSETEX h FXX FIELDS 1 a 1"] {
        assert_eq!(past(line), Reply::Integer(0), "{line}");
    }
    for line in ["HLEN h", "HSETNX h a 5", "HINCRBY h a 1", "HSETEX h FNX FIELDS 1 a 1"] {
        assert_eq!(past(line), Reply::Integer(1), "{line}");
    }
    for line in ["HPERSIST h FIELDS 1 a", "HTTL h FIELDS 1 a", "HEXPIRE h 9 FIELDS 1 a"] {
        assert_eq!(past(line), Reply::Array(vec![Reply::Integer(-2)]), "{line}");
    }
    for line in ["HMGET h a", "HGETDEL h FIELDS 1 a", "HGETEX h EX 5 FIELDS 1 a"] {
        assert_eq!(past(line), array(&[None]), "{line}");
    }
    for line in ["HKEYS h", "HRANDFIELD h 5", "HRANDFIELD h 1"] {
        assert_eq!(past(line), Reply::texts(&["b"]), "{line}");
    }
    assert_eq!(past("HVALS h"), Reply::texts(&["2"]));
    let whole = Reply::Array(vec![Reply::text("0"), Reply::texts(&["b", "2"])]);
    assert_eq!(past("HSCAN h 0"), whole);
}

#[test]
fn a_hash_is_gone_with_its_last_field() {
    let past = |line: &str| {
        let mut shard = shard_at(1_000);
        shard.say("HSET h a 1 b 2");
        shard.say("HPEXPIRE h 1 FIELDS 1 a");
        shard.say("HPEXPIRE h 2 FIELDS 1 b");
        shard.store.set_now(2_000);
        shard.say(line)
    };
    for line in ["EXISTS h", "HLEN h", "DBSIZE", "DEL h", "PERSIST h", "EXPIRE h 5"] {
        assert_eq!(past(line), Reply::Integer(0), "{line}");
    }
    assert_eq!(past("TTL h"), Reply::Integer(-2));
    assert_eq!(past("TYPE h"), Reply::Status("none".to_owned()));
    assert_eq!(past("SET h v NX"), Reply::ok());
    for line in ["GET h", "OBJECT ENCODING h", "MEMORY USAGE h", "RANDOMKEY"] {
        assert_eq!(past(line), Reply::Null, "{line}");
    }
    assert_eq!(past("KEYS *"), Reply::Array(vec![]));
    let nothing = Reply::Array(vec![Reply::text("0"), Reply::Array(vec![])]);
    assert_eq!(past("SCAN 0"), nothing);
}

#[test]
fn fields_that_are_past_go_unasked_too() {
    let mut shard = shard_at(1_000);
    shard.say("HSET h a 1 b 2 c 3");
    shard.say("HPEXPIREAT h 1100 FIELDS 2 a b");
    shard.store.set_now(1_101);
    assert_eq!(shard.store.expire_some(1), 1);
    assert_eq!(shard.store.expire_some(10), 1);
    assert_eq!(shard.store.accounting().fields, 1);
    shard.say("HPEXPIREAT h 1200 FIELDS 1 c");
    shard.store.set_now(1_201);
    shard.store.expire_some(10);
    assert!(shard.holds_nothing());
}

#[test]
fn setting_a_field_takes_its_deadline_away_and_adding_to_it_does_not() {
    let deadline = |line: &str| {
        let mut shard = shard_at(1_000);
        shard.say("HSET h n 1");
        shard.say("HPEXPIREAT h 5000 FIELDS 1 n");
        shard.say(line);
        counts(&mut shard, "HPEXPIRETIME h FIELDS 1 n")
    };
    for line in ["HSET h n 2", "HMSET h n 2", "HSET h n 1", "HSETEX h FIELDS 1 n 2"] {
        assert_eq!(deadline(line), [-1], "{line}");
    }
    let keeping = [
        "HINCRBY h n 1",
        "HINCRBYFLOAT h n 1.5",
        "HSETNX h n 2",
        "HSETEX h KEEPTTL FIELDS 1 n 2",
        "HGETEX h FIELDS 1 n",
        "HINCRBY h n x",
    ];
    for line in keeping {
        assert_eq!(deadline(line), [5_000], "{line}");
    }
    assert_eq!(deadline("HSETEX h PXAT 6000 FIELDS 1 n 2"), [6_000]);
    assert_eq!(deadline("HGETEX h PERSIST FIELDS 1 n"), [-1]);
    assert_eq!(deadline("HDEL h n"), [-2]);
    assert_eq!(deadline("PEXPIREAT h 4000"), [5_000]);
}

#[test]
fn a_field_that_comes_again_does_not_inherit_a_deadline() {
    let mut shard = shard_at(1_000);
    shard.say("HSET h a 1 b 2");
    for removal in ["HDEL h a", "HGETDEL h FIELDS 1 a", "HPEXPIRE h 0 FIELDS 1 a", "DEL h"] {
        shard.say("HPEXPIREAT h 5000 FIELDS 1 a");
        shard.say(removal);
        shard.say("HSET h a 1 b 2");
        assert_eq!(counts(&mut shard, "HPTTL h FIELDS 1 a"), [-1], "{removal}");
    }
    shard.store.set_now(9_000);
    assert_eq!(shard.count("HLEN h"), 2);
}

#[test]
fn deadlines_of_fields_are_told_in_four_ways_and_seconds_rounded_up() {
    let mut shard = shard_at(1_000_000);
    shard.say("HSET h a 1 b 2");
    shard.say("HPEXPIRE h 1001 FIELDS 1 a");
    for (line, told) in [
        ("HTTL h FIELDS 3 a b x", [2, -1, -2]),
        ("HPTTL h FIELDS 3 a b x", [1_001, -1, -2]),
        ("HEXPIRETIME h FIELDS 3 a b x", [1_002, -1, -2]),
        ("HPEXPIRETIME h FIELDS 3 a b x", [1_001_001, -1, -2]),
        ("HPERSIST h FIELDS 3 a a x", [1, -1, -2]),
        ("HTTL none FIELDS 3 a b c", [-2, -2, -2]),
        ("HPERSIST none FIELDS 3 a b c", [-2, -2, -2]),
    ] {
        assert_eq!(counts(&mut shard, line), told, "{line}");
    }
}

#[test]
fn hexpire_takes_one_condition() {
    let mut shard = shard_at(1_000);
    shard.say("HSET h a 1 b 2");
    for (options, expected) in [
        ("100 XX FIELDS 1 a", 0),
        ("100 GT FIELDS 1 a", 0),
        ("100 NX FIELDS 1 a", 1),
        ("200 nx FIELDS 1 a", 0),
        ("100 GT FIELDS 1 a", 0),
        ("100 LT FIELDS 1 a", 0),
        ("200 GT FIELDS 1 a", 1),
        ("150 LT FIELDS 1 a", 1),
        ("120 XX FIELDS 1 a", 1),
        ("0 GT FIELDS 1 a", 0),
        ("100 LT FIELDS 1 b", 1),
        ("0 LT FIELDS 1 b", 2),
    ] {
        assert_eq!(counts(&mut shard, &format!("HEXPIRE h {options}")), [expected], "{options}");
    }
    assert_eq!(shard.fail("HEXPIRE h 1 NX XX FIELDS 1 a"), NO_FIELDS_WORD);
    assert_eq!(counts(&mut shard, "HTTL h FIELDS 1 a"), [120]);
}

#[test]
fn a_deadline_in_the_past_removes_the_field() {
    let lines = [
        "HEXPIRE h 0 FIELDS 2 a a",
        "HPEXPIREAT h 1000 FIELDS 2 a a",
        "HEXPIREAT h 0 FIELDS 2 a a",
    ];
    for line in lines {
        let mut shard = shard_at(1_000);
        shard.say("HSET h a 1 b 2");
        assert_eq!(counts(&mut shard, line), [2, -2], "{line}");
        assert_eq!(shard.say("HKEYS h"), Reply::texts(&["b"]));
        assert_eq!(counts(&mut shard, &line.replace("2 a a", "3 a b b")), [-2, 2, -2], "{line}");
        assert_eq!(shard.count("EXISTS h"), 0);
    }
    let mut shard = shard_at(1_000);
    shard.say("HSET h a 1 b 2");
    assert_eq!(shard.say("HGETEX h PX 0 FIELDS 2 a a"), array(&[Some("1"), None]));
    assert_eq!(shard.count("HSETEX h PXAT 999 FIELDS 2 b 3 c 4"), 1);
    assert_eq!(shard.count("EXISTS h"), 0);
    assert_eq!(shard.count("HSETEX h EXAT 0 FIELDS 1 a 1"), 1);
    assert_eq!(shard.count("EXISTS h"), 0);
    assert!(shard.holds_nothing());
}

#[test]
fn hgetdel_answers_and_removes() {
    let mut shard = Shard::default();
    shard.say("HSET h a 1 b 2 c 3");
    let values = array(&[Some("1"), None, None, Some("3")]);
    assert_eq!(shard.say("HGETDEL h FIELDS 4 a a x c"), values);
    assert_eq!(shard.say("HGETDEL h FIELDS 1 b"), array(&[Some("2")]));
    assert_eq!(shard.count("EXISTS h"), 0);
    assert_eq!(shard.say("HGETDEL h FIELDS 1 b"), array(&[None]));
}

#[test]
fn hsetex_sets_all_or_nothing() {
    let mut shard = shard_at(1_000);
    assert_eq!(shard.count("HSETEX h FXX FIELDS 1 a 1"), 0);
    assert_eq!(shard.count("EXISTS h"), 0);
    assert_eq!(shard.count("HSETEX h FNX PX 100 FIELDS 2 a 1 a 2"), 1);
    assert_eq!(shard.count("HSETEX h FNX FIELDS 2 b 1 a 2"), 0);
    assert_eq!(shard.count("HSETEX h FXX FIELDS 2 a 3 b 1"), 0);
    assert_eq!(shard.say("HGETALL h"), Reply::texts(&["a", "2"]));
    assert_eq!(counts(&mut shard, "HPTTL h FIELDS 1 a"), [100]);
}

#[test]
fn a_listpack_of_fields_with_deadlines_is_another_encoding_for_good() {
    let plain = ["HTTL h FIELDS 1 a", "HPERSIST h FIELDS 1 a", "HGETEX h FIELDS 1 a"];
    let marking = [
        "HEXPIRE h 100 FIELDS 1 a",
        "HEXPIRE h 100 XX FIELDS 1 a",
        "HEXPIRE h 100 FIELDS 1 none",
        "HEXPIRE h 0 FIELDS 1 a",
        "HGETEX h PERSIST FIELDS 1 none",
        "HSETEX h PX 100 FIELDS 1 a 1",
        "HSETEX h PXAT 1 FIELDS 1 a 1",
    ];
    let setting = ["HSETEX h FIELDS 1 a 1", "HSETEX h KEEPTTL FIELDS 1 a 1"];
    let encoding = |line: &str| {
        let mut shard = shard_at(1_000);
        shard.say("HSET h a 1 b 2");
        assert!(!matches!(shard.say(line), Reply::Error(_)), "{line}");
        shard.say("HPERSIST h FIELDS 1 a");
        shard.say("HSET h a 3");
        shard.say("OBJECT ENCODING h")
    };
    for line in plain.iter().chain(&setting) {
        assert_eq!(encoding(line), Reply::text("listpack"), "{line}");
    }
    for line in marking {
        assert_eq!(encoding(line), Reply::text("listpackex"), "{line}");
    }
    let mut shard = shard_at(1_000);
    shard.ask(&["HSETEX", "h", "EX", "100", "FIELDS", "1", "a", &"x".repeat(65)]);
    assert_eq!(shard.say("OBJECT ENCODING h"), Reply::text("hashtable"));
}

#[test]
fn deadlines_stay_with_their_fields_when_a_hash_grows_and_shrinks() {
    let mut shard = shard_at(1_000);
    for field in 0..2_000 {
        shard.say(&format!("HSETEX h PXAT {} FIELDS 1 f{field} {field}", 10_000 + field));
    }
    for field in [0, 7, 1_999] {
        let line = format!("HPEXPIRETIME h FIELDS 1 f{field}");
        assert_eq!(counts(&mut shard, &line), [10_000 + field]);
    }
    shard.store.set_now(11_990);
    assert_eq!(shard.count("HLEN h"), 10);
    assert_eq!(counts(&mut shard, "HPEXPIRETIME h FIELDS 2 f1989 f1990"), [-2, 11_990]);
    shard.say("HPERSIST h FIELDS 1 f1995");
    shard.store.set_now(20_000);
    assert_eq!(shard.say("HGETALL h"), Reply::texts(&["f1995", "1995"]));
}

#[test]
fn deadlines_of_fields_end_in_the_year_4199() {
    let mut shard = shard_at(1_000_000);
    for (line, name) in [
        ("HEXPIREAT h 70368744178 FIELDS 1 a", "hexpireat"),
        ("HPEXPIREAT h 70368744177664 FIELDS 1 a", "hpexpireat"),
        ("HEXPIRE h 70368744177 FIELDS 1 a", "hexpire"),
        ("HPEXPIRE h 9223372036854775807 x", "hpexpire"),
        ("HGETEX h EX 9223372036854775807 FIELDS 1 a", "hgetex"),
        ("HSETEX h PX 70368744177663 FIELDS 1 a 1", "hsetex"),
    ] {
        let line = line.replace(" x", " FIELDS 1 a");
        assert_eq!(shard.fail(&line), format!("ERR invalid expire time in '{name}' command"));
    }
    let line = "HSETEX h PXAT 70368744177663 FIELDS 1 a 1";
    assert_eq!(shard.count(line), 1);
    assert_eq!(counts(&mut shard, "HEXPIRETIME h FIELDS 1 a"), [70_368_744_178]);
    shard.store.set_now(u64::MAX);
    assert_eq!(shard.count("EXISTS h"), 0);
}

#[test]
fn commands_about_fields_check_their_arguments_in_redis_order() {
    let mut shard = shard_at(1_000);
    shard.say("SET s v");
    let count = "ERR Parameter `numFields` should be greater than 0";
    for (line, text) in [
        ("HEXPIRE s x BAD x a", WRONG_TYPE),
        ("HEXPIRE h x BAD x a", NO_INTEGER),
        ("HEXPIRE h -1 BAD x a", "ERR invalid expire time, must be >= 0"),
        ("HEXPIRE h 1 BAD x a", NO_FIELDS_WORD),
        ("HEXPIRE h 1 NX BAD x a", NO_FIELDS_WORD),
        ("HEXPIRE h 1 FIELDS x a b", count),
        ("HEXPIRE h 1 FIELDS 0 a b", count),
        ("HEXPIRE h 1 FIELDS 1 a b", OTHER_COUNT),
        ("HEXPIRE h 1 NX FIELDS 1", OTHER_COUNT),
        ("HTTL s BAD 1 a", WRONG_TYPE),
        ("HTTL h BAD x a", NO_FIELDS_WORD),
        ("HPERSIST s BAD 1 a", WRONG_TYPE),
        ("HPERSIST h FIELDS x a", NO_COUNT),
        ("HGETDEL s BAD 1 a", WRONG_TYPE),
        ("HGETDEL h FIELDS 2 a", OTHER_COUNT),
        ("HGETEX s EX x BAD 1 a", WRONG_TYPE),
        ("HGETEX h EX x BAD 1 a", NO_INTEGER),
        ("HGETEX h EX 1 BAD", "ERR wrong number of arguments for 'hgetex' command"),
        ("HGETEX h EX 1 PERSIST FIELDS 1 a", NO_FIELDS_WORD),
        ("HGETEX h PERSIST FIELDS -1 a", NO_COUNT),
        ("HGETEX h PERSIST FIELDS 1", OTHER_COUNT),
    ] {
        assert_eq!(shard.fail(line), text, "{line}");
    }
}

#[test]
fn hsetex_checks_its_arguments_in_redis_order() {
    let mut shard = shard_at(1_000);
    shard.say("SET s v");
    let arity = "ERR wrong number of arguments for 'hsetex' command";
    let expiration = "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified";
    let condition = "ERR Only one of FXX or FNX arguments can be specified";
    let count = "ERR invalid number of fields";
    for (line, text) in [
        ("HSETEX s BAD FIELDS 1 a 1", "ERR unknown argument: BAD"),
        ("HSETEX s FIELDS 0 a 1", count),
        ("HSETEX s FIELDS 1 a 1", WRONG_TYPE),
        ("HSETEX h FNX FXX FIELDS 1 a 1", condition),
        ("HSETEX h FNX FNX EX x x", condition),
        ("HSETEX h EX 1 KEEPTTL x x", expiration),
        ("HSETEX h KEEPTTL EX x x", expiration),
        ("HSETEX h EX x FNX FXX", NO_INTEGER),
        ("HSETEX h FIELDS 1 a 1 b", arity),
        ("HSETEX h FIELDS 2 a 1", arity),
        ("HSETEX h FNX KEEPTTL FIELDS 1 a", arity),
        ("HSETEX h FIELDS 2147483648 a 1", count),
        ("HSETEX h FIELDS x a 1 b", count),
        ("HSETEX h FIELDS 1 a 1 EX 1", arity),
    ] {
        assert_eq!(shard.fail(line), text, "{line}");
    }
    assert_eq!(shard.fail("HSETEX h a\r\nb\0c x x x"), "ERR unknown argument: a  b");
    assert_eq!(shard.fail("HSETEX h a\r\n x x x"), "ERR unknown argument: a");
    assert_eq!(shard.count("EXISTS h"), 0);
}
