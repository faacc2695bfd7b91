//! Moves what fog, mist and thunder begin at to the shares of the goals, and looks for the octaves
//! of cloud, moisture and wind that make states last as long as observed.

use super::base::empty;
use super::draws::Draws;
use super::goals::Goals;
use super::rain::{self, rounded};
use super::search::{logits, search, shares};
use super::tables::Scores;
use crate::observations::{Hour, Record};
use crate::statistics::{Figures, WET_HOUR_MM};
use worldbus_world::preset::Preset;
use worldbus_world::{DateTime, Trial, TrialHour, WeatherState};

/// Hours of each draw that the search looks at.
const SEARCH_HOURS: usize = 3 * 8760;
const SEARCH_COUNT: usize = 300;
const INERTIA: f64 = 0.03;
const FOG_WIND_MPS: f64 = 5.0;

fn is_judged(figure: &str) -> bool {
    let of_states = ["state_share_", "state_run_", "wind_"];
    of_states.iter().any(|start| figure.starts_with(start)) || figure == "fog_dawn_over_afternoon"
}

/// Finds octaves if the record shows how long states or the wind last, and how far the loadings
/// are off what normal scores say of them.
pub(super) fn calibrate(preset: &mut Preset, draws: &Draws, goals: &Goals, scores: &Scores) {
    let has = |name: &str| goals.targets.figures.0.contains_key(name);
    let (states, wind) = (has("state_share_clear"), has("wind_hour_lag1"));
    let parts = [states, states, wind, states];
    let mut start = at(preset, parts);
    scores.apply(preset);
    if start.is_empty() {
        return;
    }
    if states {
        start.extend([0.0; LOADING_COUNT]);
    }
    let mut tried = preset.clone();
    let found = search(start.clone(), 0.6, SEARCH_COUNT, |at| {
        apply(&mut tried, at, parts, scores);
        if states {
            cut(&mut tried, draws, SEARCH_HOURS, goals);
        }
        let moved: f64 = at.iter().zip(&start).map(|(a, b)| (a - b) * (a - b)).sum();
        draws.mean(|trial| goals.miss(&figures(&tried, trial, goals), is_judged)) + INERTIA * moved
    });
    apply(preset, &found, parts, scores);
}

/// Loadings that the search moves, one unit being [`LOADING_UNIT`].
const LOADING_COUNT: usize = 3;
const LOADING_UNIT: f64 = 0.25;

fn at(preset: &Preset, parts: [bool; 4]) -> Vec<f64> {
    let o = &preset.octaves;
    let all = [&o.cloud, &o.depression, &o.wind, &o.convection];
    all.into_iter().zip(parts).filter(|(_, part)| *part).flat_map(|(o, _)| logits(o)).collect()
}

fn apply(preset: &mut Preset, at: &[f64], parts: [bool; 4], scores: &Scores) {
    let o = &mut preset.octaves;
    let mut octaves = at.chunks_exact(OCTAVE_COUNT);
    let all = [&mut o.cloud, &mut o.depression, &mut o.wind, &mut o.convection];
    for (shares_of, part) in all.into_iter().zip(parts) {
        if let Some(found) = part.then(|| octaves.next()).flatten() {
            *shares_of = shares(found);
        }
    }
    scores.apply(preset);
    let c = &mut preset.correlations;
    let loadings = [&mut c.cloud_rain, &mut c.depression_rain, &mut c.depression_cloud];
    for (loading, off) in loadings.into_iter().zip(octaves.remainder()) {
        *loading = rounded((*loading + LOADING_UNIT * off).clamp(-LOADING_MAX, LOADING_MAX));
    }
    // What two loadings leave of a variable may not be less than nothing.
    let room = (1.0 - c.depression_rain.powi(2)).sqrt() * LOADING_MAX;
    c.depression_cloud = rounded(c.depression_cloud.clamp(-room, room));
}

const LOADING_MAX: f64 = 0.95;
const OCTAVE_COUNT: usize = 5;
/// The depression of fog and mist, as a preset's file takes it: drier air is neither.
const CUT_K_MAX: f64 = 50.0;

/// Sets the cuts of fog, mist and thunder to the quantiles that give the shares of the goals.
pub(super) fn cut(preset: &mut Preset, draws: &Draws, hours: usize, goals: &Goals) {
    let mut damp: [Vec<(f64, bool)>; 12] = Default::default();
    let mut thunder: [Vec<f64>; 12] = Default::default();
    let mut counts = [0usize; 12];
    for (date, hour) in draws.iter().flat_map(|(_, trial)| trial.hours(hours, preset)) {
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
        let fog = below(&calm, goals.fog[m] * count).min(CUT_K_MAX);
        preset.fog_depression_k[m] = fog;
        let mist = below(&all, (goals.fog[m] + goals.mist[m]) * count);
        preset.mist_depression_k[m] = mist.clamp(fog, CUT_K_MAX);
        preset.thunder_cut[m] = rounded(nth(&thunder[m], goals.storm[m] * count, THUNDER_NEVER));
    }
}

/// Heavy rain that thunder leaves its name: the heavy hours of each draw are moved until their
/// share without thunder is that of the goals.
pub(super) fn heavy(preset: &mut Preset, draws: &Draws, goals: &mut Goals) {
    let Some(wanted) = goals.heavy_rain.map(|share| HEAVY_RAIN_PART * share) else { return };
    for _ in 0..HEAVY_ROUNDS {
        let share = draws.mean(|trial| {
            let heavy = |(_, hour): &(DateTime, TrialHour)| hour.state == WeatherState::HeavyRain;
            let hours = trial.hour_count();
            trial.hours(hours, preset).filter(heavy).count() as f64 / hours as f64
        });
        let more = (wanted / share.max(HEAVY_SHARE_MIN)).clamp(0.5, 2.0).sqrt();
        goals.heavy = goals.heavy.map(|share| share * more);
        rain::settle(preset, draws, draws.hour_count(), goals, 2);
        cut(preset, draws, draws.hour_count(), goals);
    }
}

const HEAVY_ROUNDS: usize = 4;
/// Rarer heavy rain is shorter. Its share may be off by a factor of three, its length by a quarter.
const HEAVY_RAIN_PART: f64 = 0.6;
const HEAVY_SHARE_MIN: f64 = 1e-5;
const THUNDER_NEVER: f64 = 20.0;

/// The value that `count` of the sorted ones come before; `none` for no count at all.
fn nth(sorted: &[f64], count: f64, none: f64) -> f64 {
    match (sorted, count) {
        ([], _) => none,
        (_, count) if count < 0.5 => none,
        _ => sorted[(count as usize).min(sorted.len() - 1)],
    }
}

/// The cut below which `count` of the sorted ones lie, as nearly as can be: in many hours the air
/// is saturated, and those are all below a cut or none.
fn below(sorted: &[f64], count: f64) -> f64 {
    const LEAST_STEP: f64 = 0.001;
    let cut = rounded(nth(sorted, count, 0.0));
    let off = |cut: f64| (sorted.partition_point(|value| *value < cut) as f64 - count).abs();
    let above = rounded(cut + LEAST_STEP);
    if off(above) < off(cut) { above } else { cut }
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

/// The thresholds of extremes: those of the rules, or beyond what is rare in this climate; rarer
/// still if observers saw them so.
pub(super) fn extremes(preset: &mut Preset, draws: &Draws, goals: &Goals) {
    let (mut temperature, mut heat, mut chill) = (Vec::new(), Vec::new(), Vec::new());
    for (_, hour) in draws.iter().flat_map(|(_, trial)| trial.hours(EXTREME_HOURS, preset)) {
        temperature.push(hour.temperature_c);
        heat.extend(hour.heat_index_c);
        chill.extend(hour.wind_chill_c);
    }
    let count = temperature.len();
    let rare = |seen: Option<f64>| (count as f64 * seen.unwrap_or(RARE).min(RARE)) as usize;
    let (hot, cold) = (rare(goals.heat), rare(goals.cold));
    temperature.sort_by(f64::total_cmp);
    heat.sort_by(|a, b| b.total_cmp(a));
    chill.sort_by(f64::total_cmp);
    let tenths = |c: f64| (c * 10.0).round() as i64;
    preset.heat_dc = tenths(temperature[count - 1 - hot]).max(HEAT_DC);
    preset.cold_dc = tenths(temperature[cold]).min(COLD_DC);
    preset.heat_index_dc = heat.get(hot).map_or(HEAT_INDEX_DC, |c| tenths(*c).max(HEAT_INDEX_DC));
    preset.wind_chill_dc = chill.get(cold).map_or(WIND_CHILL_DC, |c| tenths(*c).min(WIND_CHILL_DC));
}

const EXTREME_HOURS: usize = 15 * 8760;
/// Extreme is at most this share of hours.
const RARE: f64 = 1.0 / 200.0;
const HEAT_DC: i64 = 350;
const COLD_DC: i64 = -150;
const HEAT_INDEX_DC: i64 = 410;
const WIND_CHILL_DC: i64 = -280;
