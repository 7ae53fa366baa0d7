//! Which way does the next choice fall?

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Choices that follow from a seed, the same everywhere.
#[derive(Debug)]
pub(crate) struct Dice {
    random: ChaCha8Rng,
}

impl Dice {
    pub(crate) fn with_seed(seed: u64) -> Self {
        Self { random: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        self.random.random_range(0..bound)
    }

    /// A number from `min` to `max`, both included.
    pub(crate) fn between(&mut self, min: u32, max: u32) -> u32 {
        self.random.random_range(min..=max)
    }

    /// True in `percent` of 100 cases.
    pub(crate) fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// True in `per_mille` of 1000 cases.
    pub(crate) fn per_mille(&mut self, per_mille: u32) -> bool {
        self.below(1000) < per_mille
    }

    /// One of `choices`, each as likely as any other.
    pub(crate) fn pick<'c, T: ?Sized>(&mut self, choices: &[&'c T]) -> &'c T {
        choices[self.index(choices.len())]
    }

    /// An index below `length`.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        self.random.random_range(0..length)
    }

    /// Any byte.
    pub(crate) fn byte(&mut self) -> u8 {
        self.random.random()
    }
}
