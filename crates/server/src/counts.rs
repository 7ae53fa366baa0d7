//! How often was each command run, refused, and answered with an error?
//!
//! Each thread counts for itself, by the numbers of rows. A call costs an increment; whatever else is
//! counted is rare, and read off the replies.
//!
//! # Ordering
//!
//! Figures are relaxed, each stands for itself; a thread alone writes its own, but for a reset.

use crate::facts::{CommandFacts, ErrorFacts};
use crate::rows::{self, RowNumber};
use crate::shared::Tally;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// More rows than there are, so that a number of a row need not be held against it.
const ROWS_MAX: usize = 256;

/// How many kinds of errors are told apart, as in Redis.
const KINDS_MAX: usize = 128;

/// What one thread has counted of commands; it alone writes.
#[derive(Debug)]
pub(crate) struct Counts {
    calls: [AtomicU64; ROWS_MAX],
    rejected: [AtomicU64; ROWS_MAX],
    failed: [AtomicU64; ROWS_MAX],
    /// By what they begin with.
    errors: Mutex<BTreeMap<Box<str>, u64>>,
}

impl Counts {
    pub(crate) fn new() -> Self {
        let zeros = || [const { AtomicU64::new(0) }; ROWS_MAX];
        Self { calls: zeros(), rejected: zeros(), failed: zeros(), errors: Mutex::default() }
    }

    /// A command is run.
    #[inline]
    pub(crate) fn call(&self, row: usize) {
        Tally::add(&self.calls[row % ROWS_MAX], 1);
    }

    /// A command was not run, and answered with this error.
    #[cold]
    pub(crate) fn reject(&self, row: usize, reply: &[u8]) {
        if row != RowNumber::NONE {
            Tally::add(&self.rejected[row % ROWS_MAX], 1);
        }
        self.error(reply);
    }

    /// A command that was run was answered like this; what is no error does not matter.
    #[cold]
    pub(crate) fn settle(&self, row: usize, reply: &[u8]) {
        if reply.first() != Some(&b'-') {
            return;
        }
        // It was run as far as to find that there is no memory; Redis looks before.
        if reply.starts_with(b"-OOM ") {
            let calls = &self.calls[row % ROWS_MAX];
            calls.store(calls.load(Ordering::Relaxed).saturating_sub(1), Ordering::Relaxed);
            return self.reject(row, reply);
        }
        Tally::add(&self.failed[row % ROWS_MAX], 1);
        self.error(reply);
    }

    fn error(&self, reply: &[u8]) {
        let text = reply.strip_prefix(b"-").unwrap_or(reply);
        let kind = text.split(|&byte| matches!(byte, b' ' | b'\r')).next().unwrap_or_default();
        let kind = String::from_utf8_lossy(kind);
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = errors.get_mut(&*kind) {
            *count += 1;
        } else if errors.len() < KINDS_MAX {
            errors.insert(kind.into(), 1);
        }
    }

    /// Counts from 0 again.
    pub(crate) fn reset(&self) {
        let figures = self.calls.iter().chain(&self.rejected).chain(&self.failed);
        figures.for_each(|figure| figure.store(0, Ordering::Relaxed));
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// What all threads have counted of the commands that were called or refused.
pub(crate) fn commands(counts: &[Arc<Counts>]) -> Vec<CommandFacts> {
    let sum = |row: usize, figure: fn(&Counts) -> &[AtomicU64; ROWS_MAX]| {
        counts.iter().map(|counts| figure(counts)[row].load(Ordering::Relaxed)).sum()
    };
    let facts = (0..ROWS_MAX).map_while(|row| {
        Some(CommandFacts {
            name: rows::name(row)?.to_owned(),
            calls: sum(row, |counts| &counts.calls),
            rejected: sum(row, |counts| &counts.rejected),
            failed: sum(row, |counts| &counts.failed),
            ..CommandFacts::default()
        })
    });
    facts.filter(|facts| facts.calls + facts.rejected + facts.failed > 0).collect()
}

/// What errors all threads have answered.
pub(crate) fn errors(counts: &[Arc<Counts>]) -> Vec<ErrorFacts> {
    let mut all = BTreeMap::<Box<str>, u64>::new();
    for counts in counts {
        for (kind, count) in &*counts.errors.lock().unwrap_or_else(PoisonError::into_inner) {
            *all.entry(kind.clone()).or_default() += count;
        }
    }
    all.into_iter().map(|(kind, count)| ErrorFacts { kind: kind.into(), count }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_its_place() {
        assert!(hectare_store::commands().len() + rows::ROWS.len() < ROWS_MAX);
    }
}
