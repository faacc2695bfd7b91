//! The JSON of policies: who may send to a queue, which events a subscription gets.

use serde_json::{Value, json};

use crate::wire::attribute;

/// What admits messages of these topics, and of nothing else, to a queue.
pub(super) fn queue(queue_arn: &Value, topic_arns: &[Value]) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "WorldbusTopics",
            "Effect": "Allow",
            "Principal": { "Service": "sns.amazonaws.com" },
            "Action": "sqs:SendMessage",
            "Resource": queue_arn,
            "Condition": { "ArnEquals": { "aws:SourceArn": topic_arns } },
        }],
    })
}

/// Whether a queue's policy admits messages of a topic: an Allow for sending whose condition, if
/// it has one, names the topic.
pub(super) fn admits(policy: &str, topic_arn: &str) -> bool {
    let Ok(policy) = serde_json::from_str::<Value>(policy) else { return false };
    let statements = match &policy["Statement"] {
        Value::Array(statements) => statements.iter().collect(),
        one => vec![one],
    };
    statements.into_iter().any(|statement| {
        let sends = texts(&statement["Action"]).iter().any(|action| {
            matches!(action.to_ascii_lowercase().as_str(), "*" | "sqs:*" | "sqs:sendmessage")
        });
        let conditions = statement["Condition"].as_object();
        let named = conditions.is_none_or(|conditions| {
            let sources = conditions.values().filter_map(Value::as_object).flat_map(|condition| {
                let source =
                    condition.iter().filter(|(key, _)| key.eq_ignore_ascii_case("aws:SourceArn"));
                source.flat_map(|(_, arns)| texts(arns)).collect::<Vec<_>>()
            });
            // Another condition is the studio's own business.
            let sources: Vec<_> = sources.collect();
            sources.is_empty() || sources.iter().any(|pattern| matches(pattern, topic_arn))
        });
        statement["Effect"] == "Allow" && sends && named
    })
}

/// The filter policy of a subscription; none for all events.
pub(super) fn filter(types: &[String]) -> Option<Value> {
    (!types.is_empty()).then(|| json!({ (attribute::EVENT_TYPES): types }))
}

/// The first of these types that a filter policy does not let through.
pub(super) fn kept_back<'a>(filter_policy: &str, types: &'a [String]) -> Option<Option<&'a str>> {
    let policy: Value = serde_json::from_str(filter_policy).ok()?;
    let rules = policy.as_object().filter(|rules| !rules.is_empty())?;
    let admitted = rules.get(attribute::EVENT_TYPES).map(texts).unwrap_or_default();
    if types.is_empty() {
        // All are wanted, some are not admitted.
        return Some(None);
    }
    let missing = types.iter().find(|wanted| !admitted.contains(wanted));
    missing.map(|missing| Some(missing.as_str()))
}

/// A text, or the texts of an array.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(all) => all.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}

/// Whether an ARN is one of a pattern, in which `*` stands for any text.
fn matches(pattern: &str, arn: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == arn,
        Some((head, tail)) => arn.strip_prefix(head).is_some_and(|rest| {
            (0..=rest.len()).any(|at| rest.is_char_boundary(at) && matches(tail, &rest[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:sns:us-east-1:1:gaming-system-time-events";

    #[test]
    fn our_policy_admits_our_topics_and_no_other() {
        let policy = queue(&json!("arn:queue"), &[json!(ARN)]).to_string();
        assert!(admits(&policy, ARN));
        assert!(!admits(&policy, "arn:aws:sns:us-east-1:1:other"));
    }

    #[test]
    fn policies_of_others_are_understood() {
        let star = r#"{"Statement":{"Effect":"Allow","Action":["SQS:SendMessage"],
            "Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:1:gaming-*"}}}}"#;
        assert!(admits(star, ARN));
        let all = r#"{"Statement":[{"Effect":"Allow","Action":"sqs:*"}]}"#;
        assert!(admits(all, ARN));
        for nothing in [
            "",
            "{}",
            r#"{"Statement":[{"Effect":"Deny","Action":"sqs:*"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Action":"sqs:ReceiveMessage"}]}"#,
        ] {
            assert!(!admits(nothing, ARN), "{nothing}");
        }
    }

    #[test]
    fn filter_that_keeps_back_a_wanted_type_is_found() {
        let types = ["time.changed".to_owned(), "time.updated".to_owned()];
        let policy = filter(&types).unwrap().to_string();
        assert_eq!(kept_back(&policy, &types), None);
        assert_eq!(kept_back(&policy, &types[..1]), None);
        assert_eq!(kept_back("{}", &[]), None, "no filter");
        assert_eq!(kept_back(&policy, &[]), Some(None), "all are wanted");
        let narrow = filter(&types[..1]).unwrap().to_string();
        assert_eq!(kept_back(&narrow, &types), Some(Some("time.updated")));
        assert_eq!(filter(&[]), None);
    }
}
