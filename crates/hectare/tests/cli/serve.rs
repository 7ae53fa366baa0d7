//! Does `hectare serve` say where it listens, serve, and end well?

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::harness::{empty_folder, hectare, run};

/// A server that is ended with the test.
struct Served {
    child: Child,
    announcement: String,
}

impl Served {
    fn start(folder: &Path, arguments: &[&str], password: Option<&str>) -> Self {
        let mut command = hectare(folder);
        command.args(["serve", "--port", "0", "--bind", "127.0.0.1"]).args(arguments);
        command.env_remove("HECTARE_REQUIREPASS");
        if let Some(password) = password {
            command.env("HECTARE_REQUIREPASS", password);
        }
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut announcement = String::new();
        let stdout = child.stdout.as_mut().expect("it is piped");
        BufReader::new(stdout).read_line(&mut announcement).expect("it says where it listens");
        Self { child, announcement }
    }

    fn connect(&self) -> TcpStream {
        let (_, behind) = self.announcement.split_once("listens on ").expect("it says where");
        let end = behind.find([' ', ',']).expect("more is said");
        TcpStream::connect(&behind[..end]).expect("it accepts")
    }

    fn end_by(mut self, signal: &str) -> (Option<i32>, String) {
        let number = self.child.id().to_string();
        let killed = Command::new("kill").args([signal, &number]).status().expect("kill runs");
        assert!(killed.success());
        let mut said = String::new();
        let stderr = self.child.stderr.as_mut().expect("it is piped");
        stderr.read_to_string(&mut said).expect("messages are text");
        (self.child.wait().expect("it ends").code(), said)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn ask(stream: &mut TcpStream, request: &str, reply: &str) {
    stream.write_all(request.as_bytes()).expect("it takes bytes");
    let mut found = vec![0; reply.len()];
    stream.read_exact(&mut found).expect("it answers");
    assert_eq!(String::from_utf8_lossy(&found), reply);
}

#[test]
fn a_server_says_where_it_listens_and_ends_well_by_either_signal() {
    let folder = empty_folder();
    for signal in ["-TERM", "-INT"] {
        let arguments = ["--shards", "2", "--unixsocket", "socket"];
        let served = Served::start(folder.path(), &arguments, None);
        assert!(served.announcement.contains(" and socket, 2 shards, process "));
        let mut stream = served.connect();
        ask(&mut stream, "HSET h f v\r\nHGET h f\r\n", ":1\r\n$1\r\nv\r\n");
        assert!(folder.path().join("socket").exists());
        let (code, said) = served.end_by(signal);
        assert_eq!((code, said.as_str()), (Some(0), ""));
        assert!(!folder.path().join("socket").exists());
    }
}

#[test]
fn the_metrics_are_where_it_says() {
    let folder = empty_folder();
    let served = Served::start(folder.path(), &["--metrics-addr", "0"], None);
    let (_, behind) = served.announcement.split_once("metrics on http://").expect("it says where");
    let (address, _) = behind.split_once("/metrics, process ").expect("more is said");
    let mut stream = TcpStream::connect(address).expect("it accepts");
    stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").expect("it takes bytes");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("it answers");
    assert!(text.contains("\nhectare_keys 0\n"), "{text}");
    let (code, said) = served.end_by("-TERM");
    assert_eq!((code, said.as_str()), (Some(0), ""));
}

#[test]
fn the_password_may_come_from_the_environment() {
    let folder = empty_folder();
    let served = Served::start(folder.path(), &[], Some("secret"));
    let mut stream = served.connect();
    ask(&mut stream, "GET a\r\n", "-NOAUTH Authentication required.\r\n");
    ask(&mut stream, "AUTH secret\r\n", "+OK\r\n");
    let (code, _) = served.end_by("-TERM");
    assert_eq!(code, Some(0));
}

#[test]
fn what_cannot_be_served_is_said() {
    let folder = empty_folder();
    let served = Served::start(folder.path(), &[], None);
    let port = served.connect().peer_addr().expect("it is connected").port().to_string();
    run(&["serve", "--bind", "127.0.0.1", "--port", &port])
        .expect(1, &["error: cannot listen on 127.0.0.1:", &port]);
    run(&["serve", "--bind", ""]).expect(2, &["give --bind or --unixsocket"]);
    run(&["serve", "--maxmemory", "lots"]).expect(2, &["maxmemory: argument must be a memory"]);
    run(&["serve", "--requirepass-file", "missing"]).expect(2, &["missing"]);
}
