//! Which random numbers belong to an object, whoever asks, wherever and in whichever order?
//!
//! [`Stream`] is SplitMix64 (Steele, Lea and Flood, *Fast Splittable Pseudorandom Number
//! Generators*, 2014). Each (seed, field, object, version) has a stream of its own, whose start is
//! mixed from these four, so any value can be made without those before it. Everything is integer
//! arithmetic modulo 2⁶⁴ except [`Stream::unit`], whose one division is exact: no result depends on
//! the machine, and none on a library's version.

/// Weyl increment of SplitMix64: 2⁶⁴ divided by the golden ratio, made odd.
const INCREMENT: u64 = 0x9e37_79b9_7f4a_7c15;

/// A bijection of 64-bit words in which each output bit depends on every input bit.
pub(crate) fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// The seed of one among many parts of what `seed` stands for.
pub(crate) fn part_seed(seed: u64, part: u64) -> u64 {
    mix(mix(seed.wrapping_add(INCREMENT)) ^ part.wrapping_mul(INCREMENT))
}

/// A stream of random words that its start alone determines.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    state: u64,
}

impl Stream {
    /// The stream of one part of what `seed` stands for; see [`part_seed`].
    pub(crate) fn new(seed: u64, part: u64) -> Self {
        Self { state: part_seed(seed, part) }
    }

    /// A random word.
    pub(crate) fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(INCREMENT);
        mix(self.state)
    }

    /// A number below `bound`, each equally likely, which must be at least 1.
    ///
    /// Lemire, *Fast Random Integer Generation in an Interval*, 2019: one multiplication, and a
    /// rejection that makes it exact.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        debug_assert!(bound > 0, "no number is below 0");
        let (mut high, mut low) = widening_product(self.word(), bound);
        if low < bound {
            let rejected_below = bound.wrapping_neg() % bound;
            while low < rejected_below {
                (high, low) = widening_product(self.word(), bound);
            }
        }
        high
    }

    /// An index below `length`, which must be at least 1.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        let index = self.below(length as u64);
        usize::try_from(index).expect("an index below a usize is a usize")
    }

    /// A number from `min` to `max`, both included, each equally likely.
    pub(crate) fn between(&mut self, min: i64, max: i64) -> i64 {
        debug_assert!(min <= max, "no number is from {min} to {max}");
        let draw = match min.abs_diff(max).checked_add(1) {
            Some(bound) => self.below(bound),
            None => self.word(),
        };
        min.wrapping_add_unsigned(draw)
    }

    /// A number from 0 to 1, 1 excluded, in steps of 2⁻⁵³.
    pub(crate) fn unit(&mut self) -> f64 {
        const STEPS: f64 = (1_u64 << 53) as f64;
        (self.word() >> 11) as f64 / STEPS
    }

    /// Appends `length` random letters and digits.
    ///
    /// A word gives eight of them as the digits of a fraction in base 62; 62⁸ does not divide 2⁶⁴,
    /// so some groups of eight are likelier than others, by 1 part in 84,000.
    pub(crate) fn alphanumeric(&mut self, length: usize, out: &mut Vec<u8>) {
        const ALPHABET: &[u8; 62] =
            b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let end = out.len() + length;
        out.reserve(length);
        while out.len() < end {
            let mut fraction = self.word();
            let mut group = [0; 8];
            for letter in &mut group {
                let (digit, rest) = widening_product(fraction, 62);
                *letter = ALPHABET[usize::try_from(digit).expect("a digit is below 62")];
                fraction = rest;
            }
            let taken = group.len().min(end - out.len());
            out.extend_from_slice(&group[..taken]);
        }
    }
}

/// The upper and the lower word of a product.
#[expect(clippy::cast_possible_truncation, reason = "the halves of the product are meant")]
fn widening_product(left: u64, right: u64) -> (u64, u64) {
    let product = u128::from(left) * u128::from(right);
    ((product >> 64) as u64, product as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_words_are_those_of_splitmix64() {
        // The first three outputs for state 1234567, as published with the reference code.
        let mut stream = Stream { state: 1_234_567 };
        let words = [stream.word(), stream.word(), stream.word()];
        assert_eq!(
            words,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn each_number_below_a_bound_is_equally_likely() {
        const BOUND: usize = 37;
        const DRAWS: u32 = 370_000;
        let mut stream = Stream::new(1, 0);
        let mut counts = [0_u32; BOUND];
        for _ in 0..DRAWS {
            counts[stream.index(BOUND)] += 1;
        }
        let expected = f64::from(DRAWS) / BOUND as f64;
        let chi_square: f64 =
            counts.iter().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum();
        // 36 degrees of freedom: above 78 once in 20,000 seeds, and this seed is fixed.
        assert!(chi_square < 78.0, "{chi_square}");
    }

    #[test]
    fn no_number_is_likelier_where_the_bound_does_not_divide_the_words() {
        // Without rejection, three quarters of 2^64 would have each third number twice as often.
        const DRAWS: usize = 30_000;
        let mut stream = Stream::new(4, 0);
        let mut counts = [0; 3];
        for _ in 0..DRAWS {
            counts[usize::try_from(stream.below(3 << 62) % 3).unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
    }

    #[test]
    fn each_letter_and_digit_is_equally_likely_at_each_place() {
        const DRAWS: u32 = 62_000;
        let mut stream = Stream::new(2, 0);
        let mut counts = vec![[0_u32; 256]; 8];
        for _ in 0..DRAWS {
            let mut text = Vec::new();
            stream.alphanumeric(8, &mut text);
            for (place, &letter) in counts.iter_mut().zip(&text) {
                place[usize::from(letter)] += 1;
            }
        }
        for place in counts {
            assert_eq!(place.iter().filter(|&&count| count > 0).count(), 62);
            let expected = f64::from(DRAWS) / 62.0;
            let chi_square: f64 = (place.iter().filter(|&&count| count > 0))
                .map(|&count| (f64::from(count) - expected).powi(2) / expected)
                .sum();
            assert!(chi_square < 112.0, "{chi_square}");
        }
    }

    proptest! {
        #[test]
        fn numbers_stay_in_their_span(start: u64, a: i64, b: i64) {
            let (min, max) = (a.min(b), a.max(b));
            let mut stream = Stream::new(start, 0);
            for _ in 0..20 {
                let number = stream.between(min, max);
                prop_assert!(min <= number && number <= max);
                prop_assert!((0.0..1.0).contains(&stream.unit()));
            }
        }

        #[test]
        fn text_has_the_length_asked_for(start: u64, length in 0_usize..100) {
            let mut text = b"kept".to_vec();
            Stream::new(start, 0).alphanumeric(length, &mut text);
            prop_assert_eq!(text.len(), 4 + length);
            prop_assert!(text.iter().all(u8::is_ascii_alphanumeric));
        }
    }

    #[test]
    fn the_whole_span_of_integers_can_be_drawn() {
        let mut stream = Stream::new(3, 0);
        let numbers: Vec<i64> = (0..100).map(|_| stream.between(i64::MIN, i64::MAX)).collect();
        assert!(numbers.iter().any(|&number| number < 0));
        assert!(numbers.iter().any(|&number| number > 0));
    }
}
