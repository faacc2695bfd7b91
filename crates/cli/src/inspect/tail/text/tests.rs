//! Lines as people see them.

use prost::Message as _;

use super::*;
use worldbus_events::{About, Batch, BatchBuilder, Event, EventId, NewEvent, ProducerId, v1};

fn batch(event_type: u32, entity: Option<&str>, payload: &[u8]) -> Batch {
    batch_of("europe", event_type, entity, payload)
}

fn batch_of(world: &str, event_type: u32, entity: Option<&str>, payload: &[u8]) -> Batch {
    let mut builder = BatchBuilder::new("test", world);
    let id = EventId { producer: ProducerId::from_bits(1), sequence: 1 };
    let (timestamp_ms, place, metadata) = (1500, None, None);
    let event = NewEvent { event_type, id, timestamp_ms, entity, place, payload, metadata };
    builder.push(event).unwrap();
    builder.finish().unwrap()
}

fn line(lines: &mut Lines, batch: &Batch) -> String {
    let mut line = String::new();
    let event = batch.iter().next().unwrap();
    lines.follow(&event);
    lines.write(&mut line, &event, &Catalogue::builtin());
    line
}

fn lines(colour: bool, row_width: Option<usize>) -> Lines {
    Lines::new(&Catalogue::builtin(), colour, row_width)
}

fn misty(region: &str) -> Batch {
    let changed = v1::WeatherChanged {
        region_id: region.to_owned(),
        new_state: v1::WeatherState::Mist.into(),
        temperature_decicelsius: 123,
        started_game_us: 7 * 3_600_000_000,
        expected_end_game_us: 9 * 3_600_000_000,
        ..Default::default()
    };
    batch(v1::WeatherChanged::NUMBER, Some(region), &changed.encode_to_vec())
}

#[test]
fn line_has_wall_time_game_time_type_entity_and_units_of_people() {
    let mut lines = lines(false, None);
    let date = Some(v1::Date { year: 2024, month: 3, day: 1 });
    let game_us = 7 * 3_600_000_000;
    let hour = v1::HourChanged { hour: 7, date, game_us, ..Default::default() };
    line(&mut lines, &batch(v1::HourChanged::NUMBER, None, &hour.encode_to_vec()));
    let shown = line(&mut lines, &misty("ghent"));
    assert!(shown.starts_with("01-01 00:00:01Z  2024-03-01 07:00  weather.changed"), "{shown}");
    assert!(shown.contains("  ghent  new_state=mist "), "{shown}");
    assert!(shown.contains("temperature=12.3°C"), "{shown}");
    assert!(shown.contains("expected_end=+2h") && !shown.contains("_us"), "{shown}");
}

#[test]
fn place_stands_behind_the_entity_and_steers_no_terminal() {
    let mut builder = BatchBuilder::new("test", "europe");
    let id = EventId { producer: ProducerId::from_bits(1), sequence: 1 };
    let about = About::from("npc-7").at("mar\u{1b}ket");
    builder.push_event(&v1::WeatherChanged::default(), id, 1500, about).unwrap();
    let shown = line(&mut lines(false, None), &builder.finish().unwrap());
    assert!(shown.contains("  npc-7  @mar") && !shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn game_time_is_blank_until_an_event_carries_it() {
    let shown = line(&mut lines(false, None), &misty("ghent"));
    assert!(shown.starts_with("01-01 00:00:01Z                    weather.changed"), "{shown}");
}

/// The line of an event without its type's name and what stands before.
fn after_type<E: Event>(lines: &mut Lines, event: &E) -> (String, String) {
    let line = line(lines, &batch(E::NUMBER, None, &event.encode_to_vec()));
    let (before, after) = line.split_once(E::NAME).unwrap();
    (before[17..].trim().to_owned(), after.trim().to_owned())
}

fn six_o_clock(lines: &mut Lines) {
    let tick = v1::TimeUpdated { hour: 6, ..Default::default() };
    line(lines, &batch(v1::TimeUpdated::NUMBER, None, &tick.encode_to_vec()));
}

const HOUR_US: i64 = 3_600_000_000;

#[test]
fn event_with_its_own_game_time_is_shown_at_it() {
    let mut lines = lines(false, None);
    six_o_clock(&mut lines);
    let game_us = 9 * HOUR_US + HOUR_US / 3;
    let jumped = v1::Jumped { to_game_us: game_us, from_game_us: HOUR_US, ..Default::default() };
    let shown = after_type(&mut lines, &jumped);
    assert_eq!(shown, ("15:20".to_owned(), "epoch=0 from=-8h20m to=+0s".to_owned()));
    let scaled = v1::ScaleChanged {
        old_numerator: 144,
        old_denominator: 1,
        new_numerator: 60,
        new_denominator: 8,
        epoch: 3,
        game_us,
        ..Default::default()
    };
    let shown = after_type(&mut lines, &scaled);
    assert_eq!(shown, ("15:20".to_owned(), "old=144× new=7.5× epoch=3".to_owned()));
    // An hour that the clock jumped into does not begin with it.
    let hour = v1::HourChanged { hour: 15, game_us, ..Default::default() };
    assert_eq!(after_type(&mut lines, &hour).0, "15:20");
}

#[test]
fn time_since_the_epoch_is_shown_while_no_clock_is_known() {
    let ground = v1::GroundStateChanged { game_us: 18 * HOUR_US, ..Default::default() };
    let shown = after_type(&mut lines(false, None), &ground);
    assert_eq!(shown.1, "snow_depth=0mm wetness=0% game=+0s");
    let override_set = v1::WeatherOverrideSet { start_game_us: HOUR_US, ..Default::default() };
    let shown = after_type(&mut lines(false, None), &override_set);
    assert!(shown.1.contains("start=epoch+1h ") && !shown.1.contains("end="), "{shown:?}");
}

#[test]
fn announced_overrides_are_counted() {
    let announced = v1::WeatherOverridesAnnounced {
        revision: 7,
        part_count: 1,
        overrides: vec![v1::WeatherOverride::default(); 300],
        ..Default::default()
    };
    let shown = after_type(&mut lines(false, None), &announced).1;
    assert!(shown.starts_with("revision=7 ") && shown.ends_with(" overrides=300"), "{shown}");
}

#[test]
fn scheduled_event_is_shown_by_its_name_and_fields() {
    let request = v1::WeatherOverrideRequested {
        state: v1::WeatherState::Storm.into(),
        actor: "me".to_owned(),
        ..Default::default()
    };
    let fired = v1::ScheduleFired {
        schedule_id: "s1".to_owned(),
        event_type: v1::WeatherOverrideRequested::NUMBER,
        payload: request.encode_to_vec(),
        ..Default::default()
    };
    let mut lines = lines(false, None);
    six_o_clock(&mut lines);
    let expected = "schedule_id=s1 due=+0s event_type=weather.override_requested \
                    payload={state=storm actor=me}";
    assert_eq!(after_type(&mut lines, &fired).1, expected);
    let broken = v1::ScheduleFired { payload: vec![0xff], ..fired };
    assert!(after_type(&mut lines, &broken).1.ends_with("payload=/w=="));
}

#[test]
fn bytes_that_hold_json_are_shown_as_it_and_others_as_base64() {
    let change = |value: &[u8]| v1::StateChange {
        path: "region/ghent/ruler".to_owned(),
        operation: v1::StateOperation::Set.into(),
        value: value.to_vec(),
    };
    let values = [&br#"{"name":"Jacob"}"#[..], b"7", b"no json", b"\xff"];
    let changes = values.map(change).into();
    let updated = v1::WorldStateUpdated { version: 2, previous_version: 1, changes };
    let shown = after_type(&mut lines(false, None), &updated).1;
    for value in [r#"value={"name":"Jacob"}}"#, "value=7}", "value=bm8ganNvbg==}", "value=/w==}"] {
        assert!(shown.contains(value), "{value} in {shown}");
    }
}

#[test]
fn world_is_shown_once_there_are_two() {
    let mut lines = lines(false, None);
    let mut shown = |world| line(&mut lines, &batch_of(world, 4711, None, b""));
    assert!(!shown("europe").contains("europe"));
    assert!(shown("europe:dungeon").contains("  europe:dungeon  4711"));
    assert!(shown("europe").contains("  europe          4711"));
}

#[test]
fn line_fills_one_row_at_most_and_styles_take_no_room() {
    let plain = line(&mut lines(false, Some(60)), &misty("ghent"));
    assert_eq!(plain.chars().count(), 60, "{plain}");
    assert!(plain.ends_with('…'), "{plain}");
    let coloured = line(&mut lines(true, Some(60)), &misty("ghent"));
    let unstyled = [DIM, BOLD, RESET]
        .iter()
        .chain(&COLOURS)
        .fold(coloured, |line, style| line.replace(style, ""));
    assert_eq!(unstyled, plain);
}

#[test]
fn unknown_type_is_shown_by_number_and_strange_text_does_not_steer_the_terminal() {
    let shown = line(&mut lines(true, None), &batch(4711, Some("\u{1b}[2Jx\u{9b}"), b"abc"));
    assert!(shown.contains("4711") && shown.contains("base64=YWJj"), "{shown}");
    assert!(shown.contains("\\u{1b}[2Jx\\u{9b}"), "{shown:?}");
    assert!(!shown.contains("\u{1b}[2J"), "{shown:?}");
}
