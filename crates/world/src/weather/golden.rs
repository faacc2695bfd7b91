//! The weather of 100,000 region-hours, as hashes of every bit that it is made of: the same in a
//! debug and a release build, on every machine. `WORLDBUS_BLESS=1` writes the file again.

use std::fmt::Write as _;

use super::plan::field;
use super::plan::mix::Mix;
use super::plan::moment::Moment;
use super::*;
use crate::ids::{Fnv128, MODEL_VERSION};
use crate::preset::{self, Season};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/weather/golden/vectors.txt");
const COMMITTED: &str = include_str!("golden/vectors.txt");

const BLOCK_COUNT: i64 = 100;
const VECTORS_PER_BLOCK: i64 = 1000;
/// Coprime to all that has a rhythm; the vectors lie from 11,400 years before the epoch to as
/// many after it.
const HOURS_APART: i64 = 1999;

/// A region in each climate, some of them far from the origin and south of the equator.
pub(super) fn world() -> World {
    let mut text = String::from(
        "id = \"golden\"\nseed = 20261127\nepoch = 2024-03-01T06:00:00\n\
         real_seconds_per_game_hour = 25\nclimate = \"brussels\"\n",
    );
    for (rank, climate) in preset::NAMES.iter().enumerate() {
        let latitude = 55.0 - 6.0 * rank as f64;
        let _ = write!(
            text,
            "[[regions]]\nid = \"{climate}\"\nclimate = \"{climate}\"\nlatitude = {latitude}\n\
             longitude = {}\nelevation_m = {}\n",
            -100 + 10 * rank as i64,
            100 * rank,
        );
    }
    World::parse("golden", &text).unwrap()
}

fn vector(weather: &Weather, region: usize, hour: i64, hash: &mut Fnv128) -> Conditions {
    let (place, climate) = (&weather.places[region], weather.climate(region));
    let noise = field::noise(weather.key, place, hour);
    let position = weather.calendar.climate_position(GameTime::from_hours(hour));
    let season = Season::new(position, place.shift);
    let mix = Mix::new(climate, Moment::new(&climate.preset, &season).temperature);
    let look = field::Look::new(weather.key, place, hour);
    let mixed = |octave| look.sum(octave, |noises| mix.column(octave, noises));
    for value in noise.into_iter().chain((0..noise.len()).map(mixed)).flatten() {
        hash.write(&value.to_bits().to_le_bytes());
    }
    let conditions = weather.conditions(region, GameTime::from_hours(hour), &Overrides::default());
    hash.write(format!("{conditions:?}").as_bytes());
    conditions
}

/// A line: the block, its first region and hour, the hash, a mean that people can compare.
fn block(weather: &Weather, block: i64) -> String {
    let (mut hash, mut sum_dc) = (Fnv128::default(), 0);
    let at = |n: i64| {
        let vector = block * VECTORS_PER_BLOCK + n;
        let middle = BLOCK_COUNT * VECTORS_PER_BLOCK / 2;
        (vector as usize % weather.region_count(), (vector - middle) * HOURS_APART)
    };
    for n in 0..VECTORS_PER_BLOCK {
        let (region, hour) = at(n);
        sum_dc += i64::from(vector(weather, region, hour, &mut hash).temperature_dc);
    }
    let (region, hour) = at(0);
    let region = &weather.region_ids[region];
    format!("{block} {region} {hour} {:032x} {}", hash.0, sum_dc / VECTORS_PER_BLOCK)
}

#[test]
fn hundred_thousand_region_hours_are_the_same_to_the_bit() {
    let weather = Weather::new(&world());
    let head = format!("model {MODEL_VERSION}: block, region, hour, hash, mean of temperature_dc");
    let lines: Vec<String> = (0..BLOCK_COUNT).map(|n| block(&weather, n)).collect();
    if std::env::var_os("WORLDBUS_BLESS").is_some() {
        std::fs::write(FILE, format!("{head}\n{}\n", lines.join("\n"))).unwrap();
        return;
    }
    let (committed_head, committed) = COMMITTED.split_once('\n').unwrap();
    let other = lines.iter().zip(committed.lines()).filter(|(now, then)| now != then).count();
    let first = lines.iter().zip(committed.lines()).find(|(now, then)| now != then);
    assert!(
        committed_head == head && first.is_none() && committed.lines().count() == lines.len(),
        "the weather is another in {other} of {BLOCK_COUNT} blocks, first {first:?}: if the model \
         was changed, raise MODEL_VERSION (crates/world/src/ids.rs) once for the release and run \
         this test with WORLDBUS_BLESS=1; if not, this machine or build computes otherwise",
    );
}
