//! What of the parameters matters while clients are served, and is read without a lock?
//!
//! # Ordering
//!
//! Each is relaxed: it stands for itself, and a command that was taken just before a change is a
//! command before the change.

use crate::log::Level;
use crate::parameters::{Dialect, LogLevel, Parameters};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The parameters that matter at every moment.
#[derive(Debug)]
pub(crate) struct Live {
    password: Mutex<Box<[u8]>>,
    needs_password: AtomicBool,
    protected_mode: AtomicBool,
    clients_max: AtomicUsize,
    idle_timeout_s: AtomicU32,
    keepalive_s: AtomicU32,
    bulk_bytes_max: AtomicU32,
    request_bytes_max: AtomicU32,
    output_bytes_max: AtomicU64,
    log_level: AtomicU8,
}

impl Live {
    pub(crate) fn new(parameters: &Parameters) -> Self {
        let live = Self {
            password: Mutex::default(),
            needs_password: AtomicBool::new(false),
            protected_mode: AtomicBool::new(true),
            clients_max: AtomicUsize::new(0),
            idle_timeout_s: AtomicU32::new(0),
            keepalive_s: AtomicU32::new(0),
            bulk_bytes_max: AtomicU32::new(0),
            request_bytes_max: AtomicU32::new(0),
            output_bytes_max: AtomicU64::new(0),
            log_level: AtomicU8::new(0),
        };
        live.take(parameters);
        live
    }

    /// Takes over what has been set.
    pub(crate) fn take(&self, parameters: &Parameters) {
        *self.password.lock().unwrap_or_else(PoisonError::into_inner) =
            parameters.requirepass.as_slice().into();
        let relaxed = Ordering::Relaxed;
        self.needs_password.store(!parameters.requirepass.is_empty(), relaxed);
        self.protected_mode.store(parameters.protected_mode, relaxed);
        let clients_max = usize::try_from(parameters.maxclients).unwrap_or(usize::MAX);
        self.clients_max.store(clients_max, relaxed);
        self.idle_timeout_s.store(parameters.timeout, relaxed);
        self.keepalive_s.store(parameters.tcp_keepalive, relaxed);
        let bulk = parameters.proto_max_bulk_len.min(BULK_BYTES_MAX);
        self.bulk_bytes_max.store(u32::try_from(bulk).unwrap_or(u32::MAX), relaxed);
        let request = u32::try_from(parameters.client_query_buffer_limit).unwrap_or(u32::MAX);
        self.request_bytes_max.store(request, relaxed);
        let output = parameters.client_output_buffer_limit.normal.hard_bytes;
        self.output_bytes_max.store(if output == 0 { u64::MAX } else { output }, relaxed);
        self.log_level.store(rank_of_parameter(parameters.loglevel), relaxed);
    }

    pub(crate) fn needs_password(&self) -> bool {
        self.needs_password.load(Ordering::Relaxed)
    }

    /// Whether this is the password. Without one, anything is.
    pub(crate) fn is_password(&self, given: &[u8]) -> bool {
        let password = self.password.lock().unwrap_or_else(PoisonError::into_inner);
        password.is_empty() || is_equal(&password, given)
    }

    pub(crate) fn protected_mode(&self) -> bool {
        self.protected_mode.load(Ordering::Relaxed)
    }

    pub(crate) fn clients_max(&self) -> usize {
        self.clients_max.load(Ordering::Relaxed)
    }

    pub(crate) fn idle_timeout_s(&self) -> u32 {
        self.idle_timeout_s.load(Ordering::Relaxed)
    }

    pub(crate) fn keepalive_s(&self) -> u32 {
        self.keepalive_s.load(Ordering::Relaxed)
    }

    pub(crate) fn bulk_bytes_max(&self) -> u32 {
        self.bulk_bytes_max.load(Ordering::Relaxed)
    }

    pub(crate) fn request_bytes_max(&self) -> u32 {
        self.request_bytes_max.load(Ordering::Relaxed)
    }

    pub(crate) fn output_bytes_max(&self) -> u64 {
        self.output_bytes_max.load(Ordering::Relaxed)
    }

    /// Whether a message of this level is wanted.
    pub(crate) fn logs(&self, level: Level) -> bool {
        rank(level) >= self.log_level.load(Ordering::Relaxed)
    }
}

impl Parameters {
    /// Beyond how many fields, and bytes of one, a hash is a `hashtable`.
    pub(crate) fn encoding_limits(&self) -> (usize, usize) {
        let [entries, value_bytes] = [self.hash_max_listpack_entries, self.hash_max_listpack_value]
            .map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
        (entries, value_bytes)
    }

    /// Whose texts commands on data give.
    pub(crate) fn store_dialect(&self) -> hectare_store::Dialect {
        match self.hectare_dialect {
            Dialect::Redis => hectare_store::Dialect::Redis8,
            Dialect::Valkey => hectare_store::Dialect::Valkey9,
        }
    }
}

/// The longest value that the store takes.
const BULK_BYTES_MAX: u64 = 512 << 20;

fn rank(level: Level) -> u8 {
    match level {
        Level::Debug => 0,
        Level::Verbose => 1,
        Level::Notice => 2,
        Level::Warning => 3,
    }
}

fn rank_of_parameter(level: LogLevel) -> u8 {
    match level {
        LogLevel::Debug => 0,
        LogLevel::Verbose => 1,
        LogLevel::Notice => 2,
        LogLevel::Warning => 3,
        LogLevel::Nothing => 4,
    }
}

/// Compares in a time that depends on the lengths alone.
fn is_equal(secret: &[u8], given: &[u8]) -> bool {
    let length = secret.len().max(given.len());
    let byte = |bytes: &[u8], index: usize| bytes.get(index).copied().unwrap_or_default();
    let differences = (0..length)
        .fold(0, |differences, index| differences | (byte(secret, index) ^ byte(given, index)));
    std::hint::black_box(differences) == 0 && secret.len() == given.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_whole_password() {
        let mut parameters = Parameters::default();
        let live = Live::new(&parameters);
        assert!(!live.needs_password() && live.is_password(b"anything"));
        parameters.requirepass = b"secret".to_vec();
        live.take(&parameters);
        assert!(live.needs_password() && live.is_password(b"secret"));
        for wrong in [b"".as_slice(), b"secre", b"secret\0", b"Secret"] {
            assert!(!live.is_password(wrong));
        }
    }
}
