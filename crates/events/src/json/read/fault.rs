//! Where a payload is wrong, and what may stand there.

use std::fmt::Write as _;

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

/// Names that an error lists as expected.
const EXPECTED_NAMES_MAX: usize = 24;

/// A step from a message to a value in it.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// To a field.
    Field(FieldDescriptor),
    /// From a map to one of its values.
    Key(String),
    /// From a list to one of its elements.
    Index(usize),
}

/// The path as errors name it, e.g. `payload.changes[1].value`.
pub(super) fn at(path: &[Step]) -> String {
    let mut at = "payload".to_owned();
    for step in path {
        // Writing to a String cannot fail.
        let _ = match step {
            Step::Field(field) => write!(at, ".{}", field.name()),
            Step::Key(key) => write!(at, ".{key:.40}"),
            Step::Index(index) => write!(at, "[{index}]"),
        };
    }
    at
}

/// What may stand at the path's end.
pub(super) fn expected(message: &MessageDescriptor, path: &[Step]) -> String {
    let field = path.iter().rev().find_map(|step| match step {
        Step::Field(field) => Some(field),
        _ => None,
    });
    let Some(field) = field else { return names_of(message) };
    let within = !matches!(path.last(), Some(Step::Field(_)));
    let what = match field.kind() {
        Kind::Message(entry) if field.is_map() && within => {
            describe(&entry.map_entry_value_field().kind())
        }
        _ if field.is_map() => "an object".to_owned(),
        kind if field.is_list() && !within => format!("a list of {}", describe(&kind)),
        kind => describe(&kind),
    };
    format!("expected {what}")
}

fn names_of(message: &MessageDescriptor) -> String {
    let names = listed(message.fields().map(|field| field.name().to_owned()));
    if names.is_empty() { "it has no fields".to_owned() } else { format!("its fields: {names}") }
}

fn describe(kind: &Kind) -> String {
    use Kind as K;
    match kind {
        K::Double | K::Float => "a number".to_owned(),
        K::Int32 | K::Sint32 | K::Sfixed32 => {
            format!("an integer, {} to {}", i32::MIN, i32::MAX)
        }
        K::Uint32 | K::Fixed32 => format!("an integer, 0 to {}", u32::MAX),
        K::Int64 | K::Sint64 | K::Sfixed64 => {
            format!("an integer or its digits as text, {} to {}", i64::MIN, i64::MAX)
        }
        K::Uint64 | K::Fixed64 => {
            format!("an integer or its digits as text, 0 to {}", u64::MAX)
        }
        K::Bool => "true or false".to_owned(),
        K::String => "a text".to_owned(),
        K::Bytes => "a text in base64".to_owned(),
        K::Enum(of) => {
            format!("one of {}", listed(of.values().map(|value| value.name().to_owned())))
        }
        K::Message(inner) => format!("a {} ({})", inner.full_name(), names_of(inner)),
    }
}

fn listed(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(EXPECTED_NAMES_MAX);
    let mut names: Vec<String> = names.take(EXPECTED_NAMES_MAX).collect();
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}
