//! Chance as a function: Philox4x32 of seven rounds, the fewest that pass all of BigCrush (Salmon
//! et al. 2011), and near-normal deviates from it.
//! Not a crate: `rng-pack` 0.2.5 loses the high half of Philox's products, and 25 lines that a
//! known-answer test holds are less to trust than a dependency.

const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
const WEYL: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];
const ROUND_COUNT: usize = 7;

/// Blocks of Philox4x32-7, word by word, so that the machine computes some at a time.
pub(in super::super) fn philox<const N: usize>(
    mut counter: [[u32; N]; 4],
    mut key: [u32; 2],
) -> [[u32; N]; 4] {
    for _ in 0..ROUND_COUNT {
        #[expect(clippy::needless_range_loop, reason = "all words of a block at a time")]
        for block in 0..N {
            let a = u64::from(counter[0][block]) * u64::from(MULTIPLIERS[0]);
            let b = u64::from(counter[2][block]) * u64::from(MULTIPLIERS[1]);
            counter[0][block] = (b >> 32) as u32 ^ counter[1][block] ^ key[0];
            counter[1][block] = b as u32;
            counter[2][block] = (a >> 32) as u32 ^ counter[3][block] ^ key[1];
            counter[3][block] = a as u32;
        }
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

/// Four deviates of mean 0 and standard deviation [`BYTE_SUM_SD`] from a block: Irwin-Hall sums of
/// a word's bytes, which are whole numbers and, summed over the taps of an octave, as good as
/// Gaussian.
pub(in super::super) fn byte_sums(block: [u32; 4]) -> [f32; 4] {
    block.map(|word| {
        let halves = (word & 0x00ff_00ff) + ((word >> 8) & 0x00ff_00ff);
        let sum = (halves & 0xffff) + (halves >> 16);
        (sum as i32 - 510) as f32
    })
}

/// Of a sum of four bytes: the root of (256^2 - 1) / 3.
pub(in super::super) const BYTE_SUM_SD: f64 = 147.800_541_270_998;
