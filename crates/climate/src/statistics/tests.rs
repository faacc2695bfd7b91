//! The figures of small records that can be checked by hand.

use super::*;
use crate::observations::{Day, Hour};

fn day(number: u8, mm: f64) -> Day {
    Day { year: 2001, month: 1, day: number, tmin_c: 0.0, tmax_c: 4.0, precip_mm: Some(mm) }
}

fn rain(amounts: &[f64]) -> Record {
    Record::of_days((1..).zip(amounts).map(|(number, mm)| day(number, *mm)).collect())
}

#[test]
fn days_are_wet_from_one_millimetre_and_persist_as_counted() {
    let figures = Figures::of(&rain(&[2.0, 0.9, 1.0, 3.0, 0.0, 0.0]), 1);
    assert_eq!(figures.year("wet_day_share_year"), Some(0.5));
    assert_eq!(figures.year("wet_given_wet"), Some(1.0 / 3.0));
    assert_eq!(figures.year("wet_given_dry"), Some(0.5));
    assert_eq!(figures.year("wet_spell_mean"), Some(1.5));
    assert_eq!(figures.year("dry_spell_mean"), Some(1.5));
    assert_eq!(figures.year("wet_day_mm_mean"), Some(2.0));
}

#[test]
fn spells_and_pairs_end_at_a_gap() {
    let mut record = rain(&[2.0, 2.0, 2.0, 2.0]);
    record.days.remove(1);
    let figures = Figures::of(&record, 1);
    assert_eq!(figures.year("wet_spell_mean"), Some(1.5));
    assert_eq!(figures.year("wet_given_wet"), Some(1.0));
}

#[test]
fn months_apart_end_every_run() {
    let days = [(1, 31), (2, 1)].map(|(month, number)| Day { month, ..day(number, 2.0) });
    let record = Record::of_days(days.to_vec());
    assert_eq!(Figures::of(&record, 1).year("wet_spell_mean"), Some(2.0));
    assert_eq!(Figures::of(&record.with_months_apart(), 1).year("wet_spell_mean"), Some(1.0));
}

#[test]
fn a_pure_season_has_no_residual_and_warmth_of_chance_has_its_persistence() {
    let year = |chance: fn(usize) -> f64| {
        let dates = (1..=12).flat_map(|month| (1..=28).map(move |number| (month, number)));
        let days = dates.enumerate().map(|(index, (month, number))| {
            let part = (month as f64 - 1.0 + (number as f64 - 1.0) / 28.0) / 12.0;
            let mean = 10.0 - 8.0 * (std::f64::consts::TAU * part).cos() + chance(index);
            let temperature = Day { tmin_c: mean - 2.0, tmax_c: mean + 2.0, ..day(number, 0.0) };
            Day { month, ..temperature }
        });
        Figures::of(&Record::of_days(days.collect()), 1)
    };
    assert!(year(|_| 0.0).year("temp_residual_sd").unwrap() < 0.2);
    let blocks = year(|index| if index / 2 % 2 == 0 { 3.0 } else { -3.0 });
    assert!((blocks.year("temp_residual_sd").unwrap() - 3.0).abs() < 0.1);
    assert!(blocks.year("temp_lag1").unwrap().abs() < 0.1);
    assert!(blocks.year("temp_lag2").unwrap() < -0.9);
}

fn hour(of_day: u8, mm: f64, state: WeatherState) -> Hour {
    Hour {
        year: 2001,
        month: 1,
        day: 1,
        hour: of_day,
        temp_c: Some(f64::from(of_day)),
        dew_c: None,
        rh: Some(80.0),
        wind_ms: Some(4.0),
        gust_ms: None,
        precip_mm: Some(mm),
        cloud: None,
        visibility_m: None,
        state: Some(state),
    }
}

#[test]
fn hours_make_their_day_and_their_states_are_counted() {
    use WeatherState::{Clear, Fog, Rain};
    let state = |h| {
        if h == 6 || h == 13 {
            Fog
        } else if h < 3 {
            Rain
        } else {
            Clear
        }
    };
    let hours: Vec<Hour> =
        (0..24).map(|h| hour(h, if h < 3 { 0.5 } else { 0.0 }, state(h))).collect();
    let record = Record::of_hours(hours);
    assert_eq!(record.days, [Day { tmax_c: 23.0, ..day(1, 1.5) }]);
    let figures = Figures::of(&record, 1);
    assert_eq!(figures.year("wet_hours_per_wet_day"), Some(3.0));
    assert_eq!(figures.year("wet_hour_given_wet"), Some(2.0 / 3.0));
    assert_eq!(figures.year(&share_of(Rain)), Some(0.125));
    assert_eq!(figures.year("wind_mean"), Some(4.0));
    assert_eq!(figures.year("fog_dawn_over_afternoon"), Some(1.25));
    assert_eq!(figures.year(&run_of(Rain)), None, "a single run shows no mean");
}

#[test]
fn errors_of_independent_days_are_those_of_the_textbook() {
    // Ten years of days, wet one in four by a scrambled count.
    let days = (0..10).flat_map(|year| {
        (1..=12).flat_map(move |month| (1..=28).map(move |number| (2001 + year, month, number)))
    });
    let days = days.map(|(year, month, number)| {
        let mixed = (serial_mix(year as u64) ^ serial_mix(1000 * u64::from(month)))
            .wrapping_add(serial_mix(77 * u64::from(number)));
        let wet = serial_mix(mixed).is_multiple_of(4);
        Day { year, month, ..day(number, if wet { 5.0 } else { 0.0 }) }
    });
    let figures = Figures::with_errors(&Record::of_days(days.collect()));
    let series = &figures.0["wet_day_share_year"];
    let textbook = (0.25 * 0.75 / 3360.0_f64).sqrt();
    assert!((series.value[0] - 0.25).abs() < 3.0 * textbook, "{series:?}");
    assert!((0.4..2.0).contains(&(series.error[0] / textbook)), "{series:?}, {textbook}");
}

fn serial_mix(x: u64) -> u64 {
    let x = (x ^ (x >> 31)).wrapping_mul(0x7fb5_d329_728e_a185);
    let x = (x ^ (x >> 27)).wrapping_mul(0x81da_def4_bc2d_d44d);
    x ^ (x >> 33)
}

#[test]
fn every_figure_is_explained() {
    let hours = (1..=28).flat_map(|day| {
        (0..24).map(move |h| Hour { day, ..hour(h, f64::from(day % 2), WeatherState::Rain) })
    });
    let mut hours: Vec<Hour> = hours.collect();
    for hour in hours.iter_mut().filter(|hour| hour.hour > 11) {
        hour.state = Some(WeatherState::Fog);
    }
    let figures = Figures::of(&Record::of_hours(hours), 1);
    let explained = |name: &&String| NAMES.iter().any(|(known, _)| known == *name);
    let others: Vec<&String> = figures.0.keys().filter(|name| !explained(name)).collect();
    assert!(others.iter().all(|name| name.starts_with("state_")), "{others:?}");
    for (name, _) in NAMES {
        assert!(figures.0.contains_key(name), "{name} is explained but never found");
    }
}
