//! What does a server say that speaks like Valkey 9, where Redis 8 says something else?
//!
//! Texts about data are the store's; these are about connections and the server.

use crate::Dialect;

impl Dialect {
    /// What `HELLO` answers for `server`.
    #[must_use]
    pub fn server_name(self) -> &'static str {
        self.word()
    }

    /// `version` in `HELLO`, and `valkey_version` in `INFO` where there is one: of the server that is
    /// spoken like, since clients look at it to see what they may ask for.
    #[must_use]
    pub fn version(self) -> &'static str {
        match self {
            Self::Redis => "8.0.2",
            Self::Valkey => "9.1.0",
        }
    }

    /// `redis_version` in `INFO`.
    #[must_use]
    pub fn redis_version(self) -> &'static str {
        match self {
            Self::Redis => self.version(),
            // Valkey stays at the last version of Redis that it was compatible with.
            Self::Valkey => "7.2.4",
        }
    }

    /// What `CLIENT KILL ID` says of an identifier that is no number; of one below 1 both say what Redis
    /// says here.
    #[must_use]
    pub fn bad_client_id_to_kill(self) -> &'static str {
        match self {
            Self::Redis => "ERR client-id should be greater than 0",
            Self::Valkey => "ERR syntax error",
        }
    }

    /// What `CLIENT LIST ID` says of an identifier that is no number. Redis passes over one below 1, where
    /// Valkey says `ERR client-id should be greater than 0`.
    #[must_use]
    pub fn bad_client_id_to_list(self) -> &'static str {
        match self {
            Self::Redis => "ERR Invalid client ID",
            Self::Valkey => "ERR syntax error",
        }
    }

    /// Whether `CLIENT CAPA` is there, by which a client tells what it is capable of.
    #[must_use]
    pub fn has_client_capabilities(self) -> bool {
        self == Self::Valkey
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redis_says_the_same_version_everywhere_and_valkey_two() {
        assert_eq!(Dialect::Redis.redis_version(), Dialect::Redis.version());
        assert_eq!(Dialect::Valkey.redis_version(), "7.2.4");
        assert_eq!(Dialect::default().server_name(), "redis");
    }
}
