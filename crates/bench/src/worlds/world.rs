//! How fast the world is computed, on one core: the weather of whole hours as it is published, and
//! reads of the clock. Not here: what a service does with it.

use std::hint::black_box;
use std::time::Instant;

use super::grid::Grid;
use crate::report::Row;
use worldbus_world::{Clock, GameTime, Overrides, WallTime, Weather, World};

const RUN_COUNT: usize = 5;
const REGION_COUNT: usize = 1000;
const YEAR_HOURS: i64 = 365 * 24;
const LOOK_COUNT: i64 = 300_000;
const READ_COUNT: i64 = 50_000_000;
/// Coprime to the number of regions and far from one hour to the next.
const LOOKS_APART_H: i64 = 7919;

pub(crate) fn rows() -> Vec<Row> {
    let world = a_thousand_regions();
    let weather = Weather::new(&world);
    let sweeps: Vec<f64> = (0..RUN_COUNT).map(|_| sweep_seconds(&weather)).collect();
    let hours = (REGION_COUNT as i64 * YEAR_HOURS) as f64;
    let rates = sweeps.iter().map(|seconds| hours / seconds / 1e6).collect();
    let looks = (0..RUN_COUNT).map(|_| looks_per_second(&weather) / 1e6).collect();
    let reads = (0..RUN_COUNT).map(|_| reads_per_second(&world) / 1e6).collect();
    vec![
        Row::new("weather: sweep over 1,000 regions", "M region-hours/s", rates, ">= 5"),
        Row::new("weather: 1,000 region-years", "s", sweeps, "< 2"),
        Row::new("weather: random access", "M region-hours/s", looks, ">= 0.3"),
        Row::new("clock: reads", "M/s", reads, ">= 50"),
    ]
}

/// Central Europe.
fn a_thousand_regions() -> World {
    let grid = Grid {
        region_count: REGION_COUNT,
        column_count: 32,
        real_seconds_per_game_hour: 25,
        latitude: 44.0,
        longitude: 2.0,
        climate: |_| "brussels",
    };
    #[expect(clippy::expect_used, reason = "a bug in the bench")]
    World::parse("bench", &grid.world_file()).expect("the world of the bench is correct")
}

fn sweep_seconds(weather: &Weather) -> f64 {
    let start = Instant::now();
    let mut sweep = weather.sweep(0);
    for hour in 0..YEAR_HOURS {
        sweep.go_to(hour);
        for region in 0..REGION_COUNT {
            black_box(sweep.conditions(region));
        }
    }
    start.elapsed().as_secs_f64()
}

fn looks_per_second(weather: &Weather) -> f64 {
    let none = Overrides::default();
    let start = Instant::now();
    for look in 0..LOOK_COUNT {
        let time = GameTime::from_hours(look * LOOKS_APART_H % 1_000_003);
        black_box(weather.conditions(look as usize % REGION_COUNT, time, &none));
    }
    LOOK_COUNT as f64 / start.elapsed().as_secs_f64()
}

fn reads_per_second(world: &World) -> f64 {
    let clock = Clock::new(world.scale, WallTime(0), GameTime(0));
    let start = Instant::now();
    for read in 0..READ_COUNT {
        black_box(clock.game_at(black_box(WallTime(read * 1_000))));
    }
    READ_COUNT as f64 / start.elapsed().as_secs_f64()
}
