//! How are random commands about strings, and parts of them, made?

use crate::field_deadlines::{MILLISECONDS_FROM_NOW, SECONDS_FROM_NOW, TIME_OPTIONS};
use crate::words::{Command, IS_X86_64, Liking, Words};

pub(crate) fn key(words: &mut Words, command: &mut Command) {
    command.push(words.key(Liking::String));
}

pub(crate) fn key_and_value(words: &mut Words, command: &mut Command) {
    command.extend([words.key(Liking::String), words.value()]);
}

pub(crate) fn setex(words: &mut Words, command: &mut Command) {
    let (time, unit) = SECONDS_FROM_NOW;
    command.extend([words.key(Liking::String), time(words, unit), words.value()]);
}

pub(crate) fn psetex(words: &mut Words, command: &mut Command) {
    let (time, unit) = MILLISECONDS_FROM_NOW;
    command.extend([words.key(Liking::String), time(words, unit), words.value()]);
}

pub(crate) fn getex(words: &mut Words, command: &mut Command) {
    command.push(words.key(Liking::String));
    for _ in 0..[0, 1, 1, 1, 1, 2][words.dice.index(6)] {
        match words.dice.below(20) {
            0..6 => command.push(words.cased("persist")),
            6..18 => {
                let (name, (time, unit)) = TIME_OPTIONS[words.dice.index(4)];
                command.push(words.cased(name));
                if words.dice.percent(97) {
                    command.push(time(words, unit));
                }
            }
            18 => command.push(b"Persist\0junk".to_vec()),
            _ => command.push(words.cased("keepttl")),
        }
    }
}

pub(crate) fn getrange(words: &mut Words, command: &mut Command) {
    command.extend([words.key(Liking::String), index(words), index(words)]);
}

fn index(words: &mut Words) -> Vec<u8> {
    match words.dice.below(10) {
        0..6 => (i64::from(words.dice.below(30)) - 15).to_string().into_bytes(),
        6..9 => (i64::from(words.dice.below(140)) - 70).to_string().into_bytes(),
        _ => words.integer(),
    }
}

pub(crate) fn setrange(words: &mut Words, command: &mut Command) {
    command.push(words.key(Liking::String));
    let offset = match words.dice.below(100) {
        0..60 => words.dice.below(10).to_string().into_bytes(),
        60..80 => words.dice.below(100).to_string().into_bytes(),
        80..84 => words.dice.below(2000).to_string().into_bytes(),
        // None that is good and far: the string would be as long.
        _ => words
            .dice
            .pick(&[
                &b"-1"[..],
                b"-9223372036854775808",
                b"536870912",
                b"4294967296",
                b"9223372036854775807",
                b"9223372036854775808",
                b"007",
                b"",
                b"x",
            ])
            .to_vec(),
    };
    let value = if words.dice.percent(10) { Vec::new() } else { words.value() };
    command.extend([offset, value]);
}

pub(crate) fn incrbyfloat(words: &mut Words, command: &mut Command) {
    // Elsewhere only numbers that a `long double` of any width holds exactly may come together.
    let key = if IS_X86_64 { words.key(Liking::String) } else { b"float".to_vec() };
    command.extend([key, words.float()]);
}
