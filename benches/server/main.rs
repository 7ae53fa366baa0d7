//! What does the server take of a core for a command, beside Valkey, Redis and a server that
//! understands nothing?
//!
//! Every server is a process of its own on the loopback, holds the same keys and is asked by 50
//! connections of one client, which runs in this process, on a core of its own where there are two.
//! In each round all take turns, and each figure is the median of the rounds of one run; what cores
//! spend for a server's process is the kernel's own account. The *sink* reads, counts and answers
//! without looking at anything: what it takes is the kernel's share.
//!
//! | rows | what is measured |
//! | --- | --- |
//! | a command, a pipeline | CPU time a command, one shard; as fast as the client can |
//! | `--shards 2` | commands a second of CPU time, of two threads beside one of a peer; nobody has a core of his own |
//! | `user` data | growth of resident memory by loading it with HSET, per field |
//! | p99.9 | latency without pipelines, commands coming at 60 % of the rate that Hectare can do, from when each was due |
//!
//! The peers are those that `scripts/peers` unpacks, or of `HECTARE_PEERS`, or of the `PATH`. Without
//! arguments everything is measured, in about a quarter of an hour. `--test` runs everything once, small.
//!
//! | variable | meaning | otherwise |
//! | --- | --- | --- |
//! | `HECTARE_BENCH_OBJECTS` | how many keys | 1000000 |
//! | `HECTARE_BENCH_ROUNDS` | how many rounds | 5 |
//! | `HECTARE_BENCH_COMMANDS` | how many commands a round; an eighth without a pipeline | 1000000 |
//! | `HECTARE_BENCH_ROWS` | only rows whose name holds this text | all |
//! | `HECTARE_BENCH_CSV` | a file for the figures | none |

mod contender;
mod figures;
mod lines;
mod sink;
mod system;
mod work;

use contender::{Contender, Kind};
use figures::{Aim, CPU, Figure, Row, Rows};
use hectare_target::{Target, TargetOptions};
use hectare_workload::{Dataset, Layout, LoadPlan, Schema, WritePattern};
use lines::Lines;
use std::env;
use std::io::{self, Write};
use std::thread;
use std::time::Duration;
use system::Cores;
use work::{Asked, Keys, OBJECTS_MAX, Values, Work};

const PIPELINES: [usize; 3] = [64, 16, 1];
const PIPELINE_LONGEST: usize = PIPELINES[0];
/// So much fewer commands are sent without pipelines: they cost more.
const UNPIPELINED_FEWER: usize = 8;
/// Rounds at a constant rate are shorter by this, and there are more of them: where others use the
/// machine, too, they come in between in some of them only.
const SHORT_ROUNDS: u32 = 4;
/// The share of its top rate at which a server's latency is measured.
const LOAD: f64 = 0.6;

const COMMANDS: &str = "M commands a second of CPU";
const MEMORY: &str = "B a field";
const LATENCY: &str = "µs";

/// What is measured, and how thoroughly.
struct Plan {
    objects: u32,
    user_objects: u64,
    rounds: usize,
    commands: usize,
    /// How long commands come at a constant rate.
    lasting: Duration,
    /// What a server does for so long after its last reply belongs to what was asked.
    afterwork: Duration,
    /// Until a server has put in order what was loaded.
    settling: Duration,
    rows: String,
    /// Whether figures are worth to be judged.
    is_test: bool,
}

impl Plan {
    fn from_environment() -> Self {
        let number = |name: &str, otherwise: u64| {
            let text = env::var(name).ok();
            text.map_or(otherwise, |text| text.parse().expect("the variable is a number"))
        };
        let is_test = env::args().any(|argument| argument == "--test");
        let (objects, rounds, commands, milliseconds) =
            if is_test { (1_000, 1, 6_400, 50) } else { (1_000_000, 5, 1_000_000, 2_000) };
        let user = Schema::preset("user").expect("a preset");
        let objects = number("HECTARE_BENCH_OBJECTS", objects);
        assert!(objects <= OBJECTS_MAX.into(), "HECTARE_BENCH_OBJECTS is at most {OBJECTS_MAX}");
        let size = |number: u64| usize::try_from(number).expect("it fits");
        Self {
            objects: u32::try_from(objects).expect("it is not more than the most"),
            user_objects: if is_test { objects } else { user.objects() },
            rounds: size(number("HECTARE_BENCH_ROUNDS", rounds)),
            commands: size(number("HECTARE_BENCH_COMMANDS", commands)),
            lasting: Duration::from_millis(milliseconds) / SHORT_ROUNDS,
            afterwork: Duration::from_millis(milliseconds / 100),
            settling: Duration::from_millis(milliseconds),
            rows: env::var("HECTARE_BENCH_ROWS").unwrap_or_default(),
            is_test,
        }
    }

    fn wants(&self, name: &str) -> bool {
        name.contains(&self.rows)
    }

    /// How many pipelines a round has.
    fn pipelines(&self, work: Work) -> usize {
        let fewer = if work.pipeline == 1 { UNPIPELINED_FEWER } else { 1 };
        (self.commands / fewer / work.pipeline).max(1)
    }
}

/// Who measures, and with what.
struct Bench {
    plan: Plan,
    cores: Cores,
    values: Values,
    rows: Rows,
}

/// What a round has taken.
struct Taken {
    cpu_us: f64,
    wall_us: f64,
}

impl Bench {
    /// Every server gets all keys.
    fn load(&self, contenders: &[&Contender]) {
        let work = Work { asked: Asked::HsetOf5, pipeline: PIPELINE_LONGEST };
        let pipelines = (self.plan.objects as usize).div_ceil(work.pipeline);
        for contender in contenders.iter().filter(|contender| contender.kind != Kind::Sink) {
            let keys = Keys::in_order(self.plan.objects);
            Lines::connect(contender, work, &self.values, keys).run(pipelines);
        }
        thread::sleep(self.plan.settling);
    }

    fn connect(&self, contender: &Contender, work: Work) -> Lines {
        let keys = Keys::uniform(self.plan.objects, u64::from(contender.process_id));
        Lines::connect(contender, work, &self.values, keys)
    }

    /// All take turns; gives what each round has taken of each of them, per command.
    fn in_turns(&self, work: Work, contenders: &[&Contender], is_apart: bool) -> Vec<Vec<Taken>> {
        let pipelines = self.plan.pipelines(work);
        let commands = (pipelines * work.pipeline) as f64;
        let mut lines: Vec<_> =
            contenders.iter().map(|contender| self.connect(contender, work)).collect();
        let mut taken: Vec<_> = contenders.iter().map(|_| Vec::new()).collect();
        for round in 0..=self.plan.rounds {
            for ((contender, lines), taken) in contenders.iter().zip(&mut lines).zip(&mut taken) {
                self.place(contender, is_apart);
                let before = contender.cpu_seconds();
                let wall = lines.run(pipelines);
                thread::sleep(self.plan.afterwork);
                let cpu_seconds = contender.cpu_seconds() - before;
                // The first round warms up.
                if round > 0 {
                    let cpu_us = cpu_seconds * 1e6 / commands;
                    taken.push(Taken { cpu_us, wall_us: wall.as_secs_f64() * 1e6 / commands });
                }
            }
        }
        taken
    }

    fn place(&self, contender: &Contender, is_apart: bool) {
        if is_apart {
            self.cores.part(contender.process_id);
        } else {
            self.cores.free(contender.process_id);
        }
    }

    /// Each command, as fast as the client can.
    fn each_command(&mut self, contenders: &[&Contender]) {
        for pipeline in PIPELINES {
            for asked in Asked::ALL {
                let work = Work { asked, pipeline };
                if !self.plan.wants(&work.name()) {
                    continue;
                }
                let taken = self.in_turns(work, contenders, true);
                let figures = contenders.iter().zip(&taken).map(|(contender, taken)| {
                    let name = format!("{}: {}", work.name(), contender.name);
                    say(&format!("{name}: the server was busy for {} % of the time", busy(taken)));
                    let figures = taken.iter().map(|taken| taken.cpu_us).collect();
                    Figure::new(&contender.name, contender.kind, figures)
                });
                let figures = figures.collect();
                self.add(Row { work: work.name(), unit: CPU, figures, aim: aim_of(work) });
            }
        }
    }

    /// Two threads beside one.
    fn two_shards(&mut self, peer: Option<&Contender>) {
        let work = |asked| Work { asked, pipeline: PIPELINE_LONGEST };
        let name = |asked| format!("{}, --shards 2", work(asked).name());
        if !Asked::ALL.into_iter().any(|asked| self.plan.wants(&name(asked))) {
            return;
        }
        let hectare = Contender::hectare(2);
        self.load(&[&hectare]);
        let contenders: Vec<_> = [&hectare].into_iter().chain(peer).collect();
        for asked in Asked::ALL {
            if !self.plan.wants(&name(asked)) {
                continue;
            }
            let taken = self.in_turns(work(asked), &contenders, false);
            let figures = contenders.iter().zip(&taken).map(|(contender, taken)| {
                let figures = taken.iter().map(|taken| 1.0 / taken.cpu_us).collect();
                Figure::new(&contender.name, contender.kind, figures)
            });
            let (figures, aim) = (figures.collect(), Some(Aim::ShareMin(2.0)));
            self.add(Row { work: name(asked), unit: COMMANDS, figures, aim });
        }
    }

    /// When commands come one by one.
    fn latency(&mut self, contenders: &[&Contender]) {
        for asked in [Asked::HsetOf1, Asked::Hget] {
            let work = Work { asked, pipeline: 1 };
            let name = format!("p99.9 of {}, no pipeline", asked.name());
            if !self.plan.wants(&name) {
                continue;
            }
            let mut walls: Vec<_> = self.in_turns(work, &contenders[..1], true).remove(0);
            walls.sort_by(|a, b| a.wall_us.total_cmp(&b.wall_us));
            let per_second = LOAD * 1e6 / walls[walls.len() / 2].wall_us;
            let mut lines: Vec<_> =
                contenders.iter().map(|contender| self.connect(contender, work)).collect();
            let mut figures: Vec<_> = contenders.iter().map(|_| Vec::new()).collect();
            for _round in 0..self.plan.rounds * SHORT_ROUNDS as usize {
                for ((contender, lines), figures) in
                    contenders.iter().zip(&mut lines).zip(&mut figures)
                {
                    self.place(contender, true);
                    let latencies = lines.run_at(per_second, self.plan.lasting);
                    figures.push(latencies.value_at_quantile(0.999) as f64 / 1e3);
                }
            }
            let figures = contenders
                .iter()
                .zip(figures)
                .map(|(contender, figures)| Figure::new(&contender.name, contender.kind, figures));
            let (figures, aim) = (figures.collect(), Some(Aim::ShareMax(1.0)));
            let work = format!("{name}, {:.0} thousand a second", per_second / 1e3);
            self.add(Row { work, unit: LATENCY, figures, aim });
        }
    }

    /// What the `user` data takes.
    fn memory(&mut self) {
        const NAME: &str = "user data through HSET, resident";
        if !self.plan.wants(NAME) {
            return;
        }
        let dataset = Dataset::new(Schema::preset("user").expect("a preset"));
        let dataset = dataset.with_objects(self.plan.user_objects).expect("so many are allowed");
        let plan = LoadPlan::new(&dataset, Layout::Hash, WritePattern::Bulk).expect("hashes are");
        let contenders = [Contender::hectare(1)].into_iter().chain(Contender::peers());
        let figures = contenders.map(|contender| {
            let spec = format!("redis://{}", contender.address).parse().expect("an address");
            let target = Target::open(&spec, &TargetOptions::default()).expect("it runs");
            let mut connection = target.connect().expect("it has room for one");
            let before = system::resident_bytes(contender.process_id);
            let mut chunks = plan.chunks(64 << 20);
            while let Some(commands) = chunks.next_chunk() {
                let outcome = connection.run(commands, 0..commands.len()).expect("it runs");
                assert_eq!(outcome.errors, 0, "{:?}", outcome.first_error);
            }
            thread::sleep(self.plan.settling);
            let grown = system::resident_bytes(contender.process_id) as f64 - before as f64;
            let per_field = grown / dataset.fields() as f64;
            Figure::new(&contender.name, contender.kind, vec![per_field])
        });
        let (figures, aim) = (figures.collect(), Some(Aim::Max(15.0)));
        self.add(Row { work: NAME.to_owned(), unit: MEMORY, figures, aim });
    }

    fn add(&mut self, mut row: Row) {
        row.aim = row.aim.filter(|_| !self.plan.is_test);
        for figure in &row.figures {
            say(&format!("{}: {}: {figure} {}", row.work, figure.name, row.unit));
        }
        self.rows.add(row);
    }
}

/// The share of the wall's time; much less than all of it says that the client was too slow, or the
/// cores were not ours alone.
fn busy(taken: &[Taken]) -> String {
    let (cpu, wall) = taken
        .iter()
        .fold((0.0, 0.0), |(cpu, wall), taken| (cpu + taken.cpu_us, wall + taken.wall_us));
    format!("{:.0}", 100.0 * cpu / wall)
}

/// What is to be reached.
fn aim_of(work: Work) -> Option<Aim> {
    let share = match (work.asked, work.pipeline) {
        (Asked::HsetOf5, 64) | (Asked::Hgetall, 64) => 0.40,
        (Asked::HsetOf5, 16) => 0.55,
        (Asked::HsetOf1 | Asked::Hget | Asked::HmgetOf5, 64) => 0.50,
        (Asked::HsetOf1 | Asked::Hget, 16) => 0.60,
        (Asked::HsetOf5 | Asked::HsetOf1 | Asked::Hget, 1) => 1.0,
        _ => return None,
    };
    Some(Aim::ShareMax(share))
}

/// Minutes go by before the table comes.
fn say(text: &str) {
    let _nobody_listens = writeln!(io::stderr(), "{text}");
}

fn main() {
    if contender::was_child() {
        return;
    }
    let (plan, cores) = (Plan::from_environment(), Cores::new());
    let mut bench = Bench { plan, cores, values: Values::new(), rows: Rows::default() };
    let peers = Contender::peers();
    let (hectare, sink) = (Contender::hectare(1), Contender::sink());
    let contenders: Vec<_> = [&hectare].into_iter().chain(&peers).chain([&sink]).collect();
    let head = head(&bench, &peers);
    say(&head);
    bench.load(&contenders);
    bench.each_command(&contenders);
    bench.latency(&contenders);
    bench.two_shards(peers.iter().find(|peer| peer.kind == Kind::Valkey));
    let names: Vec<_> = contenders.iter().map(|contender| contender.name.clone()).collect();
    drop((hectare, peers, sink));
    bench.memory();
    bench.rows.print(&head, &names);
    if let Some(file) = env::var_os("HECTARE_BENCH_CSV") {
        bench.rows.write(file.as_ref()).expect("the file can be written");
    }
}

/// How it was measured.
fn head(bench: &Bench, peers: &[Contender]) -> String {
    let cores = match bench.cores.apart() {
        Some((server, client)) => format!("server on core {server}, client on core {client}"),
        None => "server and client on one core".to_owned(),
    };
    let peers = if peers.is_empty() {
        " No peer was found, so there is only Hectare and the sink; scripts/peers gets some."
    } else {
        ""
    };
    let test = if bench.plan.is_test { " A test, whose figures say nothing." } else { "" };
    format!(
        "{} connections, {} keys, uniform; {cores}, but for --shards 2, where both run anywhere. \
         Medians of {} rounds (least–most).{peers}{test}",
        lines::LINES,
        bench.plan.objects,
        bench.plan.rounds,
    )
}
