//! Which sections of `INFO` are asked for?

use super::lines::Lines;
use super::{memory, server, stats};
use crate::Facts;

/// One section: its name, its title, whether it is shown without being asked for, and its lines.
struct Section {
    name: &'static str,
    title: &'static str,
    is_default: bool,
    write: fn(&Facts, &mut Lines),
}

const fn section(
    title: &'static str,
    name: &'static str,
    write: fn(&Facts, &mut Lines),
) -> Section {
    Section { name, title, is_default: true, write }
}

const fn rare(title: &'static str, name: &'static str, write: fn(&Facts, &mut Lines)) -> Section {
    Section { is_default: false, ..section(title, name, write) }
}

static SECTIONS: [Section; 16] = [
    section("Server", "server", server::server),
    section("Clients", "clients", server::clients),
    section("Memory", "memory", memory::memory),
    section("Persistence", "persistence", server::persistence),
    section("Threads", "threads", server::threads),
    section("Stats", "stats", stats::stats),
    section("Replication", "replication", server::replication),
    section("CPU", "cpu", stats::cpu),
    section("Modules", "modules", |_, _| {}),
    rare("Commandstats", "commandstats", stats::commands),
    section("Errorstats", "errorstats", stats::errors),
    rare("Latencystats", "latencystats", stats::latencies),
    section("Cluster", "cluster", server::cluster),
    section("Keyspace", "keyspace", stats::keyspace),
    section("Keysizes", "keysizes", |_, _| {}),
    section("Hectare", "hectare", memory::hectare),
];

/// Which sections somebody wants to see.
///
/// ```
/// use hectare_server::{Facts, InfoRequest};
///
/// let request = InfoRequest::new([&b"cluster"[..]]);
/// assert_eq!(request.text(&Facts::default()), "# Cluster\r\ncluster_enabled:0\r\n");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InfoRequest {
    /// A bit for each of `SECTIONS`.
    chosen: u16,
}

impl InfoRequest {
    /// Reads the arguments of `INFO`: names of sections, or `default`, `all` or `everything`; none are
    /// `default`. What is not the name of a section is passed over.
    #[must_use]
    pub fn new<'a>(words: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let bits = |is_chosen: &dyn Fn(&Section) -> bool| {
            let bit = |(index, section)| u16::from(is_chosen(section)) << index;
            SECTIONS.iter().enumerate().map(bit).sum::<u16>()
        };
        let default = bits(&|section| section.is_default);
        let mut words = words.into_iter().peekable();
        if words.peek().is_none() {
            return Self { chosen: default };
        }
        let chosen = words.fold(0, |chosen, word| {
            chosen
                | match word.to_ascii_lowercase().as_slice() {
                    b"default" => default,
                    b"all" | b"everything" => bits(&|_| true),
                    name => bits(&|section| section.name.as_bytes() == name),
                }
        });
        Self { chosen }
    }

    /// Whether the facts of commands are shown, which may be costly to collect.
    #[must_use]
    pub fn shows_commands(self) -> bool {
        let is_chosen = |name| {
            let index = SECTIONS.iter().position(|section| section.name == name);
            index.is_some_and(|index| self.chosen >> index & 1 == 1)
        };
        is_chosen("commandstats") || is_chosen("latencystats")
    }

    /// The text of the sections, in their own order.
    #[must_use]
    pub fn text(self, facts: &Facts) -> String {
        let mut lines = Lines::default();
        for (index, section) in SECTIONS.iter().enumerate() {
            if self.chosen >> index & 1 == 1 {
                lines.head(section.title);
                (section.write)(facts, &mut lines);
            }
        }
        lines.into_text()
    }
}
