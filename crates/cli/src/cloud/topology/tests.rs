//! Tests of the topology: what the services get and may do, what a studio adds, what is refused.

use serde_json::json;

use super::*;
use worldbus_service::Publishes;

const URL: &str = STACK_URL;

fn of(subscriptions: &[&str]) -> Result<Topology> {
    with(subscriptions, &[], 1)
}

fn with(subscriptions: &[&str], publishes: &[&str], slot_count: usize) -> Result<Topology> {
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let (subscriptions, publishes) = (&owned(subscriptions)[..], &owned(publishes)[..]);
    let more = More { subscriptions, publishes, slot_count };
    topology(URL, &Catalogue::builtin(), &more)
}

#[test]
fn services_get_what_they_hear() {
    let document = of(&[]).unwrap().document().unwrap();
    assert!(document["topics"].as_array().unwrap().contains(&"gaming-system-time-events".into()));
    let queue = &document["queues"]["gaming-system-weather-manager-events"];
    let bound = &queue["subscriptions"][0];
    assert_eq!(bound["topic"], "gaming-system-time-events");
    assert_eq!(bound["filter_policy"]["event_types"][0], "time.clock_changed");
    let requests = &document["queues"]["gaming-system-time-manager-events"]["subscriptions"];
    let types = json!([{ "event_types": ["time.clock_requested"] }]);
    let bound: Vec<_> = requests.as_array().unwrap().iter().map(|b| &b["filter_policy"]).collect();
    assert_eq!(json!(bound), types, "ticks cost nothing there");
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
fn service_of_a_studio_gets_a_role_for_what_it_consumes_and_publishes() {
    let topology = with(&["npc-brain=weather.changed"], &["npc-brain=world", "teller=time"], 1);
    let template = topology.unwrap().template().unwrap();
    let statements = |role: &str| {
        let policy = &template["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"];
        policy["Statement"].as_array().unwrap().clone()
    };
    let of_brain = statements("NpcBrainTaskRole");
    let sids: Vec<_> = of_brain.iter().map(|statement| &statement["Sid"]).collect();
    assert_eq!(sids, ["Publish", "Consume", "SetAside"]);
    assert_eq!(of_brain[0]["Resource"], serde_json::json!([{ "Ref": "WorldTopic" }]));
    let of_teller = statements("TellerTaskRole");
    assert_eq!(of_teller.len(), 1, "{of_teller:?}");
    assert_eq!(of_teller[0]["Action"], serde_json::json!(["sns:Publish"]));
}

#[test]
fn service_may_publish_requests_on_their_topics_and_on_no_other_but_its_own() {
    let topology = of(&[]).unwrap();
    let publishes = |name: &str| {
        let service = topology.services.iter().find(|service| service.name == name).unwrap();
        service.publishes.iter().map(|topic| topic.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(publishes("storyteller"), ["story", "time"], "its director requests");
    assert_eq!(publishes("npc-behavior"), ["npc"]);
}

#[test]
fn event_bus_may_count_the_dead_letters_of_every_subscription_and_nobody_else_may() {
    let topology = with(&["npc-brain=weather.changed"], &[], 2).unwrap();
    for service in &topology.services {
        let counts: Vec<_> = service.counts.iter().map(SubscriptionName::as_str).collect();
        let all = ["event-bus", "event-bus-2"].into_iter();
        let all = all.chain(descriptions().map(|service| service.name)).chain(["npc-brain"]);
        let wanted: Vec<_> = all.filter(|_| service.name == "event-bus").collect();
        assert_eq!(counts, wanted, "{}", service.name);
    }
}

#[test]
fn what_cannot_be_meant_is_refused_by_name() {
    for wrong in ["npc-brain", "npc-brain=", "npc=weather.chnged", "NPC=weather.changed"] {
        let error = of(&[wrong]).unwrap_err();
        assert!(format!("{error:#}").contains(wrong), "{error:#}");
    }
    for wrong in ["npc-brain", "=time", "npc=", "npc=weather,tme", "NPC=time"] {
        let error = with(&[], &[wrong], 1).unwrap_err();
        assert!(error.to_string().contains(&format!("--publishes {wrong:?}")), "{error:#}");
    }
    for wrong in [0, 17] {
        let error = with(&[], &[], wrong).unwrap_err();
        assert!(error.to_string().contains("1 to 16"), "{error:#}");
    }
    let catalogue = Catalogue::builtin();
    let more = More { subscriptions: &[], publishes: &[], slot_count: 1 };
    let error = topology("http://127.0.0.1:7070", &catalogue, &more).unwrap_err();
    assert!(error.to_string().contains("sns-sqs://"), "{error}");
}

#[test]
fn names_that_would_be_one_resource_are_refused() {
    for clash in ["event-bus=weather.changed", "event-bus2=weather.changed"] {
        let refused = with(&[clash], &[], 2).unwrap().template().unwrap_err();
        assert!(refused.to_string().contains("EventBus"), "{refused}");
    }
}

#[test]
fn event_bus_has_slots_that_keep_less_if_it_is_asked_for_them() {
    let topology = with(&[], &[], 4).unwrap();
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
fn topic_that_only_a_service_names_is_there() {
    let tide = Description {
        name: "tide",
        publishes: Publishes::To("tide"),
        ..descriptions().next().unwrap()
    };
    let stacks = stack_templates(&[tide], &Catalogue::builtin()).unwrap();
    let topic = &stacks.shared["Resources"]["TideTopic"];
    assert_eq!(topic["Type"], "AWS::SNS::Topic");
}

#[test]
fn stacks_have_together_what_one_template_has() {
    let catalogue = Catalogue::builtin();
    let services: Vec<_> = descriptions().collect();
    let stacks = stack_templates(&services, &catalogue).unwrap();
    let whole = with(&[], &[], STACK_SLOT_COUNT).unwrap().template().unwrap();
    let ids = |template: &Value, section: &str| {
        template[section].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    for section in ["Resources", "Outputs"] {
        let own = stacks.services.values().flat_map(|own| ids(own, section));
        let mut together: Vec<_> = ids(&stacks.shared, section).into_iter().chain(own).collect();
        together.sort();
        assert_eq!(together, ids(&whole, section));
    }
    let of_weather = ids(&stacks.services["weather-manager"], "Resources");
    assert!(of_weather.contains(&"WeatherManagerTaskRole".to_owned()), "{of_weather:?}");
}
