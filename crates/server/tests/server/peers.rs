//! Do Redis' own clients work with it?

use crate::support::{address, serve};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The programs of this kind that scripts/peers has unpacked, or that HECTARE_PEERS names.
fn programs(kind: &str) -> Vec<PathBuf> {
    let folder = std::env::var_os("HECTARE_PEERS").filter(|folder| !folder.is_empty());
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers/bin");
    let folder = folder.map_or(unpacked, PathBuf::from);
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(kind))
        .collect();
    found.sort();
    let is_without = std::env::var_os("HECTARE_WITHOUT_PEERS").is_some_and(|value| value == "1");
    assert!(
        !found.is_empty() || is_without,
        "no program -{kind} was found: run scripts/peers, or set HECTARE_WITHOUT_PEERS=1"
    );
    found
}

#[test]
fn redis_cli_talks_to_it() {
    let server = serve(2);
    let port = address(&server).port().to_string();
    for program in programs("-cli") {
        for (words, said) in [
            (["PING"].as_slice(), "PONG\n"),
            (["-3", "HELLO", "3"].as_slice(), "server redis\n"),
            (["HSET", "h", "f", "v"].as_slice(), ""),
            (["-n", "3", "GET", "none"].as_slice(), "\n"),
            (["HGETALL", "h"].as_slice(), "f\nv\n"),
        ] {
            let output = Command::new(&program).args(["-p", &port]).args(words).output();
            let output = output.expect("the program runs");
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(text.starts_with(said), "{} {words:?}: {text}", program.display());
        }
    }
}

#[test]
fn redis_benchmark_measures_it() {
    let server = serve(2);
    let port = address(&server).port().to_string();
    for program in programs("-benchmark") {
        let output = Command::new(&program)
            .args(["-p", &port, "-n", "3000", "-P", "16", "-c", "10", "-r", "1000", "--csv"])
            .args(["-t", "ping,set,get,incr,hset,mset"])
            .output()
            .expect("the program runs");
        let text = String::from_utf8_lossy(&output.stdout);
        let rows = text.lines().filter(|line| line.contains("HSET") || line.contains("MSET"));
        assert_eq!(rows.count(), 2, "{}: {text}", program.display());
        assert!(output.status.success(), "{}", program.display());
    }
}
