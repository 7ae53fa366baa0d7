//! How is a server started, and how does it end?

use crate::connection::Bench;
use crate::door::Door;
use crate::event_loop::EventLoop;
use crate::listener::{Address, ListenError, Listener};
use crate::log::{Level, Log};
use crate::metrics::Endpoint;
use crate::parameters::Parameters;
use crate::settings::Settings;
use crate::shared::Shared;
use crate::wire::Wires;
use hectare_engine::{BuildError, Engine, EngineError, EventWake, Shard, Wake};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    addresses: Vec<Address>,
    threads: Vec<JoinHandle<()>>,
    endpoint: Option<Endpoint>,
    engine: Option<Engine>,
}

/// Stops a server, from any thread.
#[derive(Clone, Debug)]
pub struct Stopper(Arc<Shared>);

/// Why a server did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// It cannot listen where it should.
    Listen(ListenError),
    /// It would listen nowhere.
    NoAddress,
    /// The engine cannot be built.
    Engine(BuildError),
    /// The engine does not answer.
    Shards(EngineError),
    /// The system refuses a thread, or what a thread needs.
    System(io::Error),
}

/// Why a server ended that nobody has asked to.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServeError {
    /// The engine can no longer answer.
    Engine(EngineError),
    /// A thread has panicked.
    Thread {
        /// Which one.
        thread: usize,
    },
}

/// Descriptors that are not clients'.
const DESCRIPTORS_RESERVED: u64 = 32;

impl Server {
    /// Starts a server that serves until it is stopped.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left behind then.
    pub fn start(mut settings: Settings, log: Log) -> Result<Self, StartError> {
        let parameters = &mut settings.parameters;
        parameters.maxclients = allow_descriptors(parameters.maxclients, &log);
        let listeners = Listener::all(parameters).map_err(StartError::Listen)?;
        if listeners.is_empty() {
            return Err(StartError::NoAddress);
        }
        let endpoint = Some(&parameters.hectare_metrics_addr).filter(|name| !name.is_empty());
        let endpoint =
            endpoint.map(|name| Endpoint::listen(name)).transpose().map_err(StartError::Listen)?;
        let addresses: Vec<_> = listeners.iter().map(|listener| listener.address.clone()).collect();
        let threads = match parameters.hectare_shards {
            0 => thread::available_parallelism().map_or(1, usize::from),
            shards => usize::try_from(shards).unwrap_or(usize::MAX),
        };
        let wakes: Vec<_> = (0..threads)
            .map(|_| EventWake::new())
            .collect::<io::Result<_>>()
            .map_err(StartError::System)?;
        let dialect = parameters.store_dialect();
        let mut builder = Engine::builder().shards(threads).dialect(dialect);
        if parameters.maxmemory > 0 {
            builder = builder.memory_limit(parameters.maxmemory);
        }
        let boxed = wakes.iter().map(|wake| -> Box<dyn Wake> { Box::new(wake.clone()) });
        let (engine, mut shards) =
            builder.build_driven(boxed.collect()).map_err(StartError::Engine)?;
        prepare(&engine, &mut shards, parameters).map_err(StartError::Shards)?;
        let doors = wakes.iter().map(|wake| Arc::new(Door::new(wake.clone()))).collect();
        let wires = Wires::new(parameters);
        let shared = Arc::new(Shared::new(settings, log, doors, wires, &addresses));
        let mut listeners = Some(listeners);
        let mut loops = Vec::with_capacity(threads);
        for (thread, shard) in shards.into_iter().enumerate() {
            let bench = Bench::new(thread, Arc::clone(&shared), engine.client(), shard, wires);
            // The first thread deals the clients.
            let listeners = listeners.take().unwrap_or_default();
            let built = EventLoop::new(bench, &wakes[thread], listeners);
            loops.push(built.map_err(StartError::System)?);
        }
        let mut server =
            Self { shared, addresses, threads: Vec::new(), endpoint: None, engine: Some(engine) };
        for (thread, event_loop) in loops.into_iter().enumerate() {
            let builder = thread::Builder::new().name(format!("hectare-{thread}"));
            // On an error the server is dropped, which stops the threads that have begun.
            let spawned = builder.spawn(move || event_loop.run()).map_err(StartError::System);
            server.threads.push(spawned?);
        }
        if let Some((endpoint, engine)) = endpoint.zip(server.engine.as_ref()) {
            let started = endpoint.start(Arc::clone(&server.shared), engine.client());
            server.endpoint = Some(started.map_err(StartError::System)?);
        }
        Ok(server)
    }

    /// Where it listens, ports that the system chose included.
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Where it answers web clients that ask for its metrics, if it does.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.endpoint.as_ref().map(|endpoint| endpoint.address)
    }

    /// How many threads it has, and shards.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads.len()
    }

    /// What stops it.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.shared))
    }

    /// Waits until it has been stopped, by a [`Stopper`] or a client, and everything that it had
    /// accepted is answered.
    ///
    /// # Errors
    /// [`ServeError`], if it stopped for another reason.
    pub fn wait(mut self) -> Result<(), ServeError> {
        self.join()
    }

    fn join(&mut self) -> Result<(), ServeError> {
        let mut outcome = Ok(());
        for (thread, handle) in self.threads.drain(..).enumerate() {
            if handle.join().is_err() {
                outcome = Err(ServeError::Thread { thread });
            }
        }
        drop(self.endpoint.take());
        drop(self.engine.take());
        self.shared.failure().map_or(outcome, |error| Err(ServeError::Engine(error)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop();
        // Whoever wants to know how it ended waits for it.
        let _outcome = self.join();
    }
}

impl Stopper {
    /// Asks the server to accept nothing more, answer what it has accepted, and end.
    pub fn stop(&self) {
        self.0.stop();
    }
}

/// Tells the shards what they have to know before anybody drives them.
fn prepare(
    engine: &Engine,
    shards: &mut [Shard],
    parameters: &Parameters,
) -> Result<(), EngineError> {
    // Whoever sleeps lets others in.
    for shard in &mut *shards {
        let _nobody_has_called = shard.announce_sleep();
    }
    let (entries, value_bytes) = parameters.encoding_limits();
    let told = engine.client().set_encoding_limits(entries, value_bytes);
    shards.iter_mut().for_each(Shard::wake_up);
    told
}

/// Lets the process have as many descriptors as that many clients need, as far as the system allows;
/// gives how many clients there can be.
fn allow_descriptors(clients: u32, log: &Log) -> u32 {
    let needed = u64::from(clients) + DESCRIPTORS_RESERVED;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return clients;
    }
    let asked = limit.maximum.map_or(needed, |maximum| maximum.max(needed));
    // Only a privileged process can raise the maximum.
    for maximum in [Some(asked), limit.maximum] {
        let current = Some(maximum.map_or(needed, |maximum| maximum.min(needed)));
        if setrlimit(Resource::Nofile, Rlimit { current, maximum }).is_ok() {
            break;
        }
    }
    let current = getrlimit(Resource::Nofile).current.unwrap_or(needed);
    if current >= needed {
        return clients;
    }
    let fitting = current.saturating_sub(DESCRIPTORS_RESERVED).max(1);
    let fitting = u32::try_from(fitting).unwrap_or(clients);
    log.say(
        Level::Warning,
        format!(
            "the system allows {current} descriptors, which is enough for {fitting} clients, not \
             {clients}; raise it with ulimit -n"
        ),
    );
    fitting
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(error) => error.fmt(formatter),
            Self::NoAddress => {
                formatter.write_str("there is no address to listen on; give --bind or --unixsocket")
            }
            Self::Engine(error) => error.fmt(formatter),
            Self::Shards(error) => error.fmt(formatter),
            Self::System(error) => write!(formatter, "the system refuses a thread: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

impl fmt::Display for ServeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine(error) => error.fmt(formatter),
            Self::Thread { thread } => write!(formatter, "thread {thread} of the server panicked"),
        }
    }
}

impl std::error::Error for ServeError {}
