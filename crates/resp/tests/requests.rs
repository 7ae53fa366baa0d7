//! What does the server take for a request, and how does it refuse the rest?

use hectare_resp::{Parsed, ProtocolError, RequestLimits, RequestParser, encode_command};
use proptest::prelude::*;

/// One request's arguments.
type Args = Vec<Vec<u8>>;

/// Everything that is read from `bytes` when they arrive in pieces that end at `cuts`, and the error that
/// ends it. As a server would, it drops what is consumed from the front of its buffer.
fn read_pieces(
    limits: RequestLimits,
    bytes: &[u8],
    cuts: &[usize],
) -> (Vec<Args>, Option<ProtocolError>) {
    let mut parser = RequestParser::new(limits);
    let mut buffer = Vec::new();
    let mut requests = Vec::new();
    let mut arrived = 0;
    for end in cuts.iter().map(|&cut| cut.min(bytes.len())).chain([bytes.len()]) {
        buffer.extend_from_slice(&bytes[arrived.min(end)..end]);
        arrived = arrived.max(end);
        loop {
            match parser.parse(&buffer) {
                Ok(Parsed::Request(request)) => {
                    assert_eq!(request.iter().len(), request.args_count());
                    assert!(request.args_count() > 0);
                    requests.push(request.iter().map(<[u8]>::to_vec).collect());
                    let consumed = request.consumed();
                    buffer.drain(..consumed);
                }
                Ok(Parsed::Empty { consumed }) => {
                    assert!(consumed > 0);
                    buffer.drain(..consumed);
                }
                Ok(Parsed::Partial { missing_bytes_min }) => {
                    assert!(missing_bytes_min > 0);
                    break;
                }
                Err(error) => {
                    assert_eq!(parser.parse(b"PING\r\n").err(), Some(error), "an error stays");
                    return (requests, Some(error));
                }
            }
        }
    }
    (requests, None)
}

fn read(bytes: &[u8]) -> (Vec<Args>, Option<ProtocolError>) {
    read_pieces(RequestLimits::default(), bytes, &[])
}

fn every_byte(bytes: &[u8]) -> Vec<usize> {
    (1..bytes.len()).collect()
}

fn args(words: &[&[u8]]) -> Args {
    words.iter().map(|word| word.to_vec()).collect()
}

/// The texts and the conditions are those of Redis 8.0.2, asked one by one.
#[test]
fn protocol_errors_are_those_of_redis() {
    let table: &[(&[u8], &str)] = &[
        (b"*2147483648\r\n", "invalid multibulk length"),
        (b"*\r\n", "invalid multibulk length"),
        (b"*+1\r\n", "invalid multibulk length"),
        (b"*01\r\n", "invalid multibulk length"),
        (b"*-0\r\n", "invalid multibulk length"),
        (b"* 1\r\n", "invalid multibulk length"),
        (b"*1a\r\n", "invalid multibulk length"),
        (b"*-9223372036854775809\r\n", "invalid multibulk length"),
        (b"*00000000000000000000000001\r\n", "invalid multibulk length"),
        (b"*1\r\n$-1\r\n", "invalid bulk length"),
        (b"*1\r\n$536870913\r\n", "invalid bulk length"),
        (b"*1\r\n$9223372036854775808\r\n", "invalid bulk length"),
        (b"*1\r\n$\r\n", "invalid bulk length"),
        (b"*1\r\n$04\r\n", "invalid bulk length"),
        (b"*1\r\n$4a\r\n", "invalid bulk length"),
        (b"*1\r\n+4\r\n", "expected '$', got '+'"),
        (b"*1\r\n\r\n", "expected '$', got ' '"),
        (b"*1\r\n\n\r\n", "expected '$', got ' '"),
        (b"*2\r\n$4\r\nPING\r\nPING\r\n", "expected '$', got 'P'"),
        (b"*2\r\n$4\r\nPING\r\n\r\n", "expected '$', got ' '"),
        (b"ECHO \"foo\r\n", "unbalanced quotes in request"),
        (b"ECHO 'foo\r\n", "unbalanced quotes in request"),
        (b"ECHO \"foo\"bar\r\n", "unbalanced quotes in request"),
        (b"ECHO 'foo'bar\r\n", "unbalanced quotes in request"),
        (b"ECHO foo\"\r\n", "unbalanced quotes in request"),
        (b"ECHO \"a\\\r\n", "unbalanced quotes in request"),
    ];
    for (bytes, text) in table {
        let each_cut = every_byte(bytes).into_iter().map(|cut| vec![cut]);
        for cuts in [vec![], every_byte(bytes)].into_iter().chain(each_cut) {
            let (requests, error) = read_pieces(RequestLimits::default(), bytes, &cuts);
            let mut reply = Vec::new();
            error.expect("an error").write_reply(&mut reply);
            assert_eq!(requests, Vec::<Args>::new(), "{}", bytes.escape_ascii());
            assert_eq!(
                reply.escape_ascii().to_string(),
                format!("-ERR Protocol error: {text}\r\n").as_bytes().escape_ascii().to_string(),
                "{}",
                bytes.escape_ascii()
            );
        }
    }
}

#[test]
fn an_unexpected_byte_is_sent_back_as_it_is_and_shown_escaped() {
    let (_, error) = read(b"*1\r\n\xff\r\n");
    let error = error.unwrap();
    let mut reply = Vec::new();
    error.write_reply(&mut reply);
    assert_eq!(reply, b"-ERR Protocol error: expected '$', got '\xff'\r\n");
    assert_eq!(error.to_string(), "Protocol error: expected '$', got '\\xff'");
}

#[test]
fn a_line_without_an_end_is_refused_behind_64_kib() {
    let table: [(&[u8], &str); 3] = [
        (b"*", "too big mbulk count string"),
        (b"*1\r\n$", "too big bulk count string"),
        (b"a", "too big inline request"),
    ];
    for (head, text) in table {
        let marker_at = head.len() - 1;
        let mut bytes = head.to_vec();
        bytes.resize(marker_at + 64 * 1024, b'1');
        assert_eq!(read(&bytes), (vec![], None));
        bytes.push(b'1');
        for cuts in [vec![], (0..bytes.len()).step_by(1000).collect()] {
            let (_, error) = read_pieces(RequestLimits::default(), &bytes, &cuts);
            assert_eq!(error.unwrap().to_string(), format!("Protocol error: {text}"));
        }
    }
}

#[test]
fn the_longest_inline_command_is_read() {
    let mut bytes = vec![b'a'; 64 * 1024];
    bytes.extend_from_slice(b"\n");
    assert_eq!(read(&bytes).0, [args(&[&bytes[..64 * 1024]])]);
}

#[test]
fn who_has_not_logged_in_sends_ten_arguments_of_16_kib() {
    let refusals: &[(&[u8], Option<ProtocolError>)] = &[
        (b"*10\r\n", None),
        (b"*11\r\n", Some(ProtocolError::UnauthenticatedArgsCount)),
        (b"*2147483648\r\n", Some(ProtocolError::InvalidArgsCount)),
        (b"*1\r\n$16384\r\n", None),
        (b"*1\r\n$16385\r\n", Some(ProtocolError::UnauthenticatedBulkLength)),
        (b"*1\r\n$536870913\r\n", Some(ProtocolError::InvalidBulkLength)),
        (b"a b c d e f g h i j k l m\r\n", None),
    ];
    for (bytes, error) in refusals {
        let (_, found) = read_pieces(RequestLimits::unauthenticated(), bytes, &[]);
        assert_eq!(found, *error, "{}", bytes.escape_ascii());
    }
    assert_eq!(
        ProtocolError::UnauthenticatedArgsCount.to_string(),
        "Protocol error: unauthenticated multibulk length"
    );
    assert_eq!(
        ProtocolError::UnauthenticatedBulkLength.to_string(),
        "Protocol error: unauthenticated bulk length"
    );
}

#[test]
fn a_login_widens_the_limits() {
    let mut parser = RequestParser::new(RequestLimits::unauthenticated());
    let buffer = b"AUTH x\r\n*11\r\n";
    let Ok(Parsed::Request(request)) = parser.parse(buffer) else { panic!("AUTH is complete") };
    let consumed = request.consumed();
    parser.set_limits(RequestLimits::default());
    assert!(matches!(parser.parse(&buffer[consumed..]), Ok(Parsed::Partial { .. })));
}

#[test]
fn configured_limits_are_the_last_values_accepted() {
    let limits = RequestLimits {
        bulk_bytes_max: 3,
        args_count_max: 2,
        request_bytes_max: 22,
        ..RequestLimits::default()
    };
    let error = |bytes: &[u8]| read_pieces(limits, bytes, &[]).1;
    assert_eq!(error(b"*2\r\n$3\r\nabc\r\n$3\r\nabc\r\n"), None);
    assert_eq!(error(b"*3\r\n"), Some(ProtocolError::InvalidArgsCount));
    assert_eq!(error(b"*1\r\n$4\r\n"), Some(ProtocolError::InvalidBulkLength));
    let limits = RequestLimits { request_bytes_max: 21, ..limits };
    let (_, error) = read_pieces(limits, b"*2\r\n$3\r\nabc\r\n$3\r\n", &[]);
    assert_eq!(error, Some(ProtocolError::TooBigRequest));
    assert_eq!(error.unwrap().to_string(), "Protocol error: too big request");
}

#[test]
fn requests_without_arguments_are_passed_over_silently() {
    let empties: [&[u8]; 8] = [
        b"*0\r\n",
        b"*-1\r\n",
        b"*-10\r\n",
        b"*-9223372036854775808\r\n",
        b"\r\n",
        b"\n\n",
        b"   \r\n",
        b"\x0b\x0c\t\r\n",
    ];
    for empty in empties {
        let bytes = [empty, b"*1\r\n$4\r\nPING\r\n"].concat();
        for cuts in [vec![], every_byte(&bytes)] {
            let found = read_pieces(RequestLimits::default(), &bytes, &cuts);
            assert_eq!(found, (vec![args(&[b"PING"])], None), "{}", empty.escape_ascii());
        }
    }
}

#[test]
fn what_stands_where_a_line_feed_should_be_is_skipped_as_redis_does() {
    let bytes = b"*1\rX$4\rYPINGZZ*1\r\n$4\r\nPINGab*1\r\n$0\r\n\r\n";
    assert_eq!(read(bytes), (vec![args(&[b"PING"]), args(&[b"PING"]), args(&[b""])], None));
}

#[test]
fn inline_commands_are_split_as_redis_splits_them() {
    let table: &[(&[u8], &[&[u8]])] = &[
        (b"PING\r\n", &[b"PING"]),
        (b"PING\n", &[b"PING"]),
        (b"PING\r\r\n", &[b"PING"]),
        (b"  a \t b\r\n", &[b"a", b"b"]),
        (b"\"a\\x41\\n\\r\\t\\b\\a\\q\\\\\\\"\"\r\n", &[b"aA\n\r\t\x08\x07q\\\""]),
        (b"\"\\xzz\" \"\\x4\" \"\\xfF\\x00\"\r\n", &[b"xzz", b"x4", b"\xff\0"]),
        (b"'a\\'b\\n' '\"'\r\n", &[b"a'b\\n", b"\""]),
        (b"foo\"bar\" a'b c'\r\n", &[b"foobar", b"ab c"]),
        (b"\"\" ''\r\n", &[b"", b""]),
        (b"\"a\"\x0b\"b\"\r\n", &[b"a", b"b"]),
        (b"a\x0bb \x0b\x0ca\r\n", &[b"a\x0bb", b"a"]),
        (b"a\rb \"a\rb\"\r\n", &[b"a", b"b", b"a\rb"]),
        (b"\xff\xfe $4\r\n", &[b"\xff\xfe", b"$4"]),
        // Redis waits for ever for the end of this line.
        (b"PI\0NG\r\n", &[b"PI\0NG"]),
    ];
    for (bytes, expected) in table {
        for cuts in [vec![], every_byte(bytes)] {
            let found = read_pieces(RequestLimits::default(), bytes, &cuts);
            assert_eq!(found, (vec![args(expected)], None), "{}", bytes.escape_ascii());
        }
    }
}

#[test]
fn the_spans_of_a_request_point_into_the_buffer_itself() {
    let buffer = b"*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\nrest";
    let mut parser = RequestParser::default();
    let Ok(Parsed::Request(request)) = parser.parse(buffer) else { panic!("it is complete") };
    assert!(!request.is_inline());
    assert_eq!(request.bytes(), buffer);
    assert_eq!(&buffer[request.spans()[1].range()], b"hi");
    assert_eq!(request.arg(1), Some(&b"hi"[..]));
    assert_eq!(request.arg(2), None);
    let Ok(Parsed::Request(request)) = parser.parse(b"ECHO 'h'\n") else {
        panic!("it is complete")
    };
    assert!(request.is_inline());
    assert_eq!(&request.bytes()[request.spans()[1].range()], b"h");
}

#[test]
fn a_partial_request_says_how_much_is_missing() {
    let table: [(&[u8], usize); 7] = [
        (b"", 1),
        (b"*", 1),
        (b"*1\r\n", 1),
        (b"*1\r\n$10\r", 1),
        (b"*1\r\n$10\r\n", 12),
        (b"*1\r\n$10\r\n123456789", 3),
        (b"PING", 1),
    ];
    for (bytes, missing) in table {
        match RequestParser::default().parse(bytes) {
            Ok(Parsed::Partial { missing_bytes_min }) => assert_eq!(missing_bytes_min, missing),
            found => panic!("{}: {found:?}", bytes.escape_ascii()),
        }
    }
}

fn any_args() -> impl Strategy<Value = Args> {
    let arg = prop_oneof![
        8 => proptest::collection::vec(any::<u8>(), 0..12),
        1 => proptest::collection::vec(any::<u8>(), 90..300),
    ];
    proptest::collection::vec(arg, 1..8)
}

/// A line that `sdssplitargs` reads as these arguments.
fn quoted(args: &Args) -> Vec<u8> {
    let mut line = Vec::new();
    for arg in args {
        line.push(b'"');
        line.extend(arg.iter().flat_map(|byte| format!("\\x{byte:02x}").into_bytes()));
        line.extend_from_slice(b"\" ");
    }
    line.extend_from_slice(b"\r\n");
    line
}

/// Bytes that look enough like requests to get past the first check.
fn near_requests() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"*".to_vec()),
        Just(b"$".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"'".to_vec()),
        Just(b"\\x".to_vec()),
        Just(vec![b'9'; 19]),
        Just(b"-".to_vec()),
        Just(b"$1\r\na\r\n".to_vec()),
        (0_u32..12).prop_map(|number| number.to_string().into_bytes()),
        (0_u32..4).prop_map(|number| format!("*{number}\r\n").into_bytes()),
        (0_u32..4).prop_map(|number| format!("${number}\r\n").into_bytes()),
        proptest::collection::vec(any::<u8>(), 0..4),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(0_usize..200, 0..12).prop_map(|mut cuts| {
        cuts.sort_unstable();
        cuts
    })
}

/// Small limits, so that short input meets them.
fn tight() -> RequestLimits {
    RequestLimits {
        line_bytes_max: 32,
        bulk_bytes_max: 8,
        args_count_max: 5,
        request_bytes_max: 50,
        authenticated: true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_encoded_is_parsed_however_it_is_cut(
        requests in proptest::collection::vec((any_args(), any::<bool>()), 0..6),
        cuts in cuts(),
    ) {
        let mut bytes = Vec::new();
        for (args, is_inline) in &requests {
            if *is_inline {
                bytes.extend(quoted(args));
            } else {
                encode_command(&mut bytes, args);
            }
        }
        let expected: Vec<_> = requests.into_iter().map(|(args, _)| args).collect();
        let found = read_pieces(RequestLimits::default(), &bytes, &cuts);
        prop_assert_eq!(found, (expected, None));
    }

    #[test]
    fn any_cut_of_any_bytes_gives_the_same_requests(
        bytes in near_requests(),
        cuts in cuts(),
        is_tight: bool,
    ) {
        let limits = if is_tight { tight() } else { RequestLimits::default() };
        let whole = read_pieces(limits, &bytes, &[]);
        prop_assert_eq!(&read_pieces(limits, &bytes, &cuts), &whole);
        prop_assert_eq!(&read_pieces(limits, &bytes, &every_byte(&bytes)), &whole);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        read(&bytes);
    }

    #[test]
    fn a_partial_request_is_complete_only_with_the_bytes_it_misses(
        args in any_args(),
        cut in 0_usize..100,
    ) {
        let mut bytes = Vec::new();
        encode_command(&mut bytes, &args);
        let cut = cut.min(bytes.len() - 1);
        let mut parser = RequestParser::default();
        let Ok(Parsed::Partial { missing_bytes_min }) = parser.parse(&bytes[..cut]) else {
            return Err(TestCaseError::fail("a part of a request is not a request"));
        };
        prop_assert!(cut + missing_bytes_min <= bytes.len());
    }
}

/// Bytes behind which the parser is are overwritten, so that it would show if it looked at them again.
#[test]
fn what_was_seen_is_not_looked_at_again() {
    let mut parser = RequestParser::default();
    let mut buffer = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$9\r\n1234".to_vec();
    let last_header = buffer.len() - 8;
    assert!(matches!(parser.parse(&buffer), Ok(Parsed::Partial { missing_bytes_min: 7 })));
    buffer[..last_header].fill(b'?');
    buffer[last_header + 4..].fill(b'?');
    buffer.extend_from_slice(b"56789\r\n");
    let Ok(Parsed::Request(request)) = parser.parse(&buffer) else { panic!("it is complete") };
    assert_eq!(request.arg(2), Some(&b"????56789"[..]));
    assert_eq!(request.consumed(), buffer.len());

    for (head, tail, mark) in [("*111", "\r\n", b'\r'), ("inline", "\n", b'\n')] {
        let mut parser = RequestParser::default();
        let mut buffer = head.as_bytes().to_vec();
        assert!(matches!(parser.parse(&buffer), Ok(Parsed::Partial { .. })));
        buffer[1..].fill(mark);
        let whole_head = buffer.clone();
        assert!(matches!(parser.parse(&whole_head), Ok(Parsed::Partial { .. })));
        buffer.extend_from_slice(tail.as_bytes());
        // The end that is found is the new one: the overwritten bytes are taken for the line's content.
        match parser.parse(&buffer) {
            Err(error) => assert_eq!(error, ProtocolError::InvalidArgsCount),
            Ok(Parsed::Request(request)) => assert_eq!(request.consumed(), buffer.len()),
            Ok(found) => panic!("{found:?}"),
        }
    }
}
