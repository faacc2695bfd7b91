//! The document holds what the catalogue holds. AsyncAPI's own parser judges it in `proto/check`.

use super::*;
use crate::catalogue::tests::compile;

fn at<'a>(document: &'a Value, pointer: &str) -> &'a Value {
    document.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is missing"))
}

/// Every `$ref` of a document.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(target)) = map.get("$ref") {
                found.push(target.clone());
            }
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn topics_are_channels_and_event_types_are_messages() {
    let document = document(&Catalogue::builtin());
    assert_eq!(document["asyncapi"], "3.0.0");
    let time = at(&document, "/channels/time/messages").as_object().unwrap();
    assert_eq!(time.len(), 22);
    assert_eq!(at(&document, "/operations/publish_time/action"), "send");
    assert_eq!(at(&document, "/operations/consume_weather/action"), "receive");
    let tick = at(&document, "/components/messages/time.updated");
    assert_eq!(tick["x-event-type-number"], 6);
    assert_eq!(tick["x-delivery-class"], "latest");
}

#[test]
fn schemas_describe_the_proto3_json_form_and_quote_the_comments() {
    let document = document(&Catalogue::builtin());
    let schemas = "/components/schemas/worldbus.events.v1.";
    let tick = at(&document, &format!("{schemas}TimeUpdated/properties"));
    assert_eq!(tick["total_minutes"]["type"], "string");
    assert_eq!(tick["total_minutes"]["description"], "Whole game minutes since the world's epoch.");
    assert_eq!(tick["hour"]["type"], "integer");
    assert_eq!(tick["phase"]["enum"][4], "PHASE_NIGHT");
    let date = at(&document, &format!("{schemas}DayActivated/properties/date/$ref"));
    assert_eq!(date, "#/components/schemas/worldbus.events.v1.Date");
    let value = at(&document, &format!("{schemas}StateChange/properties/value"));
    assert_eq!(value["contentEncoding"], "base64");
}

#[test]
fn a_studios_types_are_described_with_maps_recursion_and_well_known_types() {
    let set = compile(
        "import \"google/protobuf/timestamp.proto\";\n\
         message Node { option (worldbus.events.v1.event_type) = \
         { number: 1000 name: \"quest.tree\" topic: \"quest\" }; \
         repeated Node children = 1; map<string, double> weights = 2; \
         google.protobuf.Timestamp since = 3; }",
        true,
    );
    let document = document(&Catalogue::builtin().with_descriptor_set(&set).unwrap());
    let node = at(&document, "/components/schemas/studio.v1.Node/properties");
    assert_eq!(node["children"]["items"]["$ref"], "#/components/schemas/studio.v1.Node");
    assert_eq!(node["weights"]["additionalProperties"]["anyOf"][0]["type"], "number");
    assert_eq!(node["since"]["format"], "date-time");
    at(&document, "/channels/quest/messages/quest.tree");
}

#[test]
fn every_reference_has_its_target() {
    let document = document(&Catalogue::builtin());
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 20);
    for target in found {
        at(&document, target.trim_start_matches('#'));
    }
}
