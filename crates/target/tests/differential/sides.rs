//! How are the two that are compared asked the same?

use std::env;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use hectare_engine::{Dialect, Engine, Pipeline};
use hectare_resp::{Protocol, Skimmer, encode_command};
use hectare_target::{ServerName, Target, TargetOptions, TargetSpec, servers_for_tests};

use crate::reply_form::ReplyForm;
use crate::words::Command;

/// More fields, or longer fields and values, make a hashtable of a listpack at first.
pub(crate) const LISTPACK_LIMITS: (usize, usize) = (512, 64);

/// How long Redis may be without an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// Answers commands, in the protocol's bytes.
pub(crate) trait Side {
    /// One reply for each command.
    fn ask(&mut self, commands: &[Command]) -> Vec<Vec<u8>>;

    /// Goes on with another database.
    fn select(&mut self, database: u8);

    /// Lets longer hashes, or hashes with longer fields or values, be hashtables.
    fn limit_listpacks(&mut self, entries: usize, value_bytes: usize);
}

/// A connection to a server.
pub(crate) struct Redis {
    stream: TcpStream,
    skimmer: Skimmer,
    requests: Vec<u8>,
    received: Vec<u8>,
    /// Where in `received` the next reply begins.
    position: usize,
}

/// An engine, and a client of it.
pub(crate) struct Hectare {
    pipeline: Pipeline,
    form: &'static ReplyForm,
    /// Its shards' threads end when it is dropped.
    engine: Engine,
}

/// Starts the server that says what is right in a dialect; `None` where there is none and tests may do
/// without.
#[expect(clippy::print_stderr, reason = "a test that compares with nothing must say so")]
pub(crate) fn start_reference(dialect: Dialect) -> Option<Target> {
    let (file, name, version) = match dialect {
        Dialect::Redis8 => ("redis-8.0", ServerName::Redis, "8.0."),
        Dialect::Valkey9 => ("valkey-9.1", ServerName::Valkey, "9.1."),
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut peers = servers_for_tests(&root).unwrap_or_else(|sentence| panic!("{sentence}"));
    peers.sort_by_key(|peer| !peer.name.contains(file));
    let reference = peers.iter().find_map(|peer| {
        let spec = TargetSpec::Spawn { program: peer.path.clone() };
        let target = Target::open(&spec, &TargetOptions::default()).ok()?;
        let server = target.server();
        let is_reference = server.name == name && server.version.starts_with(version);
        is_reference.then_some(target)
    });
    if reference.is_none() {
        let found: Vec<&str> = peers.iter().map(|peer| peer.name.as_str()).collect();
        let sentence = format!(
            "the engine is compared with {name:?} {version}x, and none that runs is among the \
             servers found ({}): run scripts/peers",
            found.join(", ")
        );
        let may_do_without = env::var_os("HECTARE_WITHOUT_PEERS").is_some_and(|value| value == "1");
        assert!(may_do_without, "{sentence}, or set HECTARE_WITHOUT_PEERS=1 to compare nothing");
        eprintln!("nothing was compared: {sentence}");
    }
    reference
}

impl Redis {
    /// Connects, chooses the protocol, and empties the server.
    pub(crate) fn connect(server: &Target, protocol: Protocol) -> Self {
        let endpoint = server.endpoint().expect("a server has an address");
        let stream = TcpStream::connect(endpoint).expect("the server was just there");
        stream.set_read_timeout(Some(ANSWER_TIMEOUT)).expect("the timeout is not zero");
        let mut redis = Self {
            stream,
            skimmer: Skimmer::default(),
            requests: Vec::new(),
            received: Vec::new(),
            position: 0,
        };
        let version = if protocol == Protocol::Resp3 { "3" } else { "2" };
        redis.demand(&["HELLO", version]);
        redis.demand(&["FLUSHALL"]);
        let (entries, value_bytes) = LISTPACK_LIMITS;
        redis.limit_listpacks(entries, value_bytes);
        redis
    }

    /// Sends a command that must succeed.
    fn demand(&mut self, words: &[&str]) {
        let command = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        let replies = self.ask(&[command]);
        assert!(!replies[0].starts_with(b"-"), "{}", replies[0].escape_ascii());
    }

    fn next_reply(&mut self) -> Vec<u8> {
        loop {
            let pending = &self.received[self.position..];
            if let Some(reply) = self.skimmer.skim(pending).expect("the server speaks RESP") {
                self.position += reply.consumed;
                return pending[..reply.consumed].to_vec();
            }
            self.received.drain(..self.position);
            self.position = 0;
            let mut buffer = [0; 64 * 1024];
            let bytes = self.stream.read(&mut buffer).expect("the server answers in time");
            assert!(bytes > 0, "the server closed the connection");
            self.received.extend_from_slice(&buffer[..bytes]);
        }
    }
}

impl Side for Redis {
    fn ask(&mut self, commands: &[Command]) -> Vec<Vec<u8>> {
        self.requests.clear();
        for command in commands {
            encode_command(&mut self.requests, command);
        }
        // Redis reads on while its replies wait, so that all may be written before any is read.
        self.stream.write_all(&self.requests).expect("the server reads");
        commands.iter().map(|_| self.next_reply()).collect()
    }

    fn select(&mut self, database: u8) {
        self.demand(&["SELECT", &database.to_string()]);
    }

    fn limit_listpacks(&mut self, entries: usize, value_bytes: usize) {
        for (name, limit) in [("entries", entries), ("value", value_bytes)] {
            let name = format!("hash-max-listpack-{name}");
            self.demand(&["CONFIG", "SET", &name, &limit.to_string()]);
        }
    }
}

impl Hectare {
    pub(crate) fn start(dialect: Dialect, shards: usize, protocol: Protocol) -> Self {
        let builder = Engine::builder().dialect(dialect).shards(shards);
        let engine = builder.build().expect("threads are to be had");
        let form = ReplyForm::of(protocol);
        let pipeline = engine.client().pipeline_in(form);
        Self { pipeline, form, engine }
    }
}

impl Side for Hectare {
    fn ask(&mut self, commands: &[Command]) -> Vec<Vec<u8>> {
        let refused: Vec<Option<Vec<u8>>> = commands
            .iter()
            .map(|command| {
                let added = self.pipeline.command(command.iter().map(Vec::as_slice));
                added.err().map(|error| self.form.error(&error))
            })
            .collect();
        let replies = self.pipeline.run().expect("the engine answers");
        let mut answered = 0..replies.len();
        let reply = |refused: Option<Vec<u8>>| {
            refused.unwrap_or_else(|| {
                let index = answered.next().expect("what is not refused is answered");
                replies.bytes(index).to_vec()
            })
        };
        refused.into_iter().map(reply).collect()
    }

    fn select(&mut self, database: u8) {
        self.pipeline = self.engine.client().with_database(database).pipeline_in(self.form);
    }
    fn limit_listpacks(&mut self, entries: usize, value_bytes: usize) {
        let limited = self.engine.client().set_encoding_limits(entries, value_bytes);
        limited.expect("the engine takes any limits");
    }
}
