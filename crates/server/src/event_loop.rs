//! What does a thread do, round after round?
//!
//! A round: sleep in epoll unless there is work; mark the connections that are ready; open the door;
//! accept clients, if it is this thread that does; serve each connection that is marked, once; give
//! the shard its turn. So nobody is served twice before everybody was once.

use crate::connection::{After, Bench, Connection, LAST_REPLIES};
use crate::directory::Entry;
use crate::door::{CONNECTIONS_MAX, Letter};
use crate::listener::Listener;
use crate::log::Level;
use crate::shared::{Tally, unix_ms};
use crate::socket::Socket;
use hectare_engine::{EngineError, EventWake, Turn};
use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// A thread of the server: its shard and its connections.
#[derive(Debug)]
pub(crate) struct EventLoop {
    poll: Poll,
    bench: Bench,
    connections: Slab<Connection>,
    /// Those to be served, first come first served.
    ready: VecDeque<usize>,
    /// When a connection is to be served, and which: its place, and the client's number.
    alarms: BinaryHeap<Reverse<(Instant, usize, u64)>>,
    letters: Vec<Letter>,
    acceptor: Option<Acceptor>,
    /// When idle connections are looked for next.
    next_sweep: Instant,
    /// Since when it takes no more clients.
    stopping_since: Option<Instant>,
    /// Whether it has told the others that it has no more clients.
    has_finished: bool,
}

/// Deals clients over the threads; one thread has it.
#[derive(Debug)]
pub(crate) struct Acceptor {
    listeners: Vec<Listener>,
    /// Whether clients may be waiting.
    is_ready: bool,
    /// When to try again after the system had no room for one more.
    retry: Option<Instant>,
}

const SHARD: Token = Token(0);
const FIRST_LISTENER: usize = 1;
const FIRST_CONNECTION: usize = 1 << 16;

/// How many events are taken from epoll at once.
const EVENTS: usize = 1024;

/// How many commands of others the shard runs before connections are served again.
const TURN_COMMANDS: usize = 1024;

/// How many clients are accepted before those who are there are served again.
const ACCEPTED_AT_ONCE: usize = 64;

const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

impl EventLoop {
    /// A thread that has not begun. `wake` is the shard's and the door's.
    pub(crate) fn new(
        bench: Bench,
        wake: &EventWake,
        listeners: Vec<Listener>,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let registry = poll.registry();
        // Edge-triggered, as all of mio's: a write makes an event though nobody reads the count.
        let descriptor = wake.as_fd().as_raw_fd();
        registry.register(&mut SourceFd(&descriptor), SHARD, Interest::READABLE)?;
        for (index, listener) in listeners.iter().enumerate() {
            let descriptor = listener.as_raw_fd();
            let token = Token(FIRST_LISTENER + index);
            registry.register(&mut SourceFd(&descriptor), token, Interest::READABLE)?;
        }
        let acceptor =
            (!listeners.is_empty()).then_some(Acceptor { listeners, is_ready: false, retry: None });
        Ok(Self {
            poll,
            connections: Slab::new(),
            ready: VecDeque::new(),
            alarms: BinaryHeap::new(),
            letters: Vec::new(),
            acceptor,
            next_sweep: bench.now + SWEEP_INTERVAL,
            stopping_since: None,
            has_finished: false,
            bench,
        })
    }

    /// Serves until the server stops and every thread has answered what it had accepted.
    pub(crate) fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        let mut turn = Turn::Busy;
        while !self.is_over() {
            if let Err(error) = self.rest(&mut events, turn) {
                let text = format!("the system refuses to say what is ready: {error}");
                self.bench.shared.say(Level::Warning, text);
                self.bench.shared.stop();
            }
            (self.bench.now, self.bench.now_ms) = (Instant::now(), unix_ms());
            for event in &events {
                self.notice(event);
            }
            self.open_door();
            self.ring_alarms();
            self.sweep();
            self.accept();
            self.serve();
            turn = self.bench.shard.turn(TURN_COMMANDS);
            if let Turn::Idle { .. } = turn
                && self.bench.shard.is_lost()
            {
                let shard = self.bench.shard.number();
                self.bench.shared.fail(EngineError::ShardLost { shard });
            }
        }
    }

    /// Sleeps until there is something to do, and not at all if there is already.
    fn rest(&mut self, events: &mut Events, turn: Turn) -> io::Result<()> {
        let Turn::Idle { until } = turn else { return self.look(events, Some(Duration::ZERO)) };
        let is_ready = !self.ready.is_empty()
            || self.acceptor.as_ref().is_some_and(|acceptor| acceptor.is_ready);
        if is_ready || !self.bench.door.announce_sleep() {
            return self.look(events, Some(Duration::ZERO));
        }
        let looked = if self.bench.shard.announce_sleep() {
            let until = [until, self.next_alarm()].into_iter().flatten().min();
            let timeout = until.map(|until| until.saturating_duration_since(Instant::now()));
            let looked = self.look(events, timeout);
            self.bench.shard.wake_up();
            looked
        } else {
            self.look(events, Some(Duration::ZERO))
        };
        self.bench.door.wake_up();
        looked
    }

    fn look(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        match self.poll.poll(events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                events.clear();
                Ok(())
            }
            looked => looked,
        }
    }

    fn next_alarm(&self) -> Option<Instant> {
        let alarm = self.alarms.peek().map(|Reverse((at, _, _))| *at);
        let has_idle_timeout = self.bench.shared.live.idle_timeout_s() > 0;
        let sweep = (has_idle_timeout && !self.connections.is_empty()).then_some(self.next_sweep);
        let retry = self.acceptor.as_ref().and_then(|acceptor| acceptor.retry);
        let end = self.stopping_since.map(|since| since + LAST_REPLIES);
        [alarm, sweep, retry, end].into_iter().flatten().min()
    }

    /// Marks what an event is about.
    fn notice(&mut self, event: &Event) {
        let Token(token) = event.token();
        if let Some(key) = token.checked_sub(FIRST_CONNECTION) {
            let Some(connection) = self.connections.get_mut(key) else { return };
            connection.is_readable |= event.is_readable();
            connection.has_ended |= event.is_read_closed() || event.is_error();
            if event.is_writable() || event.is_error() {
                connection.is_blocked = false;
            }
            self.enqueue(key);
        } else if let Some(acceptor) = self.acceptor.as_mut().filter(|_| event.token() != SHARD) {
            acceptor.is_ready = true;
        }
    }

    fn enqueue(&mut self, key: usize) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if !connection.is_queued {
            connection.is_queued = true;
            self.ready.push_back(key);
        }
    }

    fn open_door(&mut self) {
        let mut letters = std::mem::take(&mut self.letters);
        let Self { connections, ready, bench, .. } = self;
        bench.door.open(&mut letters, |key| {
            if let Some(connection) = connections.get_mut(key).filter(|it| !it.is_queued) {
                connection.is_queued = true;
                ready.push_back(key);
            }
        });
        for letter in letters.drain(..) {
            match letter {
                Letter::Client(socket) => self.welcome(socket),
                Letter::Kill { connection, id } => {
                    if self.connections.get(connection).is_some_and(|it| it.card.id == id) {
                        self.enqueue(connection);
                    }
                }
                Letter::LookAround => self.look_around(),
            }
        }
        self.letters = letters;
    }

    /// Serves every connection again, since something has changed that may matter to it.
    fn look_around(&mut self) {
        let is_stopping = self.bench.shared.is_stopping();
        if is_stopping && self.stopping_since.is_none() {
            self.stopping_since = Some(self.bench.now);
            // Closes the listeners, and removes the unix socket.
            self.acceptor = None;
        }
        for (key, connection) in &mut self.connections {
            if is_stopping {
                connection.finish();
            }
            if !connection.is_queued {
                connection.is_queued = true;
                self.ready.push_back(key);
            }
        }
    }

    fn ring_alarms(&mut self) {
        while let Some(&Reverse((at, key, id))) = self.alarms.peek() {
            if at > self.bench.now {
                break;
            }
            self.alarms.pop();
            if self.connections.get(key).is_some_and(|connection| connection.card.id == id) {
                self.enqueue(key);
            }
        }
    }

    /// Closes connections that have been idle for too long, and all that are left when a stop takes
    /// too long; looks at how much is done.
    fn sweep(&mut self) {
        let now = self.bench.now;
        if self.stopping_since.is_some_and(|since| since + LAST_REPLIES <= now) {
            let all: Vec<usize> = self.connections.iter().map(|(key, _)| key).collect();
            all.into_iter().for_each(|key| self.close(key));
        }
        if now < self.next_sweep {
            return;
        }
        self.next_sweep = now + SWEEP_INTERVAL;
        self.bench.tally().pace.look(self.bench.tally(), self.bench.now_ms);
        let timeout_ms = u64::from(self.bench.shared.live.idle_timeout_s()) * 1000;
        if timeout_ms == 0 {
            return;
        }
        let now_ms = self.bench.now_ms;
        let is_over = |connection: &Connection| {
            let last_ms = connection.card.last_ms.load(Ordering::Relaxed);
            connection.is_idle() && now_ms.saturating_sub(last_ms) > timeout_ms
        };
        let over: Vec<usize> = self
            .connections
            .iter()
            .filter(|(_, connection)| is_over(connection))
            .map(|(key, _)| key)
            .collect();
        for key in over {
            self.bench.shared.say(Level::Verbose, "closing an idle client");
            self.close(key);
        }
    }

    /// Accepts some clients, and deals each to the thread that has the fewest.
    fn accept(&mut self) {
        let Some(mut acceptor) = self.acceptor.take() else { return };
        if acceptor.retry.is_some_and(|retry| retry <= self.bench.now) {
            acceptor.retry = None;
            acceptor.is_ready = true;
        }
        if acceptor.is_ready {
            acceptor.is_ready = false;
            for listener in &acceptor.listeners {
                for turn in 0.. {
                    if turn == ACCEPTED_AT_ONCE {
                        acceptor.is_ready = true;
                        break;
                    }
                    match listener.accept(self.bench.shared.live.keepalive_s()) {
                        Ok(Some(socket)) => self.deal(socket),
                        Ok(None) => break,
                        Err(error) => {
                            let text = format!("cannot accept a client: {error}");
                            self.bench.shared.say(Level::Warning, text);
                            acceptor.retry = Some(self.bench.now + ACCEPT_RETRY);
                            break;
                        }
                    }
                }
            }
        }
        self.acceptor = Some(acceptor);
    }

    fn deal(&mut self, socket: Socket) {
        let shared = &self.bench.shared;
        let refusal = if shared.clients() >= shared.live.clients_max() {
            Some(TOO_MANY)
        } else if shared.live.protected_mode() && socket.is_remote && !shared.live.needs_password()
        {
            Some(PROTECTED)
        } else {
            None
        };
        if let Some(text) = refusal {
            // It is closed whether or not it hears why.
            let _heard = socket.transmit(text.as_bytes());
            Tally::add(&self.bench.tally().rejected, 1);
            return;
        }
        let load = |(_, clients): &(usize, &std::sync::atomic::AtomicUsize)| {
            clients.load(Ordering::Relaxed)
        };
        let thread = shared.clients.iter().enumerate().min_by_key(load).map_or(0, |(at, _)| at);
        shared.clients[thread].fetch_add(1, Ordering::Relaxed);
        if thread == self.bench.thread {
            self.welcome(socket);
        } else {
            shared.doors[thread].post(Letter::Client(socket));
        }
    }

    /// Takes a client in.
    fn welcome(&mut self, socket: Socket) {
        let shared = &self.bench.shared;
        let entry = self.connections.vacant_entry();
        let key = entry.key();
        let descriptor = socket.as_raw_fd();
        let token = Token(FIRST_CONNECTION + key);
        let registry = self.poll.registry();
        let is_refused = self.stopping_since.is_some()
            || key >= CONNECTIONS_MAX
            || registry.register(&mut SourceFd(&descriptor), token, Interest::READABLE).is_err();
        if is_refused {
            shared.clients[self.bench.thread].fetch_sub(1, Ordering::Relaxed);
            Tally::add(&self.bench.tally().rejected, 1);
            return;
        }
        Tally::add(&self.bench.tally().accepted, 1);
        let card = shared.directory.enter(Entry {
            id: shared.next_client_id(),
            thread: self.bench.thread,
            connection: key,
            descriptor,
            peer: socket.peer.clone(),
            local: socket.local.clone(),
            is_unix: socket.is_unix,
            now_ms: self.bench.now_ms,
        });
        entry.insert(Connection::new(socket, card, !shared.live.needs_password()));
        self.enqueue(key);
    }

    /// Serves everybody who is ready now.
    fn serve(&mut self) {
        for _ in 0..self.ready.len() {
            let Some(key) = self.ready.pop_front() else { return };
            let Some(connection) = self.connections.get_mut(key) else { continue };
            connection.is_queued = false;
            let after = connection.serve(&mut self.bench);
            if after != After::Close && connection.needs_room() != connection.is_watched_for_room {
                self.watch(key);
            }
            match after {
                After::Wait => {}
                After::Again => self.enqueue(key),
                After::At(at) => {
                    let id = self.connections[key].card.id;
                    self.alarms.push(Reverse((at, key, id)));
                }
                After::Close => self.close(key),
            }
        }
    }

    /// Asks epoll to say when the socket takes more, or not to.
    fn watch(&mut self, key: usize) {
        let connection = &mut self.connections[key];
        connection.is_watched_for_room = connection.needs_room();
        let interest = if connection.is_watched_for_room {
            Interest::READABLE | Interest::WRITABLE
        } else {
            Interest::READABLE
        };
        let descriptor = connection.socket.as_raw_fd();
        let token = Token(FIRST_CONNECTION + key);
        let registry = self.poll.registry();
        if registry.reregister(&mut SourceFd(&descriptor), token, interest).is_err() {
            self.close(key);
        }
    }

    fn close(&mut self, key: usize) {
        let Some(connection) = self.connections.try_remove(key) else { return };
        let shared = &self.bench.shared;
        self.bench.owed_bytes -= connection.owed_bytes();
        shared.directory.leave(connection.card.id);
        shared.clients[self.bench.thread].fetch_sub(1, Ordering::Relaxed);
        // Closing the descriptor takes it out of epoll.
    }

    /// Whether all is done: the server stops, and no thread has clients any more.
    fn is_over(&mut self) -> bool {
        if self.stopping_since.is_none() {
            return false;
        }
        let shared = &self.bench.shared;
        if self.connections.is_empty() && !self.has_finished {
            self.has_finished = true;
            shared.leave();
        }
        shared.is_left()
    }
}

/// The others do not wait for a thread that has panicked, or never began.
impl Drop for EventLoop {
    fn drop(&mut self) {
        if !self.has_finished {
            self.bench.shared.leave();
        }
        if std::thread::panicking() {
            self.bench.shared.stop();
        }
    }
}

const TOO_MANY: &str = "-ERR max number of clients reached\r\n";

const PROTECTED: &str = "-DENIED Redis is running in protected mode: there is no password, so only \
    clients of this machine are let in. To let others in, start the server with a password \
    (--requirepass, --requirepass-file or the variable HECTARE_REQUIREPASS), or, if everybody who can \
    reach this port may use it, turn the protection off with CONFIG SET protected-mode no from this \
    machine or with --protected-mode no at the start.\r\n";
