//! How is a double written as Redis writes it?

use std::io::Write as _;

use crate::number;

/// The longest text: a sign, 17 digits, a point, and an exponent of a sign and three digits behind `e`.
const TEXT_BYTES_MAX: usize = 32;

/// The magnitude up to which Redis tries whether a double is a whole number: `LLONG_MAX / 2` as a double.
const WHOLE_MAX: f64 = 4_611_686_018_427_387_904.0;

/// The text of a double, on the stack.
#[derive(Debug)]
pub(crate) struct DoubleText {
    bytes: [u8; TEXT_BYTES_MAX],
    len: usize,
}

impl DoubleText {
    /// The text of `value` as Redis' `d2string` gives it: whole numbers up to about 4.6·10¹⁸ in full,
    /// else the shortest digits that read back as the same double, in the forms of its `fpconv_dtoa`.
    ///
    /// Of several such digits these are the closest. Redis' Grisu2 now and then takes others or one more:
    /// 9999.123456789011 for 9999.123456789012, which are the same double.
    pub(crate) fn new(value: f64) -> Self {
        let mut text = Self { bytes: [0; TEXT_BYTES_MAX], len: 0 };
        if value.is_nan() {
            text.push(b"nan");
        } else if value.is_infinite() {
            text.push(if value > 0.0 { b"inf" } else { b"-inf" });
        } else if value == 0.0 {
            text.push(if value.is_sign_negative() { b"-0" } else { b"0" });
        } else if value.abs() <= WHOLE_MAX && value.fract() == 0.0 {
            #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^63")]
            let whole = value as i64;
            text.push(itoa::Buffer::new().format(whole).as_bytes());
        } else {
            text.push_shortest(value);
        }
        text
    }

    /// The text.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn push(&mut self, piece: &[u8]) {
        self.bytes[self.len..self.len + piece.len()].copy_from_slice(piece);
        self.len += piece.len();
    }

    fn push_zeros(&mut self, count: usize) {
        self.push(&[b'0'; TEXT_BYTES_MAX][..count]);
    }

    /// Splits the standard library's `1.2345e-7` into digits and exponent, then lays them out anew.
    fn push_shortest(&mut self, value: f64) {
        let mut scientific = [0; TEXT_BYTES_MAX];
        let mut unwritten = &mut scientific[..];
        write!(unwritten, "{:e}", value.abs())
            .expect("17 digits and an exponent fit into 32 bytes");
        let written = TEXT_BYTES_MAX - unwritten.len();

        let mut digits = [0; TEXT_BYTES_MAX];
        let mut digits_count = 0;
        let mut exponent_text = &b""[..];
        for (index, &byte) in scientific[..written].iter().enumerate() {
            match byte {
                b'e' => {
                    exponent_text = &scientific[index + 1..written];
                    break;
                }
                b'.' => {}
                digit => {
                    digits[digits_count] = digit;
                    digits_count += 1;
                }
            }
        }
        let exponent = number::parse_integer(exponent_text)
            .and_then(|exponent| i16::try_from(exponent).ok())
            .expect("the standard library writes an exponent of up to three digits");

        if value < 0.0 {
            self.push(b"-");
        }
        self.push_digits(&digits[..digits_count], exponent);
    }

    /// Writes `digits` with a point behind the first and times ten to the `exponent`: in full while few
    /// zeros are needed, else in scientific form, by the thresholds of `fpconv_dtoa`.
    fn push_digits(&mut self, digits: &[u8], exponent: i16) {
        let fraction_digits = digits.len() as i64 - 1 - i64::from(exponent);
        let magnitude = usize::from(exponent.unsigned_abs());
        if fraction_digits <= 0 && magnitude < digits.len() + 7 {
            self.push(digits);
            self.push_zeros(magnitude + 1 - digits.len());
        } else if fraction_digits > 0 && (fraction_digits < 7 || magnitude < 4) {
            if exponent < 0 {
                self.push(b"0.");
                self.push_zeros(magnitude - 1);
                self.push(digits);
            } else {
                let (whole, fraction) = digits.split_at(magnitude + 1);
                self.push(whole);
                self.push(b".");
                self.push(fraction);
            }
        } else {
            let (first, rest) = digits.split_at(1);
            self.push(first);
            if !rest.is_empty() {
                self.push(b".");
                self.push(rest);
            }
            self.push(if exponent < 0 { b"e-" } else { b"e+" });
            self.push(itoa::Buffer::new().format(magnitude).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(value: f64) -> String {
        String::from_utf8(DoubleText::new(value).as_bytes().to_vec()).unwrap()
    }

    /// What Redis 8.0.2 answers to `EVAL "redis.setresp(3); return {double=tonumber(ARGV[1])}" 0 …`.
    #[test]
    fn doubles_are_written_as_redis_writes_them() {
        let answers = [
            (0.0, "0"),
            (-0.0, "-0"),
            (-1.0, "-1"),
            (1.5, "1.5"),
            (-12.5, "-12.5"),
            (0.1, "0.1"),
            (123_456.789, "123456.789"),
            (0.0001, "0.0001"),
            (0.000_123_45, "1.2345e-4"),
            (0.000_012_34, "1.234e-5"),
            (0.000_025, "0.000025"),
            (1e-5, "0.00001"),
            (1e-6, "0.000001"),
            (0.000_001_234, "1.234e-6"),
            (1e-7, "1e-7"),
            (1.5e-7, "1.5e-7"),
            (-1e-10, "-1e-10"),
            (1e17, "100000000000000000"),
            (123_456_789_012_345_678.0, "123456789012345680"),
            (2e18, "2000000000000000000"),
            (9.3e18, "9.3e+18"),
            (1e19, "1e+19"),
            (1_234_567_890_123_456_789_012.0, "1234567890123456800000"),
            (12_345_678_901_234_567_890_123.0, "12345678901234568000000"),
            (1.25e25, "1.25e+25"),
            (1e100, "1e+100"),
            (-1.5e-300, "-1.5e-300"),
            (f64::from_bits(1), "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ];
        for (value, expected) in answers {
            assert_eq!(text(value), expected);
        }
    }

    proptest! {
        #[test]
        fn every_double_reads_back_as_itself(bits: u64) {
            let value = f64::from_bits(bits);
            let read: f64 = text(value).parse().unwrap();
            prop_assert!(read == value || (read.is_nan() && value.is_nan()));
        }

        #[test]
        fn doubles_of_everyday_size_read_back_as_themselves(value in -1e22..1e22) {
            prop_assert_eq!(text(value).parse::<f64>().unwrap(), value);
        }
    }
}
