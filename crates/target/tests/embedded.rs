//! Does the engine in this process answer like a server?

use std::num::NonZeroUsize;

use hectare_target::{
    Connection, DataPolicy, Progress, Reply, ReplyKind, ServerName, Target, TargetOptions,
    TargetSpec,
};
use hectare_workload::Commands;

fn open(shards: usize) -> Target {
    let options = TargetOptions { shards: NonZeroUsize::new(shards), ..TargetOptions::default() };
    Target::open(&TargetSpec::EMBEDDED, &options).expect("the engine starts")
}

fn hashes(count: usize) -> Commands {
    let mut commands = Commands::new();
    for number in 0..count {
        let key = format!("user:{number}");
        commands.push([&b"HSET"[..], key.as_bytes(), b"name", b"Ana", b"age", b"42"]);
    }
    commands
}

fn kinds(connection: &mut Connection) -> Vec<String> {
    let mut kinds = Vec::new();
    let progress = connection.poll(&mut |reply| {
        assert_eq!(reply.index, kinds.len());
        kinds.push(match reply.kind {
            ReplyKind::Value => "value".to_owned(),
            ReplyKind::Nothing => "nothing".to_owned(),
            ReplyKind::Error(text) => text.to_owned(),
        });
    });
    assert_eq!(progress.expect("the engine runs"), Progress::Done);
    kinds
}

#[test]
fn what_is_loaded_is_counted_and_weighed() {
    let target = open(2);
    assert_eq!(target.server().name, ServerName::Hectare);
    let before = target.memory().unwrap();
    let commands = hashes(100_000);
    let outcome = target.connect().unwrap().run(&commands, 0..commands.len()).unwrap();
    assert_eq!((outcome.replies, outcome.errors, outcome.nulls), (100_000, 0, 0));
    let after = target.memory().unwrap();
    assert_eq!(target.keys().unwrap(), 100_000);
    assert!(after.used_memory_bytes > before.used_memory_bytes + 100_000 * 10);
    assert!(after.rss_bytes > 0);
    assert_eq!(target.evicted_keys().unwrap(), 0);
    assert_eq!(target.admit(&DataPolicy::default()).unwrap().prefix_to_remove, None);
    target.flush().unwrap();
    assert_eq!(target.keys().unwrap(), 0);
}

#[test]
fn the_number_of_shards_in_the_text_goes_before_the_option() {
    let options = TargetOptions { shards: NonZeroUsize::new(3), ..TargetOptions::default() };
    for (text, shards) in [("embedded", "3 shards"), ("embedded:1", "1 shard,")] {
        let target = Target::open(&text.parse().unwrap(), &options).unwrap();
        let build = &target.server().build;
        assert!(build.contains(shards), "{text}: {build}");
    }
}

#[test]
fn what_the_engine_counts_adds_up_to_what_it_takes() {
    let target = open(2);
    let commands = hashes(10_000);
    target.connect().unwrap().run(&commands, 0..commands.len()).unwrap();
    let memory = target.memory().unwrap();
    let books = memory.books.unwrap();
    assert_eq!(
        books.record_bytes + books.index_bytes + books.shape_bytes + books.slack_bytes,
        memory.used_memory_bytes
    );
    let payload: usize =
        commands.iter().map(|command| command.iter().skip(1).map(<[u8]>::len).sum::<usize>()).sum();
    assert_eq!(books.payload_bytes, payload as u64);
}

#[test]
fn a_pipeline_comes_back_in_order_with_its_refusals_in_place() {
    let target = open(2);
    let mut connection = target.connect().unwrap();
    assert!(connection.source().is_none());
    let mut commands = Commands::new();
    commands.push([&b"SET"[..], b"text", b"a"]);
    commands.push([&b"NOSUCHCOMMAND"[..], b"x"]);
    commands.push([&b"HGET"[..], b"text", b"field"]);
    commands.push([&b"HGETALL"[..], b"absent"]);
    commands.push([&b"HMGET"[..], b"absent", b"a", b"b"]);
    commands.push([&b"HGET"[..], b"only-a-key"]);
    commands.push([&b"GET"[..], b"text"]);
    // Twice, for what the first pipeline left behind must not be in the second.
    for _ in 0..2 {
        connection.submit(&commands, 0..commands.len()).unwrap();
        let kinds = kinds(&mut connection);
        assert_eq!((kinds[0].as_str(), kinds[6].as_str()), ("value", "value"));
        assert!(kinds[1].starts_with("ERR unknown command"), "{}", kinds[1]);
        assert!(kinds[2].starts_with("WRONGTYPE"), "{}", kinds[2]);
        assert_eq!((kinds[3].as_str(), kinds[4].as_str()), ("nothing", "nothing"));
        assert!(kinds[5].starts_with("ERR wrong number of arguments"), "{}", kinds[5]);
    }
}

#[test]
fn answers_come_with_their_content() {
    let target = open(2);
    let mut connection = target.connect().unwrap();
    let reply = connection.call(&[b"HSET", b"user:1", b"name", b"Ana", b"age", b"42"]).unwrap();
    assert_eq!(reply, Reply::Integer(2));
    let reply = connection.call(&[b"HMGET", b"user:1", b"name", b"none"]).unwrap();
    assert_eq!(reply, Reply::Array(vec![Reply::Bulk(b"Ana".to_vec()), Reply::Null]));
    let reply = connection.call(&[b"HGETALL", b"user:1"]).unwrap();
    assert_eq!(reply.pairs().count(), 2);
    let reply = connection.call(&[b"NOSUCHCOMMAND"]).unwrap();
    assert!(matches!(reply, Reply::Error(_)), "{reply:?}");
}

#[test]
fn keys_under_a_prefix_are_found_removed_and_classified() {
    let target = open(2);
    let mut connection = target.connect().unwrap();
    let commands = hashes(3000);
    connection.run(&commands, 0..commands.len()).unwrap();
    connection.call(&[b"SET", b"us*r:1", b"7"]).unwrap();
    let keys: [&[u8]; 3] = [b"user:1", b"us*r:1", b"none"];
    let counts = target.encodings(keys).unwrap();
    let counts: Vec<(&str, u64)> = counts.iter().map(|(name, &n)| (name.as_str(), n)).collect();
    assert_eq!(counts, [("int", 1), ("listpack", 1), ("none", 1)]);
    assert_eq!(target.remove_prefix(b"us*r:").unwrap(), 1);
    assert_eq!(target.remove_prefix(b"user:").unwrap(), 3000);
    assert_eq!(target.keys().unwrap(), 0);
}

#[test]
fn a_target_is_shared_and_a_connection_moved_between_threads() {
    fn shared<T: Send + Sync>() {}
    fn moved<T: Send>() {}
    shared::<Target>();
    moved::<Connection>();
}

#[test]
fn many_threads_share_one_target() {
    let target = open(2);
    let commands = hashes(2000);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (target, commands) = (&target, &commands);
            scope.spawn(move || {
                let mut connection = target.connect().unwrap();
                let range = thread * 500..(thread + 1) * 500;
                assert_eq!(connection.run(commands, range).unwrap().errors, 0);
            });
        }
    });
    assert_eq!(target.keys().unwrap(), 2000);
}
