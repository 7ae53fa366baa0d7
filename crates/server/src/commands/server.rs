//! What is asked of the server as a whole?

use crate::desk::{Answered, Desk, Then, fast, in_turn, row};
use crate::rows::Row;
use crate::shared::unix_ms;

pub(super) const ROWS: &[Row] = &[
    fast(row("time", 1, time)),
    in_turn(row("info", -1, info)),
    row("command", -1, command),
    row("config|get", -3, config_get),
];

fn time(desk: &mut Desk<'_>, _args: &[&[u8]]) -> Answered {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let since = since.unwrap_or_default();
    let mut reply = desk.reply();
    reply.array(2);
    reply.bulk_integer(i64::try_from(since.as_secs()).unwrap_or(i64::MAX));
    reply.bulk_integer(i64::from(since.subsec_micros()));
    Ok(Then::Next)
}

fn info(desk: &mut Desk<'_>, _args: &[&[u8]]) -> Answered {
    let text = format!("# Server\r\nredis_version:8.0.0\r\nserver_time_ms:{}\r\n", unix_ms());
    desk.reply().verbatim(*b"txt", text.as_bytes());
    Ok(Then::Next)
}

fn command(desk: &mut Desk<'_>, _args: &[&[u8]]) -> Answered {
    desk.reply().array(0);
    Ok(Then::Next)
}

fn config_get(desk: &mut Desk<'_>, _args: &[&[u8]]) -> Answered {
    desk.reply().map(0);
    Ok(Then::Next)
}
