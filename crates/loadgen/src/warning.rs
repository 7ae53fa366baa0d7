//! What about a measurement should not be believed, why, and what would help?

use std::fmt::{self, Display};
use std::thread;

use hectare_target::TargetSpec;
use serde::Serialize;

use crate::measurement::{Figures, Measurement};
use crate::plan::Plan;
use crate::quantity::{count, percent};
use crate::run::ratio;
use crate::supervisor::{Run, Usage};

/// So many answers make the slowest thousandth ten of them.
const ANSWERS_MIN: u64 = 10_000;
/// Every key that is asked for exists, so more misses than this mean that something else is measured.
const HIT_RATE_MIN: f64 = 0.99;
/// A thread that is busy for so much of the time may be what limits the throughput.
const BUSY_MIN: f64 = 0.9;

/// A reason to doubt a figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// What was seen.
    pub fact: String,
    /// What that means for the figures.
    pub cause: String,
    /// What would help.
    pub remedy: String,
}

impl Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, so {}; {}", self.fact, self.cause, self.remedy)
    }
}

impl Warning {
    fn new(fact: String, cause: &str, remedy: String) -> Self {
        Self { fact, cause: cause.to_owned(), remedy }
    }
}

/// All reasons to doubt a measurement.
pub(crate) fn warnings(measurement: &Measurement, plan: &Plan, run: &Run) -> Vec<Warning> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    [
        stopped_early(measurement),
        errors(measurement),
        misses(&measurement.total),
        evictions(run.evicted_keys),
        too_many_threads(plan.threads.get(), cores),
        busy_generator(plan, run.usage, cores),
        few_answers(measurement),
        data_left_behind(plan),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn stopped_early(measurement: &Measurement) -> Option<Warning> {
    measurement.stopped_early.then(|| {
        Warning::new(
            format!("it was stopped after {:.1} s", measurement.elapsed_seconds),
            "the figures are of that time only",
            "let it run to its end to compare it with others".to_owned(),
        )
    })
}

fn errors(measurement: &Measurement) -> Option<Warning> {
    let Figures { errors, commands, .. } = measurement.total;
    let text = measurement.first_error.as_deref()?;
    Some(Warning::new(
        format!("{} of {} answers are errors (`{text}`)", count(errors), count(commands)),
        "refusals were measured in place of work",
        "see to what the target says".to_owned(),
    ))
}

fn misses(total: &Figures) -> Option<Warning> {
    let hit_rate = total.hit_rate.filter(|&rate| rate < HIT_RATE_MIN)?;
    Some(Warning::new(
        format!("only {} of the reads found something", percent(hit_rate)),
        "much of what was measured is the answer that there is nothing",
        "fill the target with all objects, and look for another writer or an eviction policy"
            .to_owned(),
    ))
}

fn evictions(evicted_keys: u64) -> Option<Warning> {
    (evicted_keys > 0).then(|| {
        Warning::new(
            format!("the server threw away {} keys for want of memory", count(evicted_keys)),
            "not all objects were there, and evicting took time",
            "raise its maxmemory or use fewer --objects".to_owned(),
        )
    })
}

fn too_many_threads(threads: usize, cores: usize) -> Option<Warning> {
    (threads > cores).then(|| {
        Warning::new(
            format!("{threads} threads on {cores} {}", if cores == 1 { "core" } else { "cores" }),
            "latency includes waiting to run",
            format!("try --threads {cores}"),
        )
    })
}

fn busy_generator(plan: &Plan, usage: Usage, cores: usize) -> Option<Warning> {
    // The embedded engine runs in the same process, where one cannot be told from the other.
    if plan.target.is_embedded() {
        return None;
    }
    let threads = plan.threads.get().min(cores) as u64;
    let available = usage.elapsed.as_secs_f64() * ratio(threads, 1);
    let busy = usage.own?.as_secs_f64() / available;
    (busy.is_finite() && busy >= BUSY_MIN).then(|| {
        Warning::new(
            format!("the load generator's threads were busy for {} of the time", percent(busy)),
            "the throughput may be theirs and not the target's",
            "try more --threads, or more cores".to_owned(),
        )
    })
}

fn few_answers(measurement: &Measurement) -> Option<Warning> {
    let few: Vec<&str> = (measurement.figures())
        .filter(|figures| figures.commands < ANSWERS_MIN)
        .map(|figures| figures.operation.as_str())
        .collect();
    let least = measurement.figures().map(|figures| figures.commands).min()?;
    (!few.is_empty()).then(|| {
        Warning::new(
            format!("{} had few answers, {} at the least", few.join(", "), count(least)),
            "the slowest thousandth (p99.9) is fewer than ten of them",
            "measure for longer".to_owned(),
        )
    })
}

fn data_left_behind(plan: &Plan) -> Option<Warning> {
    let running = matches!(plan.target, TargetSpec::Running(_));
    (running && plan.fill && plan.data.key_prefix.is_none()).then(|| {
        Warning::new(
            format!("{} was empty and no --key-prefix was given", plan.target),
            "the objects stay there",
            "measure again with --no-fill --allow-nonempty, or remove them".to_owned(),
        )
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hectare_workload::{Dataset, Schema};

    use super::*;

    #[test]
    fn a_warning_is_fact_cause_and_remedy() {
        let warning = too_many_threads(16, 8).unwrap();
        assert_eq!(
            warning.to_string(),
            "16 threads on 8 cores, so latency includes waiting to run; try --threads 8"
        );
        assert_eq!(too_many_threads(8, 8), None);
    }

    #[test]
    fn only_a_busy_generator_in_front_of_a_server_is_suspected() {
        let dataset = Dataset::new(Schema::preset("user").unwrap());
        let plan = |target: &str| Plan {
            threads: std::num::NonZeroUsize::new(2).unwrap(),
            ..Plan::new(target.parse().unwrap(), dataset.clone())
        };
        let usage = |own_millis| Usage {
            target: None,
            own: Some(Duration::from_millis(own_millis)),
            elapsed: Duration::from_secs(1),
        };
        assert!(busy_generator(&plan("redis://h"), usage(1900), 4).is_some());
        assert_eq!(busy_generator(&plan("redis://h"), usage(1000), 4), None);
        assert!(busy_generator(&plan("redis://h"), usage(1000), 1).is_some());
        assert_eq!(busy_generator(&plan("embedded"), usage(1900), 4), None);
        assert_eq!(busy_generator(&plan("redis://h"), Usage::default(), 4), None);
    }
}
