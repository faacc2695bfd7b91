//! Presets that are made of twelve normals alone, held to the wider bands at places that their prior
//! was not fitted to. Not here: presets made of whole records (`presets`).

mod support;

use support::{YEAR_COUNT, names_of_targets, targets};
use worldbus_climate::bands::{Bands, Check, compare};
use worldbus_climate::build::Builder;
use worldbus_climate::normals::Normals;
use worldbus_climate::sample::Sampler;
use worldbus_climate::statistics::Figures;
use worldbus_climate::targets::{Place, Targets};

const SEED: u64 = 4711;
/// Of the checks of each place; of all over all places would be enough.
const SHARE_MIN: f64 = 0.8;

/// A quarter of what the command takes, so that the test ends soon.
const BUILDER_YEAR_COUNT: u32 = 25;

/// Places that the prior of persistence was fitted to: one of each kind of rain.
const FITTED: [&str; 4] = ["brussels", "cambridge", "champion", "cordoba"];
/// Places that it has not seen: with a record of days, and with wet days in it.
const HELD_OUT: [&str; 6] = ["tunis", "norfolk", "suffolk", "lincolnshire", "newark", "laguardia"];

/// The normals that a record has.
fn normals(targets: &Targets) -> Normals {
    let of = |figure: &str| -> [Option<f64>; 12] {
        let months = targets.figures.months(figure).unwrap_or([f64::NAN; 12]);
        months.map(|value| (!value.is_nan()).then_some(value))
    };
    Normals {
        wet_day_share: of("wet_day_share"),
        wet_day_mean_mm: of("wet_day_mm_month"),
        tmax_mean_c: of("tmax_month"),
        tmin_mean_c: of("tmin_month"),
        temp_residual_sd_k: of("temp_residual_sd_month"),
        wind_mean_ms: of("wind_mean_month"),
        rh_mean: of("rh_mean_month"),
    }
}

fn judge(set: &str, builder: &Builder) -> Vec<Check> {
    let targets = targets(set);
    let Targets { latitude, elevation_m, .. } = targets;
    let place = Place { name: set.to_owned(), source: "normals".to_owned(), latitude, elevation_m };
    let built = builder.of_normals(&normals(&targets), place, None);
    let sampler = Sampler::new(&built.preset, SEED).expect("a place");
    let figures = Figures::of(&sampler.record(YEAR_COUNT), targets.years);
    let checks = compare(&targets, &figures, Bands::Normals);
    checks.into_iter().filter(|check| check.range.is_some()).collect()
}

fn holds(set: &str) {
    assert!(HELD_OUT.contains(&set));
    let checks = judge(set, &Builder::of_years(BUILDER_YEAR_COUNT));
    let missed: Vec<String> =
        checks.iter().filter(|check| !check.holds()).map(ToString::to_string).collect();
    let (held, list) = (checks.len() - missed.len(), missed.join("\n"));
    println!("{set}: {held} of {} bands hold\n{list}", checks.len());
    assert!(held as f64 >= SHARE_MIN * checks.len() as f64, "{set}: {held}:\n{list}");
}

#[test]
fn normals_of_tunis_make_its_climate() {
    holds("tunis");
}

#[test]
fn normals_of_norfolk_make_its_climate() {
    holds("norfolk");
}

#[test]
fn normals_of_suffolk_make_its_climate() {
    holds("suffolk");
}

#[test]
fn normals_of_lincolnshire_make_its_climate() {
    holds("lincolnshire");
}

#[test]
fn normals_of_newark_make_its_climate() {
    holds("newark");
}

#[test]
fn normals_of_laguardia_make_its_climate() {
    holds("laguardia");
}

#[test]
fn fitted_and_held_out_places_are_apart_and_are_sets() {
    let names = names_of_targets();
    for set in FITTED.iter().chain(&HELD_OUT) {
        assert!(names.iter().any(|name| name == set), "{set} has no targets");
    }
    assert!(FITTED.iter().all(|set| !HELD_OUT.contains(set)));
}
