//! Does the engine answer random commands as Redis 8 does, and in its other dialect as Valkey 9.1?
//!
//! The same commands go to both, many at a time, and each pair of replies is compared byte by byte,
//! but for what Redis itself leaves open ([`comparison`]) and what is meant to differ
//! ([`differences`]). The commands follow from seeds, so that a run can be repeated; other runs are
//! chosen by environment variables:
//!
//! | variable | meaning | otherwise |
//! | --- | --- | --- |
//! | `HECTARE_DIFFERENTIAL_SEEDS` | from the first seed to before the second | `1..9` |
//! | `HECTARE_DIFFERENTIAL_COMMANDS` | how many commands each seed makes | 40000, and 30000 over sockets |

mod conversations;
mod trial;

mod field_deadlines;
mod grammar;
mod server_parts;
mod string_parts;
mod words;

mod comparison;
mod differences;
mod state;

mod line;
mod sides;

mod dice;
mod reply_form;
mod split;

use std::collections::BTreeSet;
use std::env;
use std::ops::Range;
use std::thread;
use std::time::Duration;

use hectare_engine::Dialect;
use hectare_resp::Protocol;
use hectare_target::Target;

use differences::{Difference, WANTED, WANTED_OF_VALKEY};
use line::{Form, Line};
use sides::{Hectare, Side, start_reference};
use trial::{Coverage, Trial, Way};
use words::Command;

const SEEDS_VARIABLE: &str = "HECTARE_DIFFERENTIAL_SEEDS";
const SEEDS: Range<u64> = 1..9;
const COMMANDS_VARIABLE: &str = "HECTARE_DIFFERENTIAL_COMMANDS";
const COMMANDS: usize = 40_000;
const COMMANDS_BY_SOCKET: usize = 30_000;

/// Protocols, numbers of shards and databases that the seeds take in turn.
const SETTINGS: [(Protocol, usize, [u8; 2]); 4] = [
    (Protocol::Resp2, 1, [0, 1]),
    (Protocol::Resp3, 3, [0, 9]),
    (Protocol::Resp3, 1, [7, 8]),
    (Protocol::Resp2, 3, [0, 1]),
];

fn seeds() -> Range<u64> {
    let Ok(text) = env::var(SEEDS_VARIABLE) else { return SEEDS };
    let number = |text: &str| text.parse::<u64>().ok();
    let ends = text.split_once("..").and_then(|(from, to)| Some(number(from)?..number(to)?));
    ends.unwrap_or_else(|| panic!("{SEEDS_VARIABLE} is a range such as 7..12, not {text}"))
}

fn commands_per_seed(way: Way) -> usize {
    let otherwise = if way == Way::Calls { COMMANDS } else { COMMANDS_BY_SOCKET };
    let Ok(text) = env::var(COMMANDS_VARIABLE) else { return otherwise };
    text.parse().unwrap_or_else(|_| panic!("{COMMANDS_VARIABLE} is a number, not {text}"))
}

#[test]
fn random_commands_are_answered_as_redis_answers_them() {
    compare_random_commands(Dialect::Redis8, Way::Calls);
}

#[test]
fn random_commands_are_answered_as_valkey_answers_them_in_its_dialect() {
    compare_random_commands(Dialect::Valkey9, Way::Calls);
}

#[test]
fn over_a_socket_random_commands_are_answered_as_redis_answers_them() {
    compare_random_commands(Dialect::Redis8, Way::Socket);
}

#[test]
fn over_a_socket_random_commands_are_answered_as_valkey_answers_them_in_its_dialect() {
    compare_random_commands(Dialect::Valkey9, Way::Socket);
}

fn compare_random_commands(dialect: Dialect, way: Way) {
    let Some(server) = start_reference(dialect) else { return };
    let mut coverage = Coverage::default();
    for seed in seeds() {
        let (protocol, shards, databases) = SETTINGS[(seed % 4) as usize];
        let commands = commands_per_seed(way);
        let trial = Trial { dialect, way, seed, commands, protocol, shards, databases };
        trial.run(&server, &mut coverage);
    }
    // A run that somebody has chosen may be as short as they like.
    if env::var_os(SEEDS_VARIABLE).is_none() && env::var_os(COMMANDS_VARIABLE).is_none() {
        assert_reaches_enough(dialect, way, &coverage);
    }
}

fn connect(server: &Target) -> Line {
    let endpoint = server.endpoint().expect("a server has an address");
    Line::connect(&endpoint, Protocol::Resp2, Form::Plain)
}

/// A comparison of little would pass just as well.
fn assert_reaches_enough(dialect: Dialect, way: Way, coverage: &Coverage) {
    let Coverage { commands, same_bytes, rows, encodings, fields_max } = coverage;
    assert!(*commands >= 150_000, "{commands} commands are too few");
    assert!(
        same_bytes * 100 >= commands * 90,
        "only {same_bytes} of {commands} are the same to the byte"
    );
    assert!(*fields_max > 512, "no hash had more than {fields_max} fields");
    let mut known = vec!["embstr", "hashtable", "int", "listpack", "raw"];
    known.extend((dialect == Dialect::Redis8).then_some("listpackex"));
    assert_eq!(*encodings, known.into_iter().map(str::to_owned).collect());
    let made: BTreeSet<&str> = grammar::names(way).collect();
    let met = rows.keys().copied().filter(|name| !name.is_empty()).collect();
    assert_eq!(made, met);
    for (name, tally) in rows {
        assert!(tally.refused > 0, "{name} was never refused");
        let is_nothing = name.is_empty() || *name == "cluster" || name.ends_with("|nosuch");
        assert!(is_nothing || tally.answered > 0, "{name} was never answered");
    }
}

#[test]
fn every_command_of_the_store_is_among_the_random_ones() {
    // A server has to be started in a way of its own to answer DEBUG.
    let made: BTreeSet<&str> = grammar::names(Way::Calls).chain(["debug|object"]).collect();
    let rows = hectare_store::commands().iter().map(|row| row.name).collect();
    assert_eq!(made, rows);
}

#[test]
fn each_wanted_difference_is_still_there() {
    assert_differs(Dialect::Redis8, WANTED);
}

#[test]
fn each_wanted_difference_to_valkey_is_still_there() {
    assert_differs(Dialect::Valkey9, WANTED_OF_VALKEY);
}

fn assert_differs(dialect: Dialect, wanted: &[Difference]) {
    let Some(server) = start_reference(dialect) else { return };
    let mut redis = connect(&server);
    let mut hectare = Hectare::start(dialect, 1, Protocol::Resp2);
    for difference in wanted {
        let reply = difference.ask_redis(&mut redis);
        let reason = difference.reason;
        assert!((difference.is_redis)(&reply), "{reason}; Redis: {}", reply.escape_ascii());
        let reply = difference.ask_engine(&mut hectare);
        assert!((difference.is_wanted)(&reply), "{reason}; Hectare: {}", reply.escape_ascii());
    }
}

#[test]
fn a_key_is_gone_on_both_sides_once_its_deadline_has_passed() {
    assert_same_before_and_after_deadlines(
        &[
            "SET string:ms v PX 1",
            "SET string:s v EX 1",
            "SET kept 1 PX 50",
            "SET kept 2",
            "SET persistent v EX 1000",
            "PERSIST persistent",
            "HSET hash:ms f v g w",
            "PEXPIRE hash:ms 20",
            "HSET hash:s f v",
            "EXPIRE hash:s 1",
            "HSET hash:again f v",
            "PEXPIRE hash:again 30",
            "MSET a 1 b 2",
            "PEXPIRE a 40",
            "GETEX b PX 1",
            "PSETEX c 1 v",
            "APPEND c w",
        ],
        &[
            "TTL string:ms",
            "GET string:ms",
            "TYPE string:s",
            "INCR string:s",
            "PTTL string:s",
            "HGETALL hash:ms",
            "PERSIST hash:ms",
            "EXPIRE hash:ms 100",
            "OBJECT ENCODING hash:s",
            "HLEN hash:s",
            "HSETNX hash:again g w",
            "HGETALL hash:again",
            "PEXPIRETIME hash:again",
            "MGET a b kept persistent",
            "APPEND c x",
            "KEYS string:m*",
            "EXISTS string:ms hash:ms hash:s a b",
            "UNLINK a b",
            "PTTL kept",
            "PTTL persistent",
            "DBSIZE",
        ],
    );
}

#[test]
fn a_field_is_gone_on_both_sides_once_its_deadline_has_passed() {
    assert_same_before_and_after_deadlines(
        &[
            "HSET h a 1 b 2 c 3 d 4 e 5",
            "HPEXPIRE h 1 FIELDS 3 a b c",
            "HSET h b again",
            "HPERSIST h FIELDS 1 c",
            "HEXPIRE h 1 FIELDS 1 e",
            "HSETEX h PX 5 FIELDS 2 f 6 g 7",
            "HGETEX h PERSIST FIELDS 1 g",
            "HSETEX last PX 30 FIELDS 2 a 1 b 2",
            "HSET last:again a 1",
            "HGETEX last:again PX 30 FIELDS 1 a",
        ],
        &[
            "HMGET h a b c d e f g",
            "HLEN h",
            "HTTL h FIELDS 7 a b c d e f g",
            "HSETNX h a 8",
            "HPTTL h FIELDS 2 a b",
            "OBJECT ENCODING h",
            "EXISTS last last:again",
            "HSETEX last FXX FIELDS 1 a 1",
            "HINCRBY last:again a 1",
            "OBJECT ENCODING last:again",
            "DBSIZE",
        ],
    );
}

/// Asks both sides the same before and after the longest of the deadlines, a second.
fn assert_same_before_and_after_deadlines(before: &[&str], after: &[&str]) {
    let Some(server) = start_reference(Dialect::Redis8) else { return };
    let mut redis = connect(&server);
    let mut hectare = Hectare::start(Dialect::Redis8, 3, Protocol::Resp2);
    for (wait_ms, lines) in [(0, before), (1100, after)] {
        thread::sleep(Duration::from_millis(wait_ms));
        let words = |line: &&str| line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        let commands: Vec<Command> = lines.iter().map(words).collect();
        let (redis, hectare) = (redis.ask(&commands), hectare.ask(&commands));
        for (line, (redis, hectare)) in lines.iter().zip(redis.iter().zip(&hectare)) {
            assert_eq!(
                redis.escape_ascii().to_string(),
                hectare.escape_ascii().to_string(),
                "{line}"
            );
        }
    }
}
