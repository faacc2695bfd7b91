//! Moves a preset's temperature to the goals: an inner loop sets means, deviations and the load of
//! rain of each month, an outer one looks for the octaves that give the observed persistence.

use super::base::{Days, empty};
use super::draws::Draws;
use super::goals::Goals;
use super::months::Month;
use super::rain::rounded;
use super::search::{logits, search, shares};
use crate::observations::{Day, Hour, Record};
use crate::statistics::Figures;
use worldbus_world::Trial;
use worldbus_world::preset::{Preset, SLOT_COUNT, Table};

/// Hours of each draw that the search looks at.
const SEARCH_HOURS: usize = 8 * 8760;
/// Of these, the hours whose rows are compared one by one.
const ROW_HOURS: usize = 3 * 8760;
const SEARCH_COUNT: usize = 110;
const SEARCH_ROUNDS: usize = 5;
const FIRST_ROUNDS: usize = 12;
const FINAL_ROUNDS: usize = 12;
const INERTIA: f64 = 0.1;
/// What lasts for weeks is most of the difference between one January and the next. No band asks
/// for it, so the search begins with little.
const LASTING_SHARE: f64 = 0.03;
/// More would turn the tail of a distribution back.
const SKEW_MAX: f64 = 0.1;
const RANGE_MIN_K: f64 = 0.2;
const LOAD_MAX: f64 = 0.6;
const SD_UNIT: f64 = 0.1;
/// Days may differ from nights by this much more, or less, than observed.
const APART_MAX: f64 = 1.5;

/// How far a time of day is from the night's lowest (0) to the afternoon's highest (1).
pub(super) type Shape = [[f64; SLOT_COUNT]; 12];

/// Figures that the rounds move; of a month each.
#[derive(Clone, Debug)]
struct Months {
    shape: Shape,
    now: [Month; 12],
    max_load: [f64; 12],
    min_load: [f64; 12],
    /// Part of the load that rain may have at most. A load that changes within a day costs
    /// persistence from day to night, and adds to the range of a day.
    wet_part: f64,
    /// Part of the observed deviations that is asked for: less, within what the bands allow, where
    /// the noise of a day would have more range than the day.
    sd_part: f64,
}

fn is_judged(figure: &str) -> bool {
    const FIGURES: [&str; 6] = [
        "temp_lag1",
        "temp_residual_sd",
        "diurnal_range",
        "diurnal_range_wet_minus_dry",
        "tmax_month",
        "tmin_month",
    ];
    FIGURES.contains(&figure) || figure.starts_with("temp_hour_lag")
}

pub(super) fn calibrate(preset: &mut Preset, draws: &Draws, goals: &Goals, shape: Shape) {
    let zero = [0.0; 12];
    let mut months = Months {
        shape,
        now: goals.months,
        max_load: zero,
        min_load: zero,
        wet_part: 1.0,
        sd_part: 1.0,
    };
    months.settle(preset, draws, SEARCH_HOURS, goals, FIRST_ROUNDS);
    let mut start = logits(&preset.octaves.temperature);
    start[4] = start[4].min(LASTING_SHARE.ln());
    start.extend([0.0, 0.0]);
    // Each trial goes on from the same months: what has not settled would tell trials apart.
    let mut best = (f64::MAX, months.clone());
    let found = search(start.clone(), 0.6, SEARCH_COUNT, |at| {
        let mut tried = (preset.clone(), months.clone());
        tried.0.octaves.temperature = shares(&at[..5]);
        (tried.1.wet_part, tried.1.sd_part) = (wet_part(at), sd_part(at));
        tried.1.settle(&mut tried.0, draws, SEARCH_HOURS, goals, SEARCH_ROUNDS);
        let moved: f64 = at.iter().zip(&start).map(|(a, b)| (a - b) * (a - b)).sum();
        let miss = draws.mean(|trial| goals.miss(&figures(&tried.0, trial, goals), is_judged));
        let cost = miss + INERTIA * moved;
        if cost < best.0 {
            best = (cost, tried.1);
        }
        cost
    });
    let mut months = best.1;
    preset.octaves.temperature = shares(&found[..5]);
    (months.wet_part, months.sd_part) = (wet_part(&found), sd_part(&found));
    months.settle(preset, draws, draws.hour_count(), goals, FINAL_ROUNDS);
}

fn wet_part(at: &[f64]) -> f64 {
    at[5].clamp(-4.0, 0.0).exp()
}

/// A tenth of the parameter, so that what no band asks for costs more than it gains.
fn sd_part(at: &[f64]) -> f64 {
    (SD_UNIT * at[6].clamp(-1.0, 1.0)).exp()
}

impl Months {
    /// Moves each month to the goals.
    fn settle(
        &mut self,
        preset: &mut Preset,
        draws: &Draws,
        hours: usize,
        goals: &Goals,
        rounds: usize,
    ) {
        for _ in 0..rounds {
            self.apply(preset);
            let found = draws.months(goals.wet_by, goals.targets.years, |trial| {
                let mut days = Days::default();
                for (date, temp_c, rate) in trial.air(hours, preset) {
                    days.push(date.year, date.month, date.hour, temp_c, rate);
                }
                days.0
            });
            for (month, found) in found.iter().enumerate() {
                self.move_month(month, found, goals);
            }
        }
        self.apply(preset);
    }

    fn apply(&self, preset: &mut Preset) {
        let between =
            |low: f64, high: f64, m: usize, s: usize| low + (high - low) * self.shape[m][s];
        preset.temperature = Table::from_quantiles(|m, s, z| {
            let mean = between(self.now[m].min_c, self.now[m].max_c, m, s);
            let sd = between(self.now[m].min_sd, self.now[m].max_sd, m, s);
            let skew = between(self.now[m].min_skew, self.now[m].max_skew, m, s) / 6.0;
            let skew = skew.clamp(-SKEW_MAX, SKEW_MAX);
            100.0 * (mean + sd * (z + skew * (z * z - 1.0)))
        });
        let load = |m: usize, s: usize| rounded(between(self.min_load[m], self.max_load[m], m, s));
        preset.temperature_rain = std::array::from_fn(|m| std::array::from_fn(|s| load(m, s)));
    }

    fn move_month(&mut self, m: usize, is: &Month, goals: &Goals) {
        let want = &goals.months[m];
        let now = &mut self.now[m];
        now.max_c += 0.7 * (want.max_c - is.max_c);
        now.min_c += 0.7 * (want.min_c - is.min_c);
        // The noise of a day alone has a range; a day that has less cannot be had by turning the
        // course of the day upside down, and it is to be as much too warm as too cold.
        let too_near = (RANGE_MIN_K - (now.max_c - now.min_c)).max(0.0);
        now.max_c += too_near / 2.0;
        now.min_c -= too_near / 2.0;
        let part = |want: f64, is: f64| (want / is.max(0.1)).clamp(0.8, 1.25);
        let middle = part(self.sd_part * want.middle_sd, is.middle_sd);
        // What is judged is the middle; days and nights differ as observed.
        let apart = part(want.max_sd, is.max_sd) / part(want.min_sd, is.min_sd);
        let apart = if goals.observed { apart.sqrt() } else { 1.0 };
        now.max_sd *= middle * apart;
        now.min_sd *= middle / apart;
        now.keep_together(want.max_sd / want.min_sd);
        let max = (want.max_wet_minus_dry - is.max_wet_minus_dry) / now.max_sd.max(0.5);
        let min = (want.min_wet_minus_dry - is.min_wet_minus_dry) / now.min_sd.max(0.5);
        let most = LOAD_MAX * self.wet_part;
        self.max_load[m] = (self.max_load[m] + 0.5 * max).clamp(-most, most);
        self.min_load[m] = (self.min_load[m] + 0.5 * min).clamp(-most, most);
    }
}

impl Month {
    /// Keeps the deviations of days and nights about as far apart as observed. Where the noise of
    /// a day has all the range of the day they cannot be distinguished, and would drift for ever.
    fn keep_together(&mut self, observed: f64) {
        let (middle, apart) = ((self.max_sd * self.min_sd).sqrt(), self.max_sd / self.min_sd);
        let apart = apart.clamp(observed / APART_MAX, observed * APART_MAX).sqrt();
        (self.max_sd, self.min_sd) = (middle * apart, middle / apart);
    }
}

fn figures(preset: &Preset, trial: &Trial, goals: &Goals) -> Figures {
    let (mut days, mut hours): (Vec<Day>, Vec<Hour>) = Default::default();
    let rows = goals.targets.figures.0.keys().any(|name| name.starts_with("temp_hour_lag"));
    for (index, (date, temp_c, rate)) in trial.air(SEARCH_HOURS, preset).enumerate() {
        if date.hour == 0 {
            let (year, month, day) = (date.year, date.month, date.day);
            let precip_mm = Some(0.0);
            days.push(Day { year, month, day, tmin_c: temp_c, tmax_c: temp_c, precip_mm });
        }
        if let Some(day) = days.last_mut() {
            day.tmin_c = day.tmin_c.min(temp_c);
            day.tmax_c = day.tmax_c.max(temp_c);
            day.precip_mm = day.precip_mm.map(|mm| mm + rate);
        }
        if rows && index < ROW_HOURS {
            hours.push(Hour { temp_c: Some(temp_c), ..empty(&date) });
        }
    }
    Figures::of(&Record { days, hours, months_apart: false }, goals.targets.years)
}
