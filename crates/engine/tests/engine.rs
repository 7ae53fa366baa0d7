//! Does the engine keep its promises, whoever drives its shards?

use hectare_engine::{Builder, Client, Engine, EngineError, Reply, Shard, ThreadWake, Turn, Wake};
use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

struct NoWake;

impl Wake for NoWake {
    fn wake(&self) {}
}

/// An engine of one shard that only the test drives.
fn driven(builder: Builder) -> (Engine, Shard) {
    let (engine, mut shards) =
        builder.build_driven(vec![Box::new(NoWake)]).expect("one shard is allowed");
    (engine, shards.pop().expect("one wake makes one shard"))
}

fn engine(shards: usize) -> Engine {
    Engine::builder().shards(shards).build().expect("threads can be had")
}

/// What a command answers, as text.
fn say(client: &Client, command: &str) -> String {
    let mut pipeline = client.pipeline();
    let added = pipeline.command(command.split(' ').map(str::as_bytes)).map(|_| ());
    match added {
        Err(error) => format!("refused: {error}"),
        Ok(()) => show(pipeline.run().expect("the engine runs").get(0)),
    }
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

#[test]
fn typed_calls_answer_as_redis_does() {
    let engine = engine(2);
    let client = engine.client();
    assert_eq!(client.hset("h", [("a", "1"), ("b", "x")]), Ok(2));
    assert_eq!(client.hset("h", [("a", "2")]), Ok(0));
    assert_eq!(client.try_hset("h", [("c", "")]), Ok(1));
    assert_eq!(client.hsetnx("h", "a", "3"), Ok(false));
    assert_eq!(client.hget("h", "a"), Ok(Some(b"2".to_vec())));
    assert_eq!(client.hget("h", "none"), Ok(None));
    let expected = vec![Some(b"2".to_vec()), None, Some(b"".to_vec())];
    assert_eq!(client.hmget("h", ["a", "none", "c"]), Ok(expected));
    let pairs = client.hgetall("h").unwrap();
    let names = [b"a", b"b", b"c"].map(|name| name.to_vec());
    assert_eq!(pairs.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), names);
    assert_eq!(client.hkeys("h"), Ok(names.to_vec()));
    assert_eq!(client.hvals("h").unwrap().len(), 3);
    assert_eq!(client.hexists("h", "b"), Ok(true));
    assert_eq!(client.hlen("h"), Ok(3));
    assert_eq!(client.hstrlen("h", "b"), Ok(1));
    assert_eq!(client.hincrby("h", "a", -5), Ok(-3));
    assert_eq!(client.hincrbyfloat("h", "a", 0.5), Ok(b"-2.5".to_vec()));
    assert_eq!(client.hdel("h", ["a", "none"]), Ok(1));

    assert_eq!(client.set("s", "7"), Ok(()));
    assert_eq!(client.get("s"), Ok(Some(b"7".to_vec())));
    assert_eq!(client.incrby("s", 3), Ok(10));
    assert_eq!(client.mget(["s", "none", "h"]), Ok(vec![Some(b"10".to_vec()), None, None]));
    assert_eq!(client.expire("s", Duration::from_secs(1000)), Ok(true));
    assert!(client.ttl("s").unwrap().unwrap() > Duration::from_secs(900));
    assert_eq!(client.persist("s"), Ok(true));
    assert_eq!(client.ttl("s"), Ok(None));
    assert_eq!(client.exists("s"), Ok(true));
    assert_eq!(client.dbsize(), Ok(2));
    let wrong = "WRONGTYPE Operation against a key holding the wrong kind of value";
    assert_eq!(client.hget("s", "a"), Err(EngineError::Failed(wrong.into())));
    assert_eq!(client.del(["s", "h", "none"]), Ok(2));
    assert_eq!(client.flushall(), Ok(()));
}

#[test]
fn commands_on_many_keys_are_split_and_their_answers_merged() {
    for shards in [1, 2, 5] {
        let engine = engine(shards);
        let client = engine.client();
        let keys: Vec<String> = (0..40).map(|number| format!("k{number}")).collect();
        let pairs: Vec<String> = keys.iter().map(|key| format!("{key} v-{key}")).collect();
        assert_eq!(say(&client, &format!("MSET {}", pairs.join(" "))), "OK");
        assert_eq!(say(&client, "DBSIZE"), ":40");
        assert_eq!(say(&client, "EXISTS k0 k1 k1 none k39"), ":4");
        assert_eq!(say(&client, "MGET k3 none k1 k3"), "[v-k3 nil v-k1 v-k3]");
        assert_eq!(say(&client, "DEL k0 k0 k1 none"), ":2");
        assert_eq!(say(&client, "UNLINK k2"), ":1");
        assert_eq!(
            say(&client, "MSET k1 v k2"),
            "ERR wrong number of arguments for 'mset' command"
        );
        assert_eq!(say(&client, "FLUSHALL SOMETIME"), "ERR syntax error");
        assert_eq!(say(&client, "DBSIZE"), ":37");
        assert_eq!(say(&client, "FLUSHALL ASYNC"), "OK");
        assert_eq!(say(&client, "DBSIZE"), ":0");
    }
}

#[test]
fn what_is_no_command_is_refused_and_leaves_the_pipeline_as_it_was() {
    let engine = engine(2);
    let client = engine.client();
    let mut pipeline = client.pipeline();
    pipeline.command([b"SET".as_slice(), b"k", b"v"]).unwrap();
    let wrong: [&[&[u8]]; 6] =
        [&[], &[b"NONSENSE", b"k"], &[b"GET"], &[b"OBJECT"], &[b"OBJECT", b"what"], &[b"\xff"]];
    for args in wrong {
        assert!(pipeline.command(args.iter().copied()).is_err(), "{args:?}");
    }
    pipeline.command([b"GET".as_slice(), b"k"]).unwrap();
    let replies = pipeline.run().unwrap();
    assert_eq!(replies.iter().map(show).collect::<Vec<_>>(), ["OK", "v"]);
    assert_eq!(
        say(&client, "NONSENSE a b"),
        "refused: ERR unknown command 'NONSENSE', with args beginning with: 'a' 'b' "
    );
    assert_eq!(say(&client, "OBJECT ENCODING"), {
        "refused: ERR wrong number of arguments for 'object|encoding' command"
    });
}

#[test]
fn errors_are_counted_once_however_many_shards_say_so() {
    let engine = engine(3);
    let client = engine.client();
    let mut pipeline = client.pipeline();
    for command in ["SET s x", "HGET s f", "FLUSHALL SOMETIME", "MGET s s", "INCRBY s 1"] {
        pipeline.command(command.split(' ').map(str::as_bytes)).unwrap();
    }
    let replies = pipeline.run().unwrap();
    assert_eq!(replies.errors(), 3);
    assert_eq!(replies.len(), 5);
}

#[test]
fn a_scan_finds_every_key_on_every_shard() {
    for shards in [1, 2, 7] {
        let engine = engine(shards);
        let client = engine.client();
        let mut pipeline = client.pipeline();
        let keys: BTreeSet<String> = (0..5_000).map(|number| format!("key:{number}")).collect();
        for key in &keys {
            pipeline.command([b"SET", key.as_bytes(), b"v"]).unwrap();
        }
        assert_eq!(pipeline.run().unwrap().errors(), 0);
        let mut found = BTreeSet::new();
        let mut cursor = b"0".to_vec();
        let mut calls = 0;
        loop {
            pipeline.command([b"SCAN", cursor.as_slice(), b"COUNT", b"100"]).unwrap();
            let replies = pipeline.run().unwrap();
            let Reply::Array(mut parts) = replies.get(0) else { panic!("SCAN answers two parts") };
            let Some(Reply::Bytes(next)) = parts.next() else { panic!("a cursor comes first") };
            let Some(Reply::Array(page)) = parts.next() else { panic!("then come keys") };
            found.extend(page.map(show));
            cursor = next.to_vec();
            calls += 1;
            if cursor == b"0" {
                break;
            }
            assert!(calls < 5_000, "a scan ends");
        }
        assert_eq!(found, keys);
    }
}

#[test]
fn every_shard_lists_its_keys_and_each_key_is_as_likely_to_be_drawn() {
    const KEYS: usize = 10;
    let engine = engine(5);
    let client = engine.client();
    assert_eq!(say(&client, "KEYS *"), "[]");
    assert_eq!(say(&client, "RANDOMKEY"), "nil");
    for key in 0..KEYS {
        say(&client, &format!("SET {key} v"));
    }
    assert_eq!(say(&client, "KEYS [3]"), "[3]");
    let listed = say(&client, "KEYS *");
    let listed: BTreeSet<&str> = listed.trim_matches(['[', ']']).split(' ').collect();
    assert_eq!(listed.len(), KEYS);
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..400 * KEYS {
        *times.entry(say(&client, "RANDOMKEY")).or_default() += 1;
    }
    assert!(times.keys().all(|key| listed.contains(key.as_str())), "{times:?}");
    assert!(times.values().all(|times| (280..520).contains(times)), "{times:?}");
    assert_eq!(times.len(), KEYS);
}

#[test]
fn a_full_mailbox_is_an_answer() {
    let (engine, mut shard) = driven(Engine::builder().mailbox_batches(2));
    let client = engine.client().with_room_wait(Duration::ZERO);
    let mut pipelines: Vec<_> = (0..3).map(|_| client.pipeline()).collect();
    for pipeline in &mut pipelines {
        pipeline.command([b"HINCRBY".as_slice(), b"h", b"f", b"1"]).unwrap();
    }
    assert_eq!(pipelines[0].submit(), Ok(()));
    assert_eq!(pipelines[1].submit(), Ok(()));
    assert_eq!(pipelines[2].submit(), Err(EngineError::Full { shard: 0 }));
    assert_eq!(client.try_hset("h", [("g", "v")]), Err(EngineError::Full { shard: 0 }));
    assert_eq!(shard.turn(100), Turn::Idle { until: None });
    assert_eq!(pipelines[0].wait().unwrap().get(0), Reply::Integer(1));
    assert_eq!(pipelines[1].wait().unwrap().get(0), Reply::Integer(2));
    // The one that was refused was not run, and can be filled again.
    pipelines[2].command([b"HGET".as_slice(), b"h", b"f"]).unwrap();
    assert_eq!(pipelines[2].submit(), Ok(()));
    shard.turn(100);
    assert_eq!(pipelines[2].wait().unwrap().get(0), Reply::Bytes(b"2"));
}

#[test]
fn a_turn_stops_at_its_budget_and_goes_on_there() {
    let (engine, mut shard) = driven(Engine::builder());
    let mut pipeline = engine.client().pipeline();
    for _ in 0..10 {
        pipeline.command([b"INCRBY".as_slice(), b"n", b"1"]).unwrap();
    }
    pipeline.submit().unwrap();
    assert_eq!(shard.turn(4), Turn::Busy);
    assert_eq!(shard.turn(4), Turn::Busy);
    assert_eq!(shard.turn(4), Turn::Idle { until: None });
    let replies = pipeline.wait().unwrap();
    let expected: Vec<_> = (1..=10).map(Reply::Integer).collect();
    assert_eq!(replies.iter().collect::<Vec<_>>(), expected);
}

#[test]
fn an_idle_shard_says_when_its_next_key_expires() {
    let (engine, mut shard) = driven(Engine::builder());
    let mut pipeline = engine.client().pipeline();
    pipeline.command([b"SET".as_slice(), b"k", b"v", b"PX", b"60000"]).unwrap();
    pipeline.submit().unwrap();
    assert!(matches!(shard.turn(10), Turn::Idle { until: Some(_) }));
    pipeline.wait().unwrap();
    pipeline.command([b"PEXPIRE".as_slice(), b"k", b"1"]).unwrap();
    pipeline.submit().unwrap();
    let turn = shard.turn(10);
    pipeline.wait().unwrap();
    let Turn::Idle { until: Some(until) } = turn else { panic!("{turn:?}") };
    while std::time::Instant::now() < until + Duration::from_millis(2) {
        thread::yield_now();
    }
    while shard.turn(10) != (Turn::Idle { until: None }) {}
}

#[test]
fn a_closed_engine_refuses_calls() {
    let engine = engine(2);
    let client = engine.client();
    let mut pipeline = client.pipeline();
    client.hset("h", [("f", "v")]).unwrap();
    assert_eq!(engine.shutdown(), Ok(()));
    assert_eq!(client.hget("h", "f"), Err(EngineError::Closed));
    pipeline.command([b"GET".as_slice(), b"k"]).unwrap();
    assert_eq!(pipeline.run().err(), Some(EngineError::Closed));
    assert_eq!(client.dbsize(), Err(EngineError::Closed));
}

#[test]
fn a_shard_that_is_dropped_fails_its_calls_and_no_others() {
    let wakes: Vec<Box<dyn Wake>> = vec![Box::new(NoWake), Box::new(NoWake)];
    let (engine, mut shards) = Engine::builder().build_driven(wakes).unwrap();
    let mut pipeline = engine.client().pipeline();
    for number in 0..100 {
        let key = format!("k{number}");
        pipeline.command([b"SET", key.as_bytes(), b"v"]).unwrap();
    }
    pipeline.submit().unwrap();
    let lost = shards.pop().unwrap();
    assert_eq!(lost.number(), 1);
    drop(lost);
    shards[0].turn(1000);
    assert_eq!(pipeline.wait().err(), Some(EngineError::ShardLost { shard: 1 }));
}

#[test]
fn an_engine_can_be_dropped_while_threads_call() {
    for round in 0..20_u64 {
        let engine = engine(2);
        let callers: Vec<_> = (0..3)
            .map(|caller| {
                let client = engine.client();
                thread::spawn(move || {
                    let mut done = 0;
                    loop {
                        match client.hincrby(format!("h{}", done % 5), "f", 1) {
                            Ok(_) => done += 1,
                            Err(error) => {
                                assert_eq!(error, EngineError::Closed, "caller {caller}");
                                return;
                            }
                        }
                    }
                })
            })
            .collect();
        thread::sleep(Duration::from_micros(200 * round));
        drop(engine);
        for caller in callers {
            caller.join().unwrap();
        }
    }
}

/// Every caller counts on keys of its own and on shared ones: its own must follow its order, the
/// shared ones must lose nothing.
#[test]
fn many_threads_lose_nothing_and_keep_their_order() {
    const CALLERS: usize = 4;
    const ROUNDS: i64 = 300;
    let engine = Engine::builder().shards(3).mailbox_batches(2).build().unwrap();
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let client = engine.client();
            thread::spawn(move || {
                let mut pipeline = client.pipeline();
                for round in 1..=ROUNDS {
                    for number in 0..10 {
                        let own = format!("own:{caller}:{number}");
                        pipeline.command([b"HINCRBY", own.as_bytes(), b"n", b"1"]).unwrap();
                        let shared = format!("shared:{number}");
                        pipeline.command([b"HINCRBY", shared.as_bytes(), b"n", b"1"]).unwrap();
                    }
                    let replies = pipeline.run().unwrap();
                    for reply in replies.iter().step_by(2) {
                        assert_eq!(reply, Reply::Integer(round));
                    }
                }
            })
        })
        .collect();
    callers.into_iter().for_each(|caller| caller.join().unwrap());
    let client = engine.client();
    for number in 0..10 {
        let all = i64::try_from(CALLERS).unwrap() * ROUNDS;
        assert_eq!(client.hincrby(format!("shared:{number}"), "n", 0), Ok(all));
    }
    let stats = engine.stats().unwrap();
    assert_eq!(stats.keys, 10 + 10 * CALLERS as u64);
    assert_eq!(stats.fields, stats.keys);
    assert_eq!(stats.shards, 3);
    assert!(stats.memory_bytes >= stats.record_bytes + stats.index_bytes, "{stats:?}");
    assert!(stats.payload_bytes > 0 && stats.record_bytes > 0, "{stats:?}");
}

#[test]
fn databases_are_apart() {
    let engine = engine(2);
    let (zero, one) = (engine.client(), engine.client().with_database(1));
    zero.set("k", "zero").unwrap();
    one.set("k", "one").unwrap();
    assert_eq!(zero.get("k"), Ok(Some(b"zero".to_vec())));
    assert_eq!(one.get("k"), Ok(Some(b"one".to_vec())));
    assert_eq!(one.dbsize(), Ok(1));
    let mut pipeline = zero.pipeline();
    for database in [1, 0] {
        pipeline.select(database);
        pipeline.command([b"GET".as_slice(), b"k"]).unwrap();
    }
    let replies = pipeline.run().unwrap();
    assert_eq!(replies.iter().collect::<Vec<_>>(), [Reply::Bytes(b"one"), Reply::Bytes(b"zero")]);
    zero.flushall().unwrap();
    assert_eq!(one.dbsize(), Ok(0));
}

#[test]
fn a_number_of_shards_out_of_range_is_refused() {
    for shards in [0, 1025] {
        let refused = Engine::builder().shards(shards).build().unwrap_err().to_string();
        let expected = "an engine has from 1 to 1024 shards, one wake for each, not ";
        assert_eq!(refused, format!("{expected}{shards}"));
    }
    let wake: Vec<Box<dyn Wake>> = vec![Box::new(ThreadWake::current())];
    assert!(Engine::builder().shards(2).build_driven(wake).is_err());
}

/// One thread waits for anything, here an eventfd, and gives the shard its turns.
#[cfg(target_os = "linux")]
#[test]
fn an_event_loop_can_drive_a_shard() {
    use hectare_engine::EventWake;
    use rustix::event::{PollFd, PollFlags, poll};

    let wake = EventWake::new().unwrap();
    let (engine, mut shards) =
        Engine::builder().build_driven(vec![Box::new(wake.clone())]).unwrap();
    let mut shard = shards.pop().unwrap();
    let event_loop = thread::spawn(move || {
        let mut sleeps = 0;
        loop {
            match shard.turn(64) {
                Turn::Busy => {}
                Turn::Finished => return sleeps,
                Turn::Idle { .. } => {
                    if shard.announce_sleep() {
                        let mut polled = [PollFd::new(&wake, PollFlags::IN)];
                        poll(&mut polled, None).unwrap();
                        sleeps += 1;
                        shard.wake_up();
                        wake.reset().unwrap();
                    }
                }
            }
        }
    });
    let client = engine.client();
    let mut counted = BTreeMap::new();
    for number in 0..500_i64 {
        let key = format!("h{}", number % 7);
        let expected = counted.entry(key.clone()).and_modify(|n| *n += 1).or_insert(1);
        assert_eq!(client.hincrby(&key, "n", 1), Ok(*expected));
    }
    drop(engine);
    assert!(event_loop.join().unwrap() > 0, "it slept and was woken");
}
