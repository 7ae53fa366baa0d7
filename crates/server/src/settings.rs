//! What is a server started with?

use crate::parameters::Parameters;

/// What a server is started with: parameters, and what has no parameter in Redis.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What a `redis.conf` would say. Port 0 lets the system choose one.
    pub parameters: Parameters,
    /// How many bytes of replies may wait for a client before nothing more is read from it.
    pub output_bytes_pause: usize,
    /// How many bytes of replies may wait for all clients of a thread together; beyond it, only
    /// clients that take what is there are read from.
    pub outputs_bytes_max: usize,
}

impl Settings {
    /// These parameters, and the defaults of the rest.
    #[must_use]
    pub fn new(parameters: Parameters) -> Self {
        Self { parameters, output_bytes_pause: 64 << 20, outputs_bytes_max: 1 << 30 }
    }
}
