//! Each rule by an hour that breaks it, and each state by an hour that is its own.

use super::*;

fn preset() -> Preset {
    Preset::built_in("brussels").expect("a built-in climate")
}

/// A mild, dry, cloudy hour.
fn cloudy() -> Conditions {
    Conditions {
        state: WeatherState::Cloudy,
        intensity_permille: 500,
        forced: false,
        temperature_dc: 100,
        dew_point_dc: 100,
        humidity_permille: 1000,
        wind_dmps: 40,
        gust_dmps: 60,
        wind_direction_deg: 0,
        precipitation_umph: 0,
        snow_umph: 0,
        cloud_permille: 900,
        visibility_m: 20_000,
        pressure_dhpa: 10_130,
    }
}

fn rule(conditions: Conditions) -> Option<&'static str> {
    broken(&conditions, &preset())
}

#[test]
fn an_hour_that_is_its_own_breaks_no_rule() {
    use WeatherState as S;
    let wet = Conditions { precipitation_umph: 500, ..cloudy() };
    let cold = Conditions { temperature_dc: -20, dew_point_dc: -20, ..wet };
    let snow = Conditions { snow_umph: 500, state: S::Snow, ..cold };
    let heavy = 2000;
    for conditions in [
        cloudy(),
        Conditions { state: S::Clear, cloud_permille: 250, ..cloudy() },
        Conditions { state: S::PartlyCloudy, cloud_permille: 650, ..cloudy() },
        Conditions { state: S::Mist, visibility_m: 1000, ..cloudy() },
        Conditions { state: S::Fog, visibility_m: 999, ..cloudy() },
        Conditions { state: S::Windy, wind_dmps: 108, gust_dmps: 150, ..cloudy() },
        Conditions { state: S::Rain, ..wet },
        Conditions { state: S::Storm, ..wet },
        Conditions { state: S::HeavyRain, precipitation_umph: 7601, ..wet },
        snow,
        Conditions { state: S::HeavySnow, snow_umph: heavy, precipitation_umph: heavy, ..snow },
        Conditions {
            state: S::Blizzard,
            wind_dmps: 160,
            gust_dmps: 200,
            visibility_m: 300,
            ..snow
        },
        Conditions { state: S::ExtremeHeat, temperature_dc: 350, dew_point_dc: 350, ..cloudy() },
        Conditions { state: S::ExtremeCold, temperature_dc: -150, dew_point_dc: -150, ..cloudy() },
    ] {
        assert_eq!(rule(conditions), None, "{conditions:?}");
    }
}

#[test]
fn each_rule_is_broken_by_its_hour() {
    use WeatherState as S;
    let wet = Conditions { precipitation_umph: 500, state: S::Rain, ..cloudy() };
    let warm_snow = Conditions { snow_umph: 500, state: S::Snow, ..wet };
    assert_eq!(rule(warm_snow), Some("snow falls with a wet bulb of at most 2 C"));
    let cold = Conditions { temperature_dc: -50, dew_point_dc: -50, ..wet };
    assert_eq!(rule(cold), Some("rain never falls at -5 C or below"));
    let damp = Conditions { dew_point_dc: 101, ..cloudy() };
    assert_eq!(rule(damp), Some("the dew point is not above the temperature"));
    let still = Conditions { gust_dmps: 39, ..cloudy() };
    assert_eq!(rule(still), Some("gusts are not below the wind"));
    let dry = Conditions { humidity_permille: 900, ..cloudy() };
    assert_eq!(rule(dry), Some("humidity follows from temperature and dew point"));
    for state in S::ALL.into_iter().filter(|state| *state != S::Cloudy) {
        let named = Conditions { state, ..cloudy() };
        assert!(rule(named).is_some(), "{state} has none of the numbers of a cloudy hour");
    }
}

#[test]
fn snow_in_dry_air_may_be_warmer_than_two_degrees() {
    let t = 40;
    let snow = |dew_point_dc: i16| {
        let humidity =
            1000.0 * vapour_pressure_hpa(celsius(dew_point_dc)) / vapour_pressure_hpa(4.0);
        Conditions {
            state: WeatherState::Snow,
            temperature_dc: t,
            dew_point_dc,
            humidity_permille: humidity.round() as u16,
            precipitation_umph: 300,
            snow_umph: 300,
            ..cloudy()
        }
    };
    assert_eq!(rule(snow(-30)), None, "a wet bulb near 1 C");
    assert!(rule(snow(35)).is_some(), "a wet bulb near 4 C");
}
