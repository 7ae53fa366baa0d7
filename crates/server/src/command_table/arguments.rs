//! Which arguments does a command take, in short and at length?
//!
//! In the table of facts an argument is written as
//!
//! ```text
//! i:count/display@0=TOKEN>1.0.0<2.0.0?*+{…}
//! │ │     │       │ │     │     │     │││└ arguments that it consists of
//! │ │     │       │ │     │     │     ││└ each with the token
//! │ │     │       │ │     │     │     │└ any number of times
//! │ │     │       │ │     │     │     └ or not at all
//! │ │     │       │ │     │     └ the version that made it needless
//! │ │     │       │ │     └ the version that brought it
//! │ │     │       │ └ the word in front of it
//! │ │     │       └ which specification of keys it belongs to
//! │ │     └ what stands for it in a synopsis, if not its name
//! │ └ its name
//! └ its type: i integer, k key, p pattern, t token, u Unix time, d double, b block, o one of; else a string
//! ```

use hectare_resp::Encoder;

/// One argument, or a block or choice of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Argument<'a> {
    kind: &'static str,
    name: &'a str,
    display: Option<&'a str>,
    key_spec: Option<i64>,
    token: Option<&'a str>,
    since: Option<&'a str>,
    deprecated: Option<&'a str>,
    flags: Vec<&'static str>,
    parts: Vec<Self>,
}

/// The arguments of a command.
pub(super) fn parse(text: &str) -> Vec<Argument<'_>> {
    let (mut arguments, mut rest) = (Vec::new(), text.trim());
    while !rest.is_empty() {
        let (argument, behind) = rest.split_at(end_of_first(rest));
        arguments.push(Argument::parse(argument));
        rest = behind.trim_start();
    }
    arguments
}

/// Where the first argument ends: at a blank that is not within braces.
fn end_of_first(text: &str) -> usize {
    let mut depth = 0_u32;
    let is_end = |byte: u8| {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b' ' => return depth == 0,
            _ => {}
        }
        false
    };
    text.bytes().position(is_end).unwrap_or(text.len())
}

const MARKS: [char; 8] = ['/', '@', '=', '>', '<', '?', '*', '+'];

impl<'a> Argument<'a> {
    fn parse(text: &'a str) -> Self {
        let (head, parts) = match text.split_once('{') {
            Some((head, parts)) => (head, parse(parts.strip_suffix('}').unwrap_or(parts))),
            None => (text, Vec::new()),
        };
        let (kind, head) = match head.split_once(':') {
            Some((letter, rest)) if letter.len() == 1 => (kind_of(letter), rest),
            _ => ("string", head),
        };
        let name_end = head.find(MARKS).unwrap_or(head.len());
        let (name, mut rest) = head.split_at(name_end);
        let mut argument = Self {
            kind,
            name,
            display: (!matches!(kind, "block" | "oneof")).then_some(name),
            key_spec: None,
            token: None,
            since: None,
            deprecated: None,
            flags: Vec::new(),
            parts,
        };
        while let Some(mark) = rest.chars().next() {
            let value_end = rest[1..].find(MARKS).map_or(rest.len(), |end| end + 1);
            let value = &rest[1..value_end];
            match mark {
                '/' => argument.display = Some(value),
                '@' => argument.key_spec = value.parse().ok(),
                '=' => argument.token = Some(value),
                '>' => argument.since = Some(value),
                '<' => argument.deprecated = Some(value),
                '?' => argument.flags.push("optional"),
                '*' => argument.flags.push("multiple"),
                _ => argument.flags.push("multiple_token"),
            }
            rest = &rest[value_end..];
        }
        argument
    }

    /// Writes it as `COMMAND DOCS` does.
    pub(super) fn write(&self, encoder: &mut Encoder<'_>) {
        let texts = [
            ("display_text", self.display),
            ("token", self.token),
            ("since", self.since),
            ("deprecated_since", self.deprecated),
        ];
        let pairs = 2
            + texts.iter().filter(|(_, text)| text.is_some()).count()
            + usize::from(self.key_spec.is_some())
            + usize::from(!self.flags.is_empty())
            + usize::from(!self.parts.is_empty());
        encoder.map(pairs);
        pair(encoder, "name", self.name);
        pair(encoder, "type", self.kind);
        for (key, text) in texts {
            if let Some(text) = text {
                pair(encoder, key, text);
            }
            if let Some(key_spec) = self.key_spec.filter(|_| key == "display_text") {
                encoder.bulk(b"key_spec_index");
                encoder.integer(key_spec);
            }
        }
        if !self.flags.is_empty() {
            encoder.bulk(b"flags");
            encoder.set(self.flags.len());
            self.flags.iter().for_each(|flag| encoder.simple(flag));
        }
        if !self.parts.is_empty() {
            encoder.bulk(b"arguments");
            write_all(&self.parts, encoder);
        }
    }
}

/// Writes arguments in their order.
pub(super) fn write_all(arguments: &[Argument<'_>], encoder: &mut Encoder<'_>) {
    encoder.array(arguments.len());
    arguments.iter().for_each(|argument| argument.write(encoder));
}

fn pair(encoder: &mut Encoder<'_>, key: &str, text: &str) {
    encoder.bulk(key.as_bytes());
    encoder.bulk(text.as_bytes());
}

fn kind_of(letter: &str) -> &'static str {
    match letter {
        "i" => "integer",
        "k" => "key",
        "p" => "pattern",
        "t" => "pure-token",
        "u" => "unix-time",
        "d" => "double",
        "b" => "block",
        "o" => "oneof",
        _ => "string",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notation_says_everything_about_an_argument() {
        let arguments = parse("k:key@0 o:filter?*{old/ip:port<2.8.12 i:id=ID>2.8.13+}");
        assert_eq!(arguments.len(), 2);
        assert_eq!((arguments[0].kind, arguments[0].key_spec), ("key", Some(0)));
        let filter = &arguments[1];
        assert_eq!((filter.kind, filter.display), ("oneof", None));
        assert_eq!(filter.flags, ["optional", "multiple"]);
        let [old, id] = &filter.parts[..] else { panic!("{:?}", filter.parts) };
        assert_eq!((old.kind, old.name, old.display), ("string", "old", Some("ip:port")));
        assert_eq!(old.deprecated, Some("2.8.12"));
        assert_eq!(
            (id.token, id.since, &id.flags[..]),
            (Some("ID"), Some("2.8.13"), &["multiple_token"][..])
        );
    }
}
