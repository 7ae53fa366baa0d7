//! In which ways can a command fail?

use std::borrow::Cow;
use std::fmt;

use crate::mapping::OutOfMemory;

/// Why a command failed. `Display` gives the text of Redis 8, its code (`ERR`, `WRONGTYPE`) first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandError {
    /// The key holds another type than the command is for.
    WrongType,
    /// The command's argument count does not fit its arity.
    WrongArity {
        /// The command's name, in lower case.
        command: &'static str,
    },
    /// An option that does not exist, or not here, or lacks its value.
    Syntax,
    /// An argument, or a stored string, that is no integer of 64 bits in its shortest form.
    NotAnInteger,
    /// A stored field that is no integer of 64 bits in its shortest form.
    FieldNotAnInteger,
    /// A sum that does not fit 64 bits.
    Overflow,
    /// A deadline that is not positive where it must be, or does not fit 64 bits.
    InvalidExpireTime {
        /// The command's name, in lower case.
        command: &'static str,
    },
    /// A cursor that no scan could have answered.
    InvalidCursor,
    /// A reply that grew past the sink's bound; nothing of it was sent.
    ReplyTooLong,
    /// Memory is as full as it may be.
    OutOfMemory,
    /// Any other failure, by its whole text.
    Other(Cow<'static, str>),
    /// The same, where the text quotes bytes that a client has sent, whatever they are.
    Quoting(Vec<u8>),
}

impl CommandError {
    /// Another failure, by its whole text.
    pub(crate) const fn text(text: &'static str) -> Self {
        Self::Other(Cow::Borrowed(text))
    }

    /// Another failure, whose text is these parts.
    pub(crate) fn quoting(parts: &[&[u8]]) -> Self {
        Self::Quoting(parts.concat())
    }

    /// The text that Redis sends, byte for byte; `Display` replaces what is not UTF-8.
    #[must_use]
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Quoting(text) => Cow::Borrowed(text),
            Self::Other(text) => Cow::Borrowed(text.as_bytes()),
            other => Cow::Owned(other.to_string().into_bytes()),
        }
    }
}

impl From<OutOfMemory> for CommandError {
    fn from(_: OutOfMemory) -> Self {
        Self::OutOfMemory
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::WrongType => "WRONGTYPE Operation against a key holding the wrong kind of value",
            Self::WrongArity { command } => {
                return write!(formatter, "ERR wrong number of arguments for '{command}' command");
            }
            Self::Syntax => "ERR syntax error",
            Self::NotAnInteger => "ERR value is not an integer or out of range",
            Self::FieldNotAnInteger => "ERR hash value is not an integer",
            Self::Overflow => "ERR increment or decrement would overflow",
            Self::InvalidExpireTime { command } => {
                return write!(formatter, "ERR invalid expire time in '{command}' command");
            }
            Self::InvalidCursor => "ERR invalid cursor",
            Self::ReplyTooLong => {
                "ERR the reply is longer than one reply may be, ask for less at a time"
            }
            Self::OutOfMemory => "OOM command not allowed when used memory > 'maxmemory'.",
            Self::Other(text) => text,
            Self::Quoting(text) => {
                return formatter.write_str(&String::from_utf8_lossy(text));
            }
        })
    }
}

impl std::error::Error for CommandError {}
