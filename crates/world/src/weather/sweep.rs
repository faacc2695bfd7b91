//! The weather of all regions hour after hour, several times faster than one by one: what
//! neighbours in space and time share is computed once. Equal to the bit to [`Weather`].
//! Not here: overrides, and instants between whole hours.

use super::conditions::Conditions;
use super::field::{self, Column, Corners, Instant, Noise, OCTAVE_COUNT, PLANE_COUNT, Place};
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
    lattices: [Lattice; OCTAVE_COUNT],
}

/// The columns of an octave's lattice that are near the regions. There are never fewer than the
/// regions of an hour need, so within an hour no two of these fall on the same slot.
#[derive(Clone, Debug)]
struct Lattice {
    octave: usize,
    instant: Instant,
    /// Columns in a row are a power of 2, this; and rows.
    shift: u32,
    mask: [usize; 2],
    /// By slot: the column's sum, and what it is made of.
    sums: Vec<Sum>,
    kept: Vec<Kept>,
}

/// A column at an hour.
#[derive(Clone, Debug)]
struct Sum {
    hour: i64,
    values: Column,
}

/// The deviates of a column in the planes that were asked for last, each where its number falls.
#[derive(Clone, Debug, Default)]
struct Kept {
    column: [i64; 2],
    planes: [Option<i64>; PLANE_COUNT],
    deviates: [Column; PLANE_COUNT],
}

/// The hour of a sum that was never made.
const NEVER: i64 = i64::MIN;

impl Weather {
    /// The weather of all regions from an hour on, counted from the world's epoch.
    pub fn sweep(&self, hour: i64) -> Sweep<'_> {
        Sweep {
            weather: self,
            hour,
            moments: self.moments(hour),
            lattices: core::array::from_fn(|octave| Lattice::new(octave, &self.places, hour)),
        }
    }

    /// What the climates say at an hour on either side of the equator.
    fn moments(&self, hour: i64) -> Vec<[(Moment, Curves); 2]> {
        let position = self.calendar.climate_position(GameTime::from_hours(hour));
        let seasons = [false, true].map(|other_side| Season::new(position, other_side));
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
        for lattice in &mut self.lattices {
            lattice.instant = Instant::new(lattice.octave, hour);
        }
    }

    /// The conditions in a region at the beginning of the hour, if nobody forces others.
    ///
    /// # Panics
    /// If the world has no region of this index.
    pub fn conditions(&mut self, region: usize) -> Conditions {
        let (place, climate) = (&self.weather.places[region], self.weather.climate(region));
        let (key, hour) = (self.weather.key, self.hour);
        let noise: Noise = self.lattices.each_mut().map(|lattice| lattice.at(key, place, hour));
        let latent = Latent::new(&noise, climate);
        let of_climate = &self.moments[self.weather.climate_of[region]];
        let (moment, curves) = &of_climate[usize::from(place.other_side)];
        let hour = hour::compute(&latent, moment, curves, &climate.preset, place.warmer_dc);
        let state = self.weather.state_of(&hour, region, self.hour);
        constrain::settle(hour.numbers, state, &climate.preset)
    }
}

impl Lattice {
    fn new(octave: usize, places: &[Place], hour: i64) -> Self {
        let size = Place::extent(places, octave).map(usize::next_power_of_two);
        let count = size[0] * size[1];
        Self {
            octave,
            instant: Instant::new(octave, hour),
            shift: size[0].trailing_zeros(),
            mask: size.map(|size| size - 1),
            sums: vec![Sum { hour: NEVER, values: Column::default() }; count],
            kept: vec![Kept::default(); count],
        }
    }

    fn at(&mut self, key: [u32; 2], place: &Place, hour: i64) -> Column {
        let corners = Corners::new(self.octave, place, &self.instant);
        let [x, y] = corners.first;
        let slots =
            [self.slot(x, y), self.slot(x, y + 1), self.slot(x + 1, y), self.slot(x + 1, y + 1)];
        if slots.iter().any(|slot| self.sums[*slot].hour != hour) {
            self.fill(key, corners.first, hour);
        }
        corners.sum(slots.each_ref().map(|slot| &self.sums[*slot].values))
    }

    fn slot(&self, x: i64, y: i64) -> usize {
        (y as usize & self.mask[1]) << self.shift | (x as usize & self.mask[0])
    }

    #[cold]
    fn fill(&mut self, key: [u32; 2], [x, y]: [i64; 2], hour: i64) {
        for column in [[x, y], [x, y + 1], [x + 1, y], [x + 1, y + 1]] {
            let slot = self.slot(column[0], column[1]);
            if self.sums[slot].hour != hour {
                let values = self.kept[slot].sum(key, self.octave, column, &self.instant);
                self.sums[slot] = Sum { hour, values };
            }
        }
    }
}

impl Kept {
    fn sum(&mut self, key: [u32; 2], octave: usize, column: [i64; 2], instant: &Instant) -> Column {
        if self.column != column {
            *self = Self { column, ..Self::default() };
        }
        let planes = instant.planes();
        for plane in planes {
            let at = plane as usize % PLANE_COUNT;
            if self.planes[at] != Some(plane) {
                self.planes[at] = Some(plane);
                [self.deviates[at]] = field::deviates(key, octave, column, plane);
            }
        }
        instant.sum(&planes.map(|plane| self.deviates[plane as usize % PLANE_COUNT]))
    }
}
