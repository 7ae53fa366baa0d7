//! Which servers to compare with does this machine have?

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::process::is_executable;

/// Names the folder of servers that is looked at first.
const PEERS_VARIABLE: &str = "HECTARE_PEERS";
/// Set to `1`, it lets the tests that compare with a server pass where none is found.
const WITHOUT_PEERS_VARIABLE: &str = "HECTARE_WITHOUT_PEERS";
/// Where `scripts/peers` puts servers, seen from the root of the workspace.
const PEERS_FOLDER: &str = "target/peers/bin";

/// A server program that can be started for a measurement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The name of its file, such as `redis-8.0-server` or `valkey-server`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// The servers found, sorted by name: those of the folder that the environment variable
/// `HECTARE_PEERS` names; else those in `workspace_root/target/peers/bin`, where `scripts/peers`
/// puts them; else `redis-server` and `valkey-server` from the `PATH`.
///
/// Only names are looked at here: whether a program works is seen when it is started.
pub fn installed_servers(workspace_root: &Path) -> Vec<Peer> {
    let folder = env::var_os(PEERS_VARIABLE).filter(|folder| !folder.is_empty());
    servers_among(folder.as_deref(), workspace_root, env::var_os("PATH").as_deref())
}

/// The servers that a test compares with: those of [`installed_servers`].
///
/// # Errors
/// The sentence to fail with when there is none. Where the environment variable
/// `HECTARE_WITHOUT_PEERS` is `1`, an empty list is returned instead, and the test says on
/// stderr that it compared with nothing.
pub fn servers_for_tests(workspace_root: &Path) -> Result<Vec<Peer>, String> {
    let peers = installed_servers(workspace_root);
    if !peers.is_empty() || env::var_os(WITHOUT_PEERS_VARIABLE).is_some_and(|value| value == "1") {
        return Ok(peers);
    }
    Err(format!(
        "no redis-server or valkey-server was found in ${PEERS_VARIABLE}, in {} or on PATH: \
         run scripts/peers, or set {WITHOUT_PEERS_VARIABLE}=1 to test without comparison",
        workspace_root.join(PEERS_FOLDER).display()
    ))
}

fn servers_among(folder: Option<&OsStr>, root: &Path, path: Option<&OsStr>) -> Vec<Peer> {
    if let Some(folder) = folder {
        return servers_in(Path::new(folder));
    }
    let unpacked = servers_in(&root.join(PEERS_FOLDER));
    if !unpacked.is_empty() {
        return unpacked;
    }
    let folders: Vec<PathBuf> =
        path.map(|path| env::split_paths(path).collect()).unwrap_or_default();
    ["redis-server", "valkey-server"]
        .into_iter()
        .filter_map(|name| {
            let path = folders.iter().map(|f| f.join(name)).find(|p| is_executable(p))?;
            Some(Peer { name: name.to_owned(), path })
        })
        .collect()
}

fn servers_in(folder: &Path) -> Vec<Peer> {
    let Ok(entries) = folder.read_dir() else { return Vec::new() };
    let mut peers: Vec<Peer> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let path = entry.path();
            (is_server(&name) && is_executable(&path)).then_some(Peer { name, path })
        })
        .collect();
    peers.sort_by(|a, b| a.name.cmp(&b.name));
    peers
}

/// Whether a file is called `redis-server`, `valkey-9.1-server` or the like.
fn is_server(name: &str) -> bool {
    (name.starts_with("redis-") || name.starts_with("valkey-")) && name.ends_with("-server")
}
