//! Rules that no hour may break, written down a second time: not by calling the code that names
//! the weather, but from what each state promises. Not here: how often states come (`bands`).

use worldbus_world::preset::Preset;
use worldbus_world::{Conditions, WeatherState};

const WET_UMPH: u32 = 100;
const HEAVY_RAIN_ABOVE_UMPH: u32 = 7600;
const HEAVY_SNOW_UMPH: u32 = 1500;

/// The first rule that conditions break, if any.
pub fn broken(conditions: &Conditions, preset: &Preset) -> Option<&'static str> {
    let rules = [
        ("snow falls with a wet bulb of at most 2 C", snow_is_cold(conditions)),
        ("rain never falls at -5 C or below", rain_is_warm(conditions)),
        ("the dew point is not above the temperature", dew_is_below(conditions)),
        ("gusts are not below the wind", conditions.gust_dmps >= conditions.wind_dmps),
        ("humidity follows from temperature and dew point", humidity_follows(conditions)),
        ("a state has its own numbers", state_has_its_numbers(conditions, preset)),
    ];
    rules.iter().find(|(_, holds)| !holds).map(|(rule, _)| *rule)
}

fn snow_is_cold(c: &Conditions) -> bool {
    let snows = c.snow_umph > 0 || c.state.is_snowy();
    // Wet bulb <= 2 C by the psychrometer equation: what the air holds is at most what it would
    // with a wet bulb of exactly 2 C, and a temperature below 2 C is enough.
    let (t, dew) = (celsius(c.temperature_dc), celsius(c.dew_point_dc));
    let at_two = vapour_pressure_hpa(2.0) - 0.662 * (t - 2.0);
    !snows || t <= 2.0 || vapour_pressure_hpa(dew) <= at_two
}

fn rain_is_warm(c: &Conditions) -> bool {
    let rains = c.precipitation_umph > c.snow_umph && c.precipitation_umph >= WET_UMPH;
    let named = c.state.is_wet() && !c.state.is_snowy();
    !(rains || named) || c.temperature_dc > -50
}

fn dew_is_below(c: &Conditions) -> bool {
    c.dew_point_dc <= c.temperature_dc
}

fn humidity_follows(c: &Conditions) -> bool {
    let (t, dew) = (celsius(c.temperature_dc), celsius(c.dew_point_dc));
    let wanted = 1000.0 * vapour_pressure_hpa(dew) / vapour_pressure_hpa(t);
    (f64::from(c.humidity_permille) - wanted).abs() <= 1.0
}

fn state_has_its_numbers(c: &Conditions, preset: &Preset) -> bool {
    use WeatherState as S;
    let (rate, cloud, sight, wind) =
        (c.precipitation_umph, c.cloud_permille, c.visibility_m, c.wind_dmps);
    let dry = rate < WET_UMPH;
    let calm = dry && wind < 108;
    let sighted = calm && sight >= 5000;
    match c.state {
        S::Clear => sighted && cloud <= 250,
        S::PartlyCloudy => sighted && (251..=650).contains(&cloud),
        S::Cloudy => sighted && cloud > 650,
        S::Mist => calm && (1000..5000).contains(&sight),
        S::Fog => dry && wind < 50 && sight < 1000,
        S::Rain => (WET_UMPH..=HEAVY_RAIN_ABOVE_UMPH).contains(&rate) && c.snow_umph == 0,
        S::HeavyRain => rate > HEAVY_RAIN_ABOVE_UMPH && c.snow_umph == 0,
        S::Storm => !dry && c.snow_umph == 0,
        S::Snow => (WET_UMPH..HEAVY_SNOW_UMPH).contains(&c.snow_umph),
        S::HeavySnow => c.snow_umph >= HEAVY_SNOW_UMPH,
        S::Blizzard => c.snow_umph >= WET_UMPH && wind >= 156 && sight < 400,
        S::Windy => dry && wind >= 108,
        S::ExtremeHeat => dry && (i64::from(c.temperature_dc) >= preset.heat_dc || feels_hot(c)),
        S::ExtremeCold => dry && (i64::from(c.temperature_dc) <= preset.cold_dc || feels_cold(c)),
    }
}

/// Only that it can be felt as 41 C: from 27 C on, in air that is not dry.
fn feels_hot(c: &Conditions) -> bool {
    c.temperature_dc >= 270 && c.humidity_permille >= 400
}

/// Wind chill (2001) of at most -28 C, half a degree for rounding.
fn feels_cold(c: &Conditions) -> bool {
    let (t, wind) = (celsius(c.temperature_dc), f64::from(c.wind_dmps) * 0.36);
    let speed = wind.powf(0.16);
    13.12 + 0.6215 * t - 11.37 * speed + 0.3965 * t * speed <= -27.5
}

fn celsius(tenths: i16) -> f64 {
    f64::from(tenths) / 10.0
}

/// Saturation over water, Magnus (Sonntag 1990).
fn vapour_pressure_hpa(celsius: f64) -> f64 {
    6.112 * (17.62 * celsius / (243.12 + celsius)).exp()
}
