//! How often is each key asked for?

use std::fmt;
use std::str::FromStr;

use crate::permutation::Permutation;
use crate::random::Stream;
use crate::zipf::Zipf;

/// How often each object is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum KeyPopularity {
    /// All the same.
    #[default]
    Uniform,
    /// The n-th most popular in proportion to `n^-exponent`, exactly; the ranks are scattered over
    /// the key space.
    Zipf {
        /// Finite and above 0; web traffic is near 1.
        exponent: f64,
    },
}

/// The exponent of `zipf` without one: that of YCSB.
const EXPONENT_DEFAULT: f64 = 0.99;

impl KeyPopularity {
    /// Whether the exponent, if any, is one that a distribution has.
    pub(crate) fn is_valid(self) -> bool {
        match self {
            Self::Uniform => true,
            Self::Zipf { exponent } => exponent.is_finite() && exponent > 0.0,
        }
    }
}

/// `uniform` or `zipf:0.99`; [`KeyPopularity::from_str`] reads it back.
impl fmt::Display for KeyPopularity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uniform => formatter.pad("uniform"),
            Self::Zipf { exponent } => write!(formatter, "zipf:{exponent}"),
        }
    }
}

/// Reads `uniform`, `zipf` (of exponent 0.99) or `zipf:EXPONENT`.
impl FromStr for KeyPopularity {
    type Err = KeyPopularityError;

    fn from_str(text: &str) -> Result<Self, KeyPopularityError> {
        let popularity = match text.split_once(':') {
            None if text == "uniform" => Some(Self::Uniform),
            None if text == "zipf" => Some(Self::Zipf { exponent: EXPONENT_DEFAULT }),
            Some(("zipf", exponent)) => {
                exponent.parse().ok().map(|exponent| Self::Zipf { exponent })
            }
            _ => None,
        };
        popularity
            .filter(|popularity| popularity.is_valid())
            .ok_or_else(|| KeyPopularityError { text: text.to_owned() })
    }
}

/// A text that names no [`KeyPopularity`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPopularityError {
    text: String,
}

impl fmt::Display for KeyPopularityError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "there is no key popularity {:?}; it is uniform, zipf, or zipf:EXPONENT with an exponent above 0 such as zipf:0.99",
            self.text
        )
    }
}

impl std::error::Error for KeyPopularityError {}

/// Draws objects by their popularity.
#[derive(Clone, Debug)]
pub(crate) enum ObjectChoice {
    Uniform { objects: u64 },
    Zipf { ranks: Zipf, places: Permutation },
}

impl ObjectChoice {
    /// A choice among `objects`, at least 1; `places` decides which objects are popular, and is the
    /// same for all connections.
    pub(crate) fn new(popularity: KeyPopularity, objects: u64, places: Stream) -> Self {
        match popularity {
            KeyPopularity::Uniform => Self::Uniform { objects },
            KeyPopularity::Zipf { exponent } => Self::Zipf {
                ranks: Zipf::new(objects, exponent),
                places: Permutation::new(objects, places),
            },
        }
    }

    /// The next object, from 0 on.
    pub(crate) fn draw(&self, stream: &mut Stream) -> u64 {
        match self {
            Self::Uniform { objects } => stream.below(*objects),
            Self::Zipf { ranks, places } => places.image(ranks.draw(stream) - 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_popularity_reads_back_what_it_prints() {
        for popularity in [KeyPopularity::Uniform, KeyPopularity::Zipf { exponent: 1.0 }] {
            assert_eq!(popularity.to_string().parse(), Ok(popularity));
        }
        assert_eq!("zipf".parse(), Ok(KeyPopularity::Zipf { exponent: 0.99 }));
    }

    #[test]
    fn an_exponent_that_no_distribution_has_is_refused() {
        for text in
            ["zipf:", "zipf:0", "zipf:-1", "zipf:nan", "zipf:inf", "zipfian", "uniform:1", ""]
        {
            let message = text.parse::<KeyPopularity>().unwrap_err().to_string();
            assert!(message.contains("uniform, zipf, or zipf:EXPONENT"), "{message}");
        }
    }
}
