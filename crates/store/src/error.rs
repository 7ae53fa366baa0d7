//! In which ways can a command fail?

use std::borrow::Cow;

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
    /// Any other failure, by its whole text.
    Other(Cow<'static, str>),
}
