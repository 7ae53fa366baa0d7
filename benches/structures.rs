//! What does each structure of a store cost?
//!
//! Through the commands that are mostly that structure's work, on one thread, one by one and not in
//! groups, so that times can be added up. One iteration is one command.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hectare_engine::{Native, ReplyBuffer, Wire};
use hectare_store::{Args, Command, Config, KeyHasher, Request, Span, Store};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Keys or fields of a bench that has many.
const MANY: usize = 100_000;

/// Fields of a packed record, near the most that one has.
const PACKED: usize = 1_000;

/// Commands in one buffer.
#[derive(Default)]
struct Commands {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    rows: Vec<(&'static Command, u64, std::ops::Range<usize>)>,
}

impl Commands {
    fn of(count: usize, words: impl Fn(usize) -> Vec<String>) -> Self {
        let hasher = KeyHasher::with_seed(1);
        let mut commands = Self::default();
        for number in 0..count {
            let first = commands.spans.len();
            for word in words(number) {
                let start = u32::try_from(commands.bytes.len()).expect("less than 4 GiB");
                commands.bytes.extend_from_slice(word.as_bytes());
                let end = u32::try_from(commands.bytes.len()).expect("less than 4 GiB");
                commands.spans.push(Span { start, end });
            }
            let args = Args::new(&commands.bytes, &commands.spans[first..]);
            let (row, rest) = Command::resolve(args).expect("a good command");
            let (hash, end) = (hasher.hash(rest.at(0)), commands.spans.len());
            commands.rows.push((row, hash, end - rest.len()..end));
        }
        commands
    }

    fn request(&self, number: usize) -> Request<'_> {
        let (command, hash, spans) = &self.rows[number % self.rows.len()];
        let args = Args::new(&self.bytes, &self.spans[spans.clone()]);
        Request { command, database: 0, hash: *hash, args }
    }

    /// Runs every command once, or the first so many.
    fn run(&self, store: &mut Store, replies: &mut ReplyBuffer, count: usize) -> Duration {
        let start = Instant::now();
        for number in 0..count {
            replies.clear();
            let request = self.request(number);
            Native.lend(replies, &mut |sink| store.run(&request, sink));
            black_box(&replies);
        }
        start.elapsed()
    }
}

fn store() -> Store {
    Store::new(Config::new(KeyHasher::with_seed(1), 1))
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Commands that can be run again and again on what others have made.
fn steady(criterion: &mut Criterion, name: &str, load: &Commands, measured: &Commands) {
    let (mut store, mut replies) = (store(), ReplyBuffer::default());
    load.run(&mut store, &mut replies, load.rows.len());
    while store.tend() {}
    let mut group = criterion.benchmark_group("structures");
    group.throughput(Throughput::Elements(1));
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|count| {
            let count = usize::try_from(count).expect("a count fits");
            measured.run(&mut store, &mut replies, count)
        });
    });
    group.finish();
}

/// Commands of which each is run once, and then undone by others, which are not timed.
fn undone(
    criterion: &mut Criterion,
    name: &str,
    load: &Commands,
    [measured, undo]: [&Commands; 2],
) {
    let (mut store, mut replies) = (store(), ReplyBuffer::default());
    load.run(&mut store, &mut replies, load.rows.len());
    let all = measured.rows.len();
    let mut group = criterion.benchmark_group("structures");
    group.throughput(Throughput::Elements(1));
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|count| {
            let mut left = usize::try_from(count).expect("a count fits");
            let mut elapsed = Duration::ZERO;
            while left > 0 {
                let some = left.min(all);
                elapsed += measured.run(&mut store, &mut replies, some);
                undo.run(&mut store, &mut replies, some);
                left -= some;
            }
            elapsed
        });
    });
    group.finish();
}

fn bench(criterion: &mut Criterion) {
    let nothing = Commands::default();
    let set = |bytes: usize| {
        move |n: usize| words(&["SET", &format!("key:{n}"), &"v".repeat(1 + (n + bytes) % bytes)])
    };
    let delete = Commands::of(MANY, |n| words(&["DEL", &format!("key:{n}")]));
    let short = Commands::of(MANY, set(20));
    let longer = Commands::of(MANY * 2, |n| {
        words(&["SET", &format!("key:{}", n % MANY), &"w".repeat(1 + (n * 7 + n / MANY) % 24)])
    });
    let long = Commands::of(MANY / 8, set(3_000));
    let long_others = Commands::of(MANY / 4, |n| {
        words(&["SET", &format!("key:{}", n % (MANY / 8)), &"w".repeat(200 + n * 31 % 3_000)])
    });
    undone(criterion, "table, insertion", &nothing, [&short, &delete]);
    undone(criterion, "table, removal", &short, [&delete, &short]);
    let get = Commands::of(MANY, |n| words(&["GET", &format!("key:{}", n * 7_919 % MANY)]));
    steady(criterion, "table, look-up", &short, &get);
    steady(criterion, "table, replacement by another length", &short, &longer);
    steady(
        criterion,
        "bodies, replacement by another length, with compaction",
        &long,
        &long_others,
    );
    let kinds = Commands::of(MANY, |n| words(&["SET", &format!("kind{}:{n}:x", n % 8), "v"]));
    let same = Commands::of(MANY, |n| words(&["SET", &format!("kind:{n}:x"), "v"]));
    steady(criterion, "templates, keys of one kind", &same, &same);
    steady(criterion, "templates, keys of eight kinds in turn", &kinds, &kinds);
    let object = |n: usize, names: [&str; 5]| {
        let pairs = names.into_iter().flat_map(|name| [name.to_owned(), format!("{n}")]);
        words(&["HSET", &format!("key:{n}")]).into_iter().chain(pairs).collect::<Vec<_>>()
    };
    let shaped = Commands::of(MANY, |n| object(n, ["a", "b", "c", "d", "e"]));
    let other = Commands::of(MANY, |n| object(n, ["a", "b", "y", "d", "e"]));
    undone(criterion, "shapes, new hashes of one shape", &nothing, [&shaped, &delete]);
    undone(criterion, "shapes, new hashes of another branch", &shaped, [&other, &delete]);
    packed(criterion);
}

fn packed(criterion: &mut Criterion) {
    let pair = |n: usize, value: &str| words(&["HSET", "h", &format!("field:{n}"), value]);
    let load = Commands::of(PACKED, |n| pair(n, &format!("v{n}")));
    let last = format!("field:{}", PACKED - 1);
    steady(
        criterion,
        "packed record of 1,000 fields, HGET of the last",
        &load,
        &Commands::of(1, |_| words(&["HGET", "h", &last])),
    );
    let remove = Commands::of(1, |_| words(&["HDEL", "h", "another field"]));
    let add = Commands::of(1, |_| words(&["HSET", "h", "another field", "value"]));
    undone(criterion, "packed record of 1,000 fields, HSET of a new one", &load, [&add, &remove]);
    undone(criterion, "packed record of 1,000 fields, HDEL", &load, [&remove, &add]);
    let equal = Commands::of(PACKED, |n| pair(n, &format!("w{n}")));
    steady(criterion, "packed record of 1,000 fields, HSET of the same length", &load, &equal);
    let longer = Commands::of(2 * PACKED, |n| pair(n % PACKED, &"x".repeat(1 + (n / 3) % 6)));
    steady(criterion, "packed record of 1,000 fields, HSET of another length", &load, &longer);
    let integers = Commands::of(PACKED, |n| pair(n, &format!("{}", n * 7_919)));
    let all = Commands::of(1, |_| words(&["HGETALL", "h"]));
    steady(criterion, "encoding, HGETALL of 1,000 strings", &load, &all);
    steady(criterion, "encoding, HGETALL of 1,000 integers", &integers, &all);
}

criterion_group!(benches, bench);
criterion_main!(benches);
