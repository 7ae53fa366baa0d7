//! Does a server that stops answer what it had accepted?

use crate::support::{Line, address, command, serve, settings, start};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

#[test]
fn it_stops_while_clients_are_busy() {
    for shards in [1, 3] {
        let server = serve(shards);
        let stopper = server.stopper();
        let busy: Vec<_> = (0..6)
            .map(|client| {
                let mut line = Line::to(&server);
                std::thread::spawn(move || {
                    let requests: Vec<u8> = (0..100)
                        .flat_map(|key| command(&["INCR", &format!("{client}:{key}")]))
                        .collect();
                    let mut rounds = 0;
                    loop {
                        let mut stream = line.stream();
                        if stream.write_all(&requests).is_err() {
                            return rounds;
                        }
                        let mut replies = [0; 400];
                        if stream.read_exact(&mut replies[..1]).is_err() {
                            return rounds;
                        }
                        rounds += 1;
                        if rounds > 5 {
                            line.try_send("");
                        }
                    }
                })
            })
            .collect();
        let mut line = Line::to(&server);
        for number in 1..=50 {
            line.ask("INCR own", format!(":{number}\r\n"));
        }
        stopper.stop();
        server.wait().expect("it was asked to");
        for client in busy {
            client.join().expect("no panic");
        }
        line.expect_end();
    }
}

#[test]
fn a_client_may_ask_it_to_stop() {
    let server = serve(2);
    let mut sleeper = Line::to(&server);
    sleeper.send("DEBUG SLEEP 100000\r\n");
    let mut line = Line::to(&server);
    line.send("SET a 1\r\nSHUTDOWN NOSAVE\r\n");
    line.expect("+OK\r\n");
    line.expect_end();
    server.wait().expect("it was asked to");
    sleeper.expect_end();
}

#[test]
fn a_unix_socket_is_served_and_removed() {
    let folder = tempfile::TempDir::new().expect("a folder can be made");
    let path = folder.path().join("socket");
    let mut settings = settings(2);
    settings.parameters.unixsocket = path.display().to_string();
    settings.parameters.unixsocketperm = 0o700;
    // One that a server left behind is no obstacle.
    drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket can be made"));
    let server = start(settings);
    assert_eq!(server.addresses().len(), 2);
    assert_ne!(address(&server).port(), 0);
    let mut stream = UnixStream::connect(&path).expect("the server accepts");
    stream.write_all(b"PING\r\nCLIENT LIST\r\n").expect("the server takes bytes");
    let mut reply = [0; 7];
    stream.read_exact(&mut reply).expect("the server answers");
    assert_eq!(&reply, b"+PONG\r\n");
    let mode = std::fs::metadata(&path).expect("it is there");
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o777, 0o700);
    drop(server);
    assert!(!path.exists());
}

#[test]
fn an_address_that_is_taken_is_named() {
    let server = serve(1);
    let mut settings = settings(1);
    settings.parameters.port = address(&server).port();
    let refused = hectare_server::Server::start(settings, hectare_server::Log::silent());
    let text = refused.expect_err("the port is taken").to_string();
    assert!(text.starts_with(&format!("cannot listen on {}", address(&server))), "{text}");
}
