//! Do commands that a shard's driver runs in place do what others do?

use hectare_engine::{
    Client, Command, Engine, InPlace, Native, Reply, ReplyBuffer, Shard, Span, Wake,
};

struct NoWake;

impl Wake for NoWake {
    fn wake(&self) {}
}

fn driven(shards: usize) -> (Engine, Vec<Shard>) {
    let wakes = (0..shards).map(|_| Box::new(NoWake) as Box<dyn Wake>).collect();
    Engine::builder().build_driven(wakes).expect("as many shards as wakes")
}

/// Runs those of the commands, one a line, that shard `number` has all keys of; says what the last of
/// them answers.
fn run(client: &Client, shard: &mut Shard, number: usize, lines: &str) -> (usize, Option<String>) {
    let mut in_place = InPlace::default();
    for line in lines.lines() {
        let args: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let (command, words) = Command::find(args[0], args.get(1).copied()).expect("a command");
        let args = &args[1 + words..];
        let Some(hash) = client.hash_for(number, command, args.len(), |index| args[index]) else {
            continue;
        };
        let start = |arg: &[u8]| arg.as_ptr().addr() - lines.as_ptr().addr();
        let spans = args.iter().map(|arg| {
            let end = start(arg) + arg.len();
            let [start, end] = [start(arg), end].map(|at| u32::try_from(at).expect("a short text"));
            Span { start, end }
        });
        in_place.push(command, 0, hash, spans);
    }
    let count = in_place.len();
    let mut replies = ReplyBuffer::default();
    in_place.run(shard, lines.as_bytes(), &Native, &mut replies).expect("the shard lives");
    assert!(in_place.is_empty());
    assert_eq!(replies.len(), count);
    let last = count.checked_sub(1).map(|last| match Reply::read(replies.get(last)) {
        Reply::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        reply => format!("{reply:?}"),
    });
    (count, last)
}

#[test]
fn one_shard_runs_every_command_in_order() {
    let (engine, mut shards) = driven(1);
    let mut lines = String::new();
    for number in 0..100 {
        lines.push_str(&format!("HSET h f{number} {number}\nSET k{number} v\n"));
    }
    lines.push_str("MSET a 1 b 2\nMGET a b\nRENAME a c\nCOPY c d\nDEL k1 k2 k3\nGET d");
    let (count, last) = run(&engine.client(), &mut shards[0], 0, &lines);
    assert_eq!((count, last.as_deref()), (206, Some("1")));
    let (count, last) = run(&engine.client(), &mut shards[0], 0, "DBSIZE");
    assert_eq!((count, last.as_deref()), (1, Some("Integer(101)")));
}

#[test]
fn a_shard_runs_what_is_its_own_after_what_was_sent_before() {
    let (engine, mut shards) = driven(2);
    let client = engine.client();
    let mut pipeline = client.pipeline();
    for number in 0..50 {
        let key = format!("k{number}");
        pipeline.command([b"SET", key.as_bytes(), b"sent"]).expect("it fits");
    }
    pipeline.submit().expect("there is room");
    let lines: String = (0..50).map(|number| format!("APPEND k{number} !\n")).collect();
    let ran: Vec<usize> = (0..2).map(|n| run(&client, &mut shards[n], n, &lines).0).collect();
    assert_eq!(ran.iter().sum::<usize>(), 50, "each key is one shard's: {ran:?}");
    assert!(ran.iter().all(|&count| count > 5), "{ran:?}");
    pipeline.wait().expect("both shards have had a turn");
    for number in 0..50 {
        let line = format!("GET k{number}");
        let answers = [0, 1].map(|n| run(&client, &mut shards[n], n, &line).1);
        assert_eq!(answers.into_iter().flatten().collect::<String>(), "sent!");
    }
    // Commands of several keys, or of none, are nobody's alone.
    let none = "MSET a 1 b 2\nMGET a b\nRENAME a b\nCOPY a b\nDBSIZE\nSCAN 0";
    assert_eq!(run(&client, &mut shards[0], 0, none).0, 0);
    assert_eq!((0..2).map(|n| run(&client, &mut shards[n], n, "MGET a").0).sum::<usize>(), 1);
}
