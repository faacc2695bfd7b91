//! The weather of all regions hour after hour, several times faster than one by one: what
//! neighbours in space and time share is computed once. Equal to the bit to [`Weather`].
//! Not here: overrides, and instants between whole hours.

use super::conditions::Conditions;
use super::field::{
    self, Bounds, CORNER_COUNT, Column, Corners, Instant, Noise, OCTAVE_COUNT, PLANE_COUNT, Time,
};
use super::hour::{self, Latent};
use super::preset::{Curves, Moment, Season};
use super::{Climate, Weather, constrain};
use crate::time::GameTime;

/// Goes over the hours of a world, one at a time; cheapest from each to the next.
///
/// It keeps the part of the field that the regions of an hour need: some hundred bytes for each
/// region, at most 50 MB for regions all over a globe.
#[derive(Clone, Debug)]
pub struct Sweep<'w> {
    weather: &'w Weather,
    hour: i64,
    /// By climate: of the places on its side of the equator, and of the others.
    moments: Vec<[(Moment, Curves); 2]>,
    instant: Instant,
    bounds: Bounds,
    lattices: [Lattice; OCTAVE_COUNT],
}

/// The columns of an octave's lattice that are near the regions.
#[derive(Clone, Debug)]
struct Lattice {
    octave: usize,
    /// The south-western column of the hour's, and how many there are east and north of it.
    first: [i64; 2],
    size: [usize; 2],
    /// Counts the visits of hours: what was made in another one is stale.
    visit: u64,
    /// By column, row after row from the first on.
    sums: Vec<Sum>,
    /// When a column and its three neighbours to the north and east had been summed.
    complete: Vec<u64>,
    /// Where a column falls in a ring of powers of 2 each way, so that those that the next hour
    /// needs again are where they were.
    kept: Vec<Kept>,
    ring: [usize; 2],
}

/// A column at the hour of a visit.
#[derive(Clone, Debug, Default)]
struct Sum {
    visit: u64,
    values: Column,
}

/// The deviates of a column in the planes that were asked for last, each where its number falls.
#[derive(Clone, Debug, Default)]
struct Kept {
    column: [i64; 2],
    planes: [Option<i64>; PLANE_COUNT],
    deviates: [Column; PLANE_COUNT],
}

impl Weather {
    /// The weather of all regions from an hour on, counted from the world's epoch.
    pub fn sweep(&self, hour: i64) -> Sweep<'_> {
        let bounds = Bounds::of(&self.places);
        let mut sweep = Sweep {
            weather: self,
            hour,
            moments: Vec::new(),
            instant: Instant::new(hour),
            bounds,
            lattices: core::array::from_fn(|octave| Lattice::new(octave, bounds.extent(octave))),
        };
        sweep.go_to(hour);
        sweep
    }

    /// What the climates say at an hour on either side of the equator.
    fn moments(&self, hour: i64) -> Vec<[(Moment, Curves); 2]> {
        let date = self.calendar.at(GameTime::from_hours(hour));
        let position = self.calendar.month_position(&date);
        let seasons = [false, true].map(|other_side| Season::new(&date, position, other_side));
        let of = |climate: &Climate| {
            let preset = &climate.preset;
            seasons.map(|season| (Moment::new(preset, &season), Curves::new(preset, &season)))
        };
        self.climates.iter().map(of).collect()
    }
}

impl Sweep<'_> {
    /// The hour it stands at.
    pub fn hour(&self) -> i64 {
        self.hour
    }

    /// Goes to an hour.
    pub fn go_to(&mut self, hour: i64) {
        self.hour = hour;
        self.moments = self.weather.moments(hour);
        self.instant = Instant::new(hour);
        let firsts = self.bounds.first(&self.instant);
        for (lattice, first) in self.lattices.iter_mut().zip(firsts) {
            lattice.first = first;
            lattice.visit += 1;
        }
    }

    /// The conditions in a region at the beginning of the hour, if nobody forces others.
    ///
    /// # Panics
    /// If the world has no region of this index.
    pub fn conditions(&mut self, region: usize) -> Conditions {
        let (place, climate) = (&self.weather.places[region], self.weather.climate(region));
        let corners = Corners::new(place, &self.instant);
        let mut noise = Noise::default();
        for ((octave, noise), lattice) in noise.iter_mut().enumerate().zip(&mut self.lattices) {
            let time = &self.instant.times[octave];
            let columns = lattice.around(self.weather.key, corners.first(octave), time);
            *noise = corners.sum(octave, columns);
        }
        let latent = Latent::new(&noise, climate);
        let of_climate = &self.moments[self.weather.climate_of[region]];
        let (moment, curves) = &of_climate[usize::from(place.other_side)];
        let hour = hour::compute(&latent, moment, curves, &climate.preset, place.warmer_dc);
        let state = self.weather.state_of(&hour, region, self.hour);
        constrain::settle(hour.numbers, state, &climate.preset)
    }
}

impl Lattice {
    fn new(octave: usize, size: [usize; 2]) -> Self {
        let ring = size.map(usize::next_power_of_two);
        Self {
            octave,
            first: [0; 2],
            size,
            visit: 0,
            sums: vec![Sum::default(); size[0] * size[1]],
            complete: vec![0; size[0] * size[1]],
            kept: vec![Kept::default(); ring[0] * ring[1]],
            ring,
        }
    }

    /// A column and its three neighbours to the north and east, in the order of [`Corners`].
    fn around(&mut self, key: [u32; 2], column: [i64; 2], time: &Time) -> [&Column; CORNER_COUNT] {
        let slot = self.slot(column);
        if self.complete[slot] != self.visit {
            self.fill(key, column, time);
        }
        let south = &self.sums[slot..][..2];
        let north = &self.sums[slot + self.size[0]..][..2];
        [&south[0].values, &north[0].values, &south[1].values, &north[1].values]
    }

    fn slot(&self, [x, y]: [i64; 2]) -> usize {
        let (east, north) = (x - self.first[0], y - self.first[1]);
        north as usize * self.size[0] + east as usize
    }

    #[cold]
    fn fill(&mut self, key: [u32; 2], [x, y]: [i64; 2], time: &Time) {
        for column in [[x, y], [x, y + 1], [x + 1, y], [x + 1, y + 1]] {
            let slot = self.slot(column);
            if self.sums[slot].visit != self.visit {
                let kept = self.kept_slot(column);
                let values = self.kept[kept].sum(key, self.octave, column, time);
                self.sums[slot] = Sum { visit: self.visit, values };
            }
        }
        let slot = self.slot([x, y]);
        self.complete[slot] = self.visit;
    }

    fn kept_slot(&self, [x, y]: [i64; 2]) -> usize {
        (y as usize & (self.ring[1] - 1)) * self.ring[0] + (x as usize & (self.ring[0] - 1))
    }
}

impl Kept {
    fn sum(&mut self, key: [u32; 2], octave: usize, column: [i64; 2], time: &Time) -> Column {
        if self.column != column {
            *self = Self { column, ..Self::default() };
        }
        let planes = time.planes();
        for plane in planes {
            let at = plane as usize % PLANE_COUNT;
            if self.planes[at] != Some(plane) {
                self.planes[at] = Some(plane);
                [self.deviates[at]] = field::deviates(key, octave, column, plane);
            }
        }
        time.sum(&planes.map(|plane| self.deviates[plane as usize % PLANE_COUNT]))
    }
}
