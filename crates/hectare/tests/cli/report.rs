//! What does `hectare report` leave behind, whatever happens meanwhile?

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::{
    Run, columns, descendants, empty_folder, hectare, is_alive, kept, run_in, signal, wait_until,
};

/// A report that is done in no time.
const SMALL: [&str; 7] =
    ["report", "--target", "embedded", "--dataset", "user", "--objects", "1000"];

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut names: Vec<String> =
        entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

#[test]
fn a_report_ends_in_a_sentence_and_keeps_what_it_says() {
    let folder = empty_folder();
    let run = run_in(folder.path(), &SMALL);
    run.expect(0, &["warning: in 6 of 6 cells resident memory grew by less", "kept in results"]);
    assert!(run.stdout.starts_with("user: 1,000 objects of 5 fields"), "{}", run.stdout);
    assert!(run.stdout.contains("As hashes, 100 M users take "), "{}", run.stdout);
    let kept = kept(folder.path());
    assert_eq!(names(&kept), ["SETUP.md", "memory.csv", "memory.svg", "summary.md"]);
    let csv = fs::read_to_string(kept.join("memory.csv")).unwrap();
    let cells = columns(&csv, &["layout", "write_pattern", "objects", "fields", "keys"]);
    let expected = [
        ["flat", "bulk", "1000", "5000", "5000"],
        ["flat", "grown", "1000", "5000", "5000"],
        ["hash", "bulk", "1000", "5000", "1000"],
        ["hash", "grown", "1000", "5000", "1000"],
        ["json", "bulk", "1000", "5000", "1000"],
        ["json", "grown", "1000", "5000", "1000"],
    ];
    assert_eq!(cells, expected);
    let setup = fs::read_to_string(kept.join("SETUP.md")).unwrap();
    assert!(setup.contains("`hectare report --target embedded --dataset user"), "{setup}");
    assert!(setup.contains("(embedded"), "{setup}");
}

#[test]
fn every_layout_has_the_same_logical_bytes() {
    let folder = empty_folder();
    let run = run_in(folder.path(), &[&SMALL[..], &["--csv"]].concat());
    let bytes = columns(&run.stdout, &["logical_bytes"]);
    assert_eq!(bytes.len(), 6);
    assert!(bytes.iter().all(|row| *row == bytes[0]), "{bytes:?}");
}

#[test]
fn the_engine_counts_the_payload_that_was_written() {
    let folder = empty_folder();
    let run = run_in(folder.path(), &[&SMALL[..], &["--target", "embedded:1", "--csv"]].concat());
    let names = ["shards", "payload_bytes", "engine_payload_delta_bytes"];
    let payloads = columns(&run.stdout, &names);
    assert_eq!(payloads.len(), 12);
    assert!(payloads.iter().all(|row| row[1] == row[2]), "{payloads:?}");
    assert!(payloads[6..].iter().all(|row| row[0] == "1"), "{payloads:?}");
}

#[test]
fn churn_is_measured_behind_the_load() {
    let folder = empty_folder();
    let choices = ["--layout", "hash", "--layout", "flat", "--churn", "--csv"];
    let run = run_in(folder.path(), &[&SMALL[..], &choices].concat());
    run.expect(0, &[]);
    let worn = ["overwritten", "readded"].map(|what| format!("used_memory_{what}_delta_bytes"));
    let bytes = columns(&run.stdout, &[&worn[0], &worn[1], "rss_readded_delta_bytes"]);
    assert_eq!(bytes.len(), 4);
    assert!(bytes.iter().flatten().all(|bytes| bytes.parse::<i64>().is_ok()), "{bytes:?}");
    // The last round writes what was loaded, so there is no more of it than before.
    let keys = columns(&run.stdout, &["layout", "keys"]);
    assert_eq!(keys[0], ["hash", "1000"]);
}

#[test]
fn one_hash_of_all_objects_is_measured_in_both_patterns() {
    let folder = empty_folder();
    let choices = ["report", "--target", "embedded:1", "--dataset", "giant", "--objects", "5000"];
    let choices = [&choices[..], &["--layout", "bucketed", "--csv"]].concat();
    let run = run_in(folder.path(), &choices);
    let names = ["bucket_size", "write_pattern", "keys", "payload_bytes"];
    let expected =
        ["bulk", "grown"].map(|pattern| ["1800000", pattern, "1", "145013"].map(str::to_owned));
    assert_eq!(columns(&run.stdout, &names), expected);
}

#[test]
fn csv_and_json_have_a_line_for_each_row_and_no_table() {
    let folder = empty_folder();
    let csv = run_in(folder.path(), &[&SMALL[..], &["--csv"]].concat());
    assert_eq!(csv.stdout, fs::read_to_string(kept(folder.path()).join("memory.csv")).unwrap());
    let json = run_in(folder.path(), &[&SMALL[..], &["--layout", "hash", "--json"]].concat());
    let rows: Vec<serde_json::Value> =
        json.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1]["write_pattern"], "grown");
    assert_eq!(rows[1]["keys"], 1000);
}

#[test]
fn an_earlier_run_is_shown_and_rendered_again() {
    let folder = empty_folder();
    let first = run_in(folder.path(), &SMALL);
    let kept = kept(folder.path());
    let chart = fs::read_to_string(kept.join("memory.svg")).unwrap();
    fs::remove_file(kept.join("memory.svg")).unwrap();
    fs::remove_file(kept.join("summary.md")).unwrap();
    let again = run_in(folder.path(), &["report", "--from", kept.to_str().unwrap()]);
    again.expect(0, &[]);
    assert_eq!(again.stdout, first.stdout);
    assert_eq!(fs::read_to_string(kept.join("memory.svg")).unwrap(), chart);
    assert!(kept.join("summary.md").exists());
}

#[test]
fn a_run_that_was_cut_short_is_shown_without_its_last_row() {
    let folder = empty_folder();
    run_in(folder.path(), &SMALL);
    let kept = kept(folder.path());
    let csv = fs::read_to_string(kept.join("memory.csv")).unwrap();
    fs::write(kept.join("memory.csv"), &csv[..csv.len() - 9]).unwrap();
    let shown = run_in(folder.path(), &["report", "--csv", "--from", kept.to_str().unwrap()]);
    shown.expect(0, &["the last row was cut short"]);
    assert_eq!(columns(&shown.stdout, &["layout"]).len(), 5);
}

#[test]
fn a_folder_that_is_no_report_is_refused() {
    let folder = empty_folder();
    run_in(folder.path(), &["report", "--from", "."])
        .expect(1, &["memory.csv cannot be read", "--from takes a folder that a report wrote"]);
    fs::write(folder.path().join("memory.csv"), "a,b\n1,2\n").unwrap();
    run_in(folder.path(), &["report", "--from", "."])
        .expect(1, &["line 2", "not a row of a report"]);
}

#[test]
fn results_that_cannot_be_kept_are_shown_all_the_same() {
    let folder = empty_folder();
    fs::write(folder.path().join("results"), "in the way").unwrap();
    let run = run_in(folder.path(), &SMALL);
    run.expect(
        1,
        &["warning: the results are not kept", "error: results are not kept", "--output"],
    );
    assert!(run.stdout.contains("As hashes, 100 M users take "), "{}", run.stdout);
}

#[test]
fn a_disk_that_fills_up_costs_the_files_and_not_the_table() {
    let folder = empty_folder();
    // A limit on the size of files stands in for the disk; SIGXFSZ would otherwise end the process.
    let limited = "trap '' XFSZ; ulimit -f 1; exec \"$@\"";
    let run: Run = Command::new("sh")
        .args(["-c", limited, "sh", env!("CARGO_BIN_EXE_hectare")])
        .args(SMALL)
        .current_dir(folder.path())
        .output()
        .unwrap()
        .into();
    run.expect(1, &["warning: rows are not kept any more", "error: results are not kept"]);
    assert!(run.stdout.contains("As hashes, 100 M users take "), "{}", run.stdout);
}

#[test]
fn a_full_standard_output_is_an_error_and_a_closed_one_is_not() {
    let folder = empty_folder();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let run: Run = hectare(folder.path()).args(SMALL).stdout(full).output().unwrap().into();
    run.expect(1, &["standard output cannot be written"]);
    let mut child = hectare(folder.path())
        .args(SMALL)
        .arg("--csv")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let run: Run = child.wait_with_output().unwrap().into();
    run.expect(0, &["1 of 6 cells were measured"]);
    assert!(!run.stderr.contains("error"), "{}", run.stderr);
}

#[test]
fn an_interrupt_leaves_the_rows_a_summary_of_them_and_no_process() {
    let folder = empty_folder();
    for (signal_name, code) in [("INT", Some(130)), ("TERM", Some(130))] {
        let mut child = hectare(folder.path())
            .args(["report", "--target", "embedded", "--objects", "20000"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let results = folder.path().join("results");
        let rows = || fs::read_dir(&results).ok()?.next()?.ok().map(|kept| kept.path());
        let rows = || fs::read_to_string(rows()?.join("memory.csv")).ok();
        wait_until("a row is kept", || rows().is_some_and(|rows| rows.lines().count() > 1));
        let family = descendants(child.id());
        signal(child.id(), signal_name);
        assert_eq!(child.wait().unwrap().code(), code);
        assert!(family.into_iter().all(|process| !is_alive(process)));
        let kept = kept(folder.path());
        let read = run_in(folder.path(), &["report", "--csv", "--from", kept.to_str().unwrap()]);
        assert!(!columns(&read.stdout, &["layout"]).is_empty());
        assert!(fs::read_to_string(kept.join("summary.md")).unwrap().contains("100 M users"));
        fs::remove_dir_all(results).unwrap();
    }
}

#[test]
fn a_report_that_is_killed_leaves_rows_that_can_be_read_and_no_process() {
    let folder = empty_folder();
    let mut child = hectare(folder.path())
        .args(["report", "--target", "embedded"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let results = folder.path().join("results");
    let rows = || fs::read_dir(&results).ok()?.next()?.ok().map(|kept| kept.path());
    let rows = || fs::read_to_string(rows()?.join("memory.csv")).ok();
    wait_until("a row is kept", || rows().is_some_and(|rows| rows.lines().count() > 1));
    wait_until("the next cell runs", || !descendants(child.id()).is_empty());
    let family = descendants(child.id());
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("its processes end", || family.iter().all(|&process| !is_alive(process)));
    let kept = kept(folder.path());
    run_in(folder.path(), &["report", "--from", kept.to_str().unwrap()]).expect(0, &[]);
}

#[test]
fn what_is_emitted_is_one_load_as_servers_read_it() {
    let folder = empty_folder();
    let arguments = [
        "report",
        "--emit-resp",
        "load.resp",
        "--dataset",
        "counter",
        "--objects",
        "3",
        "--layout",
        "hash",
        "--write-pattern",
        "grown",
    ];
    let run = run_in(folder.path(), &arguments);
    run.expect(0, &[]);
    assert_eq!(run.stdout, "");
    let text = fs::read_to_string(folder.path().join("load.resp")).unwrap();
    assert_eq!(text.matches("*4\r\n$4\r\nHSET\r\n$7\r\nstats:").count(), 12);
    let mut to_stdout = arguments;
    to_stdout[2] = "-";
    assert_eq!(run_in(folder.path(), &to_stdout).stdout, text);
    let mut to_full = arguments;
    to_full[2] = "/dev/full";
    run_in(folder.path(), &to_full).expect(1, &["/dev/full cannot be written", "another file"]);
    assert!(Path::new("/dev/full").exists());
    assert_eq!(names(folder.path()), ["load.resp"]);
}
