//! Does a name match a pattern?

/// A pattern as Redis reads it: `?` is any byte, `*` any bytes, `[a-z]` one of a range, `[^a-z]` one
/// outside it, `\` takes the next byte as it is.
///
/// Oddities are Redis' own: a class that is not closed ends with the pattern, `[]` matches nothing,
/// ranges compare bytes as signed (as C's `char` is on x86-64) and in either order, and the empty
/// name matches no pattern but the empty one (`SCAN` takes a lone `*` as no pattern at all).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glob<'a> {
    pattern: &'a [u8],
}

impl<'a> Glob<'a> {
    pub(crate) fn new(pattern: &'a [u8]) -> Self {
        Self { pattern }
    }

    /// Whether `name` matches as a whole. Takes at most the product of both lengths: where matching
    /// fails, only the last `*` passed can be made to take more.
    pub(crate) fn is_match(&self, name: &[u8]) -> bool {
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
