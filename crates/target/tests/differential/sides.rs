//! How are the two that are compared asked the same?

use std::env;
use std::path::Path;

use hectare_engine::{Dialect, Engine, Pipeline};
use hectare_resp::Protocol;
use hectare_server::{Address, Log, Parameters, Server, Settings};
use hectare_target::{ServerName, Target, TargetOptions, TargetSpec, servers_for_tests};

use crate::line::{Form, Line};
use crate::reply_form::ReplyForm;
use crate::words::Command;

/// More fields, or longer fields and values, make a hashtable of a listpack at first.
pub(crate) const LISTPACK_LIMITS: (usize, usize) = (512, 64);

/// Answers commands, in the protocol's bytes.
pub(crate) trait Side {
    /// One reply for each command.
    fn ask(&mut self, commands: &[Command]) -> Vec<Vec<u8>>;

    /// Goes on with another database.
    fn select(&mut self, database: u8);

    /// Lets longer hashes, or hashes with longer fields or values, be hashtables.
    fn limit_listpacks(&mut self, entries: usize, value_bytes: usize);
}

/// An engine, and a client of it.
pub(crate) struct Hectare {
    pipeline: Pipeline,
    form: &'static ReplyForm,
    /// Its shards' threads end when it is dropped.
    engine: Engine,
}

/// A server of ours, and a connection to it.
pub(crate) struct Served {
    line: Line,
    /// Its threads end when it is dropped.
    _server: Server,
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

impl Served {
    pub(crate) fn start(dialect: Dialect, shards: usize, protocol: Protocol, form: Form) -> Self {
        let (server, endpoint) = start_server(dialect, shards);
        Self { line: Line::connect(&endpoint, protocol, form), _server: server }
    }
}

impl Side for Served {
    fn ask(&mut self, commands: &[Command]) -> Vec<Vec<u8>> {
        self.line.ask(commands)
    }

    fn select(&mut self, database: u8) {
        self.line.select(database);
    }

    fn limit_listpacks(&mut self, entries: usize, value_bytes: usize) {
        self.line.limit_listpacks(entries, value_bytes);
    }
}

/// Starts a server of ours, and says where.
pub(crate) fn start_server(dialect: Dialect, shards: usize) -> (Server, String) {
    let mut parameters = Parameters::default();
    parameters.bind = vec!["127.0.0.1".to_owned()];
    parameters.port = 0;
    parameters.hectare_shards = u32::try_from(shards).expect("there are few shards");
    parameters.hectare_dialect = match dialect {
        Dialect::Redis8 => hectare_server::Dialect::Redis,
        Dialect::Valkey9 => hectare_server::Dialect::Valkey,
    };
    let settings = Settings::new(parameters);
    let server = Server::start(settings, Log::silent()).expect("a port is to be had");
    let endpoint = server.addresses().iter().find_map(|address| match address {
        Address::Tcp(address) => Some(address.to_string()),
        Address::Unix(_) => None,
    });
    let endpoint = endpoint.expect("it listens on TCP");
    (server, endpoint)
}
