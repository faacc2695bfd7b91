//! The sun over a world's regions: when it rises and sets, how high it stands, and the phases of
//! the day by it. Formulas by `libm` alone, so every machine has the same sun. Not the crate
//! `sunrise`: it knows dates and the tilt of Earth only. Not here: light, shadow, events.
//!
//! Declination and equation of time are J. W. Spencer's series (1971) in the orbit's fraction, for
//! another tilt of the axis stretched as a circle's: right to a few minutes on Earth.

mod light;
mod phases;
#[cfg(test)]
mod tests;

use core::f64::consts::TAU;

use crate::calendar::Calendar;
use crate::time::GameTime;

/// The tilt of Earth's axis in degrees.
pub const EARTH_OBLIQUITY_DEG: f64 = 23.44;

/// Altitude of the sun's centre when its upper edge is at the horizon: refraction and radius.
const RISE_DEG: f64 = -0.833;
const CIVIL_DEG: f64 = -6.0;
const NAUTICAL_DEG: f64 = -12.0;
/// How far Earth is ahead in its orbit of mean Gregorian years that are counted from year 1.
const AHEAD_YEARS: f64 = 0.001_83;
const MINUTES: f64 = 1440.0;

/// What a world's file states of its sun, under `[sun]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SunRules {
    /// The tilt of the axis in degrees, 0 to 90: 0 has no seasons.
    pub obliquity_deg: f64,
    /// Whether a region's longitude moves its noon, as it does under one clock for all.
    pub by_longitude: bool,
    /// What decides the phases of the day.
    pub phases: PhasePolicy,
}

/// What decides the phases of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum PhasePolicy {
    /// The hours of [`crate::Phase::START_HOURS`], in every region and season.
    #[default]
    Fixed,
    /// The sun: day while it is up, dawn and dusk while it is less than 6 degrees below.
    Astronomical,
}

impl Default for SunRules {
    fn default() -> Self {
        Self {
            obliquity_deg: EARTH_OBLIQUITY_DEG,
            by_longitude: true,
            phases: PhasePolicy::default(),
        }
    }
}

/// The sun of one world. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sun {
    calendar: Calendar,
    rules: SunRules,
    /// Sine of the tilt over that of Earth's.
    tilt: f64,
    /// What the tilt does to noon, over what Earth's does.
    noon_tilt: f64,
}

/// The sun of a day in one place; the day is the one whose noon it holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SunDay {
    /// When it stands highest.
    pub noon: GameTime,
    /// Degrees above the horizon then; below 0 in polar night.
    pub noon_altitude_deg: f64,
    /// While it is up, by its upper edge.
    pub daylight: Daylight,
    /// While it is less than 6 degrees below the horizon.
    pub civil: Daylight,
    /// While it is less than 12 degrees below the horizon.
    pub nautical: Daylight,
}

/// When the sun of a day is above an altitude.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Daylight {
    /// From one instant to another, in the night before or after included.
    Between {
        /// Sunrise or dawn.
        from: GameTime,
        /// Sunset or dusk.
        until: GameTime,
    },
    /// All day: it does not set.
    Always,
    /// Never: it does not rise.
    Never,
}

/// The sun as seen from the middle of the world: sine and cosine of its declination, and how far
/// noon is ahead of the clock, as a share of the day.
#[derive(Clone, Copy)]
struct Position {
    sine: f64,
    cosine: f64,
    ahead: f64,
}

/// A latitude as sine and cosine, and the share of a day that a longitude is ahead.
#[derive(Clone, Copy)]
struct Place {
    sine: f64,
    cosine: f64,
    ahead: f64,
}

impl Daylight {
    /// How long it lasts, in game microseconds.
    pub fn length_us(&self, day_us: i64) -> i64 {
        match self {
            Self::Between { from, until } => until.0.saturating_sub(from.0),
            Self::Always => day_us,
            Self::Never => 0,
        }
    }
}

impl Sun {
    /// The sun of a world with this calendar.
    pub fn new(calendar: Calendar, rules: SunRules) -> Self {
        let radians = |degrees: f64| degrees.to_radians();
        let earth = radians(EARTH_OBLIQUITY_DEG);
        let tilt = radians(rules.obliquity_deg.clamp(0.0, 90.0));
        let half = |tilt: f64| libm::tan(tilt / 2.0) * libm::tan(tilt / 2.0);
        let sines = libm::sin(tilt) / libm::sin(earth);
        Self { calendar, rules, tilt: sines, noon_tilt: half(tilt) / half(earth) }
    }

    /// What the world's file states of it.
    pub fn rules(&self) -> SunRules {
        self.rules
    }

    /// Degrees of the sun's centre above the horizon, without refraction.
    pub fn altitude_deg(&self, game: GameTime, latitude: f64, longitude: f64) -> f64 {
        self.altitude(game, self.place(latitude, longitude)).0.to_degrees()
    }

    /// The sun's day in a place, by the day's number in the calendar; none beyond what game time
    /// holds.
    pub fn day(&self, number: i64, latitude: f64, longitude: f64) -> Option<SunDay> {
        let begins = self.calendar.day_begins(number)?;
        self.calendar.day_begins(number + 1)?;
        let place = self.place(latitude, longitude);
        let first = self.at(begins, 0.5);
        let noon = 0.5 - place.ahead - first.ahead;
        let position = self.at(begins, noon);
        let sine = place.sine * position.sine + place.cosine * position.cosine;
        let light = |altitude_deg| self.light(begins, noon, place, altitude_deg);
        Some(SunDay {
            noon: self.instant(begins, noon),
            noon_altitude_deg: libm::asin(sine.clamp(-1.0, 1.0)).to_degrees(),
            daylight: light(RISE_DEG),
            civil: light(CIVIL_DEG),
            nautical: light(NAUTICAL_DEG),
        })
    }

    fn place(&self, latitude: f64, longitude: f64) -> Place {
        let latitude = latitude.to_radians();
        let ahead = if self.rules.by_longitude { longitude / 360.0 } else { 0.0 };
        Place { sine: libm::sin(latitude), cosine: libm::cos(latitude).max(0.0), ahead }
    }

    /// When the sun is above an altitude: by its position at noon, then by that at the instants
    /// so found, since it moves on during a day.
    fn light(&self, begins: GameTime, noon: f64, place: Place, altitude_deg: f64) -> Daylight {
        let sine = libm::sin(altitude_deg.to_radians());
        let half = match half_day(sine, place, self.at(begins, noon)) {
            Ok(half) => half,
            Err(all_or_nothing) => return all_or_nothing,
        };
        let crossing = |sign: f64| {
            let position = self.at(begins, noon + sign * half);
            let half = half_day(sine, place, position).unwrap_or(half);
            self.instant(begins, 0.5 - place.ahead - position.ahead + sign * half)
        };
        Daylight::Between { from: crossing(-1.0), until: crossing(1.0) }
    }

    /// Altitude in radians, and the share of a day since solar midnight.
    fn altitude(&self, game: GameTime, place: Place) -> (f64, f64) {
        let position = self.position(self.calendar.orbit_fraction(game));
        let share = self.calendar.day_fraction(game) + place.ahead + position.ahead;
        let share = share - libm::floor(share);
        let turn = libm::cos((share - 0.5) * TAU);
        let sine = place.sine * position.sine + place.cosine * position.cosine * turn;
        (libm::asin(sine.clamp(-1.0, 1.0)), share)
    }

    fn instant(&self, begins: GameTime, share: f64) -> GameTime {
        begins.plus_us(libm::round(share * self.calendar.day_us() as f64) as i64)
    }

    fn at(&self, begins: GameTime, share: f64) -> Position {
        self.position(self.calendar.orbit_fraction(self.instant(begins, share)))
    }

    fn position(&self, orbit_fraction: f64) -> Position {
        let y = (orbit_fraction + AHEAD_YEARS) * TAU;
        let (sin, cos) = (libm::sin(y), libm::cos(y));
        let (sin2, cos2) = (2.0 * sin * cos, cos * cos - sin * sin);
        let (sin3, cos3) = (sin2 * cos + cos2 * sin, cos2 * cos - sin2 * sin);
        let declination = 0.006_918 - 0.399_912 * cos + 0.070_257 * sin - 0.006_758 * cos2
            + 0.000_907 * sin2
            - 0.002_697 * cos3
            + 0.001_48 * sin3;
        let orbit = 0.000_075 + 0.001_868 * cos - 0.032_077 * sin;
        let axis = -0.014_615 * cos2 - 0.040_849 * sin2;
        let sine = (libm::sin(declination) * self.tilt).clamp(-1.0, 1.0);
        Position {
            sine,
            cosine: libm::sqrt(1.0 - sine * sine),
            ahead: 229.18 * (orbit + axis * self.noon_tilt) / MINUTES,
        }
    }
}

/// The share of a day from noon until the sun is down to an altitude, or that it never is.
fn half_day(sine: f64, place: Place, position: Position) -> Result<f64, Daylight> {
    let above = sine - place.sine * position.sine;
    let reach = place.cosine * position.cosine;
    if above >= reach {
        return Err(Daylight::Never);
    }
    if above <= -reach {
        return Err(Daylight::Always);
    }
    Ok(libm::acos(above / reach) / TAU)
}
