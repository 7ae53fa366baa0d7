//! Which clients does CLIENT LIST or CLIENT KILL mean?

use crate::Dialect;
use crate::commands::connection::integer;
use crate::desk::error;
use crate::directory::Card;
use crate::rows::{is_word, quotable};
use hectare_engine::CommandError;

/// What a client must be like.
#[derive(Debug)]
pub(super) struct Filter<'a> {
    /// One of these, if there are any.
    ids: Option<Vec<u64>>,
    address: Option<&'a [u8]>,
    local_address: Option<&'a [u8]>,
    /// At least this old, in seconds.
    age_min: Option<u64>,
    /// Of a kind that there are clients of.
    has_kind: bool,
    /// Whether the client that asks is left out.
    pub(super) skips_asker: bool,
}

impl<'a> Filter<'a> {
    fn all() -> Self {
        Self {
            ids: None,
            address: None,
            local_address: None,
            age_min: None,
            has_kind: true,
            skips_asker: false,
        }
    }

    /// The client from there.
    pub(super) fn by_address(address: &'a [u8]) -> Self {
        Self { address: Some(address), ..Self::all() }
    }

    /// The options of CLIENT LIST.
    pub(super) fn for_list(args: &[&'a [u8]], dialect: Dialect) -> Result<Self, CommandError> {
        if dialect == Dialect::Valkey && args.len() > 1 {
            return Self::all().with_pairs(args, dialect);
        }
        let mut filter = Self::all();
        match args {
            [] => {}
            [option, kind] if is_word(option, "type") => filter.kind(kind)?,
            [option, ids @ ..] if is_word(option, "id") && !ids.is_empty() => {
                let ids = ids.iter().map(|text| match integer(text) {
                    // Nobody has a number below 1.
                    Some(id) => Ok(u64::try_from(id).unwrap_or_default()),
                    None => error(dialect.bad_client_id_to_list()),
                });
                filter.ids = Some(ids.collect::<Result<_, _>>()?);
            }
            _ => return Err(CommandError::Syntax),
        }
        Ok(filter)
    }

    /// The options of CLIENT KILL, each with its value.
    pub(super) fn for_kill(args: &[&'a [u8]], dialect: Dialect) -> Result<Self, CommandError> {
        Self { skips_asker: true, ..Self::all() }.with_pairs(args, dialect)
    }

    fn with_pairs(mut self, args: &[&'a [u8]], dialect: Dialect) -> Result<Self, CommandError> {
        let mut rest = args;
        while let [option, behind @ ..] = rest {
            let is = |name: &str| is_word(option, name);
            if is("id") && dialect == Dialect::Valkey {
                rest = self.take_ids(behind)?;
                continue;
            }
            let [value, behind @ ..] = behind else { return Err(CommandError::Syntax) };
            rest = behind;
            if is("id") {
                let Some(id) = integer(value).filter(|id| *id > 0) else {
                    return error(dialect.bad_client_id_to_kill());
                };
                self.ids = Some(vec![id.unsigned_abs()]);
            } else if is("type") {
                self.kind(value)?;
            } else if is("addr") {
                self.address = Some(value);
            } else if is("laddr") {
                self.local_address = Some(value);
            } else if is("user") {
                if *value != b"default".as_slice() {
                    let text = format!("ERR No such user '{}'", quotable(value));
                    return Err(CommandError::Other(text.into()));
                }
            } else if is("maxage") {
                let Some(age) = integer(value) else {
                    return error("ERR maxage is not an integer or out of range");
                };
                if age <= 0 {
                    return error("ERR maxage should be greater than 0");
                }
                self.age_min = Some(age.unsigned_abs());
            } else if is("skipme") {
                self.skips_asker = if is_word(value, "yes") {
                    true
                } else if is_word(value, "no") {
                    false
                } else {
                    return Err(CommandError::Syntax);
                };
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(self)
    }

    /// As many numbers as there are; what comes behind them.
    fn take_ids<'r>(&mut self, mut rest: &'r [&'a [u8]]) -> Result<&'r [&'a [u8]], CommandError> {
        let ids = self.ids.get_or_insert_default();
        while let [text, behind @ ..] = rest
            && let Some(id) = integer(text)
        {
            if id < 1 {
                return error("ERR client-id should be greater than 0");
            }
            ids.push(id.unsigned_abs());
            rest = behind;
        }
        Ok(rest)
    }

    /// There are only clients of the normal kind.
    fn kind(&mut self, kind: &[u8]) -> Result<(), CommandError> {
        let is = |name: &&str| is_word(kind, name);
        if !["normal", "master", "replica", "slave", "pubsub"].iter().any(is) {
            let text = format!("ERR Unknown client type '{}'", quotable(kind));
            return Err(CommandError::Other(text.into()));
        }
        self.has_kind &= is(&"normal");
        Ok(())
    }

    pub(super) fn takes(&self, card: &Card, now_ms: u64) -> bool {
        let age = now_ms.saturating_sub(card.since_ms) / 1000;
        self.has_kind
            && self.ids.as_ref().is_none_or(|ids| ids.contains(&card.id))
            && self.address.is_none_or(|address| card.peer.as_bytes() == address)
            && self.local_address.is_none_or(|address| card.local.as_bytes() == address)
            && self.age_min.is_none_or(|age_min| age >= age_min)
    }
}
