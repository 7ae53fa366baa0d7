//! What do clients ask about parameters?

use crate::commands::{failure, help};
use crate::desk::{Answered, Desk, Then, error, in_turn, row};
use crate::rows::Row;
use hectare_engine::EngineError;

pub(super) const ROWS: &[Row] = &[
    row("config|get", -3, get),
    in_turn(row("config|set", -4, set)),
    row("config|resetstat", 2, resetstat),
    row("config|rewrite", 2, rewrite),
    row("config|help", 2, print_help),
];

fn get(desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    let answers = desk.shared.parameters().ask(args);
    let mut reply = desk.reply();
    reply.map(answers.len());
    for (name, value) in answers {
        reply.bulk(&name);
        reply.bulk(&value);
    }
    Ok(Then::Next)
}

fn set(desk: &mut Desk<'_>, args: &[&[u8]]) -> Answered {
    match desk.shared.change_parameters(args) {
        Ok(changed) => {
            tell_engine(desk, &changed).map_err(|error| failure(&error))?;
            desk.ok()
        }
        Err(text) => {
            desk.reply().error(text);
            Ok(Then::Next)
        }
    }
}

/// Hands on what matters to the shards.
fn tell_engine(desk: &mut Desk<'_>, changed: &[&str]) -> Result<(), EngineError> {
    let parameters = desk.shared.parameters().clone();
    let client = desk.client;
    if changed.contains(&"maxmemory") {
        let limit = Some(parameters.maxmemory).filter(|&bytes| bytes > 0);
        desk.shard.aside(|| client.set_memory_limit(limit))?;
    }
    if changed.iter().any(|name| name.starts_with("hash-max-listpack-")) {
        let (entries, value_bytes) = parameters.encoding_limits();
        desk.shard.aside(|| client.set_encoding_limits(entries, value_bytes))?;
    }
    Ok(())
}

fn resetstat(desk: &mut Desk<'_>, _args: &[&[u8]]) -> Answered {
    let client = desk.client;
    let stats = desk.shard.aside(|| client.stats()).map_err(|error| failure(&error))?;
    desk.shared.reset_counts(stats.counted);
    desk.ok()
}

fn rewrite(_desk: &mut Desk<'_>, _args: &[&[u8]]) -> Answered {
    error("ERR The server is running without a config file")
}

fn print_help(desk: &mut Desk<'_>, _args: &[&[u8]]) -> Answered {
    help(
        desk,
        "CONFIG",
        &[
            (
                "GET <pattern> [<pattern> ...]",
                "Parameters with names like these, and their values.",
            ),
            ("SET <name> <value> [<name> <value> ...]", "Set parameters, all or none."),
            ("RESETSTAT", "Begin to count from 0 again what INFO counts."),
            ("REWRITE", "Refused: no file is written."),
        ],
    )
}
