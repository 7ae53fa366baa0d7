//! Are the metrics answered over real sockets, whoever else is there?

use crate::support::{Line, settings, start};
use hectare_server::Server;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

fn serve_metrics() -> (Server, SocketAddr) {
    let mut settings = settings(2);
    settings.parameters.hectare_metrics_addr = "0".to_owned();
    let server = start(settings);
    let address = server.metrics_address().expect("it has been asked for");
    (server, address)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("it accepts");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout can be set");
    stream
}

/// Everything that is answered, to the end.
fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = connect(address);
    stream.write_all(request.as_bytes()).expect("it takes bytes");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("it answers text and closes");
    text
}

fn get(address: SocketAddr) -> String {
    ask(address, "GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n")
}

#[test]
fn metrics_say_what_clients_have_done() {
    let (server, address) = serve_metrics();
    assert!(address.ip().is_loopback() && address.port() != 0);
    let mut line = Line::to(&server);
    line.ask("HSET user:1 name Ada", ":1\r\n");
    let text = get(address);
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    let body = text.split_once("\r\n\r\n").expect("a head and a body").1;
    let length = text.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    assert_eq!(length, Some(body.len().to_string().as_str()));
    assert!(body.contains("\nhectare_keys 1\n") && body.contains("\nhectare_shards 2\n"), "{body}");
}

#[test]
fn what_does_not_ask_for_metrics_is_refused() {
    let (_server, address) = serve_metrics();
    assert!(ask(address, "GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
    assert!(ask(address, "POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
    assert!(ask(address, "*1\r\n$4\r\nPING\r\n\r\n").starts_with("HTTP/1.1 400 "));
    // More than is read before the refusal does not lose it.
    assert!(ask(address, &"x".repeat(100_000)).starts_with("HTTP/1.1 431 "));
    let empty = connect(address);
    empty.shutdown(Shutdown::Write).expect("it can be closed");
    assert!(get(address).starts_with("HTTP/1.1 200 "));
}

#[test]
fn slow_clients_are_let_go_and_keep_nobody_waiting_for_longer() {
    let (_server, address) = serve_metrics();
    let mut slow = connect(address);
    slow.write_all(b"GET /met").expect("it takes bytes");
    let start = Instant::now();
    assert!(get(address).starts_with("HTTP/1.1 200 "));
    assert!(start.elapsed() < Duration::from_secs(4), "one slow client is in nobody's way");
    let more: Vec<TcpStream> = (0..40).map(|_| connect(address)).collect();
    assert!(get(address).starts_with("HTTP/1.1 200 "), "nor are many for good");
    assert_eq!(slow.read(&mut [0; 1]).expect("it is closed"), 0);
    drop(more);
}

#[test]
fn a_stop_does_not_wait_for_web_clients() {
    let (server, address) = serve_metrics();
    let _slow = connect(address);
    assert!(get(address).starts_with("HTTP/1.1 200 "));
    let start = Instant::now();
    server.stopper().stop();
    server.wait().expect("it ends well");
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}
