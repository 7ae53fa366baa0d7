//! What did the user name as the target?

use std::fmt::{self, Display};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

/// The port of a Redis-protocol server when none is given.
const DEFAULT_PORT: u16 = 6379;

/// No engine has more shards.
const SHARDS_MAX: usize = 1024;

/// A target in words: `embedded`, `embedded:SHARDS`, `spawn:PATH` or
/// `redis://[user:password@]host[:port][/database]`.
///
/// Parses from that text, and displays as it again, except that a password is shown as `***`:
/// the text goes into result files. [`TargetSpec::to_argument`] keeps the password, for handing
/// the target to another process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TargetSpec {
    /// An engine in this process.
    Embedded {
        /// How many shards it has, where the text says.
        shards: Option<NonZeroUsize>,
    },
    /// A server program that is started for the measurement and stopped again.
    Spawn {
        /// The path of a `redis-server` or `valkey-server`.
        program: PathBuf,
    },
    /// A server that is running already.
    Running(ServerAddress),
}

/// Where a running server listens, and as whom to talk to it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ServerAddress {
    /// A host name, an IPv4 address, or an IPv6 address without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// The ACL user, when the text names one.
    pub user: Option<String>,
    /// The password, when the text holds one.
    pub password: Option<String>,
    /// The number of the database, 0 when the text names none.
    pub database: u32,
}

/// Why a text names no target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpecError {
    /// The text is neither `embedded` nor begins with a known scheme.
    Unknown {
        /// The text as it was given, its password hidden.
        given: String,
    },
    /// What follows `embedded:` is no number of shards.
    Shards {
        /// The number as it was given.
        given: String,
    },
    /// `spawn:` is followed by nothing.
    NoProgram,
    /// `rediss://` or `unix://`: a transport that is not available.
    Transport {
        /// The scheme as it was given.
        scheme: String,
    },
    /// The part between `://` and the port is empty.
    NoHost,
    /// The port is no number from 1 to 65535.
    Port {
        /// The port as it was given.
        given: String,
    },
    /// The part behind the last `/` is no database number.
    Database {
        /// The database as it was given.
        given: String,
    },
    /// A `%` in the user or the password is not followed by two hexadecimal digits.
    Escape,
    /// An IPv6 address opens with `[` and never closes, or text stands behind its `]`.
    Brackets {
        /// The host and port as they were given.
        given: String,
    },
}

impl TargetSpec {
    /// An engine in this process, with as many shards as whoever opens it likes.
    pub const EMBEDDED: Self = Self::Embedded { shards: None };

    /// Whether it is an engine in this process.
    pub fn is_embedded(&self) -> bool {
        matches!(self, Self::Embedded { .. })
    }

    /// The text that parses to this target again, password included.
    ///
    /// For handing the target to another process; [`Display`] is for people and files.
    pub fn to_argument(&self) -> String {
        match self {
            Self::Running(address) => address.url(true),
            _ => self.to_string(),
        }
    }
}

impl Display for TargetSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded { shards: None } => f.write_str("embedded"),
            Self::Embedded { shards: Some(shards) } => write!(f, "embedded:{shards}"),
            Self::Spawn { program } => write!(f, "spawn:{}", program.display()),
            Self::Running(address) => f.write_str(&address.url(false)),
        }
    }
}

impl FromStr for TargetSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        if text == "embedded" {
            return Ok(Self::EMBEDDED);
        }
        if let Some(given) = text.strip_prefix("embedded:") {
            let shards = given.parse().ok().filter(|shards| (1..=SHARDS_MAX).contains(shards));
            let shards = shards.and_then(NonZeroUsize::new);
            return match shards {
                Some(_) => Ok(Self::Embedded { shards }),
                None => Err(SpecError::Shards { given: given.to_owned() }),
            };
        }
        if let Some(program) = text.strip_prefix("spawn:") {
            if program.is_empty() {
                return Err(SpecError::NoProgram);
            }
            return Ok(Self::Spawn { program: PathBuf::from(program) });
        }
        match text.split_once("://") {
            Some(("redis" | "valkey", rest)) => rest.parse().map(Self::Running),
            Some((scheme @ ("rediss" | "valkeys" | "unix" | "redis+unix" | "redis+tls"), _)) => {
                Err(SpecError::Transport { scheme: scheme.to_owned() })
            }
            _ => Err(SpecError::Unknown { given: without_password(text) }),
        }
    }
}

impl FromStr for ServerAddress {
    type Err = SpecError;

    /// Parses what stands behind `redis://`.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        // The password may hold any sign but `/`, so the last `@` ends it.
        let (credentials, place) = match text.rsplit_once('@') {
            Some((credentials, place)) => (Some(credentials), place),
            None => (None, text),
        };
        let (endpoint, database) = place.split_once('/').unwrap_or((place, ""));
        let database = match database {
            "" => 0,
            given => given.parse().map_err(|_| SpecError::Database { given: given.to_owned() })?,
        };
        let (host, port) = split_endpoint(endpoint)?;
        let (user, password) = match credentials {
            Some(credentials) => split_credentials(credentials)?,
            None => (None, None),
        };
        Ok(Self { host, port, user, password, database })
    }
}

impl ServerAddress {
    /// `host:port`, with brackets around an IPv6 address.
    pub fn endpoint(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    fn url(&self, with_password: bool) -> String {
        let mut url = String::from("redis://");
        if self.user.is_some() || self.password.is_some() {
            url.push_str(&escape(self.user.as_deref().unwrap_or_default()));
            if let Some(password) = &self.password {
                url.push(':');
                url.push_str(&if with_password { escape(password) } else { "***".to_owned() });
            }
            url.push('@');
        }
        url.push_str(&self.endpoint());
        if self.database != 0 {
            url.push_str(&format!("/{}", self.database));
        }
        url
    }
}

impl fmt::Debug for ServerAddress {
    /// Shows the URL with the password hidden, so that no log or panic message can leak it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServerAddress").field(&self.url(false)).finish()
    }
}

fn split_endpoint(endpoint: &str) -> Result<(String, u16), SpecError> {
    let brackets = || SpecError::Brackets { given: endpoint.to_owned() };
    let (host, port) = if let Some(inner) = endpoint.strip_prefix('[') {
        let (host, rest) = inner.split_once(']').ok_or_else(brackets)?;
        match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if rest.is_empty() => (host, None),
            None => return Err(brackets()),
        }
    } else {
        match endpoint.split_once(':') {
            Some((_, port)) if port.contains(':') => return Err(brackets()),
            Some((host, port)) => (host, Some(port)),
            None => (endpoint, None),
        }
    };
    if host.is_empty() {
        return Err(SpecError::NoHost);
    }
    let port = match port {
        None => DEFAULT_PORT,
        Some(given) => match given.parse() {
            Ok(port) if port != 0 => port,
            _ => return Err(SpecError::Port { given: given.to_owned() }),
        },
    };
    Ok((host.to_owned(), port))
}

type Credentials = (Option<String>, Option<String>);

fn split_credentials(credentials: &str) -> Result<Credentials, SpecError> {
    let (user, password) = match credentials.split_once(':') {
        Some((user, password)) => (user, Some(unescape(password)?)),
        None => (credentials, None),
    };
    let user = unescape(user)?;
    Ok(((!user.is_empty()).then_some(user), password))
}

/// Percent-encodes all but the signs that RFC 3986 leaves unreserved.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

fn unescape(text: &str) -> Result<String, SpecError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let (digits, tail) = rest.split_at_checked(2).ok_or(SpecError::Escape)?;
        let digits = std::str::from_utf8(digits).map_err(|_| SpecError::Escape)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| SpecError::Escape)?);
        rest = tail;
    }
    String::from_utf8(bytes).map_err(|_| SpecError::Escape)
}

/// The text with what may be a password replaced, for error messages.
fn without_password(text: &str) -> String {
    match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 <= at => {
            format!("{}***{}", &text[..scheme + 3], &text[at..])
        }
        _ => text.to_owned(),
    }
}

impl Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { given } => write!(
                f,
                "a target is `embedded`, `embedded:SHARDS`, `spawn:PATH` or \
                 `redis://[user:password@]host[:port][/database]`, not `{given}`"
            ),
            Self::Shards { given } => write!(
                f,
                "`embedded:` is followed by the number of shards, from 1 to {SHARDS_MAX}, \
                 not `{given}`"
            ),
            Self::NoProgram => f.write_str(
                "`spawn:` is followed by the path of a redis-server or valkey-server, \
                 such as `spawn:/usr/bin/redis-server`",
            ),
            Self::Transport { scheme } => write!(
                f,
                "`{scheme}://` is not available: name a plain TCP address, `redis://host:port` \
                 (a TLS tunnel such as stunnel can stand in between)"
            ),
            Self::NoHost => {
                f.write_str("`redis://` is followed by a host, such as `redis://127.0.0.1:6379`")
            }
            Self::Port { given } => write!(f, "a port is a number from 1 to 65535, not `{given}`"),
            Self::Database { given } => write!(
                f,
                "what follows the last `/` is the number of a database, such as `/0`, not `{given}`"
            ),
            Self::Escape => f.write_str(
                "a `%` in the user or password is written `%25`: \
                 `%` introduces two hexadecimal digits of a UTF-8 byte",
            ),
            Self::Brackets { given } => {
                write!(f, "an IPv6 address is written `[::1]:6379`, not `{given}`")
            }
        }
    }
}

impl std::error::Error for SpecError {}
