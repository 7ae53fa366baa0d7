//! When is a text an integer?

use crate::text::parse_digits;

/// The integer whose shortest decimal form is exactly `text`: no sign but a minus, no leading
/// zeros, no spaces, no `-0`. What passes here can be kept as a number and read back byte for byte.
#[inline]
pub(crate) fn parse_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [b'0'] if !negative => return Some(0),
        [b'1'..=b'9', ..] => {}
        _ => return None,
    }
    let magnitude = parse_digits(digits)?;
    if negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn borders() -> impl Strategy<Value = i64> {
        let near = (0_u32..64, -3_i64..=3).prop_map(|(bit, off)| (1_i64 << bit).wrapping_add(off));
        prop_oneof![near.clone(), near.prop_map(i64::wrapping_neg), any::<i64>()]
    }

    proptest! {
        #[test]
        fn every_integer_parses_from_its_own_text(integer in borders()) {
            prop_assert_eq!(parse_integer(integer.to_string().as_bytes()), Some(integer));
        }

        #[test]
        fn what_parses_prints_the_same(text in "-?[0-9]{0,20}") {
            if let Some(integer) = parse_integer(text.as_bytes()) {
                prop_assert_eq!(integer.to_string(), text);
            } else {
                prop_assert_ne!(text.parse::<i64>().map(|i| i.to_string()), Ok(text));
            }
        }
    }

    #[test]
    fn other_spellings_of_an_integer_are_text() {
        for text in ["", "-", "+1", "-0", "00", "007", " 1", "1 ", "1.0", "0x1", "1\0"] {
            assert_eq!(parse_integer(text.as_bytes()), None, "{text:?}");
        }
        for text in ["9223372036854775808", "-9223372036854775809", "99999999999999999999"] {
            assert_eq!(parse_integer(text.as_bytes()), None, "{text:?}");
        }
    }
}
