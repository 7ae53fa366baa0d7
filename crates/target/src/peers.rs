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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use tempfile::TempDir;

    use super::*;

    /// A folder with files of these names, all but the last of which may be executed.
    fn folder(under: &str, names: &[&str]) -> TempDir {
        let root = TempDir::new().expect("a temporary folder can be made");
        let folder = root.path().join(under);
        fs::create_dir_all(&folder).expect("the folder is ours");
        for (index, name) in names.iter().enumerate() {
            let path = folder.join(name);
            fs::write(&path, "").expect("the folder is ours");
            let mode = if index + 1 < names.len() { 0o755 } else { 0o644 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
        }
        root
    }

    fn names(peers: Vec<Peer>) -> Vec<String> {
        peers.into_iter().map(|peer| peer.name).collect()
    }

    #[test]
    fn a_folder_that_is_named_goes_before_unpacked_servers_and_those_before_the_path() {
        let named = folder("", &["valkey-9.1-server", "valkey-9.1-cli", "redis-9-server"]);
        let root = folder(PEERS_FOLDER, &["redis-8.0-server", "redis-7.0-server", "notes"]);
        let path = folder("", &["valkey-server", "redis-server", "redis-6-server", "notes"]);
        let nowhere = TempDir::new().unwrap();
        let named = Some(named.path().as_os_str());
        let path = Some(path.path().as_os_str());

        assert_eq!(names(servers_among(named, root.path(), path)), ["valkey-9.1-server"]);
        let unpacked = names(servers_among(None, root.path(), path));
        assert_eq!(unpacked, ["redis-7.0-server", "redis-8.0-server"]);
        let on_path = names(servers_among(None, nowhere.path(), path));
        assert_eq!(on_path, ["redis-server", "valkey-server"]);
        assert_eq!(servers_among(None, nowhere.path(), None), []);
    }

    #[test]
    fn a_folder_that_is_named_and_empty_is_not_made_up_for() {
        let path = folder("", &["redis-server", "notes"]);
        let empty = TempDir::new().unwrap();
        let (named, path) = (empty.path().as_os_str(), path.path().as_os_str());
        assert_eq!(servers_among(Some(named), empty.path(), Some(path)), []);
    }
}
