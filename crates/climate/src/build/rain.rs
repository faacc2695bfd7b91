//! Moves a preset's rain to the goals: an inner loop sets onset and rate of each month, an outer
//! one looks for the octaves and the shape of the rate that give the observed persistence and
//! amounts. Not here: what is judged (`bands`).

use super::base::{Days, empty};
use super::draws::Draws;
use super::goals::{Goals, HEAVY_MM};
use super::months::{self, Month};
use super::search::{search, shares};
use crate::observations::{Day, Hour, Record};
use crate::statistics::{Figures, WET_HOUR_MM};
use worldbus_world::preset::Preset;
use worldbus_world::{Trial, WeatherState};

/// Hours of each draw that the search looks at first; then it looks at all.
const SEARCH_HOURS: usize = 10 * 8760;
/// Of these, the hours whose rows are compared one by one.
const ROW_HOURS: usize = 8 * 8760;
const SEARCH_COUNT: usize = 140;
const WHOLE_COUNT: usize = 100;
const SEARCH_STEP: f64 = 0.6;
const WHOLE_STEP: f64 = 0.2;
const SEARCH_ROUNDS: usize = 3;
const FINAL_ROUNDS: usize = 14;
/// What moving a parameter by 1 costs.
const INERTIA: f64 = 0.1;
/// Share of the passing octave that keeps wet days 50 km apart as different as observed, where no
/// hours tell the share.
const PASSING_MIN: f64 = 0.45;
/// Rain of less steepness would fall off again within what happens.
const STEEPNESS_MIN: f64 = -0.15;
/// The logarithm of 2.5.
const HEAVY_LN: f64 = 0.916;
/// Weaker showers than these could not make a heavy hour.
const SHOWER_LN_MIN: f64 = 2.3;

/// What the daily figures of rain are called.
fn is_judged(figure: &str) -> bool {
    const FIGURES: [&str; 15] = [
        "wet_day_share",
        "wet_day_mm_mean",
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
        "state_run_heavy_rain",
    ];
    FIGURES.contains(&figure)
}

/// Moves the rain of a preset to the goals, and these to what can be had of them together.
pub(super) fn calibrate(preset: &mut Preset, draws: &Draws, goals: &mut Goals) {
    let starts = STARTS.iter().take(if goals.has_hours() { STARTS.len() } else { 1 });
    let mut best: Option<Found> = None;
    for start in starts {
        let mut tried = preset.clone();
        apply(&mut tried, start);
        settle(&mut tried, draws, SEARCH_HOURS, goals, FINAL_ROUNDS);
        let from = Found { cost: f64::MAX, at: start.to_vec(), preset: tried };
        let found = from.better(draws, SEARCH_HOURS, goals, (SEARCH_STEP, SEARCH_COUNT));
        if best.as_ref().is_none_or(|best| found.cost < best.cost) {
            best = Some(found);
        }
    }
    let Some(mut found) = best else { return };
    if goals.observed {
        found.cost = f64::MAX;
        found = found.better(draws, draws.hour_count(), goals, (WHOLE_STEP, WHOLE_COUNT));
    }
    *preset = found.preset;
    *goals = leaning(goals, &found.at);
    settle(preset, draws, draws.hour_count(), goals, FINAL_ROUNDS);
}

/// What a search has found.
#[derive(Clone, Debug)]
struct Found {
    cost: f64,
    at: Vec<f64>,
    preset: Preset,
}

impl Found {
    /// Searches on from here, with a first step and a count of trials.
    fn better(
        self,
        draws: &Draws,
        hours: usize,
        goals: &Goals,
        (step, count): (f64, usize),
    ) -> Self {
        let start = self.at.clone();
        let mut tried = self.preset.clone();
        let mut best = self;
        search(start.clone(), step, count, |at| {
            apply(&mut tried, at);
            let goals = leaning(goals, at);
            settle(&mut tried, draws, hours, &goals, SEARCH_ROUNDS);
            let miss = draws.mean(|trial| {
                let (found, off) = figures(&tried, trial, hours, &goals);
                goals.miss(&found, is_judged) + off
            });
            let cost = miss + inertia(at, &start, &goals);
            if cost < best.cost {
                best = Self { cost, at: at.to_vec(), preset: tried.clone() };
            }
            cost
        });
        best
    }
}

/// Where the search begins: octaves that suit days and hours of temperate places; or, if the hours
/// are known, of places where it rains for some hours and not the next day. Then steepness and
/// strength of showers; and the logarithms of what the goals of heavy hours, wet days and the
/// water of these are multiplied by.
const STARTS: [[f64; 10]; 2] = [
    [-1.2, -1.43, -1.27, -2.04, -3.0, -0.8, 2.4, 0.0, 0.0, 0.0],
    [-2.3, -0.4, -1.6, -3.5, -4.0, 0.0, 2.4, 0.0, 0.0, 0.0],
];

/// The cost of leaving the start: what no figure asks for stays.
fn inertia(at: &[f64], start: &[f64], goals: &Goals) -> f64 {
    let counted = if goals.wet_hours.is_some() { 7 } else { 5 };
    let moved: f64 = at.iter().zip(start).take(counted).map(|(a, b)| (a - b) * (a - b)).sum();
    let leaning: f64 = at[8..].iter().map(|part| (part / LEANING_LN).powi(2)).sum();
    let passing = shares(&at[..5])[0];
    let near = if goals.has_hours() { 0.0 } else { (PASSING_MIN - passing).max(0.0) / 0.1 };
    INERTIA * moved + (at[7] / HEAVY_LN).powi(2) + leaning + near * near
}

/// The goals as the search leans them. Heavy hours may be more or fewer within the factor that
/// bands allow; a short record's wet days too, within its own error.
fn leaning(goals: &Goals, at: &[f64]) -> Goals {
    let part = |at: f64, most: f64| at.clamp(-most, most).exp();
    let mut goals = goals.clone();
    goals.heavy = goals.heavy.map(|share| share * part(at[7], HEAVY_LN));
    for month in &mut goals.months {
        month.wet_share *= part(at[8], 2.0 * LEANING_LN);
        month.wet_mm *= part(at[9], 2.0 * LEANING_LN);
    }
    goals
}

/// The logarithm of 1.1.
const LEANING_LN: f64 = 0.095;

fn apply(preset: &mut Preset, at: &[f64]) {
    preset.octaves.precipitation = shares(&at[..5]);
    preset.rain_steepness = rounded(at[5].clamp(-5.0, 3.0).exp() + STEEPNESS_MIN);
    preset.shower_mmph = rounded(at[6].clamp(SHOWER_LN_MIN, 4.0).exp());
}

/// What a month of the trial is like.
#[derive(Clone, Copy, Debug, Default)]
struct Is {
    /// Shares of hours.
    wet: f64,
    heavy: f64,
    days: Month,
}

fn months_of(preset: &Preset, trial: &Trial, hours: usize) -> [Is; 12] {
    let mut is = [Is::default(); 12];
    let mut counts = [0.0_f64; 12];
    let mut days = Days::default();
    for (date, rate) in trial.rates(hours, preset) {
        let m = usize::from(date.month) - 1;
        counts[m] += 1.0;
        is[m].wet += f64::from(u8::from(rate >= WET_HOUR_MM));
        is[m].heavy += f64::from(u8::from(rate > HEAVY_MM));
        days.push(date.year, date.month, date.hour, 0.0, rate);
    }
    let found = months::months(&days.0, months::WetBy::Amount, 1);
    for (m, is) in is.iter_mut().enumerate() {
        is.wet /= counts[m].max(1.0);
        is.heavy /= counts[m].max(1.0);
        is.days = found[m];
    }
    is
}

/// Moves onset, rate and onset of showers of each month to the goals.
pub(super) fn settle(
    preset: &mut Preset,
    draws: &Draws,
    hours: usize,
    goals: &Goals,
    rounds: usize,
) {
    for _ in 0..rounds {
        let mut mean = [Is::default(); 12];
        for (weight, trial) in draws.iter() {
            for (mean, is) in mean.iter_mut().zip(months_of(preset, trial, hours)) {
                mean.wet += weight * is.wet;
                mean.heavy += weight * is.heavy;
                mean.days.add(weight, is.days);
            }
        }
        for (m, is) in mean.iter().enumerate() {
            move_month(preset, m, is, goals);
        }
        even_out(preset, goals);
    }
}

fn move_month(preset: &mut Preset, m: usize, is: &Is, goals: &Goals) {
    let want = &goals.months[m];
    let more = match goals.wet_hours {
        Some(shares) => 3.0 * (is.wet - shares[m]),
        None => 1.6 * (is.days.wet_share - want.wet_share),
    };
    let onset = preset.rain_onset_z[m] + more.clamp(-0.5, 0.5);
    preset.rain_onset_z[m] = rounded(onset.clamp(-2.0, 4.0));
    let wetter = want.wet_mm.max(1.2) / is.days.wet_mm.max(1.0);
    let rate = preset.rain_rate_mmph[m] * wetter.clamp(0.7, 1.4);
    preset.rain_rate_mmph[m] = rounded(rate.clamp(0.05, 50.0));
    let more = (goals.heavy[m] / is.heavy.max(HEAVY_SHARE_MIN)).clamp(0.2, 5.0);
    let onset = preset.shower_onset_z[m] - 0.15 * more.ln();
    preset.shower_onset_z[m] = rounded(onset.clamp(0.3, 4.0));
}

/// A step of each month towards its neighbours. Since months meet in their middles, a goal that
/// jumps by chance from month to month asks for figures that jump far more.
fn even_out(preset: &mut Preset, goals: &Goals) {
    let part = goals.evenness;
    let even = |values: &mut [f64; 12], part: f64| {
        let was = *values;
        for m in 0..12 {
            let around = (was[(m + 11) % 12] + was[(m + 1) % 12]) / 2.0;
            values[m] = rounded(was[m] + part * (around - was[m]));
        }
    };
    even(&mut preset.rain_onset_z, part);
    even(&mut preset.rain_rate_mmph, 2.0 * part);
    even(&mut preset.shower_onset_z, part);
}

/// Less than one heavy hour in all years of a month.
const HEAVY_SHARE_MIN: f64 = 1e-5;

/// The figures of a draw's rain, of all days searched and of some hours; and how far its share of
/// heavy hours is from the goal, in thirds of what is allowed.
fn figures(preset: &Preset, trial: &Trial, hour_count: usize, goals: &Goals) -> (Figures, f64) {
    let (mut days, mut hours) = (Vec::new(), Vec::new());
    let mut heavy = 0.0;
    let rows = goals.has_hours();
    for (index, (date, rate)) in trial.rates(hour_count, preset).enumerate() {
        if date.hour == 0 {
            let (year, month, day) = (date.year, date.month, date.day);
            let precip_mm = Some(0.0);
            days.push(Day { year, month, day, tmin_c: 0.0, tmax_c: 0.0, precip_mm });
        }
        if let Some(Day { precip_mm: Some(mm), .. }) = days.last_mut() {
            *mm += rate;
        }
        heavy += f64::from(u8::from(rate > HEAVY_MM));
        if rows && index < ROW_HOURS {
            // By amount alone: which of it is snow or a storm is not known yet.
            let state = match rate {
                ..WET_HOUR_MM => WeatherState::Clear,
                WET_HOUR_MM..=HEAVY_MM => WeatherState::Rain,
                _ => WeatherState::HeavyRain,
            };
            hours.push(Hour { state: Some(state), precip_mm: Some(rate), ..empty(&date) });
        }
    }
    let record = Record { days, hours, months_apart: false };
    let wanted = months::mean(goals.heavy).max(1e-5);
    let more = ((heavy / hour_count as f64).max(1e-6) / wanted).ln();
    (Figures::of(&record, goals.targets.years), more * more)
}

pub(super) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
