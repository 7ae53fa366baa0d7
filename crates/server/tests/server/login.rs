//! Who is let in?

use crate::support::{Line, serve, settings, start};

const NO_AUTH: &str = "-NOAUTH Authentication required.\r\n";
const WRONG: &str = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";

#[test]
fn a_password_is_asked_of_everybody() {
    let mut settings = settings(2);
    settings.parameters.requirepass = b"open sesame".to_vec();
    let server = start(settings);
    let mut line = Line::to(&server);
    for asked in ["GET a", "PING", "CLIENT ID", "MGET a b"] {
        line.ask(asked, NO_AUTH);
    }
    line.ask("NOSUCH", "-ERR unknown command 'NOSUCH', with args beginning with: \r\n");
    line.ask("AUTH wrong", WRONG);
    line.ask("AUTH somebody \"open sesame\"", WRONG);
    line.ask("AUTH a b c", "-ERR syntax error\r\n");
    line.send("HELLO 3\r\n");
    assert!(line.reply().as_error().is_some_and(|text| text.starts_with(b"NOAUTH HELLO must")));
    line.send("GET a\r\nAUTH \"open sesame\"\r\nGET a\r\n");
    line.expect(NO_AUTH);
    line.expect("+OK\r\n$-1\r\n");
    line.ask("RESET", "+RESET\r\n");
    line.ask("GET a", NO_AUTH);
    line.send("HELLO 3 AUTH default \"open sesame\" SETNAME me\r\n");
    assert!(line.reply().get("proto").is_some());
    line.ask("GET a", "_\r\n");
}

#[test]
fn who_has_not_logged_in_sends_no_more_than_a_login() {
    let mut settings = settings(1);
    settings.parameters.requirepass = b"secret".to_vec();
    let server = start(settings);
    for (sent, error) in [
        ("*11\r\n", "unauthenticated multibulk length"),
        ("*2\r\n$4\r\nAUTH\r\n$16385\r\n", "unauthenticated bulk length"),
    ] {
        let mut line = Line::to(&server);
        line.send(sent);
        line.expect(format!("-ERR Protocol error: {error}\r\n"));
        line.expect_end();
        // The same behind a login is a request like any other.
        let mut line = Line::to(&server);
        line.send(format!("*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n{sent}"));
        line.expect("+OK\r\n");
    }
}

#[test]
fn without_a_password_none_is_asked_for() {
    let server = serve(1);
    let mut line = Line::to(&server);
    line.send("AUTH secret\r\n");
    assert!(line.reply().as_error().is_some_and(|text| {
        text.starts_with(b"ERR AUTH <password> called without any password configured")
    }));
    line.ask("AUTH default secret", "+OK\r\n");
}
