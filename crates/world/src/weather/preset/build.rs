//! Makes a preset from daily observations: simulates decades with the field itself and moves the
//! preset's figures until the simulated days look like the observed ones.
//! Not used at run time; called by `examples/build_preset.rs`.

mod file;
mod priors;
mod record;

pub use record::{Day, days_from_text};

use self::record::MonthStats;
use super::{Monthly, Preset, SLOT_COUNT, Season, Table};
use crate::calendar::{Calendar, DateTime};
use crate::time::GameTime;
use crate::weather::field::{self, Place};
use crate::weather::hour::{self, Latent};
use crate::weather::{classify, thermo};

/// Enough that the simulation's own chance does not get into the preset.
const YEAR_COUNT: i64 = 180;
const HOURS_PER_DAY: usize = 24;
const ROUND_COUNT: usize = 16;
const KEY: [u32; 2] = [0x5eed_0001, 0x0c11_6a7e];
/// Summer afternoons are skewed: a warm day is further from the mean than a cold one.
const SKEW: f64 = 0.02;

/// Hour by hour, what the field says of the preset's place.
struct Simulation {
    months: Vec<usize>,
    hours: Vec<(Latent, Season)>,
}

/// Figures that the rounds of the calibration move; of a month each.
#[derive(Clone, Debug, Default)]
struct Temperature {
    max: Monthly,
    min: Monthly,
    max_sd: Monthly,
    min_sd: Monthly,
    max_load: Monthly,
    min_load: Monthly,
}

/// A preset for Brussels from its observed days. Wind, humidity, cloud and the shares of fog,
/// mist and thunder are priors, see `priors`.
pub fn brussels(days: &[Day]) -> Preset {
    let target = record::monthly(days);
    let mut preset = priors::brussels();
    let simulation = Simulation::new(&preset);
    calibrate_rain(&mut preset, &simulation, &target);
    calibrate_temperature(&mut preset, &simulation, &target);
    calibrate_cuts(&mut preset, &simulation);
    preset
}

impl Preset {
    /// The preset as the text of its file.
    pub fn to_text(&self) -> String {
        file::text(self)
    }
}

impl Simulation {
    fn new(preset: &Preset) -> Self {
        let epoch = DateTime { year: 2001, month: 1, day: 1, hour: 0, minute: 0, second: 0 };
        #[expect(clippy::expect_used, reason = "a constant date")]
        let calendar = Calendar::new(epoch).expect("a date");
        let place = Place::of_preset();
        let (mut months, mut hours) = (Vec::new(), Vec::new());
        for hour in 0..YEAR_COUNT * 365 * 24 {
            let date = calendar.at(GameTime::from_hours(hour));
            let season = Season::new(&date, calendar.month_position(&date), false);
            if date.hour == 0 {
                months.push(usize::from(date.month) - 1);
            }
            hours.push((Latent::new(&field::noise(KEY, &place, hour), preset), season));
        }
        Self { months, hours }
    }

    /// The days that a preset makes of the field.
    fn days(&self, preset: &Preset) -> Vec<Day> {
        let day = |(hours, month): (&[(Latent, Season)], &usize)| {
            let (mut min_c, mut max_c, mut rain_mm) = (f64::MAX, f64::MIN, 0.0);
            for (latent, season) in hours {
                let rate = preset.rate_mmph(season, latent);
                let (temperature, _) = hour::air(latent, season, preset, 0.0, rate);
                min_c = min_c.min(temperature);
                max_c = max_c.max(temperature);
                rain_mm += rate;
            }
            Day { year: 0, month: *month as u8 + 1, day: 0, min_c, max_c, rain_mm }
        };
        self.hours.chunks_exact(HOURS_PER_DAY).zip(&self.months).map(day).collect()
    }
}

fn calibrate_rain(preset: &mut Preset, simulation: &Simulation, target: &[MonthStats; 12]) {
    let target = record::between_months(target);
    for _ in 0..ROUND_COUNT {
        let found = record::monthly(&simulation.rain_days(preset));
        let heavy = simulation.heavy_shares(preset);
        for month in 0..12 {
            let (is, want) = (&found[month], &target[month]);
            preset.rain_onset_z[month] += 1.5 * (is.wet_share - want.wet_share);
            preset.rain_rate_mmph[month] *= (want.wet_mm / is.wet_mm).clamp(0.7, 1.4);
            let more = (priors::shares(month).heavy_rain / heavy[month]).clamp(0.2, 5.0);
            let onset = preset.shower_onset_z[month] - 0.15 * libm::log(more);
            preset.shower_onset_z[month] = onset.clamp(0.5, 3.5);
        }
    }
    preset.rain_onset_z = preset.rain_onset_z.map(rounded);
    preset.rain_rate_mmph = preset.rain_rate_mmph.map(rounded);
    preset.shower_onset_z = preset.shower_onset_z.map(rounded);
}

impl Simulation {
    fn rain_days(&self, preset: &Preset) -> Vec<Day> {
        let day = |(hours, month): (&[(Latent, Season)], &usize)| {
            let rain_mm = hours.iter().map(|(l, s)| preset.rate_mmph(s, l)).sum();
            Day { year: 0, month: *month as u8 + 1, day: 0, min_c: 0.0, max_c: 0.0, rain_mm }
        };
        self.hours.chunks_exact(HOURS_PER_DAY).zip(&self.months).map(day).collect()
    }

    /// Shares of the hours of each month with more than rain, be it heavy rain or storm.
    fn heavy_shares(&self, preset: &Preset) -> Monthly {
        let (mut heavy, mut all) = ([0.0; 12], [0.0; 12]);
        let over = classify::RAIN_UMPH_MAX as f64 / 1000.0;
        for (hours, month) in self.hours.chunks_exact(HOURS_PER_DAY).zip(&self.months) {
            let above = hours.iter().filter(|(l, s)| preset.rate_mmph(s, l) > over);
            heavy[*month] += above.count() as f64;
            all[*month] += HOURS_PER_DAY as f64;
        }
        core::array::from_fn(|m| heavy[m] / all[m])
    }
}

fn calibrate_temperature(preset: &mut Preset, simulation: &Simulation, target: &[MonthStats; 12]) {
    let mut t = Temperature {
        max: core::array::from_fn(|m| target[m].max_c),
        min: core::array::from_fn(|m| target[m].min_c),
        max_sd: core::array::from_fn(|m| target[m].max_sd),
        min_sd: core::array::from_fn(|m| target[m].min_sd),
        ..Temperature::default()
    };
    for _ in 0..ROUND_COUNT {
        t.apply(preset);
        let found = record::monthly(&simulation.days(preset));
        for month in 0..12 {
            t.move_month(month, &found[month], &target[month]);
        }
    }
    t.apply(preset);
}

impl Temperature {
    fn apply(&self, preset: &mut Preset) {
        let between =
            |low: f64, high: f64, m: usize, s: usize| low + (high - low) * priors::day_shape(m, s);
        preset.temperature = Table::from_quantiles(|m, s, z| {
            let mean = between(self.min[m], self.max[m], m, s);
            let sd = between(self.min_sd[m], self.max_sd[m], m, s);
            100.0 * (mean + sd * (z + SKEW * priors::day_shape(m, s) * (z * z - 1.0)))
        });
        let load = |m: usize, s: usize| {
            libm::round(1000.0 * between(self.min_load[m], self.max_load[m], m, s)) / 1000.0
        };
        preset.temperature_rain =
            core::array::from_fn(|m| core::array::from_fn::<f64, SLOT_COUNT, _>(|s| load(m, s)));
    }

    fn move_month(&mut self, m: usize, is: &MonthStats, want: &MonthStats) {
        self.max[m] += 0.7 * (want.max_c - is.max_c);
        self.min[m] += 0.7 * (want.min_c - is.min_c);
        self.max_sd[m] *= (want.max_sd / is.max_sd).clamp(0.8, 1.25);
        self.min_sd[m] *= (want.min_sd / is.min_sd).clamp(0.8, 1.25);
        let max = (want.max_wet_minus_dry - is.max_wet_minus_dry) / want.max_sd;
        let min = (want.min_wet_minus_dry - is.min_wet_minus_dry) / want.min_sd;
        self.max_load[m] = (self.max_load[m] + 0.4 * max).clamp(-0.8, 0.8);
        self.min_load[m] = (self.min_load[m] + 0.4 * min).clamp(-0.8, 0.8);
    }
}

/// Sets the cuts of fog, mist and thunder to the quantiles that give their prior shares.
fn calibrate_cuts(preset: &mut Preset, simulation: &Simulation) {
    let mut damp: [Vec<(f64, bool)>; 12] = Default::default();
    let mut thunder: [Vec<f64>; 12] = Default::default();
    let mut hour_counts = [0usize; 12];
    for (i, (latent, season)) in simulation.hours.iter().enumerate() {
        let month = simulation.months[i / HOURS_PER_DAY];
        hour_counts[month] += 1;
        let rate = preset.rate_mmph(season, latent);
        let (temperature, depression) = hour::air(latent, season, preset, 0.0, rate);
        let dew = temperature - depression;
        if rate * 1000.0 < classify::WET_UMPH as f64 {
            let calm = preset.wind.at(season, latent.wind) < 10.0 * classify::FOG_WIND_DMPS as f64;
            damp[month].push((depression, calm));
        } else if !thermo::is_snow((temperature * 10.0) as i64, (dew * 10.0) as i64) {
            thunder[month].push(hour::thunder_index(latent, season, preset, dew));
        }
    }
    for month in 0..12 {
        let count = hour_counts[month] as f64;
        let share = priors::shares(month);
        damp[month].sort_by(|a, b| a.0.total_cmp(&b.0));
        let calm: Vec<f64> = damp[month].iter().filter(|d| d.1).map(|d| d.0).collect();
        let fog = (share.fog * count) as usize;
        preset.fog_depression_k[month] = rounded(calm[fog.min(calm.len() - 1)]);
        let damp_count = ((share.fog + share.mist) * count) as usize;
        let all = &damp[month];
        preset.mist_depression_k[month] = rounded(all[damp_count.min(all.len() - 1)].0);
        thunder[month].sort_by(|a, b| b.total_cmp(a));
        let storm = ((share.storm * count) as usize).min(thunder[month].len() - 1);
        preset.thunder_cut[month] = rounded(thunder[month][storm]);
    }
}

fn rounded(value: f64) -> f64 {
    libm::round(value * 1000.0) / 1000.0
}
