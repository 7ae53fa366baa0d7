//! How does the text of a parameter become a value, and what is wrong if it does not?
//!
//! The texts of what is wrong are those of Redis 8, which ends `CONFIG SET failed …` with them.

use std::borrow::Cow;

/// What is wrong with a value, as it is told after the parameter's name.
pub(super) type Refusal = Cow<'static, str>;

/// A whole number from `least` to `most`, in its shortest form.
pub(super) fn integer(text: &[u8], least: i64, most: i64) -> Result<i64, Refusal> {
    let value = std::str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok());
    let is_shortest = |value: &i64| value.to_string().as_bytes() == text;
    let Some(value) = value.filter(is_shortest) else {
        return Err("argument couldn't be parsed into an integer".into());
    };
    within(value, least, most)
}

fn within<T: Copy + PartialOrd + std::fmt::Display>(
    value: T,
    least: T,
    most: T,
) -> Result<T, Refusal> {
    if value < least || value > most {
        return Err(format!("argument must be between {least} and {most} inclusive").into());
    }
    Ok(value)
}

/// A number of bytes, which may end in a unit: `k`, `m` and `g` count in thousands, `kb`, `mb` and `gb`
/// in 1024s.
pub(super) fn memory(text: &[u8], least: u64, most: u64) -> Result<u64, Refusal> {
    let Some(bytes) = bytes(text) else {
        return Err("argument must be a memory value".into());
    };
    within(bytes, least, most)
}

/// Redis' reading of a number of bytes: no digits are 0, too many are the largest number, and the unit
/// multiplies without a look at what becomes too large.
pub(super) fn bytes(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, unit) = text.split_at(digits);
    let factor: u64 = match unit.to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1 << 10,
        b"m" => 1000 * 1000,
        b"mb" => 1 << 20,
        b"g" => 1000 * 1000 * 1000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    if digits.len() > DIGITS_MAX {
        return None;
    }
    let number = digits.iter().fold(0_u64, |number, digit| {
        number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
    });
    Some(number.wrapping_mul(factor))
}

/// More digits than this are no number.
const DIGITS_MAX: usize = 127;

/// Permissions in octal.
pub(super) fn octal(text: &[u8], most: u32) -> Result<u32, Refusal> {
    let value = std::str::from_utf8(text).ok().filter(|text| !text.starts_with('+'));
    let Some(value) = value.and_then(|text| u32::from_str_radix(text, 8).ok()) else {
        return Err("argument couldn't be parsed as an octal number".into());
    };
    if value > most {
        return Err(format!("argument must be between 0 and {most:o} inclusive").into());
    }
    Ok(value)
}

/// `yes` or `no`.
pub(super) fn yes_no(text: &[u8]) -> Result<bool, Refusal> {
    match text.to_ascii_lowercase().as_slice() {
        b"yes" => Ok(true),
        b"no" => Ok(false),
        _ => Err("argument must be 'yes' or 'no'".into()),
    }
}

/// The other way around.
pub(super) fn yes_no_text(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// Which of these words it is, in upper or lower case.
pub(super) fn choice(text: &[u8], words: &[&str]) -> Result<usize, Refusal> {
    words.iter().position(|word| word.as_bytes().eq_ignore_ascii_case(text)).ok_or_else(|| {
        format!("argument(s) must be one of the following: {}", words.join(", ")).into()
    })
}

/// Text that must be UTF-8, as paths and addresses are here.
pub(super) fn text(text: &[u8]) -> Result<String, Refusal> {
    String::from_utf8(text.to_vec()).map_err(|_| "argument must be text in UTF-8".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_memory_are_those_of_redis() {
        for (text, expected) in [
            ("100", Some(100)),
            ("1k", Some(1000)),
            ("1kb", Some(1024)),
            ("2M", Some(2_000_000)),
            ("2mB", Some(2 << 20)),
            ("1g", Some(1_000_000_000)),
            ("1GB", Some(1 << 30)),
            ("7b", Some(7)),
            ("", Some(0)),
            ("kb", Some(0)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("-1", None),
            ("1 gb", None),
            ("1gbb", None),
            ("1.5gb", None),
            ("abc", None),
        ] {
            assert_eq!(bytes(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(bytes(&[b'1'; 128]), None);
    }

    #[test]
    fn integers_are_in_their_shortest_form_and_within_their_bounds() {
        assert_eq!(integer(b"-5", -10, 10), Ok(-5));
        for text in ["", " 5", "5 ", "+5", "05", "-0", "1kb", "9999999999999999999"] {
            let refusal = integer(text.as_bytes(), 0, i64::MAX).unwrap_err();
            assert_eq!(refusal, "argument couldn't be parsed into an integer", "{text}");
        }
        let refusal = integer(b"-1", 0, 2_147_483_647).unwrap_err();
        assert_eq!(refusal, "argument must be between 0 and 2147483647 inclusive");
    }

    #[test]
    fn permissions_are_octal() {
        assert_eq!(octal(b"770", 0o777), Ok(0o770));
        assert!(octal(b"9", 0o777).is_err() && octal(b"", 0o777).is_err());
        assert_eq!(
            octal(b"1000", 0o777).unwrap_err(),
            "argument must be between 0 and 777 inclusive"
        );
    }

    #[test]
    fn words_may_be_in_upper_case() {
        assert_eq!(yes_no(b"YES"), Ok(true));
        assert_eq!(choice(b"B", &["a", "b"]), Ok(1));
        let refusal = choice(b"", &["a", "b"]).unwrap_err();
        assert_eq!(refusal, "argument(s) must be one of the following: a, b");
    }
}
