//! What does a command cost inside one shard, on one thread?
//!
//! A million `user` objects of five fields; uniform keys; requests are parsed and hashed beforehand
//! and run in groups, as a shard runs them. HSET of five fields is measured three times: of objects
//! that are new, of objects that have values of the same lengths, and of other lengths. Beside the store, in the same run, a `hashbrown` map from
//! key to a list of fields does the same without protocol, replies, integers or deadlines. One
//! iteration is one command.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use hashbrown::HashMap;
use hectare_engine::{Native, ReplyBuffer, Wire};
use hectare_store::{Args, Command, Config, GROUP, KeyHasher, Request, Span, Store};
use hectare_workload::{
    Commands, Dataset, KeyPopularity, Layout, LoadPlan, Mix, OperationStream, Schema, WritePattern,
};
use std::hint::black_box;
use std::time::{Duration, Instant};

const OBJECTS: u64 = 1_000_000;

/// How many different commands of a kind are prepared; they are run again and again.
const PREPARED: usize = 1 << 18;

/// Commands that are parsed and hashed.
#[derive(Default)]
struct Prepared {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    headers: Vec<(&'static Command, u64, usize, usize)>,
}

impl Prepared {
    fn of(commands: &Commands, hasher: &KeyHasher) -> Self {
        let mut prepared = Self::default();
        for command in commands.iter() {
            let spans_start = prepared.spans.len();
            for argument in command.iter() {
                let start = prepared.bytes.len();
                prepared.bytes.extend_from_slice(argument);
                let [start, end] = [start, prepared.bytes.len()]
                    .map(|place| u32::try_from(place).expect("less than 4 GiB of commands"));
                prepared.spans.push(Span { start, end });
            }
            let spans_end = prepared.spans.len();
            let args = Args::new(&prepared.bytes, &prepared.spans[spans_start..spans_end]);
            let (row, rest) = Command::resolve(args).expect("a workload sends good commands");
            let hash = hasher.hash(rest.get(0).expect("every command has a key"));
            let rest_start = spans_end - rest.len();
            prepared.headers.push((row, hash, rest_start, spans_end));
        }
        prepared
    }

    fn request(&self, index: usize) -> Request<'_> {
        let (command, hash, start, end) = self.headers[index % self.headers.len()];
        let args = Args::new(&self.bytes, &self.spans[start..end]);
        Request { command, database: 0, hash, args }
    }
}

/// Runs so many requests in groups and says how long it took.
fn run(store: &mut Store, prepared: &Prepared, replies: &mut ReplyBuffer, count: u64) -> Duration {
    let count = usize::try_from(count).expect("a count fits");
    let start = Instant::now();
    for first in (0..count).step_by(GROUP) {
        let mut group = [prepared.request(first); GROUP];
        let group = &mut group[..GROUP.min(count - first)];
        for (offset, request) in group.iter_mut().enumerate() {
            *request = prepared.request(first + offset);
        }
        replies.clear();
        Native.lend(replies, &mut |sink| store.run_group(group, sink));
        black_box(&replies);
    }
    start.elapsed()
}

/// What a Rust programmer would write first.
type Plain = HashMap<Box<[u8]>, Vec<(Box<[u8]>, Box<[u8]>)>, ahash::RandomState>;

fn plain_run(map: &mut Plain, commands: &Commands, count: u64) -> Duration {
    let start = Instant::now();
    let mut left = count;
    while left > 0 {
        for command in commands.iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
            plain_command(map, command);
            left -= 1;
        }
    }
    start.elapsed()
}

fn plain_command(map: &mut Plain, command: hectare_workload::Command<'_>) {
    let key = &command[1];
    match &command[0] {
        b"HSET" => {
            if !map.contains_key(key) {
                map.insert(key.into(), Vec::new());
            }
            let fields = map.get_mut(key).expect("it was put there");
            for index in (2..command.len()).step_by(2) {
                let (name, value) = (&command[index], &command[index + 1]);
                match fields.iter_mut().find(|(field, _)| **field == *name) {
                    Some((_, old)) => *old = value.into(),
                    None => fields.push((name.into(), value.into())),
                }
            }
        }
        b"HGETALL" => {
            for (field, value) in map.get(key).into_iter().flatten() {
                black_box((field.to_vec(), value.to_vec()));
            }
        }
        _ => {
            let fields = map.get(key);
            let found = fields.and_then(|f| f.iter().find(|(field, _)| **field == command[2]));
            black_box(found.map(|(_, value)| value.to_vec()));
        }
    }
}

fn operations(dataset: &Dataset, mix: &str) -> Commands {
    let mix: Mix = mix.parse().expect("a mix of one kind");
    let mut stream = OperationStream::new(dataset, &mix, KeyPopularity::Uniform, 1, 0)
        .expect("the dataset has what the mix needs");
    let (mut commands, mut kinds) = (Commands::new(), Vec::new());
    stream.fill(&mut commands, &mut kinds, PREPARED);
    commands
}

fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    store: &mut Store,
    map: &mut Plain,
    hasher: &KeyHasher,
    commands: &Commands,
) {
    let prepared = Prepared::of(commands, hasher);
    let mut replies = ReplyBuffer::default();
    group.throughput(Throughput::Elements(1));
    group.bench_function("hectare", |bencher| {
        bencher.iter_custom(|count| run(store, &prepared, &mut replies, count));
    });
    group.bench_function("hashbrown", |bencher| {
        bencher.iter_custom(|count| plain_run(map, commands, count));
    });
}

/// Commands in an order that no cache can foresee.
fn shuffle(commands: &Commands) -> Commands {
    let mut order: Vec<usize> = (0..commands.len()).collect();
    // Fisher and Yates, with Lehmer's generator.
    let mut state = 1_u128;
    for last in (1..order.len()).rev() {
        state = state.wrapping_mul(0xda94_2042_e4dd_58b5);
        let number = u64::try_from(state >> 64).expect("the upper half");
        let other = u64::try_from(last + 1).map(|bound| number % bound).expect("a count fits");
        order.swap(last, usize::try_from(other).expect("it is no greater"));
    }
    let mut shuffled = Commands::new();
    for index in order {
        shuffled.push(commands.get(index).expect("every index is one of a command"));
    }
    shuffled
}

/// All that fills a store, in a shuffled order.
fn load_of(dataset: &Dataset) -> Commands {
    let plan = LoadPlan::new(dataset, Layout::Hash, WritePattern::Bulk).expect("hashes are");
    let mut all = Commands::new();
    plan.append(0..plan.command_count(), &mut all);
    shuffle(&all)
}

/// What a new object costs, on the way from nothing to a million. A sample is the whole way.
fn bench_insertion(criterion: &mut Criterion, hasher: &KeyHasher, load: &Commands) {
    let prepared = Prepared::of(load, hasher);
    let objects = load.len() as u64;
    let mut group = criterion.benchmark_group("store/HSET of 5 fields, new objects");
    group.throughput(Throughput::Elements(1));
    group.sample_size(10);
    let share = |whole: Duration, count: u64| {
        Duration::from_secs_f64(whole.as_secs_f64() * count as f64 / objects as f64)
    };
    let mut replies = ReplyBuffer::default();
    group.bench_function("hectare", |bencher| {
        bencher.iter_custom(|count| {
            let mut store = Store::new(Config::new(hasher.clone(), 1));
            share(run(&mut store, &prepared, &mut replies, objects), count)
        });
    });
    group.bench_function("hashbrown", |bencher| {
        bencher.iter_custom(|count| {
            let mut map = Plain::with_hasher(ahash::RandomState::with_seed(1));
            share(plain_run(&mut map, load, objects), count)
        });
    });
    group.finish();
}

fn bench(criterion: &mut Criterion) {
    let dataset = Dataset::new(Schema::preset("user").expect("a preset"))
        .with_objects(OBJECTS)
        .expect("a million is allowed");
    let hasher = KeyHasher::with_seed(1);
    let load = load_of(&dataset);
    bench_insertion(criterion, &hasher, &load);

    let mut store = Store::new(Config::new(hasher.clone(), 1));
    let mut map = Plain::with_hasher(ahash::RandomState::with_seed(1));
    let mut replies = ReplyBuffer::default();
    let prepared = Prepared::of(&load, &hasher);
    run(&mut store, &prepared, &mut replies, OBJECTS);
    plain_run(&mut map, &load, OBJECTS);
    drop(prepared);
    // As its owner does, when nobody asks for anything.
    while store.tend() || store.rest() {}
    let mut same = Commands::new();
    load.iter().take(PREPARED).for_each(|command| same.push(command));
    for (name, commands) in [
        ("HGET", operations(&dataset, "hget=1")),
        ("HGETALL", operations(&dataset, "hgetall=1")),
        ("HSET of 1 field", operations(&dataset, "hset1=1")),
        ("HSET of 5 fields, same lengths", same),
        ("HSET of 5 fields, other lengths", operations(&dataset, "hset=1")),
    ] {
        let mut group = criterion.benchmark_group(format!("store/{name}"));
        measure(&mut group, &mut store, &mut map, &hasher, &commands);
        group.finish();
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
