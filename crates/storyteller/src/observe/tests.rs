//! Each event type has the fields that rules may use, of the shapes that they expect.

use super::schema::KINDS;
use super::*;
use worldbus_events::{ProducerId, v1};

const ENVELOPE: Envelope<'static> = Envelope {
    id: EventId { producer: ProducerId::MAX, sequence: 7 },
    wall_ms: 1_000,
    game_us: 5_000_000,
    entity: Some("brussels"),
    place: Some("paris"),
};

fn fits<E: Observe>(event: &E) -> Vec<Observation> {
    let observed = event.observe(&ENVELOPE, &World::sample());
    let kind = kind(E::NAME).unwrap_or_else(|| panic!("{} has no fields", E::NAME));
    assert!(!observed.is_empty(), "{}", E::NAME);
    for observation in &observed {
        let mut expected: Vec<_> = kind.fields.iter().map(|(name, _)| *name).collect();
        expected.sort_unstable();
        assert_eq!(observation.fields.keys().collect::<Vec<_>>(), expected, "{}", E::NAME);
        for (name, value) in &observation.fields {
            assert_eq!(Some(value.shape()), kind.shape(name), "{} {name}", E::NAME);
        }
        assert_eq!(observation.on, E::NAME);
    }
    observed
}

#[test]
fn every_event_type_has_the_fields_that_rules_may_use() {
    let change = v1::StateChange { path: "region/ghent/ruler".into(), ..Default::default() };
    fits(&v1::GroundStateChanged::default());
    fits(&v1::NpcCrowdChanged::default());
    fits(&v1::NpcDirectiveSet::default());
    fits(&v1::NpcRemoved::default());
    fits(&v1::NpcSpawned::default());
    fits(&v1::DayChanged::default());
    fits(&v1::HolidayEnded::default());
    fits(&v1::HolidayStarted::default());
    fits(&v1::HourChanged::default());
    fits(&v1::Jumped::default());
    fits(&v1::MonthChanged::default());
    fits(&v1::MoonPhaseChanged::default());
    fits(&v1::SeasonChanged::default());
    fits(&v1::YearChanged { old_year: Some(1), ..Default::default() });
    fits(&v1::WeatherAlertEnded::default());
    fits(&v1::WeatherAlertUpdated::default());
    fits(&v1::WeatherChanged::default());
    fits(&v1::WeatherDailySummary::default());
    fits(&v1::WeatherSevere::default());
    fits(&v1::WorldStateUpdated { changes: vec![change], ..Default::default() });
}

#[test]
fn null_in_the_state_is_as_if_it_were_removed() {
    let change = v1::StateChange {
        path: "faction/guild/leader".into(),
        operation: v1::StateOperation::Set.into(),
        value: b"null".to_vec(),
    };
    let event = v1::WorldStateUpdated { changes: vec![change], ..Default::default() };
    let observed = &fits(&event)[0];
    assert_eq!(observed.value("operation"), Some(crate::grammar::Value::Text("remove".into())));
}

#[test]
fn names_of_event_types_and_their_fields_agree() {
    let names: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
    assert_eq!(names, RECEIVED);
}

#[test]
fn a_change_of_the_state_knows_its_entity_and_region() {
    let set = |path: &str, value: &str| v1::StateChange {
        path: path.into(),
        operation: v1::StateOperation::Set.into(),
        value: value.as_bytes().to_vec(),
    };
    let changes = vec![set("region/paris/ruler", "\"crown\""), set("a/b/c/gold", "12.5")];
    let observed = fits(&v1::WorldStateUpdated { changes, ..Default::default() });
    assert_eq!(observed[0].region.as_deref(), Some("paris"));
    assert_eq!(observed[0].value("value"), Some(Value::name("crown")));
    assert_eq!(observed[1].entity.as_deref(), Some("a/b/c"));
    assert_eq!(observed[1].value("number"), Some(Value::Number(12)));
    assert_eq!((observed[1].index, &observed[1].region), (1, &None));
}

#[test]
fn dates_become_instants_of_the_calendar() {
    let date = Some(v1::Date { year: 2024, month: 3, day: 2 });
    let event = v1::HolidayStarted { date, ..Default::default() };
    // The sample world begins on 1 March at 6.
    assert_eq!(fits(&event)[0].game_us, 18 * 3_600_000_000);
    let nowhere = Some(v1::Date { year: 2024, month: 13, day: 2 });
    let event = v1::HolidayStarted { date: nowhere, ..Default::default() };
    assert_eq!(fits(&event)[0].game_us, ENVELOPE.game_us);
}

#[test]
fn states_have_their_short_names() {
    let event = v1::WeatherChanged {
        region_id: "nowhere".into(),
        new_state: v1::WeatherState::HeavyRain.into(),
        ..Default::default()
    };
    let observed = fits(&event);
    assert_eq!(observed[0].value("new_state"), Some(Value::name("heavy_rain")));
    assert_eq!(observed[0].region, None);
}
