//! Moves a preset's rain to the goals: an inner loop sets onset and rate of each month, an outer
//! one looks for the octaves and the shape of the rate that give the observed persistence and
//! amounts. Not here: what is judged (`bands`).

use worldbus_world::preset::Preset;
use worldbus_world::{Trial, WeatherState};

use super::goals::{Goals, HEAVY_MM};
use super::months;
use super::search::{search, shares};
use crate::build::base::Days;
use crate::observations::{Day, Hour, Record};
use crate::statistics::{Figures, WET_HOUR_MM};

/// Hours that one trial of the search looks at.
const SEARCH_HOURS: usize = 20 * 8760;
/// Of these, the hours whose rows are compared one by one.
const ROW_HOURS: usize = 6 * 8760;
const SEARCH_COUNT: usize = 150;
const SEARCH_ROUNDS: usize = 4;
const FINAL_ROUNDS: usize = 14;
/// What moving a parameter by 1 costs.
const INERTIA: f64 = 0.1;
/// Rain of less steepness would fall off again within what happens.
const STEEPNESS_MIN: f64 = -0.15;
/// The logarithm of 2.5.
const HEAVY_LN: f64 = 0.916;
/// Weaker showers than these could not make a heavy hour.
const SHOWER_LN_MIN: f64 = 2.3;

/// What the daily figures of rain are called.
fn is_judged(figure: &str) -> bool {
    const FIGURES: [&str; 12] = [
        "wet_given_wet",
        "wet_given_dry",
        "wet_given_wet_month",
        "wet_spell_mean",
        "dry_spell_mean",
        "dry_spell_p90",
        "dry_spell_p99",
        "wet_day_mm_sd",
        "wet_day_mm_p95",
        "wet_hour_given_wet",
        "wet_state_given_wet",
        "wet_hours_per_wet_day",
    ];
    FIGURES.contains(&figure)
}

pub(super) fn calibrate(preset: &mut Preset, trial: &Trial, goals: &Goals) {
    let mut goals = goals.clone();
    let heavy = goals.heavy;
    let mut best: Option<(f64, Vec<f64>, Preset)> = None;
    let hourly = ["wet_hour_given_wet", "wet_state_given_wet"];
    let hourly = hourly.iter().any(|name| goals.targets.figures.0.contains_key(*name));
    for start in STARTS.into_iter().take(if hourly { STARTS.len() } else { 1 }) {
        let start = start.to_vec();
        let mut tried = preset.clone();
        apply(&mut tried, &start);
        goals.heavy = heavy;
        settle(&mut tried, trial, SEARCH_HOURS, &goals, FINAL_ROUNDS);
        search(start.clone(), 0.6, SEARCH_COUNT, |at| {
            apply(&mut tried, at);
            goals.heavy = scaled(heavy, at);
            settle(&mut tried, trial, SEARCH_HOURS, &goals, SEARCH_ROUNDS);
            let (found, off) = figures(&tried, trial, &goals);
            let cost = goals.miss(&found, is_judged) + off + inertia(at, &start, &goals);
            if best.as_ref().is_none_or(|(least, ..)| cost < *least) {
                best = Some((cost, at.to_vec(), tried.clone()));
            }
            cost
        });
    }
    if let Some((_, at, found)) = best {
        goals.heavy = scaled(heavy, &at);
        *preset = found;
        settle(preset, trial, trial.hour_count(), &goals, FINAL_ROUNDS);
    }
}

/// Where the search begins: octaves that suit days and hours of temperate places; or, if the hours
/// are known, of places where it rains for some hours and not the next day. Then steepness,
/// strength and number of showers.
const STARTS: [[f64; 8]; 2] = [
    [-1.2, -1.43, -1.27, -2.04, -3.0, -0.8, 2.4, 0.0],
    [-2.3, -0.4, -1.6, -3.5, -4.0, 0.0, 2.4, 0.0],
];

/// The cost of leaving the start: what no figure asks for stays.
fn inertia(at: &[f64], start: &[f64], goals: &Goals) -> f64 {
    let counted = if goals.wet_hours.is_some() { 7 } else { 5 };
    let moved: f64 = at.iter().zip(start).take(counted).map(|(a, b)| (a - b) * (a - b)).sum();
    INERTIA * moved + (at[7] / HEAVY_LN).powi(2)
}

/// Heavy hours may be more or fewer than the goal, within the factor that bands allow.
fn scaled(heavy: [f64; 12], at: &[f64]) -> [f64; 12] {
    heavy.map(|share| share * at[7].clamp(-HEAVY_LN, HEAVY_LN).exp())
}

fn apply(preset: &mut Preset, at: &[f64]) {
    preset.octaves.precipitation = shares(&at[..5]);
    preset.rain_steepness = rounded(at[5].clamp(-5.0, 3.0).exp() + STEEPNESS_MIN);
    preset.shower_mmph = rounded(at[6].clamp(SHOWER_LN_MIN, 4.0).exp());
}

/// What a month of the trial is like.
#[derive(Clone, Copy, Debug, Default)]
struct Is {
    hours: f64,
    wet: f64,
    heavy: f64,
}

/// Moves onset, rate and onset of showers of each month to the goals.
fn settle(preset: &mut Preset, trial: &Trial, hours: usize, goals: &Goals, rounds: usize) {
    for _ in 0..rounds {
        let mut is = [Is::default(); 12];
        let mut days = Days::default();
        for (date, rate) in trial.rates(hours, preset) {
            let month = &mut is[usize::from(date.month) - 1];
            month.hours += 1.0;
            month.wet += f64::from(u8::from(rate >= WET_HOUR_MM));
            month.heavy += f64::from(u8::from(rate > HEAVY_MM));
            days.push(date.year, date.month, date.hour, 0.0, rate);
        }
        let found = months::months(&days.0, months::WetBy::Amount, 1);
        for m in 0..12 {
            let want = &goals.months[m];
            let more = match goals.wet_hours {
                Some(shares) => 3.0 * (is[m].wet / is[m].hours - shares[m]),
                None => 1.6 * (found[m].wet_share - want.wet_share),
            };
            let onset = preset.rain_onset_z[m] + more.clamp(-0.5, 0.5);
            preset.rain_onset_z[m] = rounded(onset.clamp(-2.0, 4.0));
            let wetter = want.wet_mm.max(1.2) / found[m].wet_mm.max(1.0);
            let rate = preset.rain_rate_mmph[m] * wetter.clamp(0.7, 1.4);
            preset.rain_rate_mmph[m] = rounded(rate.clamp(0.05, 50.0));
            let heavy = is[m].heavy.max(0.3) / is[m].hours;
            let more = (goals.heavy[m] / heavy).clamp(0.2, 5.0);
            let onset = preset.shower_onset_z[m] - 0.15 * more.ln();
            preset.shower_onset_z[m] = rounded(onset.clamp(0.3, 4.0));
        }
    }
}

/// The figures of the trial's rain, of all days searched and of some hours; and how far its share
/// of heavy hours is from the goal, in thirds of what is allowed.
fn figures(preset: &Preset, trial: &Trial, goals: &Goals) -> (Figures, f64) {
    let (mut days, mut hours) = (Vec::new(), Vec::new());
    let mut heavy = 0.0;
    for (index, (date, rate)) in trial.rates(SEARCH_HOURS, preset).enumerate() {
        if date.hour == 0 {
            let (year, month, day) = (date.year, date.month, date.day);
            let precip_mm = Some(0.0);
            days.push(Day { year, month, day, tmin_c: 0.0, tmax_c: 0.0, precip_mm });
        }
        if let Some(Day { precip_mm: Some(mm), .. }) = days.last_mut() {
            *mm += rate;
        }
        heavy += f64::from(u8::from(rate > HEAVY_MM));
        if index < ROW_HOURS {
            let wet = rate >= WET_HOUR_MM;
            let state = if wet { WeatherState::Rain } else { WeatherState::Clear };
            hours.push(Hour { state: Some(state), precip_mm: Some(rate), ..empty(&date) });
        }
    }
    let record = Record { days, hours, months_apart: false };
    let wanted = months::mean(goals.heavy).max(1e-5);
    let more = ((heavy / SEARCH_HOURS as f64).max(1e-6) / wanted).ln();
    (Figures::of(&record, goals.targets.years), more * more)
}

/// A row of which only the time is known.
pub(super) fn empty(date: &worldbus_world::DateTime) -> Hour {
    Hour {
        year: date.year,
        month: date.month,
        day: date.day,
        hour: date.hour,
        temp_c: None,
        dew_c: None,
        rh: None,
        wind_ms: None,
        gust_ms: None,
        precip_mm: None,
        cloud: None,
        visibility_m: None,
        state: None,
    }
}

pub(super) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
