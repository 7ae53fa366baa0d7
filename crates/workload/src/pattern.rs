//! What do `user:{n:08}` and `f{00..63}` stand for?

/// A key with the object's number in it: prefix, digits and suffix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyPattern {
    prefix: String,
    /// Shorter numbers are padded with zeros to this many digits.
    digits_min: usize,
    suffix: String,
}

/// Keys of more digits than this would pad for nothing: it is what 2⁶⁴ takes.
const DIGITS_MAX: usize = 20;

impl KeyPattern {
    /// Reads `user:{n}` or `user:{n:08}`; the error says what would be right.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        const REMEDY: &str = "write for example \"user:{n}\", or \"user:{n:08}\" for eight digits";
        let template = Template::parse(text)?;
        let Some(hole) = template.hole else {
            return Err(format!(
                "{text:?} has no {{n}}, so all objects would have one name; {REMEDY}"
            ));
        };
        let digits_min = match hole.as_str() {
            "n" => 0,
            _ => (hole.strip_prefix("n:0"))
                .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
                .and_then(|digits| digits.parse().ok())
                .filter(|digits| (1..=DIGITS_MAX).contains(digits))
                .ok_or_else(|| {
                    format!("{{{hole}}} is neither {{n}} nor padded to 1 to 20 digits; {REMEDY}")
                })?,
        };
        Ok(Self { prefix: template.prefix, digits_min, suffix: template.suffix })
    }

    /// Appends the key of object `number`.
    pub(crate) fn write(&self, number: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(self.prefix.as_bytes());
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(number);
        out.resize(out.len() + self.digits_min.saturating_sub(digits.len()), b'0');
        out.extend_from_slice(digits.as_bytes());
        out.extend_from_slice(self.suffix.as_bytes());
    }

    /// The length of the longest key.
    pub(crate) fn bytes_max(&self) -> u64 {
        (self.prefix.len() + DIGITS_MAX + self.suffix.len()) as u64
    }
}

/// The names a name pattern stands for: itself, or a numbered family such as `f{00..63}`. The error
/// says what would be right.
pub(crate) fn names(text: &str, count_max: usize) -> Result<Vec<String>, String> {
    let Template { prefix, hole, suffix } = Template::parse(text)?;
    let Some(hole) = hole else {
        return if prefix.is_empty() {
            Err("the name is empty; a field needs a name".to_owned())
        } else {
            Ok(vec![prefix])
        };
    };
    let not_a_family = || {
        format!("{{{hole}}} is not a span of numbers such as {{00..63}}; write {{{{ for a brace")
    };
    let (first, last) = hole.split_once("..").ok_or_else(not_a_family)?;
    let number = |digits: &str| {
        if digits.bytes().all(|byte| byte.is_ascii_digit()) {
            digits.parse::<usize>().map_err(|_| not_a_family())
        } else {
            Err(not_a_family())
        }
    };
    let (start, end) = (number(first)?, number(last)?);
    if start > end {
        return Err(format!("{{{hole}}} counts down; write {{{last}..{first}}}"));
    }
    if end - start >= count_max {
        return Err(format!("{{{hole}}} is more than the {count_max} fields an object may have"));
    }
    let width = first.len();
    Ok((start..=end).map(|number| format!("{prefix}{number:0width$}{suffix}")).collect())
}

/// A text with at most one `{…}` in it.
struct Template {
    prefix: String,
    hole: Option<String>,
    suffix: String,
}

impl Template {
    fn parse(text: &str) -> Result<Self, String> {
        let mut before = String::new();
        let mut hole = None;
        let mut after = String::new();
        let mut rest = text.chars().peekable();
        while let Some(letter) = rest.next() {
            let literal = if hole.is_none() { &mut before } else { &mut after };
            match letter {
                '{' | '}' if rest.peek() == Some(&letter) => {
                    rest.next();
                    literal.push(letter);
                }
                '{' if hole.is_some() => {
                    return Err(format!("{text:?} has two {{…}}; there can be one"));
                }
                '{' => hole = Some(Self::parse_hole(text, &mut rest)?),
                '}' => {
                    return Err(format!(
                        "{text:?} has a }} without its {{; write }}}} for a brace"
                    ));
                }
                _ => literal.push(letter),
            }
        }
        Ok(Self { prefix: before, hole, suffix: after })
    }

    fn parse_hole(text: &str, rest: &mut impl Iterator<Item = char>) -> Result<String, String> {
        let mut hole = String::new();
        for letter in rest {
            if letter == '}' {
                return Ok(hole);
            }
            hole.push(letter);
        }
        Err(format!("{text:?} has a {{ without its }}; write {{{{ for a brace"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(pattern: &str, number: u64) -> String {
        let mut key = Vec::new();
        KeyPattern::parse(pattern).unwrap().write(number, &mut key);
        assert!(key.len() as u64 <= KeyPattern::parse(pattern).unwrap().bytes_max());
        String::from_utf8(key).unwrap()
    }

    #[test]
    fn keys_hold_the_number_padded_as_asked() {
        assert_eq!(key("user:{n}", 0), "user:0");
        assert_eq!(key("user:{n}:profile", u64::MAX), "user:18446744073709551615:profile");
        assert_eq!(key("{n:08}", 123), "00000123");
        assert_eq!(key("{n:03}", 12_345), "12345");
        assert_eq!(key("{{user:{n}}}", 7), "{user:7}");
    }

    #[test]
    fn key_patterns_that_mean_nothing_are_refused() {
        for (pattern, cause) in [
            ("user", "no {n}"),
            ("", "no {n}"),
            ("user:{{n}}", "no {n}"),
            ("user:{n", "without its }"),
            ("user:n}", "without its {"),
            ("{n}:{n}", "two {…}"),
            ("{m}", "{m} is neither"),
            ("{n:8}", "{n:8} is neither"),
            ("{n:00}", "{n:00} is neither"),
            ("{n:021}", "{n:021} is neither"),
            ("{n:0+8}", "{n:0+8} is neither"),
        ] {
            let error = KeyPattern::parse(pattern).unwrap_err();
            assert!(error.contains(cause), "{pattern}: {error}");
        }
    }

    #[test]
    fn a_family_counts_from_first_to_last() {
        assert_eq!(names("age", 100).unwrap(), ["age"]);
        assert_eq!(names("f{08..11}", 100).unwrap(), ["f08", "f09", "f10", "f11"]);
        assert_eq!(names("{8..10}_b", 3).unwrap(), ["8_b", "9_b", "10_b"]);
        assert_eq!(names("{{x}}", 100).unwrap(), ["{x}"]);
        assert_eq!(names("f{00..63}", 64).unwrap().len(), 64);
    }

    #[test]
    fn names_that_mean_nothing_are_refused() {
        for (name, cause) in [
            ("", "the name is empty"),
            ("f{}", "{} is not a span"),
            ("f{3..1}", "write {1..3}"),
            ("f{a..b}", "{a..b} is not a span"),
            ("f{+1..3}", "{+1..3} is not a span"),
            ("f{0..100}", "more than the 100 fields"),
            ("f{0..99999999999999999999999}", "is not a span"),
        ] {
            let error = names(name, 100).unwrap_err();
            assert!(error.contains(cause), "{name}: {error}");
        }
    }
}
