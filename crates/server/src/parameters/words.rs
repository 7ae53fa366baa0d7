//! Which words does a line of a configuration file consist of?
//!
//! By the rules by which Redis splits a line: blanks part words; `"…"` holds blanks and escapes (`\n`,
//! `\r`, `\t`, `\b`, `\a`, `\xHH`, and `\` before any other byte for that byte); `'…'` holds anything, with
//! `\'` for a quote; after a quote that closes, a word ends.

/// The words, or `None` where a quote is not closed or is closed within a word.
pub(super) fn split(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut rest = line.trim_ascii_start();
    while !rest.is_empty() {
        let mut word = Vec::new();
        rest = read_word(rest, &mut word)?.trim_ascii_start();
        words.push(word);
    }
    Some(words)
}

fn read_word<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        match rest {
            [] => return Some(rest),
            [byte, ..] if byte.is_ascii_whitespace() => return Some(rest),
            [quote @ (b'"' | b'\''), behind @ ..] => {
                let behind = read_quoted(*quote, behind, word)?;
                let is_closed = behind.first().is_none_or(u8::is_ascii_whitespace);
                return is_closed.then_some(behind);
            }
            [byte, behind @ ..] => {
                word.push(*byte);
                rest = behind;
            }
        }
    }
}

/// Reads to the end of a quoted part, and gives what is behind it.
fn read_quoted<'a>(quote: u8, mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let byte;
        (byte, rest) = match rest {
            [] => return None,
            [byte, behind @ ..] if *byte == quote => return Some(behind),
            [b'\\', b'\'', behind @ ..] if quote == b'\'' => (b'\'', behind),
            [b'\\', b'x', high, low, behind @ ..]
                if quote == b'"' && high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                (digit(*high) << 4 | digit(*low), behind)
            }
            [b'\\', escaped, behind @ ..] if quote == b'"' => (unescape(*escaped), behind),
            [byte, behind @ ..] => (*byte, behind),
        };
        word.push(byte);
    }
}

fn digit(hex: u8) -> u8 {
    match hex {
        b'0'..=b'9' => hex - b'0',
        _ => hex.to_ascii_lowercase() - b'a' + 10,
    }
}

fn unescape(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Option<Vec<String>> {
        let words = split(line.as_bytes())?;
        Some(words.into_iter().map(|word| String::from_utf8_lossy(&word).into_owned()).collect())
    }

    #[test]
    fn quotes_hold_blanks_and_escapes() {
        let some =
            |words: &[&str]| Some(words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
        assert_eq!(words("port 6379"), some(&["port", "6379"]));
        assert_eq!(words("  save \"\"\t''"), some(&["save", "", ""]));
        assert_eq!(words(r#"requirepass "a b\x41\"\n""#), some(&["requirepass", "a bA\"\n"]));
        assert_eq!(words(r"requirepass 'a\n\'b'"), some(&["requirepass", r"a\n'b"]));
        assert_eq!(words("pre\"fix\""), some(&["prefix"]));
        assert_eq!(words(""), some(&[]));
    }

    #[test]
    fn a_quote_must_close_at_the_end_of_a_word() {
        for line in ["a \"b", "a 'b", "a \"b\"c", "\"a\\"] {
            assert_eq!(words(line), None, "{line}");
        }
    }
}
