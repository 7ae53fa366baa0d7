//! Can words that make no sense break a store?

use hectare_store::commands;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{Recorder, Shard};

/// Words that commands look for, numbers at borders, and noise.
fn word() -> impl Strategy<Value = Vec<u8>> {
    const WORDS: [&str; 56] = [
        "",
        "k",
        "h",
        "f",
        "g",
        "0",
        "1",
        "-1",
        "007",
        "1.5",
        "1e400",
        "-1e-4940",
        "0x1p-16445",
        "1e99999999999",
        "inf",
        "nan",
        "9223372036854775807",
        "-9223372036854775808",
        "100000",
        "9223372036854775",
        "18446744073709551615",
        "NX",
        "XX",
        "GT",
        "LT",
        "GET",
        "EX",
        "PX",
        "EXAT",
        "PXAT",
        "KEEPTTL",
        "PERSIST",
        "FIELDS",
        "FIELDS",
        "FIELDS",
        "FNX",
        "FXX",
        "2",
        "536870912",
        "COUNT",
        "MATCH",
        "TYPE",
        "NOVALUES",
        "WITHVALUES",
        "SYNC",
        "ASYNC",
        "SAMPLES",
        "encoding",
        "usage",
        "hash",
        "*",
        "[",
        "\\",
        "[^",
        "*[a-",
        "?*\\*",
    ];
    prop_oneof![
        8 => prop::sample::select(&WORDS[..]).prop_map(|word| word.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..80),
    ]
}

fn command() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let names = commands().iter().map(|row| row.name).collect::<Vec<_>>();
    (prop::sample::select(names), vec(word(), 0..8)).prop_map(|(name, arguments)| {
        let name = name.split('|').map(|part| part.as_bytes().to_vec());
        name.chain(arguments).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_command_gets_one_reply(commands in vec(command(), 1..60)) {
        let mut shard = Shard::with_config(|config| {
            config.hash_max_listpack_entries = 3;
            config.packed_fields_max = 4;
        });
        for (number, command) in (1_u64..).zip(&commands) {
            shard.store.set_now(number * 1_000);
            let mut recorder = Recorder { calls_max: 500, ..Recorder::default() };
            shard.ask_into(command, &mut recorder);
            prop_assert_eq!(recorder.replies().len(), 1, "{:?}", command);
        }
    }
}
