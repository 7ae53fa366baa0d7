//! What can be changed about an engine while it runs, and how it answers then.

use hectare_engine::{Dialect, Engine, EngineError, Reply};
use std::time::{Duration, Instant};

fn ask(engine: &Engine, words: &[&str]) -> String {
    let mut pipeline = engine.client().pipeline();
    match pipeline.command(words.iter().map(|word| word.as_bytes())) {
        Ok(_) => {}
        Err(error) => return error.to_string(),
    }
    match pipeline.run().expect("the engine answers").get(0) {
        Reply::Status(text) | Reply::Error(text) => text.to_owned(),
        Reply::Integer(integer) => integer.to_string(),
        Reply::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Reply::Null => "null".to_owned(),
        other => format!("{other:?}"),
    }
}

fn engine(shards: usize) -> Engine {
    Engine::builder().shards(shards).build().expect("threads are to be had")
}

#[test]
fn a_hash_is_measured_by_new_limits_when_it_is_written_to() {
    let engine = engine(3);
    for key in ["a", "b", "c", "d", "e"] {
        ask(&engine, &["HSET", key, "f", "1", "g", "2"]);
    }
    engine.client().set_encoding_limits(1, 64).expect("the shards are there");
    for key in ["a", "b", "c", "d", "e"] {
        assert_eq!(ask(&engine, &["OBJECT", "ENCODING", key]), "listpack");
        ask(&engine, &["HSET", key, "f", "3"]);
        assert_eq!(ask(&engine, &["OBJECT", "ENCODING", key]), "hashtable");
    }
    engine.client().set_encoding_limits(512, 64).expect("the shards are there");
    ask(&engine, &["RENAME", "a", "z"]);
    assert_eq!(ask(&engine, &["OBJECT", "ENCODING", "z"]), "hashtable");
}

#[test]
fn nothing_goes_by_itself_while_active_expiry_is_off() {
    let engine = engine(2);
    let client = engine.client();
    let keys = || client.stats().expect("the shards are there").keys;
    client.set_active_expiry(false).expect("the shards are there");
    for key in ["a", "b", "c", "d"] {
        ask(&engine, &["SET", key, "v", "PX", "1"]);
    }
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(keys(), 4);
    assert_eq!(ask(&engine, &["GET", "a"]), "null");
    assert_eq!(keys(), 3);
    client.set_active_expiry(true).expect("the shards are there");
    let is_gone = |_: &i32| {
        std::thread::sleep(Duration::from_millis(10));
        keys() == 0
    };
    assert!((0..1000).any(|wait| is_gone(&wait)), "the others should go by themselves");
}

#[test]
fn a_memory_limit_comes_and_goes() {
    let engine = engine(2);
    let client = engine.client();
    assert_eq!(ask(&engine, &["SET", "k", &"v".repeat(100_000)]), "OK");
    client.set_memory_limit(Some(1000)).expect("the shards are there");
    assert!(ask(&engine, &["SET", "k", "v"]).starts_with("OOM "));
    client.set_memory_limit(Some(1 << 30)).expect("the shards are there");
    assert_eq!(ask(&engine, &["SET", "k", "v"]), "OK");
    client.set_memory_limit(Some(1)).expect("the shards are there");
    client.set_memory_limit(None).expect("the shards are there");
    assert_eq!(ask(&engine, &["SET", "k", "w"]), "OK");
}

#[test]
fn databases_are_swapped_in_every_shard() {
    let engine = engine(3);
    for number in 0..50 {
        ask(&engine, &["SET", &format!("key:{number}"), "v"]);
    }
    assert_eq!(ask(&engine, &["SWAPDB", "0", "7"]), "OK");
    assert_eq!(ask(&engine, &["DBSIZE"]), "0");
    assert_eq!(engine.client().with_database(7).dbsize(), Ok(50));
    assert_eq!(ask(&engine, &["SWAPDB", "0", "16"]), "ERR DB index is out of range");
    assert_eq!(ask(&engine, &["SWAPDB", "7", "0"]), "OK");
    assert_eq!(ask(&engine, &["MOVE", "key:7", "7"]), "1");
    assert_eq!(ask(&engine, &["MOVE", "key:7", "7"]), "0");
    assert_eq!(engine.client().with_database(7).get("key:7"), Ok(Some(b"v".to_vec())));
}

#[test]
fn a_watched_key_that_is_moved_or_swapped_has_changed() {
    for command in [&["MOVE", "k", "1"][..], &["SWAPDB", "0", "1"]] {
        let engine = engine(2);
        let client = engine.client();
        client.set("k", "v").expect("the engine answers");
        let mut watch = client.watch();
        watch.key("k").expect("the shard is there");
        ask(&engine, command);
        let mut pipeline = client.pipeline();
        pipeline.command([b"PTTL".as_slice(), b"k"]).expect("there is such a command");
        assert!(pipeline.run_if_unchanged(&watch).expect("the engine answers").is_none());
    }
}

#[test]
fn a_reply_that_must_be_too_long_is_refused_before_it_is_begun() {
    let engine = engine(1);
    ask(&engine, &["HSET", "k", "field", "value"]);
    let started = Instant::now();
    let refused = "ERR the reply is longer than one reply may be, ask for less at a time";
    for count in ["-9223372036854775807", "-4294967296", "-200000000"] {
        assert_eq!(ask(&engine, &["HRANDFIELD", "k", count]), refused);
    }
    assert_eq!(ask(&engine, &["HRANDFIELD", "k", "-200000000", "WITHVALUES"]), refused);
    assert!(started.elapsed() < Duration::from_secs(1), "nothing was built");
    assert_eq!(engine.client().hlen("k"), Ok(1), "the shard lives");
}

#[test]
fn an_engine_answers_in_the_dialect_that_it_was_built_with() {
    let valkey = Engine::builder().shards(2).dialect(Dialect::Valkey9).build();
    let (redis, valkey) = (engine(2), valkey.expect("threads are to be had"));
    let wrong = ["HPEXPIRE", "k", "10", "FIELDS", "2", "f"];
    let text = "ERR The `numfields` parameter must match the number of arguments";
    assert_eq!(ask(&redis, &wrong), text);
    let text = "ERR numfields should be greater than 0 and match the provided number of fields";
    assert_eq!(ask(&valkey, &wrong), text);
    let failed = valkey.client().hset("k", [("f", "v")]);
    assert_eq!(failed, Ok::<u64, EngineError>(1));
}

#[test]
fn debug_object_says_what_redis_says() {
    let engine = engine(1);
    ask(&engine, &["SET", "k", "12345"]);
    let text = ask(&engine, &["DEBUG", "OBJECT", "k"]);
    let known = "Value at:0x0 refcount:1 encoding:int serializedlength:3 lru:";
    assert!(text.starts_with(known) && text.ends_with(" lru_seconds_idle:0"), "{text}");
    assert_eq!(ask(&engine, &["DEBUG", "OBJECT", "none"]), "ERR no such key");
    let unknown = "ERR unknown subcommand or wrong number of arguments for 'x'. Try DEBUG HELP.";
    assert_eq!(ask(&engine, &["DEBUG", "x"]), unknown);
}
