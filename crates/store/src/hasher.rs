//! What number does a key go by inside this process?

use ahash::RandomState;

/// Hashes keys (and, in large hashes, field names). The same seed gives the same hashes in one
/// process only: no hash may reach a disk or a wire.
#[derive(Clone, Debug)]
pub struct KeyHasher(RandomState);

impl KeyHasher {
    /// A hasher from a seed, which should be random for each process so that no client can choose
    /// keys that collide.
    #[must_use]
    pub fn with_seed(seed: u64) -> Self {
        let step = 0x9e37_79b9_7f4a_7c15_u64;
        Self(RandomState::with_seeds(
            seed,
            seed.wrapping_add(step),
            seed.wrapping_add(step.wrapping_mul(2)),
            seed.wrapping_add(step.wrapping_mul(3)),
        ))
    }

    /// What makes the hashes, for maps of this crate.
    pub(crate) fn state(&self) -> &RandomState {
        &self.0
    }

    /// The hash of a key. Engine and store take different bits of it: the shard comes from the low
    /// half, the position inside a shard from the top bits.
    #[must_use]
    pub fn hash(&self, key: &[u8]) -> u64 {
        self.0.hash_one(key)
    }
}
