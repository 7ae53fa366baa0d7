//! How do these tests run the command, and a server beside it?

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use hectare_target::{Peer, servers_for_tests};
use tempfile::TempDir;

/// Nothing here takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// The command, to be run in an empty folder of its own.
pub(crate) fn hectare(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hectare"));
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// What a run of the command did.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("results are text"),
            stderr: String::from_utf8(output.stderr).expect("messages are text"),
        }
    }
}

/// Runs the command in a folder and waits for its end.
pub(crate) fn run_in(folder: &Path, arguments: &[&str]) -> Run {
    hectare(folder).args(arguments).output().expect("the command starts").into()
}

/// Runs the command in an empty folder and waits for its end.
pub(crate) fn run(arguments: &[&str]) -> Run {
    run_in(empty_folder().path(), arguments)
}

pub(crate) fn empty_folder() -> TempDir {
    tempfile::tempdir().expect("there is room for a temporary folder")
}

impl Run {
    /// Sees that it ended with this code and said all of this on standard error.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, said: &[&str]) -> &Self {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        for text in said {
            assert!(self.stderr.contains(text), "{text:?} in {:?}", self.stderr);
        }
        self
    }
}

/// The only folder of results below `folder`.
pub(crate) fn kept(folder: &Path) -> PathBuf {
    let entries = fs::read_dir(folder.join("results")).expect("results were kept");
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a readable folder").path()).collect();
    assert_eq!(paths.len(), 1, "{paths:?}");
    paths.remove(0)
}

/// The rows of CSV text, each as the values of those columns.
pub(crate) fn columns<'a>(text: &'a str, names: &[&str]) -> Vec<Vec<&'a str>> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().expect("a line of names").split(',').collect();
    // Only the columns in front of the first quoted one are asked for.
    let places: Vec<usize> = names
        .iter()
        .map(|name| header.iter().position(|column| column == name).expect(name))
        .collect();
    lines.map(|line| pick(line, &places)).collect()
}

fn pick<'a>(line: &'a str, places: &[usize]) -> Vec<&'a str> {
    let mut values = Vec::new();
    let mut rest = line;
    loop {
        let (value, tail) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let (value, tail) = quoted.split_once('"').expect("a quote closes");
                (value, tail.strip_prefix(','))
            }
            None => match rest.split_once(',') {
                Some((value, tail)) => (value, Some(tail)),
                None => (rest, None),
            },
        };
        values.push(value);
        match tail {
            Some(tail) => rest = tail,
            None => break,
        }
    }
    places.iter().map(|&place| values[place]).collect()
}

/// The servers to compare with; none only where `HECTARE_WITHOUT_PEERS=1` says so.
pub(crate) fn peers() -> Vec<Peer> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    servers_for_tests(&root).unwrap_or_else(|sentence| panic!("{sentence}"))
}

/// Redis 7.0 where it is, or else the first server.
pub(crate) fn reference() -> Option<Peer> {
    let peers = peers();
    peers.iter().find(|peer| peer.name.contains("redis-7.0")).or(peers.first()).cloned()
}

/// How a server is named as a target that is started.
pub(crate) fn spawn_argument(peer: &Peer) -> String {
    format!("spawn:{}", peer.path.display())
}

/// A server of a test, on a free port of 127.0.0.1, with nothing kept on disk.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) port: u16,
    /// Where it runs; removed after it has ended.
    _folder: TempDir,
}

impl Server {
    pub(crate) fn start(peer: &Peer, arguments: &[&str]) -> Self {
        let folder = empty_folder();
        let port = free_port();
        let child = Command::new(&peer.path)
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""])
            .args(["--appendonly", "no", "--dir"])
            .arg(folder.path())
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the peer starts");
        let server = Self { child, port, _folder: folder };
        wait_until("the server answers", || server.try_ask("PING").is_some());
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The start of the answer to an inline command.
    pub(crate) fn ask(&self, command: &str) -> String {
        self.try_ask(command).expect("the server answers")
    }

    fn try_ask(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    /// A figure of `INFO memory`.
    pub(crate) fn info_bytes(&self, name: &str) -> i64 {
        let info = self.ask("INFO memory");
        let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.expect(name).trim().parse().expect("a number of bytes")
    }

    /// What the kernel says the process has in memory.
    pub(crate) fn rss_bytes(&self) -> i64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(path).expect("the server lives");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<i64>().ok());
        kibibytes.expect("a number of kB") * 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// Waits until something is so; a test fails when it never is.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "waited too long until {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The live processes below one, children before their own children.
pub(crate) fn descendants(process_id: u32) -> Vec<u32> {
    let mut family = vec![process_id];
    let mut next = 0;
    while next < family.len() {
        for entry in fs::read_dir("/proc").expect("Linux").flatten() {
            let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            if !family.contains(&id) && state_and_parent(id).is_some_and(|it| it.1 == family[next])
            {
                family.push(id);
            }
        }
        next += 1;
    }
    family.split_off(1)
}

/// Whether a process exists and is no zombie.
pub(crate) fn is_alive(process_id: u32) -> bool {
    state_and_parent(process_id).is_some()
}

/// The state and the parent of a process that is no zombie.
fn state_and_parent(process_id: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{process_id}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    (state != 'Z').then_some((state, parent))
}

/// Sends a signal, by the name that `kill` knows.
pub(crate) fn signal(process_id: u32, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &process_id.to_string()]).status();
    assert!(status.expect("kill starts").success());
}

/// The processor time that a process has spent, in clock ticks.
pub(crate) fn busy_ticks(process_id: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process_id}/stat")).unwrap_or_default();
    let Some((_, rest)) = stat.rsplit_once(") ") else { return 0 };
    rest.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}
