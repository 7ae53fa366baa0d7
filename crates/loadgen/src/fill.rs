//! How do the objects get into the target before anything is measured?

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hectare_target::{Outcome, Target};
use hectare_workload::{Dataset, Layout, LoadPlan, WritePattern};
use serde::Serialize;

use crate::run::{Moment, RunError, Stage};

/// What is made ahead of being sent may take so much.
const CHUNKS_BYTES_MAX: usize = 32 << 20;

/// What was loaded before the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Filled {
    /// How many objects, each by one command.
    pub objects: u64,
    /// How long they were on their way, on one connection; making them is not in it.
    pub elapsed_seconds: f64,
}

/// Loads every object as a hash.
pub(crate) fn fill(
    target: &Target,
    dataset: &Dataset,
    observe: &dyn Fn(Moment),
    stop: &AtomicBool,
) -> Result<Filled, RunError> {
    let plan =
        LoadPlan::new(dataset, Layout::Hash, WritePattern::Bulk).map_err(RunError::Layout)?;
    let mut connection = target.connect()?;
    let mut chunks = plan.chunks(CHUNKS_BYTES_MAX);
    let mut outcome = Outcome::default();
    let mut elapsed = Duration::ZERO;
    while let Some(commands) = chunks.next_chunk() {
        if stop.load(Ordering::Relaxed) {
            return Err(RunError::Stopped);
        }
        let started = Instant::now();
        outcome.merge(connection.run(commands, 0..commands.len())?);
        elapsed += started.elapsed();
        observe(Moment::new(Stage::Fill, outcome.replies, plan.command_count()));
    }
    match outcome.first_error {
        Some(text) => {
            Err(RunError::Fill { errors: outcome.errors, commands: outcome.replies, text })
        }
        None => Ok(Filled { objects: dataset.objects(), elapsed_seconds: elapsed.as_secs_f64() }),
    }
}
