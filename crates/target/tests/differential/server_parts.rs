//! How are random commands made that only a server answers?
//!
//! About connections, what is configured, and the server itself. Left out is what tells two servers
//! apart (`INFO`, `CLIENT ID`, `TIME`), what ends a connection or a server, and `CLIENT REPLY OFF`
//! and `SKIP`, after which replies could not be counted; the conversations have those.

use crate::grammar::{Row, option, row};
use crate::words::{Command, KEYS, Liking, Words};

pub(crate) const ROWS: &[Row] = &[
    row("select", 150, |words, command| command.push(words.database())),
    row("ping", 100, some_values),
    row("echo", 100, |words, command| command.push(words.value())),
    row("hello", 60, hello),
    row("reset", 20, |_, _| {}),
    row("auth", 40, auth),
    row("client|setname", 60, |words, command| command.push(client_name(words))),
    row("client|getname", 80, |_, _| {}),
    row("client|setinfo", 60, client_setinfo),
    row("client|reply", 20, |words, command| {
        let mode = words.dice.pick(&["on", "on", "of", "on\0off", ""]);
        command.push(words.cased(mode));
    }),
    row("client|no-evict", 20, switch),
    row("client|no-touch", 20, switch),
    row("client|pause", 20, client_pause),
    row("client|unpause", 20, |_, _| {}),
    row("client|unblock", 20, client_unblock),
    row("client|getredir", 40, |_, _| {}),
    row("client|kill", 40, client_kill),
    row("client|list", 20, client_list),
    row("config|get", 60, |words, command| command.extend(limit_names(words))),
    row("config|set", 150, config_set),
    row("config|resetstat", 40, |_, _| {}),
    row("command|getkeys", 80, command_getkeys),
    row("wait", 20, wait),
    row("acl|whoami", 40, |_, _| {}),
    row("cluster", 20, |words, command| {
        let part = words.dice.pick(&["info", "myid", "nodes", "slots", "nosuch", ""]);
        command.push(words.cased(part));
    }),
    row("function|flush", 40, flush_mode),
    row("script|flush", 40, flush_mode),
    // Names that have subcommands, with one that is not there.
    row("client|nosuch", 20, some_values),
    row("config|nosuch", 20, some_values),
    row("command|nosuch", 20, some_values),
    row("acl|nosuch", 20, some_values),
    row("function|nosuch", 20, some_values),
    row("script|nosuch", 20, some_values),
];

/// Leaves out what two servers answer in different ways: lists of all clients or all commands, a login
/// in vain, and what is too much for Redis and not for Valkey.
pub(crate) fn ask_what_is_the_same(command: &mut Command) {
    let is_for_all = match &command[..] {
        [name] => name.eq_ignore_ascii_case(b"command"),
        [name, part] => name.eq_ignore_ascii_case(b"client") && part.eq_ignore_ascii_case(b"list"),
        _ => false,
    };
    if is_for_all {
        command.push(b"junk".to_vec());
    }
    if let [name, user, _, ..] = &mut command[..]
        && name.eq_ignore_ascii_case(b"auth")
    {
        *user = b"default".to_vec();
    }
    let words_max = |[own_name, own_part]: [&str; 2], count: usize| {
        let [name, part, ..] = &command[..] else { return None };
        let is_it = name.eq_ignore_ascii_case(own_name.as_bytes())
            && part.eq_ignore_ascii_case(own_part.as_bytes());
        is_it.then_some(count)
    };
    let limits = [(["client", "pause"], 4), (["client", "unblock"], 4), (["function", "flush"], 3)];
    if let Some(count) = limits.into_iter().find_map(|(names, count)| words_max(names, count)) {
        command.truncate(count);
    }
}

fn some_values(words: &mut Words, command: &mut Command) {
    for _ in 0..[0, 0, 1, 1, 1, 2, 3][words.dice.index(7)] {
        command.push(words.value());
    }
}

fn hello(words: &mut Words, command: &mut Command) {
    if words.dice.percent(10) {
        return;
    }
    let versions = [&b"2"[..], b"3", b"2", b"3", b"2", b"3", b"2", b"3"];
    command.push(match words.dice.percent(85) {
        true => words.dice.pick(&versions).to_vec(),
        false => words.dice.pick(&[&b"1"[..], b"4", b"-3", b"03", b"x", b"", b"3 "]).to_vec(),
    });
    for _ in 0..[0, 0, 0, 1, 1, 2, 3][words.dice.index(7)] {
        match words.dice.below(10) {
            0..5 => command.extend([words.cased("setname"), client_name(words)]),
            5..9 => {
                command.extend([words.cased("auth"), b"default".to_vec(), words.value()]);
            }
            _ => command.push(option(words)),
        }
    }
}

/// Never in vain: Redis says nothing of that if replies are on their way.
fn auth(words: &mut Words, command: &mut Command) {
    match words.dice.below(10) {
        0..3 => command.push(words.value()),
        3..9 => command.extend([b"default".to_vec(), words.value()]),
        _ => command.extend([words.value(), words.value(), words.value()]),
    }
}

fn client_name(words: &mut Words) -> Vec<u8> {
    const NAMES: [&[u8]; 9] =
        [b"me", b"you", b"", b"a b", b"line\n", b"tab\t", b"~", b"\xc3\xa4", b"a\0b"];
    words.dice.pick(&NAMES).to_vec()
}

fn client_setinfo(words: &mut Words, command: &mut Command) {
    let attribute = words.dice.pick(&["lib-name", "lib-name", "lib-ver", "lib-ver", "lib", ""]);
    command.extend([words.cased(attribute), client_name(words)]);
}

fn switch(words: &mut Words, command: &mut Command) {
    let word = words.dice.pick(&["on", "off", "on", "off", "maybe", "on\0", ""]);
    command.push(words.cased(word));
}

/// Never for a time that anybody would notice.
fn client_pause(words: &mut Words, command: &mut Command) {
    let times = [&b"0"[..], b"0", b"0", b"-1", b"x", b"", b"9223372036854775808"];
    command.push(words.dice.pick(&times).to_vec());
    if words.dice.percent(50) {
        let mode = words.dice.pick(&["all", "write", "write", "read", ""]);
        command.push(words.cased(mode));
    }
}

fn client_unblock(words: &mut Words, command: &mut Command) {
    let ids = [&b"0"[..], b"999999", b"-1", b"x", b"", b"9223372036854775808"];
    command.push(words.dice.pick(&ids).to_vec());
    if words.dice.percent(50) {
        let how = words.dice.pick(&["timeout", "error", "never"]);
        command.push(words.cased(how));
    }
}

/// Nobody who is there.
fn client_kill(words: &mut Words, command: &mut Command) {
    for _ in 0..words.dice.between(1, 3) {
        match words.dice.below(8) {
            0 => command.push(b"127.0.0.1:1".to_vec()),
            1 => command.extend([words.cased("id"), b"999999".to_vec()]),
            2 => command.extend([words.cased("id"), client_id(words)]),
            3 => command.extend([words.cased("addr"), b"127.0.0.1:1".to_vec()]),
            4 => command.extend([words.cased("laddr"), b"127.0.0.1:1".to_vec()]),
            5 => command.extend([words.cased("type"), b"nosuch".to_vec()]),
            6 => command.extend([words.cased("user"), b"nobody".to_vec()]),
            _ => command.push(option(words)),
        }
    }
}

/// What is no client's identifier.
fn client_id(words: &mut Words) -> Vec<u8> {
    words.dice.pick(&[&b"0"[..], b"-1", b"x", b"", b"1 ", b"9223372036854775808"]).to_vec()
}

/// Nobody who is there.
fn client_list(words: &mut Words, command: &mut Command) {
    match words.dice.below(6) {
        0 => command.extend([words.cased("type"), words.cased("pubsub")]),
        1 => command.extend([words.cased("type"), words.cased("nosuch")]),
        2 => command.extend([words.cased("id"), b"999999".to_vec()]),
        3 => command.extend([words.cased("id"), client_id(words)]),
        4 => command.extend([words.cased("id"), b"999999".to_vec(), client_id(words)]),
        _ => command.push(b"nosuch".to_vec()),
    }
}

/// Parameters that say when a hash is a hashtable, and names that are none.
fn limit_names(words: &mut Words) -> Vec<Vec<u8>> {
    const NAMES: [&str; 8] = [
        "hash-max-listpack-entries",
        "hash-max-listpack-value",
        "hash-max-ziplist-entries",
        "hash-max-ziplist-value",
        "hash-max-*",
        "HASH-MAX-LISTPACK-*",
        "hash-max-listpack-valu[f]",
        "",
    ];
    (0..words.dice.between(1, 3))
        .map(|_| {
            let name = words.dice.pick(&NAMES);
            words.cased(name)
        })
        .collect()
}

fn config_set(words: &mut Words, command: &mut Command) {
    for _ in 0..[1, 1, 1, 2, 3][words.dice.index(5)] {
        let is_about_value = words.dice.percent(50);
        let name = match (is_about_value, words.dice.below(20)) {
            (true, 0..14) => "hash-max-listpack-value",
            (true, 14..19) => "hash-max-ziplist-value",
            (false, 0..14) => "hash-max-listpack-entries",
            (false, 14..19) => "hash-max-ziplist-entries",
            _ => "hash-max-nosuch",
        };
        command.push(words.cased(name));
        let limit = match (words.dice.below(20), is_about_value) {
            (0..8, true) => words.dice.pick(&[&b"64"[..], b"20", b"4"]).to_vec(),
            (0..8, false) => words.dice.pick(&[&b"512"[..], b"100", b"8"]).to_vec(),
            (8..14, true) => b"64".to_vec(),
            (8..14, false) => b"512".to_vec(),
            (14, _) => b"9223372036854775807".to_vec(),
            (15, _) => b"9223372036854775808".to_vec(),
            (16, _) => b"1kb".to_vec(),
            _ => words.integer(),
        };
        // Valkey says of a number beyond 64 bits that it is none, Redis that it is out of range.
        let is_beyond = limit.len() > 19 && limit.iter().all(u8::is_ascii_digit);
        command.push(if is_beyond { b"-5".to_vec() } else { limit });
    }
}

fn command_getkeys(words: &mut Words, command: &mut Command) {
    match words.dice.below(8) {
        0 => command.extend(words.name("hset")),
        1 => command.extend(words.name("mget")),
        2 => command.extend(words.name("mset")),
        3 => command.extend(words.name("rename")),
        4 => command.extend(words.name("ping")),
        5 => command.extend(words.name("object|encoding")),
        6 => command.extend(words.name("httl")),
        _ => command.push(words.value()),
    }
    for _ in 0..words.dice.below(6) {
        command.push(words.key(Liking::Any));
    }
}

fn wait(words: &mut Words, command: &mut Command) {
    // None that would wait for longer than anybody would notice.
    let replicas = words.dice.pick(&[&b"0"[..], b"0", b"0", b"-1", b"x", b"1"]).to_vec();
    let time = words.dice.pick(&[&b"1"[..], b"1", b"-1", b"x", b""]).to_vec();
    command.extend([replicas, time]);
}

fn flush_mode(words: &mut Words, command: &mut Command) {
    if words.dice.percent(70) {
        let mode = words.dice.pick(&["sync", "async", "later", ""]);
        command.push(words.cased(mode));
    }
    if words.dice.percent(5) {
        command.push(KEYS[1].to_vec());
    }
}
