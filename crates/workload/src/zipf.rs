//! Which rank does the next request have, if the n-th is asked for in proportion to n^-exponent?

use crate::random::Stream;

/// Draws ranks from 1 to `count` with the exact Zipf distribution, in constant time and memory.
///
/// Rejection-inversion: Hörmann and Derflinger, *Rejection-Inversion to Generate Variates from
/// Monotone Discrete Distributions*, ACM TOMACS 6(3), 1996, with the numerically stable forms of H
/// and its inverse for exponents near 1 that Apache Commons' `RejectionInversionZipfSampler` uses.
/// Logarithms and exponentials come from `libm`, which gives the same bits on every machine.
#[derive(Clone, Debug)]
pub(crate) struct Zipf {
    count: u64,
    exponent: f64,
    /// H(3/2) - 1 and H(count + 1/2): what a uniform draw is taken between.
    area_start: f64,
    area_end: f64,
    /// A rank so near the draw's inverse is taken without looking further.
    accepted_distance: f64,
}

impl Zipf {
    /// `count` from 1 to 2^53, `exponent` finite and above 0.
    pub(crate) fn new(count: u64, exponent: f64) -> Self {
        debug_assert!(count > 0 && exponent > 0.0 && exponent.is_finite());
        let mut zipf =
            Self { count, exponent, area_start: 0.0, area_end: 0.0, accepted_distance: 0.0 };
        zipf.area_start = zipf.area(1.5) - 1.0;
        zipf.area_end = zipf.area(count as f64 + 0.5);
        zipf.accepted_distance = 2.0 - zipf.area_inverse(zipf.area(2.5) - zipf.weight(2.0));
        zipf
    }

    /// A rank from 1 to `count`.
    pub(crate) fn draw(&self, stream: &mut Stream) -> u64 {
        loop {
            let draw = self.area_end + stream.unit() * (self.area_start - self.area_end);
            let inverse = self.area_inverse(draw);
            let rank = self.nearest_rank(inverse);
            let rank_number = rank as f64;
            if rank_number - inverse <= self.accepted_distance
                || draw >= self.area(rank_number + 0.5) - self.weight(rank_number)
            {
                return rank;
            }
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "it saturates, and is clamped to the ranks"
    )]
    fn nearest_rank(&self, inverse: f64) -> u64 {
        ((inverse + 0.5) as u64).clamp(1, self.count)
    }

    /// h(x) = x^-exponent.
    fn weight(&self, x: f64) -> f64 {
        libm::exp(-self.exponent * libm::log(x))
    }

    /// H(x), the integral of h from 1 to x: (x^(1-exponent) - 1) / (1 - exponent), or log x.
    fn area(&self, x: f64) -> f64 {
        let log_x = libm::log(x);
        exp_m1_ratio((1.0 - self.exponent) * log_x) * log_x
    }

    /// The x whose H(x) is `area`.
    fn area_inverse(&self, area: f64) -> f64 {
        // Rounding may carry the argument just below -1, where the logarithm is not a number.
        let argument = (area * (1.0 - self.exponent)).max(-1.0);
        libm::exp(ln_1p_ratio(argument) * area)
    }
}

/// (e^x - 1) / x, and its limit at 0.
fn exp_m1_ratio(x: f64) -> f64 {
    if x.abs() > 1e-8 { libm::expm1(x) / x } else { 1.0 + x / 2.0 }
}

/// log(1 + x) / x, and its limit at 0.
fn ln_1p_ratio(x: f64) -> f64 {
    if x.abs() > 1e-8 { libm::log1p(x) / x } else { 1.0 - x / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Draws often and compares with the probabilities: chi-square over classes that are expected
    /// ten times or more.
    fn assert_follows_the_distribution(count: u64, exponent: f64) {
        const DRAWS: u32 = 400_000;
        let zipf = Zipf::new(count, exponent);
        let mut stream = Stream::new(11, count);
        let mut counts = vec![0_u32; usize::try_from(count).unwrap() + 1];
        for _ in 0..DRAWS {
            counts[usize::try_from(zipf.draw(&mut stream)).unwrap()] += 1;
        }
        let weights: Vec<f64> = (1..=count).map(|rank| (rank as f64).powf(-exponent)).collect();
        let total: f64 = weights.iter().sum();
        let (mut chi_square, mut classes) = (0.0, 0.0);
        let (mut expected, mut seen) = (0.0, 0.0);
        for (weight, &count) in weights.iter().zip(&counts[1..]) {
            expected += f64::from(DRAWS) * weight / total;
            seen += f64::from(count);
            if expected >= 10.0 {
                chi_square += (seen - expected).powi(2) / expected;
                classes += 1.0;
                (expected, seen) = (0.0, 0.0);
            }
        }
        // What is left at the end is expected less than ten times, and so seldom seen.
        assert!(seen <= expected + 20.0, "{seen} of {expected}");
        let bound = classes + 4.0 * (2.0_f64 * classes).sqrt() + 8.0;
        assert!(chi_square < bound, "{count} ranks, exponent {exponent}: {chi_square} > {bound}");
    }

    #[test]
    fn ranks_are_drawn_as_often_as_their_probability_says() {
        for count in [1, 2, 10, 1000, 100_000] {
            for exponent in [0.01, 0.5, 0.99, 1.0, 1.01, 1.5, 2.0, 5.0] {
                assert_follows_the_distribution(count, exponent);
            }
        }
    }

    proptest! {
        #[test]
        fn every_draw_is_a_rank(
            count in 1_u64..=1 << 53,
            exponent in prop_oneof![1e-9..3.0, 3.0..1e9, 0.999_999_99..1.000_000_01],
            seed: u64,
        ) {
            let zipf = Zipf::new(count, exponent);
            let mut stream = Stream::new(seed, 0);
            for _ in 0..100 {
                let rank = zipf.draw(&mut stream);
                prop_assert!(1 <= rank && rank <= count);
            }
        }
    }
}
