//! Announcements of overrides: a set in two parts with every effect and every field set, and an
//! empty one.

use worldbus_events::v1::weather_override::Effect;
use worldbus_events::v1::{
    WeatherCommand, WeatherLift, WeatherLock, WeatherOffset, WeatherOverride,
    WeatherOverridesAnnounced, WeatherSeasonShift, WeatherSetState, WeatherState, WeatherStormCell,
    WeatherWaypoint,
};
use worldbus_events::{Batch, BatchBuilder, EventId, ProducerId};

const NOON_MS: i64 = 1_772_366_400_250;
const WALL_US: i64 = NOON_MS * 1000 + 123;
const GAME_US: i64 = 5_119_200_000_000;
const HOUR_US: i64 = 3_600_000_000;

pub(crate) fn batch() -> Batch {
    let mut builder = BatchBuilder::new("weather-manager", "europe");
    let none = WeatherOverridesAnnounced {
        announced_wall_us: WALL_US,
        part_count: 1,
        ..WeatherOverridesAnnounced::default()
    };
    for (sequence, event) in [none, first_part(), second_part()].iter().enumerate() {
        let producer = ProducerId::from_bits(0x0123_4567_89ab_cdef);
        let id = EventId { producer, sequence: sequence as u64 };
        builder.push_event(event, id, NOON_MS, None).unwrap();
    }
    builder.finish().unwrap()
}

fn first_part() -> WeatherOverridesAnnounced {
    WeatherOverridesAnnounced {
        revision: 9,
        epoch: 3,
        announced_wall_us: WALL_US,
        part: 0,
        part_count: 2,
        forgotten_revision: 2,
        region_ids: vec!["brussels".to_owned()],
        commands: vec![command(3, -5_000_000, 0), command(8, 0, 0)],
        overrides: vec![
            WeatherOverride {
                revision: 3,
                override_id: "brussels-3".to_owned(),
                region_indexes: vec![0, 1],
                start_game_us: GAME_US,
                end_game_us: Some(GAME_US + 24 * HOUR_US),
                fade_in_us: HOUR_US + 1,
                fade_out_us: 2 * HOUR_US,
                priority: -2,
                actor: "anna".to_owned(),
                lift_indexes: vec![0, 1],
                effect: Some(Effect::SetState(WeatherSetState {
                    state: WeatherState::Storm.into(),
                    intensity_permille: 700,
                })),
            },
            of(4, Effect::Lock(WeatherLock {})),
        ],
        lifts: Vec::new(),
    }
}

fn second_part() -> WeatherOverridesAnnounced {
    let offset = WeatherOffset {
        temperature_decicelsius: -80,
        wind_speed_dmps: 125,
        precipitation_permille: 1500,
    };
    let point = |latitude_millidegrees, longitude_millidegrees| WeatherWaypoint {
        latitude_millidegrees,
        longitude_millidegrees,
    };
    let cell = WeatherStormCell {
        path: vec![point(50_850, 4_350), point(-23_550, -46_633)],
        radius_m: 80_000,
        speed_mph: 40_000,
        state: WeatherState::Blizzard.into(),
        intensity_permille: 1000,
    };
    let lift = |revision, region_indexes, hours: Option<i64>| WeatherLift {
        revision,
        region_indexes,
        from_game_us: GAME_US + HOUR_US,
        to_game_us: hours.map(|hours| GAME_US + hours * HOUR_US),
    };
    WeatherOverridesAnnounced {
        revision: 9,
        epoch: 3,
        announced_wall_us: WALL_US,
        part: 1,
        part_count: 2,
        forgotten_revision: 2,
        region_ids: vec!["são_paulo".to_owned()],
        commands: vec![command(9, 2_000_000, 8)],
        overrides: vec![
            of(5, Effect::Offset(offset)),
            of(6, Effect::SeasonShift(WeatherSeasonShift { days: -183 })),
            of(7, Effect::StormCell(cell)),
        ],
        lifts: vec![lift(8, vec![1], Some(2)), lift(2, Vec::new(), None)],
    }
}

fn command(revision: u64, later_us: i64, undone_revision: u64) -> WeatherCommand {
    let effective_wall_us = WALL_US + later_us;
    WeatherCommand { revision, effective_wall_us, undone_revision }
}

/// Everywhere, from the world's epoch on, until it is lifted.
fn of(revision: u64, effect: Effect) -> WeatherOverride {
    let override_id = format!("all-{revision}");
    WeatherOverride { revision, override_id, effect: Some(effect), ..WeatherOverride::default() }
}
