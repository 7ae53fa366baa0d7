//! Which shard holds a key?

use hectare_store::SHARDS_MAX;

/// Where a key's hash leads, for a fixed number of shards.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    shards: u64,
}

impl Route {
    pub(crate) fn new(shards: usize) -> Self {
        debug_assert!((1..=SHARDS_MAX).contains(&shards));
        Self { shards: shards as u64 }
    }

    /// The shard of a key, by the low half of its hash: the store places keys by the top bits, and
    /// those must not all be alike within a shard.
    ///
    /// A multiplication instead of a division (Lemire, "Fast Random Integer Generation in an
    /// Interval", <https://arxiv.org/abs/1805.10941>).
    pub(crate) fn shard(self, hash: u64) -> usize {
        let bits = hash & 0xffff_ffff;
        ((bits * self.shards) >> 32) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::Route;

    #[test]
    fn every_shard_gets_its_part() {
        for shards in [1, 2, 3, 7, 16, 1024] {
            let route = Route::new(shards);
            let mut counts = vec![0_usize; shards];
            for number in 0..shards as u64 * 1000 {
                let hash = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                counts[route.shard(hash)] += 1;
            }
            assert!(counts.iter().all(|count| (700..1300).contains(count)), "{counts:?}");
        }
    }
}
