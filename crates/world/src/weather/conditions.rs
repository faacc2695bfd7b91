//! The numbers of the weather at one place and instant, quantised to integers so that they are
//! the same on every machine and in every format. Not here: how they come about (`hour`).

use super::WeatherState;
use super::thermo;
use crate::time::GameTime;

/// The weather at one place and instant. The state and the numbers never contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conditions {
    /// What it is called.
    pub state: WeatherState,
    /// Position inside the state's own band, 0 to 1000.
    pub intensity_permille: u16,
    /// The state was forced.
    pub forced: bool,
    /// Air temperature, tenths of a degree Celsius.
    pub temperature_dc: i16,
    /// Dew point, tenths of a degree Celsius, never above the temperature.
    pub dew_point_dc: i16,
    /// Relative humidity, 0 to 1000.
    pub humidity_permille: u16,
    /// Mean wind, decimetres per second.
    pub wind_dmps: u16,
    /// Gusts, decimetres per second, never below the mean wind.
    pub gust_dmps: u16,
    /// Where the wind comes from, degrees clockwise from north, 0 to 359.
    pub wind_direction_deg: u16,
    /// Rain and melted snow, micrometres of water an hour.
    pub precipitation_umph: u32,
    /// The part of it that falls as snow.
    pub snow_umph: u32,
    /// Covered sky, 0 to 1000.
    pub cloud_permille: u16,
    /// Visibility in metres.
    pub visibility_m: u32,
    /// Air pressure at sea level, tenths of a hectopascal.
    pub pressure_dhpa: u16,
}

/// The numbers alone, as wide integers to compute with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) temperature_dc: i64,
    pub(super) dew_point_dc: i64,
    pub(super) wind_dmps: i64,
    pub(super) gust_dmps: i64,
    pub(super) wind_direction_deg: i64,
    pub(super) precipitation_umph: i64,
    pub(super) cloud_permille: i64,
    pub(super) visibility_m: i64,
    pub(super) pressure_dhpa: i64,
}

impl Numbers {
    /// The numbers that were published.
    pub(super) fn of(c: &Conditions) -> Self {
        Self {
            temperature_dc: c.temperature_dc.into(),
            dew_point_dc: c.dew_point_dc.into(),
            wind_dmps: c.wind_dmps.into(),
            gust_dmps: c.gust_dmps.into(),
            wind_direction_deg: c.wind_direction_deg.into(),
            precipitation_umph: c.precipitation_umph.into(),
            cloud_permille: c.cloud_permille.into(),
            visibility_m: c.visibility_m.into(),
            pressure_dhpa: c.pressure_dhpa.into(),
        }
    }

    /// The numbers `part_us` of an hour later, on the straight line to `next`.
    pub(super) fn towards(&self, next: &Self, part_us: i64) -> Self {
        let lerp = |a: i64, b: i64| a + (b - a) * part_us / GameTime::HOUR_US;
        let turn = (next.wind_direction_deg - self.wind_direction_deg + 540).rem_euclid(360) - 180;
        let direction = lerp(self.wind_direction_deg, self.wind_direction_deg + turn);
        let dew_point_dc = lerp(self.dew_point_dc, next.dew_point_dc);
        Self {
            temperature_dc: lerp(self.temperature_dc, next.temperature_dc).max(dew_point_dc),
            dew_point_dc,
            wind_dmps: lerp(self.wind_dmps, next.wind_dmps),
            gust_dmps: lerp(self.gust_dmps, next.gust_dmps),
            wind_direction_deg: direction.rem_euclid(360),
            precipitation_umph: lerp(self.precipitation_umph, next.precipitation_umph),
            cloud_permille: lerp(self.cloud_permille, next.cloud_permille),
            visibility_m: lerp(self.visibility_m, next.visibility_m),
            pressure_dhpa: lerp(self.pressure_dhpa, next.pressure_dhpa),
        }
    }

    /// What falls, falls as snow.
    pub(super) fn is_snow_phase(&self) -> bool {
        thermo::is_snow(self.temperature_dc, self.dew_point_dc)
    }

    pub(super) fn conditions(
        &self,
        state: WeatherState,
        intensity_permille: i64,
        forced: bool,
    ) -> Conditions {
        let falls = self.precipitation_umph > 0;
        let snow = if falls && self.is_snow_phase() { self.precipitation_umph } else { 0 };
        let humidity = thermo::humidity_permille(self.temperature_dc, self.dew_point_dc);
        // Each number is clamped where it comes about; these casts lose nothing.
        Conditions {
            state,
            intensity_permille: intensity_permille.clamp(0, 1000) as u16,
            forced,
            temperature_dc: self.temperature_dc as i16,
            dew_point_dc: self.dew_point_dc as i16,
            humidity_permille: humidity as u16,
            wind_dmps: self.wind_dmps as u16,
            gust_dmps: self.gust_dmps as u16,
            wind_direction_deg: self.wind_direction_deg as u16,
            precipitation_umph: self.precipitation_umph as u32,
            snow_umph: snow as u32,
            cloud_permille: self.cloud_permille as u16,
            visibility_m: self.visibility_m as u32,
            pressure_dhpa: self.pressure_dhpa as u16,
        }
    }
}
