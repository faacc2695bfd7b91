//! What the golden vectors hold.

mod overrides;
mod people;
mod requests;
mod sun;
mod time;
mod weather;

use std::collections::BTreeMap;

use worldbus_events::v1::{
    ClockChanged, Date, DayActivated, GameEvent, NightActivated, Phase, Season, Severity,
    StateChange, StateOperation, TimeChanged, TimeUpdated, WeatherChanged, WeatherSevere,
    WeatherState, WorldStateUpdated,
};
use worldbus_events::{Batch, BatchBuilder, Event, EventId, NewEvent, ProducerId};

/// 2026-03-01T12:00:00.250Z.
const NOON_MS: i64 = 1_772_366_400_250;
const PRODUCER: u64 = 0x0123_4567_89ab_cdef;

/// Producer, sequence and the UUID that they make. The texts are worked out by hand from the
/// layout in docs/reference/contract.md.
pub(crate) fn ids() -> Vec<(u64, u64, &'static str)> {
    vec![
        (0, 0, "00000000-0000-8000-8000-000000000000"),
        (1, 1, "00000000-0000-8004-8000-000000000001"),
        (0x3ff, 1 << 61, "00000000-0000-8ffc-a000-000000000000"),
        (0x400, 1 << 62, "00000000-0001-8001-8000-000000000000"),
        (0x0123_4567_89ab_cdef, 42, "48d159e2-6af3-87bc-8000-00000000002a"),
        ((1 << 58) - 1, u64::MAX, "ffffffff-ffff-8fff-bfff-ffffffffffff"),
    ]
}

pub(crate) fn batches() -> Vec<(&'static str, Batch)> {
    vec![
        ("one_event", one_event()),
        ("three_ticks", three_ticks()),
        ("mixed_types", mixed_types()),
        ("negative_numbers", negative_numbers()),
        ("all_types", all_types()),
        ("time_types", time::batch()),
        ("sun_types", sun::batch()),
        ("request_types", requests::batch()),
        ("clock_requests", requests::clock()),
        ("weather_overrides", overrides::batch()),
        ("places", places()),
        ("people_types", people::people()),
        ("people_residents", people::residents()),
        ("people_requests", people::requests()),
        ("story_types", people::story()),
    ]
}

pub(crate) fn game_events() -> Vec<(&'static str, GameEvent)> {
    let ours = mixed_types().iter().nth(1).unwrap().to_game_event();
    let predecessor = GameEvent {
        event_id: "8c5e3c0a-6f0a-4a4e-9d3c-0f6f2f0f8d11".to_owned(),
        metadata: BTreeMap::from([("version".to_owned(), "1.0".to_owned())]),
        ..one_event().iter().next().unwrap().to_game_event()
    };
    let placed = places().iter().next().unwrap().to_game_event();
    vec![("ours", ours), ("predecessor", predecessor), ("placed", placed)]
}

fn id(sequence: u64) -> EventId {
    EventId { producer: ProducerId::from_bits(PRODUCER), sequence }
}

fn tick(total_minutes: i64, phase: Phase) -> TimeUpdated {
    let minute_of_day = total_minutes.rem_euclid(1440) as u32;
    TimeUpdated {
        total_minutes,
        hour: minute_of_day / 60,
        minute: minute_of_day % 60,
        phase: phase.into(),
    }
}

/// The least that a batch can be: no entity, no deltas.
fn one_event() -> Batch {
    let mut builder = BatchBuilder::new("time-manager", "europe");
    builder.push_event(&tick(84_960, Phase::Night), id(0), NOON_MS, None).unwrap();
    builder.finish().unwrap()
}

/// The common case: consecutive sequences, timestamps that differ.
fn three_ticks() -> Batch {
    let mut builder = BatchBuilder::new("time-manager", "europe");
    for minute in 0..3 {
        let timestamp_ms = NOON_MS + minute * 1250 / 3;
        let event = tick(84_960 + minute, Phase::Night);
        builder.push_event(&event, id(1000 + minute as u64), timestamp_ms, None).unwrap();
    }
    builder.finish().unwrap()
}

/// Every column: gaps between sequences, times that go back, events with an entity and
/// without, a repeated entity, an empty payload, metadata.
fn mixed_types() -> Batch {
    let oslo = weather_changed("oslo");
    let trace = BTreeMap::from([
        ("trace_id".to_owned(), "4bf92f3577b34da6".to_owned()),
        ("a".to_owned(), "ä".to_owned()),
    ]);
    let mut builder = BatchBuilder::new("weather-manager", "europe");
    let payload = prost::Message::encode_to_vec(&oslo);
    let new = |sequence, event_type, entity, payload, metadata| NewEvent {
        event_type,
        id: id(sequence),
        timestamp_ms: NOON_MS - sequence as i64 % 7,
        entity,
        place: None,
        payload,
        metadata,
    };
    for event in [
        new(1 << 62, 1, Some("oslo"), &payload[..], None),
        new((1 << 62) + 1, 1, Some("são_paulo"), &payload[..], Some(&trace)),
        new((1 << 62) + 300, 4, None, &[], None),
        new((1 << 63) + 5, 1, Some("oslo"), &payload[..], None),
        new(u64::MAX, 6, None, &[], None),
    ] {
        builder.push(event).unwrap();
    }
    builder.finish().unwrap()
}

/// Events that name a place: with an entity and without, one place twice, one event that names
/// none, one whose place is its entity, and metadata before the places.
fn places() -> Batch {
    let trace = BTreeMap::from([("trace_id".to_owned(), "4bf92f3577b34da6".to_owned())]);
    let payload = prost::Message::encode_to_vec(&tick(85_351, Phase::Day));
    let mut builder = BatchBuilder::new("npc-behavior", "europe");
    for (sequence, (entity, place)) in [
        (Some("npc-7"), Some("brussels/market")),
        (None, Some("são_paulo")),
        (Some("npc-8"), None),
        (Some("brussels/market"), Some("brussels/market")),
        (None, None),
    ]
    .into_iter()
    .enumerate()
    {
        let metadata = (sequence == 1).then_some(&trace);
        let (event_type, timestamp_ms) = (TimeUpdated::NUMBER, NOON_MS);
        let (id, payload) = (id(sequence as u64), &payload[..]);
        builder
            .push(NewEvent { event_type, id, timestamp_ms, entity, place, payload, metadata })
            .unwrap();
    }
    builder.finish().unwrap()
}

/// Before the Unix epoch, before the world's epoch, below freezing.
fn negative_numbers() -> Batch {
    let mut builder = BatchBuilder::new("s", "");
    builder.push_event(&tick(-1, Phase::Night), id(5), -1, None).unwrap();
    builder.push_event(&tick(i64::MIN, Phase::Dawn), id(6), -62_135_596_800_000, None).unwrap();
    let cold = WeatherChanged {
        region_id: "vostok".to_owned(),
        temperature_decicelsius: -892,
        dew_point_decicelsius: i32::MIN,
        started_game_us: -3_600_000_000,
        expected_end_game_us: i64::MIN,
        ..WeatherChanged::default()
    };
    builder.push_event(&cold, id(7), 1, Some("vostok")).unwrap();
    let date = Some(Date { year: -44, month: 3, day: 15 });
    builder.push_event(&DayActivated { date, ..DayActivated::default() }, id(8), 1, None).unwrap();
    builder.finish().unwrap()
}

/// Each event type once, every field set.
fn all_types() -> Batch {
    fn push<E: Event>(builder: &mut BatchBuilder, event: &E, entity: Option<&str>) {
        let sequence = builder.len() as u64;
        builder.push_event(event, id(sequence), NOON_MS, entity).unwrap();
    }
    let date = Some(Date { year: 2026, month: 3, day: 1 });
    let mut builder = BatchBuilder::new("studio", "europe");
    push(&mut builder, &weather_changed("brussels"), Some("brussels"));
    push(&mut builder, &weather_severe(), Some("brussels"));
    let time_changed = TimeChanged {
        old_phase: Phase::Night.into(),
        new_phase: Phase::Dawn.into(),
        date,
        hour: 5,
        minute: 1,
        season: Season::Winter.into(),
        total_minutes: 84_961,
        ..TimeChanged::default()
    };
    push(&mut builder, &time_changed, None);
    push(&mut builder, &DayActivated { date, ..DayActivated::default() }, None);
    push(&mut builder, &NightActivated { date, ..NightActivated::default() }, None);
    push(&mut builder, &TimeUpdated { hour: 20, ..tick(86_161, Phase::Night) }, None);
    let change = StateChange {
        path: "regions/brussels/ruler".to_owned(),
        operation: StateOperation::Set.into(),
        value: b"\x00\xffAnna".to_vec(),
    };
    let state = WorldStateUpdated { version: 8, previous_version: 7, changes: vec![change] };
    push(&mut builder, &state, None);
    let clock = ClockChanged {
        epoch: 3,
        anchor_wall_us: NOON_MS * 1000,
        anchor_game_us: 5_097_600_000_000,
        scale_numerator: 144,
        scale_denominator: 1,
        paused: true,
        reason: "pause".to_owned(),
        revision: 12,
        ..ClockChanged::default()
    };
    push(&mut builder, &clock, None);
    let brussels = Some("brussels");
    push(&mut builder, &weather::transition_started(), brussels);
    push(&mut builder, &weather::transition_completed(), brussels);
    push(&mut builder, &weather::alert_updated(), brussels);
    push(&mut builder, &weather::alert_ended(), brussels);
    push(&mut builder, &weather::override_set(), None);
    push(&mut builder, &weather::override_cleared(), None);
    push(&mut builder, &weather::corrected(), None);
    push(&mut builder, &weather::sample(), brussels);
    push(&mut builder, &weather::daily_summary(), brussels);
    push(&mut builder, &weather::ground_state_changed(), brussels);
    builder.finish().unwrap()
}

fn weather_changed(region_id: &str) -> WeatherChanged {
    WeatherChanged {
        region_id: region_id.to_owned(),
        old_state: WeatherState::Cloudy.into(),
        new_state: WeatherState::HeavyRain.into(),
        intensity_permille: 400,
        temperature_decicelsius: -15,
        dew_point_decicelsius: -21,
        relative_humidity_permille: 950,
        wind_speed_dmps: 82,
        wind_gust_dmps: 147,
        wind_direction_degrees: 270,
        precipitation_rate_umph: 9_500,
        snow_rate_umph: 100,
        cloud_cover_permille: 1000,
        visibility_m: 2_500,
        pressure_dhpa: 9_987,
        started_game_us: 5_097_600_000_000,
        expected_end_game_us: 5_104_800_000_000,
        forced: true,
    }
}

fn weather_severe() -> WeatherSevere {
    WeatherSevere {
        region_id: "brussels".to_owned(),
        state: WeatherState::Storm.into(),
        severity: Severity::Warning.into(),
        onset_game_us: 5_119_200_000_000,
        end_game_us: 5_130_000_000_000,
        peak_wind_gust_dmps: 310,
        peak_precipitation_rate_umph: 22_000,
        forced: true,
        alert_id: "brussels:5119200000000".to_owned(),
    }
}
