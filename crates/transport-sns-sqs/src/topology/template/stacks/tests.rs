//! Tests of the stacks: what goes where, and that nothing refers to what is not there.

use std::collections::BTreeSet;

use super::*;
use crate::names::Names;
use crate::topology::{Service, Subscription};
use worldbus_bus::{SubscriptionName, Topic};

/// An event-bus that counts the dead letters of all, and two services besides.
fn templates() -> StackTemplates {
    let name = |name: &str| SubscriptionName::new(name).unwrap();
    let topics = ["time", "weather"].map(|topic| Topic::new(topic).unwrap());
    let all = || topics.iter().map(|topic| (topic.clone(), Vec::new())).collect();
    let names = ["event-bus", "clock", "weather"];
    let service = |of: &str| Service {
        name: of.to_owned(),
        publishes: topics.to_vec(),
        consumes: vec![name(of)],
        counts: if of == "event-bus" { names.map(name).to_vec() } else { Vec::new() },
        more: Vec::new(),
    };
    let topology = Topology {
        names: Names::new("gaming-system").unwrap(),
        topics: topics.to_vec(),
        subscriptions: names.map(|of| Subscription::new(name(of), all())).to_vec(),
        services: names.map(service).to_vec(),
    };
    topology.stacks(&["clock", "weather"]).unwrap()
}

/// The resources that a value refers to within its stack, and what it imports.
fn referred(value: &Value, within: &mut BTreeSet<String>, imports: &mut BTreeSet<String>) {
    let id = value["Ref"].as_str().or_else(|| value["Fn::GetAtt"][0].as_str());
    within.extend(id.map(str::to_owned));
    imports.extend(value["Fn::ImportValue"]["Fn::Sub"].as_str().map(str::to_owned));
    match value {
        Value::Array(list) => list.iter().for_each(|value| referred(value, within, imports)),
        Value::Object(map) => map.values().for_each(|value| referred(value, within, imports)),
        _ => {}
    }
}

#[test]
fn service_has_its_queues_and_its_role_in_its_own_stack() {
    let templates = templates();
    let clock = &templates.services["clock"];
    for id in ["ClockQueue", "ClockDeadLetters", "ClockQueuePolicy", "ClockTaskRole"] {
        assert!(clock["Resources"][id].is_object(), "{id}");
        assert!(templates.shared["Resources"][id].is_null(), "{id}");
    }
    assert!(clock["Outputs"]["ClockQueueUrl"]["Export"].is_object());
    assert!(templates.shared["Outputs"]["ClockQueueUrl"].is_null());
    for id in ["TimeTopic", "EventBusQueue", "EventBusTaskRole", "GamingSystemDistributedMessaging"]
    {
        assert!(templates.shared["Resources"][id].is_object(), "{id}");
        assert!(clock["Resources"][id].is_null(), "{id}");
    }
}

#[test]
fn stack_refers_to_its_own_resources_and_imports_what_the_shared_one_exports() {
    let templates = templates();
    let exports: BTreeSet<_> = templates.shared["Outputs"]
        .as_object()
        .unwrap()
        .values()
        .map(|output| output["Export"]["Name"]["Fn::Sub"].as_str().unwrap().to_owned())
        .collect();
    for stack in templates.services.values().chain([&templates.shared]) {
        let (mut within, mut imports) = Default::default();
        referred(stack, &mut within, &mut imports);
        within.retain(|id| id != "SystemName" && !id.starts_with("AWS::"));
        let missing: Vec<_> =
            within.iter().filter(|id| stack["Resources"].get(id.as_str()).is_none()).collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert!(imports.is_subset(&exports), "{imports:?}");
        assert_eq!(imports.is_empty(), stack["Parameters"].is_object(), "{imports:?}");
    }
}

/// The boundary stays the union of the rights of all roles.
#[test]
fn boundary_names_the_queues_of_later_stacks() {
    let templates = templates();
    let boundary = &templates.shared["Resources"]["GamingSystemDistributedMessaging"];
    let bus = &templates.shared["Resources"]["EventBusTaskRole"];
    let queue = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:\
                 ${SystemName}-weather-events";
    assert!(boundary.to_string().contains(&format!("{queue}\"")), "{boundary}");
    for policy in [boundary, bus] {
        assert!(policy.to_string().contains(&format!("{queue}-dead-letters\"")), "{policy}");
    }
}
