//! Do replies come in the order asked, whatever they take?

use crate::support::{Line, command, serve};

/// Requests that touch every shard, all of them, and none, with their replies.
fn mixture(client: usize, count: usize) -> (Vec<u8>, Vec<u8>) {
    let (mut requests, mut replies) = (Vec::new(), Vec::new());
    let mut add = |words: &[&str], reply: String| {
        requests.extend_from_slice(&command(words));
        replies.extend_from_slice(reply.as_bytes());
    };
    let bulk = |text: &str| format!("${}\r\n{text}\r\n", text.len());
    for number in 0..count {
        let key = format!("key:{client}:{number}");
        let other = format!("other:{client}:{number}");
        add(&["HSET", &key, "field", &number.to_string()], ":1\r\n".into());
        add(&["PING"], "+PONG\r\n".into());
        add(&["HGET", &key, "field"], bulk(&number.to_string()));
        match number % 7 {
            0 => add(&["MSET", &other, "one", &format!("{other}b"), "two"], "+OK\r\n".into()),
            1 => add(&["NOSUCH"], NO_SUCH.into()),
            2 => add(&["ECHO", &key], bulk(&key)),
            3 => add(&["HGET", &key], WRONG_ARITY.into()),
            4 => add(&["DEL", &key, &other], ":1\r\n".into()),
            5 => add(&["HELLO", "2", "BAD"], BAD_HELLO.into()),
            _ => add(&["MGET", &other, &key], "*2\r\n$-1\r\n$-1\r\n".into()),
        }
    }
    (requests, replies)
}

const NO_SUCH: &str = "-ERR unknown command 'NOSUCH', with args beginning with: \r\n";
const WRONG_ARITY: &str = "-ERR wrong number of arguments for 'hget' command\r\n";
const BAD_HELLO: &str = "-ERR Syntax error in HELLO option 'BAD'\r\n";

#[test]
fn replies_of_deep_pipelines_come_in_the_order_asked() {
    for shards in [1, 3] {
        let server = serve(shards);
        std::thread::scope(|scope| {
            for client in 0..4 {
                let server = &server;
                scope.spawn(move || {
                    let (requests, replies) = mixture(client, 3000);
                    let mut line = Line::to(server);
                    let mut writer = line.stream().try_clone().expect("a socket can be cloned");
                    let writing = std::thread::spawn(move || {
                        std::io::Write::write_all(&mut writer, &requests)
                    });
                    line.expect(&replies);
                    writing.join().expect("no panic").expect("the server takes bytes");
                });
            }
        });
    }
}

#[test]
fn it_makes_no_difference_how_bytes_are_cut() {
    let server = serve(2);
    let (requests, replies) = mixture(0, 14);
    let mut line = Line::to(&server);
    for byte in &requests {
        line.send([*byte]);
    }
    line.expect(&replies);
    for (cut, size) in [13, 64, 1000].into_iter().enumerate() {
        let (requests, replies) = mixture(cut + 1, 200);
        for piece in requests.chunks(size) {
            line.send(piece);
        }
        line.expect(&replies);
    }
}

#[test]
fn a_database_is_that_of_the_commands_behind_its_select() {
    let server = serve(3);
    let mut line = Line::to(&server);
    line.send("SET k 0\r\nSELECT 3\r\nSET k 3\r\nSELECT 0\r\nGET k\r\nSELECT 3\r\nGET k\r\n");
    line.expect("+OK\r\n+OK\r\n+OK\r\n+OK\r\n$1\r\n0\r\n+OK\r\n$1\r\n3\r\n");
    line.ask("SELECT 16", "-ERR DB index is out of range\r\n");
    line.ask("SELECT x", "-ERR value is not an integer or out of range\r\n");
}

#[test]
fn unwanted_replies_are_left_out_in_their_place() {
    let server = serve(3);
    let mut line = Line::to(&server);
    line.send("SET a 1\r\nCLIENT REPLY SKIP\r\nGET a\r\nGET a\r\nCLIENT REPLY OFF\r\nGET a\r\n");
    line.send("PING\r\nNOSUCH\r\nSET a 2\r\nCLIENT REPLY ON\r\nGET a\r\n");
    line.expect("+OK\r\n$1\r\n1\r\n+OK\r\n$1\r\n2\r\n");
}

#[test]
fn what_is_configured_holds_for_the_commands_behind_it_alone() {
    let server = serve(3);
    let mut line = Line::to(&server);
    let mut requests = Vec::new();
    let keys: Vec<String> = (0..20).map(|number| format!("hash:{number}")).collect();
    for key in &keys {
        requests.extend(command(&["HSET", key, "field", "value"]));
    }
    requests.extend(command(&["CONFIG", "SET", "hash-max-listpack-entries", "0"]));
    for key in &keys {
        requests.extend(command(&["OBJECT", "ENCODING", key]));
    }
    line.send(requests);
    line.expect(":1\r\n".repeat(keys.len()) + "+OK\r\n");
    line.expect("$8\r\nlistpack\r\n".repeat(keys.len()));
}
