//! Moves what fog, mist and thunder begin at to the shares of the goals, and looks for the octaves
//! of cloud, moisture and wind that make states last as long as observed.

use worldbus_world::preset::Preset;
use worldbus_world::{DateTime, Trial, TrialHour};

use super::goals::Goals;
use super::rain::{empty, rounded};
use super::search::{logits, search, shares};
use super::tables::Scores;
use crate::observations::{Hour, Record};
use crate::statistics::{Figures, WET_HOUR_MM};

const SEARCH_HOURS: usize = 8 * 8760;
const SEARCH_COUNT: usize = 170;
const INERTIA: f64 = 0.03;
const FOG_WIND_MPS: f64 = 5.0;

fn is_judged(figure: &str) -> bool {
    let of_states = ["state_share_", "state_run_", "wind_"];
    of_states.iter().any(|start| figure.starts_with(start)) || figure == "fog_dawn_over_afternoon"
}

/// Finds octaves if the record tells how long states or the wind last.
pub(super) fn calibrate(preset: &mut Preset, trial: &Trial, goals: &Goals, scores: &Scores) {
    let has = |name: &str| goals.targets.figures.0.contains_key(name);
    let (states, wind) = (has("state_share_clear"), has("wind_hour_lag1"));
    let parts = [states, states, wind, states];
    let start = at(preset, parts);
    scores.apply(preset);
    if !start.is_empty() {
        let mut tried = preset.clone();
        let found = search(start.clone(), 0.6, SEARCH_COUNT, |at| {
            apply(&mut tried, at, parts);
            scores.apply(&mut tried);
            if states {
                cut(&mut tried, trial, SEARCH_HOURS, goals);
            }
            let moved: f64 = at.iter().zip(&start).map(|(a, b)| (a - b) * (a - b)).sum();
            goals.miss(&figures(&tried, trial, goals), is_judged) + INERTIA * moved
        });
        apply(preset, &found, parts);
        scores.apply(preset);
    }
}

fn at(preset: &Preset, parts: [bool; 4]) -> Vec<f64> {
    let o = &preset.octaves;
    let all = [&o.cloud, &o.depression, &o.wind, &o.convection];
    all.into_iter().zip(parts).filter(|(_, part)| *part).flat_map(|(o, _)| logits(o)).collect()
}

fn apply(preset: &mut Preset, at: &[f64], parts: [bool; 4]) {
    let o = &mut preset.octaves;
    let mut found = at.chunks_exact(5).map(shares);
    let all = [&mut o.cloud, &mut o.depression, &mut o.wind, &mut o.convection];
    for (octaves, part) in all.into_iter().zip(parts) {
        if let Some(found) = part.then(|| found.next()).flatten() {
            *octaves = found;
        }
    }
}

/// Sets the cuts of fog, mist and thunder to the quantiles that give the shares of the goals.
pub(super) fn cut(preset: &mut Preset, trial: &Trial, hours: usize, goals: &Goals) {
    let mut damp: [Vec<(f64, bool)>; 12] = Default::default();
    let mut thunder: [Vec<f64>; 12] = Default::default();
    let mut counts = [0usize; 12];
    for (date, hour) in trial.hours(hours, preset) {
        let m = usize::from(date.month) - 1;
        counts[m] += 1;
        if hour.rate_mmph < WET_HOUR_MM {
            damp[m].push((hour.depression_k, hour.wind_mps < FOG_WIND_MPS));
        } else if !hour.snow {
            thunder[m].push(hour.thunder_index);
        }
    }
    for m in 0..12 {
        let count = counts[m] as f64;
        damp[m].sort_by(|a, b| a.0.total_cmp(&b.0));
        thunder[m].sort_by(|a, b| b.total_cmp(a));
        let calm: Vec<f64> = damp[m].iter().filter(|d| d.1).map(|d| d.0).collect();
        let all: Vec<f64> = damp[m].iter().map(|d| d.0).collect();
        let fog = nth(&calm, goals.fog[m] * count, 0.0);
        preset.fog_depression_k[m] = rounded(fog);
        let mist = nth(&all, (goals.fog[m] + goals.mist[m]) * count, 0.0);
        preset.mist_depression_k[m] = rounded(mist.max(fog));
        preset.thunder_cut[m] = rounded(nth(&thunder[m], goals.storm[m] * count, THUNDER_NEVER));
    }
}

const THUNDER_NEVER: f64 = 20.0;

/// The value that `count` of the sorted ones come before; `none` for no count at all.
fn nth(sorted: &[f64], count: f64, none: f64) -> f64 {
    match (sorted, count) {
        ([], _) => none,
        (_, count) if count < 0.5 => none,
        _ => sorted[(count as usize).min(sorted.len() - 1)],
    }
}

fn figures(preset: &Preset, trial: &Trial, goals: &Goals) -> Figures {
    let hour = |(date, hour): (DateTime, TrialHour)| Hour {
        wind_ms: Some((hour.wind_mps * 10.0).round() / 10.0),
        state: Some(hour.state),
        ..empty(&date)
    };
    let hours = trial.hours(SEARCH_HOURS, preset).map(hour).collect();
    let record = Record { days: Vec::new(), hours, months_apart: false };
    Figures::of(&record, goals.targets.years)
}

/// The thresholds of extremes: those of the rules, or beyond what is rare in this climate.
pub(super) fn extremes(preset: &mut Preset, trial: &Trial) {
    let (mut temperature, mut heat, mut chill) = (Vec::new(), Vec::new(), Vec::new());
    let mut count = 0usize;
    for (_, hour) in trial.hours(EXTREME_HOURS, preset) {
        count += 1;
        temperature.push(hour.temperature_c);
        heat.extend(hour.heat_index_c);
        chill.extend(hour.wind_chill_c);
    }
    let rare = count / RARE_OF;
    temperature.sort_by(f64::total_cmp);
    heat.sort_by(|a, b| b.total_cmp(a));
    chill.sort_by(f64::total_cmp);
    let tenths = |c: f64| (c * 10.0).round() as i64;
    preset.heat_dc = tenths(temperature[count - 1 - rare]).max(HEAT_DC);
    preset.cold_dc = tenths(temperature[rare]).min(COLD_DC);
    preset.heat_index_dc = heat.get(rare).map_or(HEAT_INDEX_DC, |c| tenths(*c).max(HEAT_INDEX_DC));
    preset.wind_chill_dc = chill.get(rare).map_or(WIND_CHILL_DC, |c| tenths(*c).min(WIND_CHILL_DC));
}

const EXTREME_HOURS: usize = 20 * 8760;
/// Extreme is at most one hour of this many.
const RARE_OF: usize = 200;
const HEAT_DC: i64 = 350;
const COLD_DC: i64 = -150;
const HEAT_INDEX_DC: i64 = 410;
const WIND_CHILL_DC: i64 = -280;
