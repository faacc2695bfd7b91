//! Which built-in climate is most like a place: by its warmth, rain, wind and moisture, as far as
//! they are known. Not here: what it lends.

use super::base::{Base, humidity};
use super::months::{self, WetBy};
use crate::normals::Normals;
use crate::observations::{Hour, Record};
use worldbus_world::Trial;
use worldbus_world::preset::{NAMES, Preset};

/// Differences that count alike.
const TEMPERATURE_K: f64 = 5.0;
const WET_SHARE: f64 = 0.15;
const WET_MM: f64 = 5.0;
const DEVIATION_K: f64 = 1.5;
const WIND_MS: f64 = 2.0;
const RH: f64 = 15.0;

/// The normals of a record, as far as it shows them.
pub(super) fn of_record(record: &Record) -> Normals {
    let wet_by = WetBy::of(record);
    let found = months::months(&months::observed(record), wet_by, record.year_count());
    let amount = |value: f64| (wet_by == WetBy::Amount).then_some(value);
    let hourly = |read: fn(&Hour) -> Option<f64>| {
        std::array::from_fn(|m| {
            let hours = record.hours.iter().filter(|hour| usize::from(hour.month) == m + 1);
            let values: Vec<f64> = hours.filter_map(read).collect();
            (!values.is_empty()).then(|| months::mean(values))
        })
    };
    Normals {
        wet_day_share: found.map(|month| amount(month.wet_share)),
        wet_day_mean_mm: found.map(|month| amount(month.wet_mm).filter(|mm| *mm > 0.0)),
        tmax_mean_c: found.map(|month| Some(month.max_c)),
        tmin_mean_c: found.map(|month| Some(month.min_c)),
        temp_residual_sd_k: found.map(|month| Some(month.middle_sd)),
        wind_mean_ms: hourly(|hour| hour.wind_ms),
        rh_mean: hourly(|hour| Some(humidity(hour.temp_c?, hour.temp_c? - hour.dew_c?))),
    }
}

/// The nearest built-in climate but for some, the first of those that are as near.
pub(super) fn preset(like: &Normals, latitude: f64, trial: &Trial, but: &[&str]) -> Preset {
    let names = NAMES.iter().filter(|name| !but.contains(*name));
    let bases = names.filter_map(|name| Preset::built_in(name));
    let bases = bases.map(|preset| {
        let base = Base::of(&preset, trial).on_side_of(latitude);
        (distance(like, &base), preset)
    });
    let nearest = bases.min_by(|a, b| a.0.total_cmp(&b.0));
    nearest.map_or_else(fallback, |(_, preset)| preset)
}

fn fallback() -> Preset {
    #[expect(clippy::expect_used, reason = "a test parses every built-in preset")]
    Preset::built_in(NAMES[0]).expect("a built-in climate")
}

fn distance(like: &Normals, base: &Base) -> f64 {
    let apart = |known: &[Option<f64>; 12], of: [f64; 12], unit: f64| {
        let known = known.iter().zip(of).filter_map(|(known, of)| Some(((*known)? - of) / unit));
        let squares: Vec<f64> = known.map(|part| part * part).collect();
        months::mean(squares)
    };
    let m = &base.months;
    apart(&like.tmax_mean_c, m.map(|m| m.max_c), TEMPERATURE_K)
        + apart(&like.tmin_mean_c, m.map(|m| m.min_c), TEMPERATURE_K)
        + apart(&like.wet_day_share, m.map(|m| m.wet_share), WET_SHARE)
        + apart(&like.wet_day_mean_mm, m.map(|m| m.wet_mm), WET_MM)
        + apart(&like.temp_residual_sd_k, m.map(|m| m.middle_sd), DEVIATION_K)
        + apart(&like.wind_mean_ms, base.wind_ms, WIND_MS)
        + apart(&like.rh_mean, base.rh, RH)
}
