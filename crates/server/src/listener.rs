//! Where do clients come in?

use crate::parameters::Parameters;
use crate::socket::Socket;
use socket2::{Domain, SockAddr, TcpKeepalive, Type};
use std::fmt;
use std::fs::{self, Permissions};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A socket on which clients are accepted.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: socket2::Socket,
    pub(crate) address: Address,
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// An address and a port.
    Tcp(SocketAddr),
    /// The path of a unix socket.
    Unix(PathBuf),
}

impl Address {
    /// As `INFO` has it.
    pub(crate) fn line(&self) -> String {
        match self {
            Self::Tcp(address) => {
                format!("name=tcp,bind={},port={}", address.ip(), address.port())
            }
            Self::Unix(path) => format!("name=unix,bind={}", path.display()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(formatter, "{address}"),
            Self::Unix(path) => write!(formatter, "{}", path.display()),
        }
    }
}

/// Why a server cannot listen where it should.
#[derive(Debug)]
pub struct ListenError {
    /// Where.
    pub address: String,
    /// What the system said.
    pub source: io::Error,
}

impl Listener {
    /// All that the settings ask for.
    pub(crate) fn all(parameters: &Parameters) -> Result<Vec<Self>, ListenError> {
        let mut listeners = Vec::new();
        let mut port = parameters.port;
        for name in &parameters.bind {
            let (name, is_optional) = match name.strip_prefix('-') {
                Some(name) => (name, true),
                None => (name.as_str(), false),
            };
            let name = match name {
                "*" => "0.0.0.0",
                "::*" => "::",
                name => name,
            };
            match Self::tcp(name, port, parameters) {
                Ok(listener) => {
                    // Addresses share the port that the system chose for the first.
                    if let Address::Tcp(address) = &listener.address {
                        port = address.port();
                    }
                    listeners.push(listener);
                }
                Err(_) if is_optional => {}
                Err(source) => {
                    return Err(ListenError { address: format!("{name}:{port}"), source });
                }
            }
        }
        if !parameters.unixsocket.is_empty() {
            let path = Path::new(&parameters.unixsocket);
            let listener = Self::unix(path, parameters)
                .map_err(|source| ListenError { address: path.display().to_string(), source })?;
            listeners.push(listener);
        }
        Ok(listeners)
    }

    fn tcp(name: &str, port: u16, parameters: &Parameters) -> io::Result<Self> {
        let address = (name, port).to_socket_addrs()?.next().ok_or_else(|| {
            io::Error::new(io::ErrorKind::AddrNotAvailable, "the name has no address")
        })?;
        let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        let local = socket.local_addr()?.as_socket().unwrap_or(address);
        Self::listen(socket, Address::Tcp(local), parameters)
    }

    fn unix(path: &Path, parameters: &Parameters) -> io::Result<Self> {
        remove_unused_socket(path)?;
        let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(&SockAddr::unix(path)?)?;
        if parameters.unixsocketperm != 0 {
            fs::set_permissions(path, Permissions::from_mode(parameters.unixsocketperm))?;
        }
        Self::listen(socket, Address::Unix(path.to_owned()), parameters)
    }

    fn listen(
        socket: socket2::Socket,
        address: Address,
        parameters: &Parameters,
    ) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        socket.listen(i32::try_from(parameters.tcp_backlog).unwrap_or(i32::MAX))?;
        Ok(Self { socket, address })
    }

    /// The next client; `None` if none waits.
    ///
    /// # Errors
    /// What the system says, such as that there are no descriptors left.
    pub(crate) fn accept(&self, keepalive_s: u32) -> io::Result<Option<Socket>> {
        loop {
            match self.socket.accept() {
                Ok((client, peer)) => return self.welcome(client, &peer, keepalive_s).map(Some),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return Ok(None),
                    io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => {}
                    _ => return Err(error),
                },
            }
        }
    }

    fn welcome(
        &self,
        client: socket2::Socket,
        peer: &SockAddr,
        keepalive_s: u32,
    ) -> io::Result<Socket> {
        client.set_nonblocking(true)?;
        Ok(match &self.address {
            Address::Unix(path) => {
                let name = format!("{}:0", path.display()).into_boxed_str();
                Socket::new(client.into(), name.clone(), name, true, false)
            }
            Address::Tcp(local) => {
                // Either can fail only if the client has gone again, which its first read will say.
                let _gone = client.set_tcp_nodelay(true);
                if keepalive_s > 0 {
                    let _gone = client.set_tcp_keepalive(&keepalive(keepalive_s));
                }
                let peer = peer.as_socket().unwrap_or(*local);
                let local = client.local_addr().ok().and_then(|own| own.as_socket());
                let local = local.map(|own| own.to_string()).unwrap_or_default();
                let is_remote = !peer.ip().to_canonical().is_loopback();
                Socket::new(client.into(), peer.to_string().into(), local.into(), false, is_remote)
            }
        })
    }
}

/// As Redis sets it: asked after so much silence, thrice, at a third of it.
fn keepalive(silence_s: u32) -> TcpKeepalive {
    let silence = Duration::from_secs(silence_s.into());
    let between = (silence / 3).max(Duration::from_secs(1));
    TcpKeepalive::new().with_time(silence).with_interval(between).with_retries(3)
}

/// A socket that a server left behind is in the way of the next one; anything else is left alone.
fn remove_unused_socket(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => {
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                return Err(io::ErrorKind::AddrInUse.into());
            }
            fs::remove_file(path)
        }
        _ => Ok(()),
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Address::Unix(path) = &self.address {
            // It may have been removed by somebody else.
            let _removed = fs::remove_file(path);
        }
    }
}

impl AsRawFd for Listener {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

impl fmt::Display for ListenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cannot listen on {}: {}", self.address, self.source)
    }
}

impl std::error::Error for ListenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
