//! Which random commands are sent?
//!
//! One row for each command of the store, so that a command without one is noticed; and one more for
//! what is no command.

use crate::field_deadlines::{
    self, MILLISECONDS_ABSOLUTE, MILLISECONDS_FROM_NOW, SECONDS_ABSOLUTE, SECONDS_FROM_NOW,
};
use crate::server_parts;
use crate::string_parts;
use crate::trial::Way;
use crate::words::{
    Command, FLOAT_FIELD, GROWN_KEY, INTEGER_FIELD, IS_X86_64, KEYS, Liking, Unit, Words,
};

/// How a command is made, and how often.
pub(crate) struct Row {
    /// As in the store's table, or the server's; empty for what is no command.
    name: &'static str,
    weight: u32,
    /// Makes what follows the name.
    arguments: fn(&mut Words, &mut Command),
}

pub(crate) const fn row(
    name: &'static str,
    weight: u32,
    arguments: fn(&mut Words, &mut Command),
) -> Row {
    Row { name, weight, arguments }
}

const ROWS: &[Row] = &[
    row("", 100, no_command),
    row("hset", 900, pairs),
    row("hmset", 200, pairs),
    row("hsetnx", 300, |words, command| {
        key_and_field(words, command);
        command.push(words.value_of(&command[2]));
    }),
    row("hget", 400, key_and_field),
    row("hmget", 250, key_and_fields),
    row("hgetall", 250, hash),
    row("hkeys", 120, hash),
    row("hvals", 120, hash),
    row("hdel", 400, hdel),
    row("hexists", 200, key_and_field),
    row("hlen", 250, hash),
    row("hstrlen", 250, key_and_field),
    row("hincrby", 450, hincrby),
    row("hincrbyfloat", 600, hincrbyfloat),
    row("hrandfield", 400, hrandfield),
    row("hscan", 400, hscan),
    row("hexpire", 250, |words, command| {
        field_deadlines::expire(words, command, SECONDS_FROM_NOW);
    }),
    row("hpexpire", 250, |words, command| {
        field_deadlines::expire(words, command, MILLISECONDS_FROM_NOW);
    }),
    row("hexpireat", 250, |words, command| {
        field_deadlines::expire(words, command, SECONDS_ABSOLUTE);
    }),
    row("hpexpireat", 250, |words, command| {
        field_deadlines::expire(words, command, MILLISECONDS_ABSOLUTE);
    }),
    row("httl", 150, field_deadlines::of_fields),
    row("hpttl", 150, field_deadlines::of_fields),
    row("hexpiretime", 200, field_deadlines::of_fields),
    row("hpexpiretime", 200, field_deadlines::of_fields),
    row("hpersist", 200, field_deadlines::of_fields),
    row("hgetdel", 150, field_deadlines::of_fields),
    row("hgetex", 400, field_deadlines::hgetex),
    row("hsetex", 400, field_deadlines::hsetex),
    row("set", 800, set),
    row("setex", 100, string_parts::setex),
    row("psetex", 100, string_parts::psetex),
    row("setnx", 100, string_parts::key_and_value),
    row("get", 300, string_parts::key),
    row("getset", 100, string_parts::key_and_value),
    row("getdel", 60, string_parts::key),
    row("getex", 300, string_parts::getex),
    row("append", 250, string_parts::key_and_value),
    row("strlen", 120, string_parts::key),
    row("getrange", 250, string_parts::getrange),
    row("substr", 60, string_parts::getrange),
    row("setrange", 250, string_parts::setrange),
    row("mset", 120, mset),
    row("mget", 150, |words, command| command.extend(words.keys(Liking::Any))),
    row("incr", 120, string_parts::key),
    row("decr", 120, string_parts::key),
    row("incrby", 300, string_and_integer),
    row("decrby", 300, string_and_integer),
    row("incrbyfloat", 400, string_parts::incrbyfloat),
    row("del", 120, |words, command| command.extend(words.keys(Liking::Any))),
    row("unlink", 80, |words, command| command.extend(words.keys(Liking::Any))),
    row("exists", 150, |words, command| command.extend(words.keys(Liking::Any))),
    row("touch", 80, |words, command| command.extend(words.keys(Liking::Any))),
    row("msetnx", 80, mset),
    row("rename", 120, two_keys),
    row("renamenx", 120, two_keys),
    row("copy", 200, copy),
    row("move", 120, |words, command| command.extend([words.key(Liking::Any), words.database()])),
    row("swapdb", 15, |words, command| command.extend([words.database(), words.database()])),
    row("type", 150, any_key),
    row("keys", 100, |words, command| command.push(words.pattern())),
    row("randomkey", 100, |_, _| {}),
    row("expire", 200, |words, command| {
        expire(words, command, Words::time_from_now, Unit::Seconds);
    }),
    row("pexpire", 200, |words, command| {
        expire(words, command, Words::time_from_now, Unit::Milliseconds);
    }),
    row("expireat", 250, |words, command| {
        expire(words, command, Words::time_absolute, Unit::Seconds);
    }),
    row("pexpireat", 250, |words, command| {
        expire(words, command, Words::time_absolute, Unit::Milliseconds);
    }),
    row("ttl", 150, any_key),
    row("pttl", 150, any_key),
    row("expiretime", 200, any_key),
    row("pexpiretime", 200, any_key),
    row("persist", 150, any_key),
    row("scan", 250, scan),
    row("dbsize", 80, |_, _| {}),
    row("flushdb", 1, flush),
    row("flushall", 1, flush),
    row("object|encoding", 300, any_key),
    row("object|refcount", 100, any_key),
    row("object|idletime", 30, any_key),
    row("object|freq", 30, any_key),
    row("object|help", 5, |_, _| {}),
    row("memory|usage", 150, memory_usage),
];

/// The names of the commands that are made.
pub(crate) fn names(way: Way) -> impl Iterator<Item = &'static str> {
    rows(way).map(|row| row.name).filter(|name| !name.is_empty())
}

fn rows(way: Way) -> impl Iterator<Item = &'static Row> {
    let of_servers = if way == Way::Socket { server_parts::ROWS } else { &[] };
    ROWS.iter().chain(of_servers)
}

/// The name of a command that is made; empty for what is none.
pub(crate) fn name(command: &Command) -> &'static str {
    let (name, part) = (&command[0], command.get(1).map(Vec::as_slice));
    if let Some((row, _)) = hectare_store::Command::find(name, part) {
        return row.name;
    }
    let is_named = |row: &&Row| match row.name.split_once('|') {
        None => name.eq_ignore_ascii_case(row.name.as_bytes()),
        Some((own, own_part)) => {
            name.eq_ignore_ascii_case(own.as_bytes())
                && part.is_some_and(|part| part.eq_ignore_ascii_case(own_part.as_bytes()))
        }
    };
    server_parts::ROWS.iter().find(is_named).map_or("", |row| row.name)
}

/// Makes commands that follow from a seed.
#[derive(Debug)]
pub(crate) struct Grammar {
    words: Words,
    way: Way,
    weights: u32,
}

impl Grammar {
    pub(crate) fn with_seed(seed: u64, way: Way) -> Self {
        let weights = rows(way).map(|row| row.weight).sum();
        Self { words: Words::with_seed(seed), way, weights }
    }

    pub(crate) fn words(&mut self) -> &mut Words {
        &mut self.words
    }

    /// Adds one command, with those before it whose answers say how to compare its own.
    pub(crate) fn add(&mut self, commands: &mut Vec<Command>) {
        let mut command = self.command();
        self.spoil(&mut command);
        spare_memory(&mut command);
        server_parts::ask_what_is_the_same(&mut command);
        Self::add_probes(&command, commands);
        commands.push(command);
    }

    /// Adds what tells how to compare the answer of `command`: in which order a hash is read and what
    /// is in it. And looks for keys whose deadline may have passed before they are counted or weighed:
    /// Redis counts and weighs them until somebody does.
    fn add_probes(command: &Command, commands: &mut Vec<Command>) {
        let is = |known: &str| command[0].eq_ignore_ascii_case(known.as_bytes());
        let mut ask = |name: &str, keys: &[Vec<u8>]| {
            let name = name.split(' ').map(|word| word.as_bytes().to_vec());
            commands.push(name.chain(keys.iter().cloned()).collect());
        };
        if is("dbsize") {
            ask("EXISTS", &KEYS.map(<[u8]>::to_vec));
        }
        if let Some(key) = command.get(2..3).filter(|_| is("memory")) {
            ask("EXISTS", key);
        }
        if is("randomkey") {
            ask("KEYS *", &[]);
        }
        let Some(key) = command.get(1..2) else { return };
        if is("hgetall") || is("hkeys") || is("hvals") || is("hrandfield") || is("hscan") {
            ask("OBJECT ENCODING", key);
        }
        if is("hrandfield") || is("hscan") {
            ask("HGETALL", key);
        }
    }

    fn command(&mut self) -> Command {
        let mut place = self.words.dice.below(self.weights);
        let row = rows(self.way).find(|row| match place.checked_sub(row.weight) {
            Some(rest) => {
                place = rest;
                false
            }
            None => true,
        });
        let row = row.expect("the weights add up");
        let mut command = if row.name.is_empty() { Vec::new() } else { self.words.name(row.name) };
        (row.arguments)(&mut self.words, &mut command);
        command
    }

    /// Gives a few commands more or fewer arguments than they should have. None of what is added is a
    /// number, so that no deadline comes near.
    fn spoil(&mut self, command: &mut Command) {
        let words = &mut self.words;
        match words.dice.below(1000) {
            0..15 => command.truncate(1),
            15..35 => command.truncate(command.len().saturating_sub(1).max(1)),
            35..60 => command.push(option(words)),
            60..65 => command.extend([KEYS[1].to_vec(), option(words)]),
            _ => {}
        }
    }
}

/// A word that is an option of some command, or of none.
pub(crate) fn option(words: &mut Words) -> Vec<u8> {
    const OPTIONS: &[&str] = &[
        "nx",
        "nx\0junk",
        "xx",
        "gt",
        "lt",
        "get",
        "keepttl",
        "persist",
        "fxx",
        "withvalues",
        "WithValues\0",
        "novalues",
        "samples\0x",
        "sync\0async",
        "sync",
        "async",
        "match",
        "samples",
        "junk",
        "",
        "\u{e4}",
    ];
    let option = words.dice.pick(OPTIONS);
    words.cased(option)
}

/// A negative count of `HRANDFIELD` has no bound in Redis, which would die of it.
fn spare_memory(command: &mut Command) {
    let [name, _, count, options @ ..] = &mut command[..] else { return };
    let number = std::str::from_utf8(count).ok().and_then(|text| text.parse::<i64>().ok());
    let Some(number) = number.filter(|&number| number < -1000 && number != i64::MIN) else {
        return;
    };
    let is_withvalues = |option: &[u8]| {
        let word = option.split(|&byte| byte == 0).next();
        word.is_some_and(|word| word.eq_ignore_ascii_case(b"withvalues"))
    };
    let is_refused = match options {
        [] => false,
        [option] if is_withvalues(option) => number < -(i64::MAX / 2),
        _ => true,
    };
    if name.eq_ignore_ascii_case(b"hrandfield") && !is_refused {
        *count = b"-40".to_vec();
    }
}

fn no_command(words: &mut Words, command: &mut Command) {
    const NAMES: &[&[u8]] = &[
        b"nosuch",
        b"hsett",
        b"h set",
        b"hset ",
        b"",
        b"GE\0T",
        b"\0",
        b"new\r\nline",
        b"\xff\xfename",
        b"%s%n",
        &[b'N'; 200],
    ];
    match words.dice.below(10) {
        0 => command.extend(words.name("object")),
        1 => command.extend(words.name("memory")),
        2 => command.extend(words.name("object|nosuch")),
        3 => command.extend([b"OBJECT".to_vec(), words.value()]),
        4 => command.extend([b"Memory".to_vec(), words.value()]),
        _ => command.push(words.dice.pick(NAMES).to_vec()),
    }
    for _ in 0..words.dice.below(6) {
        command.push(words.value());
    }
}

fn any_key(words: &mut Words, command: &mut Command) {
    command.push(words.key(Liking::Any));
}

fn hash(words: &mut Words, command: &mut Command) {
    command.push(words.key(Liking::Hash));
}

fn key_and_field(words: &mut Words, command: &mut Command) {
    command.extend([words.key(Liking::Hash), words.field()]);
}

fn key_and_fields(words: &mut Words, command: &mut Command) {
    command.push(words.key(Liking::Hash));
    for _ in 0..words.dice.between(1, 8) {
        command.push(words.field());
    }
}

fn pairs(words: &mut Words, command: &mut Command) {
    let key = words.key(Liking::Hash);
    let count = match (key == GROWN_KEY, words.dice.below(1000)) {
        (true, 0..400) => words.dice.between(10, 60),
        (true, 400..404) => words.dice.between(510, 520),
        (false, 0..2) => words.dice.between(510, 516),
        (_, 0..500) => 1,
        _ => words.dice.between(2, 6),
    };
    command.push(key);
    for _ in 0..count {
        let field = if count > 9 { words.numbered_field(700) } else { words.field() };
        let value = words.value_of(&field);
        command.extend([field, value]);
    }
    if count > 9 {
        // One long value makes a hashtable of it; these are to grow into one.
        command[2..].iter_mut().for_each(|value| value.truncate(64));
    }
}

fn hdel(words: &mut Words, command: &mut Command) {
    key_and_fields(words, command);
    if command[1] == GROWN_KEY && words.dice.percent(30) {
        for _ in 0..words.dice.between(20, 90) {
            command.push(words.numbered_field(700));
        }
    }
}

fn hincrby(words: &mut Words, command: &mut Command) {
    key_and_field(words, command);
    if words.dice.percent(60) || !IS_X86_64 {
        command[2] = INTEGER_FIELD.to_vec();
    }
    command.push(words.integer());
}

fn hincrbyfloat(words: &mut Words, command: &mut Command) {
    key_and_field(words, command);
    if words.dice.percent(60) || !IS_X86_64 {
        command[2] = FLOAT_FIELD.to_vec();
    }
    command.push(words.float());
}

fn hrandfield(words: &mut Words, command: &mut Command) {
    command.push(words.key(Liking::Hash));
    if words.dice.percent(20) {
        return;
    }
    command.push(match words.dice.below(10) {
        0..5 => words.dice.below(8).to_string().into_bytes(),
        5..8 => format!("-{}", words.dice.below(40)).into_bytes(),
        8 => words.dice.pick(&[&b"500"[..], b"700", b"100000"]).to_vec(),
        _ => words.integer(),
    });
    match words.dice.below(10) {
        0..5 => {}
        5..9 => command.push(words.cased("withvalues")),
        _ => command.push(option(words)),
    }
}

fn hscan(words: &mut Words, command: &mut Command) {
    command.extend([words.key(Liking::Hash), words.cursor()]);
    scan_options(words, command);
}

fn scan(words: &mut Words, command: &mut Command) {
    command.push(words.cursor());
    scan_options(words, command);
}

fn scan_options(words: &mut Words, command: &mut Command) {
    for _ in 0..[0, 0, 1, 1, 2, 3][words.dice.index(6)] {
        match words.dice.below(20) {
            0..7 => command.extend([words.cased("match"), words.pattern()]),
            7..13 => {
                let count = match words.dice.below(4) {
                    0 => words.integer(),
                    1 => words.dice.pick(&[&b"0"[..], b"1", b"9223372036854775807"]).to_vec(),
                    _ => words.dice.between(1, 1500).to_string().into_bytes(),
                };
                command.extend([words.cased("count"), count]);
            }
            13..15 => command.push(words.cased("novalues")),
            15..18 => {
                let types = ["hash", "string", "string\0s", "list", "nosuch", ""];
                let name = words.dice.pick(&types);
                command.extend([words.cased("type"), words.cased(name)]);
            }
            18 => {
                let name = words.dice.pick(&["match", "count", "type"]);
                command.push(words.cased(name));
            }
            _ => command.push(option(words)),
        }
    }
}

fn set(words: &mut Words, command: &mut Command) {
    command.extend([words.key(Liking::String), words.value()]);
    for _ in 0..[0, 0, 0, 1, 1, 1, 2, 2, 3][words.dice.index(9)] {
        match words.dice.below(20) {
            0..3 => command.push(words.cased("nx")),
            3..6 => command.push(words.cased("xx")),
            6..10 => command.push(words.cased("get")),
            10..12 => command.push(words.cased("keepttl")),
            12 => command.extend([words.cased("ifeq"), words.value()]),
            13..19 => {
                let (name, time) = match words.dice.below(4) {
                    0 => ("ex", words.time_from_now(Unit::Seconds)),
                    1 => ("px", words.time_from_now(Unit::Milliseconds)),
                    2 => ("exat", words.time_absolute(Unit::Seconds)),
                    _ => ("pxat", words.time_absolute(Unit::Milliseconds)),
                };
                command.push(words.cased(name));
                if words.dice.percent(97) {
                    command.push(time);
                }
            }
            _ => command.push(option(words)),
        }
    }
}

fn mset(words: &mut Words, command: &mut Command) {
    for _ in 0..words.dice.between(1, 5) {
        command.extend([words.key(Liking::String), words.value()]);
    }
}

fn two_keys(words: &mut Words, command: &mut Command) {
    command.extend([words.key(Liking::Any), words.key(Liking::Any)]);
}

fn copy(words: &mut Words, command: &mut Command) {
    two_keys(words, command);
    for _ in 0..[0, 0, 1, 1, 2][words.dice.index(5)] {
        match words.dice.below(8) {
            0..5 => command.push(words.cased("replace")),
            5..7 => command.extend([words.cased("db"), words.database()]),
            _ => command.push(option(words)),
        }
    }
}

fn string_and_integer(words: &mut Words, command: &mut Command) {
    command.extend([words.key(Liking::String), words.integer()]);
}

fn expire(
    words: &mut Words,
    command: &mut Command,
    time: fn(&mut Words, Unit) -> Vec<u8>,
    unit: Unit,
) {
    command.extend([words.key(Liking::Any), time(words, unit)]);
    for _ in 0..[0, 0, 1, 1, 1, 2, 3][words.dice.index(7)] {
        let condition = match words.dice.below(17) {
            0..4 => "nx",
            4..8 => "xx",
            8..12 => "gt",
            12..16 => "lt",
            _ => return command.push(option(words)),
        };
        command.push(words.cased(condition));
    }
}

fn flush(words: &mut Words, command: &mut Command) {
    match words.dice.below(6) {
        0 => command.push(words.cased("sync")),
        1 => command.push(words.cased("async")),
        2 => command.push(option(words)),
        _ => {}
    }
}

fn memory_usage(words: &mut Words, command: &mut Command) {
    command.push(words.key(Liking::Any));
    for _ in 0..[0, 0, 1, 2][words.dice.index(4)] {
        command.push(words.cased("samples"));
        command.push(words.integer());
    }
}
