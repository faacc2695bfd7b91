//! Tests of the judge of rights: what it must find, and what it must not.

use serde_json::json;

use super::*;

const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:gaming-system-weather-manager-events";
const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:gaming-system-weather-events";

fn asked(all: &[(&str, &str)]) -> BTreeSet<Asked> {
    let asked = all.iter().map(|(action, resource)| Asked {
        who: "weather-manager".to_owned(),
        action: (*action).to_owned(),
        resource: (*resource).to_owned(),
    });
    asked.collect()
}

fn role(more: Option<Value>) -> Policy {
    let mut statements = vec![
        json!({ "Effect": "Allow", "Action": ["sns:Publish"], "Resource": [TOPIC] }),
        json!({
            "Sid": "Consume",
            "Effect": "Allow",
            "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage"],
            "Resource": QUEUE,
        }),
    ];
    statements.extend(more);
    Policy::parse(&json!({ "Version": "2012-10-17", "Statement": statements }))
}

fn used() -> BTreeSet<Asked> {
    asked(&[("sns:Publish", TOPIC), ("sqs:ReceiveMessage", QUEUE), ("sqs:DeleteMessage", QUEUE)])
}

#[test]
fn role_that_has_what_is_used_lacks_nothing_and_has_nothing_in_excess() {
    assert_eq!(role(None).missing(&used()), []);
    assert_eq!(role(None).excess(&used(), &[]), []);
}

#[test]
fn right_that_is_used_and_not_given_is_reported() {
    let mut used = used();
    used.extend(asked(&[("sqs:ChangeMessageVisibility", QUEUE), ("sns:Publish", QUEUE)]));
    let missing = role(None).missing(&used);
    let of_topic = Grant::new("sns:Publish", QUEUE);
    assert_eq!(missing, [of_topic, Grant::new("sqs:ChangeMessageVisibility", QUEUE)]);
    let denied = json!({ "Effect": "Deny", "Action": "sns:*", "Resource": "*" });
    let missing = role(Some(denied)).missing(&self::used());
    assert_eq!(missing, [Grant::new("sns:Publish", TOPIC)], "a denial beats");
}

#[test]
fn right_that_is_given_and_neither_used_nor_wanted_is_reported() {
    let purge =
        json!({ "Effect": "Allow", "Action": "sqs:PurgeQueue", "Resource": [QUEUE, TOPIC] });
    let role = role(Some(purge));
    let grants = [Grant::new("sqs:PurgeQueue", QUEUE), Grant::new("sqs:PurgeQueue", TOPIC)];
    assert_eq!(role.excess(&used(), &[]), grants);
    assert_eq!(role.excess(&used(), &grants[..1]), grants[1..]);
    assert_eq!(role.excess(&used(), &grants), []);
    let unused = asked(&[("sns:Publish", TOPIC), ("sqs:ReceiveMessage", QUEUE)]);
    assert_eq!(role.excess(&unused, &grants), [Grant::new("sqs:DeleteMessage", QUEUE)]);
}

#[test]
fn pattern_is_in_excess_though_it_is_used_unless_it_is_wanted_as_written() {
    for (action, resource) in [
        ("sqs:*", QUEUE),
        ("sqs:DeleteMessag?", QUEUE),
        ("sns:Publish", "arn:aws:sns:*:000000000000:gaming-system-weather-events"),
    ] {
        let broad = json!({ "Effect": "Allow", "Action": action, "Resource": resource });
        let (role, grant) = (role(Some(broad)), Grant::new(action, resource));
        assert_eq!(role.missing(&used()), []);
        assert_eq!(role.excess(&used(), &[]), std::slice::from_ref(&grant), "{grant}");
        assert_eq!(role.excess(&used(), &[grant]), []);
    }
}

#[test]
fn wildcards_stand_for_what_they_do_in_iam() {
    for (pattern, text, is) in [
        ("*", "", true),
        ("*", TOPIC, true),
        ("arn:aws:sns:*:gaming-*-events", TOPIC, true),
        ("arn:aws:sns:*:gaming-*-event", TOPIC, false),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("a*c*e", "abcde", true),
        ("abc", "abcd", false),
    ] {
        assert_eq!(matches(pattern, text), is, "{pattern} {text}");
    }
    assert!(role(None).gives("SQS:receivemessage", QUEUE), "actions have no case");
}

#[test]
#[should_panic(expected = "NotAction")]
fn what_would_be_misread_is_no_policy() {
    let document = json!({ "Statement": { "Effect": "Allow", "NotAction": "s3:*" } });
    Policy::parse(&document);
}

#[test]
fn action_without_resources_is_given_on_all_of_them_and_must_be_used() {
    let list = || Grant::new("sqs:ListQueues", "*");
    let role =
        role(Some(json!({ "Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*" })));
    assert_eq!(role.excess(&used(), &[]), [list()]);
    let mut used = used();
    used.extend(asked(&[("sqs:ListQueues", "*")]));
    assert_eq!(role.missing(&used), []);
    assert_eq!(role.excess(&used, &[]), []);
}
