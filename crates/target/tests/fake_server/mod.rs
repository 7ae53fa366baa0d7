//! What would a server say that misbehaves in a chosen way?

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use hectare_resp::{Parsed, RequestParser};

/// What a server does with a command.
pub(crate) enum Act {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends nothing.
    Ignore,
    /// Reads what else is sent until it has this many commands, then sends and closes.
    SendAtCommand(usize, Vec<u8>),
}

/// Listens on a free port, and does on each connection what `act` says of each command, given its
/// number on that connection and its arguments. It serves until the test's process ends.
pub(crate) fn start(
    act: impl Fn(usize, &[Vec<u8>]) -> Act + Send + Sync + Clone + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("some port is free");
    let address = listener.local_addr().expect("it is bound").to_string();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let act = act.clone();
            thread::spawn(move || serve(stream, act));
        }
    });
    address
}

/// Answers what a measurement asks before it begins, as a healthy server would.
pub(crate) fn greet(arguments: &[Vec<u8>]) -> Option<Act> {
    let bulk = |text: &str| Act::Send(format!("${}\r\n{text}\r\n", text.len()).into_bytes());
    match arguments[0].as_slice() {
        b"PING" => Some(Act::Send(b"+PONG\r\n".to_vec())),
        b"INFO" => Some(bulk(
            "redis_version:7.0.0\r\nprocess_id:1\r\nused_memory:1000\r\nused_memory_rss:2000\r\n",
        )),
        b"MEMORY" => Some(Act::Send(b"-NOPERM this user has no permissions\r\n".to_vec())),
        _ => None,
    }
}

fn serve(mut stream: TcpStream, act: impl Fn(usize, &[Vec<u8>]) -> Act) {
    let mut parser = RequestParser::default();
    let mut received = Vec::new();
    let mut commands = 0;
    let mut last_words = None;
    let mut chunk = [0; 4096];
    loop {
        let (arguments, consumed) = match parser.parse(&received) {
            Ok(Parsed::Request(request)) => {
                let arguments: Vec<Vec<u8>> =
                    (0..).map_while(|index| request.arg(index).map(<[u8]>::to_vec)).collect();
                (arguments, request.consumed())
            }
            Ok(Parsed::Empty { consumed }) => {
                received.drain(..consumed);
                continue;
            }
            Ok(Parsed::Partial { .. }) => {
                match stream.read(&mut chunk) {
                    Ok(bytes) if bytes > 0 => received.extend_from_slice(&chunk[..bytes]),
                    _ => return,
                }
                continue;
            }
            Err(_) => return,
        };
        received.drain(..consumed);
        let outcome = match act(commands, &arguments) {
            Act::Send(bytes) => stream.write_all(&bytes),
            Act::Ignore => Ok(()),
            Act::SendAtCommand(number, bytes) => {
                last_words = Some((number, bytes));
                Ok(())
            }
        };
        commands += 1;
        if let Some((_, bytes)) = last_words.take_if(|(number, _)| commands >= *number) {
            let _ = stream.write_all(&bytes);
            return;
        }
        if outcome.is_err() {
            return;
        }
    }
}
