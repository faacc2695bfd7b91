//! A preset at one moment of the year and the day: what its monthly values and tables say then.
//! Not here: the field, and what numbers come of both (`hour`).

use super::mix::{Latent, rest};
use crate::preset::{Curve, Preset, Season, Table};

/// What a preset gives at a moment.
#[derive(Clone, Debug)]
pub(in super::super) struct Moment {
    pub(in super::super) hour: usize,
    pub(in super::super) onset_z: f64,
    rate_mmph: f64,
    steepness: f64,
    shower_onset_z: f64,
    shower_mmph: f64,
    /// Depressions below which there is fog and mist.
    pub(in super::super) fog_k: f64,
    pub(in super::super) mist_k: f64,
    pub(in super::super) thunder_cut: f64,
    /// Loadings of temperature on precipitation, on depression and on what is its own.
    pub(in super::super) temperature: [f64; 3],
}

/// A preset's tables at a moment.
pub(in super::super) trait Quantiles {
    fn temperature(&self, z: f64) -> f64;
    fn depression(&self, z: f64) -> f64;
    fn wind(&self, z: f64) -> f64;
    fn cloud(&self, z: f64) -> f64;
}

/// Straight from the tables: for a single look.
pub(in super::super) struct Lookup<'p> {
    pub(in super::super) preset: &'p Preset,
    pub(in super::super) season: &'p Season,
}

/// Curves for all deviates: for many looks. They say the same to the bit.
#[derive(Clone, Debug)]
pub(in super::super) struct Curves {
    temperature: Curve,
    depression: Curve,
    wind: Curve,
    cloud: Curve,
}

impl Moment {
    pub(in super::super) fn new(preset: &Preset, season: &Season) -> Self {
        let rain = season.over(&preset.temperature_rain);
        let depression = preset.correlations.temperature_depression;
        Self {
            hour: season.hour,
            onset_z: season.monthly(&preset.rain_onset_z),
            rate_mmph: season.monthly(&preset.rain_rate_mmph),
            steepness: preset.rain_steepness,
            shower_onset_z: season.monthly(&preset.shower_onset_z),
            shower_mmph: preset.shower_mmph,
            fog_k: season.monthly(&preset.fog_depression_k),
            mist_k: season.monthly(&preset.mist_depression_k),
            thunder_cut: season.monthly(&preset.thunder_cut),
            temperature: [rain, depression, rest(&[rain, depression])],
        }
    }

    /// Rain rate: steady rain, and the showers in it. These bring the heavy hours; a steeper
    /// power of the steady rain would bring them on all hours of the same few days. Both begin
    /// at nothing, so nothing jumps.
    pub(in super::super) fn rate_mmph(&self, latent: &Latent) -> f64 {
        let above = f64::from(latent.precipitation) - self.onset_z;
        if above <= 0.0 {
            return 0.0;
        }
        let steady = libm::sqrt(above) * (1.0 + self.steepness * above).max(0.5);
        let over = (f64::from(latent.shower) - self.shower_onset_z).max(0.0);
        let shower = (2.0 * above).min(1.0) * libm::sqrt(libm::sqrt(over));
        self.rate_mmph * steady + self.shower_mmph * shower
    }
}

impl Curves {
    pub(in super::super) fn new(preset: &Preset, season: &Season) -> Self {
        let curve = |table: &Table| table.curve(season);
        Self {
            temperature: curve(&preset.temperature),
            depression: curve(&preset.depression),
            wind: curve(&preset.wind),
            cloud: curve(&preset.cloud),
        }
    }
}

impl Quantiles for Lookup<'_> {
    fn temperature(&self, z: f64) -> f64 {
        self.preset.temperature.at(self.season, z)
    }

    fn depression(&self, z: f64) -> f64 {
        self.preset.depression.at(self.season, z)
    }

    fn wind(&self, z: f64) -> f64 {
        self.preset.wind.at(self.season, z)
    }

    fn cloud(&self, z: f64) -> f64 {
        self.preset.cloud.at(self.season, z)
    }
}

impl Quantiles for Curves {
    fn temperature(&self, z: f64) -> f64 {
        self.temperature.at(z)
    }

    fn depression(&self, z: f64) -> f64 {
        self.depression.at(z)
    }

    fn wind(&self, z: f64) -> f64 {
        self.wind.at(z)
    }

    fn cloud(&self, z: f64) -> f64 {
        self.cloud.at(z)
    }
}
