//! The latent field: independent Gaussian noises of unit variance over space and time, each in
//! five octaves that drift with the wind. Not here: what they mean (`hour`).

use super::noise::{BYTE_SUM_SD, byte_sums, philox};
use crate::calendar::Hemisphere;
use crate::model::Region;
use crate::preset::{OCTAVE_COUNT, Preset, Shift};
use crate::sun::SunRules;
use crate::whole::split;

pub(in super::super) const TAU_H: [f64; OCTAVE_COUNT] = [1.5, 6.0, 24.0, 96.0, 480.0];
const CELL_KM: [f64; OCTAVE_COUNT] = [350.0, 400.0, 900.0, 1500.0, 2000.0];
/// Weather travels, the lasting kind slowly: a third of a cell in its own time.
const EAST_KMH: [f64; OCTAVE_COUNT] = [25.0, 20.0, 12.0, 5.0, 1.4];
const NORTH_PER_EAST: f64 = 0.25;

const KM_PER_DEGREE: f64 = 111.195;
const LAPSE_DC_PER_M: f64 = -0.065;
/// Mean warming towards the equator in Europe, a prior; at most [`LATITUDE_DC_MAX`] in all.
const LATITUDE_DC_PER_DEGREE: f64 = -6.0;
const LATITUDE_DC_MAX: f64 = 120.0;

/// Ranks of the independent noises; `mix` names them all.
pub(in super::super) const PRECIPITATION: usize = 0;
pub(in super::super) const WIND: usize = 3;
pub(in super::super) const CONVECTION: usize = 5;
pub(in super::super) const DIRECTION: usize = 6;
pub(in super::super) const PRESSURE: usize = 7;

/// Four variables share a Philox block.
const BLOCK_COUNT: usize = 2;

pub(in super::super) const VARIABLE_COUNT: usize = 4 * BLOCK_COUNT;

/// Planes of the lattice in time that an hour is made of, and columns that a place is made of.
pub(in super::super) const PLANE_COUNT: usize = 4;
pub(in super::super) const CORNER_COUNT: usize = 4;

/// One value for each variable of an octave. Single precision loses far less than any figure of a
/// climate, and the machine computes four at a time.
pub(in super::super) type Column = [f32; VARIABLE_COUNT];
/// One value for each octave and variable.
pub(in super::super) type Noise = [Column; OCTAVE_COUNT];

const AXIS_COUNT: usize = 2;
/// The octaves and one more that is nothing, since the machine computes two at a time.
const LANE_COUNT: usize = OCTAVE_COUNT.next_multiple_of(2);
const NORTH: usize = LANE_COUNT;

/// East and north in cells of each octave: first all octaves' east, then from [`NORTH`] on all
/// their north. What is computed of them is computed in one go.
type Cells<T = f64> = [T; AXIS_COUNT * LANE_COUNT];

/// Where a region lies on the map and what sets it apart from the preset's place.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Place {
    /// From the map's origin.
    cells: Cells,
    pub(in super::super) warmer_c: f64,
    /// How its seasons and its sun lie to those of the preset's place.
    pub(in super::super) shift: Shift,
}

impl Place {
    /// At most so many columns of an octave's lattice lie between some places and around them,
    /// east and north: one on either side, one for the rest of a cell, one for rounding.
    pub(in super::super) fn extent<'p>(
        places: impl Iterator<Item = &'p Self> + Clone,
        octave: usize,
    ) -> [usize; AXIS_COUNT] {
        [octave, NORTH + octave].map(|at| {
            let cells = places.clone().map(|place| place.cells[at]);
            let least = cells.clone().fold(f64::INFINITY, f64::min);
            let most = cells.fold(f64::NEG_INFINITY, f64::max);
            (most - least) as usize + 4
        })
    }

    /// The place that a preset was observed at.
    pub(in super::super) fn of_preset() -> Self {
        Self { cells: Cells::default(), warmer_c: 0.0, shift: Shift::default() }
    }

    /// A region as seen from the map's origin; `sun` states whether its longitude moves its noon.
    pub(in super::super) fn new(
        origin: &Region,
        region: &Region,
        preset: &Preset,
        sun: &SunRules,
    ) -> Self {
        let other_side = region.hemisphere() != Hemisphere::of_latitude(preset.latitude);
        let ahead_deg = if sun.by_longitude { region.longitude } else { 0.0 };
        let degrees = region.longitude - origin.longitude;
        let degrees = degrees - 360.0 * libm::floor((degrees + 180.0) / 360.0);
        let narrowing = libm::cos(origin.latitude * core::f64::consts::PI / 180.0);
        let north = region.latitude.abs() - preset.latitude.abs();
        let latitude_dc = LATITUDE_DC_PER_DEGREE * north;
        let latitude_dc = latitude_dc.clamp(-LATITUDE_DC_MAX, LATITUDE_DC_MAX);
        let east_km = degrees * KM_PER_DEGREE * narrowing;
        let north_km = (region.latitude - origin.latitude) * KM_PER_DEGREE;
        Self {
            cells: in_cells(|octave| [east_km / CELL_KM[octave], north_km / CELL_KM[octave]]),
            warmer_c: (LAPSE_DC_PER_M * (region.elevation_m - preset.elevation_m) + latitude_dc)
                / 10.0,
            shift: Shift::new(other_side, ahead_deg),
        }
    }
}

fn in_cells(of_octave: impl Fn(usize) -> [f64; AXIS_COUNT]) -> Cells {
    let mut cells = Cells::default();
    for octave in 0..OCTAVE_COUNT {
        [cells[octave], cells[NORTH + octave]] = of_octave(octave);
    }
    cells
}

/// All noises at a place and game hour.
pub(in super::super) fn noise(key: [u32; 2], place: &Place, hour: i64) -> Noise {
    let look = Look::new(key, place, hour);
    core::array::from_fn(|octave| look.sum(octave, |noises| *noises))
}

/// A single look at the field, at a place and game hour.
pub(in super::super) struct Look {
    key: [u32; 2],
    instant: Instant,
    corners: Corners,
}

impl Look {
    pub(in super::super) fn new(key: [u32; 2], place: &Place, hour: i64) -> Self {
        let instant = Instant::new(hour);
        Self { key, instant, corners: Corners::new(place, &instant) }
    }

    /// What is made of an octave's noises at the corners, summed.
    pub(in super::super) fn sum(&self, octave: usize, made: impl Fn(&Column) -> Column) -> Column {
        let time = &self.instant.times[octave];
        let column = |column| made(&time.sum(&deviates(self.key, octave, column, time.first)));
        self.corners.sum(octave, &around(self.corners.first(octave)).map(column))
    }
}

/// The deviates of all variables at points of a column of an octave's lattice, east and north,
/// from a plane on. The lattice repeats after 2^32 points: beyond 250,000 years in time.
#[inline]
pub(in super::super) fn deviates<const N: usize>(
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
            deviates[4 * block..][..4].copy_from_slice(&byte_sums([a[n], b[n], c[n], d[n]]));
        }
    }
    deviates
}

/// An hour as the octaves see it.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Instant {
    /// How far the field has drifted.
    drift: Cells,
    pub(in super::super) times: [Time; OCTAVE_COUNT],
}

impl Instant {
    pub(in super::super) fn new(hour: i64) -> Self {
        let hour = hour as f64;
        let drift = |octave: usize| {
            let drift = EAST_KMH[octave] * hour;
            [drift / CELL_KM[octave], drift * NORTH_PER_EAST / CELL_KM[octave]]
        };
        let times = TAU_H.map(|tau_h| Time::new(hour / tau_h));
        Self { drift: in_cells(drift), times }
    }
}

/// The planes of an octave's lattice about an hour, with weights that bring the deviates to a
/// variance of 1.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Time {
    first: i64,
    weights: [f32; PLANE_COUNT],
}

impl Time {
    fn new(planes: f64) -> Self {
        let (plane, part) = split(planes);
        let time = [kernel(part + 1.0), kernel(part), kernel(part - 1.0), kernel(part - 2.0)];
        let norm = time.iter().map(|w| w * w).sum::<f64>().sqrt();
        Self { first: plane - 1, weights: time.map(|w| (w / (norm * BYTE_SUM_SD)) as f32) }
    }

    pub(in super::super) fn planes(&self) -> [i64; PLANE_COUNT] {
        core::array::from_fn(|l| self.first + l as i64)
    }

    /// A column of the lattice at this hour, from its deviates in [`Self::planes`].
    pub(in super::super) fn sum(&self, planes: &[Column; PLANE_COUNT]) -> Column {
        let mut sum = Column::default();
        for (weight, plane) in self.weights.iter().zip(planes) {
            for (sum, deviate) in sum.iter_mut().zip(plane) {
                *sum += weight * deviate;
            }
        }
        sum
    }
}

/// The four columns of each octave's lattice around a place, with weights whose squares sum to 1.
pub(in super::super) struct Corners {
    /// The south-western ones: east and north as in [`Cells`].
    firsts: Cells<i64>,
    /// Of it, of the one to its north, and of these two's neighbours to the east.
    weights: [[f32; LANE_COUNT]; CORNER_COUNT],
}

impl Corners {
    pub(in super::super) fn new(place: &Place, instant: &Instant) -> Self {
        let (firsts, parts) = split_all(&place.cells, &instant.drift);
        let (near, far) = smooth(&parts);
        let mut weights = [[0.0; LANE_COUNT]; CORNER_COUNT];
        for octave in 0..LANE_COUNT {
            let (e0, e1) = (near[octave], far[octave]);
            let (n0, n1) = (near[NORTH + octave], far[NORTH + octave]);
            let norm = 1.0 / ((e0 * e0 + e1 * e1) * (n0 * n0 + n1 * n1)).sqrt();
            let (e0, e1) = (e0 * norm, e1 * norm);
            weights[0][octave] = e0 * n0;
            weights[1][octave] = e0 * n1;
            weights[2][octave] = e1 * n0;
            weights[3][octave] = e1 * n1;
        }
        Self { firsts, weights }
    }

    /// The south-western column: east and north.
    #[inline]
    pub(in super::super) fn first(&self, octave: usize) -> [i64; AXIS_COUNT] {
        [self.firsts[octave], self.firsts[NORTH + octave]]
    }

    #[inline]
    pub(in super::super) fn sum(&self, octave: usize, columns: &[Column; CORNER_COUNT]) -> Column {
        let ([a, b, c, d], [w, x, y, z]) = (columns, self.weights.each_ref().map(|w| w[octave]));
        let mut sum = Column::default();
        for (v, sum) in sum.iter_mut().enumerate() {
            *sum = (a[v] * w + b[v] * x) + (c[v] * y + d[v] * z);
        }
        sum
    }
}

/// A column and its three neighbours in the order of [`Corners`].
pub(in super::super) fn around([x, y]: [i64; 2]) -> [[i64; 2]; CORNER_COUNT] {
    [[x, y], [x, y + 1], [x + 1, y], [x + 1, y + 1]]
}

/// The whole numbers at or below where drifting cells are, and the rests.
fn split_all(cells: &Cells, drift: &Cells) -> (Cells<i64>, Cells<f32>) {
    let (mut wholes, mut parts) = (Cells::default(), Cells::default());
    for at in 0..cells.len() {
        let (whole, part) = split(cells[at] - drift[at]);
        (wholes[at], parts[at]) = (whole, part as f32);
    }
    (wholes, parts)
}

/// (1 - u^2/4)^3 for |u| < 2.
fn kernel(u: f64) -> f64 {
    let rest = (1.0 - u * u / 4.0).max(0.0);
    rest * rest * rest
}

/// Smoothstep weights of the two neighbours.
fn smooth(parts: &Cells<f32>) -> (Cells<f32>, Cells<f32>) {
    let far = parts.map(|part| part * part * (3.0 - 2.0 * part));
    (far.map(|far| 1.0 - far), far)
}
