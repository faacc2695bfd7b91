//! How far wet days reach: the correlation (phi) of wet days at two places.
//! Not here: correlations in time (`statistics`).

use crate::sample::Sampler;
use crate::statistics::WET_DAY_MM;
use worldbus_world::preset::Preset;

/// Distances and the phi of observed wet days there, a tolerance of 0.08 around each. From pairs
/// of daily records in the lowlands of England and from US airports: 44 to 75 km 0.77 to 0.84,
/// about 100 km 0.75 to 0.77, 245 to 310 km 0.42 to 0.55.
pub const WET_DAY_PHI: [(f64, f64); 3] = [(50.0, 0.80), (100.0, 0.76), (300.0, 0.485)];
/// How far phi may be from the observed one.
pub const TOLERANCE: f64 = 0.08;

const KM_PER_DEGREE: f64 = 111.195;

/// Phi of wet days at the preset's place and at each distance east and north of it, the two
/// directions averaged.
///
/// # Errors
/// A latitude or an elevation that no world has.
pub fn wet_day_phi(
    preset: &Preset,
    distances_km: &[f64],
    seed: u64,
    years: u32,
) -> Result<Vec<f64>, String> {
    let narrowing = preset.latitude.to_radians().cos();
    let east = distances_km.iter().map(|km| (0.0, km / KM_PER_DEGREE / narrowing));
    let north = distances_km.iter().map(|km| (km / KM_PER_DEGREE, 0.0));
    let offsets: Vec<(f64, f64)> = std::iter::once((0.0, 0.0)).chain(east).chain(north).collect();
    let sampler = Sampler::with_regions(preset, seed, &offsets)?;
    let wet = |region| wet_days(&sampler, region, years);
    let here = wet(0);
    let phi: Vec<f64> = (1..offsets.len()).map(|region| correlation(&here, &wet(region))).collect();
    let (east, north) = phi.split_at(distances_km.len());
    Ok(east.iter().zip(north).map(|(a, b)| (a + b) / 2.0).collect())
}

fn wet_days(sampler: &Sampler, region: usize, years: u32) -> Vec<bool> {
    let mut days = Vec::new();
    for sampled in sampler.hours(region, years) {
        if sampled.hour.hour == 0 {
            days.push(0.0);
        }
        if let (Some(day), Some(mm)) = (days.last_mut(), sampled.hour.precip_mm) {
            *day += mm;
        }
    }
    days.into_iter().map(|mm: f64| mm >= WET_DAY_MM).collect()
}

fn correlation(a: &[bool], b: &[bool]) -> f64 {
    let share = |of: &dyn Fn(usize) -> bool| {
        (0..a.len()).filter(|index| of(*index)).count() as f64 / a.len() as f64
    };
    let (pa, pb, both) = (share(&|i| a[i]), share(&|i| b[i]), share(&|i| a[i] && b[i]));
    (both - pa * pb) / (pa * (1.0 - pa) * pb * (1.0 - pb)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlation_is_one_with_itself_and_nothing_with_what_is_apart() {
        let days: Vec<bool> = (0..400).map(|day| day % 2 == 0).collect();
        let apart: Vec<bool> = (0..400).map(|day| day % 4 < 2).collect();
        assert!((correlation(&days, &days) - 1.0).abs() < 1e-12);
        assert!(correlation(&days, &apart).abs() < 1e-12);
    }
}
