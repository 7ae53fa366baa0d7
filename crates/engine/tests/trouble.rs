//! What happens when something goes wrong, or is full?

use hectare_engine::{Command, Engine, EngineError, Reply, Shard, ThreadWake, Turn, Wake};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

struct NoWake;

impl Wake for NoWake {
    fn wake(&self) {}
}

fn driven(count: usize) -> (Engine, Vec<Shard>) {
    let wakes = (0..count).map(|_| Box::new(NoWake) as Box<dyn Wake>).collect();
    Engine::builder().build_driven(wakes).expect("so many are allowed")
}

/// A command that panics, as one with a fault in it would.
fn panicking() -> &'static Command {
    static ROW: std::sync::OnceLock<Command> = std::sync::OnceLock::new();
    ROW.get_or_init(|| {
        let (get, _) = Command::find(b"get", None).expect("there is GET");
        Command { run: |_, _, _| panic!("this command has a fault"), ..*get }
    })
}

fn keys_by_shard(client: &hectare_engine::Client, lost: &str) -> (String, String) {
    // A key that does not answer any more is on the lost shard.
    let key = |wanted: bool| {
        (0..).map(|number| format!("{lost}{number}")).find(|key| client.get(key).is_err() == wanted)
    };
    (key(true).expect("there are many keys"), key(false).expect("there are many keys"))
}

#[test]
fn a_panic_loses_one_shard_and_hangs_nobody() {
    std::panic::set_hook(Box::new(|_| {}));
    for in_place in [true, false] {
        let engine = Engine::builder().shards(2).build().unwrap();
        let client = engine.client();
        let mut pipeline = client.pipeline();
        if !in_place {
            // So many are run by the shard's own thread.
            for _ in 0..3000 {
                pipeline.command([b"GET".as_slice(), b"k"]).unwrap();
            }
        }
        pipeline.push(panicking(), &[b"k"]).unwrap();
        let Err(EngineError::ShardLost { shard }) = pipeline.run().map(|_| ()) else {
            panic!("the shard is lost")
        };
        assert_eq!(client.get("k"), Err(EngineError::ShardLost { shard }));
        let (dead, alive) = keys_by_shard(&client, "key");
        assert_eq!(client.set(&alive, "v"), Ok(()));
        assert_eq!(client.hset(&dead, [("f", "v")]), Err(EngineError::ShardLost { shard }));
        assert_eq!(client.mget([&dead, &alive]), Err(EngineError::ShardLost { shard }));
        assert_eq!(client.dbsize(), Err(EngineError::ShardLost { shard }));
        assert_eq!(engine.stats().err(), Some(EngineError::ShardLost { shard }));
        assert_eq!(client.watch().key(&dead).err(), Some(EngineError::ShardLost { shard }));
        assert_eq!(engine.shutdown(), Err(EngineError::ShardLost { shard }));
        assert_eq!(client.get(&alive), Err(EngineError::Closed));
    }
}

#[test]
fn a_shard_that_was_dropped_is_named() {
    let (engine, mut shards) = driven(2);
    drop(shards.remove(1));
    shards[0].announce_sleep();
    let client = engine.client();
    let outcomes: Vec<_> = (0..20).map(|number| client.set(format!("k{number}"), "v")).collect();
    assert!(outcomes.contains(&Ok(())));
    assert!(outcomes.contains(&Err(EngineError::ShardLost { shard: 1 })));
    assert_eq!(client.dbsize(), Err(EngineError::ShardLost { shard: 1 }));
    drop(engine);
    assert_eq!(shards[0].turn(1), Turn::Finished);
}

#[test]
fn memory_that_is_full_refuses_what_grows() {
    let engine = Engine::builder().shards(2).memory_limit(1 << 20).build().unwrap();
    let client = engine.client();
    let refused =
        EngineError::Failed("OOM command not allowed when used memory > 'maxmemory'.".to_owned());
    let full = (0..100_000).find_map(|number| {
        client.set(format!("key:{number}"), [b'v'; 100]).err().map(|e| (number, e))
    });
    let (number, error) = full.expect("the limit is met");
    assert_eq!(error, refused);
    let bytes = engine.stats().unwrap().memory_bytes;
    assert!((1 << 20..(1 << 20) + (200 << 10)).contains(&bytes), "{bytes}");
    // Reading and removing is allowed; so is what does not grow, in the same pipeline.
    assert_eq!(client.get("key:1").unwrap().unwrap().len(), 100);
    assert_eq!(client.msetnx([("x", "1"), ("y", "2"), ("z", "3")]), Err(refused.clone()));
    assert_eq!(client.rename("key:1", "elsewhere"), Ok(()));
    assert_eq!(client.get("elsewhere").unwrap().unwrap().len(), 100);
    let mut pipeline = client.pipeline();
    pipeline.command([b"HSET".as_slice(), b"h", b"f", b"v"]).unwrap();
    pipeline.command([b"GET".as_slice(), b"elsewhere"]).unwrap();
    let replies = pipeline.run().unwrap();
    assert!(matches!(replies.get(0), Reply::Error(text) if text.starts_with("OOM ")));
    assert!(matches!(replies.get(1), Reply::Bytes(_)));
    for gone in 0..number {
        client.del([format!("key:{gone}")]).unwrap();
    }
    assert_eq!(client.set("again", "v"), Ok(()));
}

#[test]
fn bytes_and_commands_that_wait_are_bounded() {
    let builder = Engine::builder().mailbox_commands(10).mailbox_bytes(1 << 20);
    let (engine, mut shards) = builder.build_driven(vec![Box::new(NoWake)]).unwrap();
    let client = engine.client().trying();
    let submit = |commands: usize, bytes: usize| {
        let mut pipeline = client.pipeline();
        let value = vec![b'v'; bytes];
        for _ in 0..commands {
            pipeline.command([b"SET".as_slice(), b"k", &value]).unwrap();
        }
        pipeline.submit().map(|()| pipeline)
    };
    let mut first = submit(8, 1).unwrap();
    assert_eq!(submit(3, 1).err(), Some(EngineError::Full { shard: 0 }), "eleven commands");
    let mut second = submit(1, 900 << 10).unwrap();
    assert_eq!(submit(1, 200 << 10).err(), Some(EngineError::Full { shard: 0 }), "too many bytes");
    shards[0].turn(100);
    assert!(first.wait().is_ok() && second.wait().is_ok());
    let mut alone = submit(30, 100 << 10).expect("what is larger than all may be goes alone");
    shards[0].turn(100);
    assert!(alone.wait().is_ok());
}

/// Counts how often it was woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl std::task::Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn an_event_loop_submits_from_its_own_shard_and_polls() {
    let (engine, mut shards) = driven(2);
    let mut pipeline = engine.client().pipeline();
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    for round in 1..=3 {
        for number in 0..20 {
            let key = format!("h{number}");
            pipeline.command([b"HINCRBY", key.as_bytes(), b"n", b"1"]).unwrap();
        }
        pipeline.submit_from(&mut shards[0]).unwrap();
        assert!(pipeline.poll(&waker).is_pending(), "the other shard is awake and has not turned");
        let before = count.0.load(Ordering::Relaxed);
        shards[1].turn(1000);
        assert_eq!(count.0.load(Ordering::Relaxed), before + 1, "its answer wakes us");
        let Poll::Ready(Ok(replies)) = pipeline.poll(&waker) else { panic!("the answer is there") };
        assert!(replies.iter().all(|reply| reply == Reply::Integer(round)));
    }
    // If the other shard sleeps, its part is run here too.
    shards[1].announce_sleep();
    pipeline.command([b"HGET".as_slice(), b"h1", b"n"]).unwrap();
    pipeline.command([b"HGET".as_slice(), b"h2", b"n"]).unwrap();
    pipeline.command([b"MGET".as_slice(), b"a", b"b", b"c", b"d"]).unwrap();
    pipeline.submit_from(&mut shards[0]).unwrap();
    assert!(pipeline.poll(&waker).is_ready());
    // A watch needs the own shard, so it is looked at from aside.
    let client = engine.client();
    let watch = shards[0].aside(|| {
        let mut watch = client.watch();
        watch.key("h1").and_then(|watch| watch.key("h2")).map(|_| ()).map(|()| watch)
    });
    assert!(watch.is_ok());
}

#[test]
fn a_task_that_finds_no_room_is_polled_again() {
    let builder = Engine::builder().mailbox_batches(2);
    let (engine, mut shards) = builder.build_driven(vec![Box::new(NoWake)]).unwrap();
    let client = engine.client().asynchronous();
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut context = Context::from_waker(&waker);
    let mut futures: Vec<_> = (0..4).map(|_| Box::pin(client.hincrby("h", "n", 1))).collect();
    assert!(futures.iter_mut().all(|future| future.as_mut().poll(&mut context).is_pending()));
    assert_eq!(count.0.load(Ordering::Relaxed), 2, "two found no room");
    shards[0].turn(100);
    let mut answers: Vec<_> = futures
        .iter_mut()
        .map(|future| match future.as_mut().poll(&mut context) {
            Poll::Ready(answer) => answer.unwrap(),
            Poll::Pending => 0,
        })
        .collect();
    answers.sort_unstable();
    assert_eq!(answers, [0, 0, 1, 2]);
    drop(futures);
    // Futures that are dropped before their answer came harm nobody.
    shards[0].turn(100);
    assert_eq!(shards[0].turn(100), Turn::Idle { until: None });
}

fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn tasks_and_threads_share_an_engine() {
    let engine = Engine::builder().shards(2).mailbox_batches(2).build().unwrap();
    let workers: Vec<_> = (0..3)
        .map(|worker| {
            let client = engine.client();
            thread::spawn(move || {
                for round in 0..500_i64 {
                    if worker == 0 {
                        client.hincrby(format!("h{}", round % 7), "n", 1).unwrap();
                        continue;
                    }
                    block_on(async {
                        let task = client.asynchronous();
                        task.hincrby(format!("h{}", round % 7), "n", 1).await.unwrap();
                        let mut pipeline = client.pipeline();
                        pipeline.command([b"INCR".as_slice(), b"n"]).unwrap();
                        pipeline.command([b"MGET".as_slice(), b"n", b"m"]).unwrap();
                        assert_eq!(pipeline.run_async().await.unwrap().errors(), 0);
                        assert_eq!(task.mget(["m", "none"]).await.unwrap(), [None, None]);
                    });
                }
            })
        })
        .collect();
    workers.into_iter().for_each(|worker| worker.join().unwrap());
    let client = engine.client();
    let sum: i64 = (0..7).map(|number| client.hincrby(format!("h{number}"), "n", 0).unwrap()).sum();
    assert_eq!(sum, 1500);
    assert_eq!(client.incr("n"), Ok(1001));
}

/// A key that nobody asks for goes too, although the caller who set it was not the shard's thread.
#[test]
fn keys_go_in_time_whoever_set_them() {
    let engine = Engine::builder().shards(2).build().unwrap();
    let client = engine.client();
    thread::sleep(Duration::from_millis(20));
    for number in 0..50 {
        client.set(format!("k{number}"), "v").unwrap();
        client.expire(format!("k{number}"), Duration::from_millis(30)).unwrap();
    }
    let late = Instant::now() + Duration::from_secs(20);
    while engine.stats().unwrap().keys > 0 {
        assert!(Instant::now() < late, "{:?}", engine.stats());
        thread::sleep(Duration::from_millis(5));
    }
}

/// A driver that waits for its own shard would wait for ever; from aside it does not.
#[test]
fn a_driver_can_call_from_aside() {
    let wake: Vec<Box<dyn Wake>> = vec![Box::new(ThreadWake::current())];
    let (engine, mut shards) = Engine::builder().build_driven(wake).unwrap();
    let client = engine.client();
    assert_eq!(shards[0].aside(|| client.incr("n")), Ok(1));
    assert_eq!(shards[0].aside(|| client.mget(["n", "m"])).unwrap().len(), 2);
    assert!(!shards[0].is_lost());
}

#[cfg(target_os = "linux")]
#[test]
fn threads_can_be_pinned() {
    let engine = Engine::builder().shards(3).pin_threads(true).build().unwrap();
    let client = engine.client();
    let mut pipeline = client.pipeline();
    for number in 0..10_000 {
        let key = format!("k{number}");
        pipeline.command([b"SET", key.as_bytes(), b"v"]).unwrap();
    }
    assert_eq!(pipeline.run().unwrap().errors(), 0);
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let pinned = tasks
        .filter_map(|task| {
            let path = task.ok()?.path();
            let name = std::fs::read_to_string(path.join("comm")).ok()?;
            let status = std::fs::read_to_string(path.join("status")).ok()?;
            let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
            Some((name, list.trim().to_owned()))
        })
        .filter(|(name, list)| name.starts_with("hectare-shard") && list.parse::<u32>().is_ok());
    assert!(pinned.count() >= 3);
}

#[test]
fn a_shard_that_nobody_drives_is_not_waited_for_for_ever() {
    let (engine, _shards) = driven(2);
    let client = engine.client().trying();
    let Err(EngineError::Busy { .. }) = client.mget(["a", "b", "c", "d"]) else {
        panic!("nobody lends")
    };
    let Err(EngineError::Busy { .. }) = client.stats() else { panic!("nobody lends") };
}

/// What was sent before waits in the mailbox, or is half done, when a later call comes in.
#[test]
fn a_call_in_place_overtakes_nothing_that_was_sent_before() {
    let (engine, mut shards) = driven(1);
    let shard = &mut shards[0];
    let client = engine.client();
    let add = |pipeline: &mut hectare_engine::Pipeline, count: usize| {
        for _ in 0..count {
            pipeline.command([b"INCR".as_slice(), b"n"]).unwrap();
        }
    };
    let mut sent = client.pipeline();
    for half_done in [false, true] {
        for way in 0..3 {
            let before = shard.aside(|| client.incr("n").unwrap());
            add(&mut sent, 10);
            sent.submit().unwrap();
            if half_done {
                assert_eq!(shard.turn(4), Turn::Busy);
            }
            let mut later = client.pipeline();
            add(&mut later, 1);
            let found = match way {
                0 => shard.aside(|| client.incr("n").unwrap()),
                1 => {
                    let replies = shard.aside(|| later.run_atomically().map(|_| ()));
                    replies.unwrap();
                    number(later.replies().unwrap().get(0))
                }
                _ => {
                    later.submit_from(shard).unwrap();
                    let Poll::Ready(Ok(replies)) = later.poll(Waker::noop()) else {
                        panic!("it was run at once")
                    };
                    number(replies.get(0))
                }
            };
            assert_eq!(found, before + 11, "way {way}, half done: {half_done}");
            assert_eq!(number(sent.wait().unwrap().get(9)), before + 10);
        }
    }
}

fn number(reply: Reply<'_>) -> i64 {
    match reply {
        Reply::Integer(number) => number,
        other => panic!("a number, not {other:?}"),
    }
}

/// Many callers' small batches are run as one group; each gets its own answers, and what does not
/// fit comes next.
#[test]
fn small_batches_run_together_are_answered_apart() {
    for budget in [1, 3, 1000] {
        let (engine, mut shards) = driven(1);
        let client = engine.client();
        let mut sent = Vec::new();
        for (number, commands) in [1, 1, 3, 0, 8, 9, 1, 40, 2, 7, 7, 7, 1].into_iter().enumerate() {
            let mut pipeline = client.pipeline();
            for command in 0..commands {
                let text = format!("{number}:{command}");
                match command % 3 {
                    0 => pipeline.command([b"INCR".as_slice(), b"n"]).unwrap(),
                    1 => pipeline.command([b"SET".as_slice(), b"s", text.as_bytes()]).unwrap(),
                    _ => pipeline.command([b"HGET".as_slice(), b"s", b"f"]).unwrap(),
                };
            }
            pipeline.submit().unwrap();
            sent.push((pipeline, commands));
        }
        while shards[0].turn(budget) == Turn::Busy {}
        let mut incremented = 0;
        for (pipeline, commands) in &mut sent {
            let replies = pipeline.wait().unwrap();
            assert_eq!(replies.len(), *commands);
            assert_eq!(replies.errors(), *commands / 3);
            for (command, reply) in replies.iter().enumerate() {
                match command % 3 {
                    0 => {
                        incremented += 1;
                        assert_eq!(reply, Reply::Integer(incremented));
                    }
                    1 => assert_eq!(reply, Reply::Status("OK")),
                    _ => assert!(
                        matches!(reply, Reply::Error(text) if text.starts_with("WRONGTYPE"))
                    ),
                }
            }
        }
    }
}
