//! When a projection writes: `payload.forced == true`, `payload.count >= 10`. One comparison of one
//! value of the event. An enum's value is compared by its name or its short name; `null` is what is
//! not there.

use std::cmp::Ordering;

use serde_json::Value as Json;

use super::Seen;
use super::template::Path;
use worldbus_events::EventType;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

const COMPARISONS: &[(&str, Comparison)] = &[
    ("==", Comparison::Equal),
    ("!=", Comparison::Unequal),
    ("<", Comparison::Less),
    ("<=", Comparison::AtMost),
    (">", Comparison::Greater),
    (">=", Comparison::AtLeast),
];

/// A comparison.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    path: Path,
    comparison: Comparison,
    wanted: Json,
}

impl Condition {
    /// A condition of text.
    pub(super) fn parse(text: &str, event_type: &EventType) -> Result<Self, String> {
        let wrong =
            || format!("expected a value, ==, !=, <, <=, > or >=, and a value, found {text:.80?}");
        let mut words = text.splitn(3, ' ');
        let (Some(path), Some(sign), Some(wanted)) = (words.next(), words.next(), words.next())
        else {
            return Err(wrong());
        };
        let comparison = COMPARISONS.iter().find(|(known, _)| *known == sign);
        let comparison = comparison.ok_or_else(wrong)?.1;
        // What is no JSON is text.
        let wanted = serde_json::from_str(wanted).unwrap_or_else(|_| wanted.into());
        let is_order = !matches!(comparison, Comparison::Equal | Comparison::Unequal);
        if is_order && !Json::is_number(&wanted) {
            return Err(format!("expected a number behind {sign}, found {wanted:.40}"));
        }
        Ok(Self { path: Path::parse(path, event_type)?, comparison, wanted })
    }

    /// Whether it holds for an event.
    pub(super) fn holds(&self, seen: &Seen<'_>) -> bool {
        let found = self.path.value(seen);
        let order = || number(found.as_ref()?)?.partial_cmp(&number(&self.wanted)?);
        match self.comparison {
            Comparison::Equal => self.is_equal(seen, found.as_ref()),
            Comparison::Unequal => !self.is_equal(seen, found.as_ref()),
            Comparison::Less => order() == Some(Ordering::Less),
            Comparison::AtMost => order().is_some_and(Ordering::is_le),
            Comparison::Greater => order() == Some(Ordering::Greater),
            Comparison::AtLeast => order().is_some_and(Ordering::is_ge),
        }
    }

    fn is_equal(&self, seen: &Seen<'_>, found: Option<&Json>) -> bool {
        let Some(found) = found else { return self.wanted.is_null() };
        if let Some(wanted) = self.wanted.as_f64() {
            return number(found) == Some(wanted);
        }
        let short = || self.path.short(seen, found);
        *found == self.wanted || short().is_some_and(|short| self.wanted == short)
    }
}

/// A number; whole numbers of 64 bits are text in the JSON form of events.
fn number(json: &Json) -> Option<f64> {
    json.as_f64().or_else(|| json.as_str()?.parse().ok())
}
