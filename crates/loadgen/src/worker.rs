//! How does one thread drive its connections?

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use crate::lane::Lane;
use crate::recorder::Recorder;
use crate::run::RunError;

/// How long a thread sleeps at most before it looks for a stop or a silent server.
const TICK: Duration = Duration::from_millis(100);

/// The connections of one thread, ready to go.
#[derive(Debug)]
pub(crate) struct Worker {
    lanes: Vec<Lane>,
    /// What tells which sockets have something; `None` for the embedded engine, which has none.
    sockets: Option<Poll>,
}

/// What the threads of a run have in common.
#[derive(Debug)]
pub(crate) struct Course<'a> {
    /// Commands that are sent from then on count.
    pub(crate) counts_from: Instant,
    /// After an answer of then or later, nothing is sent.
    pub(crate) ends_at: Option<Instant>,
    /// Set by the user: nothing more is sent.
    pub(crate) stop: &'a AtomicBool,
    /// Set by a thread that has failed: the others end at once.
    pub(crate) failed: AtomicBool,
    /// How many commands that count have come back, for the progress shown.
    pub(crate) commands: AtomicU64,
}

impl Worker {
    /// Takes charge of some connections.
    ///
    /// # Errors
    /// The operating system gives no means to wait for sockets.
    pub(crate) fn new(mut lanes: Vec<Lane>) -> io::Result<Self> {
        let mut sockets = None;
        for (number, lane) in lanes.iter_mut().enumerate() {
            let Some(source) = lane.source() else { continue };
            let poll = match &sockets {
                Some(poll) => poll,
                None => sockets.insert(Poll::new()?),
            };
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(source, Token(number), interest)?;
        }
        Ok(Self { lanes, sockets })
    }

    /// Sends and records until the course ends, and takes every answer that is still to come.
    pub(crate) fn run(mut self, course: &Course<'_>) -> Result<Recorder, RunError> {
        let mut recorder = Recorder::new();
        let outcome = match self.sockets.take() {
            Some(sockets) => self.drive_sockets(sockets, course, &mut recorder),
            None => self.take_turns(course, &mut recorder),
        };
        if outcome.is_err() {
            course.failed.store(true, Ordering::Relaxed);
        }
        outcome.map(|()| recorder)
    }

    /// Drives connections to a server: each is served when its socket has something.
    fn drive_sockets(
        &mut self,
        mut sockets: Poll,
        course: &Course<'_>,
        recorder: &mut Recorder,
    ) -> Result<(), RunError> {
        let mut events = Events::with_capacity(self.lanes.len());
        let mut open = 0;
        for lane in &mut self.lanes {
            open += usize::from(lane.launch(course.counts_from)?);
        }
        let mut looked_at = Instant::now();
        while open > 0 && !course.has_failed() {
            match sockets.poll(&mut events, Some(TICK)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                outcome => outcome.map_err(RunError::Events)?,
            }
            for event in &events {
                let lane = &mut self.lanes[event.token().0];
                let Some(landed) = lane.land(recorder)? else { continue };
                course.commands.fetch_add(landed.counted, Ordering::Relaxed);
                if !course.goes_on(landed.at) || !lane.launch(course.counts_from)? {
                    open -= 1;
                }
            }
            let now = Instant::now();
            if now - looked_at >= TICK {
                looked_at = now;
                if let Some(error) = self.lanes.iter().find_map(|lane| lane.overdue(now)) {
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }

    /// Drives connections to the embedded engine: waits for one after the other.
    fn take_turns(&mut self, course: &Course<'_>, recorder: &mut Recorder) -> Result<(), RunError> {
        for lane in &mut self.lanes {
            lane.launch(course.counts_from)?;
        }
        while self.lanes.iter().any(Lane::in_flight) && !course.has_failed() {
            for lane in &mut self.lanes {
                let Some(landed) = lane.land(recorder)? else { continue };
                course.commands.fetch_add(landed.counted, Ordering::Relaxed);
                if course.goes_on(landed.at) {
                    lane.launch(course.counts_from)?;
                }
            }
        }
        Ok(())
    }
}

impl Course<'_> {
    /// Whether more is sent after an answer that came at `now`.
    fn goes_on(&self, now: Instant) -> bool {
        self.ends_at.is_none_or(|end| now < end) && !self.stop.load(Ordering::Relaxed)
    }

    fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}
