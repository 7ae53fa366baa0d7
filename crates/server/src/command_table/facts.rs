//! What is there to tell about a command that its row does not say?

mod connection;
mod hash;
mod key;
mod server;
mod string;

/// What is told about one command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fact {
    /// The full name, as `config|get`.
    pub(super) name: &'static str,
    /// The version of Redis that brought it.
    pub(super) since: &'static str,
    /// What it is about.
    pub(super) group: &'static str,
    /// Flags but for `write`, `denyoom` and `fast` of its row, parted by blanks.
    pub(super) flags: &'static str,
    /// Categories that do not follow from flags, likewise.
    pub(super) categories: &'static str,
    /// Hints for proxies and clients of clusters, likewise.
    pub(super) tips: &'static str,
    /// What happens to its keys: flags parted by blanks, of several specifications parted by `; `.
    pub(super) keys: &'static str,
    /// What to know about those flags, or empty.
    pub(super) notes: &'static str,
    /// What it does, in a sentence.
    pub(super) summary: &'static str,
    /// How long it takes.
    pub(super) complexity: &'static str,
    /// `deprecated` or `syscmd`, or empty.
    pub(super) doc_flags: &'static str,
    /// The version of Redis since which it need not be used, or empty.
    pub(super) deprecated: &'static str,
    /// What is used instead, or empty.
    pub(super) replaced_by: &'static str,
    /// Its arguments, in the notation of [`arguments`](super::arguments).
    pub(super) arguments: &'static str,
}

/// Nothing is known.
pub(super) const NONE: Fact = Fact {
    name: "",
    since: "0.0.0",
    group: "generic",
    flags: "",
    categories: "",
    tips: "",
    keys: "RW access update",
    notes: "",
    summary: "",
    complexity: "",
    doc_flags: "",
    deprecated: "",
    replaced_by: "",
    arguments: "",
};

impl Fact {
    /// The facts of a command by its full name.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        GROUPS.into_iter().flatten().find(|fact| fact.name == name)
    }
}

const GROUPS: [&[Fact]; 5] =
    [hash::FACTS, string::FACTS, key::FACTS, connection::FACTS, server::FACTS];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_command_is_there_once_with_what_people_ask_for() {
        let mut names = BTreeSet::new();
        for fact in GROUPS.into_iter().flatten() {
            assert!(names.insert(fact.name), "{} is there twice", fact.name);
            assert!(fact.summary.ends_with('.') && !fact.complexity.is_empty(), "{}", fact.name);
        }
        // Redis does not list the subcommands of DEBUG.
        let listed = |row: &&hectare_store::Command| !row.name.starts_with("debug|");
        for row in hectare_store::commands().iter().filter(listed) {
            assert!(names.contains(row.name), "nothing is told about {}", row.name);
        }
    }
}
