//! What can a target be asked besides commands?

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::iter;
use std::time::Duration;

use hectare_resp::Reply;

use crate::connection::{Connection, ConnectionError};
use crate::info::{Info, ServerInfo};
use crate::memory::{MemoryReading, PeakReset, RssSource};
use crate::process;
use crate::target::{Place, Target};
use crate::wire::Wire;

/// How many keys a server looks at for one step of a scan, as `SCAN` takes it.
const SCAN_COUNT: &[u8] = b"1000";

/// Why a question to a target has no answer.
#[derive(Debug)]
pub enum InquiryError {
    /// The connection failed.
    Connection(ConnectionError),
    /// The server refuses the command.
    Refused {
        /// The command that was sent.
        command: &'static str,
        /// The server's own words.
        text: String,
    },
    /// The answer has another form than that command's.
    Unexpected {
        /// The command that was sent.
        command: &'static str,
        /// The start of what came.
        answer: String,
    },
    /// Removing everything was asked of a server that was not started here.
    NotOurs {
        /// The server, as the user named it.
        target: String,
    },
}

impl Target {
    /// How much memory it takes now.
    ///
    /// # Errors
    /// An [`InquiryError`] when a server does not answer `INFO memory`, or a system that says
    /// nothing of a process leaves no figure for the engine.
    pub fn memory(&self) -> Result<MemoryReading, InquiryError> {
        let resident = self.server().process_id.and_then(process::resident);
        if let Place::Embedded(engine) = self.place() {
            let (used_memory_bytes, books) = engine.books().map_err(InquiryError::Connection)?;
            return Ok(MemoryReading {
                used_memory_bytes,
                books: Some(books),
                // Where the system says nothing of a process, its own accounting is all there is.
                rss_bytes: resident.map_or(used_memory_bytes, |resident| resident.rss_bytes),
                rss_peak_bytes: resident.and_then(|resident| resident.rss_peak_bytes),
                rss_source: resident.map_or(RssSource::Server, |_| RssSource::Kernel),
            });
        }
        let info = self.info("INFO memory")?;
        let figure = |name| {
            info.number(name).ok_or_else(|| InquiryError::Unexpected {
                command: "INFO memory",
                answer: format!("no line `{name}:`"),
            })
        };
        let used_memory_bytes = figure("used_memory")?;
        Ok(match resident {
            Some(resident) => MemoryReading {
                used_memory_bytes,
                books: None,
                rss_bytes: resident.rss_bytes,
                rss_peak_bytes: resident.rss_peak_bytes,
                rss_source: RssSource::Kernel,
            },
            None => MemoryReading {
                used_memory_bytes,
                books: None,
                rss_bytes: figure("used_memory_rss")?,
                rss_peak_bytes: None,
                rss_source: RssSource::Server,
            },
        })
    }

    /// Makes [`MemoryReading::rss_peak_bytes`] count from now, where that is allowed.
    pub fn reset_rss_peak(&self) -> PeakReset {
        let outcome = match self.server().process_id {
            Some(process_id) => process::reset_peak(process_id),
            None => Err("the server is not a process of this machine that can be told".to_owned()),
        };
        match outcome {
            Ok(()) => PeakReset::Reset,
            Err(reason) => PeakReset::Refused { reason },
        }
    }

    /// How many keys the chosen database holds.
    ///
    /// # Errors
    /// An [`InquiryError`] when `DBSIZE` is not answered.
    pub fn keys(&self) -> Result<u64, InquiryError> {
        let reply = self.inquiries().call(&[b"DBSIZE"]).map_err(InquiryError::Connection)?;
        number("DBSIZE", reply)
    }

    /// How many keys the server has thrown away for want of memory since it started.
    ///
    /// # Errors
    /// An [`InquiryError`] when `INFO stats` is not answered.
    pub fn evicted_keys(&self) -> Result<u64, InquiryError> {
        if matches!(self.place(), Place::Embedded(_)) {
            // The engine never evicts.
            return Ok(0);
        }
        Ok(self.info("INFO stats")?.number("evicted_keys").unwrap_or(0))
    }

    /// How the values of some keys are encoded: the answers to `OBJECT ENCODING` and how often each
    /// came, with `none` for keys that do not exist.
    ///
    /// # Errors
    /// An [`InquiryError`] when the server does not say.
    pub fn encodings<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<BTreeMap<String, u64>, InquiryError> {
        let command = "OBJECT ENCODING";
        let mut counts = BTreeMap::new();
        let mut connection = self.inquiries();
        for key in keys {
            let reply = connection
                .call(&[b"OBJECT", b"ENCODING", key])
                .map_err(InquiryError::Connection)?;
            let encoding = match reply {
                Reply::Bulk(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Reply::Null => "none".to_owned(),
                // Some servers answer so for a missing key.
                Reply::Error(text) if text == b"ERR no such key" => "none".to_owned(),
                other => return Err(InquiryError::not_expected(command, other)),
            };
            *counts.entry(encoding).or_insert(0) += 1;
        }
        Ok(counts)
    }

    /// The time that processors have spent for the target, in steps of some 10 ms; for the embedded
    /// engine that is this whole process. `None` for a server that is not a process of this machine.
    pub fn cpu_time(&self) -> Option<Duration> {
        process::cpu_time(self.server().process_id?)
    }

    /// Removes every key of every database, from a target that was started for the measurement.
    ///
    /// # Errors
    /// [`InquiryError::NotOurs`] for a running server, whatever it holds.
    pub fn flush(&self) -> Result<(), InquiryError> {
        if self.is_running_server() {
            return Err(InquiryError::NotOurs { target: self.spec().to_string() });
        }
        let reply = self.inquiries().call(&[b"FLUSHALL"]).map_err(InquiryError::Connection)?;
        text("FLUSHALL", reply).map(|_| ())
    }

    /// Removes the keys that begin with `prefix` from the chosen database and says how many they
    /// were.
    ///
    /// It walks over all keys of the database, a thousand at a time, and other clients are served
    /// in between. An empty prefix removes nothing.
    ///
    /// # Errors
    /// An [`InquiryError`] when the server does not answer `SCAN` or `UNLINK`; some keys may be
    /// removed then.
    pub fn remove_prefix(&self, prefix: &[u8]) -> Result<u64, InquiryError> {
        if prefix.is_empty() {
            return Ok(0);
        }
        let mut removed = 0;
        self.scan(prefix, |connection, keys| {
            if keys.is_empty() {
                return Ok(true);
            }
            // A key that a scan repeats is counted once: the server counts what it removes.
            let names = keys.iter().map(Vec::as_slice);
            let arguments: Vec<&[u8]> = iter::once(b"UNLINK".as_slice()).chain(names).collect();
            let reply = connection.call(&arguments).map_err(InquiryError::Connection)?;
            removed += number("UNLINK", reply)?;
            Ok(true)
        })?;
        Ok(removed)
    }

    /// Whether any key begins with `prefix`.
    pub(crate) fn holds_prefix(&self, prefix: &[u8]) -> Result<bool, InquiryError> {
        let mut found = false;
        self.scan(prefix, |_, keys| {
            found |= !keys.is_empty();
            Ok(!found)
        })?;
        Ok(found)
    }

    /// Walks over the keys that begin with `prefix`, handing over some at a time, until `visit` says
    /// `false`. Keys may come twice.
    fn scan(
        &self,
        prefix: &[u8],
        mut visit: impl FnMut(&mut Connection, &[Vec<u8>]) -> Result<bool, InquiryError>,
    ) -> Result<(), InquiryError> {
        let mut pattern = glob_escaped(prefix);
        pattern.push(b'*');
        let mut connection = self.inquiries();
        let mut cursor = b"0".to_vec();
        loop {
            let reply = connection
                .call(&[b"SCAN", &cursor, b"MATCH", &pattern, b"COUNT", SCAN_COUNT])
                .map_err(InquiryError::Connection)?;
            let (next, keys) = scan_step(reply)?;
            if !visit(&mut connection, &keys)? || next == b"0" {
                return Ok(());
            }
            cursor = next;
        }
    }

    fn info(&self, command: &'static str) -> Result<Info, InquiryError> {
        let arguments: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
        let reply = self.inquiries().call(&arguments).map_err(InquiryError::Connection)?;
        text(command, reply).map(Info::new)
    }
}

/// Asks a server what it is, and which process it says to be.
pub(crate) fn ask_who(wire: &mut Wire) -> Result<(ServerInfo, Option<u32>), InquiryError> {
    let reply = wire.call(&[b"INFO"]).map_err(InquiryError::Connection)?;
    let info = Info::new(text("INFO", reply)?);
    let reply = wire.call(&[b"MEMORY", b"MALLOC-STATS"]).map_err(InquiryError::Connection)?;
    // Some servers do not have it, or do not let us have it: then the quantum is not known.
    let malloc_stats = text("MEMORY MALLOC-STATS", reply).unwrap_or_default();
    let process_id = info.number("process_id").and_then(|id| u32::try_from(id).ok());
    Ok((ServerInfo::from_answers(&info, &malloc_stats), process_id))
}

/// Escapes what the patterns of `SCAN` give a meaning.
fn glob_escaped(prefix: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(prefix.len() + 1);
    for &byte in prefix {
        if b"*?[]\\^-".contains(&byte) {
            escaped.push(b'\\');
        }
        escaped.push(byte);
    }
    escaped
}

/// The next cursor and the keys of one answer to `SCAN`.
fn scan_step(reply: Reply) -> Result<(Vec<u8>, Vec<Vec<u8>>), InquiryError> {
    match reply {
        Reply::Array(parts) => match <[Reply; 2]>::try_from(parts) {
            Ok([Reply::Bulk(cursor), Reply::Array(keys)]) => {
                let keys = keys.into_iter().filter_map(|key| match key {
                    Reply::Bulk(key) => Some(key),
                    _ => None,
                });
                Ok((cursor, keys.collect()))
            }
            Ok(parts) => Err(InquiryError::not_expected("SCAN", Reply::Array(parts.into()))),
            Err(parts) => Err(InquiryError::not_expected("SCAN", Reply::Array(parts))),
        },
        other => Err(InquiryError::not_expected("SCAN", other)),
    }
}

fn number(command: &'static str, reply: Reply) -> Result<u64, InquiryError> {
    match reply {
        Reply::Integer(count) if count >= 0 => Ok(count.unsigned_abs()),
        other => Err(InquiryError::not_expected(command, other)),
    }
}

fn text(command: &'static str, reply: Reply) -> Result<String, InquiryError> {
    match reply {
        Reply::Bulk(text) | Reply::Simple(text) => Ok(String::from_utf8_lossy(&text).into_owned()),
        other => Err(InquiryError::not_expected(command, other)),
    }
}

impl InquiryError {
    fn not_expected(command: &'static str, reply: Reply) -> Self {
        match reply {
            Reply::Error(text) => {
                Self::Refused { command, text: String::from_utf8_lossy(&text).into_owned() }
            }
            other => {
                let answer = format!("{other:?}").chars().take(80).collect();
                Self::Unexpected { command, answer }
            }
        }
    }
}

impl Display for InquiryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(error) => error.fmt(f),
            Self::Refused { command, text } => write!(
                f,
                "the server refuses {command}, which a measurement needs: {text}; \
                 allow it for this user or name another server"
            ),
            Self::Unexpected { command, answer } => write!(
                f,
                "the server answers {command} unlike Redis: {answer}; \
                 a measurement needs a server that answers as Redis does"
            ),
            Self::NotOurs { target } => write!(
                f,
                "{target} was not started for the measurement, so only keys under a prefix are \
                 ever removed from it"
            ),
        }
    }
}

impl std::error::Error for InquiryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Connection(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_matches_itself_only() {
        assert_eq!(glob_escaped(b"user:"), b"user:");
        assert_eq!(glob_escaped(b"a*b?[c-d]\\"), b"a\\*b\\?\\[c\\-d\\]\\\\");
    }
}
