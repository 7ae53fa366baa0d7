//! Which commands does `COMMAND LIST` list?

use hectare_store::Glob;

use super::entry::Entry;

/// What is asked for.
#[derive(Debug)]
pub(super) enum Filter {
    /// Everything.
    All,
    /// What a module brought; there are no modules.
    Module,
    /// What is in a category.
    Category(Vec<u8>),
    /// What has a full name that matches a pattern.
    Pattern(Vec<u8>),
}

impl Filter {
    /// Reads what is behind `COMMAND LIST`; `None` if it cannot be understood.
    pub(super) fn parse(words: &[&[u8]]) -> Option<Self> {
        match words {
            [] => Some(Self::All),
            [by, kind, value] if by.eq_ignore_ascii_case(b"filterby") => {
                let value = value.to_ascii_lowercase();
                match kind.to_ascii_lowercase().as_slice() {
                    b"module" => Some(Self::Module),
                    b"aclcat" => Some(Self::Category(value)),
                    b"pattern" => Some(Self::Pattern(value)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    pub(super) fn is_match(&self, entry: &Entry) -> bool {
        match self {
            Self::All => true,
            Self::Module => false,
            Self::Category(name) => {
                entry.categories().iter().any(|category| category.as_bytes() == name)
            }
            Self::Pattern(pattern) => Glob::new(pattern).is_match(entry.name().as_bytes()),
        }
    }
}
