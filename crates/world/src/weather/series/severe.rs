//! Severe weather as spells: unbroken runs of severe game hours of one region. The forecast is
//! exact, so a spell's onset and end are known ahead. Not here: when it is announced.

use crate::time::GameTime;
use crate::weather::{Conditions, Overrides, Weather, WeatherState};

/// A spell is followed this many hours on from its onset, or from the latest multiple of
/// [`SPELL_STEP_HOURS`] since the world's epoch if that is later; one that lasts longer is cut
/// until then.
pub const SPELL_HOURS_MAX: i64 = 72;

/// How often a spell that lasts is followed further, in hours of 60 game minutes, whatever the
/// calendar.
pub const SPELL_STEP_HOURS: i64 = 24;

/// A spell is followed this many hours back to its onset.
pub const ONSET_HOURS_MAX: i64 = 240;

/// How bad severe weather gets. The numbers are those of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Severity {
    /// A nuisance.
    Advisory = 1,
    /// Be prepared.
    Watch = 2,
    /// Take shelter.
    Warning = 3,
    /// A danger to life.
    Extreme = 4,
}

/// An unbroken run of severe hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spell {
    /// The state at its onset.
    pub state: WeatherState,
    /// The worst of its hours.
    pub severity: Severity,
    /// When it begins: a whole game hour, or an override's start.
    pub onset: GameTime,
    /// When it ends, as far as [`SPELL_HOURS_MAX`] shows.
    pub end: GameTime,
    /// The strongest gust of its hours, decimetres per second.
    pub peak_gust_dmps: u16,
    /// The highest rate of its hours, micrometres of water an hour.
    pub peak_precipitation_umph: u32,
    /// A part of it was forced.
    pub forced: bool,
}

impl WeatherState {
    /// Storm, blizzard, heavy rain, heavy snow and the extremes of temperature.
    pub fn is_severe(self) -> bool {
        self.severity(0).is_some()
    }

    /// How bad the state is at an intensity of 0 to 1000; none if it is not severe.
    pub fn severity(self, intensity_permille: u16) -> Option<Severity> {
        let (weak, strong) = match self {
            Self::HeavyRain | Self::HeavySnow => (Severity::Advisory, Severity::Watch),
            Self::Storm => (Severity::Watch, Severity::Warning),
            Self::ExtremeHeat | Self::ExtremeCold => (Severity::Warning, Severity::Extreme),
            Self::Blizzard => (Severity::Warning, Severity::Extreme),
            _ => return None,
        };
        Some(if intensity_permille < 500 { weak } else { strong })
    }
}

impl Weather {
    /// The spell that covers an instant, if the weather is severe then.
    ///
    /// # Panics
    /// If the world has no region of this index.
    pub fn spell_at(&self, region: usize, time: GameTime, overrides: &Overrides) -> Option<Spell> {
        let first = self.conditions(region, time, overrides);
        first.state.severity(first.intensity_permille)?;
        let onset = self.onset(region, time, overrides);
        let step = time.hours().div_euclid(SPELL_STEP_HOURS) * SPELL_STEP_HOURS;
        let seen_from = onset.hours().max(step);
        let last = GameTime::from_hours(seen_from.saturating_add(SPELL_HOURS_MAX));
        let mut spell = Spell::new(self.conditions(region, onset, overrides), onset);
        let mut at = onset;
        while at < last {
            let conditions = self.conditions(region, at, overrides);
            if !conditions.state.is_severe() {
                break;
            }
            spell.widen(&conditions);
            at = self.next_change(region, at, overrides);
        }
        spell.end = at.min(last);
        Some(spell)
    }

    /// The spells whose onsets lie in a game hour; more than one only under overrides.
    ///
    /// # Panics
    /// If the world has no region of this index.
    pub fn spells_beginning(&self, region: usize, hour: i64, overrides: &Overrides) -> Vec<Spell> {
        let (mut at, end) = (GameTime::from_hours(hour), GameTime::from_hours(hour + 1));
        let mut was = self.state(region, at.plus_us(-1), overrides).is_severe();
        let mut spells = Vec::new();
        while at < end {
            let is = self.state(region, at, overrides).is_severe();
            if is && !was {
                spells.extend(self.spell_at(region, at, overrides));
            }
            was = is;
            at = self.next_change(region, at, overrides);
        }
        spells
    }

    /// When the state of an instant ends, as far as [`SPELL_HOURS_MAX`] ahead.
    ///
    /// # Panics
    /// If the world has no region of this index.
    pub fn state_end(&self, region: usize, time: GameTime, overrides: &Overrides) -> GameTime {
        let state = self.state(region, time, overrides);
        let last = GameTime::from_hours(time.hours().saturating_add(SPELL_HOURS_MAX));
        let mut at = self.next_change(region, time, overrides);
        while at < last && self.state(region, at, overrides) == state {
            at = self.next_change(region, at, overrides);
        }
        at.min(last)
    }

    /// The first instant of the severe stretch that covers `time`.
    fn onset(&self, region: usize, time: GameTime, overrides: &Overrides) -> GameTime {
        let first = GameTime::from_hours(time.hours().saturating_sub(ONSET_HOURS_MAX));
        let mut onset = self.last_change(region, time.plus_us(1), overrides);
        while onset > first && self.state(region, onset.plus_us(-1), overrides).is_severe() {
            onset = self.last_change(region, onset, overrides);
        }
        onset
    }
}

impl Spell {
    fn new(first: Conditions, onset: GameTime) -> Self {
        Self {
            state: first.state,
            severity: Severity::Advisory,
            onset,
            end: onset,
            peak_gust_dmps: 0,
            peak_precipitation_umph: 0,
            forced: false,
        }
    }

    fn widen(&mut self, hour: &Conditions) {
        let severity = hour.state.severity(hour.intensity_permille);
        self.severity = self.severity.max(severity.unwrap_or(Severity::Advisory));
        self.peak_gust_dmps = self.peak_gust_dmps.max(hour.gust_dmps);
        self.peak_precipitation_umph = self.peak_precipitation_umph.max(hour.precipitation_umph);
        self.forced |= hour.forced;
    }
}
