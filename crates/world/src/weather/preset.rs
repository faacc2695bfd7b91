//! Climates as data: monthly tables that turn latent variables into degrees, metres per second
//! and millimetres. Not here: how a table is made from observations (`build`).

pub mod build;
mod table;

use serde::{Deserialize, Serialize};

use super::field::OCTAVE_COUNT;
use super::hour::Latent;
use crate::calendar::DateTime;

pub(super) use table::Season;
pub use table::{KNOT_COUNT, SLOT_COUNT, Table};

/// The climates that are built in.
pub const NAMES: [&str; 1] = ["brussels"];

/// Millimetres an hour that a shower adds when its noise is 1 above the onset of showers.
const SHOWER_MMPH: f64 = 9.5;

const BRUSSELS: &str = include_str!("../../presets/brussels.toml");

/// A value for each month.
pub type Monthly = [f64; 12];
/// Shares of variance of the five octaves (1.5, 6, 24, 96, 480 hours); they sum to 1.
pub type Octaves = [f64; OCTAVE_COUNT];

/// A climate. Its file is made by `examples/build_preset.rs`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Its name.
    pub name: String,
    /// Where its figures come from.
    pub source: String,
    /// Degrees north of the place it was observed at.
    pub latitude: f64,
    /// Metres above the sea there.
    pub elevation_m: f64,
    /// Extreme heat from this temperature on, tenths of a degree.
    pub heat_dc: i64,
    /// Extreme cold down from this temperature, tenths of a degree.
    pub cold_dc: i64,
    /// Where the wind mostly comes from, degrees.
    pub prevailing_deg: f64,
    /// It rains when the latent precipitation passes this.
    pub rain_onset_z: Monthly,
    /// Millimetres an hour of steady rain at a latent precipitation 1 above the onset.
    pub rain_rate_mmph: Monthly,
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
    /// Square roots of [`Self::octaves`].
    #[serde(skip)]
    pub(super) amplitudes: Shares,
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
}

/// Loadings of one latent variable on another's noise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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

impl Preset {
    /// Parses a preset's text.
    ///
    /// # Errors
    /// What the TOML or its shape lacks.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let preset: Self = toml::from_str(text)?;
        Ok(preset.prepared())
    }

    /// A built-in preset by one of [`NAMES`]; the first for any other name.
    pub(crate) fn built_in(_name: &str) -> Self {
        #[expect(clippy::expect_used, reason = "a test parses the very same text")]
        Self::parse(BRUSSELS).expect("the built-in preset is correct")
    }

    pub(super) fn prepared(mut self) -> Self {
        let root = |shares: &Octaves| shares.map(libm::sqrt);
        self.amplitudes = Shares {
            precipitation: root(&self.octaves.precipitation),
            cloud: root(&self.octaves.cloud),
            depression: root(&self.octaves.depression),
            wind: root(&self.octaves.wind),
            temperature: root(&self.octaves.temperature),
        };
        self
    }

    pub(super) fn onset_z(&self, season: &Season) -> f64 {
        season.monthly(&self.rain_onset_z)
    }

    /// Rain rate: steady rain, the root of the latent precipitation above its onset, and the
    /// showers in it. These bring the heavy hours; a steeper power of the steady rain would bring
    /// them on all hours of the same few days. Both begin at nothing, so nothing jumps.
    pub(super) fn rate_mmph(&self, season: &Season, latent: &Latent) -> f64 {
        let above = latent.precipitation - self.onset_z(season);
        if above <= 0.0 {
            return 0.0;
        }
        let steady = season.monthly(&self.rain_rate_mmph) * libm::sqrt(above);
        let over = (latent.shower - season.monthly(&self.shower_onset_z)).max(0.0);
        steady + SHOWER_MMPH * (2.0 * above).min(1.0) * libm::sqrt(libm::sqrt(over))
    }

    /// Depressions below which there is fog and mist.
    pub(super) fn damp_cuts_c(&self, season: &Season) -> (f64, f64) {
        (season.monthly(&self.fog_depression_k), season.monthly(&self.mist_depression_k))
    }

    pub(super) fn thunder_cut(&self, season: &Season) -> f64 {
        season.monthly(&self.thunder_cut)
    }

    pub(super) fn temperature_rain(&self, season: &Season) -> f64 {
        season.over(&self.temperature_rain)
    }
}

impl Season {
    /// Where in the year and the day an instant is; half a year on in the south.
    pub(super) fn new(date: &DateTime, (day, days): (u8, u8), south: bool) -> Self {
        let part = (f64::from(day) + f64::from(date.hour) / 24.0) / f64::from(days);
        let month = (usize::from(date.month) - 1 + if south { 6 } else { 0 }) % 12;
        Self::at(month, part, usize::from(date.hour))
    }
}
