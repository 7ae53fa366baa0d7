//! What does a command cost when threads share the data, beside the maps that share it otherwise?
//!
//! `user` objects of five fields, one HSET of one field or one HGET a command, every thread its own
//! sequence of keys. The rivals hold key → list of (field, value) and are called directly; they do
//! without protocol, integers, deadlines or order. All contenders hold the same data at the same
//! time, and take turns: each figure is the median of so many rounds of one run, so that ratios
//! last even where times do not.
//!
//! Without arguments everything is measured, in some minutes. `--test` runs everything once, small.
//!
//! | variable | meaning | otherwise |
//! | --- | --- | --- |
//! | `HECTARE_BENCH_OBJECTS` | how many objects | 1000000 |
//! | `HECTARE_BENCH_ROUNDS` | how many rounds | 5 |
//! | `HECTARE_BENCH_COMMANDS` | how many commands a thread and round | 300000 |
//! | `HECTARE_BENCH_SHARDS` | how many shards | as the engine chooses |
//! | `HECTARE_BENCH_LARGE` | how many objects the larger engine holds, `0` for none | 0 |
//! | `HECTARE_BENCH_CSV` | a file for the rows | none |

mod contenders;
mod quiet;
mod rows;

use contenders::{Bare, Calls, Contender, Pipelines, rivals};
use hectare_engine::Engine;
use hectare_workload::{
    Commands, Dataset, KeyPopularity, Layout, LoadPlan, Mix, OperationStream, Schema, WritePattern,
};
use rows::{Row, Rows};
use std::env;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// How many different commands each thread has prepared; they are run again and again.
const PREPARED: usize = 1 << 18;

/// The objects of which the last row but some wants to know: all of them fit into a core's cache.
const FEW_OBJECTS: u64 = 10_000;

/// What is measured, and how thoroughly.
struct Plan {
    objects: u64,
    large_objects: u64,
    rounds: usize,
    commands: usize,
    shards: Option<usize>,
}

impl Plan {
    fn from_environment() -> Self {
        let number = |name: &str, otherwise: u64| {
            let text = env::var(name).ok();
            text.map_or(otherwise, |text| text.parse().expect("the variable is a number"))
        };
        let is_test = env::args().any(|argument| argument == "--test");
        let (objects, rounds, commands) =
            if is_test { (1_000, 1, 2_000) } else { (1_000_000, 5, 300_000) };
        let size = |number: u64| usize::try_from(number).expect("it fits");
        Self {
            objects: number("HECTARE_BENCH_OBJECTS", objects),
            large_objects: number("HECTARE_BENCH_LARGE", 0),
            rounds: size(number("HECTARE_BENCH_ROUNDS", rounds)),
            commands: size(number("HECTARE_BENCH_COMMANDS", commands)),
            shards: Some(size(number("HECTARE_BENCH_SHARDS", 0))).filter(|shards| *shards > 0),
        }
    }

    fn engine(&self) -> Engine {
        let builder = Engine::builder();
        let builder = self.shards.map_or(builder.clone(), |shards| builder.shards(shards));
        builder.build().expect("threads can be had")
    }
}

/// One line of the table: what is done.
#[derive(Clone, Copy)]
struct Work {
    threads: usize,
    popularity: KeyPopularity,
    mix: &'static str,
}

impl Work {
    fn name(self) -> String {
        let keys = match self.popularity {
            KeyPopularity::Uniform => "uniform".to_owned(),
            KeyPopularity::Zipf { exponent } => format!("zipf {exponent}"),
        };
        let threads = if self.threads == 1 { "thread" } else { "threads" };
        format!("{} {threads}, {}, {keys}", self.threads, self.mix)
    }

    /// The commands of each thread.
    fn streams(self, dataset: &Dataset) -> Vec<Commands> {
        let mix: Mix = self.mix.parse().expect("a mix");
        (0..self.threads as u64)
            .map(|thread| {
                let mut stream = OperationStream::new(dataset, &mix, self.popularity, 1, thread)
                    .expect("the dataset has what the mix needs");
                let (mut commands, mut kinds) = (Commands::new(), Vec::new());
                stream.fill(&mut commands, &mut kinds, PREPARED);
                commands
            })
            .collect()
    }
}

const HSETS: &str = "hset1=90,hget=10";
const HGETS: &str = "hset1=10,hget=90";
const ZIPF: KeyPopularity = KeyPopularity::Zipf { exponent: 0.99 };

fn dataset(objects: u64) -> Dataset {
    let schema = Schema::preset("user").expect("a preset");
    Dataset::new(schema).with_objects(objects).expect("so many are allowed")
}

/// Loads all of them, and lets the shards' owners put in order what was written: that is no part of
/// what comes after.
fn load(dataset: &Dataset, contenders: &[&dyn Contender]) {
    let plan = LoadPlan::new(dataset, Layout::Hash, WritePattern::Bulk).expect("hashes are");
    let mut chunks = plan.chunks(64 << 20);
    while let Some(commands) = chunks.next_chunk() {
        for contender in contenders {
            contender.run(commands, 0, commands.len());
        }
    }
    thread::sleep(SETTLING);
}

/// More than owners take to put a million objects in order.
const SETTLING: Duration = Duration::from_secs(2);

/// What a round has taken, per command.
#[derive(Clone, Copy)]
struct Taken {
    /// From the first thread that begins to the last that ends.
    wall_ns: f64,
    /// Of all threads of the process together: on a machine that others use, too, it lasts.
    cpu_ns: f64,
}

/// What it takes if all threads together run so many commands each.
fn together(contender: &dyn Contender, streams: &[Commands], first: usize, count: usize) -> Taken {
    let line = Barrier::new(streams.len());
    let run = |commands: &Commands| {
        line.wait();
        let start = Instant::now();
        contender.run(commands, first, count);
        (start, Instant::now())
    };
    let cpu_before = quiet::cpu_seconds();
    let spans: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> =
            streams.iter().map(|commands| scope.spawn(|| run(commands))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no thread panics")).collect()
    });
    let cpu_s = quiet::cpu_seconds() - cpu_before;
    let start = spans.iter().map(|(start, _)| *start).min();
    let end = spans.iter().map(|(_, end)| *end).max();
    let wall = end.zip(start).map_or(Duration::ZERO, |(end, start)| end - start);
    let commands = (count * streams.len()) as f64;
    Taken { wall_ns: wall.as_secs_f64() * 1e9 / commands, cpu_ns: cpu_s * 1e9 / commands }
}

const WALL: &str = "ns a command";
const CPU: &str = "CPU ns a command";

/// Every contender does the same work in every round.
fn measure(plan: &Plan, work: &str, contenders: &[(&dyn Contender, &[Commands])], rows: &mut Rows) {
    let mut taken = vec![Vec::new(); contenders.len()];
    for round in 0..=plan.rounds {
        for ((contender, streams), taken) in contenders.iter().zip(&mut taken) {
            let now = together(*contender, streams, round * plan.commands, plan.commands);
            // The first round warms up.
            if round > 0 {
                taken.push(now);
            }
        }
    }
    for ((contender, _), taken) in contenders.iter().zip(taken) {
        let of = |figure: fn(&Taken) -> f64| taken.iter().map(figure).collect();
        rows.add(Row::new(work.to_owned(), contender.name(), WALL, of(|taken| taken.wall_ns)));
        rows.add(Row::new(work.to_owned(), contender.name(), CPU, of(|taken| taken.cpu_ns)));
    }
}

/// The same commands for everybody who can run them.
fn with_same<'a>(
    contenders: &[&'a dyn Contender],
    streams: &'a [Commands],
) -> Vec<(&'a dyn Contender, &'a [Commands])> {
    let can = |contender: &&&dyn Contender| streams.len() == 1 || !contender.is_single();
    contenders.iter().filter(can).map(|contender| (*contender, streams)).collect()
}

fn shared_by_threads(plan: &Plan, rows: &mut Rows) {
    let dataset = dataset(plan.objects);
    let engine = plan.engine();
    let (pipelines, calls) = (Pipelines::new(engine.client()), Calls::new(engine.client()));
    let (bare, rivals) = (Bare::new(), rivals());
    let mut loaded: Vec<&dyn Contender> = vec![&pipelines, &bare];
    loaded.extend(rivals.iter().map(|rival| &**rival as &dyn Contender));
    load(&dataset, &loaded);
    let mut contenders: Vec<&dyn Contender> = vec![&pipelines, &calls, &bare];
    contenders.extend(rivals.iter().map(|rival| &**rival as &dyn Contender));
    for threads in [2, 1] {
        for popularity in [KeyPopularity::Uniform, ZIPF] {
            for mix in [HSETS, HGETS] {
                let work = Work { threads, popularity, mix };
                let streams = work.streams(&dataset);
                measure(plan, &work.name(), &with_same(&contenders, &streams), rows);
            }
        }
    }
}

fn of_few_keys(plan: &Plan, rows: &mut Rows) {
    let dataset = dataset(FEW_OBJECTS.min(plan.objects));
    let engine = plan.engine();
    let (pipelines, calls) = (Pipelines::new(engine.client()), Calls::new(engine.client()));
    let rivals = rivals();
    let mut loaded: Vec<&dyn Contender> = vec![&pipelines];
    loaded.extend(rivals.iter().map(|rival| &**rival as &dyn Contender));
    load(&dataset, &loaded);
    let mut contenders: Vec<&dyn Contender> = vec![&calls];
    contenders.extend(rivals.iter().map(|rival| &**rival as &dyn Contender));
    for threads in [1, 2] {
        let work = Work { threads, popularity: KeyPopularity::Uniform, mix: HSETS };
        let streams = work.streams(&dataset);
        let name = format!("{}, {FEW_OBJECTS} keys", work.name());
        measure(plan, &name, &with_same(&contenders, &streams), rows);
    }
}

/// The same commands on few and on many keys, in turns.
fn of_more_keys(plan: &Plan, rows: &mut Rows) {
    if plan.large_objects == 0 {
        return;
    }
    for mix in [HSETS, HGETS] {
        let sizes = [plan.objects, plan.large_objects];
        let sets = sizes.map(dataset);
        let engines = sizes.map(|_| plan.engine());
        let work = Work { threads: 2, popularity: KeyPopularity::Uniform, mix };
        let pipelines = [0, 1].map(|index| Pipelines::new(engines[index].client()));
        for (set, pipelines) in sets.iter().zip(&pipelines) {
            load(set, &[pipelines]);
        }
        let streams = [0, 1].map(|index| work.streams(&sets[index]));
        let contenders = [0, 1].map(|index| {
            let contender: &dyn Contender = &pipelines[index];
            (contender, streams[index].as_slice())
        });
        let name = format!("{}, {} and then {} keys", work.name(), sizes[0], sizes[1]);
        measure(plan, &name, &contenders, rows);
    }
}

fn main() {
    let plan = Plan::from_environment();
    let mut rows = Rows::default();
    shared_by_threads(&plan, &mut rows);
    of_few_keys(&plan, &mut rows);
    of_more_keys(&plan, &mut rows);
    quiet::measure(&mut rows);
    rows.print();
    if let Some(file) = env::var_os("HECTARE_BENCH_CSV") {
        rows.write(file.as_ref()).expect("the file can be written");
    }
}
