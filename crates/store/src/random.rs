//! Which field is drawn?

/// A sequence of numbers that look random and follow from a seed: Sebastiano Vigna's SplitMix64.
#[derive(Debug)]
pub(crate) struct Random {
    state: u64,
}

impl Random {
    /// The sequence that follows from `seed`.
    pub(crate) fn with_seed(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A number below `bound`. Some are likelier than others by less than `bound` in 2^64.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let scaled = (u128::from(self.next()) * bound as u128) >> 64;
        usize::try_from(scaled).unwrap_or(0)
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
