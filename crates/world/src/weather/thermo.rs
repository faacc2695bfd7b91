//! Moist air and what people feel in it, by published formulas on `libm`.
//! Not `psychrometrics` crates: those use std's `exp`, which differs between platforms.

use std::sync::LazyLock;

use crate::whole::round;

const KEPT_DC_MIN: i64 = -900;
const KEPT_DC_COUNT: usize = 1500;
const GAMMA_HPA_PER_K: f64 = 0.662;
const SNOW_TEMPERATURE_DC: i64 = 12;
/// From here on no dew point makes the wet bulb that cold except in a desert, where none falls.
const SNOW_TEMPERATURE_END_DC: i64 = 120;
/// No air has a lower dew point.
const DRIEST_DC: i64 = -1000;
const SNOW_WET_BULB_C: f64 = 1.0;

/// Saturation vapour pressure over water in hPa, Magnus (Sonntag 1990).
pub(super) fn vapour_pressure_hpa(celsius: f64) -> f64 {
    6.112 * libm::exp(17.62 * celsius / (243.12 + celsius))
}

/// The same of tenths of a degree, which are asked for so often that they are kept.
struct VapourPressures([f64; KEPT_DC_COUNT]);

static VAPOUR_PRESSURES: LazyLock<VapourPressures> = LazyLock::new(|| {
    VapourPressures(core::array::from_fn(|at| {
        vapour_pressure_hpa((at as i64 + KEPT_DC_MIN) as f64 / 10.0)
    }))
});

impl VapourPressures {
    fn of_dc(&self, dc: i64) -> f64 {
        let kept = self.0.get((dc - KEPT_DC_MIN) as usize);
        kept.copied().unwrap_or_else(|| vapour_pressure_hpa(dc as f64 / 10.0))
    }
}

/// Relative humidity of air from its temperature and dew point, 0 to 1000.
pub(super) fn humidity_permille(temperature_dc: i64, dew_point_dc: i64) -> i64 {
    let kept = &*VAPOUR_PRESSURES;
    let ratio = kept.of_dc(dew_point_dc) / kept.of_dc(temperature_dc);
    round(1000.0 * ratio.clamp(0.0, 1.0))
}

/// Wet-bulb temperature in C by the psychrometer equation, found by Newton's method from the
/// rule of a third.
pub(super) fn wet_bulb_c(temperature_dc: i64, dew_point_dc: i64) -> f64 {
    let (t, td) = (temperature_dc as f64 / 10.0, dew_point_dc as f64 / 10.0);
    let vapour = VAPOUR_PRESSURES.of_dc(dew_point_dc);
    let mut wet = t - (t - td) / 3.0;
    for _ in 0..4 {
        let saturated = vapour_pressure_hpa(wet);
        let slope = saturated * 4283.77 / ((243.12 + wet) * (243.12 + wet));
        wet -= (saturated - vapour - GAMMA_HPA_PER_K * (t - wet)) / (slope + GAMMA_HPA_PER_K);
    }
    wet.clamp(td, t)
}

/// Precipitation falls as snow: at 1.2 C or below, or with a wet bulb below 1 C.
pub(super) fn is_snow(temperature_dc: i64, dew_point_dc: i64) -> bool {
    /// Up to which dew point it snows, by the temperature above [`SNOW_TEMPERATURE_DC`].
    static DEW_POINT_MAX_DC: LazyLock<Vec<i64>> = LazyLock::new(|| {
        (SNOW_TEMPERATURE_DC + 1..SNOW_TEMPERATURE_END_DC).map(snow_dew_point_max_dc).collect()
    });
    if temperature_dc <= SNOW_TEMPERATURE_DC {
        return true;
    }
    let max = DEW_POINT_MAX_DC.get((temperature_dc - SNOW_TEMPERATURE_DC - 1) as usize);
    max.is_some_and(|max| dew_point_dc <= *max)
}

/// The wet bulb rises with the dew point, so halving finds the last one.
fn snow_dew_point_max_dc(temperature_dc: i64) -> i64 {
    let (mut colder, mut warmer) = (DRIEST_DC - 1, temperature_dc + 1);
    while warmer - colder > 1 {
        let middle = (colder + warmer) / 2;
        if wet_bulb_c(temperature_dc, middle) < SNOW_WET_BULB_C {
            colder = middle;
        } else {
            warmer = middle;
        }
    }
    colder
}

/// What heat feels like, C: the heat index of the US weather service (Rothfusz 1990), where it is
/// defined: from 27 C and 40 % humidity.
pub(super) fn heat_index_c(temperature_dc: i64, dew_point_dc: i64) -> Option<f64> {
    if temperature_dc < 270 {
        return None;
    }
    let t = temperature_dc as f64 / 10.0;
    let r = humidity_permille(temperature_dc, dew_point_dc) as f64 / 10.0;
    let (tt, rr) = (t * t, r * r);
    let linear = -8.784_694_755_56 + 1.611_394_11 * t + 2.338_548_838_89 * r;
    let square = -0.146_116_05 * t * r - 0.012_308_094 * tt - 0.016_424_827_777_8 * rr;
    let cubic = 0.002_211_732 * tt * r + 0.000_725_46 * t * rr - 0.000_003_582 * tt * rr;
    (r >= 40.0).then_some(linear + square + cubic)
}

/// What cold feels like, C: the wind chill of the North American weather services (2001), where
/// it is defined: down from 0 C, with a wind.
pub(super) fn wind_chill_c(temperature_dc: i64, wind_dmps: i64) -> Option<f64> {
    if temperature_dc > 0 || wind_dmps < 14 {
        return None;
    }
    let t = temperature_dc as f64 / 10.0;
    let speed = chill(wind_dmps);
    Some(13.12 + 0.6215 * t - 11.37 * speed + 0.3965 * t * speed)
}

/// What a wind takes away: its speed in km/h to the power of 0.16.
fn chill(wind_dmps: i64) -> f64 {
    const KEPT_DMPS: i64 = 1000;
    static KEPT: LazyLock<Vec<f64>> = LazyLock::new(|| (0..KEPT_DMPS).map(chill_of).collect());
    KEPT.get(wind_dmps as usize).copied().unwrap_or_else(|| chill_of(wind_dmps))
}

fn chill_of(wind_dmps: i64) -> f64 {
    libm::pow(wind_dmps as f64 * 0.36, 0.16)
}
