//! Does `CONFIG` answer as Redis answers it?

use hectare_resp::{Encoder, Protocol};
use hectare_server::Parameters;

use crate::redis::Redis;

/// What the server would answer.
fn answer(parameters: &mut Parameters, words: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, Protocol::Resp3);
    let arguments: Vec<&[u8]> = words[2..].iter().map(|word| word.as_bytes()).collect();
    if words[1] == "GET" {
        let answers = parameters.ask(&arguments);
        encoder.map(answers.len());
        for (name, value) in answers {
            encoder.bulk(&name);
            encoder.bulk(&value);
        }
    } else {
        match parameters.change(&arguments) {
            Ok(_) => encoder.ok(),
            Err(text) => encoder.error(text),
        }
    }
    out
}

/// Each asks for one parameter at most, since the order of several is left open.
const QUESTIONS: &[&[&str]] = &[
    &["GET", "save"],
    &["GET", "appendonly"],
    &["GET", "MaxMemory"],
    &["GET", "MAXMEMORY", "maxmemory"],
    &["GET", "foo*", "databases", "?atabases"],
    &["GET", "time\\out"],
    &["GET", "[t]imeout"],
    &["GET", ""],
    &["SET", "foo", "bar"],
    &["SET", "maxmemory ", "1"],
    &["SET", "a", "b", "c"],
    &["SET", "maxmemory", "1gb", "FOO", "bar"],
    &["SET", "databases", "3", "foo", "bar"],
    &["SET", "maxmemory", "1", "MAXMEMORY", "2"],
    &["SET", "Databases", "3"],
    &["SET", "dir", "/"],
    &["SET", "logfile", "x"],
    &["SET", "unixsocket", "x"],
    &["SET", "tcp-backlog", "1"],
    &["SET", "MAXMEMORY", "abc"],
    &["SET", "maxmemory", "-1"],
    &["SET", "maxmemory", "1 gb"],
    &["SET", "maxmemory", "1gbb"],
    &["SET", "maxmemory", "1mb", "timeout", "x"],
    &["GET", "maxmemory"],
    &["SET", "maxmemory", "1GB"],
    &["GET", "maxmemory"],
    &["SET", "maxmemory", "100k", "timeout", "7"],
    &["GET", "maxmemory"],
    &["GET", "timeout"],
    &["SET", "maxmemory", ""],
    &["SET", "timeout", ""],
    &["SET", "timeout", "-1"],
    &["SET", "timeout", " 5"],
    &["SET", "timeout", "99999999999"],
    &["SET", "tcp-keepalive", "-1"],
    &["SET", "maxclients", "0"],
    &["SET", "hz", "0"],
    &["GET", "hz"],
    &["SET", "hz", "1000"],
    &["GET", "hz"],
    &["SET", "maxmemory-policy", "foo"],
    &["SET", "maxmemory-policy", "NOEVICTION"],
    &["SET", "loglevel", "foo"],
    &["SET", "loglevel", "WARNING"],
    &["GET", "loglevel"],
    &["SET", "protected-mode", "maybe"],
    &["SET", "protected-mode", "NO"],
    &["GET", "protected-mode"],
    &["SET", "client-output-buffer-limit", "normal 0"],
    &["SET", "client-output-buffer-limit", "foo 0 0 0"],
    &["SET", "client-output-buffer-limit", "normal a 0 0"],
    &["SET", "client-output-buffer-limit", "normal 1 2 -3"],
    &["SET", "client-output-buffer-limit", ""],
    &["SET", "client-output-buffer-limit", "normal 1mb 2mb 3 replica 1 2 3"],
    &["GET", "client-output-buffer-limit"],
    &["SET", "proto-max-bulk-len", "1"],
    &["SET", "proto-max-bulk-len", "-1"],
    &["SET", "client-query-buffer-limit", "1"],
    &["SET", "hash-max-listpack-entries", "1kb"],
    &["SET", "hash-max-listpack-entries", "-1"],
    &["SET", "hash-max-listpack-entries", "9999999999999999999"],
    &["SET", "hash-max-ziplist-value", "-1"],
    &["SET", "hash-max-ziplist-value", "8", "hash-max-listpack-value", "1kb"],
    &["GET", "hash-max-ziplist-value"],
    &["GET", "hash-max-listpack-value"],
    &["SET", "hash-max-ziplist-entries", "3"],
    &["GET", "hash-max-listpack-entries"],
    &["SET", "save", ""],
    &["SET", "appendonly", "foo"],
    &["SET", "appendonly", "no"],
    &["SET", "notify-keyspace-events", ""],
    &["SET", "slowlog-log-slower-than", "-5"],
    &["SET", "slowlog-max-len", "x"],
    &["SET", "active-expire-effort", "11"],
    &["SET", "latency-monitor-threshold", "-1"],
    &["SET", "lazyfree-lazy-expire", "1"],
    &["SET", "lazyfree-lazy-expire", "YES"],
    &["GET", "lazyfree-lazy-expire"],
    &["SET", "list-max-ziplist-size", "a"],
    &["SET", "list-max-ziplist-size", "-5"],
    &["GET", "list-max-listpack-size"],
    &["SET", "set-max-intset-entries", "2"],
    &["SET", "zset-max-listpack-value", "1kb"],
    &["GET", "zset-max-ziplist-value"],
    &["SET", "requirepass", ""],
    &["GET", "requirepass"],
];

#[test]
fn parameters_are_shown_and_changed_as_redis_does() {
    let Some(mut redis) = Redis::start(Protocol::Resp3) else { return };
    let mut parameters = Parameters::default();
    for question in QUESTIONS {
        let words: Vec<&str> = ["CONFIG"].iter().chain(*question).copied().collect();
        let replies = [redis.ask(&words), answer(&mut parameters, &words)];
        let [theirs, ours] = replies.map(|bytes| bytes.escape_ascii().to_string());
        assert_eq!(theirs, ours, "{question:?}");
    }
}

#[test]
fn what_has_a_name_of_redis_is_a_parameter_of_redis_with_the_same_default() {
    let Some(mut redis) = Redis::start(Protocol::Resp3) else { return };
    let mut parameters = Parameters::default();
    // The test's server has these from its command line, or they are meant to differ.
    let other = [
        "port",
        "bind",
        "dir",
        "unixsocket",
        "unixsocketperm",
        "save",
        "protected-mode",
        "enable-debug-command",
        "client-output-buffer-limit",
        "pidfile",
        "logfile",
        "loglevel",
        "appendonly",
        "daemonize",
    ];
    let mut compared = 0;
    for (name, _) in parameters.clone().ask(&[b"*"]) {
        let name = String::from_utf8(name).unwrap();
        if name.starts_with("hectare-") {
            continue;
        }
        let theirs = redis.ask(&["CONFIG", "GET", &name]);
        assert!(theirs != b"%0\r\n", "Redis knows no {name}");
        if !other.contains(&&*name) {
            let ours = answer(&mut parameters, &["CONFIG", "GET", &name]);
            let [theirs, ours] = [theirs, ours].map(|bytes| bytes.escape_ascii().to_string());
            assert_eq!(theirs, ours);
            compared += 1;
        }
    }
    assert!(compared > 80, "{compared}");
}
