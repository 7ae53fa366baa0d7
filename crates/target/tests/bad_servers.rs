//! Does a server that misbehaves end in one clear sentence?

mod fake_server;

use std::net::TcpListener;
use std::time::Duration;

use fake_server::{Act, greet};
use hectare_target::{ConnectionError, OpenError, RssSource, Target, TargetOptions, TargetSpec};
use hectare_workload::Commands;

fn open(address: &str) -> Result<Target, OpenError> {
    open_url(&format!("redis://{address}"))
}

fn open_url(url: &str) -> Result<Target, OpenError> {
    Target::open(&url.parse().expect("this is a target"), &TargetOptions::default())
}

fn sentence(outcome: Result<Target, OpenError>) -> String {
    outcome.expect_err("the server misbehaves").to_string()
}

fn answering(answer: &'static [u8]) -> String {
    fake_server::start(move |_, _| Act::Send(answer.to_vec()))
}

fn increments(count: usize) -> Commands {
    let mut commands = Commands::new();
    for _ in 0..count {
        commands.push([&b"HINCRBY"[..], b"key", b"field", b"1"]);
    }
    commands
}

#[test]
fn a_port_where_nobody_listens_is_named() {
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let sentence = sentence(open(&address));
    assert!(sentence.contains(&format!("cannot connect to {address}: ")), "{sentence}");
    assert!(sentence.ends_with("is a server listening there?"), "{sentence}");
}

#[test]
fn a_host_without_an_address_is_named() {
    let sentence = sentence(open("host.invalid:6379"));
    assert!(sentence.starts_with("the host of host.invalid:6379 cannot be found: "), "{sentence}");
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let address = fake_server::start(|_, _| Act::Ignore);
    let spec: TargetSpec = format!("redis://{address}").parse().unwrap();
    let options =
        TargetOptions { start_timeout: Duration::from_millis(300), ..TargetOptions::default() };
    let sentence = sentence(Target::open(&spec, &options));
    assert!(sentence.contains(&format!("{address} sent nothing for 0.3 s")), "{sentence}");
}

#[test]
fn a_web_server_is_recognised() {
    for page in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"<!DOCTYPE HTML>\n<html></html>"] {
        let sentence = sentence(open(&answering(page)));
        assert!(sentence.contains("answers in HTTP: name the port of a Redis"), "{sentence}");
    }
}

#[test]
fn another_protocol_is_quoted() {
    let sentence = sentence(open(&answering(b"SSH-2.0-OpenSSH_9.2\r\n")));
    assert!(sentence.contains("does not speak the Redis protocol: "), "{sentence}");
    assert!(sentence.contains("`SSH-2.0-OpenSSH_9.2"), "{sentence}");
}

#[test]
fn a_missing_password_is_asked_for() {
    let sentence = sentence(open(&answering(b"-NOAUTH Authentication required.\r\n")));
    assert!(sentence.contains("refuses commands: NOAUTH Authentication required."), "{sentence}");
    assert!(sentence.ends_with("give it as `redis://:password@host:port`"), "{sentence}");
}

#[test]
fn a_wrong_password_is_refused_without_being_shown() {
    let address = answering(b"-WRONGPASS invalid username-password pair\r\n");
    let sentence = sentence(open_url(&format!("redis://ana:secret@{address}")));
    assert!(sentence.contains("refuses AUTH: WRONGPASS"), "{sentence}");
    assert!(sentence.contains("check the user and password"), "{sentence}");
    assert!(!sentence.contains("secret"), "{sentence}");
}

#[test]
fn a_database_that_does_not_exist_is_refused() {
    let address = fake_server::start(|_, arguments| match arguments[0].as_slice() {
        b"SELECT" => Act::Send(b"-ERR DB index is out of range\r\n".to_vec()),
        _ => greet(arguments).unwrap_or(Act::Ignore),
    });
    let sentence = sentence(open_url(&format!("redis://{address}/99")));
    assert!(sentence.contains("refuses SELECT: ERR DB index is out of range"), "{sentence}");
}

#[test]
fn a_server_that_loads_its_data_is_to_be_waited_for() {
    let sentence = sentence(open(&answering(b"-LOADING Redis is loading the dataset\r\n")));
    assert!(sentence.contains("is still loading its data from disk: wait until"), "{sentence}");
}

#[test]
fn a_process_id_that_is_not_the_servers_is_not_believed() {
    let address = fake_server::start(|_, arguments| greet(arguments).unwrap_or(Act::Ignore));
    let target = open(&address).unwrap();
    assert_eq!(target.server().process_id, None);
    assert_eq!(target.server().allocator_quantum_bytes, None);
    let memory = target.memory().unwrap();
    assert_eq!((memory.used_memory_bytes, memory.rss_bytes), (1000, 2000));
    assert_eq!((memory.rss_source, memory.rss_peak_bytes), (RssSource::Server, None));
    assert_eq!(target.cpu_time(), None);
}

#[test]
fn a_server_that_ends_half_way_is_reported_with_how_far_it_came() {
    let address = fake_server::start(|number, arguments| match greet(arguments) {
        Some(act) => act,
        // On a measured connection, one PING stands in front of the 20,000.
        None if number == 1 => Act::SendAtCommand(20_001, b":1\r\n".repeat(12_345)),
        None => Act::Ignore,
    });
    let target = open(&address).unwrap();
    let mut connection = target.connect().unwrap();
    let error = connection.run(&increments(20_000), 0..20_000).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("the server at {address} closed the connection after 12,345 of 20,000 answers")
    );
}

#[test]
fn a_server_that_stops_answering_half_way_is_given_up() {
    let address = fake_server::start(|number, arguments| match greet(arguments) {
        Some(act) => act,
        None if number <= 10 => Act::Send(b":1\r\n".to_vec()),
        None => Act::Ignore,
    });
    let spec: TargetSpec = format!("redis://{address}").parse().unwrap();
    let options =
        TargetOptions { answer_timeout: Duration::from_millis(300), ..TargetOptions::default() };
    let mut connection = Target::open(&spec, &options).unwrap().connect().unwrap();
    let error = connection.run(&increments(100), 0..100).unwrap_err();
    let ConnectionError::TimedOut { answered, asked, .. } = error else { panic!("{error}") };
    assert_eq!((answered, asked), (10, 100));
}

#[test]
fn a_server_that_answers_with_nonsense_half_way_is_quoted() {
    let address = fake_server::start(|number, arguments| match greet(arguments) {
        Some(act) => act,
        None if number <= 10 => Act::Send(b":1\r\n".to_vec()),
        None => Act::Send(b"nonsense\r\n".to_vec()),
    });
    let mut connection = open(&address).unwrap().connect().unwrap();
    let error = connection.run(&increments(100), 0..100).unwrap_err();
    assert!(error.to_string().contains("an answer that begins `nonsense"), "{error}");
}

#[test]
fn neither_side_waits_for_the_other_to_read() {
    // The server reads one command at a time and blocks until its answer is taken; a client that
    // wrote everything first would block too, once the buffers between them are full.
    let address = fake_server::start(|_, arguments| {
        greet(arguments).unwrap_or_else(|| {
            let mut answer = b"$65536\r\n".to_vec();
            answer.resize(answer.len() + 65_536, b'a');
            answer.extend_from_slice(b"\r\n");
            Act::Send(answer)
        })
    });
    let mut connection = open(&address).unwrap().connect().unwrap();
    let mut commands = Commands::new();
    for _ in 0..2000 {
        commands.push([&b"ECHO"[..], &[b'a'; 8192]]);
    }
    let outcome = connection.run(&commands, 0..2000).unwrap();
    assert_eq!((outcome.replies, outcome.errors, outcome.nulls), (2000, 0, 0));
}
