//! Which bytes does a server send for what it has to say?

use hectare_resp::{Encoder, Protocol, encode_command};

fn encoded(protocol: Protocol, write: impl Fn(&mut Encoder<'_>)) -> String {
    let mut out = Vec::new();
    write(&mut Encoder::new(&mut out, protocol));
    out.escape_ascii().to_string()
}

#[test]
fn each_element_has_its_form_in_both_protocols() {
    type Write = fn(&mut Encoder<'_>);
    let table: &[(Write, &str, &str)] = &[
        (|to| to.ok(), r"+OK\r\n", r"+OK\r\n"),
        (|to| to.simple("PONG"), r"+PONG\r\n", r"+PONG\r\n"),
        (|to| to.error("ERR no"), r"-ERR no\r\n", r"-ERR no\r\n"),
        (|to| to.integer(0), r":0\r\n", r":0\r\n"),
        (|to| to.integer(42), r":42\r\n", r":42\r\n"),
        (|to| to.integer(i64::MIN), r":-9223372036854775808\r\n", r":-9223372036854775808\r\n"),
        (|to| to.bulk(b""), r"$0\r\n\r\n", r"$0\r\n\r\n"),
        (|to| to.bulk(b"a\r\n\0"), r"$4\r\na\r\n\x00\r\n", r"$4\r\na\r\n\x00\r\n"),
        (|to| to.bulk_integer(-100), r"$4\r\n-100\r\n", r"$4\r\n-100\r\n"),
        (|to| to.null(), r"$-1\r\n", r"_\r\n"),
        (|to| to.null_array(), r"*-1\r\n", r"_\r\n"),
        (|to| to.array(3), r"*3\r\n", r"*3\r\n"),
        (|to| to.array(1234), r"*1234\r\n", r"*1234\r\n"),
        (|to| to.map(3), r"*6\r\n", r"%3\r\n"),
        (|to| to.set(3), r"*3\r\n", r"~3\r\n"),
        (|to| to.push(3), r"*3\r\n", r">3\r\n"),
        (|to| to.double(0.1), r"$3\r\n0.1\r\n", r",0.1\r\n"),
        (|to| to.boolean(true), r":1\r\n", r"#t\r\n"),
        (|to| to.boolean(false), r":0\r\n", r"#f\r\n"),
        (|to| to.verbatim(*b"txt", b"hi"), r"$2\r\nhi\r\n", r"=6\r\ntxt:hi\r\n"),
        (|to| to.big_number("-12"), r"$3\r\n-12\r\n", r"(-12\r\n"),
    ];
    for (write, resp2, resp3) in table {
        assert_eq!(encoded(Protocol::Resp2, write), *resp2);
        assert_eq!(encoded(Protocol::Resp3, write), *resp3);
    }
}

/// As Redis 8.0.2 answers to an unknown command with such a name.
#[test]
fn a_line_break_in_an_error_becomes_blanks_and_at_its_ends_nothing() {
    let error = |text: &'static [u8]| encoded(Protocol::Resp2, |to| to.error(text));
    assert_eq!(error(b"ERR unknown command 'a\r\n\r\nb'"), r"-ERR unknown command \'a    b\'\r\n");
    assert_eq!(error(b"\r\nERR a\nb\r\n\n"), r"-ERR a b\r\n");
    assert_eq!(error(b"\r\n\r\n"), r"-\r\n");
    assert_eq!(error(b"ERR \xff"), r"-ERR \xff\r\n");
    assert_eq!(encoded(Protocol::Resp2, |to| to.simple("a\r\nb")), r"+a  b\r\n");
}

#[test]
fn an_error_is_written_from_what_it_displays() {
    let number = "x".parse::<i64>().unwrap_err();
    let written = encoded(Protocol::Resp3, |to| to.error_display(format_args!("ERR {number}\n")));
    assert_eq!(written, r"-ERR invalid digit found in string\r\n");
}

#[test]
fn replies_follow_one_another_without_touching_what_stands_before() {
    let mut out = b"\r\n".to_vec();
    let mut encoder = Encoder::new(&mut out, Protocol::Resp2);
    assert_eq!(encoder.protocol(), Protocol::Resp2);
    encoder.error("ERR a\r\n");
    encoder.ok();
    assert_eq!(out, b"\r\n-ERR a\r\n+OK\r\n");
}

#[test]
fn a_command_is_an_array_of_strings() {
    let mut out = Vec::new();
    encode_command(&mut out, [&b"SET"[..], b"k", &[b'x'; 120]]);
    let mut expected = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$120\r\n".to_vec();
    expected.extend([b'x'; 120]);
    expected.extend(b"\r\n");
    assert_eq!(out, expected);
}
