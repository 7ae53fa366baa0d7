//! Does a name match a pattern?

/// A pattern as Redis reads it: `?` is any byte, `*` any bytes, `[a-z]` one of a range, `[^a-z]` one
/// outside it, `\` takes the next byte as it is.
///
/// Oddities are Redis' own: a class that is not closed ends with the pattern, `[]` matches nothing,
/// ranges compare bytes as signed (as C's `char` is on x86-64) and in either order, and the empty
/// name matches no pattern but the empty one (`SCAN` takes a lone `*` as no pattern at all).
#[derive(Clone, Copy, Debug)]
pub struct Glob<'a> {
    pattern: &'a [u8],
}

impl<'a> Glob<'a> {
    /// Any bytes are a pattern.
    #[must_use]
    pub fn new(pattern: &'a [u8]) -> Self {
        Self { pattern }
    }

    /// Whether `name` matches as a whole. Takes at most the product of both lengths: where matching
    /// fails, only the last `*` passed can be made to take more.
    #[must_use]
    pub fn is_match(&self, name: &[u8]) -> bool {
        let pattern = self.pattern;
        if name.is_empty() {
            return pattern.is_empty();
        }
        let (mut at, mut in_pattern) = (0, 0);
        // Where the pattern goes on after the last `*`, and how far in the name that takes it.
        let mut retry = None;
        while at < name.len() {
            if pattern.get(in_pattern) == Some(&b'*') {
                in_pattern += 1;
                retry = Some((in_pattern, at));
                continue;
            }
            if let Some(next) = match_one(pattern, in_pattern, name[at]) {
                in_pattern = next;
                at += 1;
                continue;
            }
            let Some((after_star, taken)) = retry else { return false };
            retry = Some((after_star, taken + 1));
            (in_pattern, at) = (after_star, taken + 1);
        }
        pattern[in_pattern..].iter().all(|&byte| byte == b'*')
    }
}

/// Where the pattern goes on if what it has at `at` matches `byte`.
fn match_one(pattern: &[u8], at: usize, byte: u8) -> Option<usize> {
    match pattern[at..] {
        [] => None,
        [b'?', ..] => Some(at + 1),
        [b'[', ..] => match_class(pattern, at + 1, byte),
        [b'\\', escaped, ..] => (escaped == byte).then_some(at + 2),
        [literal, ..] => (literal == byte).then_some(at + 1),
    }
}

/// The same for the inside of a class, which begins at `at`.
fn match_class(pattern: &[u8], mut at: usize, byte: u8) -> Option<usize> {
    let is_inverted = pattern.get(at) == Some(&b'^');
    at += usize::from(is_inverted);
    let mut is_in = false;
    let end = loop {
        match pattern[at..] {
            [] => break at,
            [b'\\', escaped, ..] => {
                is_in |= escaped == byte;
                at += 2;
            }
            [b']', ..] => break at + 1,
            [from, b'-', to, ..] => {
                let [from, to, byte] = [from, to, byte].map(u8::cast_signed);
                is_in |= (from.min(to)..=from.max(to)).contains(&byte);
                at += 3;
            }
            [member, ..] => {
                is_in |= member == byte;
                at += 1;
            }
        }
    };
    (is_in != is_inverted).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// One element of a pattern that is well formed.
    #[derive(Clone, Debug)]
    enum Part {
        Any,
        One,
        Byte(u8),
        Escaped(u8),
        Class { is_inverted: bool, members: Vec<(u8, u8)> },
    }

    impl Part {
        fn write(&self, pattern: &mut Vec<u8>) {
            match self {
                Self::Any => pattern.push(b'*'),
                Self::One => pattern.push(b'?'),
                Self::Byte(byte) => pattern.push(*byte),
                Self::Escaped(byte) => pattern.extend([b'\\', *byte]),
                Self::Class { is_inverted, members } => {
                    pattern.push(b'[');
                    pattern.extend(is_inverted.then_some(b'^'));
                    members.iter().for_each(|(from, to)| pattern.extend([*from, b'-', *to]));
                    pattern.push(b']');
                }
            }
        }

        fn is_match(&self, byte: u8) -> bool {
            match self {
                Self::Any => unreachable!("it takes any number of bytes"),
                Self::One => true,
                Self::Byte(own) | Self::Escaped(own) => *own == byte,
                Self::Class { is_inverted, members } => {
                    members.iter().any(|(from, to)| (*from..=*to).contains(&byte)) != *is_inverted
                }
            }
        }
    }

    fn part() -> impl Strategy<Value = Part> {
        let letter = || prop::sample::select(b"abc".to_vec());
        let range = (letter(), letter()).prop_map(|(a, b)| (a.min(b), a.max(b)));
        prop_oneof![
            Just(Part::Any),
            Just(Part::One),
            letter().prop_map(Part::Byte),
            prop::sample::select(b"abc*?[]\\".to_vec()).prop_map(Part::Escaped),
            (any::<bool>(), vec(range, 0..3))
                .prop_map(|(is_inverted, members)| Part::Class { is_inverted, members }),
        ]
    }

    /// Tries every way to match, however long that takes.
    fn matches_somehow(parts: &[Part], name: &[u8]) -> bool {
        match (parts, name) {
            ([], name) => name.is_empty(),
            ([Part::Any, rest @ ..], name) => {
                (0..=name.len()).any(|taken| matches_somehow(rest, &name[taken..]))
            }
            ([part, rest @ ..], [byte, others @ ..]) => {
                part.is_match(*byte) && matches_somehow(rest, others)
            }
            (_, []) => false,
        }
    }

    fn is_match(pattern: impl AsRef<[u8]>, name: impl AsRef<[u8]>) -> bool {
        Glob::new(pattern.as_ref()).is_match(name.as_ref())
    }

    proptest! {
        #[test]
        fn a_pattern_matches_what_some_way_of_reading_it_matches(
            parts in vec(part(), 0..7),
            name in vec(prop::sample::select(b"aabbcc*?[]\\".to_vec()), 1..8),
        ) {
            let mut pattern = Vec::new();
            parts.iter().for_each(|part| part.write(&mut pattern));
            prop_assert_eq!(is_match(&pattern, &name), matches_somehow(&parts, &name));
        }

        #[test]
        fn any_bytes_are_a_pattern(pattern in vec(any::<u8>(), 0..20), name in vec(any::<u8>(), 0..20)) {
            is_match(pattern, name);
        }
    }

    #[test]
    fn oddities_are_those_of_redis() {
        for (pattern, name) in [
            ("[^", "x"),
            ("[a", "a"),
            ("[c-a]", "b"),
            ("[a-]", "^"),
            ("\\", "\\"),
            ("", ""),
            ("[^]", "]"),
        ] {
            assert!(is_match(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("[", "["), ("[]", "x"), ("[]x]", "x"), ("**", ""), ("a", "A"), ("a*[", "ab")]
        {
            assert!(!is_match(pattern, name), "{pattern} {name}");
        }
        // As signed bytes 0xff is -1, so the range is from -1 to 97.
        assert!(is_match(b"[a-\xff]", b"A") && !is_match(b"[a-\xff]", b"b"));
    }

    #[test]
    fn many_stars_do_not_take_long() {
        assert!(!is_match("a*".repeat(10_000) + "b", "a".repeat(10_000)));
    }
}
