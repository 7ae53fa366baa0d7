//! How does `hectare loadgen` behave, on good days and bad ones?

use std::net::TcpListener;
use std::process::{Child, Stdio};

use crate::harness::{
    Run, Server, busy_ticks, columns, descendants, empty_folder, hectare, is_alive, reference, run,
    signal, spawn_argument, wait_until,
};

/// A run that is done in no time.
const SHORT: [&str; 7] =
    ["loadgen", "--objects", "1000", "--warm-up", "10ms", "--requests", "20000"];

#[test]
fn every_command_asked_for_is_answered_and_counted() {
    let run = run(&[&SHORT[..], &["--csv", "--mix", "hset1=1,hgetall=1"]].concat());
    run.expect(0, &[]);
    let rows = columns(&run.stdout, &["operation", "commands", "errors", "absent"]);
    let total = rows.last().expect("a row of all operations");
    assert_eq!(total[..], ["total", "20000", "0", "0"]);
    let names: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(names, ["hset1", "hgetall", "total"]);
}

#[test]
fn a_person_reads_throughput_and_latency_and_a_program_reads_json() {
    let text = run(&SHORT);
    text.expect(0, &[]);
    for said in ["throughput ", "latency ", " p99.9 ", "hit rate     100.00 %"] {
        assert!(text.stdout.contains(said), "{said:?} in {}", text.stdout);
    }
    let json = run(&[&SHORT[..], &["--json"]].concat());
    let measurement: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(measurement["total"]["commands"], 20_000);
}

#[test]
fn a_wrong_option_is_told_with_what_would_be_right() {
    for (arguments, said) in [
        (&["--mix", "hset1"][..], "hset1=60"),
        (&["--popularity", "zipf:x"], "zipf"),
        (&["--pipeline", "0"], "--pipeline"),
        (&["--threads", "4", "--connections", "2"], "--threads is at most --connections"),
        (&["--duration", "1h"], "a time is a number with the unit ms, s or m"),
        (&["--duration", "0"], "--duration is more than 0 s"),
        (&["--duration", "1", "--requests", "1"], "cannot be used with"),
        (&["--dataset", "users"], "no dataset \"users\""),
        (&["--dataset", "user", "--schema", "x.toml"], "cannot be used with"),
        (&["--schema", "missing.toml"], "missing.toml"),
    ] {
        let run = run(&[&["loadgen"], arguments].concat());
        run.expect(2, &[said]);
        assert_eq!(run.stdout, "", "{arguments:?}");
    }
}

#[test]
fn a_server_that_is_not_there_or_is_none_is_told_apart() {
    run(&[&SHORT[..], &["--target", "redis://127.0.0.1:1"]].concat())
        .expect(1, &["cannot connect to 127.0.0.1:1"]);
    run(&[&SHORT[..], &["--target", "spawn:/bin/true"]].concat())
        .expect(1, &["ended (exit status: 0) before it answered as a server"]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let hangs_up = std::thread::spawn(move || drop(listener.accept()));
    run(&[&SHORT[..], &["--target", &url]].concat()).expect(1, &["closed the connection"]);
    hangs_up.join().unwrap();
}

#[test]
fn a_running_server_with_data_is_refused_or_left_with_its_data_alone() {
    let Some(peer) = reference() else { return };
    let server = Server::start(&peer, &[]);
    server.ask("SET theirs 1");
    let url = server.url();
    let target = ["--target", &url];
    run(&[&SHORT[..], &target].concat()).expect(1, &["holds 1 key", "--key-prefix"]);
    let beside = ["--allow-nonempty", "--key-prefix", "trial:"];
    run(&[&SHORT[..], &target, &beside].concat()).expect(0, &[]);
    assert!(server.ask("DBSIZE").starts_with(":1\r\n"));
}

/// A run that would take minutes on a server that was started for it, once it is busy.
fn long_run(target: &str) -> (Child, Vec<u32>) {
    let child = hectare(empty_folder().path())
        .args(["loadgen", "--target", target, "--objects", "10000", "--duration", "5m"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut family = Vec::new();
    wait_until("the server is busy", || {
        family = descendants(child.id());
        family.first().is_some_and(|&server| busy_ticks(server) > 150)
    });
    (child, family)
}

#[test]
fn a_server_that_dies_half_way_is_an_error() {
    let Some(peer) = reference() else { return };
    let (child, family) = long_run(&spawn_argument(&peer));
    signal(family[0], "KILL");
    let run: Run = child.wait_with_output().unwrap().into();
    run.expect(1, &["closed the connection"]);
}

#[test]
fn an_interrupt_shows_what_was_measured_and_leaves_no_server() {
    let Some(peer) = reference() else { return };
    let (child, family) = long_run(&spawn_argument(&peer));
    signal(child.id(), "INT");
    let run: Run = child.wait_with_output().unwrap().into();
    run.expect(130, &["warning: "]);
    assert!(run.stdout.contains("throughput "), "{}", run.stdout);
    assert!(family.into_iter().all(|process| !is_alive(process)));
}

#[test]
fn a_kill_leaves_no_server() {
    let Some(peer) = reference() else { return };
    let (mut child, family) = long_run(&spawn_argument(&peer));
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("the server ends", || family.iter().all(|&process| !is_alive(process)));
}
