//! The weather of all regions hour after hour, many times faster than one by one: what
//! neighbours in space and time share is computed once. Equal to the bit to [`Weather`].
//! Not here: overrides, and instants between whole hours.

use super::field::{self, CORNER_COUNT, Column, Corners, Instant, PLANE_COUNT, Place, Time};
use super::hour;
use super::mix::Mix;
use super::moment::{Curves, Moment};
use crate::preset::{OCTAVE_COUNT, Season, Shift};
use crate::time::GameTime;
use crate::weather::conditions::Conditions;
use crate::weather::{Weather, constrain};

/// Goes over the hours of a world, one at a time; cheapest from each to the next.
///
/// It keeps the part of the field that the regions of an hour need: some kilobytes for each region,
/// at most 5 MB for regions all over a globe and 3 MB more for each of their climates.
#[derive(Clone, Debug)]
pub struct Sweep<'w> {
    weather: &'w Weather,
    hour: i64,
    instant: Instant,
    lattices: [Lattice; OCTAVE_COUNT],
    scenes: Vec<Scene>,
    /// Which of these a region has.
    scene_of: Vec<usize>,
}

/// What the regions of a climate share whose seasons and hours are the same.
#[derive(Clone, Debug)]
struct Scene {
    climate: usize,
    shift: Shift,
    now: Now,
    /// Of each octave's lattice those that its regions need.
    cells: [Cells; OCTAVE_COUNT],
}

/// The cells of an octave's lattice that are near the regions of a scene.
#[derive(Clone, Debug)]
struct Cells {
    grid: Grid,
    kept: Vec<Cell>,
}

/// What a climate gives at an hour.
#[derive(Clone, Debug)]
struct Now {
    moment: Moment,
    curves: Curves,
    mix: Mix,
}

/// Four columns of a lattice, mixed, as all places between them need them; in the order of
/// [`Corners`].
#[derive(Clone, Debug, Default)]
struct Cell {
    visit: u64,
    columns: [Column; CORNER_COUNT],
}

/// The columns of an octave's lattice that are near the regions. There are never fewer than the
/// regions of an hour need, so within an hour no two of these fall on the same slot.
#[derive(Clone, Debug)]
struct Lattice {
    octave: usize,
    time: Time,
    /// Counts the hours that it went to: what was made on another visit is stale.
    visit: u64,
    grid: Grid,
    kept: Vec<Kept>,
}

/// Where columns of a lattice are kept that lie near some places: each on a slot of its own within
/// an hour, however the lattice drifts.
#[derive(Clone, Copy, Debug)]
struct Grid {
    /// Columns in a row are a power of 2, this; and rows.
    shift: u32,
    mask: [usize; 2],
}

/// A column: its noises at the hour of a visit, and the deviates that they are the sums of, in
/// the planes that were asked for last, each where its number falls.
#[derive(Clone, Debug, Default)]
struct Kept {
    column: [i64; 2],
    visit: u64,
    noises: Column,
    planes: [Option<i64>; PLANE_COUNT],
    deviates: [Column; PLANE_COUNT],
}

impl Weather {
    /// The weather of all regions from an hour on, counted from the world's epoch.
    pub fn sweep(&self, hour: i64) -> Sweep<'_> {
        let instant = Instant::new(hour);
        let lattices = core::array::from_fn(|octave| {
            Lattice::new(octave, &self.places, instant.times[octave])
        });
        let kinds = self.climate_of.iter().zip(&self.places).map(|(of, p)| (*of, p.shift));
        let mut of_scenes: Vec<(usize, Shift)> = kinds.clone().collect();
        of_scenes.sort_unstable();
        of_scenes.dedup();
        let scene = |kind: (usize, Shift)| {
            let (climate, shift) = kind;
            let of_kind = kinds.clone().zip(&self.places).filter(move |(of, _)| *of == kind);
            let places = of_kind.map(|(_, place)| place);
            Scene {
                climate,
                shift,
                now: self.now(climate, shift, hour),
                cells: core::array::from_fn(|octave| Cells::new(octave, places.clone())),
            }
        };
        let scene_of =
            kinds.clone().map(|kind| of_scenes.partition_point(|of| *of < kind)).collect();
        let scenes = of_scenes.iter().copied().map(scene).collect();
        Sweep { weather: self, hour, instant, lattices, scenes, scene_of }
    }

    /// What a climate gives at an hour, by its seasons and hours at a place.
    fn now(&self, climate: usize, shift: Shift, hour: i64) -> Now {
        let climate = &self.climates[climate];
        let preset = &climate.preset;
        let position = self.calendar.climate_position(GameTime::from_hours(hour));
        let season = Season::new(position, shift);
        let moment = Moment::new(preset, &season);
        let mix = Mix::new(climate, moment.temperature);
        Now { moment, curves: Curves::new(preset, &season), mix }
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
        self.instant = Instant::new(hour);
        for (lattice, time) in self.lattices.iter_mut().zip(self.instant.times) {
            lattice.go_to(time);
        }
        for scene in &mut self.scenes {
            scene.now = self.weather.now(scene.climate, scene.shift, hour);
        }
    }

    /// The conditions in a region at the beginning of the hour, if no others are forced.
    ///
    /// # Panics
    /// If the world has no region of this index.
    pub fn conditions(&mut self, region: usize) -> Conditions {
        let scene = &mut self.scenes[self.scene_of[region]];
        let place = &self.weather.places[region];
        let corners = Corners::new(place, &self.instant);
        let Now { moment, curves, mix } = &scene.now;
        let latent = Mix::sum(|octave| {
            let (lattice, first) = (&mut self.lattices[octave], corners.first(octave));
            let cell = scene.cells[octave].at(first);
            if cell.visit != lattice.visit {
                lattice.fill(cell, first, self.weather.key, mix);
            }
            corners.sum(octave, &cell.columns)
        });
        let preset = &self.weather.climates[scene.climate].preset;
        let hour = hour::compute(&latent, moment, curves, preset, place.warmer_c);
        let state = self.weather.state_of(&hour, region, self.hour);
        constrain::as_named(&hour.numbers, state, preset)
    }
}

impl Grid {
    fn new<'p>(octave: usize, places: impl Iterator<Item = &'p Place> + Clone) -> Self {
        let size = Place::extent(places, octave).map(usize::next_power_of_two);
        Self { shift: size[0].trailing_zeros(), mask: size.map(|size| size - 1) }
    }

    fn slot_count(&self) -> usize {
        (self.mask[0] + 1) * (self.mask[1] + 1)
    }

    #[inline]
    fn slot(&self, [x, y]: [i64; 2]) -> usize {
        (y as usize & self.mask[1]) << self.shift | (x as usize & self.mask[0])
    }
}

impl Cells {
    fn new<'p>(octave: usize, places: impl Iterator<Item = &'p Place> + Clone) -> Self {
        let grid = Grid::new(octave, places);
        Self { grid, kept: vec![Cell::default(); grid.slot_count()] }
    }

    /// That of a south-western column.
    #[inline]
    fn at(&mut self, first: [i64; 2]) -> &mut Cell {
        &mut self.kept[self.grid.slot(first)]
    }
}

impl Lattice {
    fn new(octave: usize, places: &[Place], time: Time) -> Self {
        let grid = Grid::new(octave, places.iter());
        Self { octave, time, visit: 1, grid, kept: vec![Kept::default(); grid.slot_count()] }
    }

    fn go_to(&mut self, time: Time) {
        self.time = time;
        self.visit += 1;
    }

    #[cold]
    #[inline(never)]
    fn fill(&mut self, cell: &mut Cell, first: [i64; 2], key: [u32; 2], mix: &Mix) {
        let columns = field::around(first).map(|column| self.noises(column, key));
        cell.columns = columns.map(|noises| mix.column(self.octave, &noises));
        cell.visit = self.visit;
    }

    /// The noises of a column.
    fn noises(&mut self, column: [i64; 2], key: [u32; 2]) -> Column {
        let slot = self.grid.slot(column);
        let kept = &mut self.kept[slot];
        if kept.visit != self.visit {
            kept.go_to(key, self.octave, column, &self.time);
            kept.visit = self.visit;
        }
        kept.noises
    }
}

impl Kept {
    fn go_to(&mut self, key: [u32; 2], octave: usize, column: [i64; 2], time: &Time) {
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
        self.noises = time.sum(&planes.map(|plane| self.deviates[plane as usize % PLANE_COUNT]));
    }
}
