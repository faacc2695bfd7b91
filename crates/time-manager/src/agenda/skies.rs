//! The regions of a world whose phases of the day follow the sun, and when the next phase begins
//! in one. A pure function: what is kept would come out the same again. Not here: where the sun is
//! (`worldbus-world`), what is published of it (`phases`).

use std::iter::successors;
use std::sync::{Arc, Mutex, PoisonError};

use worldbus_world::{Daylight, GameTime, Phase, PhasePolicy, Region, Sun, SunDay, World};

/// The region that stands for the world.
const FIRST: usize = 0;

/// The regions under their sun.
#[derive(Debug)]
pub(super) struct Skies {
    sun: Sun,
    regions: Vec<Region>,
    day_us: i64,
    /// Of each region the phase that was asked for last: the next question is mostly about it too.
    known: Mutex<Vec<Stretch>>,
}

/// A phase of the day of a region.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    phase: Phase,
    /// It is known to last from here until there.
    from: GameTime,
    until: GameTime,
    /// Whether another phase begins there: none does in the polar night of a world without seasons.
    ends: bool,
}

/// The sun of a day in the world's first region, as events have it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DayOfSun {
    pub(super) sunrise_game_us: Option<i64>,
    pub(super) sunset_game_us: Option<i64>,
    pub(super) length_s: Option<u32>,
}

impl Skies {
    /// None in a world whose phases follow the clock.
    pub(super) fn of(world: &World) -> Option<Arc<Self>> {
        if world.sun.phases == PhasePolicy::Fixed {
            return None;
        }
        let unknown =
            Stretch { phase: Phase::Night, from: GameTime(0), until: GameTime(0), ends: false };
        Some(Arc::new(Self {
            sun: world.sun(),
            regions: world.regions.clone(),
            day_us: world.calendar().day_us(),
            known: Mutex::new(vec![unknown; world.regions.len()]),
        }))
    }

    pub(super) fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// The phase of the day in a region.
    pub(super) fn phase(&self, region: usize, game: GameTime) -> Phase {
        self.stretch(region, game).phase
    }

    /// The phase of the day in the world's first region.
    pub(super) fn first_phase(&self, game: GameTime) -> Phase {
        self.phase(FIRST, game)
    }

    /// Where a phase begins in a region after an instant, and before another.
    pub(super) fn turns(
        &self,
        region: usize,
        after: GameTime,
        end: GameTime,
    ) -> impl Iterator<Item = GameTime> {
        let next = move |after: &GameTime| {
            let stretch = self.stretch(region, *after);
            stretch.ends.then_some(stretch.until)
        };
        successors(next(&after), next).take_while(move |game| *game < end)
    }

    /// Whether a phase begins in a region at an instant.
    pub(super) fn turn_at(&self, game: GameTime) -> bool {
        let before = game.plus_us(-1);
        (0..self.regions.len()).any(|region| self.phase(region, before) != self.phase(region, game))
    }

    /// Hundredths of a degree of the sun above a region's horizon.
    pub(super) fn altitude_centidegrees(&self, region: usize, game: GameTime) -> i32 {
        let Region { latitude, longitude, .. } = self.regions[region];
        self.sun.altitude_centidegrees(game, latitude, longitude)
    }

    /// How light it is in the world's first region.
    pub(super) fn light_permille(&self, game: GameTime) -> u32 {
        let Region { latitude, longitude, .. } = self.regions[FIRST];
        self.sun.light_permille(game, latitude, longitude)
    }

    /// A day's sun in the world's first region, by the day's number in the calendar.
    pub(super) fn day(&self, number: i64) -> DayOfSun {
        let Region { latitude, longitude, .. } = self.regions[FIRST];
        let day = self.sun.day(number, latitude, longitude);
        let Some(SunDay { daylight, .. }) = day else { return DayOfSun::default() };
        let length_s = daylight.length_us(self.day_us) / GameTime::SECOND_US;
        let (sunrise_game_us, sunset_game_us) = match daylight {
            Daylight::Between { from, until } => (Some(from.0), Some(until.0)),
            Daylight::Always | Daylight::Never => (None, None),
        };
        DayOfSun { sunrise_game_us, sunset_game_us, length_s: u32::try_from(length_s).ok() }
    }

    fn stretch(&self, region: usize, game: GameTime) -> Stretch {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let stretch = &mut known[region];
        if !(stretch.from..stretch.until).contains(&game) {
            let Region { latitude, longitude, .. } = self.regions[region];
            let next = self.sun.next_phase(game, latitude, longitude).map(|(game, _)| game);
            // Phases begin at whole minutes.
            let from = GameTime::from_minutes(game.minutes());
            *stretch = Stretch {
                phase: self.sun.phase(game, latitude, longitude),
                from,
                until: next.unwrap_or(game.plus_us(self.day_us)),
                ends: next.is_some(),
            };
        }
        *stretch
    }
}
