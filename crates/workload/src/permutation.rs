//! Where in the key space is the n-th most popular key, so that popular keys are not neighbours?

use crate::random::Stream;

/// A bijection of the numbers below `length` that looks random.
///
/// Rounds of addition, odd multiplication and exclusive-or with a right shift each permute the
/// numbers of so many bits; an image beyond `length` is permuted again until it is below (cycle
/// walking: Black and Rogaway, *Ciphers with Arbitrary Finite Domains*, 2002). The bits are as few as
/// `length` allows, so that is less than twice on average.
#[derive(Clone, Debug)]
pub(crate) struct Permutation {
    length: u64,
    mask: u64,
    shift: u32,
    rounds: [Round; 3],
}

#[derive(Clone, Copy, Debug)]
struct Round {
    addend: u64,
    odd_factor: u64,
}

impl Permutation {
    /// The permutation of the numbers below `length`, at least 1, that belongs to `stream`.
    pub(crate) fn new(length: u64, mut stream: Stream) -> Self {
        debug_assert!(length > 0, "there is nothing to permute");
        let bits = u64::BITS - (length - 1).leading_zeros();
        let rounds =
            std::array::from_fn(|_| Round { addend: stream.word(), odd_factor: stream.word() | 1 });
        let mask = u64::MAX.checked_shr(u64::BITS - bits).unwrap_or(0);
        Self { length, mask, shift: bits.div_ceil(2), rounds }
    }

    /// Where `number`, which must be below the length, goes.
    pub(crate) fn image(&self, number: u64) -> u64 {
        debug_assert!(number < self.length, "{number} is not below {}", self.length);
        let mut image = self.permute_bits(number);
        while image >= self.length {
            image = self.permute_bits(image);
        }
        image
    }

    fn permute_bits(&self, mut number: u64) -> u64 {
        for round in &self.rounds {
            number = number.wrapping_add(round.addend).wrapping_mul(round.odd_factor) & self.mask;
            number ^= number.checked_shr(self.shift).unwrap_or(0);
        }
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_number_is_the_image_of_one_number(length in 1_u64..5000, seed: u64) {
            let permutation = Permutation::new(length, Stream::new(seed, 0));
            let mut images: Vec<u64> = (0..length).map(|n| permutation.image(n)).collect();
            images.sort_unstable();
            prop_assert!(images.into_iter().eq(0..length));
        }

        #[test]
        fn no_image_is_beyond_the_length(length in 1_u64.., number: u64, seed: u64) {
            let permutation = Permutation::new(length, Stream::new(seed, 0));
            prop_assert!(permutation.image(number % length) < length);
        }
    }

    #[test]
    fn neighbours_are_not_neighbours_afterwards() {
        for length in [1000, 1024, 1_000_000, (1 << 20) + 1] {
            let permutation = Permutation::new(length, Stream::new(1, 0));
            let near = (1..1000)
                .filter(|&n| {
                    permutation.image(n).abs_diff(permutation.image(n - 1)) <= length / 100
                })
                .count();
            // By chance one pair in fifty is so near.
            assert!(near < 50, "{near} of {length}");
        }
    }
}
