//! The latent field: independent Gaussian noises of unit variance over space and time, each in
//! five octaves that drift with the wind. Not here: what they mean (`hour`).

use super::noise::{normals, philox};
use super::preset::Preset;
use crate::calendar::Hemisphere;
use crate::world_file::Region;

/// Octaves of each noise, from passing to lasting.
pub(super) const OCTAVE_COUNT: usize = 5;
pub(super) const TAU_H: [f64; OCTAVE_COUNT] = [1.5, 6.0, 24.0, 96.0, 480.0];
const CELL_KM: [f64; OCTAVE_COUNT] = [350.0, 400.0, 900.0, 1500.0, 2000.0];
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

/// Four variables share a Philox block.
const BLOCK_COUNT: usize = 2;

pub(super) const VARIABLE_COUNT: usize = 4 * BLOCK_COUNT;

/// Planes of the lattice in time that an hour is made of, and columns that a place is made of.
pub(super) const PLANE_COUNT: usize = 4;
pub(super) const CORNER_COUNT: usize = 4;

/// One value for each variable of an octave.
pub(super) type Column = [f64; VARIABLE_COUNT];
/// One value for each octave and variable.
pub(super) type Noise = [Column; OCTAVE_COUNT];

/// Where a region lies on the map and what sets it apart from the preset's place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// East and north of the map's origin, in cells of each octave.
    cells: [[f64; 2]; OCTAVE_COUNT],
    pub(super) warmer_dc: f64,
    /// On the other side of the equator than the preset's place: half a year later.
    pub(super) other_side: bool,
}

impl Place {
    /// How many columns of an octave's lattice lie between these places and around them, east
    /// and north.
    pub(super) fn extent(places: &[Self], octave: usize) -> [usize; 2] {
        [0, 1].map(|axis| {
            let cells = places.iter().map(|place| place.cells[octave][axis]);
            let least = cells.clone().fold(f64::INFINITY, f64::min);
            let most = cells.fold(f64::NEG_INFINITY, f64::max);
            (most - least) as usize + 3
        })
    }

    /// The place that a preset was observed at.
    pub(super) fn of_preset() -> Self {
        Self { cells: [[0.0; 2]; OCTAVE_COUNT], warmer_dc: 0.0, other_side: false }
    }

    pub(super) fn new(origin: &Region, region: &Region, preset: &Preset) -> Self {
        let degrees = region.longitude - origin.longitude;
        let degrees = degrees - 360.0 * libm::floor((degrees + 180.0) / 360.0);
        let narrowing = libm::cos(origin.latitude * core::f64::consts::PI / 180.0);
        let north = region.latitude.abs() - preset.latitude.abs();
        let latitude_dc = LATITUDE_DC_PER_DEGREE * north;
        let latitude_dc = latitude_dc.clamp(-LATITUDE_DC_MAX, LATITUDE_DC_MAX);
        let east_km = degrees * KM_PER_DEGREE * narrowing;
        let north_km = (region.latitude - origin.latitude) * KM_PER_DEGREE;
        Self {
            cells: CELL_KM.map(|cell_km| [east_km / cell_km, north_km / cell_km]),
            warmer_dc: LAPSE_DC_PER_M * (region.elevation_m - preset.elevation_m) + latitude_dc,
            other_side: region.hemisphere() != Hemisphere::of_latitude(preset.latitude),
        }
    }
}

/// All noises at a place and game hour.
pub(super) fn noise(key: [u32; 2], place: &Place, hour: i64) -> Noise {
    core::array::from_fn(|octave| {
        let instant = Instant::new(octave, hour);
        let corners = Corners::new(octave, place, &instant);
        let [x, y] = corners.first;
        let column = |x, y| instant.sum(&deviates(key, octave, [x, y], instant.first));
        let columns = [column(x, y), column(x, y + 1), column(x + 1, y), column(x + 1, y + 1)];
        corners.sum(columns.each_ref())
    })
}

/// The deviates of all variables at points of a column of an octave's lattice, east and north,
/// from a plane on. The lattice repeats after 2^32 points: beyond 250,000 years in time.
pub(super) fn deviates<const N: usize>(
    key: [u32; 2],
    octave: usize,
    column: [i64; 2],
    plane: i64,
) -> [Column; N] {
    let [x, y] = column.map(|c| c as u32);
    let planes: [u32; N] = core::array::from_fn(|n| (plane + n as i64) as u32);
    let mut deviates = [Column::default(); N];
    for block in 0..BLOCK_COUNT {
        let stream = (octave as u32) << 8 | block as u32;
        let [a, b, c, d] = philox([[x; N], [y; N], planes, [stream; N]], key);
        for (n, deviates) in deviates.iter_mut().enumerate() {
            deviates[4 * block..][..4].copy_from_slice(&normals([a[n], b[n], c[n], d[n]]));
        }
    }
    deviates
}

/// An hour as an octave sees it: how far the field has drifted, and the planes of the lattice
/// about it with weights whose squares sum to 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instant {
    east: f64,
    north: f64,
    first: i64,
    weights: [f64; PLANE_COUNT],
}

impl Instant {
    pub(super) fn new(octave: usize, hour: i64) -> Self {
        let hour = hour as f64;
        let drift = EAST_KMH[octave] * hour;
        let (plane, part) = split(hour / TAU_H[octave]);
        let time = [kernel(part + 1.0), kernel(part), kernel(part - 1.0), kernel(part - 2.0)];
        let norm = libm::sqrt(time.iter().map(|w| w * w).sum());
        Self {
            east: drift / CELL_KM[octave],
            north: drift * NORTH_PER_EAST / CELL_KM[octave],
            first: plane - 1,
            weights: time.map(|w| w / norm),
        }
    }

    pub(super) fn planes(&self) -> [i64; PLANE_COUNT] {
        core::array::from_fn(|l| self.first + l as i64)
    }

    /// A column of the lattice at this hour, from its deviates in [`Self::planes`].
    pub(super) fn sum(&self, planes: &[Column; PLANE_COUNT]) -> Column {
        let mut sum = [0.0; VARIABLE_COUNT];
        for (weight, plane) in self.weights.iter().zip(planes) {
            for (sum, deviate) in sum.iter_mut().zip(plane) {
                *sum += weight * deviate;
            }
        }
        sum
    }
}

/// The four columns of an octave's lattice around a place, with weights whose squares sum to 1.
pub(super) struct Corners {
    /// The south-western one: east and north.
    pub(super) first: [i64; 2],
    /// Of it, of the one to its north, and of these two's neighbours to the east.
    weights: [f64; CORNER_COUNT],
}

impl Corners {
    pub(super) fn new(octave: usize, place: &Place, instant: &Instant) -> Self {
        let [east, north] = place.cells[octave];
        let (x, east) = split(east - instant.east);
        let (y, north) = split(north - instant.north);
        let ([e0, e1], [n0, n1]) = (smooth(east), smooth(north));
        let norm = 1.0 / libm::sqrt((e0 * e0 + e1 * e1) * (n0 * n0 + n1 * n1));
        let (e0, e1) = (e0 * norm, e1 * norm);
        Self { first: [x, y], weights: [e0 * n0, e0 * n1, e1 * n0, e1 * n1] }
    }

    pub(super) fn sum(&self, columns: [&Column; CORNER_COUNT]) -> Column {
        let ([a, b, c, d], [w, x, y, z]) = (columns, self.weights);
        let mut sum = Column::default();
        for (v, sum) in sum.iter_mut().enumerate() {
            *sum = (a[v] * w + b[v] * x) + (c[v] * y + d[v] * z);
        }
        sum
    }
}

/// The whole number at or below, and the rest; for numbers up to 2^51.
pub(super) fn split(value: f64) -> (i64, f64) {
    // Added to this, a number is rounded to a whole one, which the low bits then hold.
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    let shifted = value + SHIFT;
    let near = shifted - SHIFT;
    let above = near > value;
    let whole = shifted.to_bits() as i64 - SHIFT.to_bits() as i64 - i64::from(above);
    (whole, value - (near - if above { 1.0 } else { 0.0 }))
}

/// (1 - u^2/4)^3 for |u| < 2.
fn kernel(u: f64) -> f64 {
    let rest = (1.0 - u * u / 4.0).max(0.0);
    rest * rest * rest
}

/// Smoothstep weights of the two neighbours.
fn smooth(part: f64) -> [f64; 2] {
    let s = part * part * (3.0 - 2.0 * part);
    [1.0 - s, s]
}
