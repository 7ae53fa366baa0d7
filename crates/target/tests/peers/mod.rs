//! Which real servers does a test compare with?

use std::path::Path;

use hectare_target::{Peer, servers_for_tests};

/// Runs a test against each server that is there; fails when there is none, unless that is allowed.
#[expect(clippy::print_stderr, reason = "a test that compares with nothing must say so")]
pub(crate) fn for_each_peer(test: impl Fn(&Peer)) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let peers = servers_for_tests(&root).unwrap_or_else(|sentence| panic!("{sentence}"));
    if peers.is_empty() {
        eprintln!("no server was found, so nothing was compared");
    }
    peers.iter().for_each(test);
}

/// Whether a process runs; one that is dead but not yet reaped by its parent does not.
pub(crate) fn runs(process_id: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{process_id}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z')))
}
