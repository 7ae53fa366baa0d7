//! Do the commands on hashes answer as Redis 8 does?

use hectare_store::GROUP;

use crate::support::{Call, Recorder, Reply, Shard, ask_group};

const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";

#[test]
fn hset_answers_how_many_fields_are_new() {
    let mut shard = Shard::default();
    assert_eq!(shard.count("HSET h a 1 b 2"), 2);
    assert_eq!(shard.count("HSET h a 3 c 4 c 5"), 1);
    assert_eq!(shard.say("HGETALL h"), Reply::texts(&["a", "3", "b", "2", "c", "5"]));
    assert_eq!(shard.say("HMSET h d 6"), Reply::ok());
    assert_eq!(shard.count("HLEN h"), 4);
}

#[test]
fn hset_wants_a_value_for_every_field() {
    let mut shard = Shard::default();
    for (line, name) in [("HSET h a", "hset"), ("HSET h a 1 b", "hset"), ("HMSET h a 1 b", "hmset")]
    {
        let text = format!("ERR wrong number of arguments for '{name}' command");
        assert_eq!(shard.fail(line), text);
    }
    assert_eq!(shard.count("EXISTS h"), 0);
}

#[test]
fn hsetnx_leaves_what_is_there() {
    let mut shard = Shard::default();
    assert_eq!(shard.count("HSETNX h a 1"), 1);
    assert_eq!(shard.count("HSETNX h a 2"), 0);
    assert_eq!(shard.say("HGET h a"), Reply::text("1"));
}

#[test]
fn what_is_not_there_reads_as_nothing() {
    let mut shard = Shard::default();
    shard.say("HSET h a 1");
    assert_eq!(shard.say("HGET h b"), Reply::Null);
    assert_eq!(shard.say("HGET none a"), Reply::Null);
    let values = Reply::Array(vec![Reply::Null, Reply::text("1"), Reply::Null]);
    assert_eq!(shard.say("HMGET h b a b"), values);
    assert_eq!(shard.say("HMGET none a b"), Reply::Array(vec![Reply::Null, Reply::Null]));
    for line in ["HGETALL none", "HKEYS none", "HVALS none", "HRANDFIELD none 3"] {
        assert_eq!(shard.say(line), Reply::Array(vec![]), "{line}");
    }
    assert_eq!(shard.say("HRANDFIELD none"), Reply::Null);
    for line in ["HLEN none", "HSTRLEN none a", "HSTRLEN h b", "HEXISTS none a", "HDEL none a"] {
        assert_eq!(shard.count(line), 0, "{line}");
    }
}

#[test]
fn fields_keep_the_order_in_which_they_came() {
    let mut shard = Shard::default();
    shard.say("HSET h d 1 c 2 b 3 a 4");
    shard.say("HSET h c a-much-longer-value");
    shard.say("HDEL h b");
    shard.say("HSET h b 5");
    assert_eq!(shard.say("HKEYS h"), Reply::texts(&["d", "c", "a", "b"]));
    assert_eq!(shard.say("HVALS h"), Reply::texts(&["1", "a-much-longer-value", "4", "5"]));
}

#[test]
fn values_read_back_byte_for_byte() {
    let mut shard = Shard::default();
    let values: [&[u8]; 12] = [
        b"",
        b"0",
        b"-1",
        b"-0",
        b"007",
        b"+7",
        b"9223372036854775807",
        b"-9223372036854775808",
        b"9223372036854775808",
        b"\0\xff\r\n",
        &[b'x'; 100_000],
        b"1e3",
    ];
    for value in values {
        shard.ask(&[b"HSET", &b"h"[..], b"", value]);
        assert_eq!(shard.ask(&[b"HGET", &b"h"[..], b""]), Reply::Bytes(value.to_vec()));
        assert_eq!(
            shard.say("HSTRLEN h "),
            Reply::Integer(i64::try_from(value.len()).expect("what a test sends is good"))
        );
        shard.ask(&[b"SET", &b"s"[..], value]);
        assert_eq!(shard.ask(&[&b"GET"[..], b"s"]), Reply::Bytes(value.to_vec()));
    }
}

#[test]
fn hdel_counts_fields_that_were_there_and_drops_an_empty_hash() {
    let mut shard = Shard::default();
    shard.say("HSET h a 1 b 2 c 3");
    assert_eq!(shard.count("HDEL h a x a"), 1);
    assert_eq!(shard.count("HEXISTS h a"), 0);
    assert_eq!(shard.count("HDEL h b c b"), 2);
    assert_eq!(shard.say("TYPE h"), Reply::Status("none".to_owned()));
}

#[test]
fn a_string_is_no_hash() {
    let mut shard = Shard::default();
    shard.say("SET s 1");
    for line in [
        "HSET s a 1",
        "HMSET s a 1",
        "HSETNX s a 1",
        "HGET s a",
        "HMGET s a",
        "HGETALL s",
        "HKEYS s",
        "HVALS s",
        "HDEL s a",
        "HEXISTS s a",
        "HLEN s",
        "HSTRLEN s a",
        "HINCRBY s a 1",
        "HINCRBYFLOAT s a 1",
        "HRANDFIELD s",
        "HRANDFIELD s 1",
        "HSCAN s 0",
    ] {
        assert_eq!(shard.fail(line), WRONG_TYPE, "{line}");
    }
    assert_eq!(shard.say("GET s"), Reply::text("1"));
}

#[test]
fn hincrby_looks_at_its_increment_first() {
    let mut shard = Shard::default();
    shard.say("SET s text");
    for increment in ["x", "1.5", "007", "9223372036854775808", ""] {
        let line = format!("HINCRBY s a {increment}");
        assert_eq!(shard.fail(&line), "ERR value is not an integer or out of range", "{line}");
    }
}

#[test]
fn hincrby_adds_to_canonical_integers_only() {
    let mut shard = Shard::default();
    assert_eq!(shard.count("HINCRBY h a -5"), -5);
    assert_eq!(shard.count("HINCRBY h a 9223372036854775807"), 9_223_372_036_854_775_802);
    assert_eq!(shard.fail("HINCRBY h a 6"), "ERR increment or decrement would overflow");
    assert_eq!(shard.say("HGET h a"), Reply::text("9223372036854775802"));
    shard.ask(&["HSET", "h", "zeros", "007", "space", " 11", "text", "x", "empty", ""]);
    for field in ["zeros", "space", "text", "empty"] {
        let line = format!("HINCRBY h {field} 1");
        assert_eq!(shard.fail(&line), "ERR hash value is not an integer", "{line}");
    }
}

#[test]
fn hincrbyfloat_prints_as_redis_on_x86_64() {
    // Each line is what Redis 8.0 answered.
    let sums = [
        ("0.1", "0.1"),
        ("0.2", "0.3"),
        ("3000", "3000.30000000000000004"),
        ("-3000.3", "0"),
        ("1e17", "100000000000000000"),
        ("5e-324", "100000000000000000"),
        ("-1e17", "0"),
        ("-0.0", "0"),
        ("0x1.8p3", "12"),
        ("18446744073709551616", "18446744073709551628"),
    ];
    let mut shard = Shard::default();
    for (increment, sum) in sums {
        let line = format!("HINCRBYFLOAT h f {increment}");
        assert_eq!(shard.say(&line), Reply::text(sum), "{line}");
        assert_eq!(shard.say("HGET h f"), Reply::text(sum));
    }
}

#[test]
fn hincrbyfloat_refuses_what_is_no_finite_number() {
    let mut shard = Shard::default();
    for increment in ["", "x", "nan", " 1", "1 ", "1e", "0x", ".", "1e5000", "1e-5000"] {
        let reply = shard.ask(&["HINCRBYFLOAT", "h", "f", increment]);
        let text = "ERR value is not a valid float".to_owned();
        assert_eq!(reply, Reply::Error(text), "{increment:?}");
    }
    for increment in ["inf", "-Infinity"] {
        let line = format!("HINCRBYFLOAT h f {increment}");
        assert_eq!(shard.fail(&line), "ERR value is NaN or Infinity", "{line}");
    }
    assert_eq!(shard.count("EXISTS h"), 0);
    shard.say("HSET h text x large inf");
    assert_eq!(shard.fail("HINCRBYFLOAT h text 1"), "ERR hash value is not a float");
    let text = "ERR increment would produce NaN or Infinity";
    assert_eq!(shard.fail("HINCRBYFLOAT h large 1"), text);
}

#[test]
fn hrandfield_draws_what_is_there() {
    let mut shard = Shard::default();
    for fields in [1_i64, 3, 40, 2_000] {
        for field in 0..fields {
            shard.say(&format!("HSET h field:{field} {field}"));
        }
        for count in [1, 2, 10, 900, 3_000] {
            let drawn = shard.say(&format!("HRANDFIELD h {count}")).into_elements();
            let mut different = drawn.clone();
            different.sort();
            different.dedup();
            let expected = usize::try_from(count.min(fields)).expect("what a test sends is good");
            assert_eq!((drawn.len(), different.len()), (expected, expected));
            let drawn = shard.say(&format!("HRANDFIELD h -{count} WITHVALUES")).into_elements();
            assert_eq!(drawn.len(), usize::try_from(count).expect("what a test sends is good") * 2);
            for pair in drawn.chunks(2) {
                let [Reply::Bytes(field), Reply::Bytes(value)] = pair else { panic!("{pair:?}") };
                assert_eq!(field.strip_prefix(b"field:"), Some(&value[..]));
            }
        }
        assert!(shard.say("HRANDFIELD h").into_bytes().starts_with(b"field:"));
        assert_eq!(shard.say("HRANDFIELD h 0"), Reply::Array(vec![]));
    }
}

#[test]
fn hrandfield_draws_every_field_about_as_often() {
    let mut shard = Shard::default();
    // So few that they are packed, and so many that they are not.
    for fields in [8_usize, 1_000] {
        for field in 0..fields {
            shard.say(&format!("HSET h{fields} {field} x"));
        }
        for (count, draws) in [(format!("-{}", fields * 100), 1), ((fields / 8).to_string(), 800)] {
            let mut times = vec![0; fields];
            for _ in 0..draws {
                for field in shard.say(&format!("HRANDFIELD h{fields} {count}")).into_elements() {
                    let field =
                        String::from_utf8(field.into_bytes()).expect("what a test sends is good");
                    times[field.parse::<usize>().expect("what a test sends is good")] += 1;
                }
            }
            // 100 on average, and five times the deviation of a binomial distribution.
            assert!(times.iter().all(|times| (50..150).contains(times)), "{times:?}");
        }
    }
}

#[test]
fn hrandfield_checks_its_options_in_redis_order() {
    let mut shard = Shard::default();
    shard.say("SET s 1");
    let not_an_integer = "ERR value is not an integer or out of range";
    assert_eq!(shard.fail("HRANDFIELD s x"), not_an_integer);
    let range = "ERR value is out of range, value must between \
                 -9223372036854775807 and 9223372036854775807";
    assert_eq!(shard.fail("HRANDFIELD s -9223372036854775808 x"), range);
    assert_eq!(shard.fail("HRANDFIELD s 1 x"), "ERR syntax error");
    assert_eq!(shard.fail("HRANDFIELD s 1 WITHVALUES x"), "ERR syntax error");
    let line = "HRANDFIELD s -4611686018427387904 withvalues";
    assert_eq!(shard.fail(line), "ERR value is out of range");
}

#[test]
fn hrandfield_stops_where_the_sink_is_full() {
    let mut shard = Shard::default();
    shard.say("HSET h a 1 b 2");
    for line in
        ["HRANDFIELD h -9223372036854775807", "HRANDFIELD h -4611686018427387903 WITHVALUES"]
    {
        let mut recorder = Recorder { calls_max: 1_000, ..Recorder::default() };
        shard.ask_into(&line.split(' ').collect::<Vec<_>>(), &mut recorder);
        let text = "ERR the reply is longer than one reply may be, ask for less at a time";
        assert_eq!(recorder.replies(), [Reply::Error(text.to_owned())]);
    }
}

#[test]
fn a_reply_past_the_bound_leaves_the_ones_before_it() {
    let mut shard = Shard::default();
    shard.say("HSET h a 1 b 2 c 3 d 4");
    shard.say("MSET k 1 l 2 m 3 n 4");
    for line in ["HGETALL h", "HKEYS h", "HMGET h a b c d", "HSCAN h 0", "MGET k l m n", "SCAN 0"] {
        let mut recorder = Recorder { calls_max: 4, ..Recorder::default() };
        shard.ask_into(&["HLEN", "h"], &mut recorder);
        shard.ask_into(&line.split(' ').collect::<Vec<_>>(), &mut recorder);
        let replies = recorder.replies();
        assert_eq!(replies[0], Reply::Integer(4), "{line}");
        assert!(matches!(&replies[1], Reply::Error(text) if text.contains("longer")), "{line}");
    }
}

#[test]
fn maps_and_pairs_say_that_they_are_such() {
    let mut shard = Shard::default();
    shard.say("HSET h a 1");
    let (field, value) = (Call::Whole(Reply::text("a")), Call::Whole(Reply::text("1")));
    let mut recorder = Recorder::default();
    shard.ask_into(&["HGETALL", "h"], &mut recorder);
    assert_eq!(recorder.calls, [Call::Map(1), field.clone(), value.clone(), Call::End]);
    let mut recorder = Recorder::default();
    shard.ask_into(&["HRANDFIELD", "h", "2", "withvalues"], &mut recorder);
    assert_eq!(recorder.calls, [Call::Pairs(1), Call::Pair, field, value, Call::End]);
}

#[test]
fn object_encoding_turns_to_hashtable_for_good() {
    let mut shard = Shard::default();
    let encoding = |shard: &mut Shard| shard.say("OBJECT ENCODING h");
    shard.say(&format!("HSET h a {}", "x".repeat(64)));
    assert_eq!(encoding(&mut shard), Reply::text("listpack"));
    shard.say(&format!("HSET h a {}", "x".repeat(65)));
    assert_eq!(encoding(&mut shard), Reply::text("hashtable"));
    shard.say("HSET h a x");
    assert_eq!(encoding(&mut shard), Reply::text("hashtable"));
    shard.say("DEL h");
    for field in 0..512 {
        shard.say(&format!("HSET h {field} x"));
    }
    assert_eq!(encoding(&mut shard), Reply::text("listpack"));
    shard.say("HINCRBY h 512 1");
    assert_eq!(encoding(&mut shard), Reply::text("hashtable"));
    for field in 1..513 {
        shard.say(&format!("HDEL h {field}"));
    }
    assert_eq!(encoding(&mut shard), Reply::text("hashtable"));
    // Redis counts what it is given, even if it is the same field again.
    shard.say("DEL h");
    shard.say(&format!("HSET h{}", " a 1".repeat(513)));
    assert_eq!(encoding(&mut shard), Reply::text("hashtable"));
    assert_eq!(shard.count("HLEN h"), 1);
    shard.say("DEL h");
    shard.say(&format!("HINCRBY h {} 1", "f".repeat(65)));
    assert_eq!(encoding(&mut shard), Reply::text("hashtable"));
}

#[test]
fn a_group_answers_as_its_commands_would_one_by_one() {
    let mut lines = Vec::new();
    for turn in 0..20 {
        lines.extend([
            format!("HSET h{} f {turn}", turn % 3),
            format!("DEL h{}", turn % 5),
            format!("HINCRBY h{} g 1", turn % 4),
            format!("HGETALL h{}", turn % 3),
            format!("SET s{turn} {turn}"),
            "GET h1".to_owned(),
            "DBSIZE".to_owned(),
        ]);
    }
    let words = |line: &String| line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
    let commands = lines.iter().map(words).collect::<Vec<Vec<Vec<u8>>>>();
    let (mut single, mut grouped) = (Shard::default(), Shard::default());
    for group in commands.chunks(GROUP) {
        let expected = group.iter().map(|words| single.ask(words)).collect::<Vec<_>>();
        assert_eq!(ask_group(&mut grouped, group), expected);
    }
    assert_eq!(grouped.store.accounting(), single.store.accounting());
}
