//! Which metrics are there, and what do they say?

use std::fmt::{Display, Write as _};

use crate::{CommandFacts, Facts};

/// All metrics with their help and types, in Prometheus' text format.
#[must_use]
pub fn text(facts: &Facts) -> String {
    let mut families = Families::default();
    families.server(facts);
    families.memory(facts);
    families.traffic(facts);
    families.databases(facts);
    families.commands(facts);
    families.text
}

#[derive(Default)]
struct Families {
    text: String,
}

impl Families {
    fn server(&mut self, facts: &Facts) {
        let server = &facts.server;
        self.head("hectare_info", "gauge", "The version; always 1.");
        let version = [("version", env!("CARGO_PKG_VERSION")), ("dialect", server.dialect.word())];
        self.sample("hectare_info", &version, 1);
        self.gauge("hectare_uptime_seconds", "Time since the start.", server.uptime_s);
        self.gauge("hectare_shards", "Shards, each with a thread.", server.shards);
        let name = "hectare_cpu_seconds_total";
        self.head(name, "counter", "Time that processors have spent on the process.");
        self.sample(name, &[("mode", "system")], facts.cpu.system_s);
        self.sample(name, &[("mode", "user")], facts.cpu.user_s);
    }

    fn memory(&mut self, facts: &Facts) {
        let (memory, data) = (&facts.memory, &facts.memory.data);
        for (name, help, value) in [
            ("hectare_keys", "Keys in all databases.", data.keys),
            ("hectare_fields", "Fields of all hashes.", data.fields),
            (
                "hectare_payload_bytes",
                "Keys, fields and values as clients send them.",
                data.payload_bytes,
            ),
            (
                "hectare_record_bytes",
                "Records that hold keys, fields and values.",
                data.record_bytes,
            ),
            ("hectare_index_bytes", "What leads to the records.", data.index_bytes),
            ("hectare_shape_bytes", "Names and templates that records share.", data.shape_bytes),
            ("hectare_slack_bytes", "Memory of the data that holds nothing.", data.slack_bytes),
            ("hectare_free_bytes", "The part of the slack that is free at once.", data.free_bytes),
            ("hectare_data_bytes", "Everything that the data take.", data.total_bytes()),
            ("hectare_client_bytes", "What connections take.", memory.client_bytes),
            ("hectare_used_bytes", "Memory in use, as INFO counts it.", memory.used_bytes()),
            ("hectare_resident_bytes", "What of the process is in memory.", memory.resident_bytes),
            (
                "hectare_maxmemory_bytes",
                "What the data may take; 0 for no limit.",
                memory.maxmemory_bytes,
            ),
        ] {
            self.gauge(name, help, value);
        }
    }

    fn traffic(&mut self, facts: &Facts) {
        let (clients, stats) = (&facts.clients, &facts.stats);
        self.gauge("hectare_connected_clients", "Connections that are open.", clients.connected);
        self.gauge(
            "hectare_blocked_clients",
            "Clients that wait within a command.",
            clients.blocked,
        );
        self.gauge("hectare_maxclients", "How many connections there may be.", clients.maxclients);
        for (name, help, value) in [
            ("hectare_connections_total", "Connections accepted.", stats.connections),
            (
                "hectare_rejected_connections_total",
                "Connections refused.",
                stats.rejected_connections,
            ),
            ("hectare_commands_total", "Commands run.", stats.commands),
            ("hectare_input_bytes_total", "Bytes received.", stats.input_bytes),
            ("hectare_output_bytes_total", "Bytes sent.", stats.output_bytes),
            ("hectare_expired_keys_total", "Keys removed at their deadline.", stats.expired_keys),
            (
                "hectare_expired_fields_total",
                "Fields removed at their deadline.",
                stats.expired_fields,
            ),
            ("hectare_hits_total", "Look-ups of keys that were there.", stats.hits),
            ("hectare_misses_total", "Look-ups of keys that were not.", stats.misses),
            (
                "hectare_query_buffer_disconnections_total",
                "Clients disconnected for commands without an end.",
                stats.query_buffer_disconnections,
            ),
            (
                "hectare_output_buffer_disconnections_total",
                "Clients disconnected for not reading.",
                stats.output_buffer_disconnections,
            ),
        ] {
            self.head(name, "counter", help);
            self.sample(name, &[], value);
        }
        let name = "hectare_errors_total";
        self.head(name, "counter", "Errors answered, by what they begin with.");
        for error in &facts.errors {
            self.sample(name, &[("kind", &error.kind)], error.count);
        }
    }

    fn databases(&mut self, facts: &Facts) {
        let name = "hectare_database_keys";
        self.head(name, "gauge", "Keys of each database.");
        for database in &facts.databases {
            self.sample(name, &[("database", &database.database.to_string())], database.keys);
        }
        let name = "hectare_database_keys_with_deadline";
        self.head(name, "gauge", "Keys of each database that have a deadline.");
        for database in &facts.databases {
            let label = [("database", &*database.database.to_string())];
            self.sample(name, &label, database.keys_with_deadline);
        }
    }

    fn commands(&mut self, facts: &Facts) {
        let mut family = |name: &str, help: &str, value: &dyn Fn(&CommandFacts) -> f64| {
            self.head(name, "counter", help);
            for command in &facts.commands {
                self.sample(name, &[("command", &command.name)], value(command));
            }
        };
        family("hectare_command_calls_total", "Calls of each command.", &|command| {
            command.calls as f64
        });
        family("hectare_command_seconds_total", "Time spent in each command.", &|command| {
            command.microseconds as f64 / 1e6
        });
        family(
            "hectare_command_failures_total",
            "Calls that failed or were refused.",
            &|command| (command.failed + command.rejected) as f64,
        );
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.head(name, "gauge", help);
        self.sample(name, &[], value);
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.write(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.text.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            self.text.push(if index == 0 { '{' } else { ',' });
            self.write(format_args!("{label}=\"{}\"", escape(text)));
        }
        self.text.push_str(if labels.is_empty() { "" } else { "}" });
        self.write(format_args!(" {value}\n"));
    }

    fn write(&mut self, arguments: std::fmt::Arguments<'_>) {
        self.text.write_fmt(arguments).expect("a String takes whatever is written to it");
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::{DatabaseFacts, ErrorFacts};

    /// A family by its name: its type and how many samples it has.
    fn parse(text: &str) -> BTreeMap<String, (String, usize)> {
        assert!(text.ends_with('\n'));
        let (mut families, mut samples) = (BTreeMap::new(), BTreeSet::new());
        let mut open = String::new();
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').unwrap();
                assert!(is_name(name) && help.ends_with('.'), "{line}");
                assert!(
                    families.insert(name.to_owned(), (String::new(), 0)).is_none(),
                    "{name} twice"
                );
                name.clone_into(&mut open);
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert_eq!(name, open);
                assert!(matches!(kind, "gauge" | "counter"), "{line}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
                kind.clone_into(&mut families.get_mut(name).unwrap().0);
            } else {
                let (series, value) = line.rsplit_once(' ').unwrap();
                assert!(value.parse::<f64>().is_ok_and(|value| value >= 0.0), "{line}");
                assert!(samples.insert(series.to_owned()), "{series} comes twice");
                let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
                assert_eq!(name, open, "a sample belongs to the family above it");
                check_labels(labels);
                families.get_mut(name).unwrap().1 += 1;
            }
        }
        assert!(families.values().all(|(kind, _)| !kind.is_empty()));
        families
    }

    fn is_name(name: &str) -> bool {
        name.starts_with("hectare_")
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    }

    /// `a="…",b="…"}`
    fn check_labels(mut labels: &str) {
        while labels != "}" {
            let (name, rest) = labels.split_once("=\"").unwrap();
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase()), "{name}");
            let mut end = 0;
            while rest.as_bytes()[end] != b'"' {
                end += if rest.as_bytes()[end] == b'\\' { 2 } else { 1 };
            }
            labels = rest[end + 1..].trim_start_matches(',');
        }
    }

    #[test]
    fn the_text_is_in_the_format_of_prometheus() {
        let mut facts = Facts::default();
        let families = parse(&text(&facts));
        assert_eq!(families["hectare_payload_bytes"], ("gauge".to_owned(), 1));
        assert_eq!(families["hectare_errors_total"], ("counter".to_owned(), 0));
        facts.errors.push(ErrorFacts { kind: "a\\b\"c\nd".to_owned(), count: 1 });
        facts
            .databases
            .extend([0, 15].map(|database| DatabaseFacts { database, ..DatabaseFacts::default() }));
        facts
            .commands
            .push(CommandFacts { name: "config|get".to_owned(), ..CommandFacts::default() });
        let families = parse(&text(&facts));
        assert_eq!(families["hectare_errors_total"].1, 1);
        assert_eq!(families["hectare_database_keys"].1, 2);
        assert_eq!(families["hectare_command_seconds_total"].1, 1);
    }
}
