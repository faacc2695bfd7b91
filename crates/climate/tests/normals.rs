//! Presets that were made of twelve normals alone, judged by records that the prior never saw.
//! `crates/climate/examples/build_normals.rs` makes them. Not here: presets from observations.
#![allow(clippy::disallowed_methods, reason = "tests touch disk and clock")]

mod support;

use support::{YEAR_COUNT, preset, targets};
use worldbus_climate::bands::{Bands, compare};
use worldbus_climate::sample::Sampler;
use worldbus_climate::statistics::Figures;

/// Neither the prior nor a climate that lends to these presets was fitted to the records of these
/// sets. It was to those of Brussels, Cambridge, Champion and Cordoba.
const HELD_OUT: [&str; 6] = ["tunis", "norfolk", "suffolk", "lincolnshire", "newark", "laguardia"];
const SEED: u64 = 4711;
/// The part of all checks that has to hold.
const PART_MIN: f64 = 0.8;

#[test]
fn most_checks_hold_at_places_that_the_prior_was_not_fitted_to() {
    let (mut held, mut judged) = (0, 0);
    for set in HELD_OUT {
        let preset = preset(&format!("normals-{set}")).expect("a committed preset");
        let targets = targets(set);
        let record = Sampler::new(&preset, SEED).expect("a place").record(YEAR_COUNT);
        let figures = Figures::of(&record, targets.years);
        for check in compare(&targets, &figures, Bands::Normals) {
            if check.range.is_some() {
                judged += 1;
                held += usize::from(check.holds());
            }
            if !check.holds() {
                println!("{set}: {check}");
            }
        }
    }
    println!("{held} of {judged} hold");
    assert!(held as f64 >= PART_MIN * judged as f64, "{held} of {judged} hold");
}
