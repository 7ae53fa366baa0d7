//! Who takes part, and how is it certain that each ends?
//!
//! Every server is a process of its own. Hectare and the sink are this program again, told by a
//! variable what to be; they say their port and live until their input ends, so that they end with us
//! however we do. The peers are started and ended by [`Target`].

use crate::sink::Sink;
use crate::system;
use hectare_server::{Address, Log, Parameters, Server, Settings};
use hectare_target::{ServerName, Target, TargetOptions, TargetSpec, installed_servers};
use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

/// Says that this process is to be a server, and which.
const CHILD_VARIABLE: &str = "HECTARE_BENCH_CHILD";
const SINK: &str = "sink";

/// A server that runs.
pub(crate) struct Contender {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) address: SocketAddr,
    pub(crate) process_id: u32,
    _place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Hectare,
    Valkey,
    OtherPeer,
    Sink,
}

/// What ends it.
enum Place {
    Own { _child: OwnChild },
    Peer { _target: Box<Target> },
}

struct OwnChild(Child);

impl Contender {
    /// Hectare with so many shards.
    pub(crate) fn hectare(shards: usize) -> Self {
        Self::own("hectare", Kind::Hectare, &shards.to_string())
    }

    pub(crate) fn sink() -> Self {
        Self::own("sink", Kind::Sink, SINK)
    }

    /// All peers that this machine has, a Valkey first; those that do not start are named on standard
    /// error.
    pub(crate) fn peers() -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("benches is in a folder");
        let mut peers = Vec::new();
        // The newest of each first.
        for peer in installed_servers(root).into_iter().rev() {
            let spec = TargetSpec::Spawn { program: peer.path };
            match Target::open(&spec, &TargetOptions::default()) {
                Ok(target) => peers.push(Self::peer(target)),
                Err(error) => {
                    let _nobody_listens = writeln!(io::stderr(), "{}: {error}", peer.name);
                }
            }
        }
        peers.sort_by_key(|peer| peer.kind != Kind::Valkey);
        peers
    }

    /// What cores have spent for it.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        system::cpu_seconds(self.process_id)
    }

    fn own(name: &str, kind: Kind, what: &str) -> Self {
        let mut child = Command::new(env::current_exe().expect("we were started from a file"))
            .env(CHILD_VARIABLE, what)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map(OwnChild)
            .expect("this program can be started again");
        let mut line = String::new();
        let output = child.0.stdout.as_mut().expect("it is a pipe");
        BufReader::new(output).read_line(&mut line).expect("it is a line of text");
        let port: u16 = line.trim().parse().expect("a child says its port");
        Self {
            name: name.to_owned(),
            kind,
            address: (Ipv4Addr::LOCALHOST, port).into(),
            process_id: child.0.id(),
            _place: Place::Own { _child: child },
        }
    }

    fn peer(target: Target) -> Self {
        let server = target.server();
        let kind = match server.name {
            ServerName::Valkey => Kind::Valkey,
            _ => Kind::OtherPeer,
        };
        let endpoint = target.endpoint().expect("a server has an address");
        Self {
            name: format!("{} {}", server.name, server.version),
            kind,
            address: endpoint.parse().expect("it was started on this machine's loopback"),
            process_id: server.process_id.expect("it was started here"),
            _place: Place::Peer { _target: Box::new(target) },
        }
    }
}

impl Drop for OwnChild {
    fn drop(&mut self) {
        // Both fail only for a child that is reaped already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Is the server that this process was started to be, if it was; `false` if not.
pub(crate) fn was_child() -> bool {
    let Ok(what) = env::var(CHILD_VARIABLE) else { return false };
    if what == SINK {
        let sink = Sink::new().expect("there is a free port");
        say(sink.address().expect("it listens").port());
        thread::spawn(move || sink.run());
        wait_for_end();
    } else {
        let mut parameters = Parameters::default();
        parameters.bind = vec![Ipv4Addr::LOCALHOST.to_string()];
        parameters.port = 0;
        parameters.hectare_shards = what.parse().expect("the variable is a number of shards");
        let server =
            Server::start(Settings::new(parameters), Log::silent()).expect("there is a free port");
        let [Address::Tcp(address)] = server.addresses() else { panic!("it listens on one port") };
        say(address.port());
        wait_for_end();
    }
    true
}

fn say(port: u16) {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{port}").and_then(|()| stdout.flush()).expect("the parent listens");
}

/// The input ends when the parent does, whatever ends it.
fn wait_for_end() {
    let _nothing = io::stdin().read_to_end(&mut Vec::new());
}
