//! In which order does a run happen, and what does it leave behind?

use std::fmt::{self, Display};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use hectare_target::{Admission, AdmissionError, ConnectionError, InquiryError, OpenError, Target};
use hectare_workload::{LayoutError, OperationError};

use crate::fill::fill;
use crate::lane::Lane;
use crate::measurement::Measurement;
use crate::plan::{Plan, PlanError};
use crate::prepared::{Prepared, prepare};
use crate::supervisor::supervise;
use crate::worker::Worker;

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// What is being done.
    pub stage: Stage,
    /// How much of that is done, from 0 to 1.
    pub fraction: f64,
    /// How many commands came back in this stage.
    pub commands: u64,
}

/// The parts of a run, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The target is started or connected to.
    Open,
    /// The objects are loaded.
    Fill,
    /// The commands are made.
    Prepare,
    /// Commands are sent and do not count yet.
    WarmUp,
    /// Commands are sent and count.
    Measure,
    /// What was loaded is removed.
    Clean,
}

/// Why a run has no measurement.
#[derive(Debug)]
pub enum RunError {
    /// The parts of the plan do not fit each other.
    Plan(PlanError),
    /// The target cannot be measured.
    Open(OpenError),
    /// The target may not be used.
    Admission(AdmissionError),
    /// The dataset cannot be laid out as hashes.
    Layout(LayoutError),
    /// The operations do not fit the dataset.
    Operation(OperationError),
    /// The objects were not all taken.
    Fill {
        /// How many commands were refused.
        errors: u64,
        /// Of how many.
        commands: u64,
        /// The first refusal, in the target's own words.
        text: String,
    },
    /// A connection failed.
    Connection(ConnectionError),
    /// The operating system does not tell of sockets.
    Events(io::Error),
    /// What was loaded could not be removed again.
    Clean {
        /// What the keys begin with.
        prefix: String,
        /// Why.
        source: InquiryError,
    },
    /// The user stopped it before anything was measured.
    Stopped,
}

/// Carries out a plan: opens the target, loads the objects, makes the commands, sends them and
/// measures, and removes what is to be removed, however it ended.
///
/// `observe` is called on this thread, some ten times a second. Once `stop` is true, nothing more is
/// sent, and what was measured until then is returned.
///
/// # Errors
/// A [`RunError`] when something does not work, or when it was stopped before anything was measured.
/// Commands that the target refuses are counted, not an error.
pub fn run(
    plan: &Plan,
    observe: &dyn Fn(Moment),
    stop: &AtomicBool,
) -> Result<Measurement, RunError> {
    plan.check().map_err(RunError::Plan)?;
    observe(Moment::begin(Stage::Open));
    let target = Target::open(&plan.target, &plan.target_options).map_err(RunError::Open)?;
    let admission =
        if plan.fill { target.admit(&plan.data) } else { target.admit_to_data(&plan.data) };
    let Admission { prefix_to_remove, .. } = admission.map_err(RunError::Admission)?;
    let mut plan = plan.clone();
    if let Some(prefix) = &plan.data.key_prefix {
        plan.dataset = plan.dataset.with_key_prefix(prefix);
    }
    let outcome = measure(&target, &plan, observe, stop);
    if let Some(prefix) = prefix_to_remove {
        observe(Moment::begin(Stage::Clean));
        // When measuring failed, that is the error that counts.
        if let (Err(source), Ok(_)) = (target.remove_prefix(prefix.as_bytes()), &outcome) {
            return Err(RunError::Clean { prefix, source });
        }
    }
    outcome
}

/// Everything between the admission to the target and the removal of what was loaded.
fn measure(
    target: &Target,
    plan: &Plan,
    observe: &dyn Fn(Moment),
    stop: &AtomicBool,
) -> Result<Measurement, RunError> {
    let filled = if plan.fill { Some(fill(target, &plan.dataset, observe, stop)?) } else { None };
    observe(Moment::begin(Stage::Prepare));
    let prepared = prepare(plan).map_err(RunError::Operation)?;
    if stop.load(Ordering::Relaxed) {
        return Err(RunError::Stopped);
    }
    let prepared_commands = prepared.iter().map(|one| one.commands.len() as u64).sum();
    let workers = staff(target, plan, prepared)?;
    let run = supervise(target, plan, workers, observe, stop)?;
    if run.recorder.total().commands == 0 && run.stopped {
        return Err(RunError::Stopped);
    }
    Ok(Measurement::new(target, plan, filled, prepared_commands, &run))
}

/// Connects, and deals the connections out to the threads.
fn staff(target: &Target, plan: &Plan, prepared: Vec<Prepared>) -> Result<Vec<Worker>, RunError> {
    let threads = plan.threads.get();
    let mut lanes: Vec<Vec<Lane>> = (0..threads).map(|_| Vec::new()).collect();
    for (index, prepared) in prepared.into_iter().enumerate() {
        let connection = target.connect()?;
        let left = plan.commands_of(index);
        lanes[index % threads].push(Lane::new(connection, prepared, plan.pipeline.get(), left));
    }
    lanes.into_iter().map(|lanes| Worker::new(lanes).map_err(RunError::Events)).collect()
}

impl Moment {
    /// `done` of `total` commands.
    pub(crate) fn new(stage: Stage, done: u64, total: u64) -> Self {
        Self { stage, fraction: ratio(done, total), commands: done }
    }

    fn begin(stage: Stage) -> Self {
        Self { stage, fraction: 0.0, commands: 0 }
    }
}

/// `part` of `whole`, 0 when there is no whole.
#[expect(clippy::cast_precision_loss, reason = "15 digits of a ratio are plenty")]
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Open => "open",
            Self::Fill => "fill",
            Self::Prepare => "prepare",
            Self::WarmUp => "warm up",
            Self::Measure => "measure",
            Self::Clean => "clean",
        })
    }
}

impl From<ConnectionError> for RunError {
    fn from(error: ConnectionError) -> Self {
        Self::Connection(error)
    }
}

impl Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan(error) => error.fmt(f),
            Self::Open(error) => error.fmt(f),
            Self::Admission(error) => error.fmt(f),
            Self::Layout(error) => error.fmt(f),
            Self::Operation(error) => error.fmt(f),
            Self::Fill { errors, commands, text } => write!(
                f,
                "the target refused {errors} of {commands} objects before anything was measured, \
                 first with: {text}"
            ),
            Self::Connection(error) => error.fmt(f),
            Self::Events(source) => {
                write!(f, "the operating system cannot tell which sockets are ready: {source}")
            }
            Self::Clean { prefix, source } => write!(
                f,
                "the keys that begin with `{prefix}` are still there, remove them by hand: {source}"
            ),
            Self::Stopped => f.write_str("stopped before anything was measured"),
        }
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Plan(error) => Some(error),
            Self::Open(error) => Some(error),
            Self::Admission(error) => Some(error),
            Self::Layout(error) => Some(error),
            Self::Operation(error) => Some(error),
            Self::Connection(error) => Some(error),
            Self::Events(source) => Some(source),
            Self::Clean { source, .. } => Some(source),
            Self::Fill { .. } | Self::Stopped => None,
        }
    }
}
