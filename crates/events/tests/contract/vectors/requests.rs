//! Requests: for the weather one with little in it and one with every field set; for the clock
//! each command.

use worldbus_events::v1::clock_requested::Command;
use worldbus_events::v1::{
    ClockPhaseSpeeds, ClockRequested, ClockScale, ClockSet, ClockSkip, ClockStart, ClockStop,
    WeatherOverrideRequested, WeatherState,
};
use worldbus_events::{Batch, BatchBuilder, EventId, ProducerId};

const NOON_MS: i64 = 1_772_366_400_000;

pub(crate) fn batch() -> Batch {
    let mut builder = BatchBuilder::new("time-manager", "europe");
    let storm = WeatherOverrideRequested {
        region_ids: vec!["brussels".to_owned(), "paris".to_owned()],
        state: WeatherState::Storm.into(),
        intensity_permille: Some(700),
        duration_game_minutes: Some(90),
        actor: "anna".to_owned(),
        reason: "the boss fight".to_owned(),
    };
    let fog = WeatherOverrideRequested {
        state: WeatherState::Fog.into(),
        // The weakest fog: not the same as an intensity that is left out.
        intensity_permille: Some(0),
        ..WeatherOverrideRequested::default()
    };
    for (sequence, (event, entity)) in [(fog, Some("oslo")), (storm, None)].iter().enumerate() {
        builder.push_event(event, id(sequence), NOON_MS, *entity).unwrap();
    }
    builder.finish().unwrap()
}

pub(crate) fn clock() -> Batch {
    let mut builder = BatchBuilder::new("time-manager", "europe");
    for (sequence, event) in commands().iter().enumerate() {
        builder.push_event(event, id(sequence), NOON_MS, None).unwrap();
    }
    builder.finish().unwrap()
}

fn id(sequence: usize) -> EventId {
    let producer = ProducerId::from_bits(0x0123_4567_89ab_cdef);
    EventId { producer, sequence: sequence as u64 }
}

fn commands() -> Vec<ClockRequested> {
    let set = ClockSet {
        hour: 22,
        minute: Some(0),
        day: Some(31),
        month: Some(12),
        // Before the year 0 of the world's calendar.
        year: Some(-3),
    };
    let speeds = ClockPhaseSpeeds { day: Some(0.5), night: Some(2.0), ..Default::default() };
    let scale = ClockScale { real_seconds_per_game_hour: Some(59.94), phase_speeds: Some(speeds) };
    let even = ClockScale { phase_speeds: Some(ClockPhaseSpeeds::default()), ..scale };
    let skip = ClockSkip { days: 1, hours: 2, minutes: 30, seconds: 15 };
    let commands = [
        Command::Set(set),
        Command::Skip(skip),
        Command::Scale(scale),
        Command::Scale(even),
        Command::Stop(ClockStop {}),
        Command::Start(ClockStart {}),
    ];
    let (actor, reason) = ("anna".to_owned(), "the feast".to_owned());
    let signed = |command| ClockRequested {
        command: Some(command),
        actor: actor.clone(),
        reason: reason.clone(),
    };
    let none = ClockRequested::default();
    std::iter::once(none).chain(commands.map(signed)).collect()
}
