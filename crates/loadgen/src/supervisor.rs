//! Who starts the threads, watches the clock for them, and gathers what they measured?

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use hectare_target::{Target, own_cpu_time};

use crate::plan::{Length, Plan};
use crate::recorder::Recorder;
use crate::run::{Moment, RunError, Stage};
use crate::worker::{Course, Worker};

/// How often progress is shown.
const TICK: Duration = Duration::from_millis(100);

/// What all threads together have measured.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) recorder: Recorder,
    pub(crate) usage: Usage,
    /// Whether the user ended it before its time.
    pub(crate) stopped: bool,
    /// How many keys the server threw away meanwhile.
    pub(crate) evicted_keys: u64,
}

/// The processor time that was spent while commands counted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// For the target; of the embedded engine, for this whole process.
    pub(crate) target: Option<Duration>,
    /// For this process.
    pub(crate) own: Option<Duration>,
    /// Over this long.
    pub(crate) elapsed: Duration,
}

/// Processor times at one moment.
#[derive(Debug, Clone, Copy)]
struct Sample {
    target: Option<Duration>,
    own: Option<Duration>,
    at: Instant,
}

/// Lets the workers run, each on a thread of its own, and waits for all of them.
pub(crate) fn supervise(
    target: &Target,
    plan: &Plan,
    workers: Vec<Worker>,
    observe: &dyn Fn(Moment),
    stop: &AtomicBool,
) -> Result<Run, RunError> {
    // A server that does not say counts as one that evicts nothing.
    let evicted_before = target.evicted_keys().unwrap_or(0);
    let counts_from = Instant::now() + plan.warm_up;
    let course = Course {
        counts_from,
        ends_at: match plan.length {
            Length::Duration(duration) => Some(counts_from + duration),
            Length::Commands(_) => None,
        },
        stop,
        failed: AtomicBool::new(false),
        commands: AtomicU64::new(0),
    };
    let (outcomes, usage) = thread::scope(|scope| {
        let (finished, ends) = channel::<()>();
        let threads: Vec<_> = workers
            .into_iter()
            .map(|worker| {
                let (finished, course) = (finished.clone(), &course);
                scope.spawn(move || {
                    let outcome = worker.run(course);
                    // Dropped when the thread ends, which is all that is waited for.
                    drop(finished);
                    outcome
                })
            })
            .collect();
        drop(finished);
        let usage = watch(target, plan, &course, &ends, observe);
        let outcomes: Vec<_> = threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect();
        (outcomes, usage)
    });
    let mut recorder = Recorder::new();
    for outcome in outcomes {
        recorder.merge(outcome?);
    }
    let evicted_keys = target.evicted_keys().unwrap_or(0).saturating_sub(evicted_before);
    let stopped = stop.load(Ordering::Relaxed);
    Ok(Run { recorder, usage, stopped, evicted_keys })
}

/// Shows progress until every thread has ended, and reads the processor times.
fn watch(
    target: &Target,
    plan: &Plan,
    course: &Course<'_>,
    ends: &Receiver<()>,
    observe: &dyn Fn(Moment),
) -> Usage {
    let started = Instant::now();
    let mut first = None;
    loop {
        let now = Instant::now();
        if first.is_none() && now >= course.counts_from {
            first = Some(Sample::take(target));
        }
        observe(moment(plan, course, started, now));
        let until_counting = course.counts_from.saturating_duration_since(now);
        let wait = if until_counting.is_zero() { TICK } else { TICK.min(until_counting) };
        if ends.recv_timeout(wait) == Err(RecvTimeoutError::Disconnected) {
            break;
        }
    }
    first.map_or_else(Usage::default, |first| Sample::take(target).since(first))
}

fn moment(plan: &Plan, course: &Course<'_>, started: Instant, now: Instant) -> Moment {
    let commands = course.commands.load(Ordering::Relaxed);
    if now < course.counts_from {
        let passed = now.saturating_duration_since(started).as_secs_f64();
        let fraction = (passed / plan.warm_up.as_secs_f64()).min(1.0);
        return Moment { stage: Stage::WarmUp, fraction, commands };
    }
    match plan.length {
        Length::Commands(total) => Moment::new(Stage::Measure, commands, total.get()),
        Length::Duration(duration) => {
            let passed = now.saturating_duration_since(course.counts_from).as_secs_f64();
            let fraction = (passed / duration.as_secs_f64()).min(1.0);
            Moment { stage: Stage::Measure, fraction, commands }
        }
    }
}

impl Sample {
    fn take(target: &Target) -> Self {
        Self { target: target.cpu_time(), own: own_cpu_time(), at: Instant::now() }
    }

    fn since(self, earlier: Self) -> Usage {
        let spent =
            |later: Option<Duration>, earlier: Option<Duration>| later?.checked_sub(earlier?);
        Usage {
            target: spent(self.target, earlier.target),
            own: spent(self.own, earlier.own),
            elapsed: self.at - earlier.at,
        }
    }
}
