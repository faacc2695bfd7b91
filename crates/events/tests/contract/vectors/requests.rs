//! Requests: one with little in it, one with every field set.

use worldbus_events::v1::{WeatherOverrideRequested, WeatherState};
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
        let producer = ProducerId::from_bits(0x0123_4567_89ab_cdef);
        let id = EventId { producer, sequence: sequence as u64 };
        builder.push_event(event, id, NOON_MS, *entity).unwrap();
    }
    builder.finish().unwrap()
}
