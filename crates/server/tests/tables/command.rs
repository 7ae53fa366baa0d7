//! Does `COMMAND` answer as Redis answers it?

use hectare_resp::{Encoder, Protocol, Reply, ReplyParser};
use hectare_server::{CommandTable, Outline};
use hectare_store::{Flags, Keys};

use crate::redis::Redis;

/// Commands that are not the store's, with their arity, and whether they are fast and write.
const OTHERS: &[(&str, i8, bool, bool)] = &[
    ("acl|help", 2, false, false),
    ("acl|whoami", 2, false, false),
    ("auth", -2, true, false),
    ("client|getname", 2, false, false),
    ("client|help", 2, false, false),
    ("client|id", 2, false, false),
    ("client|info", 2, false, false),
    ("client|kill", -3, false, false),
    ("client|list", -2, false, false),
    ("client|no-evict", 3, false, false),
    ("client|no-touch", 3, false, false),
    ("client|pause", -3, false, false),
    ("client|reply", 3, false, false),
    ("client|setinfo", 4, false, false),
    ("client|setname", 3, false, false),
    ("client|unblock", -3, false, false),
    ("client|unpause", 2, false, false),
    ("cluster|help", 2, false, false),
    ("cluster|info", 2, false, false),
    ("cluster|myid", 2, false, false),
    ("config|get", -3, false, false),
    ("config|help", 2, false, false),
    ("config|resetstat", 2, false, false),
    ("config|rewrite", 2, false, false),
    ("config|set", -4, false, false),
    ("debug", -2, false, false),
    ("echo", 2, true, false),
    ("function|flush", -2, false, true),
    ("function|help", 2, false, false),
    ("hello", -1, true, false),
    ("info", -1, false, false),
    ("memory|help", 2, false, false),
    ("move", 3, true, true),
    ("ping", -1, true, false),
    ("quit", -1, true, false),
    ("reset", 1, true, false),
    ("script|flush", -2, false, false),
    ("script|help", 2, false, false),
    ("select", 2, true, false),
    ("shutdown", -1, false, false),
    ("swapdb", 3, true, true),
    ("time", 1, true, false),
    ("wait", 3, false, false),
];

fn table() -> CommandTable {
    let others = OTHERS.iter().map(|&(name, arity, fast, write)| {
        let flags = Flags { write, deny_oom: false, fast };
        let keys = if name == "move" { Keys::First } else { Keys::None };
        Outline { name, arity, flags, keys }
    });
    CommandTable::new(hectare_store::commands().iter().map(Outline::from).chain(others))
}

fn answer(table: &CommandTable, words: &[&str], protocol: Protocol) -> Vec<u8> {
    let mut out = Vec::new();
    let words: Vec<&[u8]> = words[1..].iter().map(|word| word.as_bytes()).collect();
    table.answer(&words, &mut Encoder::new(&mut out, protocol));
    out
}

fn parse(bytes: &[u8]) -> Reply {
    let (reply, consumed) =
        ReplyParser::default().parse(bytes).expect("RESP").expect("a whole reply");
    assert_eq!(consumed, bytes.len());
    reply
}

/// Full names of all commands, in lower case.
fn names(table: &CommandTable) -> Vec<String> {
    let listed =
        parse(&answer(table, &["COMMAND", "LIST", "FILTERBY", "PATTERN", "*"], Protocol::Resp2));
    let text = |reply: &Reply| reply.as_text().expect("a name").to_owned();
    listed.as_array().expect("names").iter().map(text).collect()
}

/// Takes out subcommands that are not here, and what is said in words of one's own.
fn keep_comparable(reply: Reply, known: &[String]) -> Reply {
    let is_known = |name: Option<&str>| {
        name.is_none_or(|name| !name.contains('|') || known.iter().any(|own| own == name))
    };
    let is_subcommand = |reply: &Reply| match reply.as_array() {
        Some([name, Reply::Integer(_), ..]) => is_known(name.as_text()),
        _ => true,
    };
    match reply {
        Reply::Array(elements) => {
            // Pairs of RESP2's flat maps whose values are not compared go out together.
            let mut kept = Vec::new();
            let mut elements = elements.into_iter().peekable();
            while let Some(element) = elements.next() {
                if element.as_text().is_some_and(is_own_words) {
                    elements.next();
                    continue;
                }
                if !is_known(element.as_text()) {
                    elements.next();
                    continue;
                }
                if is_subcommand(&element) {
                    kept.push(keep_comparable(element, known));
                }
            }
            Reply::Array(kept)
        }
        Reply::Set(elements) => {
            let kept = elements.into_iter().filter(is_subcommand);
            Reply::Set(kept.map(|element| keep_comparable(element, known)).collect())
        }
        Reply::Map(pairs) => {
            let kept = pairs.into_iter().filter(|(key, _)| {
                is_known(key.as_text()) && !key.as_text().is_some_and(is_own_words)
            });
            Reply::Map(kept.map(|(key, value)| (key, keep_comparable(value, known))).collect())
        }
        other => other,
    }
}

fn is_own_words(key: &str) -> bool {
    matches!(key, "notes" | "summary" | "complexity" | "replaced_by" | "history")
}

/// Subcommands come in the order of a hash table, whose seed is chosen by chance.
fn sort_subcommands(reply: Reply) -> Reply {
    let name = |reply: &Reply| match reply.as_array() {
        Some([name, ..]) => name.as_text().filter(|name| name.contains('|')).map(str::to_owned),
        _ => reply.as_text().map(str::to_owned).filter(|name| name.contains('|')),
    };
    match reply {
        Reply::Array(mut elements) => {
            if elements
                .iter()
                .all(|element| element.as_array().is_some() && name(element).is_some())
            {
                elements.sort_by_key(name);
            } else if elements.len().is_multiple_of(2)
                && elements.iter().step_by(2).all(|key| name(key).is_some())
            {
                let mut pairs: Vec<[Reply; 2]> = elements
                    .chunks_exact(2)
                    .map(|pair| [pair[0].clone(), pair[1].clone()])
                    .collect();
                pairs.sort_by_key(|[key, _]| name(key));
                elements = pairs.into_iter().flatten().collect();
            }
            Reply::Array(elements.into_iter().map(sort_subcommands).collect())
        }
        Reply::Set(mut elements) => {
            if elements.iter().all(|element| name(element).is_some()) {
                elements.sort_by_key(name);
            }
            Reply::Set(elements.into_iter().map(sort_subcommands).collect())
        }
        Reply::Map(mut pairs) => {
            if pairs.iter().all(|(key, _)| name(key).is_some()) {
                pairs.sort_by_key(|(key, _)| name(key));
            }
            Reply::Map(
                pairs.into_iter().map(|(key, value)| (key, sort_subcommands(value))).collect(),
            )
        }
        other => other,
    }
}

#[test]
fn every_command_has_the_flags_keys_and_categories_of_redis() {
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        let Some(mut redis) = Redis::start(protocol) else { return };
        let table = table();
        let known = names(&table);
        let mut same_bytes = 0;
        for name in &known {
            let words = ["COMMAND", "INFO", name];
            let (theirs, ours) = (redis.ask(&words), answer(&table, &words, protocol));
            same_bytes += usize::from(theirs == ours);
            let [theirs, ours] = [theirs, ours]
                .map(|bytes| sort_subcommands(keep_comparable(parse(&bytes), &known)));
            assert_eq!(theirs, ours, "{name}");
        }
        // Those with subcommands have them in another order, and three have notes.
        assert!(same_bytes + 13 >= known.len(), "{same_bytes} of {}", known.len());
    }
}

#[test]
fn every_command_has_the_arguments_and_dates_of_redis() {
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        let Some(mut redis) = Redis::start(protocol) else { return };
        let table = table();
        let known = names(&table);
        for name in &known {
            let words = ["COMMAND", "DOCS", name];
            let replies = [redis.ask(&words), answer(&table, &words, protocol)];
            let [theirs, ours] =
                replies.map(|bytes| sort_subcommands(keep_comparable(parse(&bytes), &known)));
            assert_eq!(theirs, ours, "{name}");
        }
    }
}

#[test]
fn questions_about_commands_are_answered_to_the_byte() {
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        let Some(mut redis) = Redis::start(protocol) else { return };
        let table = table();
        for question in [
            "FOO",
            "COUNT x",
            "INFO foo get",
            "INFO config|foo get|foo CONFIG|GET",
            "INFO GET get",
            "DOCS foo",
            "LIST x",
            "LIST FILTERBY",
            "LIST FILTERBY MODULE x",
            "LIST FILTERBY FOO x",
            "LIST FILTERBY ACLCAT foo",
            "LIST FILTERBY PATTERN xyz",
            "LIST FILTERBY PATTERN GETD*",
            "GETKEYS",
            "GETKEYS GET",
            "GETKEYS GET a",
            "GETKEYS GET a b",
            "GETKEYS FOO a",
            "GETKEYS PING",
            "GETKEYS MSET a b c",
            "GETKEYS MSET a b c d",
            "GETKEYS DEL a b c",
            "GETKEYS RENAME a b",
            "GETKEYS COPY a b DB 3",
            "GETKEYS OBJECT",
            "GETKEYS OBJECT ENCODING x",
            "GETKEYS OBJECT FOO x",
            "GETKEYS MEMORY USAGE x",
            "GETKEYS CONFIG GET x",
            "GETKEYS CONFIG FOO",
            "GETKEYS SCAN 0",
            "GETKEYS HSET k f v",
            "GETKEYSANDFLAGS",
            "GETKEYSANDFLAGS PING",
            "GETKEYSANDFLAGS SET a b",
            "GETKEYSANDFLAGS SET a b GET",
            "GETKEYSANDFLAGS SET a get",
            "GETKEYSANDFLAGS COPY a b",
            "GETKEYSANDFLAGS RENAME a b",
            "GETKEYSANDFLAGS DEL a b",
            "GETKEYSANDFLAGS MSETNX a 1 b 2",
            "GETKEYSANDFLAGS HGETDEL k FIELDS 1 f",
            "GETKEYSANDFLAGS TOUCH a",
        ] {
            let words: Vec<&str> = ["COMMAND"].into_iter().chain(question.split(' ')).collect();
            let (theirs, ours) = (redis.ask(&words), answer(&table, &words, protocol));
            let [theirs, ours] = [theirs, ours].map(|bytes| bytes.escape_ascii().to_string());
            assert_eq!(theirs, ours, "{question}");
        }
    }
}

#[test]
fn commands_are_counted_without_subcommands_and_listed_with_them() {
    let table = table();
    let listed = names(&table);
    let commands = listed.iter().filter(|name| !name.contains('|')).count();
    let ask = |words: &[&str]| parse(&answer(&table, words, Protocol::Resp3));
    assert_eq!(ask(&["COMMAND", "COUNT"]).as_integer(), i64::try_from(commands).ok());
    let list = ask(&["COMMAND", "LIST"]);
    assert_eq!(list.as_array().map(<[Reply]>::len), Some(listed.len()));
    for all in [&["COMMAND"][..], &["COMMAND", "INFO"]] {
        assert_eq!(ask(all).as_array().map(<[Reply]>::len), Some(commands));
    }
    assert_eq!(ask(&["COMMAND", "DOCS"]).pairs().count(), commands);
    assert_eq!(table.unknown().collect::<Vec<_>>(), [""; 0]);
}
