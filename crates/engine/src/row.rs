//! Which row is a typed method's command?

use hectare_store::Command;

/// The row of a command that is known to exist, looked up once.
macro_rules! row {
    ($name:literal) => {{
        static ROW: std::sync::LazyLock<&'static hectare_store::Command> =
            std::sync::LazyLock::new(|| crate::row::find($name));
        *ROW
    }};
}
pub(crate) use row;

pub(crate) fn find(name: &'static str) -> &'static Command {
    let (name, part) = name.split_once('|').map_or((name, None), |(name, part)| (name, Some(part)));
    let row = Command::find(name.as_bytes(), part.map(str::as_bytes));
    row.map(|(command, _)| command).expect("the store has the commands of the typed methods")
}
