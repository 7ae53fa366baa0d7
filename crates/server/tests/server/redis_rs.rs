//! Does redis-rs do its work with hashes, from connect to close and in both protocols?

use crate::support::{address, serve};
use redis::{
    Client, Commands, Connection, ExpireOption, IntegerReplyOrNoOp, Iter, RedisResult, cmd, pipe,
};
use std::collections::{BTreeMap, BTreeSet};

/// Does the same work in each protocol, over a connection of its own.
fn in_both_protocols(work: impl Fn(&mut Connection) -> RedisResult<()>) {
    for protocol in ["resp2", "resp3"] {
        let server = serve(2);
        let url = format!("redis://{}/?protocol={protocol}", address(&server));
        let client = Client::open(url).expect("the address is one");
        let mut connection = client.get_connection().expect("it connects");
        work(&mut connection).unwrap_or_else(|error| panic!("{protocol}: {error}"));
    }
}

#[test]
fn hashes_are_what_redis_rs_expects() {
    in_both_protocols(|connection| {
        connection.hset_multiple::<_, _, _, ()>("user:1", &[("name", "Ada"), ("visits", "41")])?;
        assert_eq!(connection.hincr::<_, _, _, i64>("user:1", "visits", 1)?, 42);
        assert_eq!(connection.hset::<_, _, _, usize>("user:1", "city", "London")?, 1);
        let all: BTreeMap<String, String> = connection.hgetall("user:1")?;
        let expected = [("city", "London"), ("name", "Ada"), ("visits", "42")];
        assert!(all.iter().map(|(field, value)| (field.as_str(), value.as_str())).eq(expected));
        assert_eq!(connection.hget::<_, _, Option<String>>("user:1", "none")?, None);
        assert!(connection.hexists::<_, _, bool>("user:1", "city")?);
        assert_eq!(connection.hdel::<_, _, usize>("user:1", &["city", "none"])?, 1);

        let fields = ["visits", "none"];
        let expired: Vec<IntegerReplyOrNoOp> =
            connection.hexpire("user:1", 100, ExpireOption::NONE, &fields)?;
        assert_eq!(expired, [IntegerReplyOrNoOp::IntegerReply(1), IntegerReplyOrNoOp::NotExists]);
        let left: Vec<i64> = connection.httl("user:1", &["visits", "name", "none"])?;
        assert!((98..=100).contains(&left[0]) && left[1..] == [-1, -2], "{left:?}");

        let odd: Vec<u8> = (0..=u8::MAX).collect();
        let big = vec![b'\n'; 16 << 20];
        assert_eq!(connection.hset::<_, _, _, usize>(&odd, &odd, &big)?, 1);
        assert!(connection.hget::<_, _, Vec<u8>>(&odd, &odd)? == big);
        Ok(())
    });
}

#[test]
fn pipelines_and_scans_are_what_redis_rs_expects() {
    in_both_protocols(|connection| {
        let mut pipeline = pipe();
        for number in 0..1000 {
            pipeline.hset(format!("many:{number}"), "n", number).ignore();
        }
        pipeline.hget("many:7", "n").hget("many:999", "n").ping();
        let replies: (i64, i64, String) = pipeline.query(connection)?;
        assert_eq!(replies, (7, 999, "PONG".to_owned()));

        let found: Iter<'_, String> = connection.scan_match("many:*")?;
        let found: BTreeSet<String> = found.collect::<RedisResult<_>>()?;
        assert_eq!(found.len(), 1000);
        let wide: Vec<(String, u32)> = (0..2000).map(|n| (format!("field:{n}"), n)).collect();
        connection.hset_multiple::<_, _, _, ()>("wide", &wide)?;
        let found: Iter<'_, (String, u32)> = connection.hscan("wide")?;
        let found: BTreeMap<String, u32> = found.collect::<RedisResult<_>>()?;
        assert_eq!(found, wide.into_iter().collect());
        Ok(())
    });
}

#[test]
fn errors_and_what_a_server_says_of_itself_are_what_redis_rs_expects() {
    in_both_protocols(|connection| {
        connection.set::<_, _, ()>("s", "v")?;
        let wrong = connection.hget::<_, _, String>("s", "f").expect_err("it is no hash");
        assert_eq!(wrong.code(), Some("WRONGTYPE"));
        let unknown = cmd("NOSUCH").arg("a").query::<()>(connection).expect_err("it is unknown");
        assert!(unknown.to_string().contains("unknown command 'NOSUCH'"), "{unknown}");
        // The connection goes on.
        assert_eq!(connection.get::<_, String>("s")?, "v");
        let info: redis::InfoDict = cmd("INFO").query(connection)?;
        assert_eq!(info.get::<String>("redis_mode").as_deref(), Some("standalone"));
        let entries: BTreeMap<String, u64> =
            cmd("CONFIG").arg("GET").arg("hash-max-listpack-entries").query(connection)?;
        assert_eq!(entries["hash-max-listpack-entries"], 512);
        let own: String = cmd("CLIENT").arg("INFO").query(connection)?;
        assert!(own.contains("lib-name=redis-rs"), "{own}");
        Ok(())
    });
}
