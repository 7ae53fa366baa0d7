//! Which commands will a connection send, made before the clock starts?

use hectare_workload::{Commands, OperationError, OperationKind, OperationStream};
use rayon::prelude::*;

use crate::plan::Plan;

/// What the commands of all connections together may take.
const PREPARED_BYTES_MAX: usize = 128 << 20;
/// About what a command takes beside its arguments: its end, the ends of some five arguments, its
/// kind.
const COMMAND_OVERHEAD_BYTES: usize = 40;

/// The commands of one connection: whole pipelines, at least one.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) commands: Commands,
    /// Of which kind each is.
    pub(crate) kinds: Vec<OperationKind>,
}

/// Makes the commands of every connection, on rayon's threads: as many as it is to send, or as many
/// as fit its part of the bound.
pub(crate) fn prepare(plan: &Plan) -> Result<Vec<Prepared>, OperationError> {
    let bytes_max = PREPARED_BYTES_MAX / plan.connections.get();
    (0..plan.connections.get())
        .into_par_iter()
        .map(|index| prepare_one(plan, index, bytes_max))
        .collect()
}

fn prepare_one(plan: &Plan, index: usize, bytes_max: usize) -> Result<Prepared, OperationError> {
    let mut stream =
        OperationStream::new(&plan.dataset, &plan.mix, plan.popularity, plan.seed, index as u64)?;
    let wanted = plan
        .commands_of(index)
        .map_or(usize::MAX, |commands| usize::try_from(commands).unwrap_or(usize::MAX));
    let (mut commands, mut kinds) = (Commands::new(), Vec::new());
    loop {
        stream.fill(&mut commands, &mut kinds, plan.pipeline.get());
        let bytes = commands.argument_bytes() + commands.len() * COMMAND_OVERHEAD_BYTES;
        if commands.len() >= wanted || bytes >= bytes_max {
            commands.shrink_to_fit();
            return Ok(Prepared { commands, kinds });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU64, NonZeroUsize};

    use hectare_target::TargetSpec;
    use hectare_workload::{Dataset, Schema};

    use super::*;
    use crate::plan::Length;

    fn plan() -> Plan {
        let dataset = Dataset::new(Schema::preset("counter").unwrap());
        let mut plan = Plan::new(TargetSpec::EMBEDDED, dataset.with_objects(1000).unwrap());
        plan.connections = NonZeroUsize::new(3).unwrap();
        plan.pipeline = NonZeroUsize::new(16).unwrap();
        plan
    }

    #[test]
    fn a_short_run_is_prepared_in_whole_pipelines() {
        let mut plan = plan();
        plan.length = Length::Commands(NonZeroU64::new(100).unwrap());
        let prepared = prepare(&plan).unwrap();
        assert_eq!(prepared.len(), 3);
        for one in &prepared {
            assert_eq!((one.commands.len(), one.kinds.len()), (48, 48));
        }
    }

    #[test]
    fn a_run_without_a_number_is_bounded_by_bytes() {
        let prepared = prepare(&plan()).unwrap();
        let bytes: usize = prepared.iter().map(|one| one.commands.allocated_bytes()).sum();
        assert!(bytes > PREPARED_BYTES_MAX / 2, "{bytes} B");
        assert!(bytes < PREPARED_BYTES_MAX * 5 / 4, "{bytes} B");
    }

    #[test]
    fn connections_send_different_commands_and_the_same_ones_each_time() {
        let mut plan = plan();
        plan.length = Length::Commands(NonZeroU64::new(300).unwrap());
        let (first, second) = (prepare(&plan).unwrap(), prepare(&plan).unwrap());
        assert_ne!(first[0].commands, first[1].commands);
        for (one, other) in first.iter().zip(&second) {
            assert_eq!(one.commands, other.commands);
            assert_eq!(one.kinds, other.kinds);
        }
    }
}
