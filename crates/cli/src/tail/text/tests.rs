//! Lines as people see them.

use super::*;
use worldbus_events::{
    Batch, BatchBuilder, Event as _, EventId, NewEvent, ProducerId, prost::Message, v1,
};

fn batch(event_type: u32, entity: Option<&str>, payload: &[u8]) -> Batch {
    let mut builder = BatchBuilder::new("test", "europe");
    let id = EventId { producer: ProducerId::from_bits(1), sequence: 1 };
    let event = NewEvent { event_type, id, timestamp_ms: 1500, entity, payload, metadata: None };
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
fn game_time_is_blank_until_an_event_carries_it() {
    let shown = line(&mut lines(false, None), &misty("ghent"));
    assert!(shown.starts_with("01-01 00:00:01Z                    weather.changed"), "{shown}");
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
