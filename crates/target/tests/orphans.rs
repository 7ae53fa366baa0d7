//! Does a spawned server die with a parent that is killed without warning?
#![cfg(target_os = "linux")]

mod peers;

use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use hectare_target::{Target, TargetOptions, TargetSpec};
use peers::{for_each_peer, runs};
use tempfile::TempDir;

/// Names the server to start, in the process that plays the parent.
const PARENT_VARIABLE: &str = "HECTARE_TEST_PARENT_OF";
/// What the parent writes in front of the server's process id.
const ANNOUNCEMENT: &str = "the server is process ";

#[test]
fn a_server_dies_with_a_parent_that_is_killed() {
    if let Some(program) = env::var_os(PARENT_VARIABLE) {
        let spec = TargetSpec::Spawn { program: program.into() };
        let target = Target::open(&spec, &TargetOptions::default()).unwrap();
        eprintln!("{ANNOUNCEMENT}{}", target.server().process_id.unwrap());
        loop {
            thread::sleep(Duration::from_secs(60));
        }
    }
    for_each_peer(|peer| {
        // The server's folder outlives such an end, so it goes where it is removed.
        let folder = TempDir::new().unwrap();
        let mut parent = Command::new(env::current_exe().unwrap())
            .args(["--exact", "a_server_dies_with_a_parent_that_is_killed", "--nocapture"])
            .env(PARENT_VARIABLE, &peer.path)
            .env("TMPDIR", folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let server = BufReader::new(parent.stderr.take().unwrap())
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix(ANNOUNCEMENT)?.parse().ok())
            .expect("the parent starts the server");
        assert!(runs(server));
        // On Unix this is SIGKILL: no destructor runs.
        parent.kill().unwrap();
        parent.wait().unwrap();
        // The kernel kills it at once, but nobody promises when its last trace is gone.
        while runs(server) {
            thread::sleep(Duration::from_millis(5));
        }
    });
}
