//! Moves the moisture and the wind of a preset to monthly means, the shape of their distributions
//! as they are. Not here: tables from hours (`tables`).

use super::base::Base;
use super::draws::Draws;
use super::{DEPRESSION_CK_MAX, WIND_CMPS_MAX};
use crate::normals::Normals;
use worldbus_world::preset::{Preset, SLOT_COUNT, Table, knot_z};

const ROUND_COUNT: usize = 4;
const FACTOR_MAX: f64 = 4.0;
const RH_MAX: f64 = 99.5;

/// Scales the dew-point depression of each month to its mean relative humidity.
pub(super) fn moisten(preset: &mut Preset, normals: &Normals, draws: &Draws) {
    if normals.rh_mean.iter().all(Option::is_none) {
        return;
    }
    for _ in 0..ROUND_COUNT {
        let now = Base::of(preset, draws.any());
        // Humidity falls with the depression nearly as an exponential does.
        let dryness = |rh: f64| -(rh.min(RH_MAX) / 100.0).ln();
        let factors = std::array::from_fn(|m| {
            normals.rh_mean[m].map_or(1.0, |want| dryness(want) / dryness(now.rh[m]))
        });
        preset.depression = scaled(&preset.depression, factors, DEPRESSION_CK_MAX);
    }
}

/// Scales the wind of each month to its mean.
pub(super) fn blow(preset: &mut Preset, normals: &Normals, base: &Base) {
    let factor = |m: usize| normals.wind_mean_ms[m].map_or(1.0, |want| want / base.wind_ms[m]);
    preset.wind = scaled(&preset.wind, std::array::from_fn(factor), WIND_CMPS_MAX);
}

/// A table with each month scaled. Rounds of it add up, and in great cold a little less moisture
/// takes a lot more depression: no value grows beyond `most`, as in tables from hours.
fn scaled(table: &Table, factors: [f64; 12], most: f64) -> Table {
    let rows = table.rows();
    Table::from_quantiles(|m, s, z| {
        let row = &rows[m * SLOT_COUNT + s];
        let knot = (0..row.len()).find(|knot| knot_z(*knot) >= z).unwrap_or(row.len() - 1);
        let factor = factors[m].clamp(1.0 / FACTOR_MAX, FACTOR_MAX);
        // What is beyond it already, as a lender may have it, grows no further.
        (factor * row[knot]).min(most.max(row[knot]))
    })
}

#[cfg(test)]
mod tests;
