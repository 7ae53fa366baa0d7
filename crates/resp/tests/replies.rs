//! Does the client read what the server writes, however it arrives?

use hectare_resp::{
    Encoder, Protocol, Reply, ReplyError, ReplyKind, ReplyLimits, ReplyParser, Skimmed, Skimmer,
};
use proptest::prelude::*;

/// The kinds and bytes of the replies that a skimmer finds, and the error that ends it.
fn skim_pieces(
    limits: ReplyLimits,
    bytes: &[u8],
    cuts: &[usize],
) -> (Vec<(ReplyKind, Vec<u8>)>, Option<ReplyError>) {
    let mut skimmer = Skimmer::new(limits);
    in_pieces(bytes, cuts, |buffer| {
        let found = skimmer.skim(buffer)?;
        Ok(found.map(|Skimmed { kind, consumed }| ((kind, buffer[..consumed].to_vec()), consumed)))
    })
}

fn parse_pieces(
    limits: ReplyLimits,
    bytes: &[u8],
    cuts: &[usize],
) -> (Vec<Reply>, Option<ReplyError>) {
    let mut parser = ReplyParser::new(limits);
    in_pieces(bytes, cuts, |buffer| parser.parse(buffer))
}

/// Hands `bytes` to `read` in pieces that end at `cuts`, dropping what is consumed.
fn in_pieces<T>(
    bytes: &[u8],
    cuts: &[usize],
    mut read: impl FnMut(&[u8]) -> Result<Option<(T, usize)>, ReplyError>,
) -> (Vec<T>, Option<ReplyError>) {
    let mut buffer = Vec::new();
    let mut replies = Vec::new();
    let mut arrived = 0;
    for end in cuts.iter().map(|&cut| cut.min(bytes.len())).chain([bytes.len()]) {
        buffer.extend_from_slice(&bytes[arrived.min(end)..end]);
        arrived = arrived.max(end);
        loop {
            match read(&buffer) {
                Ok(Some((reply, consumed))) => {
                    assert!(consumed > 0);
                    replies.push(reply);
                    buffer.drain(..consumed);
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(read(b":1\r\n").err(), Some(error), "an error stays");
                    return (replies, Some(error));
                }
            }
        }
    }
    (replies, None)
}

fn parse_one(bytes: &[u8]) -> Result<Reply, ReplyError> {
    let (reply, consumed) = ReplyParser::default().parse(bytes)?.expect("the reply is complete");
    assert_eq!(consumed, bytes.len());
    Ok(reply)
}

fn bulk(text: &str) -> Reply {
    Reply::Bulk(text.as_bytes().to_vec())
}

/// What Redis 8.0.2 sends to `DEBUG PROTOCOL …` behind `HELLO 3`.
#[test]
fn every_type_of_resp3_is_read() {
    let table: &[(&[u8], Reply)] = &[
        (b"+OK\r\n", Reply::Simple(b"OK".to_vec())),
        (b"-ERR no\r\n", Reply::Error(b"ERR no".to_vec())),
        (b"!21\r\nSYNTAX invalid syntax\r\n", Reply::Error(b"SYNTAX invalid syntax".to_vec())),
        (b":-12\r\n", Reply::Integer(-12)),
        (b"$0\r\n\r\n", bulk("")),
        (b"$-1\r\n", Reply::Null),
        (b"*-1\r\n", Reply::Null),
        (b"_\r\n", Reply::Null),
        (b"*0\r\n", Reply::Array(vec![])),
        (b"~3\r\n:0\r\n:1\r\n:2\r\n", Reply::Set((0..3).map(Reply::Integer).collect())),
        (
            b"%2\r\n:0\r\n#f\r\n:1\r\n#t\r\n",
            Reply::Map(vec![
                (Reply::Integer(0), Reply::Boolean(false)),
                (Reply::Integer(1), Reply::Boolean(true)),
            ]),
        ),
        (
            b">2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n",
            Reply::Push(vec![bulk("server-cpu-usage"), Reply::Integer(42)]),
        ),
        (b",12.25\r\n", Reply::Double(12.25)),
        (b",-inf\r\n", Reply::Double(f64::NEG_INFINITY)),
        (
            b"(1234567999999999999999999999999999999\r\n",
            Reply::BigNumber(b"1234567999999999999999999999999999999".to_vec()),
        ),
        (
            b"=29\r\ntxt:This is a verbatim\nstring\r\n",
            Reply::Verbatim { format: *b"txt", text: b"This is a verbatim\nstring".to_vec() },
        ),
        (
            b"|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n$4\r\nreal\r\n",
            bulk("real"),
        ),
        (b"*2\r\n|1\r\n+a\r\n|0\r\n+b\r\n:1\r\n:2\r\n", {
            Reply::Array(vec![Reply::Integer(1), Reply::Integer(2)])
        }),
    ];
    for (bytes, reply) in table {
        assert_eq!(parse_one(bytes).as_ref(), Ok(reply), "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_skimmer_tells_what_a_reply_is_behind_its_attributes() {
    let bytes =
        b"|1\r\n+a\r\n*1\r\n:1\r\n|0\r\n%1\r\n:1\r\n*1\r\n_\r\n>1\r\n+x\r\n*-1\r\n!2\r\nno\r\n";
    let (replies, error) = skim_pieces(ReplyLimits::default(), bytes, &[]);
    let kinds: Vec<_> = replies.iter().map(|(kind, _)| *kind).collect();
    use ReplyKind::{Error, Map, Null, Push};
    assert_eq!((kinds, error), (vec![Map, Push, Null, Error], None));
    assert_eq!(replies.iter().map(|(_, bytes)| bytes.len()).sum::<usize>(), bytes.len());
}

#[test]
fn what_is_no_reply_is_refused_with_its_reason() {
    use ReplyKind::{BigNumber, Boolean, Double, Integer, Null, Verbatim};
    let invalid = |kind| ReplyError::InvalidContent { kind };
    let table: &[(&[u8], ReplyError)] = &[
        (b"HTTP/1.1 400 Bad Request\r\n", ReplyError::UnknownMarker { found: b'H' }),
        (b"\r\n", ReplyError::UnknownMarker { found: b'\r' }),
        (b"*1\r\nx\r\n", ReplyError::UnknownMarker { found: b'x' }),
        (b"$-2\r\n", ReplyError::InvalidLength),
        (b"$\r\n", ReplyError::InvalidLength),
        (b"$01\r\n", ReplyError::InvalidLength),
        (b"*1x\r\n", ReplyError::InvalidLength),
        (b"|-1\r\n", ReplyError::InvalidLength),
        (b"*9223372036854775808\r\n", ReplyError::InvalidLength),
        (b"$?\r\n", ReplyError::Streamed),
        (b"*?\r\n", ReplyError::Streamed),
        (b"%?\r\n", ReplyError::Streamed),
        (b"~?\r\n", ReplyError::Streamed),
        (b"$1\r\nabc", ReplyError::MissingLineEnd),
        (b"+OK\rx", ReplyError::MissingLineEnd),
        (b"$1\rx", ReplyError::MissingLineEnd),
        (b"$1073741825\r\n", ReplyError::TooBig),
        (b"$999999999999999999\r\n", ReplyError::TooBig),
        (b"*357913942\r\n", ReplyError::TooBig),
        (b"%999999999999999999\r\n", ReplyError::TooBig),
        (b":\r\n", invalid(Integer)),
        (b":1x\r\n", invalid(Integer)),
        (b"_x\r\n", invalid(Null)),
        (b"#x\r\n", invalid(Boolean)),
        (b",x\r\n", invalid(Double)),
        (b"(1.5\r\n", invalid(BigNumber)),
        (b"=3\r\ntxt\r\n", invalid(Verbatim)),
    ];
    for (bytes, error) in table {
        for cuts in [vec![], (1..bytes.len()).collect()] {
            let found = parse_pieces(ReplyLimits::default(), bytes, &cuts);
            assert_eq!(found, (vec![], Some(*error)), "{}", bytes.escape_ascii());
        }
    }
    assert_eq!(
        ReplyError::UnknownMarker { found: b'H' }.to_string(),
        "a reply starts with a type marker such as '+', '-', ':', '$' or '*', not with 'H'"
    );
}

#[test]
fn a_line_is_as_long_as_the_limit_and_no_longer() {
    let limits = ReplyLimits { line_bytes_max: 40, ..ReplyLimits::default() };
    let line = [b"+", &[b'a'; 39][..]].concat();
    let skim = |end: &[u8]| skim_pieces(limits, &[&line[..], end].concat(), &[]);
    assert_eq!((skim(b"\r\n").0.len(), skim(b"").1), (1, None));
    assert_eq!(skim(b"a\r\n").1, Some(ReplyError::TooLongLine));
    assert_eq!(skim(b"a").1, Some(ReplyError::TooLongLine));
}

#[test]
fn a_reply_is_as_long_as_the_limit_and_no_longer() {
    let limits = ReplyLimits { reply_bytes_max: 15, ..ReplyLimits::default() };
    assert_eq!(skim_pieces(limits, b"*2\r\n:1\r\n$1\r\na\r\n", &[]).0.len(), 1);
    assert_eq!(skim_pieces(limits, b"*2\r\n:1\r\n$2\r\n", &[]).1, Some(ReplyError::TooBig));
    assert_eq!(skim_pieces(limits, b"*2\r\n:1\r\n:12345\r\n", &[]).1, Some(ReplyError::TooBig));
    assert_eq!(skim_pieces(limits, b"*4\r\n", &[]).1, Some(ReplyError::TooBig));
}

#[test]
fn a_tree_is_as_deep_as_the_limit_and_a_skimmer_goes_to_any_depth() {
    let limits = ReplyLimits { depth_max: 3, ..ReplyLimits::default() };
    let nested = |depth: usize| [b"*1\r\n".repeat(depth), b":1\r\n".to_vec()].concat();
    assert!(matches!(parse_pieces(limits, &nested(3), &[]), (_, None)));
    assert_eq!(parse_pieces(limits, &nested(4), &[]).1, Some(ReplyError::TooDeep));
    assert_eq!(skim_pieces(limits, &nested(100_000), &[]).0.len(), 1);
}

/// Bytes behind which the skimmer is are overwritten, so that it would show if it looked at them again.
#[test]
fn what_was_seen_is_not_looked_at_again() {
    let mut skimmer = Skimmer::default();
    let mut buffer = b"*3\r\n:1\r\n$1\r\na\r\n$9\r\n1234".to_vec();
    let last_header = buffer.len() - 8;
    assert_eq!(skimmer.skim(&buffer), Ok(None));
    buffer[..last_header].fill(b'?');
    buffer[last_header + 4..].fill(b'?');
    buffer.extend_from_slice(b"56789\r\n+line");
    let consumed = buffer.len() - 5;
    let expected = Skimmed { kind: ReplyKind::Array, consumed };
    assert_eq!(skimmer.skim(&buffer), Ok(Some(expected)));

    let mut buffer = buffer.split_off(consumed);
    assert_eq!(skimmer.skim(&buffer), Ok(None));
    buffer[1..].fill(b'\r');
    buffer.extend_from_slice(b"\r\n");
    let expected = Skimmed { kind: ReplyKind::Simple, consumed: 7 };
    assert_eq!(skimmer.skim(&buffer), Ok(Some(expected)));
}

#[test]
fn accessors_read_the_same_from_both_protocols() {
    let mut replies = Vec::new();
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        let mut out = Vec::new();
        let mut encoder = Encoder::new(&mut out, protocol);
        encoder.map(6);
        encoder.bulk(b"double");
        encoder.double(1.5);
        encoder.bulk(b"boolean");
        encoder.boolean(true);
        encoder.bulk(b"null");
        encoder.null();
        encoder.bulk(b"text");
        encoder.verbatim(*b"txt", b"hello");
        encoder.bulk(b"set");
        encoder.set(1);
        encoder.bulk_integer(-7);
        encoder.bulk(b"big");
        encoder.big_number("-123");
        replies.push(parse_one(&out).unwrap());
    }
    for reply in replies {
        assert_eq!(reply.pairs().count(), 6);
        assert_eq!(reply.get("double").unwrap().as_double(), Some(1.5));
        assert_eq!(reply.get("boolean").unwrap().as_boolean(), Some(true));
        assert!(reply.get("null").unwrap().is_null());
        assert_eq!(reply.get("text").unwrap().as_text(), Some("hello"));
        assert_eq!(reply.get("set").unwrap().as_array().unwrap()[0].as_integer(), Some(-7));
        assert_eq!(reply.get("none"), None);
    }
    assert_eq!(parse_one(b"-WRONGTYPE x\r\n").unwrap().as_error(), Some(&b"WRONGTYPE x"[..]));
    assert_eq!(Reply::Integer(3).as_double(), Some(3.0));
    assert_eq!(Reply::Integer(3).as_bytes(), None);
}

/// What a server may want to say, whole.
fn any_reply() -> impl Strategy<Value = Reply> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..20);
    let leaf = prop_oneof![
        "[a-zA-Z ]{0,20}".prop_map(|text| Reply::Simple(text.into_bytes())),
        "[A-Z]{1,9} [a-z']{0,20}".prop_map(|text| Reply::Error(text.into_bytes())),
        any::<i64>().prop_map(Reply::Integer),
        (0_i64..200).prop_map(Reply::Integer),
        bytes().prop_map(Reply::Bulk),
        Just(Reply::Null),
        (-4_000_i32..4_000).prop_map(|quarters| Reply::Double(f64::from(quarters) / 4.0)),
        any::<bool>().prop_map(Reply::Boolean),
        "-?[1-9][0-9]{0,30}".prop_map(|digits| Reply::BigNumber(digits.into_bytes())),
        bytes().prop_map(|text| Reply::Verbatim { format: *b"mkd", text }),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let elements = proptest::collection::vec(inner.clone(), 0..5);
        prop_oneof![
            elements.clone().prop_map(Reply::Array),
            elements.clone().prop_map(Reply::Set),
            elements.prop_map(Reply::Push),
            proptest::collection::vec((inner.clone(), inner), 0..4).prop_map(Reply::Map),
        ]
    })
}

fn encode(encoder: &mut Encoder<'_>, reply: &Reply) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("it is made as text");
    match reply {
        Reply::Simple(bytes) => encoder.simple(&text(bytes)),
        Reply::Error(bytes) => encoder.error(bytes),
        Reply::Integer(integer) => encoder.integer(*integer),
        Reply::Bulk(bytes) => encoder.bulk(bytes),
        Reply::Null => encoder.null(),
        Reply::Double(double) => encoder.double(*double),
        Reply::Boolean(boolean) => encoder.boolean(*boolean),
        Reply::BigNumber(digits) => encoder.big_number(&text(digits)),
        Reply::Verbatim { format, text } => encoder.verbatim(*format, text),
        Reply::Array(elements) | Reply::Set(elements) | Reply::Push(elements) => {
            match reply {
                Reply::Array(_) => encoder.array(elements.len()),
                Reply::Set(_) => encoder.set(elements.len()),
                _ => encoder.push(elements.len()),
            }
            elements.iter().for_each(|element| encode(encoder, element));
        }
        Reply::Map(pairs) => {
            encoder.map(pairs.len());
            for (key, value) in pairs {
                encode(encoder, key);
                encode(encoder, value);
            }
        }
    }
}

/// What is left of a reply in RESP2, which has fewer types.
fn in_resp2(reply: Reply) -> Reply {
    let each = |elements: Vec<Reply>| elements.into_iter().map(in_resp2).collect();
    match reply {
        Reply::Array(elements) | Reply::Set(elements) | Reply::Push(elements) => {
            Reply::Array(each(elements))
        }
        Reply::Map(pairs) => {
            Reply::Array(each(pairs.into_iter().flat_map(|(key, value)| [key, value]).collect()))
        }
        Reply::Double(double) => Reply::Bulk(double.to_string().into_bytes()),
        Reply::Boolean(boolean) => Reply::Integer(i64::from(boolean)),
        Reply::BigNumber(bytes) | Reply::Verbatim { text: bytes, .. } => Reply::Bulk(bytes),
        other => other,
    }
}

/// Bytes that look enough like replies to get past the first check.
fn near_replies() -> impl Strategy<Value = Vec<u8>> {
    let number = || prop_oneof![9 => -1_i64..5, 1 => any::<i64>()];
    let piece = prop_oneof![
        ("[-+:$*%~>|,#(=!_]", number())
            .prop_map(|(marker, number)| format!("{marker}{number}\r\n").into_bytes()),
        Just(b"$1\r\na\r\n".to_vec()),
        Just(b"=5\r\ntxt:a\r\n".to_vec()),
        Just(b"+\r\r\n".to_vec()),
        Just(b"+O\r\r\n".to_vec()),
        Just(vec![b'9'; 19]),
        Just(b"_\r\n".to_vec()),
        Just(b"#t\r\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\r\n".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..3),
    ];
    proptest::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(0_usize..200, 0..12).prop_map(|mut cuts| {
        cuts.sort_unstable();
        cuts
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_is_encoded_is_read_back_however_it_is_cut(
        replies in proptest::collection::vec(any_reply(), 0..5),
        cuts in cuts(),
    ) {
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            let mut bytes = Vec::new();
            let mut ends = Vec::new();
            for reply in &replies {
                encode(&mut Encoder::new(&mut bytes, protocol), reply);
                ends.push(bytes.len());
            }
            let expected: Vec<_> = match protocol {
                Protocol::Resp2 => replies.iter().cloned().map(in_resp2).collect(),
                Protocol::Resp3 => replies.clone(),
            };
            let (skimmed, error) = skim_pieces(ReplyLimits::default(), &bytes, &cuts);
            let skimmed_ends: Vec<_> = skimmed
                .iter()
                .scan(0, |end, (_, bytes)| { *end += bytes.len(); Some(*end) })
                .collect();
            prop_assert_eq!((skimmed_ends, error), (ends, None));
            let parsed = parse_pieces(ReplyLimits::default(), &bytes, &cuts);
            prop_assert_eq!(parsed, (expected, None));
        }
    }

    #[test]
    fn any_cut_of_any_bytes_gives_the_same_replies(
        bytes in near_replies(),
        cuts in cuts(),
        is_tight: bool,
    ) {
        let limits = if is_tight {
            ReplyLimits { line_bytes_max: 32, reply_bytes_max: 40, depth_max: 2 }
        } else {
            ReplyLimits::default()
        };
        let every_byte: Vec<_> = (1..bytes.len()).collect();
        let skimmed = skim_pieces(limits, &bytes, &[]);
        prop_assert_eq!(&skim_pieces(limits, &bytes, &cuts), &skimmed);
        prop_assert_eq!(&skim_pieces(limits, &bytes, &every_byte), &skimmed);
        // Compared as text, since a double that is not a number differs from itself.
        let parsed = format!("{:?}", parse_pieces(limits, &bytes, &[]));
        prop_assert_eq!(&format!("{:?}", parse_pieces(limits, &bytes, &cuts)), &parsed);
        prop_assert_eq!(&format!("{:?}", parse_pieces(limits, &bytes, &every_byte)), &parsed);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        skim_pieces(ReplyLimits::default(), &bytes, &[]);
        parse_pieces(ReplyLimits::default(), &bytes, &[]);
    }
}
