//! What does a running server say of itself, and what can be changed while it runs?

use crate::support::{Line, serve};
use hectare_resp::Reply;

fn info(line: &mut Line, name: &str) -> String {
    let reply = line.call(&["INFO", "everything"]);
    let text = reply.as_text().expect("a text").to_owned();
    let start = format!("{name}:");
    let found = text.lines().find_map(|line| line.strip_prefix(start.as_str()));
    found.unwrap_or_else(|| panic!("{name} is missing in {text}")).to_owned()
}

#[test]
fn info_says_what_is_so() {
    let server = serve(3);
    let mut line = Line::to(&server);
    let mut other = Line::to(&server);
    other.send("SELECT 9\r\nSET a 1\r\nHSET b c d\r\nSELECT 0\r\nSET x y\r\n");
    other.expect("+OK\r\n+OK\r\n:1\r\n+OK\r\n+OK\r\n");
    assert_eq!(info(&mut line, "connected_clients"), "2");
    assert!(info(&mut line, "db9").starts_with("keys=2,"));
    assert!(info(&mut line, "db0").starts_with("keys=1,"));
    assert_eq!(info(&mut line, "total_connections_received"), "2");
    assert_eq!(info(&mut line, "run_id").len(), 40);
    assert_eq!(info(&mut line, "maxclients"), "10000");
    let port = crate::support::address(&server).port().to_string();
    assert_eq!(info(&mut line, "tcp_port"), port);
    let used = info(&mut line, "used_memory").parse::<u64>().expect("a number");
    assert!(used > 0);
    line.ask("CONFIG RESETSTAT", "+OK\r\n");
    assert_eq!(info(&mut line, "total_connections_received"), "0");
}

#[test]
fn what_is_set_has_its_effect_at_once() {
    let server = serve(2);
    let mut line = Line::to(&server);
    let mut other = Line::to(&server);
    other.ask("PING", "+PONG\r\n");
    line.ask("CONFIG GET timeout", "*2\r\n$7\r\ntimeout\r\n$1\r\n0\r\n");
    line.ask("CONFIG SET maxclients 2", "+OK\r\n");
    let mut refused = Line::to(&server);
    refused.expect("-ERR max number of clients reached\r\n");
    refused.expect_end();
    line.ask("CONFIG SET maxclients 100 requirepass secret", "+OK\r\n");
    // Who is in stays in.
    other.ask("GET a", "$-1\r\n");
    let mut late = Line::to(&server);
    late.ask("GET a", "-NOAUTH Authentication required.\r\n");
    late.ask("AUTH secret", "+OK\r\n");
    late.ask("GET a", "$-1\r\n");
    line.ask("CONFIG SET hectare-reply-bytes-max 1mb requirepass \"\"", "+OK\r\n");
    other.ask("HSET h f v", ":1\r\n");
    other.send("HRANDFIELD h -1000000\r\n");
    assert!(other.reply().as_error().is_some_and(|text| text.starts_with(b"ERR the reply is")));
    line.send("CONFIG SET nosuch 1\r\n");
    assert!(line.reply().as_error().is_some_and(|text| text.starts_with(b"ERR Unknown option")));
    line.ask("CONFIG SET timeout 1", "+OK\r\n");
    other.expect_end();
}

#[test]
fn command_knows_the_servers_commands_and_the_stores() {
    let server = serve(1);
    let mut line = Line::to(&server);
    let count = line.call(&["COMMAND", "COUNT"]).as_integer().expect("a number");
    let all = line.call(&["COMMAND"]);
    assert_eq!(all.as_array().map(<[Reply]>::len), usize::try_from(count).ok());
    let info = line.call(&["COMMAND", "INFO", "hset", "client", "nosuch"]);
    let rows = info.as_array().expect("an array");
    assert!(rows[0].as_array().is_some() && rows[1].as_array().is_some());
    assert_eq!(rows[2], Reply::Null);
    let keys = line.call(&["COMMAND", "GETKEYS", "MSET", "a", "1", "b", "2"]);
    assert_eq!(keys.as_array().map(<[Reply]>::len), Some(2));
    assert!(line.call(&["COMMAND", "DOCS", "hset"]).pairs().count() == 1);
}

#[test]
fn the_engine_is_told_what_is_set() {
    let server = serve(3);
    let mut line = Line::to(&server);
    line.ask("CONFIG SET hash-max-ziplist-entries 2", "+OK\r\n");
    line.ask("HSET h a 1 b 2", ":2\r\n");
    line.ask("OBJECT ENCODING h", "$8\r\nlistpack\r\n");
    line.ask("HSET h c 3", ":1\r\n");
    line.ask("OBJECT ENCODING h", "$9\r\nhashtable\r\n");
    line.ask("CONFIG SET maxmemory 1", "+OK\r\n");
    line.send("SET a b\r\n");
    assert!(line.reply().as_error().is_some_and(|text| text.starts_with(b"OOM ")));
    line.ask("CONFIG SET maxmemory 0", "+OK\r\n");
    line.ask("SET a b", "+OK\r\n");
    line.ask("DEBUG SET-ACTIVE-EXPIRE 0", "+OK\r\n");
    line.send("DEBUG OBJECT a\r\n");
    assert!(line.reply().as_text().is_some());
    line.ask("SWAPDB 0 1", "+OK\r\n");
    line.ask("GET a", "$-1\r\n");
}

#[test]
fn a_server_can_speak_like_valkey() {
    let mut settings = crate::support::settings(2);
    settings.parameters.hectare_dialect = hectare_server::Dialect::Valkey;
    settings.parameters.hash_max_listpack_entries = 1;
    let server = crate::support::start(settings);
    let mut line = Line::to(&server);
    let hello = line.call(&["HELLO"]);
    assert_eq!(hello.get("server").and_then(Reply::as_text), Some("valkey"));
    line.ask("HSET h a 1 b 2", ":2\r\n");
    line.ask("OBJECT ENCODING h", "$9\r\nhashtable\r\n");
    line.ask("HTTL h FIELDS 0", ZERO_FIELDS);
}

const ZERO_FIELDS: &str = "-ERR wrong number of arguments for 'httl' command\r\n";

#[test]
fn info_counts_what_was_asked_and_a_reset_begins_again() {
    let server = serve(2);
    let mut line = Line::to(&server);
    line.send("HSET h f v\r\nHGET h f\r\nHGET none f\r\nHGET none\r\nGET h\r\nNOSUCH\r\n");
    line.send("SET a 1 PX 1\r\nSET b 1 EX 1000\r\nINCR h\r\nHELLO 9\r\nPING\r\n");
    for _ in 0..11 {
        line.reply();
    }
    let none = "usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=0";
    assert_eq!(info(&mut line, "cmdstat_hset"), format!("calls=1,{none}"));
    assert_eq!(info(&mut line, "cmdstat_ping"), format!("calls=1,{none}"));
    let refused = none.replace("rejected_calls=0", "rejected_calls=1");
    assert_eq!(info(&mut line, "cmdstat_hget"), format!("calls=2,{refused}"));
    let failed = none.replace("failed_calls=0", "failed_calls=1");
    for name in ["get", "incr", "hello"] {
        assert_eq!(info(&mut line, &format!("cmdstat_{name}")), format!("calls=1,{failed}"));
    }
    assert_eq!(info(&mut line, "errorstat_WRONGTYPE"), "count=2");
    assert_eq!(info(&mut line, "errorstat_ERR"), "count=2");
    assert_eq!(info(&mut line, "errorstat_NOPROTO"), "count=1");
    assert_eq!(info(&mut line, "total_error_replies"), "5");
    // Of HGET, HGET and GET; writes do not count.
    assert_eq!(info(&mut line, "keyspace_hits"), "2");
    assert_eq!(info(&mut line, "keyspace_misses"), "1");
    while info(&mut line, "expired_keys") != "1" {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    assert!(info(&mut line, "db0").starts_with("keys=2,expires=1,"));
    line.ask("CONFIG RESETSTAT", "+OK\r\n");
    for name in ["keyspace_hits", "keyspace_misses", "expired_keys", "total_error_replies"] {
        assert_eq!(info(&mut line, name), "0", "{name}");
    }
    let text = line.call(&["INFO", "everything"]);
    let text = text.as_text().expect("a text");
    assert!(!text.contains("errorstat_") && !text.contains("cmdstat_hset"), "{text}");
}

/// Each thread of the server asks for all shards at once, while there is much to put in order.
#[test]
fn threads_that_ask_for_each_others_shards_are_all_answered() {
    let server = serve(2);
    std::thread::scope(|scope| {
        for caller in 0..6_u32 {
            let server = &server;
            scope.spawn(move || {
                let mut line = Line::to(server);
                for round in 0..60 {
                    let entries = (100 + caller).to_string();
                    let reply = match (round + caller) % 4 {
                        0 => line.call(&["CONFIG", "SET", "hash-max-listpack-entries", &entries]),
                        1 => line.call(&["FLUSHALL"]),
                        2 => line.call(&["MSET", "a", "1", "b", "2", "c", "3", "d", "4"]),
                        _ => line.call(&["INFO", "everything"]),
                    };
                    assert_eq!(reply.as_error(), None, "caller {caller}, round {round}");
                }
            });
        }
    });
}
