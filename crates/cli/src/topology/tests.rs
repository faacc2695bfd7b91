//! Tests of the topology: what the services get and may do, what a studio adds, what is refused.

use super::*;

/// Written anew by `WORLDBUS_BLESS=1 cargo nextest run -p worldbus-cli -E 'test(committed_template)'`.
const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/aws/messaging.json");
/// What CloudFormation takes in a request.
const TEMPLATE_BYTES_MAX: usize = 51_200;

const URL: &str = "sns-sqs://us-east-1?prefix=gaming-system";

fn of(more: &[&str]) -> Result<Topology> {
    let more: Vec<String> = more.iter().map(|&text| text.to_owned()).collect();
    topology(URL, &Arc::new(Catalogue::builtin()), &more, 1)
}

#[test]
fn services_get_what_they_hear() {
    let document = of(&[]).unwrap().document().unwrap();
    assert!(document["topics"].as_array().unwrap().contains(&"gaming-system-time-events".into()));
    let queue = &document["queues"]["gaming-system-weather-manager-events"];
    let bound = &queue["subscriptions"][0];
    assert_eq!(bound["topic"], "gaming-system-time-events");
    assert_eq!(bound["filter_policy"]["event_types"][0], "time.clock_changed");
    let letters = "gaming-system-weather-manager-events-dead-letters";
    assert_eq!(queue["dead_letter_queue"], letters);
    let all = &document["queues"]["gaming-system-event-bus-events"]["subscriptions"];
    assert_eq!(all[0]["filter_policy"], serde_json::Value::Null);
    assert_eq!(all.as_array().unwrap().len(), document["topics"].as_array().unwrap().len());
}

#[test]
fn subscription_of_a_studio_is_filtered_by_what_it_names() {
    let topology = of(&["npc-brain=weather.changed, time.changed,time.updated"]).unwrap();
    let brain = topology.subscriptions.last().unwrap();
    assert_eq!(brain.topics[&Topic::new("weather").unwrap()], ["weather.changed"]);
    assert_eq!(brain.topics[&Topic::new("time").unwrap()], ["time.changed", "time.updated"]);
}

#[test]
fn what_cannot_be_meant_is_refused_by_name() {
    for wrong in ["npc-brain", "npc-brain=", "npc=weather.chnged", "NPC=weather.changed"] {
        let error = of(&[wrong]).unwrap_err();
        assert!(format!("{error:#}").contains(wrong), "{error:#}");
    }
    let catalogue = Arc::new(Catalogue::builtin());
    let error = topology("http://127.0.0.1:7070", &catalogue, &[], 1).unwrap_err();
    assert!(error.to_string().contains("sns-sqs://"), "{error}");
}

#[test]
fn event_bus_has_slots_that_keep_less_if_it_is_asked_for_them() {
    let catalogue = Arc::new(Catalogue::builtin());
    let topology = topology(URL, &catalogue, &[], 4).unwrap();
    let queues = &topology.document().unwrap()["queues"];
    for slot in ["event-bus", "event-bus-2", "event-bus-3", "event-bus-4"] {
        let queue = &queues[format!("gaming-system-{slot}-events")];
        assert_eq!(queue["settings"]["MessageRetentionPeriod"], "3600", "{slot}");
    }
    let weather = &queues["gaming-system-weather-manager-events"];
    assert_eq!(weather["settings"]["MessageRetentionPeriod"], "1209600");
    let alone = of(&[]).unwrap().document().unwrap();
    let alone = &alone["queues"]["gaming-system-event-bus-events"];
    assert_eq!(alone["settings"]["MessageRetentionPeriod"], "1209600");
}

#[test]
fn committed_template_is_what_the_catalogue_and_the_services_say() {
    let catalogue = Arc::new(Catalogue::builtin());
    let topology = topology(URL, &catalogue, &[], STACK_SLOT_COUNT).unwrap();
    let template = topology.template().unwrap();
    let text = format!("{}\n", serde_json::to_string_pretty(&template).unwrap());
    if std::env::var_os("WORLDBUS_BLESS").is_some() {
        std::fs::write(COMMITTED, &text).unwrap();
    }
    let hint = "run the test with WORLDBUS_BLESS=1, look at the difference, and commit it";
    let committed = std::fs::read_to_string(COMMITTED).unwrap_or_default();
    assert!(committed == text, "deploy/aws/messaging.json is not what it should be: {hint}");
    assert!(text.len() < TEMPLATE_BYTES_MAX, "{} bytes", text.len());
}
