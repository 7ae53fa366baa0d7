//! What came back so far, of each kind, and how long did it take?

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use hectare_target::{ReplyKind, ReplySummary};
use hectare_workload::OperationKind;

/// The longest latency told apart: one hour.
const LATENCY_NS_MAX: u64 = 3_600_000_000_000;
/// Latencies are kept to so many significant digits.
const LATENCY_DIGITS: u8 = 3;
const KINDS: usize = OperationKind::ALL.len();

/// What one thread has measured; those of several are merged.
#[derive(Debug)]
pub(crate) struct Recorder {
    kinds: [KindRecord; KINDS],
    /// When the first command that counts was sent, and when the last of their answers came.
    span: Option<(Instant, Instant)>,
    first_error: Option<String>,
}

/// What came back of one kind of operation.
#[derive(Debug, Clone)]
pub(crate) struct KindRecord {
    /// How many answers.
    pub(crate) commands: u64,
    /// How many of them are errors.
    pub(crate) errors: u64,
    /// How many say that there is nothing.
    pub(crate) absent: u64,
    /// How long they took, in nanoseconds.
    pub(crate) latency_ns: Histogram<u64>,
}

/// The answers of one pipeline, recorded as they come. Those that arrived at the same moment are
/// put into the histograms together.
#[derive(Debug)]
pub(crate) struct Arrivals<'a> {
    recorder: &'a mut Recorder,
    sent: Instant,
    arrived: Instant,
    counts: [u64; KINDS],
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self { kinds: std::array::from_fn(|_| KindRecord::new()), span: None, first_error: None }
    }

    /// Begins to record the answers of a pipeline that was sent at `sent`.
    pub(crate) fn pipeline(&mut self, sent: Instant) -> Arrivals<'_> {
        Arrivals { recorder: self, sent, arrived: sent, counts: [0; KINDS] }
    }

    /// Adds what another thread has measured.
    pub(crate) fn merge(&mut self, other: Self) {
        for (ours, theirs) in self.kinds.iter_mut().zip(&other.kinds) {
            ours.merge(theirs);
        }
        if let Some((sent, arrived)) = other.span {
            self.widen(sent, arrived);
        }
        if self.first_error.is_none() {
            self.first_error = other.first_error;
        }
    }

    /// What came back of one kind.
    pub(crate) fn kind(&self, kind: OperationKind) -> &KindRecord {
        &self.kinds[kind.index()]
    }

    /// What came back of all kinds.
    pub(crate) fn total(&self) -> KindRecord {
        let mut total = KindRecord::new();
        self.kinds.iter().for_each(|kind| total.merge(kind));
        total
    }

    /// The time from the first command that counts to the last answer.
    pub(crate) fn elapsed(&self) -> Duration {
        self.span.map_or(Duration::ZERO, |(sent, arrived)| arrived - sent)
    }

    /// The first error that came.
    pub(crate) fn first_error(&self) -> Option<&str> {
        self.first_error.as_deref()
    }

    fn widen(&mut self, sent: Instant, arrived: Instant) {
        self.span = Some(match self.span {
            Some((first, last)) => (first.min(sent), last.max(arrived)),
            None => (sent, arrived),
        });
    }
}

impl KindRecord {
    fn new() -> Self {
        let latency_ns = Histogram::new_with_bounds(1, LATENCY_NS_MAX, LATENCY_DIGITS)
            .expect("the bounds and digits are within those of the crate");
        Self { commands: 0, errors: 0, absent: 0, latency_ns }
    }

    fn merge(&mut self, other: &Self) {
        self.commands += other.commands;
        self.errors += other.errors;
        self.absent += other.absent;
        self.latency_ns.add(&other.latency_ns).expect("all histograms have the same bounds");
    }
}

impl Arrivals<'_> {
    /// Records one answer.
    pub(crate) fn add(&mut self, kind: OperationKind, reply: ReplySummary<'_>) {
        if reply.arrived != self.arrived {
            self.settle();
            self.arrived = reply.arrived;
        }
        self.counts[kind.index()] += 1;
        let record = &mut self.recorder.kinds[kind.index()];
        match reply.kind {
            ReplyKind::Value => {}
            ReplyKind::Nothing => record.absent += 1,
            ReplyKind::Error(text) => {
                record.errors += 1;
                self.recorder.first_error.get_or_insert_with(|| text.to_owned());
            }
        }
    }

    /// Puts those that arrived together into the histograms.
    pub(crate) fn settle(&mut self) {
        let latency = self.arrived.saturating_duration_since(self.sent);
        let latency_ns = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        let mut any = false;
        for (record, count) in self.recorder.kinds.iter_mut().zip(&mut self.counts) {
            if *count > 0 {
                any = true;
                record.commands += *count;
                record.latency_ns.saturating_record_n(latency_ns, *count);
                *count = 0;
            }
        }
        if any {
            self.recorder.widen(self.sent, self.arrived);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(kind: ReplyKind<'_>, arrived: Instant) -> ReplySummary<'_> {
        ReplySummary { index: 0, kind, arrived }
    }

    #[test]
    fn answers_are_counted_by_kind_and_timed_from_the_pipelines_start() {
        let sent = Instant::now();
        let at = |micros| sent + Duration::from_micros(micros);
        let mut recorder = Recorder::new();
        let mut arrivals = recorder.pipeline(sent);
        arrivals.add(OperationKind::Hget, reply(ReplyKind::Value, at(100)));
        arrivals.add(OperationKind::Hget, reply(ReplyKind::Nothing, at(100)));
        arrivals.add(OperationKind::HsetOne, reply(ReplyKind::Value, at(100)));
        arrivals.add(OperationKind::HsetOne, reply(ReplyKind::Error("OOM no"), at(300)));
        arrivals.settle();

        let gets = recorder.kind(OperationKind::Hget);
        assert_eq!((gets.commands, gets.errors, gets.absent), (2, 0, 1));
        assert!(gets.latency_ns.max().abs_diff(100_000) <= 100);
        let sets = recorder.kind(OperationKind::HsetOne);
        assert_eq!((sets.commands, sets.errors, sets.absent), (2, 1, 0));
        assert!(sets.latency_ns.min().abs_diff(100_000) <= 100);
        assert!(sets.latency_ns.max().abs_diff(300_000) <= 300);
        assert_eq!(recorder.first_error(), Some("OOM no"));
        assert_eq!(recorder.elapsed(), Duration::from_micros(300));
    }

    #[test]
    fn merged_records_hold_what_both_held_over_the_time_of_both() {
        let start = Instant::now();
        let record = |from: u64, to: u64, commands: u64| {
            let mut recorder = Recorder::new();
            let mut arrivals = recorder.pipeline(start + Duration::from_secs(from));
            for _ in 0..commands {
                let arrived = start + Duration::from_secs(to);
                arrivals.add(OperationKind::Hgetall, reply(ReplyKind::Value, arrived));
            }
            arrivals.settle();
            recorder
        };
        let mut merged = record(3, 5, 2);
        merged.merge(record(1, 4, 3));
        merged.merge(Recorder::new());
        let total = merged.total();
        assert_eq!((total.commands, total.latency_ns.len()), (5, 5));
        assert_eq!(merged.elapsed(), Duration::from_secs(4));
    }

    #[test]
    fn a_latency_beyond_all_bounds_is_kept_as_the_longest() {
        let sent = Instant::now();
        let mut recorder = Recorder::new();
        let mut arrivals = recorder.pipeline(sent);
        let late = sent + Duration::from_secs(100 * 3600);
        arrivals.add(OperationKind::Hget, reply(ReplyKind::Value, late));
        arrivals.settle();
        let latency = &recorder.kind(OperationKind::Hget).latency_ns;
        assert!(latency.max() >= LATENCY_NS_MAX && latency.len() == 1);
    }
}
