//! What does an engine cost that nobody uses, and the first call after that?

use crate::rows::{Row, Rows};
use hectare_engine::Engine;
use hectare_mailbox::{Answer, Completion, Owner, ThreadWake, mailbox};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

const CALLS: usize = 50;

pub(crate) fn measure(rows: &mut Rows) {
    let engine = Engine::builder().build().expect("threads can be had");
    let client = engine.client();
    client.hset("user:1", [("name", "Ada")]).expect("the engine runs");
    let before = cpu_seconds();
    thread::sleep(Duration::from_secs(2));
    let share = (cpu_seconds() - before) / 2.0;
    rows.add(Row::new("nothing for 2 s".into(), "hectare", "% of a core", vec![share * 100.0]));
    let borrowed = (0..CALLS).map(|_| {
        pause();
        let start = Instant::now();
        client.hget("user:1", "name").expect("the engine runs");
        start.elapsed().as_secs_f64() * 1e9
    });
    rows.add(Row::new(
        "first call after 5 ms".into(),
        "hectare, in place",
        "ns a call",
        borrowed.collect(),
    ));
    rows.add(Row::new(
        "first call after 5 ms".into(),
        "mailbox, by waking its owner",
        "ns a call",
        woken(),
    ));
}

/// Keeps the caller's core awake, so that only the engine's threads are cold.
fn pause() {
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(5) {
        std::hint::spin_loop();
    }
}

/// A mailbox whose owner sleeps in between.
fn woken() -> Vec<f64> {
    let (start, started) = mpsc::channel::<Owner<Completion<u64>>>();
    let serving = thread::spawn(move || {
        let mut owner = started.recv().expect("the owner is sent below");
        while !owner.is_finished() {
            match owner.pop() {
                Some(completion) => completion.complete(1),
                None => owner.sleep(None),
            }
        }
    });
    let wake = ThreadWake::new(serving.thread().clone());
    let (sender, owner) = mailbox(16, (), Box::new(wake));
    start.send(owner).expect("the thread waits for it");
    let mut answer = Answer::new();
    let times = (0..CALLS).map(|_| {
        pause();
        let begin = Instant::now();
        sender.send(answer.issue()).expect("there is room");
        answer.wait(None).expect("it is answered");
        begin.elapsed().as_secs_f64() * 1e9
    });
    let times = times.collect();
    sender.close();
    serving.join().expect("it ends");
    times
}

/// What all threads of the process have used.
pub(crate) fn cpu_seconds() -> f64 {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    used.tv_sec as f64 + used.tv_nsec as f64 / 1e9
}
