//! Does what is said of a target hold on real servers?

mod peers;

use std::fs;
use std::path::Path;
use std::time::Duration;

use hectare_target::{
    AdmissionError, Connection, ConnectionError, DataPolicy, InquiryError, Peer, Progress, Reply,
    RssSource, ServerName, Target, TargetOptions, TargetSpec,
};
use hectare_workload::Commands;
use mio::{Events, Interest, Poll, Token};
use peers::{for_each_peer, runs};

fn start(peer: &Peer) -> Target {
    let spec = TargetSpec::Spawn { program: peer.path.clone() };
    Target::open(&spec, &TargetOptions::default())
        .unwrap_or_else(|error| panic!("{}: {error}", peer.name))
}

fn hashes(prefix: &str, count: usize) -> Commands {
    let mut commands = Commands::new();
    for number in 0..count {
        let key = format!("{prefix}{number}");
        commands.push([&b"HSET"[..], key.as_bytes(), b"name", b"Ana", b"age", b"42"]);
    }
    commands
}

fn load(connection: &mut Connection, commands: &Commands) {
    let outcome = connection.run(commands, 0..commands.len()).expect("the server answers");
    assert_eq!((outcome.replies, outcome.errors), (commands.len() as u64, 0));
}

/// The same server as one that was running before.
fn running(spawned: &Target, path: &str) -> Target {
    let endpoint = spawned.endpoint().expect("a server has an address");
    let spec = format!("redis://{endpoint}{path}").parse().expect("this is a target");
    Target::open(&spec, &TargetOptions::default()).expect("the server runs")
}

#[test]
fn a_server_says_what_it_is_and_leaves_nothing_behind() {
    for_each_peer(|peer| {
        let target = start(peer);
        let server = target.server();
        let name = if peer.name.starts_with("valkey") { "valkey" } else { "redis" };
        assert_eq!(server.name.to_string(), name);
        assert!(server.build.starts_with(&format!("{name} {} (", server.version)), "{server:?}");
        if server.allocator.starts_with("jemalloc") {
            assert!(matches!(server.allocator_quantum_bytes, Some(8 | 16)), "{server:?}");
        }
        assert_eq!((server.maxmemory_bytes, server.cluster), (None, false));

        let process_id = server.process_id.unwrap();
        let folder = fs::read_link(format!("/proc/{process_id}/cwd"));
        assert!(runs(process_id));
        drop(target);
        assert!(!runs(process_id));
        if let Ok(folder) = folder {
            assert!(!folder.exists(), "{}", folder.display());
        }
    });
}

#[test]
fn what_is_loaded_is_counted_and_weighed() {
    for_each_peer(|peer| {
        let target = start(peer);
        let mut connection = target.connect().unwrap();
        let before = target.memory().unwrap();
        load(&mut connection, &hashes("user:", 100_000));
        let after = target.memory().unwrap();
        assert_eq!(target.keys().unwrap(), 100_000);
        assert_eq!(target.evicted_keys().unwrap(), 0);
        assert!(after.used_memory_bytes > before.used_memory_bytes + 100_000 * 50);
        assert!(after.rss_bytes > before.rss_bytes + 100_000 * 50);
        assert_eq!(after.rss_source, RssSource::Kernel);
        assert!(after.rss_peak_bytes.unwrap() >= after.rss_bytes / 2);
        assert!(target.cpu_time().unwrap() > Duration::ZERO);
        target.flush().unwrap();
        assert_eq!(target.keys().unwrap(), 0);
    });
}

#[test]
fn encodings_are_those_of_the_keys_asked_for() {
    for_each_peer(|peer| {
        let target = start(peer);
        let mut connection = target.connect().unwrap();
        load(&mut connection, &hashes("small:", 3));
        connection.call(&[b"HSET", b"large", b"field", &[b'a'; 100]]).unwrap();
        connection.call(&[b"SET", b"number", b"7"]).unwrap();
        let keys: [&[u8]; 6] = [b"small:0", b"small:1", b"small:2", b"large", b"number", b"none"];
        let counts = target.encodings(keys).unwrap();
        let counts: Vec<(&str, u64)> = counts.iter().map(|(k, &v)| (k.as_str(), v)).collect();
        assert_eq!(counts, [("hashtable", 1), ("int", 1), ("listpack", 3), ("none", 1)]);
    });
}

#[test]
fn errors_and_absences_are_counted_and_do_not_end_a_run() {
    for_each_peer(|peer| {
        let target = start(peer);
        let mut connection = target.connect().unwrap();
        let mut commands = Commands::new();
        commands.push([&b"SET"[..], b"text", b"a"]);
        commands.push([&b"HGET"[..], b"text", b"field"]);
        commands.push([&b"NOSUCHCOMMAND"[..]]);
        commands.push([&b"HGETALL"[..], b"absent"]);
        commands.push([&b"HMGET"[..], b"absent", b"a", b"b"]);
        commands.push([&b"GET"[..], b"absent"]);
        let outcome = connection.run(&commands, 0..6).unwrap();
        assert_eq!((outcome.replies, outcome.errors, outcome.nulls), (6, 2, 3));
        assert!(outcome.first_error.unwrap().starts_with("WRONGTYPE"));
        assert_eq!(connection.run(&commands, 2..2).unwrap().replies, 0);
    });
}

#[test]
fn a_driver_of_many_connections_gets_every_answer_in_order() {
    for_each_peer(|peer| {
        let target = start(peer);
        let mut poll = Poll::new().unwrap();
        let commands = hashes("user:", 1000);
        let mut connections: Vec<Connection> = (0..5).map(|_| target.connect().unwrap()).collect();
        let mut indexes = vec![Vec::new(); connections.len()];
        for (number, connection) in connections.iter_mut().enumerate() {
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry()
                .register(connection.source().unwrap(), Token(number), interest)
                .unwrap();
            connection.submit(&commands, number * 200..(number + 1) * 200).unwrap();
        }
        let mut events = Events::with_capacity(16);
        let mut open = connections.len();
        while open > 0 {
            poll.poll(&mut events, Some(Duration::from_secs(30))).unwrap();
            assert!(!events.is_empty(), "the server stopped answering");
            for event in &events {
                let Token(number) = event.token();
                let seen = &mut indexes[number];
                let waiting = seen.len() < 200;
                let progress =
                    connections[number].poll(&mut |reply| seen.push(reply.index)).unwrap();
                open -= usize::from(waiting && progress == Progress::Done);
            }
        }
        for seen in indexes {
            assert_eq!(seen, (0..200).collect::<Vec<_>>());
        }
        assert_eq!(target.keys().unwrap(), 1000);
    });
}

#[test]
fn only_keys_under_the_prefix_are_removed() {
    for_each_peer(|peer| {
        let spawned = start(peer);
        let target = running(&spawned, "");
        let mut connection = target.connect().unwrap();
        load(&mut connection, &hashes("a*[b]?:", 2500));
        load(&mut connection, &hashes("axb1:", 300));
        assert_eq!(target.remove_prefix(b"a*[b]?:").unwrap(), 2500);
        assert_eq!(target.keys().unwrap(), 300);
        assert_eq!(target.remove_prefix(b"").unwrap(), 0);
        assert_eq!(target.keys().unwrap(), 300);
    });
}

#[test]
fn a_running_server_is_somebodys() {
    for_each_peer(|peer| {
        let spawned = start(peer);
        let target = running(&spawned, "");
        let allow = |allow_nonempty, prefix: Option<&str>| {
            let key_prefix = prefix.map(str::to_owned);
            target.admit(&DataPolicy { allow_nonempty, key_prefix })
        };
        assert_eq!(allow(false, None).unwrap().prefix_to_remove, None);
        assert!(matches!(target.flush(), Err(InquiryError::NotOurs { .. })));

        load(&mut target.connect().unwrap(), &hashes("user:", 10));
        let refused = allow(false, None).unwrap_err();
        assert!(matches!(refused, AdmissionError::HoldsData { keys: 10, .. }), "{refused}");
        assert!(refused.to_string().contains("--allow-nonempty and --key-prefix"), "{refused}");
        assert!(matches!(allow(true, None), Err(AdmissionError::HoldsData { .. })));
        assert!(matches!(allow(false, Some("p:")), Err(AdmissionError::HoldsData { .. })));
        assert!(matches!(allow(true, Some("us")), Err(AdmissionError::PrefixTaken { .. })));
        assert!(matches!(allow(true, Some("")), Err(AdmissionError::EmptyPrefix)));
        let admission = allow(true, Some("p:")).unwrap();
        assert_eq!(admission.keys_before, 10);
        assert_eq!(admission.prefix_to_remove.as_deref(), Some("p:"));

        // What was started for the measurement takes anything, but holds nothing yet.
        assert!(spawned.admit(&DataPolicy::default()).is_ok());
        let to_data = |target: &Target, allow_nonempty| {
            target.admit_to_data(&DataPolicy { allow_nonempty, key_prefix: None })
        };
        assert!(matches!(to_data(&spawned, true), Err(AdmissionError::StartsEmpty { .. })));
        assert!(matches!(to_data(&target, false), Err(AdmissionError::WritesToData { .. })));
        assert_eq!(to_data(&target, true).unwrap().prefix_to_remove, None);
        // Another database of the same server is another place.
        let other = running(&spawned, "/3");
        assert_eq!(other.admit(&DataPolicy::default()).unwrap().keys_before, 0);
    });
}

#[test]
fn the_process_of_a_running_server_is_found_when_it_is_here() {
    for_each_peer(|peer| {
        let spawned = start(peer);
        let target = running(&spawned, "");
        assert_eq!(target.server().process_id, spawned.server().process_id);
        assert_eq!(target.memory().unwrap().rss_source, RssSource::Kernel);
        drop(target);
        assert!(runs(spawned.server().process_id.unwrap()), "it is not ours to stop");
    });
}

#[test]
fn a_server_that_is_killed_half_way_ends_in_one_sentence() {
    for_each_peer(|peer| {
        let target = start(peer);
        let mut connection = target.connect().unwrap();
        let commands = hashes("user:", 1000);
        load(&mut connection, &commands);
        connection.call(&[b"CLIENT", b"NO-EVICT", b"on"]).unwrap();
        let process = rustix::process::Pid::from_raw(
            i32::try_from(target.server().process_id.unwrap()).unwrap(),
        );
        rustix::process::kill_process(process.unwrap(), rustix::process::Signal::KILL).unwrap();
        let error = connection.run(&commands, 0..1000).unwrap_err();
        assert!(matches!(error, ConnectionError::Closed { .. }), "{error}");
        assert!(error.to_string().contains("closed the connection after "), "{error}");
    });
}

#[test]
fn a_server_outlives_the_thread_that_opened_it() {
    for_each_peer(|peer| {
        let target =
            std::thread::scope(|scope| scope.spawn(|| start(peer)).join()).expect("it starts");
        // A signal of the thread's death would have come by now: the kernel sends it at once.
        assert_eq!(target.keys().unwrap(), 0);
        assert!(runs(target.server().process_id.unwrap()));
    });
}

#[test]
fn two_servers_run_side_by_side() {
    for_each_peer(|peer| {
        let (first, second) = (start(peer), start(peer));
        load(&mut first.connect().unwrap(), &hashes("user:", 5));
        assert_eq!((first.keys().unwrap(), second.keys().unwrap()), (5, 0));
    });
}

#[test]
fn answers_come_with_their_content() {
    for_each_peer(|peer| {
        let target = start(peer);
        let mut connection = target.connect().unwrap();
        load(&mut connection, &hashes("user:", 1));
        let reply = connection.call(&[b"HGET", b"user:0", b"name"]).unwrap();
        assert_eq!(reply, Reply::Bulk(b"Ana".to_vec()));
        let reply = connection.call(&[b"NOSUCHCOMMAND"]).unwrap();
        assert!(matches!(reply, Reply::Error(_)), "{reply:?}");
        assert_ne!(target.server().name, ServerName::Hectare);
        assert!(matches!(target.spec(), TargetSpec::Spawn { program } if Path::exists(program)));
    });
}
