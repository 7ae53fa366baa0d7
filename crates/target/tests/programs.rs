//! Does a program that is no server, or no good one, end in one clear sentence and no child?

mod peers;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hectare_target::{OpenError, SpawnError, Target, TargetOptions, TargetSpec};
use peers::{for_each_peer, runs};
use tempfile::TempDir;

/// A script that another test's fork holds open for writing cannot be run, so these tests take turns.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open(program: &Path) -> SpawnError {
    let spec = TargetSpec::Spawn { program: program.to_owned() };
    let options =
        TargetOptions { start_timeout: Duration::from_secs(2), ..TargetOptions::default() };
    match Target::open(&spec, &options) {
        Err(OpenError::Spawn(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// An executable script that first writes its process id into the file `id` beside it.
fn script(folder: &TempDir, body: &str) -> PathBuf {
    let path = folder.path().join("server");
    let id = folder.path().join("id");
    fs::write(&path, format!("#!/bin/sh\necho $$ > {}\n{body}\n", id.display()))
        .expect("the folder is ours");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("the file is ours");
    path
}

fn process_id(folder: &TempDir, file: &str) -> u32 {
    let text = fs::read_to_string(folder.path().join(file)).expect("the script has written it");
    text.trim().parse().expect("it is a number")
}

#[test]
fn a_path_that_leads_nowhere_is_named() {
    let sentence = open(Path::new("/nowhere/redis-server")).to_string();
    assert!(sentence.starts_with("there is no /nowhere/redis-server: "), "{sentence}");
}

#[test]
fn a_file_that_is_no_program_is_named() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("notes.txt");
    fs::write(&file, "notes").unwrap();
    for path in [file.as_path(), folder.path()] {
        let sentence = open(path).to_string();
        assert!(sentence.contains("is not a program that may be executed"), "{sentence}");
    }
    fs::write(&file, "#!/nowhere/sh").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    let sentence = open(&file).to_string();
    assert!(sentence.contains("notes.txt cannot be started: "), "{sentence}");
}

#[test]
fn a_program_that_ends_at_once_is_no_server() {
    let _turn = turn();
    let sentence = open(Path::new("/bin/true")).to_string();
    assert!(sentence.contains("/bin/true ended (exit status: 0) before it answered"), "{sentence}");
    assert!(sentence.contains("wrote nothing: is it a redis-server"), "{sentence}");
    let sentence = open(Path::new("/bin/sleep")).to_string();
    assert!(sentence.contains("/bin/sleep ended (exit status: 1)"), "{sentence}");
    assert!(sentence.contains("; it wrote:\n  "), "{sentence}");
}

#[test]
fn the_last_lines_of_a_server_that_gave_up_are_quoted() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let lines = "for n in 1 2 3 4 5 6 7; do echo line $n; done; exit 3";
    let SpawnError::Ended { status, log, .. } = open(&script(&folder, lines)) else {
        panic!("it ends");
    };
    assert_eq!(status.code(), Some(3));
    assert_eq!(log, "line 3\nline 4\nline 5\nline 6\nline 7");
}

#[test]
fn a_program_that_neither_serves_nor_ends_is_stopped() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let error = open(&script(&folder, "echo waiting\nexec sleep 600"));
    let sentence = error.to_string();
    assert!(sentence.contains("did not answer as a server within 2 s"), "{sentence}");
    assert!(sentence.ends_with("it wrote:\n  waiting"), "{sentence}");
    assert!(!runs(process_id(&folder, "id")));
}

#[test]
fn a_script_that_would_leave_a_server_behind_is_refused() {
    for_each_peer(|peer| {
        let _turn = turn();
        let folder = TempDir::new().unwrap();
        let server = folder.path().join("server-id");
        let (peer, server) = (peer.path.display(), server.display());
        let program = script(&folder, &format!("{peer} \"$@\" &\necho $! > {server}\nwait"));
        let error = open(&program);
        assert!(matches!(error, SpawnError::Wrapper { .. }), "{error}");
        assert!(error.to_string().contains("let the script `exec` it"), "{error}");
        assert!(!runs(process_id(&folder, "id")));
        // The group is killed, but init reaps this one: wait for that, however long it takes.
        while runs(process_id(&folder, "server-id")) {
            std::thread::sleep(Duration::from_millis(5));
        }
    });
}
