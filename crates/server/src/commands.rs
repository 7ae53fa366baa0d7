//! What can be asked that is not about data?

use crate::desk::{Answered, Desk, Then};
use crate::rows::Row;
use hectare_engine::{CommandError, EngineError};

pub(crate) mod absent;
mod client;
mod client_filter;
mod config;
mod connection;
mod server;
pub(crate) mod survey;

/// The rows of each file.
pub(crate) const GROUPS: [&[Row]; 4] = [connection::ROWS, client::ROWS, config::ROWS, server::ROWS];

/// The reply of a HELP subcommand: what there is, and what it does, in Redis' form.
fn help(desk: &mut Desk<'_>, container: &str, entries: &[(&str, &str)]) -> Answered {
    let mut reply = desk.reply();
    reply.array(2 * entries.len() + 3);
    reply.simple(&format!("{container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    for (usage, meaning) in entries.iter().chain([&("HELP", "Print this help.")]) {
        reply.simple(usage);
        reply.simple(&format!("    {meaning}"));
    }
    Ok(Then::Next)
}

/// What a client is told when the engine cannot be asked.
fn failure(error: &EngineError) -> CommandError {
    CommandError::Other(format!("ERR {error}").into())
}
