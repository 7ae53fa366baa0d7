//! Are commands over several shards seen whole or not at all?

use hectare_engine::{Client, Deadline, Engine, EngineError, Reply, SetOptions};
use std::thread;
use std::time::{Duration, Instant};

fn engine(shards: usize) -> Engine {
    Engine::builder().shards(shards).build().expect("threads can be had")
}

/// Runs a pipeline of commands given as texts, and shows the answers.
fn say(client: &Client, commands: &[&str]) -> Vec<String> {
    let mut pipeline = client.pipeline();
    for command in commands {
        pipeline.command(command.split(' ').map(str::as_bytes)).expect("a command");
    }
    let replies = pipeline.run().expect("the engine runs");
    replies.iter().map(show).collect()
}

fn show(reply: Reply<'_>) -> String {
    match reply {
        Reply::Status(text) | Reply::Error(text) => text.to_owned(),
        Reply::Integer(integer) => format!(":{integer}"),
        Reply::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Reply::Null => "nil".to_owned(),
        Reply::Array(elements) | Reply::Map(elements) => {
            format!("[{}]", elements.map(show).collect::<Vec<_>>().join(" "))
        }
    }
}

/// With one shard the rows of the store answer, with more the engine: they must say the same.
#[test]
fn commands_across_shards_answer_as_within_one() {
    let script: Vec<String> = (0..6)
        .flat_map(|number| {
            [
                format!("MSETNX a{number} 1 b{number} 2 c{number} 3"),
                format!("MSETNX d{number} 1 a{number} 9"),
                format!("MGET a{number} b{number} c{number} d{number}"),
                format!("RENAME a{number} e{number}"),
                format!("RENAME a{number} e{number}"),
                format!("RENAMENX b{number} c{number}"),
                format!("RENAMENX b{number} a{number}"),
                format!("RENAMENX none{number} a{number}"),
                format!("HSET h{number} f 1 g two {number} 3"),
                format!("PEXPIREAT h{number} 33000000000000"),
                format!("COPY h{number} i{number}"),
                format!("COPY h{number} i{number}"),
                format!("COPY c{number} i{number} REPLACE"),
                format!("COPY h{number} j{number} DB 3"),
                format!("COPY h{number} j{number} DB 16"),
                format!("COPY h{number} j{number} DB x"),
                format!("COPY h{number} j{number} NONSENSE"),
                format!("COPY h{number} h{number}"),
                format!("COPY none{number} j{number}"),
                format!("RENAME h{number} c{number}"),
                format!("HGETALL c{number}"),
                format!("PEXPIRETIME c{number}"),
                format!("EXISTS a{number} b{number} c{number} d{number} e{number} h{number}"),
                format!("TOUCH a{number} b{number} i{number} i{number}"),
                format!("GET i{number}"),
                "DBSIZE".to_owned(),
            ]
        })
        .collect();
    let commands: Vec<&str> = script.iter().map(String::as_str).collect();
    let one = engine(1);
    let expected = say(&one.client(), &commands);
    assert_eq!(expected[..3], [":1", ":0", "[1 2 3 nil]"]);
    assert_eq!(expected[17], "ERR source and destination objects are the same");
    for shards in [2, 3, 8] {
        let whole = engine(shards);
        assert_eq!(say(&whole.client(), &commands), expected, "{shards} shards, one pipeline");
        let single = engine(shards);
        let client = single.client();
        let answers: Vec<String> =
            commands.iter().flat_map(|command| say(&client, &[command])).collect();
        assert_eq!(answers, expected, "{shards} shards, one by one");
        let other = client.with_database(3);
        assert_eq!(other.hlen("j1"), Ok(3));
    }
}

#[test]
fn typed_calls_take_several_keys() {
    let engine = engine(4);
    let client = engine.client();
    let keys: Vec<String> = (0..20).map(|number| format!("k{number}")).collect();
    client.mset(keys.iter().map(|key| (key, "v"))).unwrap();
    assert_eq!(client.msetnx([("new", "1"), ("k1", "2")]), Ok(false));
    assert_eq!(client.msetnx([("new", "1"), ("newer", "2")]), Ok(true));
    assert_eq!(client.count_existing(&keys), Ok(20));
    assert_eq!(client.touch(["k1", "k1", "none"]), Ok(2));
    assert_eq!(client.mget(["k1", "none"]), Ok(vec![Some(b"v".to_vec()), None]));
    assert_eq!(client.rename("k1", "K1"), Ok(()));
    assert_eq!(client.renamenx("k2", "k3"), Ok(false));
    assert_eq!(client.copy("k3", "k4", false), Ok(false));
    assert_eq!(client.copy("k3", "k4", true), Ok(true));
    assert_eq!(client.rename("none", "x"), Err(EngineError::Failed("ERR no such key".into())));
    assert_eq!(client.type_of("K1"), Ok("string".to_owned()));
    let soon = SetOptions { only_if_there: Some(false), deadline: Deadline::AfterMs(60_000) };
    assert_eq!(client.set_with("K1", "w", soon), Ok(false));
    assert_eq!(client.set_with("k1", "w", soon), Ok(true));
    assert_eq!(client.set_and_get("k1", "x"), Ok(Some(b"w".to_vec())));
    assert_eq!(client.expires_at_ms("k1"), Ok(None));
    assert_eq!((client.incr("n"), client.decr("n"), client.decrby("n", 5)), (Ok(1), Ok(0), Ok(-5)));
    let mut found: Vec<_> = client.scan().matching("k*").map(Result::unwrap).collect();
    found.sort();
    assert_eq!(found.len(), 20);
    client.hset("h", (0..1000).map(|number| (format!("f{number}"), "v"))).unwrap();
    assert_eq!(client.hscan("h").map(Result::unwrap).count(), 1000);
    assert_eq!(client.hrandfield("h", 5).unwrap().len(), 5);
    assert_eq!(client.scan().of_type("hash").map(Result::unwrap).collect::<Vec<_>>(), [b"h"]);
    assert_eq!(client.unlink(&keys), Ok(20));
    assert_eq!(client.object_encoding("h"), Ok(Some(b"hashtable".to_vec())));
    assert!(client.memory_usage("h").unwrap().is_some_and(|bytes| bytes > 1000));
    client.flushdb().unwrap();
    assert_eq!(client.dbsize(), Ok(0));
}

#[test]
fn a_watched_key_that_was_written_to_stops_a_transaction() {
    let engine = engine(3);
    let client = engine.client();
    client.mset([("a", "1"), ("b", "2")]).unwrap();
    let mut pipeline = client.pipeline();
    let mut watch = client.watch();
    watch.key("a").unwrap().key("none").unwrap();

    let set = |pipeline: &mut hectare_engine::Pipeline| {
        pipeline.command([b"SET".as_slice(), b"b", b"changed"]).unwrap();
    };
    set(&mut pipeline);
    assert_eq!(pipeline.run_if_unchanged(&watch).unwrap().unwrap().get(0), Reply::Status("OK"));
    // What it did itself does not matter; the keys are watched on.
    let changes: [&dyn Fn(); 6] = [
        &|| client.set("a", "2").unwrap(),
        &|| client.rename("b", "a").unwrap(),
        &|| assert!(client.copy("a", "none", false).unwrap()),
        &|| assert_eq!(client.del(["a"]), Ok(1)),
        &|| client.flushall().unwrap(),
        &|| assert!(client.msetnx([("x", "1"), ("none", "2")]).unwrap()),
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut watch = client.watch();
        watch.key("a").unwrap().key("none").unwrap();
        change();
        set(&mut pipeline);
        assert!(pipeline.run_if_unchanged(&watch).unwrap().is_none(), "change {number}");
        assert!(pipeline.is_empty());
    }
}

#[test]
fn a_watched_key_that_goes_by_its_deadline_has_changed() {
    let engine = engine(2);
    let client = engine.client();
    let soon = SetOptions { deadline: Deadline::AfterMs(5), ..SetOptions::default() };
    client.set_with("a", "1", soon).unwrap();
    let mut watch = client.watch();
    watch.key("a").unwrap();
    thread::sleep(Duration::from_millis(20));
    let mut pipeline = client.pipeline();
    pipeline.command([b"SET".as_slice(), b"b", b"1"]).unwrap();
    assert!(pipeline.run_if_unchanged(&watch).unwrap().is_none());
}

/// Counters are moved between hashes on different shards; whoever sums them under a transaction must
/// always see the same sum.
#[test]
fn readers_never_see_a_wrong_sum() {
    const ACCOUNTS: usize = 8;
    const START: i64 = 1000;
    let engine = engine(4);
    let client = engine.client();
    let keys: Vec<String> = (0..ACCOUNTS).map(|number| format!("account:{number}")).collect();
    for key in &keys {
        client.hincrby(key, "n", START).unwrap();
    }
    let end = Instant::now() + seconds(1.0);
    let keys = &keys;
    thread::scope(|scope| {
        for mover in 0..2_usize {
            let client = engine.client();
            scope.spawn(move || {
                let mut number = mover;
                while Instant::now() < end {
                    number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let (from, to) =
                        (&keys[(number >> 33) % ACCOUNTS], &keys[(number >> 40) % ACCOUNTS]);
                    if number % 3 == 0 {
                        move_by_watching(&client, from, to);
                    } else {
                        move_at_once(&client, from, to);
                    }
                }
            });
        }
        // Somebody who only keeps the shards busy.
        let client = engine.client();
        scope.spawn(move || {
            while Instant::now() < end {
                client.hincrby("other", "n", 1).unwrap();
            }
        });
        let client = engine.client();
        scope.spawn(move || {
            let mut pipeline = client.pipeline();
            let mut sums = 0;
            while Instant::now() < end {
                for key in keys {
                    pipeline.command([b"HGET", key.as_bytes(), b"n"]).unwrap();
                }
                let replies = pipeline.run_atomically().unwrap();
                let sum: i64 = replies.iter().map(number_of).sum();
                assert_eq!(sum, START * ACCOUNTS as i64, "after {sums} right ones");
                sums += 1;
            }
            assert!(sums > 0);
        });
    });
}

fn number_of(reply: Reply<'_>) -> i64 {
    let Reply::Bytes(bytes) = reply else { panic!("a number, not {reply:?}") };
    std::str::from_utf8(bytes).expect("ASCII").parse().expect("digits")
}

fn move_at_once(client: &Client, from: &str, to: &str) {
    let mut pipeline = client.pipeline();
    pipeline.command([b"HINCRBY", from.as_bytes(), b"n", b"-1"]).expect("the engine runs");
    pipeline.command([b"HINCRBY", to.as_bytes(), b"n", b"1"]).expect("the engine runs");
    pipeline.run_atomically().expect("the engine runs");
}

fn move_by_watching(client: &Client, from: &str, to: &str) {
    if from == to {
        return;
    }
    let moved = client.transaction(|transaction| {
        transaction.watch([from, to])?;
        let read = |key: &str| {
            let text = transaction.client().hget(key, "n")?.unwrap_or_default();
            Ok::<i64, EngineError>(String::from_utf8_lossy(&text).parse().expect("digits"))
        };
        let (less, more) = ((read(from)? - 3).to_string(), (read(to)? + 3).to_string());
        transaction.command([b"HSET", from.as_bytes(), b"n", less.as_bytes()])?;
        transaction.command([b"HSET", to.as_bytes(), b"n", more.as_bytes()])?;
        Ok(())
    });
    let moved = moved.expect("the engine runs");
    assert_eq!(moved.replies().len(), 2);
    assert_eq!(moved.reply(0), Reply::Integer(0));
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// A caller that leaves work to a shard's driver must not keep others out while the driver is elsewhere:
/// the driver may itself be waiting for them.
#[test]
fn a_shard_can_be_had_while_its_driver_is_aside_whatever_was_left_to_do() {
    struct NoWake;
    impl hectare_engine::Wake for NoWake {
        fn wake(&self) {}
    }
    let (engine, mut shards) =
        Engine::builder().build_driven(vec![Box::new(NoWake)]).expect("one shard");
    let client = engine.client();
    shards[0].aside(|| {
        for round in 0..3 {
            for number in 0..100 {
                client.set(format!("k{number}"), "v").expect("the shard is free");
            }
            assert_eq!(client.stats().expect("it can be borrowed").keys, 100, "round {round}");
            // What was emptied goes back to the system little by little: that is the driver's.
            client.flushall().expect("the shard is free");
            assert_eq!(client.stats().expect("it can be borrowed").keys, 0, "round {round}");
        }
    });
    assert_ne!(shards[0].turn(1), hectare_engine::Turn::Finished);
}
