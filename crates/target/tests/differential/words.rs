//! Of which words are random commands made?
//!
//! Few keys and fields, so that types collide and hashes grow and shrink; values and numbers that
//! lie at borders. Deadlines are far away or long past, so that no answer depends on when a command
//! runs: those counted from now are all different by at least [`DEADLINE_STEP_S`], far more than a
//! run takes, and the absolute ones are later than all of them.

use crate::dice::Dice;

/// A command's name and arguments.
pub(crate) type Command = Vec<Vec<u8>>;

/// Every key that a command may name. The first four are there to hold hashes, [`GROWN_KEY`] among
/// them, the next four to hold strings.
pub(crate) const KEYS: [&[u8]; 14] = [
    GROWN_KEY,
    b"hash:1",
    b"hash:2",
    b"hash:3",
    b"text:1",
    b"text:2",
    b"count:1",
    b"count:2",
    b"any:1",
    b"any:2",
    b"",
    b"\xff\0bin\r\nary\xc3\x28",
    b"123",
    &[b'k'; 300],
];

/// The hash that is rarely removed and so grows past what a listpack holds.
pub(crate) const GROWN_KEY: &[u8] = b"hash:grown";

/// The fields that numbers are mostly added to.
pub(crate) const INTEGER_FIELD: &[u8] = b"count";
pub(crate) const FLOAT_FIELD: &[u8] = b"float";

/// Which keys a command is mostly for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Liking {
    Hash,
    String,
    Any,
}

/// What a time counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Milliseconds,
}

/// By how much any two deadlines that count from now are apart, in seconds.
const DEADLINE_STEP_S: u64 = 1000;

/// How many deadlines that count from now a run can have, a power of two.
const DEADLINES: u64 = 1 << 20;

/// Absolute deadlines that are not past are later than this (the year 2100), and those that count
/// from now are earlier.
pub(crate) const ABSOLUTE_DEADLINES_FROM_S: u64 = 4_102_444_800;

/// They are so near one another, but for a few that are at the end of all time.
pub(crate) const ABSOLUTE_DEADLINES_S: u64 = 10;

/// On other machines C's `char` is unsigned and its `long double` has other digits, and Redis with
/// them.
pub(crate) const IS_X86_64: bool = cfg!(target_arch = "x86_64");

/// Spells words.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) dice: Dice,
    deadlines: u64,
}

impl Words {
    pub(crate) fn with_seed(seed: u64) -> Self {
        Self { dice: Dice::with_seed(seed), deadlines: 0 }
    }

    /// The beginning of a command: its name, or its name and its subcommand's.
    pub(crate) fn name(&mut self, name: &str) -> Command {
        name.split('|').map(|word| self.cased(word)).collect()
    }

    /// An ASCII word in lower, upper or mixed case.
    pub(crate) fn cased(&mut self, word: &str) -> Vec<u8> {
        match self.dice.below(3) {
            0 => word.to_ascii_lowercase().into_bytes(),
            1 => word.to_ascii_uppercase().into_bytes(),
            _ => word
                .bytes()
                .map(|byte| match self.dice.percent(50) {
                    true => byte.to_ascii_uppercase(),
                    false => byte.to_ascii_lowercase(),
                })
                .collect(),
        }
    }

    pub(crate) fn key(&mut self, liking: Liking) -> Vec<u8> {
        let keys = match liking {
            Liking::Hash if self.dice.percent(80) => &KEYS[..4],
            Liking::String if self.dice.percent(80) => &KEYS[4..8],
            _ if self.dice.per_mille(5) => &KEYS[..],
            _ => &KEYS[1..],
        };
        self.dice.pick(keys).to_vec()
    }

    /// One key, or some, perhaps the same twice.
    pub(crate) fn keys(&mut self, liking: Liking) -> Vec<Vec<u8>> {
        let count = if self.dice.percent(50) { 1 } else { self.dice.between(2, 6) };
        (0..count).map(|_| self.key(liking)).collect()
    }

    pub(crate) fn field(&mut self) -> Vec<u8> {
        match self.dice.below(1000) {
            0..400 => {
                self.dice.pick(&[&b"a"[..], b"b", b"name", INTEGER_FIELD, FLOAT_FIELD]).to_vec()
            }
            400..500 => self.numbered_field(20),
            500..700 => self.numbered_field(700),
            700..800 => self.spelled_with(b"ab1*?[]^-\\", 3),
            800..996 => self
                .dice
                .pick(&[
                    &b""[..],
                    b"\0",
                    b"\r\n",
                    b"\xfe\xff",
                    b"a\0b",
                    b"7",
                    b"-1",
                    b"007",
                    b"9223372036854775807",
                    b"\xc3\xa4",
                    b"[a-z]*",
                    &[b'f'; 63],
                    &[b'f'; 64],
                ])
                .to_vec(),
            _ => self.dice.pick(&[&[b'f'; 65][..], &[b'g'; 300]]).to_vec(),
        }
    }

    /// A word of up to `length_max` of these bytes.
    fn spelled_with(&mut self, alphabet: &[u8], length_max: u32) -> Vec<u8> {
        let length = self.dice.between(0, length_max);
        (0..length).map(|_| alphabet[self.dice.index(alphabet.len())]).collect()
    }

    /// One of `count` fields.
    pub(crate) fn numbered_field(&mut self, count: u32) -> Vec<u8> {
        format!("f{}", self.dice.below(count)).into_bytes()
    }

    /// A value for `field`. [`FLOAT_FIELD`] holds nothing but what [`Self::float`] gives.
    pub(crate) fn value_of(&mut self, field: &[u8]) -> Vec<u8> {
        if field == FLOAT_FIELD { self.float() } else { self.value() }
    }

    pub(crate) fn value(&mut self) -> Vec<u8> {
        match self.dice.below(100) {
            0..20 => self.small_integer(),
            20..34 => self.border_integer(),
            34..44 => self.float(),
            44..60 => self.dice.pick(&[&b"a"[..], b"Ana", b"x y", b"0.1", b"true"]).to_vec(),
            60..70 => self.dice.pick(&[&b""[..], b"\0", b"\r\n", b"\xff\xfe", b"$-1\r\n"]).to_vec(),
            70..80 => self.bytes(20),
            80..96 => vec![b'v'; self.dice.between(40, 64) as usize],
            _ => {
                let lengths = [65, 66, 127, 128, 512, 513, 5000];
                let is_huge = self.dice.percent(2);
                vec![b'w'; if is_huge { 65_536 } else { lengths[self.dice.index(lengths.len())] }]
            }
        }
    }

    /// Any bytes, up to `length_max`.
    fn bytes(&mut self, length_max: u32) -> Vec<u8> {
        (0..self.dice.between(0, length_max)).map(|_| self.dice.byte()).collect()
    }

    fn small_integer(&mut self) -> Vec<u8> {
        (i64::from(self.dice.below(2000)) - 1000).to_string().into_bytes()
    }

    fn border_integer(&mut self) -> Vec<u8> {
        let bit = self.dice.below(65);
        let off = i128::from(self.dice.below(5)) - 2;
        let sign = if self.dice.percent(50) { 1 } else { -1 };
        (sign * (1_i128 << bit) + off).to_string().into_bytes()
    }

    /// What looks like an integer to some, and is none to Redis.
    fn odd_integer(&mut self) -> Vec<u8> {
        self.dice
            .pick(&[
                &b""[..],
                b"-",
                b"+1",
                b"-0",
                b"00",
                b"007",
                b" 1",
                b"1 ",
                b"1.0",
                b"1e5",
                b"0x10",
                b"1\0",
                b"abc",
                b"99999999999999999999",
                b"18446744073709551616",
            ])
            .to_vec()
    }

    /// An integer of any kind, or what is none.
    pub(crate) fn integer(&mut self) -> Vec<u8> {
        match self.dice.below(100) {
            0..60 => self.small_integer(),
            60..85 => self.border_integer(),
            _ => self.odd_integer(),
        }
    }

    /// A number with a fraction or an exponent, or what is none.
    pub(crate) fn float(&mut self) -> Vec<u8> {
        if !IS_X86_64 {
            // Numbers that a `long double` of any width holds exactly.
            return self.dice.pick(&[&b"0.5"[..], b"-2.25", b"3e2", b"nan", b"x", b"1 "]).to_vec();
        }
        match self.dice.below(100) {
            0..32 => self.decimal(false),
            32..55 => self.decimal(true),
            55..62 => self.hexadecimal(),
            62..70 => self.integer(),
            _ => self
                .dice
                .pick(&[
                    &b"0.1"[..],
                    b"3.0e3",
                    b"1e17",
                    b"1e-17",
                    b"5e-18",
                    b"5e-324",
                    b"1e400",
                    b"-1e400",
                    b"1e4932",
                    b"1.18973149535723176502e4932",
                    b"1.2e4932",
                    b"1e5000",
                    b"1e-5000",
                    b"0e99999999999999999999",
                    b"0x1p3",
                    b"0x.8",
                    b"-0x1.8p-1",
                    b"0x",
                    b"1e",
                    b"1e+",
                    b".5",
                    b"5.",
                    b".",
                    b"+1.5",
                    b"-.5e1",
                    b"-0",
                    b"-0.0",
                    b"1e5",
                    b"1E5",
                    b"1_0",
                    b"1,5",
                    b"inf",
                    b"-inf",
                    b"+Infinity",
                    b"infinit",
                    b"nan",
                    b"nan(1)",
                    b"",
                    b" 1",
                    b"1 ",
                    b"1\0",
                    b"\t1",
                    b"--1",
                    b"1.5.5",
                    b"9007199254740993",
                    b"18446744073709551617",
                    b"0.30000000000000004",
                ])
                .to_vec(),
        }
    }

    fn decimal(&mut self, has_exponent: bool) -> Vec<u8> {
        let mut text = if self.dice.percent(30) { "-".to_owned() } else { String::new() };
        text.push_str(&self.digits(20));
        if self.dice.percent(80) {
            text.push('.');
            text.push_str(&self.digits(22));
        }
        if has_exponent {
            // Rarely as far as a `long double` goes: what such a number is added to changes no more.
            let exponent_max = if self.dice.percent(3) { 4970 } else { 30 };
            let exponent = self.dice.between(0, exponent_max);
            let sign = if self.dice.percent(50) { "-" } else { "" };
            text.push_str(&format!("e{sign}{exponent}"));
        }
        text.into_bytes()
    }

    fn hexadecimal(&mut self) -> Vec<u8> {
        let sign = if self.dice.percent(30) { "-" } else { "" };
        let [whole, fraction] = [self.dice.below(u32::MAX), self.dice.below(u32::MAX)];
        let exponent = i64::from(self.dice.below(80)) - 60;
        match self.dice.below(3) {
            0 => format!("{sign}0x{whole:x}"),
            1 => format!("{sign}0x{whole:x}.{fraction:08X}"),
            _ => format!("{sign}0X{whole:x}{fraction:08x}.{whole:x}p{exponent}"),
        }
        .into_bytes()
    }

    fn digits(&mut self, count_max: u32) -> String {
        let count = self.dice.between(1, count_max);
        (0..count).map(|_| char::from(b"0123456789"[self.dice.index(10)])).collect()
    }

    /// A time that counts from now.
    pub(crate) fn time_from_now(&mut self, unit: Unit) -> Vec<u8> {
        let milliseconds = unit == Unit::Milliseconds;
        match self.dice.below(100) {
            0..75 => self.far_from_now(unit).to_string().into_bytes(),
            75..86 => {
                self.dice.pick(&[&b"0"[..], b"-1", b"-1000", b"-9223372036854775808"]).to_vec()
            }
            // All of them too far.
            86..93 if milliseconds => {
                self.dice.pick(&[&b"9223372036854775807"[..], b"9223372036854775806"]).to_vec()
            }
            86..93 => self
                .dice
                .pick(&[
                    &b"9223372036854775807"[..],
                    b"9223372036854775806",
                    b"9223372036854776",
                    b"9223372036854775",
                    b"-9223372036854776",
                ])
                .to_vec(),
            _ => self.odd_integer(),
        }
    }

    /// No two are near one another.
    fn far_from_now(&mut self, unit: Unit) -> u64 {
        assert!(self.deadlines < DEADLINES, "a run has at most {DEADLINES} deadlines from now");
        self.deadlines += 1;
        // An odd factor only changes the order.
        let place = self.deadlines.wrapping_mul(0x9_e375) % DEADLINES;
        let seconds = (place + 2) * DEADLINE_STEP_S;
        match unit {
            Unit::Seconds => seconds,
            Unit::Milliseconds => seconds * 1000 + u64::from(self.dice.below(1000)),
        }
    }

    /// A time that counts from 1970.
    pub(crate) fn time_absolute(&mut self, unit: Unit) -> Vec<u8> {
        let milliseconds = unit == Unit::Milliseconds;
        match self.dice.below(100) {
            0..65 => {
                let seconds = ABSOLUTE_DEADLINES_FROM_S + u64::from(self.dice.between(1, 4));
                let rest = [0, 1, 499, 500, 501, 999][self.dice.index(6)];
                let time = if milliseconds { seconds * 1000 + rest } else { seconds };
                time.to_string().into_bytes()
            }
            65..82 => self
                .dice
                .pick(&[&b"1"[..], b"0", b"-1", b"1000000000", b"-9223372036854775808"])
                .to_vec(),
            82..93 if milliseconds => {
                self.dice.pick(&[&b"9223372036854775807"[..], b"4611686018427387904"]).to_vec()
            }
            82..93 => self
                .dice
                .pick(&[&b"9223372036854775807"[..], b"9223372036854775", b"9223372036854776"])
                .to_vec(),
            _ => self.odd_integer(),
        }
    }

    /// The number of a database, mostly of those that commands are for, or what is none.
    pub(crate) fn database(&mut self) -> Vec<u8> {
        if self.dice.percent(80) {
            return self.dice.pick(&[&b"0"[..], b"1", b"9", b"7", b"8"]).to_vec();
        }
        self.dice
            .pick(&[&b"15"[..], b"16", b"-1", b"2147483648", b"-2147483649", b"x", b"01", b""])
            .to_vec()
    }

    /// A cursor of a scan: mostly that of its start.
    pub(crate) fn cursor(&mut self) -> Vec<u8> {
        if self.dice.percent(60) {
            return b"0".to_vec();
        }
        self.dice
            .pick(&[
                &b"1"[..],
                b"17",
                b"1024",
                b"9223372036854775807",
                b"18446744073709551615",
                b"18446744073709551616",
                b"-1",
                b"-0",
                b"-18446744073709551615",
                b"+0",
                b"+5",
                b"+-1",
                b" 5",
                b"\t\n0",
                b"5 ",
                b"",
                b" ",
                b"-",
                b"foo",
                b"0\0x",
                b"0x10",
                b"00",
                b"007",
            ])
            .to_vec()
    }

    /// What names are matched with, well or badly formed.
    pub(crate) fn pattern(&mut self) -> Vec<u8> {
        if self.dice.percent(60) {
            let alphabet: &[u8] =
                if IS_X86_64 { b"ab1*?[]^-\\*?[]^-\\f\xff\xfe\0" } else { b"ab1*?[]^-\\*?[]^-\\f" };
            return self.spelled_with(alphabet, 9);
        }
        self.dice
            .pick(&[
                &b"*"[..],
                b"**",
                b"?",
                b"",
                b"a",
                b"f*",
                b"f?",
                b"f1?",
                b"f[0-9]",
                b"f[9-0]*",
                b"f[^1-3]",
                b"[a-c]",
                b"[^a]*",
                b"[",
                b"[a",
                b"[^",
                b"[]",
                b"[^]",
                b"[a-",
                b"[\\",
                b"[\\a]",
                b"\\",
                b"\\*",
                b"\\a",
                b"a\\",
                b"*\\",
                b"hash:*",
                b"*:[12]",
                b"*a*m*",
                b"\\[a-z\\]\\*",
                b"A",
                b"*\r\n*",
                b"*v*v*v*v*v*v*v*v*x",
            ])
            .to_vec()
    }
}
