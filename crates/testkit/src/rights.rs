//! Whether a policy of IAM gives what was asked for, and nothing else. It knows what the policies
//! of our roles are made of: statements with actions and resources, and wildcards in both.
//! Anything else is a panic: it would be misread.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::asked::Asked;

/// Actions for which AWS knows no resources: a right to them names `*`, which gives no more than is
/// asked for.
const WITHOUT_RESOURCES: [&str; 1] = ["sqs:ListQueues"];

/// An action on a resource; in a policy both may be patterns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// E.g. `sqs:ReceiveMessage`.
    pub action: String,
    /// An ARN.
    pub resource: String,
}

impl Grant {
    /// An action on a resource.
    pub fn new(action: &str, resource: &str) -> Self {
        Self { action: action.to_owned(), resource: resource.to_owned() }
    }

    fn covers(&self, action: &str, resource: &str) -> bool {
        // IAM does not look at the case of an action.
        matches(&self.action.to_ascii_lowercase(), &action.to_ascii_lowercase())
            && matches(&self.resource, resource)
    }

    fn is_a_pattern(&self) -> bool {
        if WITHOUT_RESOURCES.contains(&self.action.as_str()) {
            return self.resource != "*";
        }
        [&self.action, &self.resource].iter().any(|text| text.contains(['*', '?']))
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.action, self.resource)
    }
}

/// A policy as IAM has it.
#[derive(Debug, Clone)]
pub struct Policy {
    allowed: Vec<Grant>,
    denied: Vec<Grant>,
}

impl Policy {
    /// Reads the document of a policy.
    pub fn parse(document: &Value) -> Self {
        let mut policy = Self { allowed: Vec::new(), denied: Vec::new() };
        for statement in list(&document["Statement"]) {
            let known = ["Sid", "Effect", "Action", "Resource"];
            let keys = statement.as_object().unwrap().keys();
            let strange: Vec<_> = keys.filter(|key| !known.contains(&key.as_str())).collect();
            assert!(strange.is_empty(), "{strange:?} is not understood: {statement}");
            let grants = list(&statement["Action"]).into_iter().flat_map(|action| {
                let action = action.as_str().unwrap();
                list(&statement["Resource"])
                    .into_iter()
                    .map(move |resource| Grant::new(action, resource.as_str().unwrap()))
            });
            match statement["Effect"].as_str() {
                Some("Allow") => policy.allowed.extend(grants),
                Some("Deny") => policy.denied.extend(grants),
                _ => panic!("neither Allow nor Deny: {statement}"),
            }
        }
        policy
    }

    /// Whether it gives a right: it is allowed somewhere and denied nowhere.
    pub fn gives(&self, action: &str, resource: &str) -> bool {
        let covers = |grants: &[Grant]| grants.iter().any(|grant| grant.covers(action, resource));
        covers(&self.allowed) && !covers(&self.denied)
    }

    /// What it allows, as it is written.
    pub fn allowed(&self) -> &[Grant] {
        &self.allowed
    }

    /// What was asked for and is not given.
    pub fn missing(&self, asked: &BTreeSet<Asked>) -> Vec<Grant> {
        let missing = asked.iter().filter(|asked| !self.gives(&asked.action, &asked.resource));
        missing.map(|asked| Grant::new(&asked.action, &asked.resource)).collect()
    }

    /// What is allowed, but was not asked for and is not `wanted`. A pattern allows what
    /// was not asked for, so it must be wanted as it is written.
    pub fn excess(&self, asked: &BTreeSet<Asked>, wanted: &[Grant]) -> Vec<Grant> {
        let used = |grant: &Grant| {
            !grant.is_a_pattern()
                && asked.iter().any(|asked| grant.covers(&asked.action, &asked.resource))
        };
        let excess = self.allowed.iter().filter(|grant| !wanted.contains(grant) && !used(grant));
        excess.cloned().collect()
    }
}

/// The items of an array, or the one that stands alone.
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => panic!("a statement lacks a part"),
        Value::Array(all) => all.iter().collect(),
        one => vec![one],
    }
}

/// Whether a text is one of a pattern, in which `*` stands for any text and `?` for a character.
fn matches(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => {
            let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.any(|at| matches(rest.as_str(), &text[at..]))
        }
        Some(wanted) => {
            let mut text = text.chars();
            let same = text.next().is_some_and(|found| wanted == '?' || wanted == found);
            same && matches(rest.as_str(), text.as_str())
        }
    }
}

#[cfg(test)]
mod tests;
