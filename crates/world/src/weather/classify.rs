//! The rules that name the weather, in order: the first that matches wins. They read quantised
//! numbers, so that a state and its published numbers cannot disagree by rounding.
//! Not here: how numbers are brought into a state's band (`constrain`).

use super::WeatherState;
use super::conditions::Numbers;
use super::thermo;
use crate::preset::Preset;

/// Something falls from this rate on.
pub(super) const WET_UMPH: i64 = 100;
/// More is heavy rain.
pub(super) const RAIN_UMPH_MAX: i64 = 7600;
/// Heavy snow from this rate on.
pub(super) const HEAVY_SNOW_UMPH: i64 = 1500;
/// Blizzard: 35 mph (US National Weather Service).
pub(super) const BLIZZARD_WIND_DMPS: i64 = 156;
/// Blizzard: a quarter of a mile.
pub(super) const BLIZZARD_VISIBILITY_M: i64 = 400;
/// Fog below this visibility (WMO).
pub(super) const FOG_VISIBILITY_M: i64 = 1000;
/// Fog below this wind.
pub(super) const FOG_WIND_DMPS: i64 = 50;
/// Mist below this visibility.
pub(super) const MIST_VISIBILITY_M: i64 = 5000;
/// Beaufort 6.
pub(super) const WINDY_DMPS: i64 = 108;
/// Clear up to this cover.
pub(super) const CLEAR_PERMILLE_MAX: i64 = 250;
/// Partly cloudy up to this cover.
pub(super) const PARTLY_PERMILLE_MAX: i64 = 650;

/// The state of an hour, apart from its past: a blizzard is one only in its third hour.
pub(super) fn classify(
    n: &Numbers,
    thunder: bool,
    long_blizzard: bool,
    preset: &Preset,
) -> WeatherState {
    if n.precipitation_umph >= WET_UMPH {
        return wet(n, thunder, long_blizzard);
    }
    if n.visibility_m < FOG_VISIBILITY_M && n.wind_dmps < FOG_WIND_DMPS {
        WeatherState::Fog
    } else if is_extreme_cold(n, preset) {
        WeatherState::ExtremeCold
    } else if is_extreme_heat(n, preset) {
        WeatherState::ExtremeHeat
    } else if n.wind_dmps >= WINDY_DMPS {
        WeatherState::Windy
    } else if n.visibility_m < MIST_VISIBILITY_M {
        WeatherState::Mist
    } else if n.cloud_permille > PARTLY_PERMILLE_MAX {
        WeatherState::Cloudy
    } else if n.cloud_permille > CLEAR_PERMILLE_MAX {
        WeatherState::PartlyCloudy
    } else {
        WeatherState::Clear
    }
}

/// Snow, wind and visibility of a blizzard, be it long or not.
pub(super) fn is_blizzard_hour(n: &Numbers) -> bool {
    n.precipitation_umph >= WET_UMPH
        && n.wind_dmps >= BLIZZARD_WIND_DMPS
        && n.visibility_m < BLIZZARD_VISIBILITY_M
        && n.is_snow_phase()
}

pub(super) fn is_extreme_cold(n: &Numbers, preset: &Preset) -> bool {
    n.temperature_dc <= preset.cold_dc || feels_cold(n, preset)
}

pub(super) fn is_extreme_heat(n: &Numbers, preset: &Preset) -> bool {
    n.temperature_dc >= preset.heat_dc || feels_hot(n, preset)
}

pub(super) fn feels_cold(n: &Numbers, preset: &Preset) -> bool {
    let felt = thermo::wind_chill_c(n.temperature_dc, n.wind_dmps);
    felt.is_some_and(|felt_c| felt_c <= preset.wind_chill_dc as f64 / 10.0)
}

pub(super) fn feels_hot(n: &Numbers, preset: &Preset) -> bool {
    let felt = thermo::heat_index_c(n.temperature_dc, n.dew_point_dc);
    felt.is_some_and(|felt_c| felt_c >= preset.heat_index_dc as f64 / 10.0)
}

fn wet(n: &Numbers, thunder: bool, long_blizzard: bool) -> WeatherState {
    match (n.is_snow_phase(), n.precipitation_umph) {
        (true, _) if long_blizzard => WeatherState::Blizzard,
        (true, HEAVY_SNOW_UMPH..) => WeatherState::HeavySnow,
        (true, _) => WeatherState::Snow,
        (false, _) if thunder => WeatherState::Storm,
        (false, ..=RAIN_UMPH_MAX) => WeatherState::Rain,
        (false, _) => WeatherState::HeavyRain,
    }
}
