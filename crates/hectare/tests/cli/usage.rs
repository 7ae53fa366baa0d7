//! What is said of a command that makes no sense?

use std::fs;

use crate::harness::{empty_folder, run, run_in};

#[test]
fn a_wrong_option_is_told_with_what_would_be_right() {
    for (arguments, said) in [
        (&["report", "--dataset", "users"][..], &["no dataset \"users\"", "user, counter"][..]),
        (&["report", "--layout", "tree"], &["flat, hash, json"]),
        (&["report", "--write-pattern", "slow"], &["bulk or grown"]),
        (&["report", "--target", "localhost"], &["`embedded`, `embedded:SHARDS`, `spawn:PATH`"]),
        (&["report", "--target", "embedded:0"], &["the number of shards, from 1 to 1024"]),
        (&["report", "--dataset", "sweep:0"], &["sweep:N with 1 to 1024 fields"]),
        (
            &["loadgen", "--target", "embedded:2", "--shards", "2"],
            &["--shards 2 and --target embedded:2", "leave one of them out"],
        ),
        (&["report", "--objects", "0"], &["from 1 to"]),
        (&["report", "--objects", "many"], &["--objects"]),
        (&["report", "--bucket-size", "0"], &["--bucket-size"]),
        (&["report", "--bucket-size", "100"], &["user is not laid out so", "--dataset bucketed"]),
        (&["report", "--layout", "bucketed"], &["user cannot be laid out in buckets"]),
        (&["report", "--csv", "--json"], &["cannot be used with"]),
        (&["report", "--from", "x", "--objects", "5"], &["cannot be used with"]),
        (&["report", "--standard", "--dataset", "user"], &["cannot be used with"]),
        (&["report", "--emit-resp", "-", "--churn"], &["cannot be used with"]),
        (&["report", "--allow-nonempty"], &["--key-prefix"]),
        (&["report", "--emit-resp", "-"], &["--emit-resp writes one load", "make 12"]),
        (&["cell"], &["`hectare report` is what you want"]),
        (&["reprot"], &["report"]),
        (&[], &["Usage: hectare"]),
    ] {
        let run = run(arguments);
        run.expect(2, said);
        assert_eq!(run.stdout, "", "{arguments:?}");
    }
}

#[test]
fn a_schema_that_makes_no_sense_is_told_with_its_fault() {
    let folder = empty_folder();
    let good = "name = \"order\"\nseed = 1\nobjects = 10\nkey = \"order:{n}\"\n\n\
                [[fields]]\nname = \"note\"\nkind = \"alphanumeric\"\nsize = 5\n";
    for (text, said) in [
        (good.replace("size = 5", "size = -5"), "size"),
        (good.replace("objects = 10", "objects = 0"), "objects"),
        (good.replace("{n}", ""), "{n}"),
        (good.replace("alphanumeric", "poem"), "poem"),
        (good.replace('=', ":"), "TOML"),
    ] {
        fs::write(folder.path().join("order.toml"), &text).unwrap();
        let run = run_in(folder.path(), &["report", "--schema", "order.toml"]);
        run.expect(2, &["order.toml"]);
        assert!(run.stderr.to_lowercase().contains(&said.to_lowercase()), "{}", run.stderr);
    }
    run_in(folder.path(), &["report", "--schema", "missing.toml"]).expect(2, &["missing.toml"]);
}

#[test]
fn help_names_the_tools_and_hides_what_is_not_for_people() {
    let run = run(&["--help"]);
    run.expect(0, &[]);
    assert!(run.stdout.contains("report") && !run.stdout.contains("cell"), "{}", run.stdout);
}
