//! The latent field: independent Gaussian noises of unit variance over space and time, each in
//! five octaves that drift with the wind. Not here: what they mean (`hour`).

use super::noise::{normals, philox};
use super::preset::Preset;
use crate::calendar::Hemisphere;
use crate::world_file::Region;

/// Octaves of each noise, from passing to lasting.
pub(super) const OCTAVE_COUNT: usize = 5;
const TAU_H: [f64; OCTAVE_COUNT] = [1.5, 6.0, 24.0, 96.0, 480.0];
const CELL_KM: [f64; OCTAVE_COUNT] = [120.0, 400.0, 900.0, 1500.0, 2000.0];
/// Weather travels, the lasting kind slowly: a third of a cell in its own time.
const EAST_KMH: [f64; OCTAVE_COUNT] = [25.0, 20.0, 12.0, 5.0, 1.4];
const NORTH_PER_EAST: f64 = 0.25;

const KM_PER_DEGREE: f64 = 111.195;
const LAPSE_DC_PER_M: f64 = -0.065;
/// Mean warming towards the equator in Europe, a prior; at most [`LATITUDE_DC_MAX`] in all.
const LATITUDE_DC_PER_DEGREE: f64 = -6.0;
const LATITUDE_DC_MAX: f64 = 120.0;

/// The independent noises by rank.
pub(super) mod variable {
    pub(in super::super) const PRECIPITATION: usize = 0;
    pub(in super::super) const CLOUD: usize = 1;
    pub(in super::super) const DEPRESSION: usize = 2;
    pub(in super::super) const WIND: usize = 3;
    pub(in super::super) const TEMPERATURE: usize = 4;
    pub(in super::super) const CONVECTION: usize = 5;
    pub(in super::super) const DIRECTION: usize = 6;
    pub(in super::super) const PRESSURE: usize = 7;
}

/// Two variables share a Philox block.
const PAIR_COUNT: usize = 4;
/// First octave that a pair needs.
const PAIR_FROM_OCTAVE: [usize; PAIR_COUNT] = [0, 0, 0, 2];

/// One value for each variable and octave.
pub(super) type Noise = [[f64; OCTAVE_COUNT]; 2 * PAIR_COUNT];

/// Where a region lies on the map and what sets it apart from the preset's place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    east_km: f64,
    north_km: f64,
    pub(super) warmer_dc: f64,
    /// On the other side of the equator than the preset's place: half a year later.
    pub(super) other_side: bool,
}

impl Place {
    /// The place that a preset was observed at.
    pub(super) fn of_preset() -> Self {
        Self { east_km: 0.0, north_km: 0.0, warmer_dc: 0.0, other_side: false }
    }

    pub(super) fn new(origin: &Region, region: &Region, preset: &Preset) -> Self {
        let degrees = region.longitude - origin.longitude;
        let degrees = degrees - 360.0 * libm::floor((degrees + 180.0) / 360.0);
        let narrowing = libm::cos(origin.latitude * core::f64::consts::PI / 180.0);
        let north = region.latitude.abs() - preset.latitude.abs();
        let latitude_dc = LATITUDE_DC_PER_DEGREE * north;
        let latitude_dc = latitude_dc.clamp(-LATITUDE_DC_MAX, LATITUDE_DC_MAX);
        Self {
            east_km: degrees * KM_PER_DEGREE * narrowing,
            north_km: (region.latitude - origin.latitude) * KM_PER_DEGREE,
            warmer_dc: LAPSE_DC_PER_M * (region.elevation_m - preset.elevation_m) + latitude_dc,
            other_side: region.hemisphere() != Hemisphere::of_latitude(preset.latitude),
        }
    }
}

/// All noises at a place and game hour.
pub(super) fn noise(key: [u32; 2], place: &Place, hour: i64) -> Noise {
    let mut noise = [[0.0; OCTAVE_COUNT]; 2 * PAIR_COUNT];
    #[expect(clippy::needless_range_loop, reason = "the octave also picks its constants")]
    for octave in 0..OCTAVE_COUNT {
        let taps = Taps::new(octave, place, hour as f64);
        for pair in (0..PAIR_COUNT).filter(|p| octave >= PAIR_FROM_OCTAVE[*p]) {
            let [a, b] = taps.sum(key, octave, pair);
            noise[2 * pair][octave] = a;
            noise[2 * pair + 1][octave] = b;
        }
    }
    noise
}

/// The lattice points around a place and time, with weights whose squares sum to 1.
struct Taps {
    corner: [i64; 3],
    east: [f64; 2],
    north: [f64; 2],
    time: [f64; 4],
}

impl Taps {
    fn new(octave: usize, place: &Place, hour: f64) -> Self {
        let drift = EAST_KMH[octave] * hour;
        let x = (place.east_km - drift) / CELL_KM[octave];
        let y = (place.north_km - drift * NORTH_PER_EAST) / CELL_KM[octave];
        let t = hour / TAU_H[octave];
        let floor = [libm::floor(x), libm::floor(y), libm::floor(t)];
        let part = t - floor[2];
        let time = [kernel(part + 1.0), kernel(part), kernel(part - 1.0), kernel(part - 2.0)];
        Self {
            corner: [floor[0] as i64, floor[1] as i64, floor[2] as i64 - 1],
            east: smooth(x - floor[0]),
            north: smooth(y - floor[1]),
            time: unit(time),
        }
    }

    fn sum(&self, key: [u32; 2], octave: usize, pair: usize) -> [f64; 2] {
        // The lattice repeats after 2^32 points: beyond 250,000 years in time.
        let [x, y, k] = self.corner.map(|c| c as u32);
        let stream = (octave as u32) << 8 | pair as u32;
        let mut sum = [0.0; 2];
        for (i, east) in (0u32..).zip(self.east) {
            for (j, north) in (0u32..).zip(self.north) {
                for (l, time) in (0u32..).zip(self.time) {
                    let point = [x.wrapping_add(i), y.wrapping_add(j), k.wrapping_add(l), stream];
                    let [a, b] = normals(philox(point, key));
                    let weight = east * north * time;
                    sum[0] += weight * a;
                    sum[1] += weight * b;
                }
            }
        }
        sum
    }
}

/// (1 - u^2/4)^3 for |u| < 2.
fn kernel(u: f64) -> f64 {
    let rest = (1.0 - u * u / 4.0).max(0.0);
    rest * rest * rest
}

/// Smoothstep weights of the two neighbours, of unit norm.
fn smooth(part: f64) -> [f64; 2] {
    let s = part * part * (3.0 - 2.0 * part);
    unit([1.0 - s, s])
}

fn unit<const N: usize>(weights: [f64; N]) -> [f64; N] {
    let norm = libm::sqrt(weights.iter().map(|w| w * w).sum());
    weights.map(|w| w / norm)
}
