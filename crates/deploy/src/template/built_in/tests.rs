//! The templates of systems with few and with many services, and what stripping takes out.

use super::*;
use crate::template::expand::{ClockRole, ServiceSite};

fn composition(count: usize) -> Composition {
    let service = |n: usize| ServiceSite {
        name: format!("service-{n}"),
        api: format!("s{n}"),
        port: 7071 + u16::try_from(n).unwrap(),
        clock: if n > 0 { ClockRole::Follows } else { ClockRole::Announces },
        topics: vec!["time".to_owned(), format!("topic-{n}")],
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

/// So many services besides the event-bus fit into one template of CloudFormation.
const SERVICE_COUNT_MAX: usize = 4;

#[test]
fn each_template_is_read_and_short_enough_to_send() {
    for count in [0, 2, SERVICE_COUNT_MAX] {
        let composition = composition(count);
        for stack in Stack::ALL {
            let template = Template::of(stack, &composition, &BTreeSet::new()).unwrap();
            assert!(template.text.len() <= TEMPLATE_BYTES_MAX);
            assert!(template.is(&template.text) && template.is(&template.body.to_string()));
            assert!(!template.resources(&Parameters::new(), "us-east-1").is_empty());
            assert!(template.parameters().any(|name| name == "SystemName"), "{stack:?}");
            assert!(!template.text.contains("<service>") && !template.text.contains("#: "));
        }
    }
}

#[test]
fn more_services_than_a_template_holds_are_refused_by_name() {
    let composition = composition(SERVICE_COUNT_MAX + 1);
    let error = Template::of(Stack::Services, &composition, &BTreeSet::new()).unwrap_err();
    assert!(error.to_string().contains("of 51200 at most"), "{error}");
}

#[test]
fn each_service_has_its_task_its_log_and_its_alarms() {
    let composition = composition(3);
    let kinds = |stack| {
        let template = Template::of(stack, &composition, &BTreeSet::new()).unwrap();
        let made = template.resources(&Parameters::new(), "us-east-1");
        made.into_iter().map(|resource| resource.logical).collect::<BTreeSet<_>>()
    };
    let made: BTreeSet<_> = Stack::ALL.into_iter().flat_map(kinds).collect();
    for n in 0..3 {
        for part in ["Task", "Service", "Logs", "OldestMessage", "DeadLetters"] {
            assert!(made.contains(&format!("Service{n}{part}")), "{n} {part}: {made:?}");
        }
        assert!(made.contains(&format!("Topic{n}FailedNotifications")), "{n}: {made:?}");
    }
}

#[test]
fn stripped_types_are_gone_and_nothing_else() {
    let composition = composition(2);
    let without = BTreeSet::from(["AWS::DynamoDB::Table".to_owned()]);
    let of = |without| Template::of(Stack::State, &composition, without).unwrap();
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
