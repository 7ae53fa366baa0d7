//! What does one connection do when it can?
//!
//! ```text
//! bytes ──▶ requests ──▶ work ──▶ submitted ──▶ all answers are here ──▶ replies ──▶ socket
//!   ▲          │ a command of the server that waits    │ not yet                        │ full
//!   │          │ for its turn, or a full work          ▼                                ▼
//!   └──────────┴────────────────────────────────── waits for its bell          waits for epoll
//! ```
//!
//! A connection has at most one work outstanding, and takes no request meanwhile; so whatever it
//! has asked is answered in order. What it needs only while it is served belongs to the thread and
//! comes with the [`Bench`].

use crate::counts::Counts;
use crate::desk::{Desk, Then};
use crate::directory::Card;
use crate::door::{Bell, Door};
use crate::input::{Input, LENT_BYTES, Received};
use crate::output::{Flushed, Output};
use crate::pause::Paused;
use crate::rows::{self, Found, Row, RowNumber};
use crate::session::Session;
use crate::shared::{Shared, Tally};
use crate::socket::{Passed, Socket};
use crate::wire::Wires;
use crate::work::{Settled, Work, Works};
use hectare_engine::{
    Client, Command, CommandError, EngineError, InPlace, ReplyBuffer, Shard, Span,
};
use hectare_resp::{Encoder, Parsed, Request, RequestLimits, RequestParser};
use smallvec::SmallVec;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

/// One client's connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) socket: Socket,
    pub(crate) card: Arc<Card>,
    session: Session,
    input: Input,
    output: Output,
    /// Commands whose answers are not all here.
    work: Option<Box<Work>>,
    /// What the engine wakes; made when it is needed for the first time.
    waker: Option<Waker>,
    waits: Option<Wait>,
    /// How many commands go into the next work: fewer if replies have been large.
    commands_max: u16,
    /// There may be bytes to read.
    pub(crate) is_readable: bool,
    /// The other side sends no more, says epoll.
    pub(crate) has_ended: bool,
    /// The socket has refused bytes, and epoll has not said since that it takes more.
    pub(crate) is_blocked: bool,
    /// It is to be closed when its replies are sent.
    is_closing: bool,
    /// The server stops: it is to be closed when what it has received is answered.
    is_finishing: bool,
    /// It stands in the thread's queue.
    pub(crate) is_queued: bool,
    /// Epoll is asked to say when the socket takes more.
    pub(crate) is_watched_for_room: bool,
}

/// Why a connection takes no requests, though there is nothing outstanding.
#[derive(Clone, Copy, Debug)]
enum Wait {
    /// A command of its own takes its time, and is answered with this then.
    Until { until: Option<Instant>, reply: &'static [u8] },
    /// Others have asked for a pause.
    Paused,
}

/// What a thread lends to the connection that it serves.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) thread: usize,
    pub(crate) shared: Arc<Shared>,
    pub(crate) door: Arc<Door>,
    pub(crate) client: Client,
    pub(crate) shard: Shard,
    pub(crate) counts: Arc<Counts>,
    works: Works,
    wires: Wires,
    /// Commands for this thread's shard whose arguments are in the bytes that are taken.
    in_place: InPlace,
    /// Lent to them; empty otherwise.
    answers: ReplyBuffer,
    /// What is read.
    lent: Box<[u8]>,
    /// What is to be written, of the connection that is served.
    replies: Vec<u8>,
    parser: Option<Box<RequestParser>>,
    /// How many bytes are owed to all connections of the thread.
    pub(crate) owed_bytes: usize,
    pub(crate) now: Instant,
    pub(crate) now_ms: u64,
}

/// When a connection is to be served next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// At once, after the others.
    Again,
    /// When epoll, a bell or a letter says so.
    Wait,
    /// Then, if nothing else says so before.
    At(Instant),
    /// Never: it is closed.
    Close,
}

/// Where a request begins, and the bytes in which it lies.
#[derive(Clone, Copy, Debug)]
struct In<'a> {
    bytes: &'a [u8],
    start: usize,
}

/// Why no more requests are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// There are no more whole ones.
    Bytes,
    /// What was taken has to be answered before.
    Turn,
    /// The connection waits, or is about to be closed.
    Rest,
    /// The client does not keep to the protocol.
    Broken,
}

/// Larger than this, what is to be written goes out before more requests are taken.
const REPLIES_BYTES_MAX: usize = 256 << 10;

/// How many bytes of answers one work should give at most, by what the last one gave.
const WORK_REPLY_BYTES: usize = 1 << 20;

/// How many commands the first work of a connection has at most, and any.
const WORK_COMMANDS_FIRST: u16 = 16;
const WORK_COMMANDS_MAX: usize = 1024;

/// How much may be owed to one client once much is owed to all of them.
const OWED_BYTES_TIGHT: usize = 64 << 10;

/// Arguments of this many are kept on the stack.
const FEW_ARGUMENTS: usize = 32;

type Arguments<'a> = SmallVec<[&'a [u8]; FEW_ARGUMENTS]>;

impl Bench {
    pub(crate) fn new(
        thread: usize,
        shared: Arc<Shared>,
        client: Client,
        shard: Shard,
        wires: Wires,
    ) -> Self {
        Self {
            thread,
            door: Arc::clone(&shared.doors[thread]),
            counts: Arc::clone(&shared.counts[thread]),
            shared,
            works: Works::new(client.clone(), wires),
            client,
            shard,
            wires,
            in_place: InPlace::default(),
            answers: ReplyBuffer::default(),
            lent: vec![0; LENT_BYTES].into(),
            replies: Vec::new(),
            parser: None,
            owed_bytes: 0,
            now: Instant::now(),
            now_ms: crate::shared::unix_ms(),
        }
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.shared.tally[self.thread]
    }
}

impl Connection {
    pub(crate) fn new(socket: Socket, card: Arc<Card>, is_authenticated: bool) -> Self {
        Self {
            socket,
            card,
            session: Session::new(is_authenticated),
            input: Input::default(),
            output: Output::default(),
            work: None,
            waker: None,
            waits: None,
            commands_max: WORK_COMMANDS_FIRST,
            is_readable: true,
            has_ended: false,
            is_blocked: false,
            is_closing: false,
            is_finishing: false,
            is_queued: false,
            is_watched_for_room: false,
        }
    }

    /// Does what can be done without waiting, within a bound.
    pub(crate) fn serve(&mut self, bench: &mut Bench) -> After {
        debug_assert!(bench.replies.is_empty(), "replies belong to the connection that is served");
        if self.card.is_killed.load(Ordering::Relaxed) {
            return After::Close;
        }
        if let Some(after) = self.still_waits(bench) {
            return after;
        }
        if self.work.is_some() && !self.collect(bench) {
            return After::Wait;
        }
        // What was refused goes first: it may be what keeps more from being read.
        if !self.send(bench) {
            return After::Close;
        }
        if self.takes_requests(bench) {
            self.take_once(bench);
        }
        if !self.send(bench) {
            return After::Close;
        }
        self.settle(bench)
    }

    /// Whether it is idle: nothing is under way and nothing owed.
    pub(crate) fn is_idle(&self) -> bool {
        self.work.is_none() && self.waits.is_none() && self.output.is_empty()
    }

    /// How many bytes are owed to the client.
    pub(crate) fn owed_bytes(&self) -> usize {
        self.output.len()
    }

    /// Takes what has been received, and no more; then it is closed.
    pub(crate) fn finish(&mut self) {
        self.waits = None;
        self.is_finishing = true;
    }

    /// Ends a wait that is over; else says when to look again. `None` if there is none any more.
    fn still_waits(&mut self, bench: &mut Bench) -> Option<After> {
        let wait = self.waits?;
        let until = match wait {
            Wait::Until { until, .. } => until,
            // It may have been changed, or ended.
            Wait::Paused => {
                Some(bench.shared.pause.at(bench.now).map_or(bench.now, |paused| paused.until))
            }
        };
        if until.is_none_or(|until| until > bench.now) {
            if self.has_ended {
                return Some(After::Close);
            }
            return Some(until.map_or(After::Wait, After::At));
        }
        if let Wait::Until { reply, .. } = wait {
            bench.replies.extend_from_slice(reply);
        }
        self.waits = None;
        self.card.is_suspended.store(false, Ordering::Relaxed);
        None
    }

    fn takes_requests(&self, bench: &Bench) -> bool {
        let is_tight = bench.owed_bytes > bench.shared.outputs_bytes_max;
        let pause = bench.shared.output_bytes_pause;
        let owed_max = if is_tight { pause.min(OWED_BYTES_TIGHT) } else { pause };
        let reads = self.is_readable && !self.is_finishing;
        (self.input.has_requests || reads) && !self.is_closing && self.output.len() <= owed_max
    }

    /// Reads once, unless whole requests wait, and takes the requests that are there.
    fn take_once(&mut self, bench: &mut Bench) {
        let mut lent = std::mem::take(&mut bench.lent);
        let received = if self.input.has_requests {
            self.input.waiting()
        } else {
            self.receive(&mut lent, bench)
        };
        let (taken, stop) = self.take_all(received.bytes(&lent), bench);
        self.input.keep(received, &lent, taken);
        self.input.has_requests = stop != Stop::Bytes && self.input.len() > 0;
        bench.lent = lent;
    }

    fn receive(&mut self, lent: &mut [u8], bench: &Bench) -> Received {
        let (received, passed, room) = self.input.read(lent, &self.socket);
        match passed {
            Passed::Bytes(bytes) => {
                // A short read means that there is no more, but the end of all brings no bytes.
                self.is_readable = bytes == room || self.has_ended;
                Tally::add(&bench.tally().reads, 1);
                Tally::add(&bench.tally().received_bytes, bytes as u64);
                Tally::add(&self.card.received_bytes, bytes as u64);
                self.card.last_ms.store(bench.now_ms, Ordering::Relaxed);
            }
            Passed::Blocked => self.is_readable = false,
            Passed::Ended => {
                self.is_readable = false;
                self.is_closing = true;
            }
        }
        received
    }

    /// Takes requests as far as it goes, and says how many bytes they had.
    fn take_all(&mut self, bytes: &[u8], bench: &mut Bench) -> (usize, Stop) {
        if bytes.is_empty() {
            return (0, Stop::Bytes);
        }
        let own = self.input.parser.take();
        let mut parser = own.or_else(|| bench.parser.take()).unwrap_or_default();
        let paused = bench.shared.pause.at(bench.now);
        let mut taken = 0;
        let stop = loop {
            parser.set_limits(self.limits(bench));
            let stop = self.take_some(bytes, &mut taken, &mut parser, paused, bench);
            self.run_in_place(bytes, bench);
            let is_answered = self.submit(bench);
            if stop != Stop::Turn || !is_answered {
                break stop;
            }
            if bench.replies.len() > REPLIES_BYTES_MAX && (!self.send(bench) || self.is_blocked) {
                break stop;
            }
        };
        match stop {
            // It knows what it has seen of a request.
            Stop::Bytes if taken < bytes.len() => self.input.parser = Some(parser),
            // It gives the same error for ever.
            Stop::Broken => {}
            _ => bench.parser = Some(parser),
        }
        (taken, stop)
    }

    fn limits(&self, bench: &Bench) -> RequestLimits {
        RequestLimits {
            bulk_bytes_max: bench.shared.live.bulk_bytes_max(),
            request_bytes_max: bench.shared.live.request_bytes_max(),
            authenticated: self.session.is_authenticated,
            ..RequestLimits::default()
        }
    }

    /// Takes requests until one has to wait for the others.
    fn take_some(
        &mut self,
        bytes: &[u8],
        taken: &mut usize,
        parser: &mut RequestParser,
        paused: Option<Paused>,
        bench: &mut Bench,
    ) -> Stop {
        loop {
            let request = match parser.parse(&bytes[*taken..]) {
                Ok(Parsed::Request(request)) => request,
                Ok(Parsed::Empty { consumed }) => {
                    *taken += consumed;
                    continue;
                }
                Ok(Parsed::Partial { .. }) => return Stop::Bytes,
                Err(error) => {
                    self.run_in_place(bytes, bench);
                    self.answer(bench, |out, _| error.write_reply(out));
                    self.is_closing = true;
                    return Stop::Broken;
                }
            };
            let was_authenticated = self.session.is_authenticated;
            let stop = match self.take(&request, In { bytes, start: *taken }, paused, bench) {
                Taken::Yes => None,
                Taken::YesAnd(stop) => Some(stop),
                Taken::No(stop) => return stop,
            };
            *taken += request.consumed();
            if let Some(stop) = stop {
                return stop;
            }
            if was_authenticated != self.session.is_authenticated {
                parser.set_limits(self.limits(bench));
            }
        }
    }

    /// Takes one request, if it need not wait.
    #[inline]
    fn take(
        &mut self,
        request: &Request<'_>,
        place: In<'_>,
        paused: Option<Paused>,
        bench: &mut Bench,
    ) -> Taken {
        if paused.is_none() && self.takes_in_place(request, place.start, bench) {
            let is_full = bench.in_place.len() >= usize::from(self.commands_max);
            return if is_full { Taken::YesAnd(Stop::Turn) } else { Taken::Yes };
        }
        // Whatever comes of it is answered behind these.
        self.run_in_place(place.bytes, bench);
        let args: Arguments<'_> = request.iter().collect();
        match rows::find(&args) {
            Found::Elsewhere => {}
            Found::Row(row, words) => return self.take_own(row, &args[words..], paused, bench),
            Found::Refused(error) => return self.refuse(RowNumber::NONE, &error, bench),
        }
        let Some((command, words)) = Command::find(args[0], args.get(1).copied()) else {
            if rows::is_of_browser(args[0]) {
                // A page that a browser shows could make it say such things, and commands behind them.
                // Nothing of what was said before is answered, or run if it was not yet.
                self.work = None;
                bench.replies.clear();
                self.card.is_killed.store(true, Ordering::Relaxed);
                return Taken::YesAnd(Stop::Rest);
            }
            return self.refuse(RowNumber::NONE, &rows::refusal(&args), bench);
        };
        let args = &args[1 + words..];
        let row = RowNumber::of_store(command);
        if let Err(error) = command.check_arguments(args.len()) {
            return self.refuse(row, &error, bench);
        }
        if !self.session.is_authenticated {
            return self.refuse(row, &no_login(), bench);
        }
        if paused.is_some_and(|paused| paused.is_for_all || command.flags.write) {
            self.wait(Wait::Paused);
            return Taken::No(Stop::Rest);
        }
        self.take_for_store(command, args, bench)
    }

    /// Takes a command on data that is for this thread's shard alone, unless others of the connection
    /// are under way, whose answers come first; says whether it did.
    #[inline]
    fn takes_in_place(&mut self, request: &Request<'_>, start: usize, bench: &mut Bench) -> bool {
        let (spans, count) = (request.spans(), request.args_count() - 1);
        let argument = |index: usize| request.arg(index + 1).unwrap_or_default();
        let name = request.arg(0).unwrap_or_default();
        if self.work.is_some()
            || !self.session.is_authenticated
            || self.session.is_silent()
            || request.is_inline()
            || rows::is_ours(name)
        {
            return false;
        }
        let Some((command, 0)) = Command::find(name, None) else { return false };
        if command.check_arguments(count).is_err() {
            return false;
        }
        let shard = bench.shard.number();
        let Some(hash) = bench.client.hash_for(shard, command, count, argument) else {
            return false;
        };
        // Bytes that are parsed at once are fewer than 4 GiB.
        let start = u32::try_from(start).unwrap_or(u32::MAX);
        let spans =
            spans[1..].iter().map(|span| Span { start: span.start + start, end: span.end + start });
        bench.in_place.push(command, self.session.database, hash, spans);
        let row = RowNumber::of_store(command);
        self.card.row.store(row, Ordering::Relaxed);
        bench.counts.call(row);
        self.session.next_command();
        true
    }

    /// Runs what was taken in place of these bytes, and writes the answers.
    fn run_in_place(&mut self, bytes: &[u8], bench: &mut Bench) {
        let commands = bench.in_place.len();
        if commands == 0 {
            return;
        }
        let tally = &bench.shared.tally[bench.thread];
        Tally::add(&tally.commands, commands as u64);
        Tally::add(&self.card.commands, commands as u64);
        // The answers go behind what is there already.
        let Bench { in_place, answers, replies, shard, wires, counts, .. } = bench;
        let before = replies.len();
        std::mem::swap(&mut answers.bytes, replies);
        answers.end();
        let wire = wires.of(self.session.protocol);
        let ran = in_place.run(shard, bytes, wire, answers);
        if answers.errors > 0 {
            for (index, command) in (1..answers.len()).zip(in_place.last()) {
                counts.settle(RowNumber::of_store(command), answers.get(index));
            }
        }
        std::mem::swap(&mut answers.bytes, replies);
        Tally::add(&tally.errors, answers.errors as u64);
        answers.clear();
        if let Err(error) = ran {
            replies.truncate(before);
            let protocol = self.session.protocol;
            for _ in 0..commands {
                Encoder::new(replies, protocol).error(format!("ERR {error}"));
            }
        }
        self.adapt(Settled { commands, reply_bytes: bench.replies.len() - before });
    }

    /// Puts a command on data into the work.
    #[inline]
    fn take_for_store(
        &mut self,
        command: &'static Command,
        args: &[&[u8]],
        bench: &mut Bench,
    ) -> Taken {
        let protocol = self.session.protocol;
        let work = self.work.get_or_insert_with(|| bench.works.lend(protocol));
        let is_silent = self.session.is_silent();
        let row = RowNumber::of_store(command);
        if let Err(error) = work.push(command, self.session.database, args, is_silent) {
            return self.refuse(row, &error, bench);
        }
        self.card.row.store(row, Ordering::Relaxed);
        bench.counts.call(row);
        self.session.next_command();
        if work.commands() >= usize::from(self.commands_max) {
            return Taken::YesAnd(Stop::Turn);
        }
        Taken::Yes
    }

    /// Runs a command of the server.
    fn take_own(
        &mut self,
        row: &'static Row,
        args: &[&[u8]],
        paused: Option<Paused>,
        bench: &mut Bench,
    ) -> Taken {
        let number = RowNumber::of_server(row);
        if !self.session.is_authenticated && !row.run.without_login {
            return self.refuse(number, &no_login(), bench);
        }
        let is_exempt = row.run.without_login || row.name.starts_with("client|");
        if paused.is_some_and(|paused| paused.is_for_all) && !is_exempt {
            self.wait(Wait::Paused);
            return Taken::No(Stop::Rest);
        }
        if row.run.in_turn && self.work.is_some() {
            return Taken::No(Stop::Turn);
        }
        self.card.row.store(number, Ordering::Relaxed);
        bench.counts.call(number);
        let mut then = Then::Next;
        self.answer(bench, |out, at| {
            let before = out.len();
            let At { session, card, bench } = at;
            let answered = {
                let mut desk = Desk::new(
                    session,
                    card,
                    &bench.shared,
                    &bench.client,
                    &mut bench.shard,
                    bench.now,
                    out,
                );
                (row.run.run)(&mut desk, args)
            };
            match answered {
                Ok(next) => then = next,
                Err(error) => rows::write_error(&error, out),
            }
            if out.get(before) == Some(&b'-') {
                bench.counts.settle(number, &out[before..]);
                Tally::add(&bench.tally().errors, 1);
            }
        });
        Tally::add(&bench.tally().commands, 1);
        match then {
            Then::Next => Taken::Yes,
            Then::Close => {
                self.is_closing = true;
                Taken::YesAnd(Stop::Rest)
            }
            Then::Vanish => {
                self.card.is_killed.store(true, Ordering::Relaxed);
                Taken::YesAnd(Stop::Rest)
            }
            Then::Wait { until, reply } => {
                self.wait(Wait::Until { until, reply });
                Taken::YesAnd(Stop::Rest)
            }
        }
    }

    #[cold]
    fn refuse(&mut self, row: usize, error: &CommandError, bench: &mut Bench) -> Taken {
        self.answer(bench, |out, at| {
            let before = out.len();
            rows::write_error(error, out);
            at.bench.counts.reject(row, &out[before..]);
        });
        Tally::add(&bench.tally().errors, 1);
        Taken::Yes
    }

    /// Writes an answer in its place: behind what is being worked on.
    fn answer(&mut self, bench: &mut Bench, write: impl FnOnce(&mut Vec<u8>, At<'_>)) {
        let Self { session, card, work, .. } = self;
        let mut replies = std::mem::take(&mut bench.replies);
        let write = |out: &mut Vec<u8>| {
            let before = out.len();
            write(out, At { session: &mut *session, card, bench: &mut *bench });
            // Said before, so that `CLIENT REPLY ON` is answered and `OFF` is not.
            if session.is_silent() {
                out.truncate(before);
            }
            session.next_command();
        };
        match work {
            Some(work) => work.answer(write),
            None => write(&mut replies),
        }
        bench.replies = replies;
    }

    fn wait(&mut self, wait: Wait) {
        self.waits = Some(wait);
        self.card.is_suspended.store(true, Ordering::Relaxed);
    }

    /// Sends the work off, and writes its answers if they are here already.
    fn submit(&mut self, bench: &mut Bench) -> bool {
        let Some(work) = &mut self.work else { return true };
        let commands = work.commands() as u64;
        Tally::add(&bench.tally().commands, commands);
        Tally::add(&self.card.commands, commands);
        match work.submit(&mut bench.shard) {
            Ok(()) => self.collect(bench),
            Err(error) => {
                self.fail(&error, bench);
                true
            }
        }
    }

    /// Writes the answers of the work if all are here.
    fn collect(&mut self, bench: &mut Bench) -> bool {
        let Some(mut work) = self.work.take() else { return true };
        let tally = &bench.shared.tally[bench.thread];
        let counts = &*bench.counts;
        let mut polled = work.poll(Waker::noop(), &mut bench.replies, tally, counts);
        if polled.is_pending() {
            let waker = self.waker.get_or_insert_with(|| {
                let bell = Bell { door: Arc::clone(&bench.door), connection: self.card.connection };
                Arc::new(bell).into()
            });
            polled = work.poll(waker, &mut bench.replies, tally, counts);
        }
        match polled {
            Poll::Pending => {
                self.work = Some(work);
                return false;
            }
            Poll::Ready(Ok(settled)) => {
                self.adapt(settled);
                bench.works.give_back(work);
            }
            Poll::Ready(Err(error)) => {
                self.work = Some(work);
                self.fail(&error, bench);
            }
        }
        true
    }

    /// Lets the next work have as many commands as will give replies of a bounded size, by what this
    /// one's were.
    fn adapt(&mut self, Settled { commands, reply_bytes }: Settled) {
        let each = reply_bytes / commands.max(1);
        let fitting = (WORK_REPLY_BYTES / each.max(1)).clamp(1, WORK_COMMANDS_MAX);
        // Slowly up, since what comes may be different.
        let next = fitting.min(usize::from(self.commands_max) * 2);
        self.commands_max = u16::try_from(next).unwrap_or(WORK_COMMANDS_FIRST);
    }

    #[cold]
    fn fail(&mut self, error: &EngineError, bench: &mut Bench) {
        if let Some(mut work) = self.work.take() {
            work.fail(error, &mut bench.replies);
            bench.works.give_back(work);
        }
        match error {
            EngineError::ShardLost { .. } => bench.shared.fail(error.clone()),
            EngineError::Closed => self.is_closing = true,
            _ => {}
        }
    }

    /// Sends what is owed; false if nobody is there any more.
    fn send(&mut self, bench: &mut Bench) -> bool {
        if bench.replies.is_empty() && (self.output.is_empty() || self.is_blocked) {
            return true;
        }
        let before = self.output.len();
        if self.is_blocked {
            self.output.owe(&bench.replies);
            bench.replies.clear();
        } else {
            let tally = &bench.shared.tally[bench.thread];
            let flushed = self.output.flush(&mut bench.replies, &self.socket, |bytes| {
                Tally::add(&tally.writes, 1);
                Tally::add(&tally.sent_bytes, bytes as u64);
                Tally::add(&self.card.sent_bytes, bytes as u64);
            });
            self.is_blocked = flushed == Flushed::Blocked;
            if flushed == Flushed::Gone {
                bench.owed_bytes -= before;
                self.output = Output::default();
                return false;
            }
        }
        bench.owed_bytes = bench.owed_bytes + self.output.len() - before;
        true
    }

    /// What comes next.
    fn settle(&mut self, bench: &mut Bench) -> After {
        let owed = self.output.len();
        self.card.output_bytes.store(owed, Ordering::Relaxed);
        self.card.input_bytes.store(self.input.len(), Ordering::Relaxed);
        if self.card.is_killed.load(Ordering::Relaxed) {
            return After::Close;
        }
        if owed as u64 > bench.shared.live.output_bytes_max() {
            let text = format!("client {} is closed: it takes no replies", self.card.id);
            bench.shared.say(crate::log::Level::Notice, text);
            return After::Close;
        }
        if self.work.is_some() {
            return After::Wait;
        }
        if self.waits.is_some() {
            return if self.is_finishing { After::Close } else { After::Again };
        }
        if self.is_closing || (self.is_finishing && !self.input.has_requests) {
            return if owed == 0 { After::Close } else { After::Wait };
        }
        if self.takes_requests(bench) { After::Again } else { After::Wait }
    }

    /// Whether epoll has to say when the socket takes more.
    pub(crate) fn needs_room(&self) -> bool {
        self.is_blocked && !self.output.is_empty()
    }
}

/// What has become of a request.
enum Taken {
    /// It is taken.
    Yes,
    /// It is taken, and the next one has to wait.
    YesAnd(Stop),
    /// It has to wait itself.
    No(Stop),
}

/// What an answer is written with.
struct At<'a> {
    session: &'a mut Session,
    card: &'a Card,
    bench: &'a mut Bench,
}

fn no_login() -> CommandError {
    CommandError::Other("NOAUTH Authentication required.".into())
}

/// How long a client may take to fetch its last replies when the server stops.
pub(crate) const LAST_REPLIES: Duration = Duration::from_secs(5);
