//! How does one connection keep a pipeline in flight?

use std::ops::Range;
use std::time::Instant;

use hectare_target::{Connection, ConnectionError, Progress};
use mio::net::TcpStream;

use crate::prepared::Prepared;
use crate::recorder::Recorder;

/// A connection, what it sends, and what of it is in flight.
#[derive(Debug)]
pub(crate) struct Lane {
    connection: Connection,
    prepared: Prepared,
    pipeline: usize,
    /// The command to be sent next; behind the last comes the first again.
    next: usize,
    /// How many commands that count are still to be sent; `None` when time is the limit.
    left: Option<u64>,
    flight: Option<Flight>,
}

/// A pipeline that is away.
#[derive(Debug)]
struct Flight {
    range: Range<usize>,
    sent: Instant,
    /// Whether it was sent after the warm-up.
    counts: bool,
}

/// A pipeline that is back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Landed {
    /// When the last answer came.
    pub(crate) at: Instant,
    /// How many of its commands count.
    pub(crate) counted: u64,
}

impl Lane {
    /// `left` is how many commands that count are to be sent, if that is limited.
    pub(crate) fn new(
        connection: Connection,
        prepared: Prepared,
        pipeline: usize,
        left: Option<u64>,
    ) -> Self {
        Self { connection, prepared, pipeline, next: 0, left, flight: None }
    }

    /// Sends the next pipeline; `false` when all is sent. Whether it counts depends on `counts_from`.
    pub(crate) fn launch(&mut self, counts_from: Instant) -> Result<bool, ConnectionError> {
        let most = usize::try_from(self.left.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        let length = self.pipeline.min(most).min(self.prepared.commands.len() - self.next);
        if length == 0 {
            return Ok(false);
        }
        let range = self.next..self.next + length;
        let sent = self.connection.submit(&self.prepared.commands, range.clone())?;
        let counts = sent >= counts_from;
        if counts && let Some(left) = &mut self.left {
            *left -= length as u64;
        }
        self.next = if range.end == self.prepared.commands.len() { 0 } else { range.end };
        self.flight = Some(Flight { range, sent, counts });
        Ok(true)
    }

    /// Takes the answers that are there; `None` while some are missing, or when none is expected.
    pub(crate) fn land(
        &mut self,
        recorder: &mut Recorder,
    ) -> Result<Option<Landed>, ConnectionError> {
        let Some(flight) = &self.flight else { return Ok(None) };
        let mut at = flight.sent;
        let progress = if flight.counts {
            let kinds = &self.prepared.kinds[flight.range.clone()];
            let mut arrivals = recorder.pipeline(flight.sent);
            let progress = self.connection.poll(&mut |reply| {
                at = reply.arrived;
                arrivals.add(kinds[reply.index], reply);
            })?;
            arrivals.settle();
            progress
        } else {
            self.connection.poll(&mut |reply| at = reply.arrived)?
        };
        if progress == Progress::Waiting {
            return Ok(None);
        }
        let counted = if flight.counts { flight.range.len() as u64 } else { 0 };
        self.flight = None;
        Ok(Some(Landed { at, counted }))
    }

    /// Whether a pipeline is away.
    pub(crate) fn in_flight(&self) -> bool {
        self.flight.is_some()
    }

    /// See [`Connection::overdue`].
    pub(crate) fn overdue(&self, now: Instant) -> Option<ConnectionError> {
        self.connection.overdue(now)
    }

    /// See [`Connection::source`].
    pub(crate) fn source(&mut self) -> Option<&mut TcpStream> {
        self.connection.source()
    }
}
