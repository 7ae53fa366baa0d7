//! Does anything grow because a client wants it to?

use crate::support::{Line, command, serve, settings, start};

/// How much memory this process holds.
fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux says it");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it is there");
    let number = line.split_whitespace().nth(1).and_then(|number| number.parse::<usize>().ok());
    number.expect("a number of kB") << 10
}

#[test]
fn what_is_announced_takes_no_memory() {
    let server = serve(2);
    let mut other = Line::to(&server);
    other.ask("PING", "+PONG\r\n");
    let before = resident_bytes();
    let mut lines: Vec<Line> = (0..100).map(|_| Line::to(&server)).collect();
    for line in &mut lines {
        line.send("*1048576\r\n$536870912\r\nxyz");
    }
    other.ask("PING", "+PONG\r\n");
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes for what has only been announced");
    drop(lines);
    other.ask("PING", "+PONG\r\n");
}

#[test]
fn who_takes_no_replies_is_not_read_and_others_are_served() {
    let mut settings = settings(1);
    settings.output_bytes_pause = 1 << 20;
    let server = start(settings);
    let mut other = Line::to(&server);
    let value = "v".repeat(1 << 20);
    other.send(command(&["SET", "k", &value]));
    other.expect("+OK\r\n");
    let mut slow = Line::to(&server);
    let requests = command(&["GET", "k"]).repeat(200);
    slow.send(&requests);
    for _ in 0..200 {
        other.ask("PING", "+PONG\r\n");
    }
    let clients = other.call(&["CLIENT", "LIST"]);
    let text = clients.as_text().expect("a text");
    let owed = text
        .split_whitespace()
        .filter_map(|pair| pair.strip_prefix("omem=")?.parse::<usize>().ok())
        .max();
    assert!(owed.is_some_and(|owed| owed < 32 << 20), "{text}");
    // And when it reads at last, everything is there.
    let reply = format!("${}\r\n{value}\r\n", value.len());
    (0..200).for_each(|_| slow.expect(&reply));
    slow.ask("PING", "+PONG\r\n");
}

#[test]
fn who_is_owed_too_much_is_disconnected() {
    let mut settings = settings(2);
    settings.parameters.client_output_buffer_limit.normal.hard_bytes = 64 << 20;
    let server = start(settings);
    let mut line = Line::to(&server);
    let value = "v".repeat(20 << 20);
    line.send(command(&["SET", "k", &value]));
    line.expect("+OK\r\n");
    line.send(command(&["GET", "k"]).repeat(200));
    let mut other = Line::to(&server);
    loop {
        let clients = other.call(&["CLIENT", "LIST"]);
        if clients.as_text().expect("a text").lines().count() == 1 {
            break;
        }
    }
}

#[test]
fn nobody_starves_beside_busy_clients() {
    let server = serve(1);
    let requests = command(&["HINCRBY", "busy", "count", "1"]).repeat(2000);
    let mut busy: Vec<Line> = (0..4).map(|_| Line::to(&server)).collect();
    let mut other = Line::to(&server);
    for round in 1..=20 {
        busy.iter_mut().for_each(|line| line.send(&requests));
        other.ask("INCR other", format!(":{round}\r\n"));
        for line in &mut busy {
            for _ in 0..2000 {
                assert!(line.reply().as_integer().is_some());
            }
        }
    }
    other.ask("HGET busy count", "$6\r\n160000\r\n");
}

#[test]
fn many_clients_are_served() {
    let server = serve(2);
    let mut lines: Vec<Line> = (0..400).map(|_| Line::to(&server)).collect();
    for round in 0..3 {
        for line in &mut lines {
            line.send("INCR n\r\nPING\r\n");
        }
        for (number, line) in lines.iter_mut().enumerate() {
            assert!(line.reply().as_integer().is_some(), "round {round}, client {number}");
            line.expect("+PONG\r\n");
        }
    }
    lines[0].ask("GET n", "$4\r\n1200\r\n");
}
