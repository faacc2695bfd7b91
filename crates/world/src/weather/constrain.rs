//! Brings numbers into the band of a state: between two hours, where the straight line may leave
//! it, and under an override, where the whole state is given. Moves what it must and no more.
//! Not here: which state an hour has (`classify`).

use super::WeatherState;
use super::classify::{
    BLIZZARD_VISIBILITY_M, BLIZZARD_WIND_DMPS, CLEAR_PERMILLE_MAX, FOG_VISIBILITY_M, FOG_WIND_DMPS,
    HEAVY_SNOW_UMPH, MIST_VISIBILITY_M, PARTLY_PERMILLE_MAX, RAIN_UMPH_MAX, WET_UMPH, WINDY_DMPS,
    feels_cold, feels_hot, is_extreme_cold, is_extreme_heat,
};
use super::conditions::{Conditions, Numbers};
use crate::preset::Preset;
use crate::whole::round;

/// The least cover under which anything falls.
pub(super) const WET_CLOUD_PERMILLE: i64 = 700;

/// What a state's intensity measures, from its weakest to its strongest value.
struct Band {
    quantity: Quantity,
    weak: i64,
    strong: i64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quantity {
    Cloud,
    Visibility,
    Precipitation,
    Wind,
    Temperature,
}

/// Numbers of a natural state at an instant of its hour.
pub(super) fn settle(mut n: Numbers, state: WeatherState, preset: &Preset) -> Conditions {
    constrain(&mut n, state, preset);
    as_named(&n, state, preset)
}

/// Numbers by which their state was named: nothing is to move.
#[inline]
pub(super) fn as_named(n: &Numbers, state: WeatherState, preset: &Preset) -> Conditions {
    n.conditions(state, band(state, preset).position(*n), false)
}

/// Numbers of a state that was forced, at the given intensity.
pub(super) fn force(
    mut n: Numbers,
    state: WeatherState,
    intensity_permille: i64,
    preset: &Preset,
) -> Conditions {
    let band = band(state, preset);
    constrain(&mut n, state, preset);
    *band.quantity.of(&mut n) = band.value(intensity_permille);
    constrain(&mut n, state, preset);
    n.conditions(state, intensity_permille, true)
}

/// Moves numbers into a state's band. Numbers that are in it stay as they are.
pub(super) fn constrain(n: &mut Numbers, state: WeatherState, preset: &Preset) {
    if state.is_wet() {
        constrain_wet(n, state);
    } else {
        constrain_dry(n, state, preset);
    }
    n.dew_point_dc = n.dew_point_dc.min(n.temperature_dc);
    n.gust_dmps = n.gust_dmps.max(n.wind_dmps);
}

fn constrain_wet(n: &mut Numbers, state: WeatherState) {
    use WeatherState::{Blizzard, HeavyRain, HeavySnow, Rain, Snow};
    let rates = match state {
        Rain => WET_UMPH..=RAIN_UMPH_MAX,
        HeavyRain => RAIN_UMPH_MAX + 1..=i64::from(u32::MAX),
        Snow => WET_UMPH..=HEAVY_SNOW_UMPH - 1,
        HeavySnow => HEAVY_SNOW_UMPH..=i64::from(u32::MAX),
        _ => WET_UMPH..=i64::from(u32::MAX),
    };
    n.precipitation_umph = n.precipitation_umph.clamp(*rates.start(), *rates.end());
    n.cloud_permille = n.cloud_permille.max(WET_CLOUD_PERMILLE);
    if state == Blizzard {
        n.wind_dmps = n.wind_dmps.max(BLIZZARD_WIND_DMPS);
        n.visibility_m = n.visibility_m.min(BLIZZARD_VISIBILITY_M - 1);
    }
    if state.is_snowy() && !n.is_snow_phase() {
        n.temperature_dc = n.temperature_dc.min(10);
    } else if !state.is_snowy() && n.is_snow_phase() {
        n.temperature_dc = n.temperature_dc.max(25);
        n.dew_point_dc = n.dew_point_dc.max(n.temperature_dc - 10);
    }
}

fn constrain_dry(n: &mut Numbers, state: WeatherState, preset: &Preset) {
    use WeatherState::{Clear, Cloudy, ExtremeCold, ExtremeHeat, Fog, Mist, PartlyCloudy, Windy};
    n.precipitation_umph = n.precipitation_umph.min(WET_UMPH - 1);
    match state {
        Fog => n.wind_dmps = n.wind_dmps.min(FOG_WIND_DMPS - 1),
        Windy => n.wind_dmps = n.wind_dmps.max(WINDY_DMPS),
        ExtremeHeat | ExtremeCold => {}
        _ => n.wind_dmps = n.wind_dmps.min(WINDY_DMPS - 1),
    }
    match state {
        Fog => n.visibility_m = n.visibility_m.min(FOG_VISIBILITY_M - 1),
        Mist => n.visibility_m = n.visibility_m.clamp(FOG_VISIBILITY_M, MIST_VISIBILITY_M - 1),
        Clear | PartlyCloudy | Cloudy => n.visibility_m = n.visibility_m.max(MIST_VISIBILITY_M),
        _ => n.visibility_m = n.visibility_m.max(FOG_VISIBILITY_M),
    }
    match state {
        Clear => n.cloud_permille = n.cloud_permille.min(CLEAR_PERMILLE_MAX),
        PartlyCloudy => {
            n.cloud_permille = n.cloud_permille.clamp(CLEAR_PERMILLE_MAX + 1, PARTLY_PERMILLE_MAX);
        }
        Cloudy => n.cloud_permille = n.cloud_permille.max(PARTLY_PERMILLE_MAX + 1),
        _ => {}
    }
    match state {
        Fog => {}
        ExtremeCold if !is_extreme_cold(n, preset) => n.temperature_dc = preset.cold_dc,
        ExtremeHeat if !is_extreme_heat(n, preset) => n.temperature_dc = preset.heat_dc,
        ExtremeCold | ExtremeHeat => {}
        _ => temper(n, preset),
    }
}

/// Moves temperature and dew point out of both extremes.
fn temper(n: &mut Numbers, preset: &Preset) {
    n.temperature_dc = n.temperature_dc.clamp(preset.cold_dc + 1, preset.heat_dc - 1);
    while feels_cold(n, preset) {
        n.temperature_dc += 5;
    }
    while feels_hot(n, preset) {
        n.dew_point_dc -= 5;
    }
}

fn band(state: WeatherState, preset: &Preset) -> Band {
    use Quantity::{Cloud, Precipitation, Temperature, Visibility, Wind};
    use WeatherState as S;
    let (quantity, weak, strong) = match state {
        S::Clear => (Cloud, CLEAR_PERMILLE_MAX, 0),
        S::PartlyCloudy => (Cloud, CLEAR_PERMILLE_MAX + 1, PARTLY_PERMILLE_MAX),
        S::Cloudy => (Cloud, PARTLY_PERMILLE_MAX + 1, 1000),
        S::Mist => (Visibility, MIST_VISIBILITY_M - 1, FOG_VISIBILITY_M),
        S::Fog => (Visibility, FOG_VISIBILITY_M - 1, 50),
        S::Rain => (Precipitation, WET_UMPH, RAIN_UMPH_MAX),
        S::HeavyRain => (Precipitation, RAIN_UMPH_MAX + 1, 50_000),
        S::Storm => (Precipitation, WET_UMPH, 40_000),
        S::Snow => (Precipitation, WET_UMPH, HEAVY_SNOW_UMPH - 1),
        S::HeavySnow => (Precipitation, HEAVY_SNOW_UMPH, 8000),
        S::Blizzard => (Wind, BLIZZARD_WIND_DMPS, 320),
        S::Windy => (Wind, WINDY_DMPS, 245),
        S::ExtremeHeat => (Temperature, preset.heat_dc, preset.heat_dc + 100),
        S::ExtremeCold => (Temperature, preset.cold_dc, preset.cold_dc - 200),
    };
    Band { quantity, weak, strong }
}

impl Band {
    /// Where the numbers lie, 0 to 1000.
    fn position(&self, mut n: Numbers) -> i64 {
        let [weak, strong] = [self.weak, self.strong].map(|value| self.quantity.spread(value));
        let value = self.quantity.spread(*self.quantity.of(&mut n));
        round(1000.0 * ((value - weak) / (strong - weak)).clamp(0.0, 1.0))
    }

    /// The value of a position.
    fn value(&self, intensity_permille: i64) -> i64 {
        let [weak, strong] = [self.weak, self.strong].map(|value| self.quantity.spread(value));
        let value = weak + (strong - weak) * intensity_permille as f64 / 1000.0;
        round(if self.quantity.is_rate() { value * value } else { value })
    }
}

impl Quantity {
    fn of(self, n: &mut Numbers) -> &mut i64 {
        match self {
            Self::Cloud => &mut n.cloud_permille,
            Self::Visibility => &mut n.visibility_m,
            Self::Precipitation => &mut n.precipitation_umph,
            Self::Wind => &mut n.wind_dmps,
            Self::Temperature => &mut n.temperature_dc,
        }
    }

    fn is_rate(self) -> bool {
        self == Self::Precipitation
    }

    /// Rates are spread by their square root: most rain is light.
    fn spread(self, value: i64) -> f64 {
        if self.is_rate() { (value as f64).sqrt() } else { value as f64 }
    }
}
