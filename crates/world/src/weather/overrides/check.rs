//! Which overrides are taken: bounds of every field. Not here: whether regions exist, which the
//! world's file knows.

use core::ops::RangeInclusive;

use super::super::WeatherState;
use super::kind::{Cell, Waypoint};
use super::{Kind, Lift, Override, bounds};
use crate::time::GameTime;

/// Overrides that a world may have at a time.
pub const OVERRIDE_COUNT_MAX: usize = 4096;
/// Regions that an override may name.
pub const REGIONS_OF_OVERRIDE_MAX: usize = 256;
/// Points that a storm cell's path may have.
pub const WAYPOINT_COUNT_MAX: usize = 32;

/// How long a fade may be, in hours of 60 game minutes.
pub const FADE_HOURS_MAX: i64 = 30 * 24;

/// Why an override is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    /// Too many: wait for some to expire, then prune, or clear them.
    #[error("the world has {OVERRIDE_COUNT_MAX} overrides already: clear some")]
    TooMany,
    /// Fades take longer than there is between start and end.
    #[error("fades of {fades_us} game microseconds do not fit in {length_us}")]
    Fades {
        /// Both fades together, game microseconds.
        fades_us: i64,
        /// From start to end, game microseconds; a cell that moves ends where its path does.
        length_us: i64,
    },
    /// What has no end cannot fade out: give it an end.
    #[error("a fade-out needs an end that it leads to")]
    EndlessFade,
    /// A field is out of bounds.
    #[error("{field}: expected {expected}, found {found}")]
    Field {
        /// The field's name.
        field: &'static str,
        /// What it may be.
        expected: String,
        /// What it is.
        found: String,
    },
}

impl Override {
    /// Rounds what marks an instant up to whole seconds, by which boundaries are numbered, and
    /// ends a moving cell at the end of its path.
    pub(super) fn settle(&mut self) {
        if let Kind::StormCell(cell) = &self.kind
            && let Some(travel_us) = cell.travel_us()
        {
            let there = self.start.plus_us(travel_us);
            self.end = Some(self.end.map_or(there, |end| end.min(there)));
        }
        self.end = self.end.map(whole);
        if self.fade_in_us > 0 {
            let full = whole(self.start.plus_us(self.fade_in_us));
            self.fade_in_us = full.0.saturating_sub(self.start.0);
        }
        if self.fade_out_us > 0 {
            self.fade_out_us = whole(GameTime(self.fade_out_us)).0;
        }
    }

    /// Refuses what has no meaning.
    pub(super) fn check(&self) -> Result<(), OverrideError> {
        let fade_us_max = FADE_HOURS_MAX * GameTime::HOUR_US;
        for (field, fade_us) in [("fade_in_us", self.fade_in_us), ("fade_out_us", self.fade_out_us)]
        {
            // Rounding to whole seconds may have added one.
            within(field, fade_us, &(0..=fade_us_max + GameTime::SECOND_US))?;
        }
        match self.end {
            Some(end) if end < self.start => return Err(backwards(self.start, end)),
            Some(end) => {
                let length_us = end.0.saturating_sub(self.start.0);
                let fades_us = self.fade_in_us + self.fade_out_us;
                if fades_us > length_us.saturating_add(1_999_999) {
                    return Err(OverrideError::Fades { fades_us, length_us });
                }
            }
            None if self.fade_out_us > 0 => return Err(OverrideError::EndlessFade),
            None => {}
        }
        let count = self.regions.len() as i64;
        within("regions", count, &(0..=REGIONS_OF_OVERRIDE_MAX as i64))?;
        self.kind.check()
    }

    /// Out of force everywhere from an instant on.
    pub fn over(&self, time: GameTime) -> bool {
        let out = |lift: &Lift| lift.from <= time && lift.to.is_none();
        let everywhere = |lift: &Lift| out(lift) && lift.regions.is_empty();
        let there = |id: &String| self.lifted.iter().any(|l| out(l) && l.regions.contains(id));
        let lifted = self.lifted.iter().any(everywhere)
            || !self.regions.is_empty() && self.regions.iter().all(there);
        lifted || self.end.is_some_and(|end| end <= time)
    }
}

impl Kind {
    fn check(&self) -> Result<(), OverrideError> {
        match self {
            Self::SetState { intensity_permille, .. } => intensity(*intensity_permille),
            Self::Offset { temperature_dc, wind_dmps, rain_permille } => {
                within(
                    "temperature_dc",
                    i64::from(*temperature_dc),
                    &bounds::OFFSET_TEMPERATURE_DC,
                )?;
                within("wind_dmps", i64::from(*wind_dmps), &bounds::OFFSET_WIND_DMPS)?;
                within("rain_permille", i64::from(*rain_permille), &bounds::OFFSET_RAIN_PERMILLE)
            }
            Self::Lock => Ok(()),
            Self::SeasonShift { days } => within("days", i64::from(*days), &bounds::SHIFT_DAYS),
            Self::StormCell(cell) => cell.check(),
        }
    }

    /// The kind's name, as JSON has it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::SetState { .. } => "set_state",
            Self::Offset { .. } => "offset",
            Self::Lock => "lock",
            Self::SeasonShift { .. } => "season_shift",
            Self::StormCell(_) => "storm_cell",
        }
    }

    /// The state that it aims at, if it names one.
    pub fn target(&self) -> Option<(WeatherState, u16)> {
        match self {
            Self::SetState { state, intensity_permille } => Some((*state, *intensity_permille)),
            Self::StormCell(cell) => Some((cell.state, cell.intensity_permille)),
            _ => None,
        }
    }
}

impl Cell {
    fn check(&self) -> Result<(), OverrideError> {
        within("path", self.path.len() as i64, &(1..=WAYPOINT_COUNT_MAX as i64))?;
        for Waypoint { latitude_mdeg, longitude_mdeg } in &self.path {
            within("latitude_mdeg", i64::from(*latitude_mdeg), &bounds::LATITUDE_MDEG)?;
            within("longitude_mdeg", i64::from(*longitude_mdeg), &bounds::LONGITUDE_MDEG)?;
        }
        within("radius_m", i64::from(self.radius_m), &bounds::CELL_RADIUS_M)?;
        within("speed_mph", i64::from(self.speed_mph), &bounds::CELL_SPEED_MPH)?;
        intensity(self.intensity_permille)
    }
}

fn intensity(permille: u16) -> Result<(), OverrideError> {
    within("intensity_permille", i64::from(permille), &(0..=1000))
}

fn backwards(start: GameTime, end: GameTime) -> OverrideError {
    wrong("end", &format!("an instant after the start, {} us", start.0), end.0)
}

fn within(
    field: &'static str,
    found: i64,
    bounds: &RangeInclusive<i64>,
) -> Result<(), OverrideError> {
    if bounds.contains(&found) {
        return Ok(());
    }
    Err(wrong(field, &format!("{} to {}", bounds.start(), bounds.end()), found))
}

fn wrong(field: &'static str, expected: &str, found: i64) -> OverrideError {
    OverrideError::Field { field, expected: expected.to_owned(), found: found.to_string() }
}

fn whole(time: GameTime) -> GameTime {
    GameTime::from_seconds(time.plus_us(GameTime::SECOND_US - 1).seconds())
}
