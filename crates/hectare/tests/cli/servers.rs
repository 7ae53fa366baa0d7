//! How does `hectare report` behave towards real servers, running, dying and absent?

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use crate::harness::{
    Run, Server, busy_ticks, columns, descendants, empty_folder, hectare, is_alive, peers,
    reference, run_in, signal, spawn_argument, wait_until,
};
use hectare_target::Peer;

/// The client that comes with a server: `redis-7.0-server` with `redis-7.0-cli`.
fn client_of(peer: &Peer) -> PathBuf {
    let name = peer.name.strip_suffix("server").expect("a server's name");
    peer.path.with_file_name(format!("{name}cli"))
}

#[test]
fn every_server_is_measured_with_the_keys_and_encodings_that_it_should_have() {
    for peer in peers() {
        let folder = empty_folder();
        let target = spawn_argument(&peer);
        let run = run_in(
            folder.path(),
            &["report", "--target", &target, "--dataset", "wide", "--objects", "100", "--csv"],
        );
        run.expect(0, &[]);
        let seen = columns(&run.stdout, &["layout", "keys", "encodings"]);
        for row in &seen {
            let expected = match row[0] {
                "flat" => ["6400", "embstr 200"],
                "hash" => ["100", "listpack 100"],
                _ => ["100", "raw 100"],
            };
            assert_eq!(row[1..], expected, "{} of {}", row[0], peer.name);
        }
        assert_eq!(seen.len(), 6);
        assert!(columns(&run.stdout, &["rss_delta_bytes"]).iter().all(|row| !row[0].is_empty()));
    }
}

#[test]
fn the_figures_are_those_that_one_reads_by_hand() {
    let Some(peer) = reference() else { return };
    for (layout, pattern) in [("flat", "bulk"), ("hash", "bulk"), ("hash", "grown")] {
        let folder = empty_folder();
        let data = ["--dataset", "user", "--objects", "200000"];
        let shape = ["--layout", layout, "--write-pattern", pattern];
        let target = spawn_argument(&peer);
        let report = ["report", "--csv", "--target", &target];
        let run = run_in(folder.path(), &[&report[..], &data, &shape].concat());
        run.expect(0, &[]);
        let row = &columns(&run.stdout, &["used_memory_delta_bytes", "rss_delta_bytes"])[0];
        let reported: Vec<i64> = row.iter().map(|bytes| bytes.parse().unwrap()).collect();

        let emit = ["report", "--emit-resp", "load.resp"];
        run_in(folder.path(), &[&emit[..], &data, &shape].concat()).expect(0, &[]);
        let server = Server::start(&peer, &[]);
        let reading = || [server.info_bytes("used_memory"), server.rss_bytes()];
        let before = reading();
        let piped = Command::new(client_of(&peer))
            .args(["-p", &server.port.to_string(), "--pipe"])
            .stdin(fs::File::open(folder.path().join("load.resp")).unwrap())
            .output()
            .unwrap();
        assert!(piped.status.success(), "{piped:?}");
        let mut last = reading();
        wait_until("memory is at rest", || {
            thread::sleep(std::time::Duration::from_millis(500));
            let now = reading();
            let still = now.iter().zip(last).all(|(now, last)| (now - last).abs() < 100_000);
            last = now;
            still
        });
        for (reported, (after, before)) in reported.iter().zip(last.iter().zip(before)) {
            let by_hand = after - before;
            let apart = (reported - by_hand).abs() as f64 / by_hand as f64;
            assert!(apart < 0.02, "{layout} {pattern}: {reported} reported, {by_hand} by hand");
        }
    }
}

#[test]
fn an_empty_running_server_is_left_empty() {
    let Some(peer) = reference() else { return };
    let server = Server::start(&peer, &[]);
    let folder = empty_folder();
    let run = run_in(
        folder.path(),
        &["report", "--target", &server.url(), "--dataset", "user", "--objects", "1000", "--csv"],
    );
    run.expect(0, &[]);
    assert!(server.ask("DBSIZE").starts_with(":0\r\n"));
    let resident = columns(&run.stdout, &["rss_delta_bytes", "used_memory_delta_bytes"]);
    assert!(!resident[0][0].is_empty(), "the first cell finds the server as it was");
    assert!(resident[1..].iter().all(|row| row[0].is_empty()), "{resident:?}");
    assert!(resident.iter().all(|row| row[1].parse::<i64>().unwrap() > 0), "{resident:?}");
}

#[test]
fn a_server_with_data_is_refused_or_loaded_beside_it() {
    let Some(peer) = reference() else { return };
    let server = Server::start(&peer, &[]);
    server.ask("SET theirs 1");
    let folder = empty_folder();
    let url = server.url();
    let report = ["report", "--dataset", "user", "--objects", "1000", "--layout", "hash"];
    let report = [&report[..], &["--target", &url]].concat();
    run_in(folder.path(), &report).expect(1, &["holds 1 key", "--allow-nonempty", "--key-prefix"]);
    let beside = [&report[..], &["--allow-nonempty", "--key-prefix", "trial:"]].concat();
    run_in(folder.path(), &beside).expect(0, &[]);
    assert!(server.ask("DBSIZE").starts_with(":1\r\n"));
    assert!(server.ask("GET theirs").starts_with("$1\r\n1\r\n"));
}

#[test]
fn a_server_without_room_is_refused_before_anything_is_written() {
    let Some(peer) = reference() else { return };
    let server =
        Server::start(&peer, &["--maxmemory", "20mb", "--maxmemory-policy", "allkeys-lru"]);
    let folder = empty_folder();
    let url = server.url();
    let run = run_in(folder.path(), &["report", "--dataset", "user", "--target", &url]);
    run.expect(1, &["maxmemory of 20 MiB", "fewer --objects"]);
    assert!(server.ask("INFO stats").contains("evicted_keys:0\r\n"));
}

/// Loads a running server, and says something to it once the load has begun.
fn load_and_say(server: &Server, commands: &[&str]) -> Run {
    let folder = empty_folder();
    let child = hectare(folder.path())
        .args(["report", "--target", &server.url(), "--dataset", "user", "--objects", "200000"])
        .args(["--layout", "flat", "--write-pattern", "bulk"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    wait_until("the load has begun", || !server.ask("DBSIZE").starts_with(":0\r\n"));
    for command in commands {
        server.ask(command);
    }
    child.wait_with_output().expect("the command ends").into()
}

#[test]
fn a_server_that_throws_keys_away_ends_the_report() {
    let Some(peer) = reference() else { return };
    let server = Server::start(&peer, &[]);
    let policy = "CONFIG SET maxmemory-policy allkeys-random";
    let run = load_and_say(&server, &[policy, "CONFIG SET maxmemory 3mb"]);
    run.expect(1, &["the server threw away", "keys for want of memory", "raise maxmemory"]);
}

#[test]
fn a_server_that_refuses_commands_ends_the_report() {
    let Some(peer) = reference() else { return };
    let server = Server::start(&peer, &[]);
    let run = load_and_say(&server, &["CONFIG SET maxmemory 3mb"]);
    run.expect(1, &["commands were refused, the first with `OOM", "fewer --objects"]);
    assert!(server.ask("DBSIZE").starts_with(":0\r\n"), "what was loaded is removed");
}

#[test]
fn keys_that_another_client_removed_make_no_row() {
    let Some(peer) = reference() else { return };
    let server = Server::start(&peer, &[]);
    let run = load_and_say(&server, &["FLUSHALL"]);
    run.expect(1, &["1,000,000 keys were written", "another client"]);
    assert!(server.ask("DBSIZE").starts_with(":0\r\n"), "what was loaded is removed");
}

#[test]
fn a_server_that_dies_half_way_ends_the_report_with_what_was_measured() {
    let Some(peer) = reference() else { return };
    let folder = empty_folder();
    let target = spawn_argument(&peer);
    let child = hectare(folder.path())
        .args(["report", "--target", "embedded", "--target", &target, "--dataset", "user"])
        .args(["--layout", "flat", "--write-pattern", "grown", "--objects", "200000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The server is the child of a child, and busy once it has spent some time.
    let mut server = 0;
    wait_until("the server is loading", || {
        let family = descendants(child.id());
        server = family.get(1).copied().unwrap_or_default();
        server != 0 && busy_ticks(server) > 10
    });
    signal(server, "KILL");
    let run: Run = child.wait_with_output().unwrap().into();
    run.expect(1, &["closed the connection after", "1 of 2 cells were measured"]);
    assert!(run.stdout.contains("on hectare"), "{}", run.stdout);
}

#[test]
fn an_interrupt_stops_the_server_that_was_started() {
    let Some(peer) = reference() else { return };
    for name in ["INT", "KILL"] {
        let folder = empty_folder();
        let mut child = hectare(folder.path())
            .args(["report", "--target", &spawn_argument(&peer), "--dataset", "user"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut family = Vec::new();
        wait_until("the server is loading", || {
            family = descendants(child.id());
            family.get(1).is_some_and(|&server| busy_ticks(server) > 10)
        });
        signal(child.id(), name);
        child.wait().unwrap();
        wait_until("its processes end", || family.iter().all(|&process| !is_alive(process)));
    }
}

#[test]
fn what_does_not_speak_the_protocol_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let folder = empty_folder();
    let report = ["report", "--dataset", "user", "--objects", "10", "--target"];
    run_in(folder.path(), &[&report[..], &[&url]].concat()).expect(1, &["HTTP"]);
    server.join().unwrap();
    let missing = run_in(folder.path(), &[&report[..], &["spawn:no/such/server"]].concat());
    missing.expect(1, &["there is no no/such/server", "redis-server or valkey-server"]);
    let nobody = run_in(folder.path(), &[&report[..], &["redis://127.0.0.1:1"]].concat());
    nobody.expect(1, &["cannot connect to 127.0.0.1:1"]);
    assert!(!folder.path().join("results").read_dir().is_ok_and(|mut it| it.next().is_some()));
}
