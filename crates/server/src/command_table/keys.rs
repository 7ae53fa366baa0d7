//! Which arguments of a request are keys, and what would happen to them?

use super::CommandTable;

/// A key of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct KeyUse<'a> {
    pub(super) key: &'a [u8],
    /// Parted by blanks.
    pub(super) flags: &'static str,
}

impl CommandTable {
    /// The keys of a request, which is given with its command's name.
    ///
    /// # Errors
    /// The text of Redis' error.
    pub(super) fn keys<'a>(&self, request: &[&'a [u8]]) -> Result<Vec<KeyUse<'a>>, &'static str> {
        let name = request.first().copied().unwrap_or_default();
        let Some(entry) = self.find(name, request.get(1).copied()) else {
            return Err("ERR Invalid command specified");
        };
        let specs = entry.specs();
        if specs.is_empty() {
            return Err("ERR The command has no key arguments");
        }
        if !entry.takes(request.len()) {
            return Err("ERR Invalid number of arguments specified for command");
        }
        let mut keys = Vec::new();
        for spec in specs {
            let places =
                if spec.last < 0 { spec.first..request.len() } else { spec.first..spec.first + 1 };
            let flags = match entry.name() {
                "set" => flags_of_set(request),
                _ => spec.flags,
            };
            let places = places.step_by(spec.step);
            keys.extend(
                places.filter_map(|place| Some(KeyUse { key: request.get(place)?, flags })),
            );
        }
        Ok(keys)
    }
}

/// `SET` reads its key if it is asked for what was there before.
fn flags_of_set(request: &[&[u8]]) -> &'static str {
    let is_get = |option: &&[u8]| option.eq_ignore_ascii_case(b"get");
    if request.iter().skip(3).any(is_get) { "RW access update" } else { "OW update" }
}
