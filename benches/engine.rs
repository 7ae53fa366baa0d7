//! What does a command cost from a caller's thread to a shard and back?
//!
//! A million `user` objects of five fields; 90 % HSET of one field, 10 % HGET; uniform keys, every
//! caller its own. `pipelines of 64`: per command, all callers together. `calls`: one at a time.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hectare_engine::{Client, Engine, Pipeline};
use hectare_workload::{
    Commands, Dataset, KeyPopularity, Layout, LoadPlan, Mix, OperationStream, Schema, WritePattern,
};
use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

const OBJECTS: u64 = 1_000_000;
const PIPELINE: usize = 64;

/// How many commands each caller has prepared; they are run again and again.
const PREPARED: usize = 1 << 18;

fn send(pipeline: &mut Pipeline, commands: &Commands, from: usize, count: usize) {
    for index in from..from + count {
        let command = commands.get(index % commands.len()).expect("within its length");
        pipeline.command(command.iter()).expect("a workload sends good commands");
    }
    let replies = pipeline.run().expect("the engine runs");
    assert_eq!(replies.errors(), 0);
    black_box(replies);
}

fn load(client: &Client, dataset: &Dataset) {
    let plan = LoadPlan::new(dataset, Layout::Hash, WritePattern::Bulk).expect("hashes are");
    let mut pipeline = client.pipeline();
    let mut chunks = plan.chunks(64 << 20);
    while let Some(commands) = chunks.next_chunk() {
        for first in (0..commands.len()).step_by(256) {
            send(&mut pipeline, commands, first, 256.min(commands.len() - first));
        }
    }
}

/// The time in which all callers together run so many commands, each its share.
fn together(client: &Client, streams: &[Commands], commands: u64) -> Duration {
    let share = usize::try_from(commands).expect("a count fits").div_ceil(streams.len());
    let line = Barrier::new(streams.len() + 1);
    thread::scope(|scope| {
        let callers: Vec<_> = streams
            .iter()
            .map(|commands| {
                let mut pipeline = client.pipeline();
                let line = &line;
                scope.spawn(move || {
                    line.wait();
                    for first in (0..share).step_by(PIPELINE) {
                        send(&mut pipeline, commands, first, PIPELINE.min(share - first));
                    }
                })
            })
            .collect();
        line.wait();
        let start = Instant::now();
        for caller in callers {
            caller.join().expect("no caller panics");
        }
        start.elapsed()
    })
}

fn bench(criterion: &mut Criterion) {
    let dataset = Dataset::new(Schema::preset("user").expect("a preset"))
        .with_objects(OBJECTS)
        .expect("a million is allowed");
    let mix: Mix = "hset1=90,hget=10".parse().expect("a mix");
    let streams: Vec<Commands> = (0..2)
        .map(|caller| {
            let mut stream =
                OperationStream::new(&dataset, &mix, KeyPopularity::Uniform, 1, caller)
                    .expect("the dataset has what the mix needs");
            let (mut commands, mut kinds) = (Commands::new(), Vec::new());
            stream.fill(&mut commands, &mut kinds, PREPARED);
            commands
        })
        .collect();
    for shards in [1, 2] {
        let engine = Engine::builder().shards(shards).build().expect("threads can be had");
        let client = engine.client();
        load(&client, &dataset);
        let mut group = criterion.benchmark_group(format!("engine/{shards} shards"));
        group.throughput(Throughput::Elements(1));
        for callers in [1, 2] {
            group.bench_function(
                BenchmarkId::new("pipelines of 64, callers", callers),
                |bencher| {
                    bencher
                        .iter_custom(|commands| together(&client, &streams[..callers], commands));
                },
            );
        }
        group.bench_function("calls", |bencher| {
            let mut number = 0;
            bencher.iter(|| {
                number = (number + 7919) % OBJECTS;
                let key = format!("user:{number}");
                black_box(client.hget(key, "city").expect("the engine runs"))
            });
        });
        group.finish();
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
