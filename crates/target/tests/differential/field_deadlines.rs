//! How are random commands about the deadlines of fields made?

use crate::words::{
    ABSOLUTE_DEADLINES_FROM_S, Command, FLOAT_FIELD, GROWN_KEY, Liking, Unit, Words,
};

/// What a time counts from and in.
pub(crate) type TimeForm = (fn(&mut Words, Unit) -> Vec<u8>, Unit);

pub(crate) const SECONDS_FROM_NOW: TimeForm = (Words::time_from_now, Unit::Seconds);
pub(crate) const MILLISECONDS_FROM_NOW: TimeForm = (Words::time_from_now, Unit::Milliseconds);
pub(crate) const SECONDS_ABSOLUTE: TimeForm = (Words::time_absolute, Unit::Seconds);
pub(crate) const MILLISECONDS_ABSOLUTE: TimeForm = (Words::time_absolute, Unit::Milliseconds);

/// Options that take a time.
pub(crate) const TIME_OPTIONS: [(&str, TimeForm); 4] = [
    ("ex", SECONDS_FROM_NOW),
    ("px", MILLISECONDS_FROM_NOW),
    ("exat", SECONDS_ABSOLUTE),
    ("pxat", MILLISECONDS_ABSOLUTE),
];

/// `HEXPIRE` and its like.
pub(crate) fn expire(words: &mut Words, command: &mut Command, form: TimeForm) {
    command.push(words.key(Liking::Hash));
    command.push(time(words, form));
    match words.dice.below(100) {
        0..45 => {}
        45..57 => command.push(words.cased("nx")),
        57..69 => command.push(words.cased("xx")),
        69..81 => command.push(words.cased("gt")),
        81..93 => command.push(words.cased("lt")),
        93..94 => command.extend([words.cased("nx"), words.cased("gt")]),
        94..95 => command.extend([words.cased("xx"), words.cased("gt")]),
        95..96 => command.extend([words.cased("lt"), words.cased("xx")]),
        96..98 => command.push(b"nx\0junk".to_vec()),
        _ => command.push(words.cased("keepttl")),
    }
    fields(words, command);
}

/// `HTTL` and its like, `HPERSIST`, `HGETDEL`.
pub(crate) fn of_fields(words: &mut Words, command: &mut Command) {
    command.push(words.key(Liking::Hash));
    fields(words, command);
}

pub(crate) fn hgetex(words: &mut Words, command: &mut Command) {
    command.push(words.key(Liking::Hash));
    match words.dice.below(100) {
        0..20 => {}
        20..40 => command.push(words.cased("persist")),
        40..97 => time_option(words, command),
        _ => {
            time_option(words, command);
            command.push(words.cased("persist"));
        }
    }
    fields(words, command);
}

pub(crate) fn hsetex(words: &mut Words, command: &mut Command) {
    command.push(words.key(Liking::Hash));
    for _ in 0..[0, 1, 1, 1, 2, 2, 3][words.dice.index(7)] {
        match words.dice.below(100) {
            0..20 => command.push(words.cased("fnx")),
            20..40 => command.push(words.cased("fxx")),
            40..60 => command.push(words.cased("keepttl")),
            60..92 => time_option(words, command),
            92..94 => command.push(words.cased("nx")),
            94..96 => command.push(words.cased("xx")),
            _ => {
                // Redis quotes all of it in an error, which is one line.
                let mut option = words.value();
                option.truncate(1000);
                command.push(option);
            }
        }
    }
    let is_grown = command[1] == GROWN_KEY && words.dice.percent(20);
    let count = if is_grown { words.dice.between(10, 60) } else { words.dice.between(1, 4) };
    command.push(words.cased("fields"));
    command.push(count_word(words, count, "4294967297"));
    for _ in 0..count {
        let field = if is_grown { words.numbered_field(700) } else { words.field() };
        let mut value = words.value_of(&field);
        if is_grown {
            // One long value makes a hashtable of it; this is to grow into one.
            value.truncate(64);
        }
        command.extend([field, value]);
    }
}

fn time_option(words: &mut Words, command: &mut Command) {
    let (name, form) = TIME_OPTIONS[words.dice.index(4)];
    command.push(words.cased(name));
    if words.dice.percent(98) {
        command.push(time(words, form));
    }
}

/// Times up to where the deadlines of fields end in Redis, and beyond.
fn time(words: &mut Words, (time, unit): TimeForm) -> Vec<u8> {
    let word = time(words, unit);
    if words.dice.percent(92) {
        return word;
    }
    let (factor, ends) = match unit {
        Unit::Seconds => (1, [&b"70368744177"[..], b"70368744178", b"70368744177663"]),
        Unit::Milliseconds => {
            (1000, [&b"70368744177663"[..], b"70368744177664", b"140737488355327"])
        }
    };
    let number = std::str::from_utf8(&word).ok().and_then(|text| text.parse::<u64>().ok());
    match number.map(|number| number / factor) {
        // From now on, each too far for Redis and none as far as another for Valkey.
        Some(1000..ABSOLUTE_DEADLINES_FROM_S) => {
            (number.unwrap_or_default() + 70_368_744_177 * factor).to_string().into_bytes()
        }
        Some(ABSOLUTE_DEADLINES_FROM_S..5_000_000_000) => words.dice.pick(&ends).to_vec(),
        _ => word,
    }
}

/// `FIELDS`, how many, and the fields; rarely wrong.
fn fields(words: &mut Words, command: &mut Command) {
    let count = words.dice.between(1, 6);
    match words.dice.below(100) {
        0 => command.push(b"fields\0junk".to_vec()),
        1 => command.push(words.value()),
        2 => {}
        _ => command.push(words.cased("fields")),
    }
    command.push(count_word(words, count, "9223372036854775807"));
    for _ in 0..count {
        let field = if words.dice.percent(5) { FLOAT_FIELD.to_vec() } else { words.field() };
        command.push(field);
    }
}

fn count_word(words: &mut Words, count: u32, large: &str) -> Vec<u8> {
    match words.dice.below(100) {
        0..93 => count.to_string().into_bytes(),
        93..95 => words.integer(),
        95 => large.as_bytes().to_vec(),
        96..98 => b"0".to_vec(),
        _ => (count + 1).to_string().into_bytes(),
    }
}
