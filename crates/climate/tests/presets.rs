//! Thirty simulated years of every set's preset against the record that it was built from: all
//! pass bands but those that [`MISSES`] names, and rules that hold in every hour. The builder fits
//! presets to some draws of the weather, of which [`SEED`] is one that counts half. So how good they
//! are is shown by draws that no preset was fitted to: there most bands hold. Not here: presets
//! built from normals (`normals`).

mod support;

use support::{YEAR_COUNT, preset, targets};
use worldbus_climate::bands::{Bands, compare};
use worldbus_climate::invariants;
use worldbus_climate::observations::Record;
use worldbus_climate::sample::Sampler;
use worldbus_climate::spatial::{TOLERANCE, WET_DAY_PHI, wet_day_phi};
use worldbus_climate::statistics::Figures;

/// One of the draws that presets are fitted to (`crates/climate/src/build/draws.rs`).
const SEED: u64 = 4711;
/// Draws that no preset was fitted to.
const OTHER_SEEDS: [u64; 2] = [11, 12];
/// The part of the bands that hold on each of these for every set. Cordoba has the least, 44 of 50.
const PART_MIN: f64 = 0.87;
/// The same over all sets.
const PART_OF_ALL_MIN: f64 = 0.97;

/// What the committed presets still miss at [`SEED`], by the names that the bands print. An entry
/// is a debt: it goes when the preset keeps the band.
const MISSES: &[(&str, &[&str])] = &[
    // A winter's day on this hilltop has less range than the model's noise alone gives it.
    (
        "stoetten",
        &["daily range, mean K", "hourly temperature less its usual, correlation over 6 h"],
    ),
    ("bad-marienberg", &["heavy_rain, mean run in hours"]),
];

fn judge(set: &str) {
    let known = MISSES.iter().find(|(of, _)| *of == set).map(|(_, known)| *known);
    let preset = preset(set).expect("a committed preset");
    let targets = targets(set);
    let sampler = Sampler::new(&preset, SEED).expect("a place");
    let mut hours = Vec::new();
    for sampled in sampler.hours(0, YEAR_COUNT) {
        let broken = invariants::broken(&sampled.conditions, &preset);
        assert!(broken.is_none(), "{set}: {} is broken by {sampled:?}", broken.unwrap_or_default());
        hours.push(sampled.hour);
    }
    let figures = Figures::of(&Record::of_hours(hours), targets.years);
    let checks = compare(&targets, &figures, Bands::Observations);
    let judged = checks.iter().filter(|check| check.range.is_some()).count();
    let missed: Vec<String> =
        checks.iter().filter(|c| !c.holds()).map(ToString::to_string).collect();
    println!("{set}: {} of {judged} bands hold", judged - missed.len());
    println!("{}", missed.join("\n"));
    let is = |missed: &String, known: &&str| missed.starts_with(&format!("{known}: "));
    let known = known.unwrap_or_default();
    let new: Vec<&String> = missed.iter().filter(|m| !known.iter().any(|k| is(m, k))).collect();
    assert!(new.is_empty(), "{set} misses {new:#?}");
    let paid: Vec<_> = known.iter().filter(|k| !missed.iter().any(|m| is(m, k))).collect();
    assert!(paid.is_empty(), "{set} keeps these now, so take them out of MISSES: {paid:#?}");
}

macro_rules! sets {
    ($($test:ident: $set:literal),* $(,)?) => {
        const SETS: &[&str] = &[$($set),*];
        $(#[test]
        fn $test() {
            judge($set);
        })*
    };
}

sets! {
    brussels_keeps_its_bands: "brussels",
    champion_keeps_its_bands: "champion",
    tunis_keeps_its_bands: "tunis",
    cordoba_keeps_its_bands: "cordoba",
    cambridge_keeps_its_bands: "cambridge",
    norfolk_keeps_its_bands: "norfolk",
    suffolk_keeps_its_bands: "suffolk",
    lincolnshire_keeps_its_bands: "lincolnshire",
    newark_keeps_its_bands: "newark",
    laguardia_keeps_its_bands: "laguardia",
    miami_keeps_its_bands: "miami",
    bremerhaven_keeps_its_bands: "bremerhaven",
    rostock_keeps_its_bands: "rostock",
    potsdam_keeps_its_bands: "potsdam",
    bad_marienberg_keeps_its_bands: "bad-marienberg",
    braunlage_keeps_its_bands: "braunlage",
    hof_keeps_its_bands: "hof",
    stoetten_keeps_its_bands: "stoetten",
}

#[test]
fn every_set_with_targets_is_judged() {
    for set in support::names_of_targets() {
        assert!(SETS.contains(&set.as_str()), "{set} has targets and no test");
    }
    assert!(MISSES.iter().all(|(set, _)| SETS.contains(set)));
}

fn judge_other_draw(seed: u64) {
    let (mut all_held, mut all_judged) = (0, 0);
    let mut poor = Vec::new();
    for set in SETS {
        let preset = preset(set).expect("a committed preset");
        let targets = targets(set);
        let record = Sampler::new(&preset, seed).expect("a place").record(YEAR_COUNT);
        let figures = Figures::of(&record, targets.years);
        let checks = compare(&targets, &figures, Bands::Observations);
        let judged = checks.iter().filter(|check| check.range.is_some()).count();
        let held = judged - checks.iter().filter(|check| !check.holds()).count();
        println!("{set}, seed {seed}: {held} of {judged} bands hold");
        if (held as f64) < PART_MIN * judged as f64 {
            poor.push(format!("{set}: {held} of {judged}"));
        }
        all_held += held;
        all_judged += judged;
    }
    println!("in all {all_held} of {all_judged}");
    assert!(poor.is_empty(), "{poor:#?}");
    assert!(all_held as f64 >= PART_OF_ALL_MIN * all_judged as f64, "{all_held} of {all_judged}");
}

#[test]
fn most_bands_hold_on_a_draw_that_no_preset_was_fitted_to() {
    judge_other_draw(OTHER_SEEDS[0]);
}

#[test]
fn most_bands_hold_on_another_draw_that_no_preset_was_fitted_to() {
    judge_other_draw(OTHER_SEEDS[1]);
}

#[test]
fn a_preset_of_another_climate_misses_bands() {
    let preset = preset("brussels").expect("a committed preset");
    let targets = targets("tunis");
    let record = Sampler::new(&preset, SEED).expect("a place").record(3);
    let checks = compare(&targets, &Figures::of(&record, targets.years), Bands::Observations);
    let missed = checks.iter().filter(|check| !check.holds()).count();
    assert!(missed > 20, "only {missed}");
}

#[test]
fn wet_days_reach_as_far_as_observed() {
    let preset = preset("brussels").expect("a committed preset");
    let distances = WET_DAY_PHI.map(|(km, _)| km);
    let found = wet_day_phi(&preset, &distances, SEED, YEAR_COUNT).expect("a place");
    let found: Vec<(f64, f64, f64)> =
        WET_DAY_PHI.iter().zip(found).map(|((km, wanted), phi)| (*km, *wanted, phi)).collect();
    let within = found.iter().all(|(_, wanted, phi)| (phi - wanted).abs() <= TOLERANCE);
    assert!(within, "km, observed, simulated: {found:.3?}");
    println!("km, observed, simulated: {found:.3?}");
}
