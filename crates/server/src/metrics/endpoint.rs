//! How do web clients reach the metrics?
//!
//! One thread serves them all and sleeps unless one of them says something. Each gets one answer; how
//! many there are at once is bounded, and so is how long each may take, so nobody can keep the others
//! out for longer than that.

use super::families;
use super::http::{HEAD_BYTES_MAX, HttpRequest, Refusal};
use crate::commands::survey;
use crate::listener::ListenError;
use crate::log::Level;
use crate::shared::Shared;
use hectare_engine::Client;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use slab::Slab;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The thread that answers web clients; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    end: Arc<End>,
    thread: Option<JoinHandle<()>>,
}

/// A thread that has not begun.
#[derive(Debug)]
pub(crate) struct Unstarted {
    pub(crate) address: SocketAddr,
    poll: Poll,
    listener: TcpListener,
    end: Arc<End>,
}

/// How the thread learns that it is to end.
#[derive(Debug)]
struct End {
    waker: Waker,
    /// Relaxed: the waker carries it.
    has_come: AtomicBool,
}

/// How many web clients are served at once; the others wait to be accepted.
const VISITORS_MAX: usize = 16;

/// How long one may take from being accepted to having closed.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long to wait after the system had no room for one more.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

const END: Token = Token(usize::MAX - 1);
const LISTENER: Token = Token(usize::MAX - 2);

impl Endpoint {
    /// Listens on an address and a port, or on a port of this machine.
    pub(crate) fn listen(name: &str) -> Result<Unstarted, ListenError> {
        Unstarted::listen(name)
            .map_err(|source| ListenError { address: format!("{name} for metrics"), source })
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.end.has_come.store(true, Ordering::Relaxed);
        // Without the waker nobody would hear of it; then the thread is left to the process' end.
        if self.end.waker.wake().is_ok()
            && let Some(thread) = self.thread.take()
        {
            // It answers nobody any more, however it ended.
            let _ended = thread.join();
        }
    }
}

impl Unstarted {
    fn listen(name: &str) -> io::Result<Self> {
        let address = match name.parse::<u16>() {
            Ok(port) => SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            Err(_) => name.to_socket_addrs()?.next().ok_or(ErrorKind::AddrNotAvailable)?,
        };
        let mut listener = TcpListener::bind(address)?;
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let waker = Waker::new(poll.registry(), END)?;
        let end = Arc::new(End { waker, has_come: AtomicBool::new(false) });
        Ok(Self { address: listener.local_addr()?, poll, listener, end })
    }

    /// Begins to answer.
    pub(crate) fn start(self, shared: Arc<Shared>, client: Client) -> io::Result<Endpoint> {
        let Self { address, poll, listener, end } = self;
        let desk = FrontDesk {
            poll,
            listener,
            is_ready: false,
            retry: None,
            visitors: Slab::with_capacity(VISITORS_MAX),
            shared,
            client,
            end: Arc::clone(&end),
        };
        let builder = thread::Builder::new().name("hectare-metrics".to_owned());
        let thread = Some(builder.spawn(move || desk.run())?);
        Ok(Endpoint { address, end, thread })
    }
}

/// What the thread has.
#[derive(Debug)]
struct FrontDesk {
    poll: Poll,
    listener: TcpListener,
    /// Web clients may be waiting to be accepted.
    is_ready: bool,
    retry: Option<Instant>,
    visitors: Slab<Visitor>,
    shared: Arc<Shared>,
    client: Client,
    end: Arc<End>,
}

/// One web client.
#[derive(Debug)]
struct Visitor {
    stream: TcpStream,
    deadline: Instant,
    received: Vec<u8>,
    answer: Option<Vec<u8>>,
    sent: usize,
}

impl FrontDesk {
    fn run(mut self) {
        let mut events = Events::with_capacity(VISITORS_MAX + 2);
        while !self.end.has_come.load(Ordering::Relaxed) {
            match self.poll.poll(&mut events, self.timeout()) {
                Err(error) if error.kind() != ErrorKind::Interrupted => {
                    let text = format!("metrics are answered no more: {error}");
                    self.shared.say(Level::Warning, text);
                    return;
                }
                _ => {}
            }
            for event in &events {
                match event.token() {
                    END => {}
                    LISTENER => self.is_ready = true,
                    Token(key) => self.serve(key),
                }
            }
            let now = Instant::now();
            self.visitors.retain(|_, visitor| visitor.deadline > now);
            self.accept(now);
        }
    }

    /// How long nothing happens by itself.
    fn timeout(&self) -> Option<Duration> {
        let deadlines = self.visitors.iter().map(|(_, visitor)| visitor.deadline);
        let next = deadlines.chain(self.retry).min();
        next.map(|next| next.saturating_duration_since(Instant::now()))
    }

    fn accept(&mut self, now: Instant) {
        self.is_ready |= self.retry.take_if(|retry| *retry <= now).is_some();
        while self.is_ready && self.visitors.len() < VISITORS_MAX {
            match self.listener.accept() {
                Ok((stream, _)) => self.welcome(stream, now + PATIENCE),
                Err(error) => {
                    self.is_ready = false;
                    if error.kind() != ErrorKind::WouldBlock {
                        self.retry = Some(now + ACCEPT_RETRY);
                    }
                }
            }
        }
    }

    fn welcome(&mut self, mut stream: TcpStream, deadline: Instant) {
        let entry = self.visitors.vacant_entry();
        let (key, interest) = (entry.key(), Interest::READABLE | Interest::WRITABLE);
        if self.poll.registry().register(&mut stream, Token(key), interest).is_ok() {
            entry.insert(Visitor { stream, deadline, received: Vec::new(), answer: None, sent: 0 });
        }
    }

    fn serve(&mut self, key: usize) {
        let Self { visitors, shared, client, .. } = self;
        let Some(visitor) = visitors.get_mut(key) else { return };
        let stays = visitor.serve(|request| answer(request, shared, client));
        if !matches!(stays, Err(error) if error.kind() == ErrorKind::WouldBlock) {
            visitors.remove(key);
        }
    }
}

/// What a web client gets; nothing yet if its request has not ended.
fn answer(request: HttpRequest, shared: &Shared, client: &Client) -> Option<Vec<u8>> {
    let HttpRequest::Metrics { .. } = request else { return request.response(String::new) };
    match survey::ask(client) {
        Ok(asked) => {
            request.response(|| families::text(&survey::facts(shared, asked, Instant::now())))
        }
        Err(_) => HttpRequest::Refused(Refusal::Unavailable).response(String::new),
    }
}

impl Visitor {
    /// Goes on as far as the socket lets it: to the end, or to `WouldBlock`.
    fn serve(&mut self, answer: impl Fn(HttpRequest) -> Option<Vec<u8>>) -> io::Result<()> {
        let mut some = [0; 1024];
        while self.answer.is_none() {
            let read = self.stream.read(&mut some)?;
            if read == 0 {
                return Ok(());
            }
            let room = HEAD_BYTES_MAX - self.received.len();
            self.received.extend_from_slice(&some[..read.min(room)]);
            self.answer = answer(HttpRequest::parse(&self.received));
        }
        let bytes = self.answer.as_deref().unwrap_or_default();
        if self.sent < bytes.len() {
            while self.sent < bytes.len() {
                self.sent += self.stream.write(&bytes[self.sent..])?;
            }
            self.stream.shutdown(Shutdown::Write)?;
        }
        // Closing in front of bytes that were not read would be a reset, and the answer could be lost.
        while self.stream.read(&mut some)? > 0 {}
        Ok(())
    }
}
