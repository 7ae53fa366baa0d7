//! Which texts name a target, and what do the others say?

use std::num::NonZeroUsize;
use std::path::PathBuf;

use hectare_target::{ServerAddress, TargetSpec};

fn address(text: &str) -> ServerAddress {
    match text.parse() {
        Ok(TargetSpec::Running(address)) => address,
        other => panic!("{text}: {other:?}"),
    }
}

fn error(text: &str) -> String {
    text.parse::<TargetSpec>().expect_err(text).to_string()
}

#[test]
fn the_engine_and_programs_are_named() {
    assert_eq!("embedded".parse(), Ok(TargetSpec::EMBEDDED));
    let shards = NonZeroUsize::new(2);
    assert_eq!("embedded:2".parse(), Ok(TargetSpec::Embedded { shards }));
    let program = PathBuf::from("/usr/bin/redis-server");
    assert_eq!("spawn:/usr/bin/redis-server".parse(), Ok(TargetSpec::Spawn { program }));
}

#[test]
fn an_address_is_read_to_the_last_part() {
    let full = address("redis://ana:pa%40s%3As@db.example:7000/3");
    assert_eq!((full.host.as_str(), full.port, full.database), ("db.example", 7000, 3));
    assert_eq!((full.user.as_deref(), full.password.as_deref()), (Some("ana"), Some("pa@s:s")));
    let short = address("redis://localhost");
    assert_eq!((short.host.as_str(), short.port, short.database), ("localhost", 6379, 0));
    assert_eq!((short.user, short.password), (None, None));
    assert_eq!(address("redis://:word@h").password.as_deref(), Some("word"));
    assert_eq!(address("redis://[::1]:7000").endpoint(), "[::1]:7000");
    assert_eq!(address("redis://[::1]").port, 6379);
}

#[test]
fn what_is_displayed_parses_to_the_same_and_hides_the_password() {
    for text in [
        "embedded",
        "embedded:1",
        "embedded:1024",
        "spawn:/opt/redis 8/bin/redis-server",
        "redis://127.0.0.1:6379",
        "redis://ana@db.example:7000/3",
        "redis://[fe80::1]:6380/1",
    ] {
        let spec: TargetSpec = text.parse().unwrap();
        assert_eq!(spec.to_string(), text);
        assert_eq!(spec.to_argument(), text);
    }
    let spec: TargetSpec = "redis://ana:s%2Fecret@h:1".parse().unwrap();
    assert_eq!(spec.to_string(), "redis://ana:***@h:1");
    assert_eq!(spec.to_argument().parse(), Ok(spec.clone()));
    assert!(!format!("{spec:?}").contains("ecret"));
}

#[test]
fn other_texts_are_told_what_would_be_right() {
    for text in ["", "localhost:6379", "Embedded", "http://localhost", "redis:/localhost"] {
        assert!(
            error(text).starts_with("a target is `embedded`, `embedded:SHARDS`, `spawn:PATH` or"),
            "{text}"
        );
    }
    for shards in ["", "0", "1025", "-1", "all", "1:2"] {
        let message = error(&format!("embedded:{shards}"));
        assert!(message.contains("number of shards, from 1 to 1024"), "{message}");
    }
    assert!(error("spawn:").contains("followed by the path of a redis-server"));
    assert!(error("rediss://h").contains("`rediss://` is not available"));
    assert!(error("unix:///run/redis.sock").contains("`unix://` is not available"));
    assert!(error("redis://").contains("followed by a host"));
    assert!(error("redis://:6379").contains("followed by a host"));
    for port in ["0", "65536", "http", "", "-1"] {
        assert!(error(&format!("redis://h:{port}")).contains("from 1 to 65535"), "{port}");
    }
    assert!(error("redis://h/one").contains("the number of a database"));
    assert!(error("redis://a:%zz@h").contains("two hexadecimal digits"));
    assert!(error("redis://a:%4@h").contains("two hexadecimal digits"));
    assert!(error("redis://[::1").contains("written `[::1]:6379`"));
    assert!(error("redis://::1:6379").contains("written `[::1]:6379`"));
}

#[test]
fn an_unknown_text_does_not_show_its_password_either() {
    assert!(!error("https://ana:secret@h").contains("secret"));
}
