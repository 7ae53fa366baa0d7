//! What do clients ask about clients?

use crate::commands::client_filter::Filter;
use crate::commands::connection::{integer, name_of, word_of};
use crate::commands::help;
use crate::desk::{Answered, Desk, Then, error, row};
use crate::directory::{Card, Word};
use crate::door::Letter;
use crate::rows::{Row, is_word, quotable};
use crate::session::Replying;
use crate::shared::unix_ms;
use hectare_engine::CommandError;
use std::sync::atomic::{AtomicBool, Ordering};

pub(super) const ROWS: &[Row] = &[
    row("client|id", 2, id),
    row("client|info", 2, info),
    row("client|list", -2, list),
    row("client|kill", -3, kill),
    row("client|getname", 2, getname),
    row("client|setname", 3, setname),
    row("client|setinfo", 4, setinfo),
    row("client|reply", 3, reply),
    row("client|no-evict", 3, no_evict),
    row("client|no-touch", 3, no_touch),
    row("client|pause", -3, pause),
    row("client|unpause", 2, unpause),
    row("client|unblock", -3, unblock),
    row("client|getredir", 2, getredir),
    row("client|help", 2, print_help),
];

fn id(desk: &mut Desk<'_>, _args: &[&[u8]]) -> Answered {
    let id = i64::try_from(desk.card.id).unwrap_or(i64::MAX);
    desk.reply().integer(id);
    Ok(Then::Next)
}

fn info(desk: &mut Desk<'_>, _args: &[&[u8]]) -> Answered {
    let mut text = String::new();
    desk.card.write_line(unix_ms(), &mut text);
    desk.reply().verbatim(*b"txt", text.as_bytes());
    Ok(Then::Next)
}

fn list(desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    let filter = Filter::for_list(args, desk.shared.parameters().hectare_dialect)?;
    let now_ms = unix_ms();
    let mut text = String::new();
    for card in desk.shared.directory.all() {
        if filter.takes(&card, now_ms) {
            card.write_line(now_ms, &mut text);
        }
    }
    desk.reply().verbatim(*b"txt", text.as_bytes());
    Ok(Then::Next)
}

fn kill(desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    let is_by_address = args.len() == 1;
    let filter = if is_by_address {
        Filter::by_address(args[0])
    } else {
        Filter::for_kill(args, desk.shared.parameters().hectare_dialect)?
    };
    let now_ms = unix_ms();
    let (mut killed, mut is_self) = (0, false);
    for card in desk.shared.directory.all() {
        let is_asker = card.id == desk.card.id;
        if !filter.takes(&card, now_ms) || (is_asker && filter.skips_asker) {
            continue;
        }
        killed += 1;
        if is_asker {
            is_self = true;
        } else {
            disconnect(desk, &card);
        }
    }
    match (is_by_address, killed) {
        (true, 0) => return error("ERR No such client"),
        (true, _) => desk.reply().ok(),
        (false, killed) => desk.reply().integer(killed),
    }
    // It gets its reply before it is closed.
    Ok(if is_self { Then::Close } else { Then::Next })
}

fn disconnect(desk: &Desk<'_>, card: &Card) {
    card.is_killed.store(true, Ordering::Relaxed);
    let letter = Letter::Kill { connection: card.connection, id: card.id };
    desk.shared.doors[card.thread].post(letter);
}

fn getname(desk: &mut Desk<'_>, _args: &[&[u8]]) -> Answered {
    let name = desk.card.name();
    if name.is_empty() {
        desk.reply().null();
    } else {
        desk.reply().bulk(name.as_bytes());
    }
    Ok(Then::Next)
}

fn setname(desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    desk.card.say(Word::Name, name_of(args[0])?);
    desk.ok()
}

fn setinfo(desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    let option = quotable(args[0]);
    let word = if is_word(args[0], "lib-name") {
        Word::Library
    } else if is_word(args[0], "lib-ver") {
        Word::Version
    } else {
        return Err(CommandError::Other(format!("ERR Unrecognized option '{option}'").into()));
    };
    let Some(text) = word_of(args[1]) else {
        let text = format!("ERR {option} cannot contain spaces, newlines or special characters.");
        return Err(CommandError::Other(text.into()));
    };
    desk.card.say(word, text);
    desk.ok()
}

fn reply(desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    if is_word(args[0], "on") {
        desk.session.replies = Replying::On;
        return desk.ok();
    }
    if is_word(args[0], "off") {
        desk.session.replies = Replying::Off;
    } else if is_word(args[0], "skip") {
        if desk.session.replies != Replying::Off {
            desk.session.replies = Replying::SkipNext;
        }
    } else {
        return Err(CommandError::Syntax);
    }
    Ok(Then::Next)
}

fn no_evict(desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    switch(&desk.card.is_kept, args[0])?;
    desk.ok()
}

fn no_touch(desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    switch(&desk.card.is_untouching, args[0])?;
    desk.ok()
}

fn switch(flag: &AtomicBool, word: &[u8]) -> Result<(), CommandError> {
    let is_on = is_word(word, "on");
    if !is_on && !is_word(word, "off") {
        return Err(CommandError::Syntax);
    }
    flag.store(is_on, Ordering::Relaxed);
    Ok(())
}

fn pause(desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    let is_for_all = match args {
        [_] => true,
        [_, mode] if is_word(mode, "all") => true,
        [_, mode] if is_word(mode, "write") => false,
        [_, _] => return error("ERR CLIENT PAUSE mode must be WRITE or ALL"),
        _ => return Err(CommandError::Syntax),
    };
    let length_ms = timeout_ms(args[0])?;
    desk.shared.pause.begin(desk.now, length_ms, is_for_all);
    desk.ok()
}

/// A time in milliseconds, as commands that wait have it.
pub(super) fn timeout_ms(text: &[u8]) -> Result<u64, CommandError> {
    match integer(text) {
        None => error("ERR timeout is not an integer or out of range"),
        Some(length) => match u64::try_from(length) {
            Ok(length) => Ok(length),
            Err(_) => error("ERR timeout is negative"),
        },
    }
}

fn unpause(desk: &mut Desk<'_>, _args: &[&[u8]]) -> Answered {
    desk.shared.pause.end();
    desk.shared.call_all();
    desk.ok()
}

/// No command here blocks so that another client could end it.
fn unblock(desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    match args {
        [_] => {}
        [_, how] if is_word(how, "timeout") || is_word(how, "error") => {}
        [_, _] => return error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"),
        _ => return Err(CommandError::Syntax),
    }
    if integer(args[0]).is_none() {
        return Err(CommandError::NotAnInteger);
    }
    desk.reply().integer(0);
    Ok(Then::Next)
}

/// There is no tracking, so it goes nowhere.
fn getredir(desk: &mut Desk<'_>, _args: &[&[u8]]) -> Answered {
    desk.reply().integer(-1);
    Ok(Then::Next)
}

fn print_help(desk: &mut Desk<'_>, _args: &[&[u8]]) -> Answered {
    help(
        desk,
        "CLIENT",
        &[
            ("GETNAME", "The name of this connection."),
            ("GETREDIR", "The client that tracking redirects to: -1, there is no tracking."),
            ("ID", "The number of this connection."),
            ("INFO", "What is known about this connection."),
            ("KILL <ip:port>", "Close the connection from there."),
            (
                "KILL <option> <value> [<option> <value> ...]",
                "Close connections: ID <id>, ADDR <ip:port>, LADDR <ip:port>, TYPE <type>, USER \
                 <user>, MAXAGE <seconds>, SKIPME yes|no.",
            ),
            ("LIST [TYPE <type>] [ID <id> [<id> ...]]", "What is known about connections."),
            ("NO-EVICT on|off", "Keep this connection when memory is short."),
            ("NO-TOUCH on|off", "Commands of this connection do not count as use of a key."),
            ("PAUSE <milliseconds> [WRITE|ALL]", "Let commands of all clients wait."),
            ("REPLY on|off|skip", "Which replies this connection wants."),
            ("SETINFO LIB-NAME|LIB-VER <text>", "Say which library this connection uses."),
            ("SETNAME <name>", "Name this connection."),
            ("UNBLOCK <id> [TIMEOUT|ERROR]", "End the wait of a client: none waits."),
            ("UNPAUSE", "End a pause."),
        ],
    )
}
