//! The weather that presets are tried upon: some draws of the field, of thirty years each. One draw
//! of thirty years is off its climate by as much as many bands allow, so a preset that is fitted to
//! one is right there and nowhere else. Not here: the figures (`months`, `statistics`).
//!
//! The first draw is the one that `tests/presets.rs` judges, and counts half; the same test judges
//! presets on draws that are not among these.

use super::months::{Day, Month, WetBy, months};
use worldbus_world::Trial;

/// Seeds of the draws and what each counts.
const SEEDS: [(u64, f64); 3] =
    [(4711, 0.5), (0x0c11_6a7e_5eed_0001, 0.25), (0x0c11_6a7e_5eed_0002, 0.25)];

/// Draws of the field.
#[derive(Debug)]
pub(super) struct Draws(Vec<(f64, Trial)>);

impl Draws {
    /// So many years of each.
    pub(super) fn of_years(year_count: u32) -> Self {
        let draw = |(seed, weight): (u64, f64)| (weight, Trial::new(seed, year_count));
        Self(SEEDS.into_iter().map(draw).collect())
    }

    /// Each with what it counts; these sum to 1.
    pub(super) fn iter(&self) -> impl Iterator<Item = (f64, &Trial)> {
        self.0.iter().map(|(weight, trial)| (*weight, trial))
    }

    /// Hours of one draw.
    pub(super) fn hour_count(&self) -> usize {
        self.any().hour_count()
    }

    /// A draw that no test looks at, for what chance does little to.
    pub(super) fn any(&self) -> &Trial {
        &self.0[self.0.len() - 1].1
    }

    /// The mean of a figure.
    pub(super) fn mean(&self, figure: impl Fn(&Trial) -> f64) -> f64 {
        self.iter().map(|(weight, trial)| weight * figure(trial)).sum()
    }

    /// The mean months of the days that each makes.
    pub(super) fn months(
        &self,
        wet_by: WetBy,
        window_years: i32,
        days: impl Fn(&Trial) -> Vec<Day>,
    ) -> [Month; 12] {
        let mut mean = [Month::default(); 12];
        for (weight, trial) in self.iter() {
            let found = months(&days(trial), wet_by, window_years);
            for (mean, found) in mean.iter_mut().zip(found) {
                mean.add(weight, found);
            }
        }
        mean
    }
}
