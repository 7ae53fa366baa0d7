//! How can one object be laid out in keys, and in which order is it written?

use std::fmt;
use std::str::FromStr;

/// How an object is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// A string for each field: `SET key:field value`.
    Flat,
    /// A hash for each object: `HSET key field value …`.
    Hash,
    /// A string for each object, holding compact JSON: `SET key {"field":value,…}`.
    Json,
    /// A hash for `size` neighbouring objects of one value each: `HSET key(n div size) (n mod size)
    /// value`; only for datasets whose schema has a `[bucket]` section.
    Bucketed {
        /// How many objects share a hash; at least 1.
        size: u32,
    },
}

impl Layout {
    /// The layout's name without the bucket's size: `flat`, `hash`, `json` or `bucketed`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Flat => "flat",
            Self::Hash => "hash",
            Self::Json => "json",
            Self::Bucketed { .. } => "bucketed",
        }
    }

    /// How many objects share a hash, where they do.
    #[must_use]
    pub fn bucket_size(self) -> Option<u32> {
        match self {
            Self::Bucketed { size } => Some(size),
            Self::Flat | Self::Hash | Self::Json => None,
        }
    }
}

/// `flat`, `hash`, `json` or `bucketed:100`; [`Layout::from_str`] reads it back.
impl fmt::Display for Layout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bucketed { size } => write!(formatter, "bucketed:{size}"),
            Self::Flat | Self::Hash | Self::Json => formatter.pad(self.name()),
        }
    }
}

impl FromStr for Layout {
    type Err = LayoutNameError;

    fn from_str(text: &str) -> Result<Self, LayoutNameError> {
        let unknown = || LayoutNameError { text: text.to_owned() };
        match text {
            "flat" => Ok(Self::Flat),
            "hash" => Ok(Self::Hash),
            "json" => Ok(Self::Json),
            _ => {
                let size = text.strip_prefix("bucketed:").ok_or_else(unknown)?;
                let size: u32 = size.parse().map_err(|_| unknown())?;
                if size == 0 { Err(unknown()) } else { Ok(Self::Bucketed { size }) }
            }
        }
    }
}

/// A text that names no [`Layout`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayoutNameError {
    text: String,
}

impl fmt::Display for LayoutNameError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "there is no layout {:?}; a layout is flat, hash, json, or bucketed:SIZE with a size of 1 or more",
            self.text
        )
    }
}

impl std::error::Error for LayoutNameError {}

/// In which order fields are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WritePattern {
    /// Each object at once, as an import does.
    #[default]
    Bulk,
    /// One field at a time, round-robin over all objects, as counters and sessions really grow. A
    /// JSON blob is written anew with one more field in each round.
    Grown,
}

impl WritePattern {
    /// `bulk` or `grown`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bulk => "bulk",
            Self::Grown => "grown",
        }
    }
}

impl fmt::Display for WritePattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for WritePattern {
    type Err = WritePatternNameError;

    fn from_str(text: &str) -> Result<Self, WritePatternNameError> {
        match text {
            "bulk" => Ok(Self::Bulk),
            "grown" => Ok(Self::Grown),
            _ => Err(WritePatternNameError { text: text.to_owned() }),
        }
    }
}

/// A text that names no [`WritePattern`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WritePatternNameError {
    text: String,
}

impl fmt::Display for WritePatternNameError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "there is no write pattern {:?}; a write pattern is bulk or grown",
            self.text
        )
    }
}

impl std::error::Error for WritePatternNameError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_and_patterns_read_back_what_they_print() {
        for layout in
            [Layout::Flat, Layout::Hash, Layout::Json, Layout::Bucketed { size: u32::MAX }]
        {
            assert_eq!(layout.to_string().parse(), Ok(layout));
        }
        for pattern in [WritePattern::Bulk, WritePattern::Grown] {
            assert_eq!(pattern.to_string().parse(), Ok(pattern));
        }
    }

    #[test]
    fn a_wrong_name_is_answered_with_the_right_ones() {
        for text in ["", "hashes", "bucketed", "bucketed:", "bucketed:0", "bucketed:-1"] {
            let message = text.parse::<Layout>().unwrap_err().to_string();
            assert!(message.contains("flat, hash, json, or bucketed:SIZE"), "{message}");
        }
        let message = "grow".parse::<WritePattern>().unwrap_err().to_string();
        assert_eq!(message, "there is no write pattern \"grow\"; a write pattern is bulk or grown");
    }
}
