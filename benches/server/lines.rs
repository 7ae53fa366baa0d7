//! How do requests go out and replies come back, at little cost to the client?
//!
//! One thread has all connections, and on each one pipeline in flight. Replies are counted by a
//! [`Skimmer`], and the first error among them ends the bench.

use crate::contender::{Contender, Kind};
use crate::sink::greeting;
use crate::work::{Keys, Pipeline, Values, Work};
use hdrhistogram::Histogram;
use hectare_resp::{ReplyKind, Skimmer};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::TcpStream as BlockingTcpStream;
use std::time::{Duration, Instant};

/// How many connections there are.
pub(crate) const LINES: usize = 50;

const INPUT_BYTES: usize = 64 << 10;
/// A server that says nothing for so long is stuck.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// Latencies are kept up to this, in steps of less than a hundredth.
const LATENCY_NS_MAX: u64 = 60_000_000_000;

/// The connections to one server, and what is asked on them.
pub(crate) struct Lines {
    poll: Poll,
    events: Events,
    lines: Vec<Line>,
    keys: Keys,
    input: Vec<u8>,
    reply_bytes: usize,
}

struct Line {
    stream: TcpStream,
    pipeline: Pipeline,
    /// How much of the pipeline is sent.
    sent: usize,
    /// How many replies are missing.
    missing: usize,
    skimmer: Skimmer,
    /// The beginning of a reply that is not there as a whole.
    rest: Vec<u8>,
}

impl Lines {
    pub(crate) fn connect(contender: &Contender, work: Work, values: &Values, keys: Keys) -> Self {
        let poll = Poll::new().expect("the system has epoll or the like");
        let reply = work.reply(values);
        let line = |index: usize| {
            let pipeline = work.pipeline(values, index * work.pipeline);
            let mut stream =
                BlockingTcpStream::connect(contender.address).expect("the server listens");
            stream.set_nodelay(true).expect("it is TCP");
            if contender.kind == Kind::Sink {
                let greeting = greeting(pipeline.request_bytes(), &reply);
                stream.write_all(&greeting).expect("the sink listens");
            }
            stream.set_nonblocking(true).expect("every socket can be");
            let mut stream = TcpStream::from_std(stream);
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut stream, Token(index), interest).expect("it is open");
            let (skimmer, rest) = (Skimmer::default(), Vec::new());
            Line { stream, pipeline, sent: 0, missing: 0, skimmer, rest }
        };
        let lines = (0..LINES).map(line).collect();
        let input = vec![0; INPUT_BYTES];
        let events = Events::with_capacity(LINES);
        Self { poll, events, lines, keys, input, reply_bytes: reply.len() }
    }

    /// Sends so many pipelines, the next on each connection as soon as the last is answered.
    pub(crate) fn run(&mut self, pipelines: usize) -> Duration {
        let start = Instant::now();
        let (mut unsent, mut in_flight) = (pipelines, 0);
        for index in 0..LINES.min(pipelines) {
            self.begin(index);
            (unsent, in_flight) = (unsent - 1, in_flight + 1);
        }
        while in_flight > 0 {
            self.wait(Some(SILENCE_MAX));
            assert!(!self.events.is_empty(), "the server says nothing for {SILENCE_MAX:?}");
            for index in self.ready() {
                // That there is room again is said of lines that are done, too.
                if self.lines[index].missing == 0 || !self.go_on(index) {
                    continue;
                }
                if unsent > 0 {
                    self.begin(index);
                    unsent -= 1;
                } else {
                    in_flight -= 1;
                }
            }
        }
        start.elapsed()
    }

    /// Sends pipelines at a constant rate for some time, each on a connection that is free; gives
    /// nanoseconds from when each was meant to be sent until it was answered.
    pub(crate) fn run_at(&mut self, per_second: f64, lasting: Duration) -> Histogram<u64> {
        let mut latencies = Histogram::new_with_bounds(1, LATENCY_NS_MAX, 3).expect("good bounds");
        let interval = Duration::from_secs_f64(1.0 / per_second);
        let count = lasting.as_nanos() / interval.as_nanos();
        let start = Instant::now();
        let mut due = start;
        let mut free: VecDeque<usize> = (0..LINES).collect();
        let mut meant = [start; LINES];
        let (mut sent, mut answered, mut heard) = (0, 0, start);
        while answered < count {
            let now = Instant::now();
            while sent < count && due <= now {
                let Some(index) = free.pop_front() else { break };
                meant[index] = due;
                self.begin(index);
                sent += 1;
                due += interval;
            }
            self.wait(Some(Duration::ZERO));
            for index in self.ready() {
                if self.lines[index].missing == 0 || !self.go_on(index) {
                    continue;
                }
                heard = Instant::now();
                let latency_ns = (heard - meant[index]).as_nanos();
                latencies.saturating_record(u64::try_from(latency_ns).unwrap_or(LATENCY_NS_MAX));
                answered += 1;
                free.push_back(index);
            }
            let is_silent =
                free.len() < LINES && now.saturating_duration_since(heard) > SILENCE_MAX;
            assert!(!is_silent, "the server says nothing for {SILENCE_MAX:?}");
        }
        latencies
    }

    fn wait(&mut self, limit: Option<Duration>) {
        if let Err(error) = self.poll.poll(&mut self.events, limit) {
            assert_eq!(error.kind(), io::ErrorKind::Interrupted, "polling can only be interrupted");
        }
    }

    fn ready(&self) -> impl Iterator<Item = usize> + use<> {
        let ready: [Option<usize>; LINES] = {
            let mut events = self.events.iter();
            std::array::from_fn(|_| events.next().map(|event| event.token().0))
        };
        ready.into_iter().flatten()
    }

    fn begin(&mut self, index: usize) {
        let line = &mut self.lines[index];
        line.pipeline.renew(&mut self.keys);
        line.sent = 0;
        line.missing = line.pipeline.commands();
        line.write();
    }

    /// Takes what has come; whether all is answered.
    fn go_on(&mut self, index: usize) -> bool {
        let line = &mut self.lines[index];
        line.write();
        line.read(&mut self.input, self.reply_bytes);
        line.missing == 0
    }
}

impl Line {
    fn write(&mut self) {
        while self.sent < self.pipeline.bytes().len() {
            match self.stream.write(&self.pipeline.bytes()[self.sent..]) {
                Ok(bytes) => self.sent += bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => panic!("the server has closed a connection: {error}"),
            }
        }
    }

    /// Reads what is there, into `input` behind what is left of the last time.
    fn read(&mut self, input: &mut [u8], reply_bytes: usize) {
        while self.missing > 0 {
            let kept = self.rest.len();
            input[..kept].copy_from_slice(&self.rest);
            let filled = match self.stream.read(&mut input[kept..]) {
                Ok(0) => panic!("the server has closed a connection"),
                Ok(bytes) => kept + bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => panic!("the server has closed a connection: {error}"),
            };
            let consumed = self.skim(&input[..filled], reply_bytes);
            self.rest.clear();
            self.rest.extend_from_slice(&input[consumed..filled]);
            if filled < input.len() {
                return;
            }
        }
    }

    fn skim(&mut self, received: &[u8], reply_bytes: usize) -> usize {
        let mut position = 0;
        while let Some(reply) =
            self.skimmer.skim(&received[position..]).expect("a server answers with replies")
        {
            let bytes = &received[position..position + reply.consumed];
            let is_right = reply.kind != ReplyKind::Error && bytes.len() == reply_bytes;
            assert!(
                is_right,
                "a reply of {reply_bytes} bytes was due, not {}",
                bytes.escape_ascii()
            );
            self.missing = self.missing.checked_sub(1).expect("one reply for each request");
            position += reply.consumed;
        }
        position
    }
}
