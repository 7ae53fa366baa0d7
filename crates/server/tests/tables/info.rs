//! Does `INFO` have the lines that Redis has?

use hectare_resp::{Protocol, ReplyParser};
use hectare_server::{Facts, InfoRequest, ThreadFacts};

use crate::redis::Redis;

/// The names of a text's lines, each with its section; not those that depend on what was done.
fn names(text: &str) -> Vec<String> {
    let mut section = "";
    let mut names = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("# ") {
            section = title;
            names.push(format!("# {title}"));
        } else if let Some((name, _)) = line.split_once(':') {
            let is_open = [
                "Commandstats",
                "Errorstats",
                "Latencystats",
                "Keyspace",
                "Keysizes",
                "Modules",
                "Hectare",
            ]
            .contains(&section);
            if !is_open && !name.starts_with("hectare_") {
                names.push(format!("{section} {name}"));
            }
        }
    }
    names
}

#[test]
fn the_lines_are_those_of_redis_in_its_order() {
    let Some(mut redis) = Redis::start(Protocol::Resp2) else { return };
    let mut facts = Facts::default();
    facts.server.listeners.push("name=tcp,bind=127.0.0.1,port=6379".to_owned());
    facts.clients.threads.push(ThreadFacts::default());
    for words in [&[][..], &["everything"], &["Server", "memory", "foo"], &["cluster"], &["foo"]] {
        let request: Vec<&str> = ["INFO"].iter().chain(words).copied().collect();
        let bytes = redis.ask(&request);
        let (reply, _) = ReplyParser::default().parse(&bytes).unwrap().expect("a whole reply");
        let theirs = names(reply.as_text().expect("a text"));
        let ours = InfoRequest::new(words.iter().map(|word| word.as_bytes())).text(&facts);
        let mut ours = names(&ours);
        ours.retain(|name| name != "# Hectare");
        let theirs: Vec<String> =
            theirs.into_iter().filter(|name| !name.starts_with("Server listener1")).collect();
        assert_eq!(theirs, ours, "{words:?}");
    }
}
