//! Chance from a seed: SplitMix64, the same on every machine. Not for: secrets.

use worldbus_world::ids::mix;

/// The step of SplitMix64: 2^64 over the golden ratio.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A sequence of choices that follows from a seed.
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    /// The choices of a world's seed and 128 bits that name what is written.
    pub(crate) fn new(seed: u64, name: u128) -> Self {
        let folded = mix((name >> 64) as u64).wrapping_add(name as u64);
        Self(mix(seed ^ mix(folded)))
    }

    /// One of `count` things, from 0; 0 where there are no things.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(STEP);
        // The high half of a product: uneven by less than count / 2^64.
        ((u128::from(mix(self.0)) * count as u128) >> 64) as usize
    }
}
