//! What is said byte by byte, well or badly formed, and does a server hang up?

use hectare_engine::Dialect;

use crate::differences::WANTED_OF_BYTES;
use crate::line::{Form, Line};
use crate::sides::{start_reference, start_server};

/// Behind everything that is said, to see who still listens; the blank line ends what is typed.
const STILL_THERE: &[u8] = b"\r\n*2\r\n$4\r\nECHO\r\n$5\r\nstill\r\n";

/// What is said, on a line of its own each.
const CONVERSATIONS: &[&[u8]] = &[
    // Nothing, and empty commands.
    b"",
    b"\r\n\r\n\n",
    b"   \r\n\t\r\nPING\r\n",
    b"*0\r\nPING\r\n",
    b"*-1\r\nPING\r\n",
    b"*-10\r\nPING\r\n",
    b"*-9223372036854775808\r\nPING\r\n",
    // Counts and lengths that are none, or too large.
    b"*\r\nPING\r\n",
    b"*x\r\n",
    b"*1x\r\n",
    b"* 1\r\n",
    b"*+1\r\n$4\r\nPING\r\n",
    b"*01\r\n$4\r\nPING\r\n",
    b"*1 \r\n$4\r\nPING\r\n",
    b"*2147483647\r\n",
    b"*2147483648\r\n",
    b"*9223372036854775807\r\n",
    b"*9223372036854775808\r\n",
    b"*1\r\n$-1\r\n",
    b"*1\r\n$x\r\n",
    b"*1\r\n$\r\n",
    b"*1\r\n$+4\r\nPING\r\n",
    b"*1\r\n$04\r\nPING\r\n",
    b"*1\r\n$ 4\r\nPING\r\n",
    b"*1\r\n$536870913\r\n",
    b"*1\r\n$9223372036854775808\r\n",
    b"*2\r\n$4\r\nECHO\r\n$0\r\n\r\n",
    b"*1\r\n$0\r\n\r\n",
    // Other kinds of elements, other ends of lines.
    b"*1\r\n+PING\r\n",
    b"*1\r\n:1\r\n",
    b"*1\r\n*1\r\n$4\r\nPING\r\n",
    b"*1\r\nPING\r\n",
    b"*1\r\n\r\n$4\r\nPING\r\n",
    b"*1\r\n\xff4\r\nPING\r\n",
    b"*1\r\n$4\r\nPINGxx",
    b"$4\r\nPING\r\n",
    b"+PING\r\n",
    b":1\r\n",
    b"%1\r\n",
    b"*1\rx$4\rxPING\rx",
    // Typed.
    b"PING\n",
    b"PING a\r\n",
    b"ECHO \"a b\" \r\n",
    b"ECHO 'a b'\r\n",
    b"ECHO 'it\\'s'\r\n",
    b"ECHO \"\\x41\\n\\r\\t\\b\\a\\q\\\"\"\r\n",
    b"ECHO \"\\xZZ\"\r\n",
    b"ECHO \"a\"b\r\n",
    b"ECHO 'a'b\r\n",
    b"ECHO a\"b\"\r\n",
    b"ECHO \"a\r\n",
    b"ECHO 'a\r\n",
    b"ECHO \"a\\\"\r\n",
    b"ECHO '\r\n",
    b"\"\"\r\n",
    b"\"\" a\r\n",
    b"ECHO a\rb\r\n",
    b"ECHO a\x0bb\r\n",
    b"NOSUCH a b\r\n",
    // Names that no client of Redis would send.
    b"POST / HTTP/1.1\r\nHost: there\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: there\r\n\r\n",
    b"Host: there\r\nPING\r\n",
    // Who wants no replies.
    b"CLIENT REPLY OFF\r\nPING\r\nECHO a\r\nCLIENT REPLY ON\r\nPING\r\n",
    b"CLIENT REPLY SKIP\r\nPING\r\nPING\r\n",
    b"CLIENT REPLY SKIP\r\nCLIENT REPLY SKIP\r\nPING\r\nPING\r\n",
    b"CLIENT REPLY SKIP\r\nNOSUCH\r\nPING\r\n",
    b"CLIENT REPLY OFF\r\nCLIENT REPLY SKIP\r\nPING\r\nCLIENT REPLY ON\r\n",
    b"CLIENT REPLY OFF\r\nRESET\r\nPING\r\n",
    b"CLIENT REPLY OFF\r\n*1\r\n$x\r\n",
    // Who leaves.
    b"PING\r\nQUIT\r\nPING\r\n",
    b"QUIT a b\r\n",
    b"CLIENT REPLY OFF\r\nQUIT\r\n",
    // Whole commands in front of a fault are answered.
    b"SET a 1\r\nGET a\r\n*1\r\n$-5\r\nGET a\r\n",
    b"HELLO 3\r\n*x\r\n",
    b"SELECT 3\r\nSET b 1\r\nSELECT 0\r\nGET b\r\nMOVE b 1\r\nSWAPDB 0 3\r\nGET b\r\nRESET\r\nGET b\r\n",
];

#[test]
fn bytes_of_every_kind_are_answered_as_redis_answers_them() {
    compare(Dialect::Redis8);
}

#[test]
fn bytes_of_every_kind_are_answered_as_valkey_answers_them() {
    compare(Dialect::Valkey9);
}

fn compare(dialect: Dialect) {
    let Some(reference) = start_reference(dialect) else { return };
    let reference = reference.endpoint().expect("a server has an address");
    let (_server, endpoint) = start_server(dialect, 3);
    let mut differing = Vec::new();
    for said in CONVERSATIONS.iter().map(|said| said.to_vec()).chain(long_ones()) {
        let said = [&said, STILL_THERE].concat();
        let [expected, found] = [&reference, &endpoint].map(|endpoint| {
            hide_greeting(Line::plug(endpoint, Form::Plain).say_and_hang_up(&said))
        });
        let wanted = WANTED_OF_BYTES.iter().find(|wanted| {
            wanted.dialects.contains(&dialect)
                && said.strip_suffix(STILL_THERE) == Some(wanted.said)
        });
        if (expected == found) == wanted.is_some() {
            let reason = wanted.map_or("", |wanted| wanted.reason);
            let show = |bytes: &[u8]| bytes[..bytes.len().min(300)].escape_ascii().to_string();
            let (said, expected, found) = (show(&said), show(&expected), show(&found));
            differing
                .push(format!("said    {said}\nserver  {expected}\nHectare {found}\n{reason}\n"));
        }
    }
    assert!(differing.is_empty(), "{dialect:?}\n{}", differing.join("\n"));
}

/// As long as can be told apart however the bytes arrive.
fn long_ones() -> Vec<Vec<u8>> {
    let line = |letters: usize| [b"ECHO ", &b"x".repeat(letters)[..], b"\r\n"].concat();
    vec![
        line(60_000),
        [b"*2\r\n$4\r\nECHO\r\n$100000\r\n", &b"y".repeat(100_000)[..], b"\r\n"].concat(),
    ]
}

/// What `HELLO` says of a server and a connection is its own.
fn hide_greeting(reply: Vec<u8>) -> Vec<u8> {
    let is_greeting = reply.starts_with(b"%7\r\n");
    let rest = reply.windows(2).rposition(|pair| pair == b"\n-").unwrap_or_default();
    if is_greeting { reply[rest..].to_vec() } else { reply }
}
