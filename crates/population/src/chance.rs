//! Chance from the world's seed: the same draw for the same question, in any order.
//! Not here: what is asked.

use worldbus_world::ids::mix;

/// What a draw is for, so that no two questions share their answers.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(crate) enum Draw {
    Name = 1,
    Home,
    Role,
    Position,
    Character,
    Order,
    Jitter,
    Reaction,
    Pastime,
    Company,
}

/// The draws of one world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chance {
    seed: u64,
}

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        // The weather has the seed itself; its draws are not to be repeated here.
        Self { seed: mix(seed ^ 0x70_6f_70_75_6c_61_74_65) }
    }

    /// 64 bits.
    pub(crate) fn bits(self, draw: Draw, who: u64, which: u64) -> u64 {
        let keyed = mix(self.seed ^ (draw as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        mix(mix(keyed ^ who).wrapping_add(which.wrapping_mul(0xd1b5_4a32_d192_ed03)))
    }

    /// A whole number from 0 to below `count`, which is above 0.
    pub(crate) fn below(self, draw: Draw, who: u64, which: u64, count: u64) -> u64 {
        // The upper half of the product: without a division, and even to one in 2^32.
        ((self.bits(draw, who, which) >> 32) * count) >> 32
    }

    /// A whole number of minutes from -`most` to `most`.
    pub(crate) fn around(self, draw: Draw, who: u64, which: u64, most: i64) -> i64 {
        self.below(draw, who, which, 2 * most as u64 + 1) as i64 - most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_even_and_differ_by_what_they_are_for() {
        let chance = Chance::new(7);
        let mut counts = [0; 10];
        for who in 0..10_000 {
            counts[chance.below(Draw::Jitter, who, 3, 10) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (900..1_100).contains(count)), "{counts:?}");
        assert_ne!(chance.bits(Draw::Jitter, 1, 2), chance.bits(Draw::Reaction, 1, 2));
        assert_ne!(chance.bits(Draw::Jitter, 1, 2), chance.bits(Draw::Jitter, 2, 1));
        assert_ne!(Chance::new(8).bits(Draw::Jitter, 1, 2), chance.bits(Draw::Jitter, 1, 2));
    }

    #[test]
    fn draws_around_nothing_reach_both_ends() {
        let draws: Vec<_> =
            (0..1_000).map(|who| Chance::new(1).around(Draw::Jitter, who, 0, 3)).collect();
        assert_eq!((draws.iter().min(), draws.iter().max()), (Some(&-3), Some(&3)));
    }
}
