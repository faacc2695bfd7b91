//! Thirty simulated years of every set's preset against the record that it was built from: all
//! pass bands but those that [`MISSES`] names, and rules that hold in every hour. A sample of
//! thirty years misses one band in fifty by chance, so one seed proves no preset. Not here:
//! presets built from normals (`normals`).

mod support;

use support::{YEAR_COUNT, preset, targets};
use worldbus_climate::bands::{Bands, compare};
use worldbus_climate::invariants;
use worldbus_climate::observations::Record;
use worldbus_climate::sample::Sampler;
use worldbus_climate::spatial::{TOLERANCE, WET_DAY_PHI, wet_day_phi};
use worldbus_climate::statistics::Figures;

const SEED: u64 = 4711;

/// What the committed presets still miss at this seed, by the names that the bands print. An entry
/// is a debt: it goes when the preset keeps the band, and none is added for a preset that had none.
const MISSES: &[(&str, &[&str])] = &[
    ("brussels", &["dry spell, mean days"]),
    ("tunis", &["share of wet days, Apr"]),
    (
        "champion",
        &[
            "daily minimum, mean C, Mar",
            "daily minimum, mean C, Apr",
            "P(wet day | wet day before), months' mean square difference, root",
        ],
    ),
    (
        "cambridge",
        &[
            "share of wet days, Mar",
            "share of wet days, May",
            "share of wet days, Jul",
            "dry spell, mean days",
        ],
    ),
    ("suffolk", &["share of wet days, Mar", "share of wet days, Jul", "dry spell, mean days"]),
    (
        "newark",
        &[
            "dry spell, 90th percentile, days",
            "water of a wet day, 95th percentile, mm",
            "P(wet hour | wet hour before), by amount",
            "wet hours of a wet day",
        ],
    ),
    (
        "miami",
        &["wind, correlation over 1 h", "windy, mean run in hours", "heavy_rain, share of hours"],
    ),
    ("potsdam", &["snow, mean run in hours"]),
    (
        "hof",
        &["cloudy, mean run in hours", "mist, mean run in hours", "heavy_rain, share of hours"],
    ),
    (
        "braunlage",
        &[
            "daily maximum, mean C, Jan",
            "daily range, mean K",
            "hourly temperature less its usual, correlation over 6 h",
            "hourly temperature less its usual, correlation over 24 h",
            "hourly temperature less its usual, correlation over 48 h",
            "clear, mean run in hours",
            "heavy_snow, mean run in hours",
            "heavy_rain, share of hours",
        ],
    ),
];

fn judge(set: &str) {
    let known = MISSES.iter().find(|(of, _)| *of == set).map(|(_, known)| *known);
    let Some(preset) = preset(set) else {
        assert!(known.is_none(), "{set} has no preset");
        return;
    };
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
