//! How is a target opened, and how does it end?

use std::fmt::{self, Display};
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::connection::{Connection, ConnectionError};
use crate::embedded::EmbeddedEngine;
use crate::info::ServerInfo;
use crate::inquiry::{InquiryError, ask_who};
use crate::spawned::{SpawnError, SpawnedServer};
use crate::spec::{ServerAddress, TargetSpec};
use crate::wire::{Greeting, Wire};

/// What is being measured: an engine in this process, a server that was started for it, or one
/// that is running.
///
/// It can be shared between threads; what it is asked itself goes over one connection of its own.
/// Dropping it ends what was started with it: the engine's threads, the server and its folder.
#[derive(Debug)]
pub struct Target {
    spec: TargetSpec,
    server: ServerInfo,
    options: TargetOptions,
    /// What it is asked goes over this one, so that measured connections carry nothing else.
    inquiries: Mutex<Connection>,
    // Last, so that connections end before what they lead to.
    place: Place,
}

/// What stands behind the connections.
#[derive(Debug)]
pub(crate) enum Place {
    Embedded(EmbeddedEngine),
    Spawned(SpawnedServer),
    Running(ServerAddress),
}

/// How a target is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetOptions {
    /// How many shards an embedded engine has where its [`TargetSpec`] does not say; `None` for as
    /// many as the engine chooses.
    pub shards: Option<NonZeroUsize>,
    /// How long a server may take to start, or a running one to greet.
    pub start_timeout: Duration,
    /// How long a connection may be without an answer that it waits for.
    pub answer_timeout: Duration,
}

/// Why a target cannot be measured.
#[derive(Debug)]
pub enum OpenError {
    /// The embedded engine does not start.
    Engine {
        /// Its reason.
        text: String,
    },
    /// The program does not serve.
    Spawn(SpawnError),
    /// The server cannot be talked to.
    Connection(ConnectionError),
    /// The server is still reading its data from disk.
    Loading {
        /// `host:port`.
        address: String,
    },
    /// The server does not say what it is.
    Inquiry(InquiryError),
}

impl Default for TargetOptions {
    /// As many shards as the engine chooses, 10 s to start, 60 s for an answer.
    fn default() -> Self {
        Self {
            shards: None,
            start_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(60),
        }
    }
}

impl Target {
    /// Makes a target ready: starts the engine or the server, or connects to a running one, and
    /// asks what it is.
    ///
    /// # Errors
    /// An [`OpenError`] with cause and remedy; no process is left behind.
    pub fn open(spec: &TargetSpec, options: &TargetOptions) -> Result<Self, OpenError> {
        match spec {
            TargetSpec::Embedded { shards } => {
                let (engine, shards) = EmbeddedEngine::start(shards.or(options.shards))
                    .map_err(|text| OpenError::Engine { text })?;
                let connection = Connection::embedded(engine.connect());
                let place = Place::Embedded(engine);
                Ok(Self::new(spec, options, ServerInfo::embedded(shards), connection, place))
            }
            TargetSpec::Spawn { program } => {
                let spawned = SpawnedServer::start(program, options.start_timeout)
                    .map_err(OpenError::Spawn)?;
                let (wire, mut server, claimed) = greet(spawned.address(), options)?;
                if claimed != Some(spawned.process_id()) {
                    return Err(OpenError::Spawn(SpawnError::Wrapper { program: program.clone() }));
                }
                server.process_id = claimed;
                let place = Place::Spawned(spawned);
                Ok(Self::new(spec, options, server, Connection::over(wire), place))
            }
            TargetSpec::Running(address) => {
                let (wire, mut server, claimed) = greet(address, options)?;
                server.process_id = claimed.filter(|&id| wire.is_served_by(id));
                let place = Place::Running(address.clone());
                Ok(Self::new(spec, options, server, Connection::over(wire), place))
            }
        }
    }

    /// What the user named.
    pub fn spec(&self) -> &TargetSpec {
        &self.spec
    }

    /// What the target said of itself when it was opened.
    pub fn server(&self) -> &ServerInfo {
        &self.server
    }

    /// Whether this is a server that was running before, and so may hold somebody's data.
    pub fn is_running_server(&self) -> bool {
        matches!(self.place, Place::Running(_))
    }

    /// `host:port` of the server; `None` for the embedded engine.
    pub fn endpoint(&self) -> Option<String> {
        match &self.place {
            Place::Embedded(_) => None,
            Place::Spawned(spawned) => Some(spawned.address().endpoint()),
            Place::Running(address) => Some(address.endpoint()),
        }
    }

    /// Opens one more connection.
    ///
    /// # Errors
    /// A [`ConnectionError`] when the server does not take it.
    pub fn connect(&self) -> Result<Connection, ConnectionError> {
        let address = match &self.place {
            Place::Embedded(engine) => return Ok(Connection::embedded(engine.connect())),
            Place::Spawned(spawned) => spawned.address(),
            Place::Running(address) => address,
        };
        Wire::open(address, self.options.start_timeout, self.options.answer_timeout)
            .map(|(wire, _)| Connection::over(wire))
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// The connection for questions, for one of them at a time.
    pub(crate) fn inquiries(&self) -> MutexGuard<'_, Connection> {
        self.inquiries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new(
        spec: &TargetSpec,
        options: &TargetOptions,
        server: ServerInfo,
        inquiries: Connection,
        place: Place,
    ) -> Self {
        let (spec, options) = (spec.clone(), options.clone());
        Self { spec, server, options, inquiries: Mutex::new(inquiries), place }
    }
}

/// Connects to a server and asks what it is and which process it says to be.
fn greet(
    address: &ServerAddress,
    options: &TargetOptions,
) -> Result<(Wire, ServerInfo, Option<u32>), OpenError> {
    let (mut wire, greeting) = Wire::open(address, options.start_timeout, options.answer_timeout)
        .map_err(OpenError::Connection)?;
    if greeting == Greeting::Loading {
        return Err(OpenError::Loading { address: address.endpoint() });
    }
    let (server, claimed) = ask_who(&mut wire).map_err(OpenError::Inquiry)?;
    Ok((wire, server, claimed))
}

impl Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine { text } => write!(f, "the embedded engine does not start: {text}"),
            Self::Spawn(error) => error.fmt(f),
            Self::Connection(error) => error.fmt(f),
            Self::Loading { address } => write!(
                f,
                "the server at {address} is still loading its data from disk: wait until `INFO \
                 persistence` says `loading:0`"
            ),
            Self::Inquiry(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Spawn(error) => Some(error),
            Self::Connection(error) => Some(error),
            Self::Inquiry(error) => Some(error),
            Self::Engine { .. } | Self::Loading { .. } => None,
        }
    }
}
