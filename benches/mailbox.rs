//! What does it cost to hand commands to another thread, one by one and in batches?
//!
//! One producer and one consumer, each on a thread. A message is a slice of commands, so that every
//! queue moves two words and the consumer touches every command. `one way`: as fast as they go, per
//! command. `round trip`: one message in flight, answered, per command.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use crossbeam::queue::{ArrayQueue, SegQueue};
use crossbeam::utils::Backoff;
use hectare_mailbox::{Answer, Completion, Owner, ThreadWake, mailbox};
use std::hint::black_box;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Messages that may wait.
const CAPACITY: usize = 256;

type Message = &'static [u64];

/// One way of handing messages to one consumer.
trait Queue: Sync {
    /// Waits for room.
    fn send(&self, message: Message);
    /// Waits for a message.
    fn receive(&self) -> Message;
}

struct Array(ArrayQueue<Message>);

impl Queue for Array {
    fn send(&self, message: Message) {
        let backoff = Backoff::new();
        while self.0.push(message).is_err() {
            backoff.snooze();
        }
    }

    fn receive(&self) -> Message {
        let backoff = Backoff::new();
        loop {
            if let Some(message) = self.0.pop() {
                return message;
            }
            backoff.snooze();
        }
    }
}

struct Segments(SegQueue<Message>);

impl Queue for Segments {
    fn send(&self, message: Message) {
        self.0.push(message);
    }

    fn receive(&self) -> Message {
        let backoff = Backoff::new();
        loop {
            if let Some(message) = self.0.pop() {
                return message;
            }
            backoff.snooze();
        }
    }
}

struct Channel {
    sender: crossbeam::channel::Sender<Message>,
    receiver: crossbeam::channel::Receiver<Message>,
}

impl Queue for Channel {
    fn send(&self, message: Message) {
        self.sender.send(message).expect("the receiver lives as long");
    }

    fn receive(&self) -> Message {
        self.receiver.recv().expect("the sender lives as long")
    }
}

fn consume(message: Message) {
    black_box(message.iter().fold(0_u64, |sum, command| sum.wrapping_add(*command)));
}

/// The time that a rival takes for so many messages.
fn one_way(queue: &impl Queue, message: Message, messages: u64) -> Duration {
    thread::scope(|scope| {
        let start = Instant::now();
        scope.spawn(|| (0..messages).for_each(|_| queue.send(message)));
        (0..messages).for_each(|_| consume(queue.receive()));
        start.elapsed()
    })
}

/// The same for the mailbox, which sleeps when it has nothing to do.
fn mailbox_one_way(message: Message, messages: u64) -> Duration {
    let (sender, mut owner) = mailbox::<Message, ()>(CAPACITY, (), Box::new(ThreadWake::current()));
    let patient = Instant::now() + Duration::from_secs(600);
    thread::scope(|scope| {
        let start = Instant::now();
        scope.spawn(move || {
            for _ in 0..messages {
                sender.send_before(message, patient).expect("the owner takes what comes");
            }
        });
        for _ in 0..messages {
            consume(next(&mut owner));
        }
        start.elapsed()
    })
}

fn next<T: Send>(owner: &mut Owner<T>) -> T {
    loop {
        if let Some(item) = owner.pop() {
            return item;
        }
        if !owner.linger() {
            owner.sleep(None);
        }
    }
}

fn round_trip(there: &impl Queue, back: &impl Queue, message: Message, trips: u64) -> Duration {
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..trips {
                let message = there.receive();
                consume(message);
                back.send(message);
            }
        });
        let start = Instant::now();
        for _ in 0..trips {
            there.send(message);
            black_box(back.receive());
        }
        start.elapsed()
    })
}

fn mailbox_round_trip(message: Message, trips: u64) -> Duration {
    let (start, started) = mpsc::channel::<Owner<(Message, Completion<Message>)>>();
    let serving = thread::spawn(move || {
        let mut owner = started.recv().expect("the owner is sent below");
        for _ in 0..trips {
            let (message, completion) = next(&mut owner);
            consume(message);
            completion.complete(message);
        }
    });
    let wake = ThreadWake::new(serving.thread().clone());
    let (sender, owner) = mailbox(CAPACITY, (), Box::new(wake));
    start.send(owner).expect("the thread waits for it");
    let mut answer = Answer::new();
    let begin = Instant::now();
    for _ in 0..trips {
        sender.send((message, answer.issue())).expect("there is room for one");
        black_box(answer.wait(None).expect("every message is answered"));
    }
    let elapsed = begin.elapsed();
    serving.join().expect("it ends after the last trip");
    elapsed
}

fn rivals() -> (Array, Segments, Channel) {
    let (sender, receiver) = crossbeam::channel::bounded(CAPACITY);
    let array = Array(ArrayQueue::new(CAPACITY));
    (array, Segments(SegQueue::new()), Channel { sender, receiver })
}

fn bench(criterion: &mut Criterion) {
    for batch in [1_u64, 32, 64] {
        let message: Message = (0..batch).collect::<Vec<_>>().leak();

        let mut group = criterion.benchmark_group("mailbox/one way");
        group.throughput(Throughput::Elements(batch));
        let (array, segments, channel) = rivals();
        let of = |name| BenchmarkId::new(name, batch);
        group.bench_function(of("hectare"), |bencher| {
            bencher.iter_custom(|messages| mailbox_one_way(message, messages));
        });
        group.bench_function(of("ArrayQueue"), |bencher| {
            bencher.iter_custom(|messages| one_way(&array, message, messages));
        });
        group.bench_function(of("SegQueue"), |bencher| {
            bencher.iter_custom(|messages| one_way(&segments, message, messages));
        });
        group.bench_function(of("channel"), |bencher| {
            bencher.iter_custom(|messages| one_way(&channel, message, messages));
        });
        group.finish();

        let mut group = criterion.benchmark_group("mailbox/round trip");
        group.throughput(Throughput::Elements(batch));
        let (array_back, segments_back, channel_back) = rivals();
        group.bench_function(of("hectare"), |bencher| {
            bencher.iter_custom(|trips| mailbox_round_trip(message, trips));
        });
        group.bench_function(of("ArrayQueue"), |bencher| {
            bencher.iter_custom(|trips| round_trip(&array, &array_back, message, trips));
        });
        group.bench_function(of("SegQueue"), |bencher| {
            bencher.iter_custom(|trips| round_trip(&segments, &segments_back, message, trips));
        });
        group.bench_function(of("channel"), |bencher| {
            bencher.iter_custom(|trips| round_trip(&channel, &channel_back, message, trips));
        });
        group.finish();
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
