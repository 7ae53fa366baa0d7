//! What do tests start, and how do they talk to it?

use hectare_resp::{Reply, ReplyParser, encode_command};
use hectare_server::{Address, Log, Parameters, Server, Settings};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A test that waits longer than this for bytes fails, rather than hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// Settings for a server of a test: a port of the system's choice on this machine.
pub(crate) fn settings(shards: u32) -> Settings {
    let mut parameters = Parameters::default();
    parameters.bind = vec!["127.0.0.1".to_owned()];
    parameters.port = 0;
    parameters.hectare_shards = shards;
    Settings::new(parameters)
}

/// Starts a server with so many shards.
pub(crate) fn serve(shards: u32) -> Server {
    start(settings(shards))
}

pub(crate) fn start(settings: Settings) -> Server {
    Server::start(settings, Log::silent()).expect("the server starts")
}

/// Where its clients connect.
pub(crate) fn address(server: &Server) -> SocketAddr {
    let tcp = server.addresses().iter().find_map(|address| match address {
        Address::Tcp(address) => Some(*address),
        Address::Unix(_) => None,
    });
    tcp.expect("it listens on TCP")
}

/// One connection.
pub(crate) struct Line {
    stream: TcpStream,
    received: Vec<u8>,
    taken: usize,
}

impl Line {
    pub(crate) fn to(server: &Server) -> Self {
        let stream = TcpStream::connect(address(server)).expect("the server accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        stream.set_nodelay(true).expect("an option can be set");
        Self { stream, received: Vec::new(), taken: 0 }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("the server takes bytes");
    }

    /// Sends what may find nobody there any more.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_ok()
    }

    /// The next bytes are these.
    pub(crate) fn expect(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        while self.received.len() - self.taken < bytes.len() {
            if self.read() == 0 {
                break;
            }
        }
        let end = (self.taken + bytes.len()).min(self.received.len());
        let found = &self.received[self.taken..end];
        assert!(
            found == bytes,
            "expected {:?}, found {:?}",
            bytes.escape_ascii().to_string(),
            found.escape_ascii().to_string()
        );
        self.taken = end;
    }

    /// Sends one line, and gets these bytes.
    pub(crate) fn ask(&mut self, line: &str, reply: impl AsRef<[u8]>) {
        self.send(format!("{line}\r\n"));
        self.expect(reply);
    }

    /// Sends a command by its words, and reads a whole reply.
    pub(crate) fn call(&mut self, words: &[&str]) -> Reply {
        let mut command = Vec::new();
        encode_command(&mut command, words.iter().map(|word| word.as_bytes()));
        self.send(command);
        self.reply()
    }

    pub(crate) fn reply(&mut self) -> Reply {
        loop {
            let parsed = ReplyParser::default().parse(&self.received[self.taken..]);
            if let Some((reply, consumed)) = parsed.expect("the server speaks RESP") {
                self.taken += consumed;
                return reply;
            }
            assert!(self.read() > 0, "the connection was closed in front of a reply");
        }
    }

    /// The server has closed the connection, and said nothing more.
    pub(crate) fn expect_end(&mut self) {
        // A reset is an end, too: the server had not read all that was sent.
        let ended = loop {
            let mut more = [0; 4096];
            match self.stream.read(&mut more) {
                Ok(0) => break true,
                Ok(read) => self.received.extend_from_slice(&more[..read]),
                Err(error) => break error.kind() == std::io::ErrorKind::ConnectionReset,
            }
        };
        assert!(ended, "the server did not close the connection");
        let rest = &self.received[self.taken..];
        assert!(rest.is_empty(), "it said {:?}", rest.escape_ascii().to_string());
    }

    fn read(&mut self) -> usize {
        let mut more = [0; 64 << 10];
        let read = self.stream.read(&mut more).expect("the server answers");
        self.received.extend_from_slice(&more[..read]);
        read
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }
}

/// A command in RESP form.
pub(crate) fn command(words: &[&str]) -> Vec<u8> {
    let mut command = Vec::new();
    encode_command(&mut command, words.iter().map(|word| word.as_bytes()));
    command
}
