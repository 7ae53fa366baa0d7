//! Which share of the operations is of which kind?

use std::fmt;
use std::str::FromStr;

use crate::random::Stream;

/// What one operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OperationKind {
    /// `HSET key field value`.
    HsetOne,
    /// `HSET key field value …` with all fields of the object.
    HsetAll,
    /// `HGET key field`.
    Hget,
    /// `HMGET key field …` with two to eight of the object's fields, or the one it has.
    Hmget,
    /// `HGETALL key`.
    Hgetall,
    /// `HINCRBY key field amount` on a field that holds an integer.
    Hincrby,
}

impl OperationKind {
    /// All kinds; a kind's place here is its [`OperationKind::index`].
    pub const ALL: [Self; 6] =
        [Self::HsetOne, Self::HsetAll, Self::Hget, Self::Hmget, Self::Hgetall, Self::Hincrby];

    /// The name it has in a mix and in a table: `hset1`, `hset`, `hget`, `hmget`, `hgetall` or
    /// `hincrby`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::HsetOne => "hset1",
            Self::HsetAll => "hset",
            Self::Hget => "hget",
            Self::Hmget => "hmget",
            Self::Hgetall => "hgetall",
            Self::Hincrby => "hincrby",
        }
    }

    /// The name of the command sent.
    #[must_use]
    pub fn command_name(self) -> &'static str {
        match self {
            Self::HsetOne | Self::HsetAll => "HSET",
            Self::Hget => "HGET",
            Self::Hmget => "HMGET",
            Self::Hgetall => "HGETALL",
            Self::Hincrby => "HINCRBY",
        }
    }

    /// A number below `ALL.len()`, for tables by kind.
    #[must_use]
    pub fn index(self) -> usize {
        match self {
            Self::HsetOne => 0,
            Self::HsetAll => 1,
            Self::Hget => 2,
            Self::Hmget => 3,
            Self::Hgetall => 4,
            Self::Hincrby => 5,
        }
    }

    /// Whether it changes the object.
    #[must_use]
    pub fn is_write(self) -> bool {
        matches!(self, Self::HsetOne | Self::HsetAll | Self::Hincrby)
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// The shares of the kinds of operation, in proportion to each other; they add up to more than 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mix {
    shares: [u32; OperationKind::ALL.len()],
    total: u64,
}

impl Mix {
    /// A mix of these shares, each kind at most once.
    ///
    /// # Errors
    ///
    /// A kind is there twice, or all shares are 0.
    pub fn new(shares: impl IntoIterator<Item = (OperationKind, u32)>) -> Result<Self, MixError> {
        let mut given = [None; OperationKind::ALL.len()];
        for (kind, share) in shares {
            if given[kind.index()].replace(share).is_some() {
                return Err(MixError::Twice { kind });
            }
        }
        let shares = given.map(Option::unwrap_or_default);
        let total = shares.iter().copied().map(u64::from).sum();
        if total == 0 { Err(MixError::Empty) } else { Ok(Self { shares, total }) }
    }

    /// The share of one kind.
    #[must_use]
    pub fn share(&self, kind: OperationKind) -> u32 {
        self.shares[kind.index()]
    }

    /// Draws a kind by its share.
    pub(crate) fn draw(&self, stream: &mut Stream) -> OperationKind {
        let mut left = stream.below(self.total);
        for kind in OperationKind::ALL {
            let share = u64::from(self.share(kind));
            if left < share {
                return kind;
            }
            left -= share;
        }
        unreachable!("a draw below the sum of all shares falls into one of them")
    }
}

/// HSET-heavy: `hset1=60,hset=10,hget=20,hmget=5,hgetall=5`.
impl Default for Mix {
    fn default() -> Self {
        Self { shares: [60, 10, 20, 5, 5, 0], total: 100 }
    }
}

/// As it is typed: `hset1=60,hget=40`; kinds without a share are left out.
impl fmt::Display for Mix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        for kind in OperationKind::ALL {
            let share = self.share(kind);
            if share > 0 {
                write!(formatter, "{comma}{kind}={share}")?;
                comma = ",";
            }
        }
        Ok(())
    }
}

impl FromStr for Mix {
    type Err = MixError;

    fn from_str(text: &str) -> Result<Self, MixError> {
        let mut shares = Vec::new();
        for part in text.split(',') {
            let (name, share) = part
                .split_once('=')
                .ok_or_else(|| MixError::NotAShare { part: part.trim().to_owned() })?;
            let name = name.trim();
            let kind = OperationKind::ALL
                .into_iter()
                .find(|kind| kind.name() == name)
                .ok_or_else(|| MixError::UnknownKind { name: name.to_owned() })?;
            let share = share
                .trim()
                .parse()
                .map_err(|_| MixError::BadShare { kind, share: share.trim().to_owned() })?;
            shares.push((kind, share));
        }
        Self::new(shares)
    }
}

/// Why a text or a list is no [`Mix`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MixError {
    /// A part has no `=`.
    NotAShare {
        /// The part.
        part: String,
    },
    /// No kind of operation has this name.
    UnknownKind {
        /// The name.
        name: String,
    },
    /// A share is not a whole number of 32 bits.
    BadShare {
        /// Whose share.
        kind: OperationKind,
        /// What was typed.
        share: String,
    },
    /// A kind is there twice.
    Twice {
        /// The kind.
        kind: OperationKind,
    },
    /// All shares are 0.
    Empty,
}

impl fmt::Display for MixError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAShare { part } => write!(
                formatter,
                "{part:?} is not a share of a mix; write a kind and a number, as in hset1=60,hget=40"
            ),
            Self::UnknownKind { name } => {
                let names = OperationKind::ALL.map(OperationKind::name).join(", ");
                write!(formatter, "a mix has no {name:?}; its kinds of operation are {names}")
            }
            Self::BadShare { kind, share } => write!(
                formatter,
                "the share of {kind} is {share:?}; a share is a whole number from 0 to {}",
                u32::MAX
            ),
            Self::Twice { kind } => {
                write!(formatter, "the mix has {kind} twice; give each kind one share")
            }
            Self::Empty => formatter
                .write_str("all shares of the mix are 0; at least one kind needs a share above 0"),
        }
    }
}

impl std::error::Error for MixError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_reads_back_what_it_prints() {
        for text in ["hset1=60,hset=10,hget=20,hmget=5,hgetall=5", "hincrby=1"] {
            assert_eq!(text.parse::<Mix>().unwrap().to_string(), text);
        }
        assert_eq!(" hget = 3 , hset1=0".parse::<Mix>().unwrap().to_string(), "hget=3");
        assert_eq!(Mix::default().to_string().parse(), Ok(Mix::default()));
    }

    #[test]
    fn a_bad_mix_is_refused_with_what_would_be_right() {
        for (text, cause) in [
            ("", "\"\" is not a share"),
            ("hget", "\"hget\" is not a share"),
            ("hget=1,", "\"\" is not a share"),
            ("get=1", "its kinds of operation are hset1, hset, hget, hmget, hgetall, hincrby"),
            ("hget=-1", "the share of hget is \"-1\""),
            ("hget=1.5", "the share of hget is \"1.5\""),
            ("hget=4294967296", "from 0 to 4294967295"),
            ("hget=1,hget=2", "has hget twice"),
            ("hget=0,hset=0", "all shares of the mix are 0"),
        ] {
            let message = text.parse::<Mix>().unwrap_err().to_string();
            assert!(message.contains(cause), "{text}: {message}");
        }
    }

    #[test]
    fn each_kind_stands_at_its_index() {
        for (index, kind) in OperationKind::ALL.into_iter().enumerate() {
            assert_eq!(kind.index(), index);
        }
    }
}
