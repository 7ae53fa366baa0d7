//! What is asked of the server as a whole?

use crate::commands::client::timeout_ms;
use crate::commands::connection::integer;
use crate::commands::{failure, help, survey};
use crate::desk::{Answered, Desk, Then, error, fast, in_turn, row};
use crate::log::Level;
use crate::rows::{self, Row, is_word};
use crate::{CommandTable, InfoRequest, Outline};
use hectare_engine::CommandError;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(super) const ROWS: &[Row] = &[
    fast(row("time", 1, time)),
    fast(row("lastsave", 1, lastsave)),
    fast(row("role", 1, role)),
    in_turn(row("info", -1, info)),
    row("command", -1, command),
    in_turn(row("wait", 3, wait)),
    in_turn(row("shutdown", -1, shutdown)),
    row("acl|whoami", 2, whoami),
    row("cluster", -2, cluster),
    row("function|flush", -2, flush_functions),
    row("script|flush", -2, flush_scripts),
    in_turn(row("debug|sleep", 3, sleep)),
    row("debug|set-active-expire", 3, set_active_expire),
    row("debug|help", 2, print_help),
];

fn time(desk: &mut Desk<'_>, _args: &[&[u8]]) -> Answered {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut reply = desk.reply();
    reply.array(2);
    reply.bulk_integer(i64::try_from(since.as_secs()).unwrap_or(i64::MAX));
    reply.bulk_integer(i64::from(since.subsec_micros()));
    Ok(Then::Next)
}

/// Nothing is ever saved, and a server that has just started says when that was.
fn lastsave(desk: &mut Desk<'_>, _args: &[&[u8]]) -> Answered {
    let seconds = i64::try_from(desk.shared.start_ms / 1000).unwrap_or(i64::MAX);
    desk.reply().integer(seconds);
    Ok(Then::Next)
}

/// A master without replicas that has written nothing for any.
fn role(desk: &mut Desk<'_>, _args: &[&[u8]]) -> Answered {
    let mut reply = desk.reply();
    reply.array(3);
    reply.bulk(b"master");
    reply.integer(0);
    reply.array(0);
    Ok(Then::Next)
}

fn info(desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    let client = desk.client;
    let asked = desk.shard.aside(|| survey::ask(client)).map_err(|error| failure(&error))?;
    let facts = survey::facts(desk.shared, asked, desk.now);
    let text = InfoRequest::new(args.iter().copied()).text(&facts);
    desk.reply().verbatim(*b"txt", text.as_bytes());
    Ok(Then::Next)
}

fn command(desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    TABLE.answer(args, &mut desk.reply());
    Ok(Then::Next)
}

/// All rows, the store's and the server's.
static TABLE: LazyLock<CommandTable> = LazyLock::new(|| {
    let store = hectare_store::commands().iter().map(Outline::from);
    CommandTable::new(store.chain(rows::ROWS.iter().map(Outline::from)))
});

/// Waits for replicas, of which there are none.
fn wait(desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    let replicas = integer(args[0]).ok_or(CommandError::NotAnInteger)?;
    let length_ms = timeout_ms(args[1])?;
    if replicas <= 0 {
        desk.reply().integer(0);
        return Ok(Then::Next);
    }
    let until = (length_ms > 0).then(|| later(desk, Duration::from_millis(length_ms)));
    Ok(Then::Wait { until, reply: b":0\r\n" })
}

/// The time after so long, or after a century.
fn later(desk: &Desk<'_>, length: Duration) -> std::time::Instant {
    desk.now + length.min(Duration::from_secs(1 << 32))
}

fn shutdown(desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    let is = is_word;
    let known = ["save", "nosave", "now", "force", "abort"];
    let is_known = |arg: &&[u8]| known.iter().any(|word| is(arg, word));
    let has = |word: &str| args.iter().any(|arg| is(arg, word));
    if !args.iter().all(is_known)
        || (has("save") && has("nosave"))
        || (has("abort") && args.len() > 1)
    {
        return Err(CommandError::Syntax);
    }
    if has("abort") {
        return error("ERR No shutdown in progress.");
    }
    desk.shared.say(Level::Notice, "a client has asked the server to stop");
    desk.shared.stop();
    // Redis does not answer it either.
    Ok(Then::Vanish)
}

fn whoami(desk: &mut Desk<'_>, _args: &[&[u8]]) -> Answered {
    desk.reply().bulk(b"default");
    Ok(Then::Next)
}

fn cluster(_desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    let is_meant = |(name, _): &&(&str, i8)| {
        let part = name.split_once('|').map(|(_, part)| part.as_bytes());
        part.is_some_and(|part| part.eq_ignore_ascii_case(args[0]))
    };
    let Some(&(name, arity)) = CLUSTER_PARTS.iter().find(is_meant) else {
        return Err(rows::unknown_subcommand("cluster", args[0]));
    };
    let (words, least) = (args.len() + 1, usize::from(arity.unsigned_abs()));
    if words < least || (arity > 0 && words > least) {
        return Err(CommandError::WrongArity { command: name });
    }
    error("ERR This instance has cluster support disabled")
}

/// What Redis knows about clusters, with or without one, and its arities.
const CLUSTER_PARTS: [(&str, i8); 27] = [
    ("cluster|addslots", -3),
    ("cluster|addslotsrange", -4),
    ("cluster|bumpepoch", 2),
    ("cluster|count-failure-reports", 3),
    ("cluster|countkeysinslot", 3),
    ("cluster|delslots", -3),
    ("cluster|delslotsrange", -4),
    ("cluster|failover", -2),
    ("cluster|flushslots", 2),
    ("cluster|forget", 3),
    ("cluster|getkeysinslot", 4),
    ("cluster|info", 2),
    ("cluster|keyslot", 3),
    ("cluster|links", 2),
    ("cluster|meet", -4),
    ("cluster|myid", 2),
    ("cluster|myshardid", 2),
    ("cluster|nodes", 2),
    ("cluster|replicas", 3),
    ("cluster|replicate", 3),
    ("cluster|reset", -2),
    ("cluster|saveconfig", 2),
    ("cluster|set-config-epoch", 3),
    ("cluster|setslot", -4),
    ("cluster|shards", 2),
    ("cluster|slaves", 3),
    ("cluster|slots", 2),
];

/// Forgets all functions: there are none.
fn flush_functions(desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    flush(desk, args, "ERR FUNCTION FLUSH only supports SYNC|ASYNC option")
}

/// Forgets all scripts: there are none.
fn flush_scripts(desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    flush(desk, args, "ERR SCRIPT FLUSH only support SYNC|ASYNC option")
}

fn flush(desk: &mut Desk<'_>, args: &[&[u8]], refusal: &'static str) -> Answered {
    match args {
        [] => desk.ok(),
        [how] if is_word(how, "sync") || is_word(how, "async") => desk.ok(),
        _ => error(refusal),
    }
}

/// Keeps this connection waiting; Redis would keep everybody waiting.
fn sleep(desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    let seconds = std::str::from_utf8(args[0]).ok().and_then(|text| text.parse::<f64>().ok());
    // What is no time is none at all, as for C's `strtod`.
    let length = Duration::try_from_secs_f64(seconds.unwrap_or(0.0)).unwrap_or_default();
    Ok(Then::Wait { until: Some(later(desk, length)), reply: b"+OK\r\n" })
}

fn set_active_expire(desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    let is_active = integer(args[0]).ok_or(CommandError::NotAnInteger)? != 0;
    let client = desk.client;
    let told = desk.shard.aside(|| client.set_active_expiry(is_active));
    told.map_err(|error| failure(&error))?;
    desk.ok()
}

fn print_help(desk: &mut Desk<'_>, _args: &[&[u8]]) -> Answered {
    help(
        desk,
        "DEBUG",
        &[
            ("SLEEP <seconds>", "Let this connection wait; others are served meanwhile."),
            ("SET-ACTIVE-EXPIRE <0|1>", "Whether keys go by themselves when their time has come."),
            ("OBJECT <key>", "What is known about a key."),
        ],
    )
}
