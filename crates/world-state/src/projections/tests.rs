//! Files that are wrong name the line; what is built in fits the catalogue and the description.

use serde_json::json;

use super::*;
use crate::WorldState;
use worldbus_events::Catalogue;
use worldbus_simulated::Service as _;

fn read(text: &str) -> Result<Vec<Projection>, String> {
    file::read("p.toml", text, &Catalogue::builtin()).map_err(|error| error.to_string())
}

fn one(keys: &str) -> Result<Vec<Projection>, String> {
    read(&format!("[[projections]]\non = \"weather.changed\"\nentity = \"r/{{entity}}\"\n{keys}"))
}

#[test]
fn projections_that_are_built_in_are_on_event_types_that_the_service_receives() {
    let Projections(all) = Projections::load(None, &EventTypes::default()).unwrap();
    for projection in &all {
        let name = projection.event_type.name();
        assert!(WorldState::DESCRIPTION.receives.contains(&name), "{name}");
    }
    assert!(all.len() >= 10);
}

#[test]
fn mistake_is_refused_by_line_and_key() {
    for (keys, wanted) in [
        (
            "fields = { x = \"{payload.wether}\" }",
            "p.toml:4: projections[0].fields.x: expected a \
            field of weather.changed, found \"wether\"",
        ),
        ("fields = { x = \"{payload.new_state|loud}\" }", "expected one of the filters short"),
        ("fields = { x = \"{payload\" }", "expected a } for each {"),
        ("fields = { x = \"{weather}\" }", "expected entity, place, world or payload.FIELD"),
        ("fields = { \"a/b\" = \"x\" }", "p.toml:4: projections[0].fields.a/b: expected 1 to 64"),
        ("fields = { x = 1.5 }", "expected a text, true, false or a whole number, found 1.5"),
        ("fields = {}", "expected a table of 1 to 64 fields"),
        ("remove = [\"A\"]", "p.toml:4: projections[0].remove: expected 1 to 64"),
        ("", "expected fields or remove, found neither"),
        ("remove = [\"x\"]\nwhen = \"payload.forced\"", "p.toml:5: projections[0].when: expected"),
        ("remove = [\"x\"]\nwhen = \"payload.forced > yes\"", "expected a number behind >"),
        ("remove = [\"x\"]\nwen = \"x\"", "did you mean `when`?"),
    ] {
        let found = one(keys).unwrap_err();
        assert!(found.contains(wanted), "{wanted:?} is not in {found:?}");
    }
    for name in ["weather.chnged", "world_state.updated", "time.clock_changed"] {
        let text = format!("[[projections]]\non = \"{name}\"\nentity = \"a\"\nremove = [\"x\"]");
        assert!(read(&text).unwrap_err().starts_with("p.toml:2: projections[0].on: "));
    }
}

#[test]
fn values_are_those_of_the_event() {
    let text = "fields = { s = \"{payload.new_state|short}\", t = \
        \"{payload.temperature_decicelsius|tenths}\", m = \"{payload.started_game_us|minutes}\", \
        c = 7, p = \"{place} in {world}\", f = \"{payload.forced}\" }\nremove = [\"gone\"]\n";
    let seen = |payload: Json| {
        Seen {
            event_type: &one(text).unwrap()[0].event_type.clone(),
            entity: Some("ghent"),
            place: None,
            world: "europe",
            payload,
        }
        .changes(text)
    };
    let payload = json!({
        "new_state": "WEATHER_STATE_HEAVY_RAIN", "temperature_decicelsius": -25,
        "started_game_us": "120000000", "forced": true,
    });
    assert_eq!(
        seen(payload),
        [
            ("c", json!(7)),
            ("f", json!(true)),
            ("gone", Json::Null),
            ("m", json!(2)),
            ("p", json!("ghent in europe")),
            ("s", json!("heavy_rain")),
            ("t", json!(-2.5)),
        ]
        .map(|(field, value)| (field.to_owned(), value))
    );
}

#[test]
fn condition_compares_one_value() {
    let payload = || {
        json!({
            "new_state": "WEATHER_STATE_STORM", "intensity_permille": 700, "forced": false,
            "started_game_us": "60",
        })
    };
    for (when, wanted) in [
        ("payload.new_state == storm", true),
        ("payload.new_state == WEATHER_STATE_STORM", true),
        ("payload.new_state != rain", true),
        ("payload.intensity_permille >= 700", true),
        ("payload.intensity_permille > 700", false),
        ("payload.started_game_us < 61", true),
        ("payload.started_game_us == 60", true),
        ("payload.forced == true", false),
        ("payload.forced == null", false),
        ("place == null", false),
        ("entity == ghent", true),
    ] {
        let text = format!("remove = [\"x\"]\nwhen = \"{when}\"");
        let projection = &one(&text).unwrap()[0];
        let seen = Seen {
            event_type: &projection.event_type,
            entity: Some("ghent"),
            place: None,
            world: "europe",
            payload: payload(),
        };
        assert_eq!(!projection.changes(&seen).unwrap().is_empty(), wanted, "{when}");
    }
}

impl Seen<'_> {
    /// What the only projection of a text writes, by field; null: removed.
    fn changes(self, text: &str) -> Vec<(String, Json)> {
        let changes = one(text).unwrap()[0].changes(&self).unwrap();
        let shown = changes.into_iter().map(|change| match change.op {
            Op::Set(field, value) => {
                (field.to_string(), serde_json::from_str(value.as_str()).unwrap())
            }
            Op::Remove(Some(field)) => (field.to_string(), Json::Null),
            other => panic!("{other:?}"),
        });
        let mut shown: Vec<_> = shown.collect();
        shown.sort_by(|a, b| a.0.cmp(&b.0));
        shown
    }
}
