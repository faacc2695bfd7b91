//! Climates as data: monthly tables that turn latent variables into degrees, metres per second
//! and millimetres. Not here: how a preset is made (`worldbus-climate`), how its file is read
//! (`file`).

mod built_in;
mod file;
mod table;
#[cfg(test)]
mod tests;

use crate::calendar::ClimatePosition;

pub use built_in::NAMES;
pub(crate) use table::{Curve, Season};
pub use table::{KNOT_COUNT, SLOT_COUNT, Table, knot_z};

/// Octaves of each noise, from passing to lasting.
pub const OCTAVE_COUNT: usize = 5;

/// A value for each month.
pub type Monthly = [f64; 12];
/// Shares of variance of the five octaves (1.5, 6, 24, 96, 480 hours); they sum to 1.
pub type Octaves = [f64; OCTAVE_COUNT];

/// A climate: what its file states, key by key; `docs/how-to/climate.md` describes the format.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    /// Its name.
    pub name: String,
    /// Where its figures come from.
    pub source: String,
    /// Which of its figures were compared with observations, and which are assumed.
    pub validated: String,
    /// Degrees north of the place it was observed at. Its months are those of that hemisphere.
    pub latitude: f64,
    /// Metres above the sea there.
    pub elevation_m: f64,
    /// Extreme heat from this temperature on, tenths of a degree.
    pub heat_dc: i64,
    /// Extreme cold down from this temperature, tenths of a degree.
    pub cold_dc: i64,
    /// Extreme heat from this heat index on, tenths of a degree.
    pub heat_index_dc: i64,
    /// Extreme cold down from this wind chill, tenths of a degree.
    pub wind_chill_dc: i64,
    /// Where the wind mostly comes from, degrees.
    pub prevailing_deg: f64,
    /// It rains when the latent precipitation passes this.
    pub rain_onset_z: Monthly,
    /// Millimetres an hour of steady rain at a latent precipitation 1 above the onset, if
    /// [`Self::rain_steepness`] is 0.
    pub rain_rate_mmph: Monthly,
    /// How much faster than its root steady rain grows with the latent precipitation above its
    /// onset: at `a` above, the rate is the root of `a` times 1 + steepness x `a`.
    pub rain_steepness: f64,
    /// Millimetres an hour that a shower adds when its noise is 1 above the onset of showers.
    pub shower_mmph: f64,
    /// There is a shower in the rain when the noise of showers passes this.
    pub shower_onset_z: Monthly,
    /// Fog below this dew-point depression, kelvin.
    pub fog_depression_k: Monthly,
    /// Mist below this dew-point depression, kelvin.
    pub mist_depression_k: Monthly,
    /// Thunder above this instability.
    pub thunder_cut: Monthly,
    /// How much precipitation loads temperature, by month and time of day, -1 to 1.
    pub temperature_rain: [[f64; SLOT_COUNT]; 12],
    /// Shares of variance by octave.
    pub octaves: Shares,
    /// Loadings between the latent variables.
    pub correlations: Correlations,
    /// Hundredths of a degree Celsius.
    pub temperature: Table,
    /// Temperature minus dew point, hundredths of a kelvin.
    pub depression: Table,
    /// Centimetres per second.
    pub wind: Table,
    /// Permille of the sky.
    pub cloud: Table,
}

/// How each variable's variance is shared among the octaves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shares {
    /// Of precipitation.
    pub precipitation: Octaves,
    /// Of cloud.
    pub cloud: Octaves,
    /// Of dew-point depression.
    pub depression: Octaves,
    /// Of wind.
    pub wind: Octaves,
    /// Of temperature.
    pub temperature: Octaves,
    /// Of convection, which brings thunder.
    pub convection: Octaves,
}

/// Loadings of one latent variable on another's noise.
#[derive(Clone, Debug, PartialEq)]
pub struct Correlations {
    /// Of cloud on precipitation.
    pub cloud_rain: f64,
    /// Of depression on precipitation.
    pub depression_rain: f64,
    /// Of depression on cloud.
    pub depression_cloud: f64,
    /// Of wind on precipitation.
    pub wind_rain: f64,
    /// Of temperature on depression.
    pub temperature_depression: f64,
}

impl Shares {
    /// The amplitudes: square roots, not shares.
    pub(crate) fn amplitudes(&self) -> Self {
        let root = |shares: &Octaves| shares.map(libm::sqrt);
        Self {
            precipitation: root(&self.precipitation),
            cloud: root(&self.cloud),
            depression: root(&self.depression),
            wind: root(&self.wind),
            temperature: root(&self.temperature),
            convection: root(&self.convection),
        }
    }
}

/// Hours of a day of a climate, whatever the calendar.
const DAY_HOURS: usize = 24;

/// How a place's year and day lie to those of the preset by the world's one clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shift {
    /// The place and the preset are on different sides of the equator.
    half_year: bool,
    /// Whole hours that the sun of the place is ahead of the clock, 0 to 23.
    hours: u8,
}

impl Shift {
    /// For a place on the other side of the equator or not, whose sun is ahead by so many degrees
    /// of longitude.
    pub(crate) fn new(half_year: bool, ahead_deg: f64) -> Self {
        let hours = libm::round(ahead_deg / 360.0 * DAY_HOURS as f64) as i64;
        Self { half_year, hours: hours.rem_euclid(DAY_HOURS as i64) as u8 }
    }
}

impl Season {
    /// Where in the year and the day an instant is by the sun of a place.
    pub(crate) fn new(position: ClimatePosition, shift: Shift) -> Self {
        let month = (position.month + if shift.half_year { 6 } else { 0 }) % 12;
        let hour = (position.hour + usize::from(shift.hours)) % DAY_HOURS;
        Self::at(month, position.part, hour)
    }
}
