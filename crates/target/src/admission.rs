//! May data be loaded into a target, and what is removed from it afterwards?

use std::fmt::{self, Display};

use crate::inquiry::InquiryError;
use crate::target::Target;

/// What the user allows on a server that is not ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DataPolicy {
    /// Whether a server that holds data may be used at all.
    pub allow_nonempty: bool,
    /// What every key that is written begins with.
    pub key_prefix: Option<String>,
}

/// The permission to load data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// How many keys the target held before.
    pub keys_before: u64,
    /// What [`Target::remove_prefix`] is to be called with afterwards. `None` for targets of our
    /// own, and for a running server that was empty and for which no prefix was given: what is
    /// loaded there stays.
    pub prefix_to_remove: Option<String>,
}

/// Why nothing may be loaded.
#[derive(Debug)]
pub enum AdmissionError {
    /// The server holds data, and the user has not allowed that with a prefix.
    HoldsData {
        /// The server, as the user named it.
        target: String,
        /// How many keys it holds.
        keys: u64,
    },
    /// There are keys under the prefix already, which removing ours would remove too.
    PrefixTaken {
        /// The server, as the user named it.
        target: String,
        /// The prefix.
        prefix: String,
    },
    /// The prefix is the empty text, under which every key of the server stands.
    EmptyPrefix,
    /// The server is a node of a cluster and refuses the keys of other nodes.
    Cluster {
        /// The server, as the user named it.
        target: String,
    },
    /// Data is to be there already, in a target that was started just now.
    StartsEmpty {
        /// The target, as the user named it.
        target: String,
    },
    /// Data that is there is to be written to, and the user has not allowed that.
    WritesToData {
        /// The server, as the user named it.
        target: String,
    },
    /// The server could not be asked.
    Inquiry(InquiryError),
}

impl Target {
    /// Whether data may be loaded here, and what is to be removed afterwards.
    ///
    /// An engine or a server that was started for the measurement takes any data. A running server
    /// is somebody's: it is admitted when it is empty, or when the policy both allows that it is
    /// not and gives a prefix under which it holds no key yet.
    ///
    /// # Errors
    /// An [`AdmissionError`], as said above, or that the server is a node of a cluster.
    pub fn admit(&self, policy: &DataPolicy) -> Result<Admission, AdmissionError> {
        if !self.is_running_server() {
            return Ok(Admission { keys_before: 0, prefix_to_remove: None });
        }
        let target = self.spec().to_string();
        if policy.key_prefix.as_deref() == Some("") {
            return Err(AdmissionError::EmptyPrefix);
        }
        if self.server().cluster {
            return Err(AdmissionError::Cluster { target });
        }
        let keys_before = self.keys().map_err(AdmissionError::Inquiry)?;
        if keys_before > 0 {
            let Some(prefix) = policy.key_prefix.as_ref().filter(|_| policy.allow_nonempty) else {
                return Err(AdmissionError::HoldsData { target, keys: keys_before });
            };
            if self.holds_prefix(prefix.as_bytes()).map_err(AdmissionError::Inquiry)? {
                return Err(AdmissionError::PrefixTaken { target, prefix: prefix.clone() });
            }
        }
        Ok(Admission { keys_before, prefix_to_remove: policy.key_prefix.clone() })
    }

    /// Whether data that was loaded here earlier may be written to; it stays afterwards.
    ///
    /// # Errors
    /// An [`AdmissionError`] when the target was started just now and so is empty, when the server is
    /// a node of a cluster, or when the policy does not allow that a server holds data.
    pub fn admit_to_data(&self, policy: &DataPolicy) -> Result<Admission, AdmissionError> {
        let target = self.spec().to_string();
        if !self.is_running_server() {
            return Err(AdmissionError::StartsEmpty { target });
        }
        if self.server().cluster {
            return Err(AdmissionError::Cluster { target });
        }
        if !policy.allow_nonempty {
            return Err(AdmissionError::WritesToData { target });
        }
        let keys_before = self.keys().map_err(AdmissionError::Inquiry)?;
        Ok(Admission { keys_before, prefix_to_remove: None })
    }
}

impl Display for AdmissionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HoldsData { target, keys } => write!(
                f,
                "{target} holds {keys} {}, and a measurement needs an empty server: name another \
                 database or server, or give both --allow-nonempty and --key-prefix P to write \
                 beside them, under keys that begin with P and are removed afterwards",
                if *keys == 1 { "key" } else { "keys" }
            ),
            Self::PrefixTaken { target, prefix } => write!(
                f,
                "{target} already holds keys that begin with `{prefix}`, which would be removed \
                 afterwards: give a --key-prefix that no key begins with"
            ),
            Self::EmptyPrefix => f.write_str(
                "a key prefix is at least one character, for every key of the server begins \
                 with none",
            ),
            Self::Cluster { target } => write!(
                f,
                "{target} is a node of a cluster and takes only some keys: name a server that \
                 runs with `cluster-enabled no`"
            ),
            Self::StartsEmpty { target } => {
                write!(f, "{target} starts empty, so it must be filled: leave out --no-fill")
            }
            Self::WritesToData { target } => write!(
                f,
                "with --no-fill, the objects that {target} holds are written to: \
                 give --allow-nonempty as well if they may be"
            ),
            Self::Inquiry(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AdmissionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Inquiry(error) => Some(error),
            _ => None,
        }
    }
}
