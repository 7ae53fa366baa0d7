//! What will be sent where, by how many, for how long?

use std::fmt::{self, Display};
use std::num::{NonZeroU64, NonZeroUsize};
use std::thread;
use std::time::Duration;

use hectare_target::{DataPolicy, TargetOptions, TargetSpec};
use hectare_workload::{Dataset, KeyPopularity, Mix};

/// How many connections a server gets unless the plan says otherwise: as many as redis-benchmark's.
const SERVER_CONNECTIONS: usize = 50;
/// How many commands a pipeline has unless the plan says otherwise.
const PIPELINE: usize = 16;

/// Everything that a run depends on.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where the commands go.
    pub target: TargetSpec,
    /// How that is opened.
    pub target_options: TargetOptions,
    /// What is allowed on a server that was running before. Its prefix, if it has one, stands in
    /// front of every key of the dataset.
    pub data: DataPolicy,
    /// The objects, loaded as hashes.
    pub dataset: Dataset,
    /// The shares of the operations.
    pub mix: Mix,
    /// Which objects they are about.
    pub popularity: KeyPopularity,
    /// What the operations are drawn from; the dataset has a seed of its own.
    pub seed: u64,
    /// How many threads drive the connections; at most one for each.
    pub threads: NonZeroUsize,
    /// How many connections there are. A thread drives those to a server by events. Of an embedded
    /// engine it waits for one after the other, so one for each thread gives the truest latency.
    pub connections: NonZeroUsize,
    /// How many commands each connection has in flight.
    pub pipeline: NonZeroUsize,
    /// When it ends.
    pub length: Length,
    /// For how long commands are sent before they count.
    pub warm_up: Duration,
    /// Whether all objects are loaded first. Otherwise the target is a server that has them.
    pub fill: bool,
}

/// When a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// After this time, counted from the end of the warm-up.
    Duration(Duration),
    /// After so many commands on all connections together, counted from the end of the warm-up.
    Commands(NonZeroU64),
}

/// Why a plan cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanError {
    /// There are more threads than connections to drive.
    IdleThreads {
        /// The threads asked for.
        threads: usize,
        /// The connections asked for.
        connections: usize,
    },
    /// It would end before it began.
    NoTime,
}

impl Plan {
    /// The canonical run on this target: the default mix on uniformly chosen keys, filled first, for
    /// ten seconds after one of warming up. The embedded engine gets a thread for each core, a
    /// server 50 connections from half as many threads as there are cores.
    pub fn new(target: TargetSpec, dataset: Dataset) -> Self {
        let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let half = NonZeroUsize::new(cores.get() / 2).unwrap_or(NonZeroUsize::MIN);
        let (threads, connections) = match target {
            TargetSpec::Embedded { .. } => (cores, cores),
            _ => (half, half.max(at_least_one(SERVER_CONNECTIONS))),
        };
        Self {
            target,
            target_options: TargetOptions::default(),
            data: DataPolicy::default(),
            dataset,
            mix: Mix::default(),
            popularity: KeyPopularity::default(),
            seed: 1,
            threads,
            connections,
            pipeline: at_least_one(PIPELINE),
            length: Length::Duration(Duration::from_secs(10)),
            warm_up: Duration::from_secs(1),
            fill: true,
        }
    }

    /// Whether the parts fit each other.
    ///
    /// # Errors
    /// A [`PlanError`] that says what would.
    pub fn check(&self) -> Result<(), PlanError> {
        if self.threads > self.connections {
            return Err(PlanError::IdleThreads {
                threads: self.threads.get(),
                connections: self.connections.get(),
            });
        }
        if self.length == Length::Duration(Duration::ZERO) {
            return Err(PlanError::NoTime);
        }
        Ok(())
    }

    /// How many of the commands that count are of connection `index`; `None` when time is the limit.
    pub(crate) fn commands_of(&self, index: usize) -> Option<u64> {
        let Length::Commands(commands) = self.length else { return None };
        let connections = self.connections.get() as u64;
        let spare = u64::from((index as u64) < commands.get() % connections);
        Some(commands.get() / connections + spare)
    }
}

fn at_least_one(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN)
}

impl Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duration(duration) => write!(f, "{} s", duration.as_secs_f64()),
            Self::Commands(commands) => write!(f, "{commands} commands"),
        }
    }
}

impl Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IdleThreads { threads, connections } => write!(
                f,
                "a thread drives at least one connection, so --threads is at most --connections: \
                 {connections}, not {threads}"
            ),
            Self::NoTime => f.write_str("--duration is more than 0 s"),
        }
    }
}

impl std::error::Error for PlanError {}

#[cfg(test)]
mod tests {
    use hectare_workload::Schema;

    use super::*;

    fn plan() -> Plan {
        let dataset = Dataset::new(Schema::preset("counter").unwrap());
        Plan::new(TargetSpec::EMBEDDED, dataset)
    }

    #[test]
    fn the_canonical_plan_is_possible() {
        assert_eq!(plan().check(), Ok(()));
    }

    #[test]
    fn the_connections_share_the_commands_to_the_last() {
        let mut plan = plan();
        plan.connections = at_least_one(7);
        plan.length = Length::Commands(NonZeroU64::new(1003).unwrap());
        let shares: Vec<u64> = (0..7).map(|index| plan.commands_of(index).unwrap()).collect();
        assert_eq!(shares, [144, 144, 143, 143, 143, 143, 143]);
        plan.length = Length::Duration(Duration::from_secs(1));
        assert_eq!(plan.commands_of(0), None);
    }

    #[test]
    fn impossible_plans_say_what_would_be_possible() {
        let mut idle = plan();
        (idle.threads, idle.connections) = (at_least_one(3), at_least_one(2));
        assert!(idle.check().unwrap_err().to_string().ends_with("at most --connections: 2, not 3"));
        let mut none = plan();
        none.length = Length::Duration(Duration::ZERO);
        assert_eq!(none.check(), Err(PlanError::NoTime));
    }
}
