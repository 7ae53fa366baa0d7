//! How are whole numbers read from and written to the wire?

/// Writes `marker`, the digits of `number` and a line end, such as `:7\r\n` or `$12\r\n`.
///
/// One and two digits, which most counts and lengths have, are written as one piece of known size.
#[inline]
pub(crate) fn write_line(out: &mut Vec<u8>, marker: u8, number: u64) {
    let [low, ..] = number.to_le_bytes();
    match number {
        0..10 => out.extend_from_slice(&[marker, b'0' + low, b'\r', b'\n']),
        10..100 => {
            out.extend_from_slice(&[marker, b'0' + low / 10, b'0' + low % 10, b'\r', b'\n']);
        }
        _ => write_long_line(out, marker, itoa::Buffer::new().format(number)),
    }
}

/// [`write_line`] for a number that may be negative.
#[inline]
pub(crate) fn write_signed_line(out: &mut Vec<u8>, marker: u8, number: i64) {
    match u64::try_from(number) {
        Ok(number) => write_line(out, marker, number),
        Err(_) => write_long_line(out, marker, itoa::Buffer::new().format(number)),
    }
}

fn write_long_line(out: &mut Vec<u8>, marker: u8, digits: &str) {
    out.reserve(digits.len() + 3);
    out.push(marker);
    out.extend_from_slice(digits.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Reads the decimal number that `bytes` begin with: the number, and how many digits it has.
///
/// `None` unless it is written the one canonical way (no sign, no leading zero) in at most 18 digits,
/// more than any length or count can have that is not refused. Lengths mostly have one to three digits,
/// for which a loop over bytes is as fast as anything wider.
#[inline]
pub(crate) fn leading_number(bytes: &[u8]) -> Option<(u64, usize)> {
    const DIGITS_MAX: usize = 18;
    let mut number = 0;
    let mut digits = 0;
    for &byte in bytes.iter().take(DIGITS_MAX + 1) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        number = number * 10 + u64::from(digit);
        digits += 1;
    }
    let canonical = match digits {
        0 => false,
        1 => true,
        _ => digits <= DIGITS_MAX && bytes[0] != b'0',
    };
    canonical.then_some((number, digits))
}

/// Reads all of `text` as a number, by the rules of Redis' `string2ll`: an optional minus, digits without
/// a leading zero, no other byte, within an `i64`.
pub(crate) fn parse_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        b"0" => return Some(0),
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if !matches!(digits, [b'1'..=b'9', ..]) {
        return None;
    }
    let mut number = 0_i64;
    for &byte in digits {
        let digit = i64::from(byte.wrapping_sub(b'0'));
        if digit > 9 {
            return None;
        }
        let shifted = number.checked_mul(10)?;
        // Counted down when negative, since `i64` reaches one further below zero than above.
        number = if negative { shifted.checked_sub(digit) } else { shifted.checked_add(digit) }?;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_canonical_form_is_an_integer() {
        for text in ["", "-", "+1", "01", "-0", "-01", " 1", "1 ", "1a", "0x1", "1.0"] {
            assert_eq!(parse_integer(text.as_bytes()), None, "{text:?}");
        }
        for text in ["9223372036854775808", "-9223372036854775809", "99999999999999999999"] {
            assert_eq!(parse_integer(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn a_leading_number_ends_at_the_first_other_byte() {
        assert_eq!(leading_number(b"0\r\n"), Some((0, 1)));
        assert_eq!(leading_number(b"120\r\n"), Some((120, 3)));
        assert_eq!(leading_number(b"7"), Some((7, 1)));
        for bytes in [&b""[..], b"\r\n", b"-1", b"01", b"00", b"1234567890123456789\r\n"] {
            assert_eq!(leading_number(bytes), None, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn every_integer_is_written_and_read_back(number: i64) {
            let mut line = Vec::new();
            write_signed_line(&mut line, b':', number);
            prop_assert_eq!(&line, &format!(":{number}\r\n").into_bytes());
            prop_assert_eq!(parse_integer(&line[1..line.len() - 2]), Some(number));
        }

        #[test]
        fn small_counts_are_written_and_read_back(number in 0_u64..1_000) {
            let mut line = Vec::new();
            write_line(&mut line, b'$', number);
            prop_assert_eq!(&line, &format!("${number}\r\n").into_bytes());
            prop_assert_eq!(leading_number(&line[1..]), Some((number, line.len() - 3)));
        }

        #[test]
        fn any_text_is_read_as_the_standard_library_reads_its_canonical_form(
            text in "-?[0-9]{0,21}",
        ) {
            let canonical = text.parse::<i64>().ok().filter(|number| number.to_string() == text);
            prop_assert_eq!(parse_integer(text.as_bytes()), canonical);
        }
    }
}
