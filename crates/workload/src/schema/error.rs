//! Why is a text not a schema, said so that it can be put right?

use std::fmt;
use std::path::{Path, PathBuf};

use crate::presets::{self, SWEEP, SWEPT_FIELDS_MAX};

/// Why there is no [`Schema`](crate::Schema).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaError {
    /// The text is not TOML, or has keys or types that no schema has.
    Text {
        /// The line it was found in, from 1 on, where one can be named.
        line: Option<usize>,
        /// What is wrong.
        cause: String,
    },
    /// The text says something that cannot be made into commands.
    Invalid {
        /// Where: `objects`, or `fields[2] "age"`, counted from 1.
        place: String,
        /// What is wrong and what would be right.
        cause: String,
    },
    /// One of the two above, in a file.
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        error: Box<Self>,
    },
    /// A file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        cause: String,
    },
    /// No preset has this name.
    UnknownPreset {
        /// The name.
        name: String,
    },
}

impl SchemaError {
    pub(super) fn invalid(place: impl Into<String>, cause: impl Into<String>) -> Self {
        Self::Invalid { place: place.into(), cause: cause.into() }
    }

    pub(super) fn in_file(self, path: &Path) -> Self {
        Self::InFile { path: path.to_owned(), error: Box::new(self) }
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { line: Some(line), cause } => write!(formatter, "line {line}: {cause}"),
            Self::Text { line: None, cause } => formatter.write_str(cause),
            Self::Invalid { place, cause } => write!(formatter, "{place}: {cause}"),
            Self::InFile { path, error } => write!(formatter, "{}: {error}", path.display()),
            Self::Unreadable { path, cause } => {
                write!(formatter, "cannot read the schema {}: {cause}", path.display())
            }
            Self::UnknownPreset { name } => {
                let known: Vec<_> = presets::names().collect();
                write!(
                    formatter,
                    "there is no dataset {name:?}; it is one of {}, {SWEEP} with 1 to {SWEPT_FIELDS_MAX} fields, or the path of a TOML file, which ends in .toml",
                    known.join(", ")
                )
            }
        }
    }
}

impl std::error::Error for SchemaError {}
