//! Are all forms of requests and replies those of Redis?

use crate::support::{Line, command, serve, settings, start};
use hectare_resp::Reply;

#[test]
fn resp3_is_spoken_from_the_hello_on() {
    let server = serve(2);
    let mut line = Line::to(&server);
    line.send("HSET h a 1\r\nHGETALL h\r\nGET none\r\nHELLO 3 SETNAME me\r\n");
    line.expect(":1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n$-1\r\n%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n");
    line.expect("$7\r\nversion\r\n$5\r\n8.0.2\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1\r\n");
    line.expect("$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n");
    line.expect("$7\r\nmodules\r\n*0\r\n");
    line.ask("HGETALL h", "%1\r\n$1\r\na\r\n$1\r\n1\r\n");
    line.ask("GET none", "_\r\n");
    line.ask("HRANDFIELD h 1 WITHVALUES", "*1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n");
    line.ask("CLIENT GETNAME", "$2\r\nme\r\n");
    line.ask("HELLO 4", "-NOPROTO unsupported protocol version\r\n");
    line.ask("HELLO x", "-ERR Protocol version is not an integer or out of range\r\n");
    line.ask("RESET", "+RESET\r\n");
    line.ask("GET none", "$-1\r\n");
    line.ask("CLIENT GETNAME", "$-1\r\n");
    let hello = line.call(&["HELLO", "3"]);
    assert_eq!(hello.get("proto").and_then(Reply::as_integer), Some(3));
}

#[test]
fn lines_that_are_typed_are_commands() {
    let server = serve(1);
    let mut line = Line::to(&server);
    line.send("\r\n\r\nSET \"a b\" 'c d'\nGET \"a\\x20b\"\r\n*0\r\n*-1\r\nECHO \"\"\r\n");
    line.expect("+OK\r\n$3\r\nc d\r\n$0\r\n\r\n");
}

#[test]
fn who_breaks_the_protocol_is_told_and_disconnected() {
    let server = serve(2);
    for (sent, error) in [
        ("*2147483648\r\n", "invalid multibulk length"),
        ("*x\r\n", "invalid multibulk length"),
        ("*1\r\n+PING\r\n", "expected '$', got '+'"),
        ("*1\r\n$-1\r\n", "invalid bulk length"),
        ("*1\r\n$536870913\r\n", "invalid bulk length"),
        ("SET a \"b\r\n", "unbalanced quotes in request"),
    ] {
        let mut line = Line::to(&server);
        line.send(format!("PING\r\nSET a 1\r\n{sent}PING\r\n"));
        line.expect(format!("+PONG\r\n+OK\r\n-ERR Protocol error: {error}\r\n"));
        line.expect_end();
    }
    let mut line = Line::to(&server);
    line.send(vec![b'x'; 70 << 10]);
    line.expect("-ERR Protocol error: too big inline request\r\n");
    line.expect_end();
}

#[test]
fn garbage_harms_nobody_else() {
    let server = serve(2);
    let mut other = Line::to(&server);
    let mut state = 1_u32;
    for round in 0..200 {
        let mut line = Line::to(&server);
        let garbage: Vec<u8> = (0..round * 7)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        line.try_send(garbage);
        if round % 2 == 0 {
            line.try_send("*3\r\n$3\r\nSET\r\n$1\r\n");
        }
        other.ask("PING", "+PONG\r\n");
    }
}

#[test]
fn long_values_come_back_whole() {
    let server = serve(2);
    let mut line = Line::to(&server);
    let long = "x".repeat(9 << 20);
    line.send(command(&["SET", "k", &long]));
    line.send(command(&["HSET", "h", "f", &long, "g", "1"]));
    line.send("GET k\r\nHGET h f\r\n");
    line.expect("+OK\r\n:2\r\n");
    let bulk = format!("${}\r\n{long}\r\n", long.len());
    line.expect(&bulk);
    line.expect(&bulk);
    line.ask("STRLEN k", format!(":{}\r\n", long.len()));
}

#[test]
fn a_reply_that_would_be_too_long_is_an_error() {
    let mut settings = settings(2);
    settings.parameters.hectare_reply_bytes_max = 1 << 20;
    let server = start(settings);
    let mut line = Line::to(&server);
    line.ask("HSET h f v", ":1\r\n");
    let error = "-ERR the reply is longer than one reply may be, ask for less at a time\r\n";
    line.ask("HRANDFIELD h -9223372036854775807", error);
    line.ask("HGET h f", "$1\r\nv\r\n");
}

#[test]
fn many_large_replies_of_one_pipeline_are_all_there() {
    let server = serve(3);
    let mut line = Line::to(&server);
    let value = "v".repeat(100_000);
    for key in 0..8 {
        line.send(command(&["SET", &format!("k{key}"), &value]));
        line.expect("+OK\r\n");
    }
    let mut requests = Vec::new();
    for number in 0..1000 {
        requests.extend_from_slice(&command(&["GET", &format!("k{}", number % 8)]));
    }
    line.send(requests);
    let reply = format!("${}\r\n{value}\r\n", value.len());
    (0..1000).for_each(|_| line.expect(&reply));
}

#[test]
fn half_closed_clients_get_their_answers() {
    let server = serve(3);
    let mut line = Line::to(&server);
    line.send("SET a 1\r\nGET a\r\nGET b\r\nGET c\r\nPING\r\nGET half");
    line.stream().shutdown(std::net::Shutdown::Write).expect("it is open");
    line.expect("+OK\r\n$1\r\n1\r\n$-1\r\n$-1\r\n+PONG\r\n");
    line.expect_end();
}

#[test]
fn commands_of_the_server_answer_as_redis_does() {
    let server = serve(2);
    let mut line = Line::to(&server);
    for (asked, reply) in [
        ("PING hello", "$5\r\nhello\r\n"),
        ("PING a b", "-ERR wrong number of arguments for 'ping' command\r\n"),
        ("ECHO", "-ERR wrong number of arguments for 'echo' command\r\n"),
        ("CLIENT", "-ERR wrong number of arguments for 'client' command\r\n"),
        ("CLIENT ID x", "-ERR wrong number of arguments for 'client|id' command\r\n"),
        ("client nope", "-ERR unknown subcommand 'nope'. Try CLIENT HELP.\r\n"),
        ("CLIENT SETNAME a\\b", "+OK\r\n"),
        ("CLIENT SETINFO lib-name lib", "+OK\r\n"),
        ("CLIENT SETINFO lib-nope lib", "-ERR Unrecognized option 'lib-nope'\r\n"),
        ("CLIENT NO-EVICT on", "+OK\r\n"),
        ("CLIENT NO-TOUCH maybe", "-ERR syntax error\r\n"),
        ("CLIENT MAINT_NOTIFICATIONS on", MAINT),
        ("WAIT 0 100", ":0\r\n"),
        ("WAIT 1 1", ":0\r\n"),
        ("WAIT 0 -1", "-ERR timeout is negative\r\n"),
        ("ACL WHOAMI", "$7\r\ndefault\r\n"),
        ("CLUSTER INFO", "-ERR This instance has cluster support disabled\r\n"),
        ("FUNCTION FLUSH", "+OK\r\n"),
        ("SCRIPT FLUSH SYNC", "+OK\r\n"),
        ("SCRIPT FLUSH LATER", "-ERR SCRIPT FLUSH only support SYNC|ASYNC option\r\n"),
        ("FUNCTION FLUSH LATER", "-ERR FUNCTION FLUSH only supports SYNC|ASYNC option\r\n"),
        ("CLIENT UNBLOCK 9 NEVER", UNBLOCK),
        ("CLIENT LIST ID -1", "$0\r\n\r\n"),
        ("CLUSTER NOSUCH", "-ERR unknown subcommand 'NOSUCH'. Try CLUSTER HELP.\r\n"),
        ("SELECT 2147483648", SELECT),
        ("DEBUG SLEEP 0", "+OK\r\n"),
        ("ROLE", "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"),
        ("SHUTDOWN ABORT", "-ERR No shutdown in progress.\r\n"),
        ("SHUTDOWN LATER", "-ERR syntax error\r\n"),
        ("LPUSH a b", LPUSH),
    ] {
        line.ask(asked, reply);
    }
    let time = line.call(&["TIME"]);
    assert!(time.as_array().is_some_and(|parts| parts.len() == 2));
    let help = line.call(&["CLIENT", "HELP"]);
    assert!(help.as_array().is_some_and(|lines| lines.len() > 20));
    line.send("PING\r\nQUIT\r\nPING\r\n");
    line.expect("+PONG\r\n+OK\r\n");
    line.expect_end();
}

const MAINT: &str = "-ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP.\r\n";
const UNBLOCK: &str = "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR\r\n";
const SELECT: &str =
    "-ERR value is out of range, value must between -2147483648 and 2147483647\r\n";
const LPUSH: &str = "-ERR 'lpush' is not served here: this server holds hashes and strings\r\n";
