//! Which number does a text spell?

use super::natural::Natural;
use super::{EXPONENT_MIN, Extended};

/// Redis reads no longer text as a number.
const TEXT_BYTES_MAX: usize = 5 * 1024 - 1;

/// Numbers with more digits before the point than this are too large, those with as many zeros after
/// it too small, whatever their digits.
const DECIMAL_EXPONENT_MAX: i64 = 5_000;

/// Exponents beyond this, in either direction, are as good as this.
const WRITTEN_EXPONENT_MAX: i64 = 1_000_000;

impl Extended {
    /// The number that `text` spells, in any way that C's `strtold` reads to the end: decimal or
    /// hexadecimal, with or without exponent, `inf` or `infinity`. `None` for everything else, for
    /// what is not a number, and for what is too large or rounds to zero.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        let (is_negative, digits) = match text {
            [b'-', digits @ ..] => (true, digits),
            [b'+', digits @ ..] | digits => (false, digits),
        };
        let number = match digits {
            [b'0', b'x' | b'X', digits @ ..] => parse_hexadecimal(digits)?,
            _ if is_infinity(digits) => Self { exponent: Self::INFINITE, ..Self::ZERO },
            _ => parse_decimal(digits)?,
        };
        Some(Self { is_negative, ..number })
    }

    /// The number nearest to `natural` (and a bit more, if `is_inexact`) times 2^`exponent`, unless
    /// it is too large or rounds to zero.
    fn nearest(natural: &Natural, exponent: i64, is_inexact: bool) -> Option<Self> {
        let (upper, shift, has_more) = natural.upper();
        let exponent = exponent.checked_add(i64::try_from(shift).ok()?)?;
        let exponent = i32::try_from(exponent).ok()?;
        let number = Self::round(upper, exponent, is_inexact || has_more);
        let half_of_smallest =
            Self { mantissa: 1 << 63, exponent: EXPONENT_MIN - 64, ..Self::ZERO };
        (number.is_finite() && number.magnitude() > half_of_smallest.magnitude()).then_some(number)
    }
}

fn is_infinity(text: &[u8]) -> bool {
    text.eq_ignore_ascii_case(b"inf") || text.eq_ignore_ascii_case(b"infinity")
}

fn parse_decimal(text: &[u8]) -> Option<Extended> {
    let Written { natural, digits, exponent } = Written::parse(text, 10, b'e')?;
    if natural.is_zero() {
        return Some(Extended::ZERO);
    }
    if exponent.checked_add(digits)?.abs() > DECIMAL_EXPONENT_MAX {
        return None;
    }
    let powers = usize::try_from(exponent.unsigned_abs()).ok()?;
    if exponent >= 0 {
        let mut natural = natural;
        natural.scale_up(powers);
        return Extended::nearest(&natural, 0, false);
    }
    // So that more than 64 binary digits are left: 10 has fewer than 3.322.
    let bits = (powers * 3_322 / 1_000 + 68).saturating_sub(natural.bits());
    let mut natural = natural.shifted(bits);
    let is_inexact = natural.scale_down(powers);
    Extended::nearest(&natural, -i64::try_from(bits).ok()?, is_inexact)
}

fn parse_hexadecimal(text: &[u8]) -> Option<Extended> {
    // Every digit is four binary ones, but the exponent counts single ones.
    let Written { natural, exponent, .. } = Written::parse(text, 16, b'p')?;
    if natural.is_zero() {
        return Some(Extended::ZERO);
    }
    Extended::nearest(&natural, exponent, false)
}

/// A number as it is written: `natural` × 10^`exponent`, or 2^`exponent` in hexadecimal.
struct Written {
    natural: Natural,
    /// How many digits there are after leading zeros.
    digits: i64,
    exponent: i64,
}

impl Written {
    /// Reads digits with at most one point among them and at least one digit, then perhaps `mark`, in
    /// either case, and an exponent.
    fn parse(text: &[u8], radix: u32, mark: u8) -> Option<Self> {
        let mark = text.iter().position(|byte| byte.eq_ignore_ascii_case(&mark));
        let (mantissa, exponent) = match mark {
            Some(mark) => (&text[..mark], parse_exponent(&text[mark + 1..])?),
            None => (text, 0),
        };
        let mut number = Self { natural: Natural::default(), digits: 0, exponent };
        let (mut has_digit, mut has_point) = (false, false);
        for &byte in mantissa {
            if byte == b'.' && !has_point {
                has_point = true;
                continue;
            }
            let digit = char::from(byte).to_digit(radix)?;
            number.natural.multiply_add(radix, digit);
            number.digits += i64::from(!number.natural.is_zero());
            // In hexadecimal a digit is worth four of the exponent's.
            let worth = if radix == 16 { 4 } else { 1 };
            number.exponent -= if has_point { worth } else { 0 };
            has_digit = true;
        }
        has_digit.then_some(number)
    }
}

/// A sign, perhaps, and at least one digit.
fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let exponent = digits.iter().try_fold(0_i64, |exponent, &byte| {
        let digit = char::from(byte).to_digit(10)?;
        Some((exponent * 10 + i64::from(digit)).min(WRITTEN_EXPONENT_MAX))
    })?;
    Some(if is_negative { -exponent } else { exponent })
}
