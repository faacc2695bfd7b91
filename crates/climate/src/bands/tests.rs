//! Each band by a figure inside and one outside of it.

use super::*;
use crate::statistics::Series;

fn figures(list: &[(&str, &[f64], f64)]) -> Figures {
    let series =
        |value: &[f64], error| Series { value: value.to_vec(), error: vec![error; value.len()] };
    Figures(
        list.iter()
            .map(|(name, value, error)| ((*name).to_owned(), series(value, *error)))
            .collect(),
    )
}

fn holds(name: &str, observed: &[f64], error: f64, model: &[f64], bands: Bands) -> Vec<bool> {
    let targets = Targets {
        name: "here".into(),
        source: "us".into(),
        latitude: 0.0,
        elevation_m: 0.0,
        years: 1,
        days: 365,
        hours: 0,
        figures: figures(&[(name, observed, error)]),
    };
    let model = figures(&[(name, model, 0.0)]);
    compare(&targets, &model, bands).iter().map(Check::holds).collect()
}

fn year(name: &str, observed: f64, error: f64, model: f64) -> bool {
    holds(name, &[observed], error, &[model], Bands::Observations) == [true]
}

#[test]
fn a_figure_holds_inside_its_band_and_fails_outside() {
    for (name, observed, inside, outside) in [
        ("wet_given_wet", 0.59, 0.629, 0.635),
        ("dry_spell_p99", 20.0, 24.9, 25.1),
        ("wet_day_mm_sd", 5.0, 4.1, 3.9),
        ("temp_hour_lag1", 0.97, 0.945, 0.935),
        ("fog_dawn_over_afternoon", 5.0, 2.0, 1.9),
        ("diurnal_range_wet_minus_dry", -3.0, -0.1, 0.1),
        ("state_share_rain", 0.12, 0.081, 0.079),
        ("state_share_storm", 0.006, 0.0175, 0.0185),
        ("state_run_fog", 3.0, 3.7, 3.8),
    ] {
        assert!(year(name, observed, 0.0, inside), "{name}: {inside}");
        assert!(!year(name, observed, 0.0, outside), "{name}: {outside}");
        assert!(!year(name, observed, 0.0, f64::NAN), "{name}: NaN");
    }
}

#[test]
fn twice_the_records_error_widens_a_band_and_never_narrows_it() {
    assert!(year("wet_given_wet", 0.5, 0.05, 0.599));
    assert!(!year("wet_given_wet", 0.5, 0.05, 0.601));
    assert!(year("wet_given_wet", 0.5, 0.001, 0.539));
    assert!(year("state_share_storm", 0.001, 0.002, 0.0));
    assert!(!year("state_share_storm", 0.001, 0.0001, 0.0));
}

#[test]
fn months_are_judged_one_by_one_or_by_their_mean_square() {
    let mut model = [0.4; 12];
    model[4] = 0.44;
    let by_month = holds("wet_day_share", &[0.4; 12], 0.0, &model, Bands::Observations);
    assert_eq!(by_month.iter().filter(|holds| !**holds).count(), 1);
    assert!(!by_month[4]);
    model[4] = 0.6;
    let whole = |model| holds("wet_given_wet_month", &[0.4; 12], 0.0, model, Bands::Observations);
    assert_eq!(whole(&model), [true]);
    assert_eq!(whole(&[0.48; 12]), [false]);
    let mut observed = [0.4; 12];
    observed[6] = f64::NAN;
    let unknown = holds("wet_given_wet_month", &observed, 0.0, &[0.4; 12], Bands::Observations);
    assert_eq!(unknown, [true]);
}

#[test]
fn normals_have_wider_bands_and_fewer() {
    let normals = |name, model| holds(name, &[1.0], 0.0, &[model], Bands::Normals);
    assert_eq!(normals("wet_spell_mean", 1.19), [true]);
    assert_eq!(normals("wet_spell_mean", 1.21), [false]);
    assert_eq!(normals("wind_mean", 7.0), [true], "shown, not judged");
}

#[test]
fn a_figure_that_the_model_lacks_fails() {
    assert_eq!(holds("wind_mean", &[4.0], 0.0, &[], Bands::Observations), [false]);
}
