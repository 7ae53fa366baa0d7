//! How is a typed line split into arguments?
//!
//! By the rules of Redis' `sdssplitargs`: blanks part arguments; `"…"` holds blanks and the escapes `\n`,
//! `\r`, `\t`, `\b`, `\a`, `\xHH` and `\` before any other byte for that byte; `'…'` holds anything, with
//! `\'` for a quote; a quote may open in the middle of an argument, but what it closes ends there.

use crate::request::Span;

/// A quote that is not closed, or is closed in front of something other than a blank.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UnbalancedQuotes;

/// Appends the unescaped arguments of `line`, which has no line end, to `unescaped`, and to `spans` where
/// in it they lie. An argument is never longer than what it was written as.
pub(crate) fn split(
    line: &[u8],
    unescaped: &mut Vec<u8>,
    spans: &mut Vec<Span>,
) -> Result<(), UnbalancedQuotes> {
    let mut rest = skip_blanks(line);
    while !rest.is_empty() {
        let start = offset(unescaped);
        rest = skip_blanks(read_argument(rest, unescaped)?);
        spans.push(Span { start, end: offset(unescaped) });
    }
    Ok(())
}

fn offset(unescaped: &[u8]) -> u32 {
    u32::try_from(unescaped.len()).expect("a line is bounded by `line_bytes_max`, a u32")
}

/// What C's `isspace` takes for a blank. Only some of them end an argument without quotes.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\x0b' | b'\x0c' | b'\r')
}

fn skip_blanks(rest: &[u8]) -> &[u8] {
    let blanks = rest.iter().take_while(|&&byte| is_blank(byte)).count();
    &rest[blanks..]
}

/// Reads one argument and gives what is behind it.
fn read_argument<'a>(
    mut rest: &'a [u8],
    unescaped: &mut Vec<u8>,
) -> Result<&'a [u8], UnbalancedQuotes> {
    loop {
        match rest {
            [] | [b' ' | b'\t' | b'\n' | b'\r', ..] => return Ok(rest),
            [b'"', behind @ ..] => return read_double_quoted(behind, unescaped),
            [b'\'', behind @ ..] => return read_single_quoted(behind, unescaped),
            [byte, behind @ ..] => {
                unescaped.push(*byte);
                rest = behind;
            }
        }
    }
}

fn read_double_quoted<'a>(
    mut rest: &'a [u8],
    unescaped: &mut Vec<u8>,
) -> Result<&'a [u8], UnbalancedQuotes> {
    loop {
        let byte;
        (byte, rest) = match rest {
            [] => return Err(UnbalancedQuotes),
            [b'"', behind @ ..] => return closed(behind),
            [b'\\', b'x', high, low, behind @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                (hex_digit(*high) << 4 | hex_digit(*low), behind)
            }
            [b'\\', escaped, behind @ ..] => (unescape(*escaped), behind),
            [byte, behind @ ..] => (*byte, behind),
        };
        unescaped.push(byte);
    }
}

fn read_single_quoted<'a>(
    mut rest: &'a [u8],
    unescaped: &mut Vec<u8>,
) -> Result<&'a [u8], UnbalancedQuotes> {
    loop {
        let byte;
        (byte, rest) = match rest {
            [] => return Err(UnbalancedQuotes),
            [b'\'', behind @ ..] => return closed(behind),
            [b'\\', b'\'', behind @ ..] => (b'\'', behind),
            [byte, behind @ ..] => (*byte, behind),
        };
        unescaped.push(byte);
    }
}

/// A closing quote ends its argument.
fn closed(behind: &[u8]) -> Result<&[u8], UnbalancedQuotes> {
    match behind.first() {
        Some(&byte) if !is_blank(byte) => Err(UnbalancedQuotes),
        _ => Ok(behind),
    }
}

fn unescape(escaped: u8) -> u8 {
    match escaped {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => b'\x08',
        b'a' => b'\x07',
        other => other,
    }
}

fn hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => digit.to_ascii_lowercase() - b'a' + 10,
    }
}
