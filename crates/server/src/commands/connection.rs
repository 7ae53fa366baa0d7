//! What does a client arrange for its own connection?

use crate::desk::{Answered, Desk, Then, error, fast, for_all, in_turn, row};
use crate::directory::Word;
use crate::rows::{Row, is_word, until_nul};
use crate::session::Session;
use hectare_engine::CommandError;
use hectare_resp::Protocol;
use hectare_store::DATABASES;
use std::sync::atomic::Ordering;

pub(super) const ROWS: &[Row] = &[
    fast(row("ping", -1, ping)),
    fast(row("echo", 2, echo)),
    fast(row("select", 2, select)),
    fast(for_all(row("auth", -2, auth))),
    fast(for_all(in_turn(row("hello", -1, hello)))),
    fast(for_all(in_turn(row("reset", 1, reset)))),
    fast(for_all(row("quit", -1, quit))),
];

fn ping(desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    match args {
        [] => desk.reply().simple("PONG"),
        [text] => desk.reply().bulk(text),
        _ => return Err(CommandError::WrongArity { command: "ping" }),
    }
    Ok(Then::Next)
}

fn echo(desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    desk.reply().bulk(args[0]);
    Ok(Then::Next)
}

fn select(desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    let Some(number) = integer(args[0]) else { return Err(CommandError::NotAnInteger) };
    if i32::try_from(number).is_err() {
        return error("ERR value is out of range, value must between -2147483648 and 2147483647");
    }
    let database = u8::try_from(number).ok().filter(|&number| usize::from(number) < DATABASES);
    let Some(database) = database else { return error("ERR DB index is out of range") };
    desk.session.database = database;
    desk.card.database.store(database, Ordering::Relaxed);
    desk.ok()
}

fn auth(desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    let (user, password) = match args {
        [password] => {
            if !desk.shared.live.needs_password() {
                return error(
                    "ERR AUTH <password> called without any password configured for the default \
                     user. Are you sure your configuration is correct?",
                );
            }
            (b"default".as_slice(), *password)
        }
        [user, password] => (*user, *password),
        _ => return Err(CommandError::Syntax),
    };
    log_in(desk, user, password)?;
    desk.ok()
}

fn log_in(desk: &mut Desk<'_>, user: &[u8], password: &[u8]) -> Result<(), CommandError> {
    if user != b"default" || !desk.shared.live.is_password(password) {
        return error("WRONGPASS invalid username-password pair or user is disabled.");
    }
    desk.session.is_authenticated = true;
    Ok(())
}

fn hello(desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    let protocol = match args.first() {
        None => None,
        Some(&number) => match integer(number) {
            None => return error("ERR Protocol version is not an integer or out of range"),
            Some(2) => Some(Protocol::Resp2),
            Some(3) => Some(Protocol::Resp3),
            Some(_) => return error("NOPROTO unsupported protocol version"),
        },
    };
    let mut name = None;
    let mut rest = args.get(1..).unwrap_or_default();
    let mut login = None;
    while let [option, behind @ ..] = rest {
        rest = match behind {
            [user, password, behind @ ..] if is_word(option, "auth") => {
                login = Some((*user, *password));
                behind
            }
            [text, behind @ ..] if is_word(option, "setname") => {
                name = Some(name_of(text)?);
                behind
            }
            _ => {
                let option = crate::rows::quotable(option);
                let text = format!("ERR Syntax error in HELLO option '{option}'");
                return Err(CommandError::Other(text.into()));
            }
        };
    }
    if let Some((user, password)) = login {
        log_in(desk, user, password)?;
    }
    if !desk.session.is_authenticated {
        return error(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO \
             <proto> AUTH <user> <pass> option can be used to authenticate the client and select the \
             RESP protocol version at the same time",
        );
    }
    if let Some(name) = name {
        desk.card.say(Word::Name, name);
    }
    if let Some(protocol) = protocol {
        desk.session.protocol = protocol;
        desk.card.set_protocol(protocol);
    }
    greet(desk);
    Ok(Then::Next)
}

fn greet(desk: &mut Desk<'_>) {
    let id = i64::try_from(desk.card.id).unwrap_or(i64::MAX);
    let protocol = if desk.session.protocol == Protocol::Resp3 { 3 } else { 2 };
    let dialect = desk.shared.parameters().hectare_dialect;
    let mut reply = desk.reply();
    reply.map(7);
    for (key, text) in [("server", dialect.server_name()), ("version", dialect.version())] {
        reply.bulk(key.as_bytes());
        reply.bulk(text.as_bytes());
    }
    reply.bulk(b"proto");
    reply.integer(protocol);
    reply.bulk(b"id");
    reply.integer(id);
    for (key, text) in [(b"mode".as_slice(), b"standalone".as_slice()), (b"role", b"master")] {
        reply.bulk(key);
        reply.bulk(text);
    }
    reply.bulk(b"modules");
    reply.array(0);
}

fn reset(desk: &mut Desk<'_>, _args: &[&[u8]]) -> Answered {
    *desk.session = Session::new(!desk.shared.live.needs_password());
    desk.card.set_protocol(Protocol::Resp2);
    desk.card.database.store(0, Ordering::Relaxed);
    desk.card.say(Word::Name, "");
    desk.card.is_kept.store(false, Ordering::Relaxed);
    desk.card.is_untouching.store(false, Ordering::Relaxed);
    desk.reply().simple("RESET");
    Ok(Then::Next)
}

fn quit(desk: &mut Desk<'_>, _args: &[&[u8]]) -> Answered {
    desk.reply().ok();
    Ok(Then::Close)
}

/// A name of a client, if it can be one.
pub(super) fn name_of(text: &[u8]) -> Result<&str, CommandError> {
    word_of(text).ok_or(CommandError::Other(
        "ERR Client names cannot contain spaces, newlines or special characters.".into(),
    ))
}

/// Text without blanks and the like.
pub(super) fn word_of(text: &[u8]) -> Option<&str> {
    let is_printable = until_nul(text).iter().all(|byte| (b'!'..=b'~').contains(byte));
    std::str::from_utf8(text).ok().filter(|_| is_printable)
}

/// An integer in its shortest form.
pub(super) fn integer(text: &[u8]) -> Option<i64> {
    match hectare_store::Value::parse(text) {
        hectare_store::Value::Integer(integer) => Some(integer),
        hectare_store::Value::Bytes(_) => None,
    }
}
