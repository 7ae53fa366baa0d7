//! Which clients does CLIENT LIST or CLIENT KILL mean?

use crate::commands::connection::integer;
use crate::directory::Card;
use crate::rows::quotable;
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
    pub(super) fn for_list(args: &[&'a [u8]]) -> Result<Self, CommandError> {
        let mut filter = Self::all();
        match args {
            [] => {}
            [option, kind] if option.eq_ignore_ascii_case(b"type") => filter.kind(kind)?,
            [option, ids @ ..] if option.eq_ignore_ascii_case(b"id") && !ids.is_empty() => {
                let ids = ids.iter().map(|text| match integer(text) {
                    Some(id) if id > 0 => Ok(id.unsigned_abs()),
                    _ => Err(CommandError::Other("ERR Invalid client ID".into())),
                });
                filter.ids = Some(ids.collect::<Result<_, _>>()?);
            }
            _ => return Err(CommandError::Syntax),
        }
        Ok(filter)
    }

    /// The options of CLIENT KILL, each with its value.
    pub(super) fn for_kill(args: &[&'a [u8]]) -> Result<Self, CommandError> {
        let mut filter = Self { skips_asker: true, ..Self::all() };
        let (pairs, []) = args.as_chunks::<2>() else { return Err(CommandError::Syntax) };
        for [option, value] in pairs {
            let is = |name: &str| option.eq_ignore_ascii_case(name.as_bytes());
            if is("id") {
                let id = integer(value)
                    .filter(|id| *id > 0)
                    .ok_or(CommandError::Other("ERR client-id should be greater than 0".into()))?;
                filter.ids = Some(vec![id.unsigned_abs()]);
            } else if is("type") {
                filter.kind(value)?;
            } else if is("addr") {
                filter.address = Some(value);
            } else if is("laddr") {
                filter.local_address = Some(value);
            } else if is("user") {
                if *value != b"default" {
                    let text = format!("ERR No such user '{}'", quotable(value));
                    return Err(CommandError::Other(text.into()));
                }
            } else if is("maxage") {
                let age = integer(value).filter(|age| *age > 0).ok_or(CommandError::Other(
                    "ERR maxage is not an integer or out of range".into(),
                ))?;
                filter.age_min = Some(age.unsigned_abs());
            } else if is("skipme") {
                filter.skips_asker = if value.eq_ignore_ascii_case(b"yes") {
                    true
                } else if value.eq_ignore_ascii_case(b"no") {
                    false
                } else {
                    return Err(CommandError::Syntax);
                };
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(filter)
    }

    /// There are only clients of the normal kind.
    fn kind(&mut self, kind: &[u8]) -> Result<(), CommandError> {
        let is = |name: &&str| kind.eq_ignore_ascii_case(name.as_bytes());
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
