//! What does Redis 8.0 answer?

use std::env;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use hectare_resp::{Protocol, Skimmer, encode_command};
use hectare_target::{ServerName, Target, TargetOptions, TargetSpec, servers_for_tests};

/// The version that says what is right.
const REFERENCE_VERSION: &str = "8.0.";

/// How long it may be without an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// How often each server is started in vain.
const ATTEMPTS: usize = 3;

/// A server that was started for one test, and a connection to it.
pub(crate) struct Redis {
    stream: TcpStream,
    skimmer: Skimmer,
    received: Vec<u8>,
    _server: Target,
}

impl Redis {
    /// Starts it; `None` where there is none and tests may do without.
    #[expect(clippy::print_stderr, reason = "a test that compares with nothing must say so")]
    pub(crate) fn start(protocol: Protocol) -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut peers = servers_for_tests(&root).unwrap_or_else(|sentence| panic!("{sentence}"));
        peers.sort_by_key(|peer| !peer.name.contains("redis-8.0"));
        let mut failures = Vec::new();
        // A port that was free may be taken by another test before the server has it.
        let mut attempts = std::iter::repeat_n(&peers, ATTEMPTS).flatten();
        let server = attempts.find_map(|peer| {
            let spec = TargetSpec::Spawn { program: peer.path.clone() };
            let opened = Target::open(&spec, &TargetOptions::default());
            let target =
                opened.map_err(|error| failures.push(format!("{}: {error}", peer.name))).ok()?;
            let server = target.server();
            let is_reference =
                server.name == ServerName::Redis && server.version.starts_with(REFERENCE_VERSION);
            is_reference.then_some(target)
        });
        let Some(server) = server else {
            let may_do_without =
                env::var_os("HECTARE_WITHOUT_PEERS").is_some_and(|value| value == "1");
            let sentence = format!(
                "Redis 8.0 says what is right, and none was found that runs ({}): run scripts/peers",
                failures.join("; ")
            );
            assert!(may_do_without, "{sentence}, or set HECTARE_WITHOUT_PEERS=1");
            eprintln!("nothing was compared: {sentence}");
            return None;
        };
        let endpoint = server.endpoint().expect("a server has an address");
        let stream = TcpStream::connect(endpoint).expect("the server was just there");
        stream.set_read_timeout(Some(ANSWER_TIMEOUT)).expect("the timeout is not zero");
        let (skimmer, received) = (Skimmer::default(), Vec::new());
        let mut redis = Self { stream, skimmer, received, _server: server };
        let version = if protocol == Protocol::Resp3 { "3" } else { "2" };
        assert!(!redis.ask(&["HELLO", version]).starts_with(b"-"));
        Some(redis)
    }

    /// The bytes of one reply.
    pub(crate) fn ask(&mut self, words: &[&str]) -> Vec<u8> {
        let mut request = Vec::new();
        encode_command(&mut request, words);
        self.stream.write_all(&request).expect("the server reads");
        loop {
            if let Some(reply) = self.skimmer.skim(&self.received).expect("the server speaks RESP")
            {
                return self.received.drain(..reply.consumed).collect();
            }
            let mut buffer = [0; 64 * 1024];
            let bytes = self.stream.read(&mut buffer).expect("the server answers in time");
            assert!(bytes > 0, "the server closed the connection");
            self.received.extend_from_slice(&buffer[..bytes]);
        }
    }
}
