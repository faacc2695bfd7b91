//! Figures of wet and dry days and of what falls on wet ones.

use super::numbers::{deviation, mean, quantile, runs, share, sorted, transition};
use super::{Figures, WET_DAY_MM};
use crate::observations::{Day, Record};

pub(super) fn figures(record: &Record, out: &mut Figures) {
    let days: Vec<(&Day, f64)> =
        record.days.iter().filter_map(|day| Some((day, day.precip_mm?))).collect();
    if days.is_empty() {
        return;
    }
    let wet: Vec<(i64, bool)> = days
        .iter()
        .map(|(day, mm)| (record.serial(day.year, day.month, day.day), *mm >= WET_DAY_MM))
        .collect();
    let amounts: Vec<f64> = days.iter().map(|(_, mm)| *mm).filter(|mm| *mm >= WET_DAY_MM).collect();
    out.put("wet_day_share_year", share(wet.iter().map(|(_, wet)| *wet)));
    out.put("wet_given_wet", transition(&wet, true));
    out.put("wet_given_dry", transition(&wet, false));
    months(&days, &wet, out);
    spells(&wet, true, "wet_spell", out);
    spells(&wet, false, "dry_spell", out);
    out.put("wet_day_mm_mean", mean(amounts.iter().copied()));
    out.put("wet_day_mm_sd", deviation(&amounts));
    out.put("wet_day_mm_p95", quantile(&sorted(amounts), 0.95));
}

fn months(days: &[(&Day, f64)], wet: &[(i64, bool)], out: &mut Figures) {
    let of_month = |month: u8| days.iter().filter(move |(day, _)| day.month == month);
    let by_month = |figure: &dyn Fn(u8) -> Option<f64>| {
        (1..=12).map(|month| figure(month).unwrap_or(f64::NAN)).collect()
    };
    out.put_all(
        "wet_day_share",
        by_month(&|m| share(of_month(m).map(|(_, mm)| *mm >= WET_DAY_MM))),
    );
    let amounts = |m| of_month(m).map(|(_, mm)| *mm).filter(|mm| *mm >= WET_DAY_MM);
    out.put_all("wet_day_mm_month", by_month(&|m| mean(amounts(m))));
    let after_wet = |month: u8| {
        let pairs = wet.windows(2).zip(&days[1..]);
        let pairs = pairs.filter(|(w, day)| day.0.month == month && w[1].0 == w[0].0 + 1);
        share(pairs.filter(|(w, _)| w[0].1).map(|(w, _)| w[1].1))
    };
    out.put_all("wet_given_wet_month", by_month(&after_wet));
}

fn spells(wet: &[(i64, bool)], wanted: bool, name: &str, out: &mut Figures) {
    let lengths = sorted(runs(wet, &wanted));
    out.put(&format!("{name}_mean"), mean(lengths.iter().copied()));
    out.put(&format!("{name}_sd"), deviation(&lengths));
    out.put(&format!("{name}_p90"), quantile(&lengths, 0.9));
    out.put(&format!("{name}_p99"), quantile(&lengths, 0.99));
}
