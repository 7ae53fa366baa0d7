//! What does a run say, in figures?

use hectare_target::Target;
use hectare_workload::OperationKind;
use serde::Serialize;

use crate::fill::Filled;
use crate::plan::Plan;
use crate::recorder::KindRecord;
use crate::run::ratio;
use crate::supervisor::Run;
use crate::warning::{Warning, warnings};

/// The version of the rows and of the JSON; another one may mean something else by a name.
const SCHEMA_VERSION: u32 = 1;
/// Processor time is known in steps of some 10 ms; below this it says nothing about a command.
const CPU_MILLIS_MIN: u128 = 100;
/// What the row of all operations together is called.
pub(crate) const TOTAL: &str = "total";

/// What a run has measured, and under which conditions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measurement {
    /// The version of this form.
    pub schema_version: u32,
    /// What was run.
    pub setting: Setting,
    /// What was loaded before; `None` when the objects were there already.
    pub filled: Option<Filled>,
    /// How many commands were made ahead; a run of more sends them again from the first on.
    pub prepared_commands: u64,
    /// From the first command that counts to the last answer.
    pub elapsed_seconds: f64,
    /// Whether the user ended it before its time.
    pub stopped_early: bool,
    /// The processor time of the target for each command, where it is a process of this machine and
    /// the run was long enough to tell. For the embedded engine that is this process: engine and
    /// load generator together.
    pub cpu_ns_per_command: Option<f64>,
    /// All operations together.
    pub total: Figures,
    /// The operations of the mix, each by itself.
    pub operations: Vec<Figures>,
    /// The first error that the target answered with.
    pub first_error: Option<String>,
    /// What should not be believed, and why.
    pub warnings: Vec<Warning>,
}

/// The conditions of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting {
    /// The target, as it was named, without its password.
    pub target: String,
    /// What the target says it is.
    pub server_build: String,
    /// The dataset's name.
    pub dataset: String,
    /// How many objects it has.
    pub objects: u64,
    /// The shares of the operations.
    pub mix: String,
    /// Which objects they were about.
    pub popularity: String,
    /// What they were drawn from.
    pub seed: u64,
    /// How many threads sent them.
    pub threads: usize,
    /// On how many connections.
    pub connections: usize,
    /// How many at a time on each.
    pub pipeline_commands: usize,
    /// How long commands were sent before they counted.
    pub warm_up_seconds: f64,
}

/// The figures of one kind of operation, or of all.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// The operation's name in a mix, or `total`.
    pub operation: String,
    /// How many were answered.
    pub commands: u64,
    /// How many of the answers are errors.
    pub errors: u64,
    /// How many of the answers say that there is nothing.
    pub absent: u64,
    /// The part of the reads that found something; `None` where nothing is read.
    pub hit_rate: Option<f64>,
    /// Answers a second.
    pub throughput_commands_per_second: f64,
    /// The mean latency.
    pub latency_ns_mean: f64,
    /// Half of the answers came within this.
    pub latency_ns_p50: u64,
    /// 90 % of the answers came within this.
    pub latency_ns_p90: u64,
    /// 99 % of the answers came within this.
    pub latency_ns_p99: u64,
    /// 99.9 % of the answers came within this.
    pub latency_ns_p99_9: u64,
    /// All answers came within this.
    pub latency_ns_max: u64,
}

impl Measurement {
    pub(crate) fn new(
        target: &Target,
        plan: &Plan,
        filled: Option<Filled>,
        prepared_commands: u64,
        run: &Run,
    ) -> Self {
        let recorder = &run.recorder;
        let elapsed_seconds = recorder.elapsed().as_secs_f64();
        let kinds: Vec<OperationKind> =
            (OperationKind::ALL.into_iter()).filter(|&kind| plan.mix.share(kind) > 0).collect();
        let operations: Vec<Figures> = (kinds.iter())
            .map(|&kind| {
                let record = recorder.kind(kind);
                let hit_rate = (!kind.is_write()).then(|| hit_rate([record])).flatten();
                Figures::new(kind.name(), record, hit_rate, elapsed_seconds)
            })
            .collect();
        let reads = kinds.iter().filter(|kind| !kind.is_write()).map(|&kind| recorder.kind(kind));
        let total = recorder.total();
        let total = Figures::new(TOTAL, &total, hit_rate(reads), elapsed_seconds);
        let cpu_ns_per_command = run.usage.target.and_then(|spent| {
            let told = spent.as_millis() >= CPU_MILLIS_MIN && total.commands > 0;
            told.then(|| spent.as_secs_f64() * 1e9 * ratio(1, total.commands))
        });
        let mut measurement = Self {
            schema_version: SCHEMA_VERSION,
            setting: Setting::new(target, plan),
            filled,
            prepared_commands,
            elapsed_seconds,
            stopped_early: run.stopped,
            cpu_ns_per_command,
            total,
            operations,
            first_error: recorder.first_error().map(str::to_owned),
            warnings: Vec::new(),
        };
        measurement.warnings = warnings(&measurement, plan, run);
        measurement
    }

    /// Whether the target answered every command with an error, so that nothing was measured but
    /// the refusal.
    pub fn all_failed(&self) -> bool {
        self.total.errors == self.total.commands
    }

    /// The operations of the mix, each by itself, and then all together.
    pub(crate) fn figures(&self) -> impl Iterator<Item = &Figures> {
        self.operations.iter().chain([&self.total])
    }
}

impl Setting {
    fn new(target: &Target, plan: &Plan) -> Self {
        Self {
            target: plan.target.to_string(),
            server_build: target.server().build.clone(),
            dataset: plan.dataset.name().to_owned(),
            objects: plan.dataset.objects(),
            mix: plan.mix.to_string(),
            popularity: plan.popularity.to_string(),
            seed: plan.seed,
            threads: plan.threads.get(),
            connections: plan.connections.get(),
            pipeline_commands: plan.pipeline.get(),
            warm_up_seconds: plan.warm_up.as_secs_f64(),
        }
    }
}

impl Figures {
    fn new(
        operation: &str,
        record: &KindRecord,
        hit_rate: Option<f64>,
        elapsed_seconds: f64,
    ) -> Self {
        let latency = &record.latency_ns;
        let per_second = if elapsed_seconds > 0.0 { 1.0 / elapsed_seconds } else { 0.0 };
        Self {
            operation: operation.to_owned(),
            commands: record.commands,
            errors: record.errors,
            absent: record.absent,
            hit_rate,
            throughput_commands_per_second: ratio(record.commands, 1) * per_second,
            latency_ns_mean: latency.mean(),
            latency_ns_p50: latency.value_at_quantile(0.5),
            latency_ns_p90: latency.value_at_quantile(0.9),
            latency_ns_p99: latency.value_at_quantile(0.99),
            latency_ns_p99_9: latency.value_at_quantile(0.999),
            latency_ns_max: latency.max(),
        }
    }
}

/// The part of the answers, errors left out, that found something; `None` without any.
fn hit_rate<'a>(reads: impl IntoIterator<Item = &'a KindRecord>) -> Option<f64> {
    let (mut answers, mut absent) = (0, 0);
    for record in reads {
        answers += record.commands - record.errors;
        absent += record.absent;
    }
    (answers > 0).then(|| ratio(answers - absent, answers))
}
