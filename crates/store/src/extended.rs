//! What is the sum of two decimal numbers to Redis?
//!
//! Redis reads, adds and prints with C's `long double`, which on x86-64 is a binary number of 64
//! digits; the text of a sum that is stored and sent depends on every one of them, so a 64-bit float
//! could not answer alike (0.1 + 0.2 would be 0.30000000000000004, not 0.3). [`Extended`] is such a
//! number in software: reading, adding and printing round to the nearest, halves to even, as IEEE 754
//! says. Subnormal numbers alone have more digits here than there; no text that is printed shows it.

use self::natural::Natural;

mod natural;
mod parse;

/// Redis prints so many digits after the point, then drops zeros.
const FRACTION_DIGITS: usize = 17;
const FRACTION_SCALE: u128 = 100_000_000_000_000_000;

/// The exponent of the largest numbers and of the smallest, for a mantissa that is an integer.
const EXPONENT_MAX: i32 = 16_383 - 63;
const EXPONENT_MIN: i32 = -16_445;

/// A number of 64 binary digits, or infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extended {
    is_negative: bool,
    /// 0, or its top bit is set.
    mantissa: u64,
    /// The number is the mantissa times 2 to the power of this; infinite beyond [`EXPONENT_MAX`].
    exponent: i32,
}

impl Extended {
    pub(crate) const ZERO: Self = Self { is_negative: false, mantissa: 0, exponent: 0 };

    const INFINITE: i32 = i32::MAX;

    pub(crate) fn is_finite(self) -> bool {
        self.exponent <= EXPONENT_MAX
    }

    /// The sum, rounded to 64 binary digits. An infinite operand makes it infinite (the sum of two
    /// infinite numbers does not matter to anyone here).
    pub(crate) fn add(self, other: Self) -> Self {
        let (larger, smaller) =
            if self.magnitude() >= other.magnitude() { (self, other) } else { (other, self) };
        if smaller.mantissa == 0 || !larger.is_finite() {
            return larger;
        }
        // Two bits for carries, then the larger mantissa, then 62 bits to guard what is shifted out.
        const GUARD_BITS: u32 = 62;
        let distance = larger.exponent.abs_diff(smaller.exponent);
        let aligned = u128::from(smaller.mantissa) << GUARD_BITS;
        let kept = aligned.checked_shr(distance).unwrap_or(0);
        let is_inexact = kept.checked_shl(distance) != Some(aligned);
        let whole = u128::from(larger.mantissa) << GUARD_BITS;
        let sum = if larger.is_negative == smaller.is_negative {
            whole + kept
        } else {
            // What was shifted out would have borrowed one.
            whole - kept - u128::from(is_inexact)
        };
        let is_negative = larger.is_negative && sum != 0;
        let exponent = larger.exponent - GUARD_BITS.cast_signed();
        Self { is_negative, ..Self::round(sum, exponent, is_inexact) }
    }

    /// The text that Redis stores and sends: all digits before the point, at most 17 after it.
    pub(crate) fn to_text(self) -> String {
        let (integer, fraction) = if self.exponent >= 0 {
            (
                Natural::from(self.mantissa)
                    .shifted(self.exponent.unsigned_abs() as usize)
                    .into_decimal(),
                0,
            )
        } else {
            let scaled = u128::from(self.mantissa) * FRACTION_SCALE;
            let rounded = shift_and_round(scaled, self.exponent.unsigned_abs(), false);
            ((rounded / FRACTION_SCALE).to_string(), rounded % FRACTION_SCALE)
        };
        let mut text = format!("{integer}.{fraction:0FRACTION_DIGITS$}");
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
        if self.is_negative && text != "0" {
            text.insert(0, '-');
        }
        text
    }

    /// Orders numbers by size without their sign.
    fn magnitude(self) -> (bool, i32, u64) {
        (self.mantissa != 0 || !self.is_finite(), self.exponent, self.mantissa)
    }

    /// The number nearest to `integer` (and a bit more, if `is_inexact`) times 2^`exponent`. An
    /// inexact integer must have more than 64 digits.
    fn round(integer: u128, exponent: i32, is_inexact: bool) -> Self {
        if integer == 0 {
            return Self::ZERO;
        }
        let excess = 64 - integer.leading_zeros().cast_signed();
        let mut exponent = exponent.saturating_add(excess);
        let rounded = if excess <= 0 {
            integer << excess.unsigned_abs()
        } else {
            shift_and_round(integer, excess.unsigned_abs(), is_inexact)
        };
        let mantissa = u64::try_from(rounded).unwrap_or_else(|_| {
            // It was all ones and became a power of two.
            exponent += 1;
            1 << 63
        });
        if exponent > EXPONENT_MAX {
            exponent = Self::INFINITE;
        }
        Self { is_negative: false, mantissa, exponent }
    }
}

/// `number` (and a bit more, if `is_inexact`) divided by 2^`shift`, at least 2, to the nearest, halves to even.
fn shift_and_round(number: u128, shift: u32, is_inexact: bool) -> u128 {
    let Some(quotient) = number.checked_shr(shift) else { return 0 };
    let remainder = number - (quotient << shift);
    let half = (1 << shift) >> 1;
    let is_more = remainder > half || (remainder == half && is_inexact);
    let is_half = remainder == half;
    quotient + u128::from(is_more || (is_half && quotient & 1 == 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(first: &str, second: &str) -> String {
        let [first, second] = [first, second].map(|text| {
            Extended::parse(text.as_bytes()).unwrap_or_else(|| panic!("{text} is a number"))
        });
        let sum = first.add(second).to_text();
        assert_eq!(sum, second.add(first).to_text());
        sum
    }

    #[test]
    fn sums_are_those_of_redis_on_x86_64() {
        // Each line is what Redis 8.0 answered to HINCRBYFLOAT on x86-64.
        for (first, second, expected) in [
            ("0.1", "0.2", "0.3"),
            ("3000", "0.1", "3000.10000000000000009"),
            ("10.5", "0.1", "10.6"),
            ("1e17", "0", "100000000000000000"),
            ("0", "5e-324", "0"),
            ("0", "-0.0", "0"),
            ("0", "0x1.8p3", "12"),
            ("18446744073709551615", "1", "18446744073709551616"),
            ("18446744073709551616", "1", "18446744073709551616"),
            ("18446744073709551616", "3", "18446744073709551620"),
        ] {
            assert_eq!(sum(first, second), expected, "{first} + {second}");
        }
    }

    #[test]
    fn the_largest_number_has_4933_digits() {
        let text = Extended::parse(b"1.189731495357231765e4932").map(Extended::to_text);
        let text = text.unwrap_or_default();
        assert!(text.len() == 4_933 && text.starts_with("1189731495357231765"), "{text}");
        for text in ["1.18973149535723177e4932", "1e4933", "-1e999999999999", "0x1p16384"] {
            assert_eq!(Extended::parse(text.as_bytes()), None, "{text}");
        }
        let largest = Extended::parse(b"1.189731495357231765e4932").unwrap();
        assert!(!largest.add(largest).is_finite());
    }

    #[test]
    fn the_smallest_number_is_half_of_the_smallest_exponent() {
        for text in ["1e-4950", "3.6e-4951", "0x1p-16445", "0x1.1p-16446", "0e-999999999999", "-0"]
        {
            assert!(Extended::parse(text.as_bytes()).is_some(), "{text}");
        }
        for text in ["1e-4951", "0x1p-16446", "1e-999999999999", "0x1p-99999"] {
            assert_eq!(Extended::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn no_more_text_is_read_than_redis_reads() {
        let zeros = |bytes: usize| "0".repeat(bytes);
        assert!(Extended::parse(zeros(5_119).as_bytes()).is_some());
        assert!(Extended::parse(zeros(5_120).as_bytes()).is_none());
        assert!(Extended::parse(format!("0.{}1", zeros(5_000)).as_bytes()).is_none());
    }

    proptest! {
        #[test]
        fn integers_add_up_exactly(first: i32, second in -(1_i64 << 62)..1 << 62) {
            let expected = (i64::from(first) + second).to_string();
            prop_assert_eq!(sum(&first.to_string(), &second.to_string()), expected);
        }

        #[test]
        fn fractions_of_two_add_up_exactly(first: i16, second: i16) {
            let text = |number: i16| format!("{}", f64::from(number) / 1024.0);
            let expected = f64::from(i32::from(first) + i32::from(second)) / 1024.0;
            prop_assert_eq!(sum(&text(first), &text(second)), expected.to_string());
        }

        #[test]
        fn what_is_printed_reads_back_as_itself(text in "-?[0-9]{1,30}([.][0-9]{1,25})?") {
            let printed = sum(&text, "0");
            prop_assert_eq!(sum(&printed, "0"), printed);
        }

        #[test]
        fn a_number_is_as_near_as_a_double_or_nearer(number in any::<f64>()) {
            prop_assume!(number.is_finite());
            // A double has fewer digits, so its exact text has just one nearest number.
            let text = format!("{number:.1100}");
            let exact = text.trim_end_matches('0').trim_end_matches('.');
            let parsed = Extended::parse(exact.as_bytes());
            let mantissa = number.to_bits() << 12 >> 1 | 1 << 63;
            prop_assume!(number.is_normal());
            prop_assert_eq!(parsed.map(|parsed| parsed.mantissa), Some(mantissa));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[-+]?(0x)?[0-9a-f]{0,8}[.]?[0-9a-f]{0,8}([ep][-+]?[0-9]{0,6})?") {
            if let Some(number) = Extended::parse(text.as_bytes()) {
                number.add(number).to_text();
            }
        }
    }
}
