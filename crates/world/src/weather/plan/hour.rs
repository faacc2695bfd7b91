//! From the latent field to the numbers of one game hour in one region, by a preset's tables.
//! Not here: the field itself (`field`), the names of what comes out (`classify`).

use super::field::{Look, Noise};
use super::mix::{Latent, Mix};
use super::moment::{Lookup, Moment, Quantiles};
use crate::preset::{Preset, Season};
use crate::time::GameTime;
use crate::weather::classify::{self, FOG_WIND_DMPS, MIST_VISIBILITY_M, WET_UMPH};
use crate::weather::conditions::Numbers;
use crate::weather::constrain::WET_CLOUD_PERMILLE;
use crate::weather::{Weather, WeatherState};
use crate::whole::round;

/// A blizzard must have lasted this many hours.
const BLIZZARD_HOURS: i64 = 3;

/// What the field gives for an hour.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Hour {
    pub(in super::super) numbers: Numbers,
    pub(in super::super) thunder: bool,
}

impl Weather {
    /// The hour that begins `hour` hours after the world's epoch.
    pub(in super::super) fn hour(&self, region: usize, hour: i64) -> Hour {
        self.shifted_hour(region, hour, 0)
    }

    /// The same hour if the year were `later` hours further on.
    pub(in super::super) fn shifted_hour(&self, region: usize, hour: i64, later: i64) -> Hour {
        let place = &self.places[region];
        self.mixed_hour(region, hour.saturating_add(later), |mix| {
            let look = Look::new(self.key, place, hour);
            Mix::sum(|octave| look.sum(octave, |noises| mix.column(octave, noises)))
        })
    }

    /// What a field makes of an hour.
    pub(in super::super) fn hour_of(&self, region: usize, hour: i64, noise: &Noise) -> Hour {
        self.mixed_hour(region, hour, |mix| mix.latent(noise))
    }

    fn mixed_hour(&self, region: usize, hour: i64, latent: impl FnOnce(&Mix) -> Latent) -> Hour {
        let (place, climate) = (&self.places[region], self.climate(region));
        let position = self.calendar.climate_position(GameTime::from_hours(hour));
        let season = Season::new(position, place.shift);
        let preset = &climate.preset;
        let lookup = Lookup { preset, season: &season };
        let moment = Moment::new(preset, &season);
        let latent = latent(&Mix::new(climate, moment.temperature));
        compute(&latent, &moment, &lookup, preset, place.warmer_c)
    }

    /// The state of an hour that [`Self::hour`] has computed.
    pub(in super::super) fn state_of(&self, hour: &Hour, region: usize, at: i64) -> WeatherState {
        self.shifted_state_of(hour, region, at, 0)
    }

    /// The state of an hour that [`Self::shifted_hour`] has computed.
    pub(in super::super) fn shifted_state_of(
        &self,
        hour: &Hour,
        region: usize,
        at: i64,
        later: i64,
    ) -> WeatherState {
        let long_blizzard = classify::is_blizzard_hour(&hour.numbers)
            && self.is_late_in_blizzard(region, at, later);
        classify::classify(&hour.numbers, hour.thunder, long_blizzard, &self.climate(region).preset)
    }

    /// The hours before, as many as a blizzard takes, are as bad as one.
    #[cold]
    fn is_late_in_blizzard(&self, region: usize, at: i64, later: i64) -> bool {
        (1..BLIZZARD_HOURS).all(|back| {
            let past = self.shifted_hour(region, at.saturating_sub(back), later);
            classify::is_blizzard_hour(&past.numbers)
        })
    }
}

const PRESSURE_MEAN_DHPA: f64 = 10_155.0;
const PRESSURE_SD_DHPA: f64 = 95.0;
const DIRECTION_SD_DEG: f64 = 60.0;
const VISIBILITY_MAX_M: f64 = 40_000.0;

/// The numbers of an hour. Not inlined, so that the latent variables are summed side by side.
#[inline(never)]
pub(in super::super) fn compute(
    latent: &Latent,
    moment: &Moment,
    quantiles: &impl Quantiles,
    preset: &Preset,
    warmer_c: f64,
) -> Hour {
    let rate_mmph = moment.rate_mmph(latent);
    let (temperature_c, depression_c) = air(latent, quantiles, rate_mmph);
    let temperature_c = temperature_c + warmer_c;
    let wind_mps = quantiles.wind(f64::from(latent.wind)).max(0.0) / 100.0;
    let temperature_dc = round(temperature_c * 10.0);
    let precipitation_umph = round(rate_mmph * 1000.0);
    let wet = precipitation_umph >= WET_UMPH;
    let cloud_permille = round(quantiles.cloud(f64::from(latent.cloud)).clamp(0.0, 1000.0));
    let thunder = wet && is_thunder(latent, moment, temperature_c - depression_c);
    let gust = 1.4 + 0.12 * f64::from(latent.convection.abs()) + if thunder { 0.5 } else { 0.0 };
    let pressure = 0.8 * f64::from(latent.pressure) - 0.6 * f64::from(latent.precipitation);
    let mut numbers = Numbers {
        temperature_dc,
        dew_point_dc: round((temperature_c - depression_c) * 10.0).min(temperature_dc),
        wind_dmps: round(wind_mps * 10.0),
        gust_dmps: round(wind_mps * gust * 10.0),
        wind_direction_deg: round(
            preset.prevailing_deg + DIRECTION_SD_DEG * f64::from(latent.direction),
        )
        .rem_euclid(360),
        precipitation_umph,
        cloud_permille: if wet { cloud_permille.max(WET_CLOUD_PERMILLE) } else { cloud_permille },
        visibility_m: 0,
        pressure_dhpa: round(PRESSURE_MEAN_DHPA + PRESSURE_SD_DHPA * pressure),
    };
    numbers.visibility_m = if wet {
        wet_visibility_m(&numbers)
    } else {
        dry_visibility_m(depression_c, numbers.wind_dmps, moment)
    };
    Hour { numbers, thunder }
}

/// Temperature in C at the preset's place, and dew-point depression in K; rain moistens the air
/// that it falls through.
pub(in super::super) fn air(
    latent: &Latent,
    quantiles: &impl Quantiles,
    rate_mmph: f64,
) -> (f64, f64) {
    let temperature_c = quantiles.temperature(f64::from(latent.temperature)) / 100.0;
    let depression_c = quantiles.depression(f64::from(latent.depression)).max(0.0) / 100.0;
    (temperature_c, depression_c * (1.0 - 0.4 * (2.0 * rate_mmph).min(1.0)))
}

/// Instability: moist air, the afternoon, a convective cell, more rain than it takes.
pub(in super::super) fn thunder_index(latent: &Latent, moment: &Moment, dew_point_c: f64) -> f64 {
    const DAY_H: [f64; 24] = day_wave();
    let above = f64::from(latent.precipitation) - moment.onset_z;
    (dew_point_c - 12.0) / 8.0
        + DAY_H[moment.hour]
        + 0.35 * f64::from(latent.convection)
        + 0.5 * above
}

fn is_thunder(latent: &Latent, moment: &Moment, dew_point_c: f64) -> bool {
    thunder_index(latent, moment, dew_point_c) > moment.thunder_cut
}

/// 0.54 cos(2 pi (h - 16) / 24): the sixths of a right angle by hand, since cos is not const.
const fn day_wave() -> [f64; 24] {
    const QUARTER: [f64; 7] = [
        1.0,
        0.965_925_826_289_068_3,
        0.866_025_403_784_438_6,
        0.707_106_781_186_547_5,
        0.5,
        0.258_819_045_102_520_74,
        0.0,
    ];
    let mut wave = [0.0; 24];
    let mut hour = 0;
    while hour < 24 {
        let turn = (hour + 8) % 24;
        let turn = if turn > 12 { 24 - turn } else { turn };
        let cos = if turn <= 6 { QUARTER[turn] } else { -QUARTER[12 - turn] };
        wave[hour] = 0.54 * cos;
        hour += 1;
    }
    wave
}

pub(in super::super) fn wet_visibility_m(n: &Numbers) -> i64 {
    let rate = n.precipitation_umph as f64 / 1000.0;
    if n.is_snow_phase() {
        let blowing = 1.0 + (n.wind_dmps as f64 / 10.0 - 8.0).max(0.0) / 4.0;
        round((3000.0 / (0.3 + 3.0 * rate) / blowing).clamp(50.0, 20_000.0))
    } else {
        round((20_000.0 / (1.0 + 2.5 * rate)).clamp(800.0, 20_000.0))
    }
}

/// Visibility by how near the air is to saturation: below the preset's cuts it is mist and, in
/// still air, fog.
fn dry_visibility_m(depression_c: f64, wind_dmps: i64, moment: &Moment) -> i64 {
    let (fog, mist) = (moment.fog_k, moment.mist_k);
    if depression_c < fog && wind_dmps < FOG_WIND_DMPS {
        50 + round(949.0 * depression_c / fog)
    } else if depression_c < mist {
        let part = ((depression_c - fog) / (mist - fog)).max(0.0);
        1000 + round(3999.0 * part)
    } else {
        let clear = 5000.0 + 4500.0 * (depression_c - mist);
        round(clear.min(VISIBILITY_MAX_M)).max(MIST_VISIBILITY_M)
    }
}
