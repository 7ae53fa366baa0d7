//! How are short texts compared and read as numbers in few steps?
//!
//! Most keys, names and values have fewer than sixteen bytes. A call of `memcmp` costs more than
//! comparing them takes, so up to there they are read as one or two words.

/// The bytes of a text of at most eight as a word, the first lowest; what is not there is zero. Of a
/// longer one, the first eight.
#[inline(always)]
pub(crate) fn word_of(text: &[u8]) -> u64 {
    if let Some(eight) = text.first_chunk() {
        return u64::from_le_bytes(*eight);
    }
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        // Where they overlap they are the same.
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return u64::from(first) | u64::from(last) << ((text.len() - 4) * 8);
    }
    match *text {
        [] => 0,
        [a] => u64::from(a),
        [a, b] => u64::from(a) | u64::from(b) << 8,
        [a, b, c, ..] => u64::from(a) | u64::from(b) << 8 | u64::from(c) << 16,
    }
}

/// Whether two texts are the same.
#[inline(always)]
pub(crate) fn is_equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    match a.len() {
        0..8 => word_of(a) == word_of(b),
        8..=16 => {
            a.first_chunk::<8>() == b.first_chunk() && a.last_chunk::<8>() == b.last_chunk::<8>()
        }
        _ => a == b,
    }
}

/// A decimal number has at most so many digits here, so that it fits 64 bits.
pub(crate) const DIGITS_MAX: usize = 19;

/// The number that a text of 1 to [`DIGITS_MAX`] digits is; zeros may stand before it.
#[inline(always)]
pub(crate) fn parse_digits(text: &[u8]) -> Option<u64> {
    match text.len() {
        1..=8 => parse_eight(text),
        9..=DIGITS_MAX => parse_many(text),
        _ => None,
    }
}

fn parse_many(text: &[u8]) -> Option<u64> {
    let (high, low) = text.split_at(text.len() - 8);
    let low = parse_eight(low)?;
    // At most 19 digits, so below 10^19, which fits.
    Some(parse_digits(high)? * 100_000_000 + low)
}

/// The number of up to eight digits, all at once: first each digit, then pairs, then fours.
#[inline(always)]
fn parse_eight(text: &[u8]) -> Option<u64> {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    #[expect(clippy::cast_possible_truncation, reason = "at most eight")]
    let vacant = u64::BITS - 8 * text.len() as u32;
    // Zeros go before it: the first digit is in the lowest byte.
    let digits = word_of(text) << vacant | !(u64::MAX << vacant) & ZEROS;
    let above_nine = digits.wrapping_add(0x4646_4646_4646_4646);
    let digits = digits.wrapping_sub(ZEROS);
    if (above_nine | digits) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    let pairs = (digits.wrapping_mul(10) + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100) + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours.wrapping_mul(10_000) + (fours >> 32)) & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_are_equal_when_all_their_bytes_are(a in vec(0_u8..3, 0..24), b in vec(0_u8..3, 0..24)) {
            prop_assert_eq!(is_equal(&a, &b), a == b);
            prop_assert!(is_equal(&a, &a.clone()));
            let mut changed = a.clone();
            if let Some(last) = changed.last_mut() {
                *last ^= 0x80;
                prop_assert!(!is_equal(&a, &changed));
            }
        }

        #[test]
        fn a_word_is_the_bytes_of_a_text(text in vec(any::<u8>(), 0..12)) {
            let mut bytes = [0; 8];
            let length = text.len().min(8);
            bytes[..length].copy_from_slice(&text[..length]);
            prop_assert_eq!(word_of(&text), u64::from_le_bytes(bytes));
        }

        #[test]
        fn digits_are_read_as_std_reads_them(text in "[0-9]{0,21}") {
            let expected = text.parse().ok().filter(|_| text.len() <= DIGITS_MAX);
            prop_assert_eq!(parse_digits(text.as_bytes()), expected);
        }

        #[test]
        fn what_is_no_digit_is_noticed(text in vec(any::<u8>(), 1..20)) {
            let has_others = text.iter().any(|byte| !byte.is_ascii_digit());
            prop_assert_eq!(parse_digits(&text).is_none(), has_others);
        }
    }

    #[test]
    fn every_byte_that_is_no_digit_is_noticed_at_every_place() {
        for length in 1..=DIGITS_MAX {
            for place in 0..length {
                for byte in 0..=u8::MAX {
                    let mut text = vec![b'4'; length];
                    text[place] = byte;
                    assert_eq!(parse_digits(&text).is_some(), byte.is_ascii_digit(), "{text:?}");
                }
            }
        }
    }
}
