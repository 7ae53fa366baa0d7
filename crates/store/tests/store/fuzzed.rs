//! Can any bytes, read as commands, lead a store where its model does not follow?
//!
//! The test here feeds random bytes. A fuzzer, which looks for bytes that reach new code, drives the
//! same [`run`] (see `crates/store/fuzz`):
//!
//! ```text
//! cargo install cargo-fuzz
//! cd crates/store
//! RUSTC_BOOTSTRAP=1 cargo fuzz run commands -- -max_len=4096 -max_total_time=300
//! ```
//!
//! Coverage and the address sanitizer need compiler options that only a nightly compiler takes, or a
//! stable one with `RUSTC_BOOTSTRAP=1`.

use std::ops::Range;

use crate::forms::{DATABASES, KINDS, Step, Words, World, field_of, key_of};

/// A longer input is cut: what it does beyond, a shorter one does.
const STEPS_MAX: usize = 300;

/// Bytes, read from the front; zeros after the last.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    fn below(&mut self, bound: u32) -> u32 {
        (u32::from(self.byte()) << 8 | u32::from(self.byte())) % bound
    }

    fn range(&mut self) -> Range<u32> {
        let first = self.below(150);
        first..first + 1 + self.below(100)
    }

    fn key(&mut self) -> Vec<u8> {
        match self.byte() {
            0..30 => b"a".to_vec(),
            30..60 => Vec::new(),
            60..64 => vec![b'k'; 70_000],
            byte => key_of(usize::from(byte) % KINDS, self.below(40)),
        }
    }

    fn field(&mut self) -> Vec<u8> {
        match self.byte() {
            0..200 => field_of(self.below(30)),
            200..230 => Vec::new(),
            byte => vec![byte; usize::from(byte)],
        }
    }

    fn value(&mut self) -> Vec<u8> {
        let integer = |input: &mut Self, bytes: usize| {
            let mut whole = [0; 8];
            whole[..bytes].iter_mut().for_each(|byte| *byte = input.byte());
            i64::from_le_bytes(whole).to_string().into_bytes()
        };
        match self.byte() {
            kind @ 0..90 => integer(self, usize::from(kind) % 9),
            90..200 => vec![b'v'; self.below(60) as usize],
            200..230 => vec![self.byte(); self.below(600) as usize],
            230..252 => vec![b'w'; self.below(6_000) as usize],
            252 => vec![b'x'; 65_000 + self.below(1_000) as usize],
            253 => b"007".to_vec(),
            254 => b"-0".to_vec(),
            255 => b"9223372036854775808".to_vec(),
        }
    }

    fn number(&mut self, bound: u32) -> Vec<u8> {
        self.below(bound).to_string().into_bytes()
    }

    fn many(&mut self, mut one: impl FnMut(&mut Self) -> Words) -> Words {
        (0..1 + self.byte() % 7).flat_map(|_| one(self)).collect()
    }

    /// A count and so many fields, or pairs.
    fn counted(&mut self, pairs: bool) -> Words {
        let count = 1 + self.byte() % 4;
        let mut words = vec![b"FIELDS".to_vec(), count.to_string().into_bytes()];
        for _ in 0..count {
            words.push(self.field());
            if pairs {
                words.push(self.value());
            }
        }
        words
    }

    #[expect(clippy::too_many_lines, reason = "a table of commands, and how each looks")]
    fn command(&mut self) -> (u8, Words) {
        let database = match self.byte() {
            0..200 => 0,
            byte => byte % u8::try_from(DATABASES).expect("they are few"),
        };
        let mut words: Words = vec![Vec::new(), self.key()];
        let name = match self.byte() % 32 {
            0..5 => {
                words.extend(self.many(|input| vec![input.field(), input.value()]));
                "HSET"
            }
            5 => {
                words.extend([self.field(), self.value()]);
                "HSETNX"
            }
            6 => {
                words.push(self.field());
                "HGET"
            }
            7..10 => {
                words.extend(self.many(|input| vec![input.field()]));
                "HDEL"
            }
            10 => "HGETALL",
            11 => {
                words.extend([self.field(), self.value()]);
                "HINCRBY"
            }
            12 | 13 => {
                words.push(self.value());
                "SET"
            }
            14 => "GET",
            15 => {
                words.push(self.value());
                "APPEND"
            }
            16 => {
                words.extend([self.number(300), self.value()]);
                "SETRANGE"
            }
            17 | 18 => "DEL",
            19 => {
                words.push(self.number(60));
                "PEXPIRE"
            }
            20 => "PERSIST",
            21 => "ENCODING",
            22 => "PTTL",
            23..26 => {
                words.push(self.number(60));
                words.extend(self.counted(false));
                "HPEXPIRE"
            }
            26 => {
                words.extend(self.counted(false));
                "HPERSIST"
            }
            27 => {
                words.extend(self.counted(false));
                "HGETDEL"
            }
            28 | 29 => {
                words.extend([b"PX".to_vec(), self.number(60)]);
                words.extend(self.counted(true));
                "HSETEX"
            }
            30 => "HLEN",
            _ => {
                words.truncate(1);
                if self.byte().is_multiple_of(4) { "FLUSHALL" } else { "FLUSHDB" }
            }
        };
        words[0] = name.as_bytes().to_vec();
        (database, words)
    }

    fn step(&mut self) -> Step {
        match self.byte() {
            0..140 => Step::Commands(vec![self.command()]),
            140..165 => {
                let count = 2 + self.byte() % 30;
                Step::Commands((0..count).map(|_| self.command()).collect())
            }
            165..180 => {
                let (kind, numbers) = (usize::from(self.byte()) % KINDS, self.range());
                let name = b"HSET".to_vec();
                let words = vec![name, Vec::new(), self.field(), self.value()];
                Step::Fill { kind, numbers, words }
            }
            180..190 => {
                let (kind, numbers) = (usize::from(self.byte()) % KINDS, self.range());
                Step::Fill { kind, numbers, words: vec![b"DEL".to_vec(), Vec::new()] }
            }
            190..200 => {
                let (key, fields, value) = (self.key(), self.range(), self.value());
                // Long ones would take all the time.
                let value = value.into_iter().take(100).collect();
                Step::Grow { key, fields, value, at_once: self.byte().is_multiple_of(2) }
            }
            200..210 => Step::Shrink { key: self.key(), fields: self.range() },
            210..225 => Step::Wait { ms: u64::from(self.byte() % 40) },
            225..232 => Step::Expire { budget: usize::from(self.byte() % 10) },
            _ => Step::Tend { times: usize::from(self.byte() % 60) },
        }
    }
}

/// Reads bytes as steps, takes them, and compares the store with its model.
///
/// # Panics
/// If they differ.
pub(crate) fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let mut world = World::new();
    let mut steps = 0;
    while !input.0.is_empty() && steps < STEPS_MAX {
        let step = input.step();
        world.take(&step).unwrap_or_else(|error| panic!("{error}, at {step:?}"));
        steps += 1;
    }
    let checks = [
        World::check_books,
        World::check_content,
        World::tend_all,
        World::check_books,
        World::check_content,
        World::empty,
    ];
    for check in checks {
        check(&mut world).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn no_bytes_lead_a_store_where_its_model_does_not_follow() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    for round in 0..if cfg!(feature = "tiny") { 120 } else { 40 } {
        let bytes: Vec<u8> = (0..500 + round * 20).map(|_| next()).collect();
        run(&bytes);
    }
}
