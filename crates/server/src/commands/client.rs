//! What do clients ask about clients?

use crate::commands::connection::{name_of, word_of};
use crate::desk::{Answered, Desk, Then, row};
use crate::directory::Word;
use crate::rows::Row;
use hectare_engine::CommandError;

pub(super) const ROWS: &[Row] = &[
    row("client|id", 2, id),
    row("client|getname", 2, getname),
    row("client|setname", 3, setname),
    row("client|setinfo", 4, setinfo),
];

fn id(desk: &mut Desk<'_>, _args: &[&[u8]]) -> Answered {
    let id = i64::try_from(desk.card.id).unwrap_or(i64::MAX);
    desk.reply().integer(id);
    Ok(Then::Next)
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
    let (word, option) = if args[0].eq_ignore_ascii_case(b"lib-name") {
        (Word::Library, "lib-name")
    } else if args[0].eq_ignore_ascii_case(b"lib-ver") {
        (Word::Version, "lib-ver")
    } else {
        let option = crate::rows::quotable(args[0]);
        return Err(CommandError::Other(format!("ERR Unrecognized option '{option}'").into()));
    };
    let Some(text) = word_of(args[1]) else {
        let text = format!("ERR {option} cannot contain spaces, newlines or special characters.");
        return Err(CommandError::Other(text.into()));
    };
    desk.card.say(word, text);
    desk.ok()
}
