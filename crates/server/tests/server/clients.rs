//! Do clients see, name, pause and disconnect one another?

use crate::support::{Line, serve, settings, start};
use hectare_resp::Reply;
use std::collections::BTreeSet;

fn list(line: &mut Line, words: &[&str]) -> Vec<String> {
    let reply = line.call(&[&["CLIENT", "LIST"], words].concat());
    let text = reply.as_text().expect("a text").to_owned();
    text.lines().map(str::to_owned).collect()
}

fn field<'a>(line: &'a str, name: &str) -> &'a str {
    let start = format!("{name}=");
    let found = line.split(' ').find_map(|pair| pair.strip_prefix(start.as_str()));
    found.unwrap_or_else(|| panic!("{name} is missing in {line}"))
}

#[test]
fn clients_are_spread_evenly_and_listed_from_everywhere() {
    let server = serve(3);
    let mut lines: Vec<Line> = (0..6).map(|_| Line::to(&server)).collect();
    for (number, line) in lines.iter_mut().enumerate() {
        line.ask(&format!("CLIENT SETNAME name{number}"), "+OK\r\n");
    }
    lines[1].ask("SELECT 5", "+OK\r\n");
    lines[1].ask("HGET a b", "$-1\r\n");
    let all = list(&mut lines[4], &[]);
    assert_eq!(all.len(), 6);
    let threads: Vec<&str> = all.iter().map(|client| field(client, "io-thread")).collect();
    for thread in ["0", "1", "2"] {
        assert_eq!(threads.iter().filter(|&&other| other == thread).count(), 2, "{threads:?}");
    }
    let named = |name: &str| {
        all.iter().find(|client| field(client, "name") == name).expect("it is listed").clone()
    };
    assert_eq!(field(&named("name1"), "db"), "5");
    assert_eq!(field(&named("name1"), "cmd"), "hget");
    assert_eq!(field(&named("name4"), "cmd"), "client|list");
    let id = field(&named("name2"), "id").to_owned();
    assert_eq!(list(&mut lines[0], &["ID", &id]).len(), 1);
    assert_eq!(list(&mut lines[0], &["TYPE", "normal"]).len(), 6);
    assert_eq!(list(&mut lines[0], &["TYPE", "replica"]).len(), 0);
    lines[2].ask("CLIENT ID", format!(":{id}\r\n"));
    let info = lines[2].call(&["CLIENT", "INFO"]);
    assert!(info.as_text().is_some_and(|text| text.starts_with(&format!("id={id} "))));
}

#[test]
fn who_is_killed_is_disconnected_wherever_it_is() {
    let server = serve(3);
    let mut killer = Line::to(&server);
    let mut lines: Vec<Line> = (0..5).map(|_| Line::to(&server)).collect();
    let ids: Vec<String> = lines
        .iter_mut()
        .map(|line| line.call(&["CLIENT", "ID"]).as_integer().expect("a number").to_string())
        .collect();
    assert_eq!(killer.call(&["CLIENT", "KILL", "ID", &ids[0]]).as_integer(), Some(1));
    lines[0].expect_end();
    let address = lines[1].stream().local_addr().expect("it is connected").to_string();
    killer.ask(&format!("CLIENT KILL {address}"), "+OK\r\n");
    lines[1].expect_end();
    killer.ask("CLIENT KILL 1.2.3.4:5", "-ERR No such client\r\n");
    killer.ask("CLIENT KILL ID 0", "-ERR client-id should be greater than 0\r\n");
    killer.ask("CLIENT KILL USER nobody", "-ERR No such user 'nobody'\r\n");
    killer.ask("CLIENT KILL TYPE odd", "-ERR Unknown client type 'odd'\r\n");
    killer.ask("CLIENT KILL SKIPME", "-ERR No such client\r\n");
    killer.ask("CLIENT KILL a b c", "-ERR syntax error\r\n");
    // One that waits is closed as well.
    lines[2].send("DEBUG SLEEP 100000\r\n");
    assert_eq!(killer.call(&["CLIENT", "KILL", "ID", &ids[2]]).as_integer(), Some(1));
    lines[2].expect_end();
    assert_eq!(killer.call(&["CLIENT", "KILL", "TYPE", "normal"]).as_integer(), Some(2));
    lines[3].expect_end();
    lines[4].expect_end();
    killer.ask("CLIENT KILL TYPE normal SKIPME no", ":1\r\n");
    killer.expect_end();
}

#[test]
fn a_pause_lets_commands_wait_and_loses_none() {
    let server = serve(2);
    let mut operator = Line::to(&server);
    let mut lines: Vec<Line> = (0..4).map(|_| Line::to(&server)).collect();
    operator.ask("CLIENT PAUSE 100000 WRITE", "+OK\r\n");
    for line in &mut lines {
        line.ask("GET a", "$-1\r\n");
        line.send("PING\r\nINCR a\r\nPING\r\n");
        line.expect("+PONG\r\n");
    }
    operator.ask("GET a", "$-1\r\n");
    operator.ask("CLIENT UNPAUSE", "+OK\r\n");
    let mut seen = BTreeSet::new();
    for line in &mut lines {
        seen.insert(line.reply().as_integer());
        line.expect("+PONG\r\n");
    }
    assert_eq!(seen, (1..=4).map(Some).collect());

    operator.ask("CLIENT PAUSE 100000", "+OK\r\n");
    lines[0].send("GET a\r\n");
    operator.ask("CLIENT UNPAUSE", "+OK\r\n");
    lines[0].expect("$1\r\n4\r\n");
    operator.ask("CLIENT PAUSE 1", "+OK\r\n");
    operator.ask("GET a", "$1\r\n4\r\n");
    operator.ask("CLIENT PAUSE -1", "-ERR timeout is negative\r\n");
    operator.ask("CLIENT PAUSE x", "-ERR timeout is not an integer or out of range\r\n");
    operator.ask("CLIENT PAUSE 1 SOME", "-ERR CLIENT PAUSE mode must be WRITE or ALL\r\n");
}

#[test]
fn who_sleeps_keeps_nobody_else_waiting() {
    let server = serve(1);
    let mut sleeper = Line::to(&server);
    let mut other = Line::to(&server);
    sleeper.send("SET a 1\r\nDEBUG SLEEP 0.3\r\nGET a\r\n");
    sleeper.expect("+OK\r\n");
    for number in 1..100 {
        other.ask("INCR b", format!(":{number}\r\n"));
    }
    sleeper.expect("+OK\r\n$1\r\n1\r\n");
}

#[test]
fn there_are_no_more_clients_than_there_may_be() {
    let mut settings = settings(2);
    settings.parameters.maxclients = 3;
    let server = start(settings);
    let mut lines: Vec<Line> = (0..3).map(|_| Line::to(&server)).collect();
    lines.iter_mut().for_each(|line| line.ask("PING", "+PONG\r\n"));
    let mut refused = Line::to(&server);
    refused.expect("-ERR max number of clients reached\r\n");
    refused.expect_end();
    lines[0].send("QUIT\r\n");
    lines[0].expect("+OK\r\n");
    lines[0].expect_end();
    // The place is free at some time.
    loop {
        let mut line = Line::to(&server);
        line.try_send("PING\r\n");
        match line.reply() {
            Reply::Simple(_) => break,
            refusal => assert!(refusal.as_error().is_some()),
        }
    }
}

#[test]
fn idle_clients_are_disconnected_if_that_is_wanted() {
    let mut settings = settings(1);
    settings.parameters.timeout = 1;
    let server = start(settings);
    let mut line = Line::to(&server);
    line.ask("PING", "+PONG\r\n");
    line.expect_end();
}
