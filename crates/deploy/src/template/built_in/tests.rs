//! The templates of systems with few and with many services, and what stripping takes out.

use serde_json::json;

use super::*;
use crate::template::expand::{ClockRole, ServiceSite};

fn composition(count: usize) -> Composition {
    let service = |n: usize| ServiceSite {
        name: format!("service-{n}"),
        api: vec![format!("s{n}")],
        port: 7071 + u16::try_from(n).unwrap(),
        clock: if n > 0 { ClockRole::Follows } else { ClockRole::Announces },
        topics: vec!["time".to_owned(), format!("topic-{n}")],
        database: n == 2,
        messaging: json!({ "Resources": {
            (format!("Service{n}Queue")): { "Type": "AWS::SQS::Queue" },
        } }),
    };
    Composition {
        services: (0..count).map(service).collect(),
        topics: ["time".to_owned()]
            .into_iter()
            .chain((0..count).map(|n| format!("topic-{n}")))
            .collect(),
        messaging: MESSAGING.to_owned(),
    }
}

const MESSAGING: &str = r#"{
    "Parameters": { "SystemName": { "Type": "String", "Default": "gaming-system" } },
    "Resources": { "TimeTopic": { "Type": "AWS::SNS::Topic" } }
}"#;

#[test]
fn each_template_is_read_whatever_the_number_of_services() {
    for count in [0, 2, 12] {
        let composition = composition(count);
        for stack in Stack::all(&composition) {
            let template = Template::of(&stack, &composition, &BTreeSet::new()).unwrap();
            assert!(template.is(&template.text) && template.is(&template.body.to_string()));
            assert!(!template.resources(&Parameters::new(), "us-east-1").is_empty());
            assert!(template.parameters().any(|name| name == "SystemName"), "{stack:?}");
            assert!(!template.text.contains("<service>") && !template.text.contains("#: "));
        }
    }
}

#[test]
fn more_services_than_a_template_holds_are_refused_by_the_name_of_the_stack() {
    let error = Template::of(&Stack::Observability, &composition(40), &BTreeSet::new());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("observability") && error.contains("of 51200 at most"), "{error}");
}

#[test]
fn stacks_are_in_the_order_in_which_one_stands_on_the_other() {
    let labels: Vec<_> =
        Stack::all(&composition(2)).iter().map(|stack| stack.label().to_owned()).collect();
    let services = ["services", "service-0", "service-1"];
    assert_eq!(labels[..4], ["state", "network", "database", "messaging"]);
    assert_eq!((&labels[4..7], &*labels[7]), (&services.map(str::to_owned)[..], "observability"));
}

#[test]
fn each_service_has_its_task_its_log_and_its_alarms() {
    let composition = composition(3);
    let made = |stack: &Stack| {
        let template = Template::of(stack, &composition, &BTreeSet::new()).unwrap();
        let made = template.resources(&Parameters::new(), "us-east-1");
        made.into_iter().map(|resource| resource.logical).collect::<BTreeSet<_>>()
    };
    let (state, observability) = (made(&Stack::State), made(&Stack::Observability));
    for n in 0..3 {
        let own = made(&Stack::Service(format!("service-{n}")));
        for part in ["Queue", "Task", "Service", "OldestMessage", "DeadLettersAlarm"] {
            assert!(own.contains(&format!("Service{n}{part}")), "{n} {part}: {own:?}");
        }
        assert!(state.contains(&format!("Service{n}Logs")), "{n}: {state:?}");
        let failed = format!("Topic{n}FailedNotifications");
        assert!(observability.contains(&failed), "{n}: {observability:?}");
    }
}

#[test]
fn stripped_types_are_gone_and_nothing_else() {
    let composition = composition(2);
    let without = BTreeSet::from(["AWS::DynamoDB::Table".to_owned()]);
    let of = |without| Template::of(&Stack::State, &composition, without).unwrap();
    let (all, less) = (of(&BTreeSet::new()), of(&without));
    let kinds = |template: &Template| -> Vec<String> {
        let made = template.resources(&Parameters::new(), "us-east-1");
        made.into_iter().map(|resource| resource.kind).collect()
    };
    let mut left = kinds(&all);
    left.retain(|kind| kind != "AWS::DynamoDB::Table");
    assert_eq!(kinds(&less), left);
    assert!(left.len() < kinds(&all).len());
    let count = stripped(&composition, &without).unwrap().len();
    assert_eq!(count, kinds(&all).len() - left.len());
    assert!(!less.is(&all.text));
}

#[test]
fn database_is_of_production_or_of_who_asks_for_one() {
    let composition = composition(3);
    let of = |stack: &Stack, given: &[(&str, &str)]| {
        let given =
            given.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let template = Template::of(stack, &composition, &BTreeSet::new()).unwrap();
        template.resources(&given, "us-east-1")
    };
    let counts = |given: &[(&str, &str)]| {
        let made = of(&Stack::Database, given);
        let databases = made.iter().filter(|of| of.kind == "AWS::RDS::DBInstance").count();
        let count = |name: &str| {
            let own = of(&Stack::Service(name.to_owned()), given);
            let service = own.iter().find(|of| of.kind == "AWS::ECS::Service").unwrap();
            service.properties["DesiredCount"].clone()
        };
        (databases, count("service-0"), count("service-2"))
    };
    let production = ("Profile", "production");
    assert_eq!(counts(&[]), (0, json!(1), json!(1)));
    assert_eq!(counts(&[("Database", "postgres")]), (1, json!(1), json!(1)));
    assert_eq!(counts(&[production]), (1, json!(2), json!(2)));
    assert_eq!(counts(&[production, ("Database", "none")]), (0, json!(2), json!(1)));
}
