//! What does `INFO` answer?
//!
//! The lines are those of Redis 8, by name and in order, since exporters and dashboards look for them.
//! What is not here at all (replicas, files, scripts) has the value that it has in a Redis that does not
//! use it. What Redis does not know begins with `hectare_`.

mod human;
mod lines;
mod memory;
mod sections;
mod server;
mod stats;

pub use sections::InfoRequest;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::{CommandFacts, DatabaseFacts, Dialect, ErrorFacts, Facts, InfoRequest};

    fn facts() -> Facts {
        let mut facts = Facts::default();
        facts.databases.push(DatabaseFacts { database: 3, keys: 7, ..DatabaseFacts::default() });
        facts.errors.push(ErrorFacts { kind: "ERR".to_owned(), count: 2 });
        facts.commands.push(CommandFacts {
            name: "hset".to_owned(),
            calls: 4,
            microseconds: 10,
            percentiles_us: Some([1.003, 2.007, 2.007]),
            ..CommandFacts::default()
        });
        facts
    }

    fn info(facts: &Facts, words: &[&str]) -> String {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        InfoRequest::new(words).text(facts)
    }

    fn heads(words: &[&str]) -> Vec<String> {
        let text = info(&facts(), words);
        text.lines().filter_map(|line| line.strip_prefix("# ")).map(str::to_owned).collect()
    }

    #[test]
    fn sections_are_chosen_as_redis_chooses_them() {
        let default = [
            "Server",
            "Clients",
            "Memory",
            "Persistence",
            "Threads",
            "Stats",
            "Replication",
            "CPU",
            "Modules",
            "Errorstats",
            "Cluster",
            "Keyspace",
            "Keysizes",
            "Hectare",
        ];
        assert_eq!(heads(&[]), default);
        assert_eq!(heads(&["default"]), default);
        let all = heads(&["all"]);
        assert_eq!(all.len(), default.len() + 2);
        assert_eq!(heads(&["EVERYTHING"]), all);
        assert!(
            all.contains(&"Commandstats".to_owned()) && all.contains(&"Latencystats".to_owned())
        );
        assert_eq!(heads(&["cpu", "SERVER", "foo"]), ["Server", "CPU"]);
        assert_eq!(info(&facts(), &["foo"]), "");
        assert_eq!(
            info(&facts(), &["cluster", "keyspace"]),
            "# Cluster\r\ncluster_enabled:0\r\n\r\n# Keyspace\r\ndb3:keys=7,expires=0,avg_ttl=0,subexpiry=0\r\n"
        );
    }

    #[test]
    fn every_line_is_a_name_and_a_value_and_no_name_comes_twice() {
        for dialect in [Dialect::Redis, Dialect::Valkey] {
            let mut facts = facts();
            facts.server.dialect = dialect;
            let text = info(&facts, &["everything"]);
            let mut names = BTreeMap::new();
            for line in text
                .split_terminator("\r\n")
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
            {
                let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("{line}"));
                assert!(names.insert(name, value).is_none(), "{name} comes twice");
            }
            assert_eq!(names.get("redis_mode").or(names.get("server_mode")), Some(&"standalone"));
            assert_eq!(names.contains_key("valkey_version"), dialect == Dialect::Valkey);
            assert_eq!(names["redis_version"], dialect.redis_version());
            assert_eq!(
                names["cmdstat_hset"],
                "calls=4,usec=10,usec_per_call=2.50,rejected_calls=0,failed_calls=0"
            );
            assert_eq!(names["latency_percentiles_usec_hset"], "p50=1.003,p99=2.007,p99.9=2.007");
            assert_eq!(names["errorstat_ERR"], "count=2");
        }
    }
}
