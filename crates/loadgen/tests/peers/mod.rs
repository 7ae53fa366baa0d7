//! Which real servers does a test measure?

use std::path::Path;

use hectare_target::{Peer, servers_for_tests};

/// Runs a test against each server that is there; fails when there is none, unless that is allowed.
#[expect(clippy::print_stderr, reason = "a test that measures nothing must say so")]
pub(crate) fn for_each_peer(test: impl Fn(&Peer)) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let peers = servers_for_tests(&root).unwrap_or_else(|sentence| panic!("{sentence}"));
    if peers.is_empty() {
        eprintln!("no server was found, so nothing was measured");
    }
    peers.iter().for_each(test);
}
