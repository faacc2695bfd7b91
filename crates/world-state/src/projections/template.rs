//! The values of projections: constants, a value of the event with its type, or text with values of
//! the event in it.
//!
//! ```text
//! true                            a constant
//! "{payload.count}"               a value as it is
//! "{payload.new_state|short}"     passed through a filter
//! "{payload.a}-{payload.b|two}"   text
//! ```

use serde_json::Value as Json;

use super::Seen;
use worldbus_events::EventType;

/// Parts of a template.
const PART_COUNT_MAX: usize = 32;

/// A value of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Path {
    Entity,
    Place,
    World,
    Payload(Vec<String>),
}

/// What a value is passed through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Filter {
    /// The short name of an enum's value: `storm`.
    Short,
    /// A whole number that is divided.
    Divided(f64),
    /// Game microseconds as whole game minutes.
    Minutes,
    /// A whole number of 64 bits, which JSON forms of events have as text.
    Number,
    /// Two digits.
    Two,
}

const FILTERS: &[(&str, Filter)] = &[
    ("short", Filter::Short),
    ("tenths", Filter::Divided(10.0)),
    ("hundredths", Filter::Divided(100.0)),
    ("thousandths", Filter::Divided(1_000.0)),
    ("minutes", Filter::Minutes),
    ("number", Filter::Number),
    ("two", Filter::Two),
];

#[derive(Debug, Clone)]
pub(super) enum Part {
    Text(String),
    Value(Path, Option<Filter>),
}

#[derive(Debug, Clone)]
pub(super) enum Template {
    Constant(Json),
    Parts(Vec<Part>),
}

impl Path {
    /// A path that the payloads of an event type have.
    pub(super) fn parse(text: &str, event_type: &EventType) -> Result<Self, String> {
        match text {
            "entity" => Ok(Self::Entity),
            "place" => Ok(Self::Place),
            "world" => Ok(Self::World),
            _ => match text.strip_prefix("payload.") {
                Some(field) if event_type.has_field(field) => {
                    Ok(Self::Payload(field.split('.').map(str::to_owned).collect()))
                }
                Some(field) => {
                    let name = event_type.name();
                    Err(format!("expected a field of {name}, found {field:.80?}, which it lacks"))
                }
                None => Err(format!(
                    "expected entity, place, world or payload.FIELD, found {text:.80?}"
                )),
            },
        }
    }

    /// Its value; none where the event has none.
    pub(super) fn value(&self, seen: &Seen<'_>) -> Option<Json> {
        match self {
            Self::Entity => seen.entity.map(Json::from),
            Self::Place => seen.place.or(seen.entity).map(Json::from),
            Self::World => Some(seen.world.into()),
            Self::Payload(fields) => {
                let value = fields.iter().try_fold(&seen.payload, |of, field| of.get(field))?;
                Some(value.clone()).filter(|value| !value.is_null())
            }
        }
    }

    /// The short name of its value, if that is one of an enum.
    pub(super) fn short(&self, seen: &Seen<'_>, value: &Json) -> Option<String> {
        match self {
            Self::Payload(fields) => match fields.as_slice() {
                [field] => seen.event_type.short_value(field, value.as_str()?),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Template {
    /// A template of text with values in braces.
    pub(super) fn parse(text: &str, event_type: &EventType) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let (value, behind) =
                behind.split_once('}').ok_or("expected a } for each {".to_owned())?;
            let (path, filter) = match value.split_once('|') {
                Some((path, filter)) => (path, Some(parse_filter(filter)?)),
                None => (value, None),
            };
            parts.push(Part::Value(Path::parse(path, event_type)?, filter));
            rest = behind;
        }
        if !rest.is_empty() || parts.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        if parts.len() > PART_COUNT_MAX {
            return Err(format!("expected at most {PART_COUNT_MAX} parts, found {}", parts.len()));
        }
        Ok(Self::Parts(parts))
    }

    /// Its value for an event; none where the event lacks one that it needs.
    pub(super) fn value(&self, seen: &Seen<'_>) -> Option<Json> {
        match self {
            Self::Constant(json) => Some(json.clone()),
            Self::Parts(parts) => match parts.as_slice() {
                [Part::Value(path, filter)] => filtered(path, *filter, seen),
                _ => self.text(seen).map(Json::from),
            },
        }
    }

    /// The same as text.
    pub(super) fn text(&self, seen: &Seen<'_>) -> Option<String> {
        let shown = |json: Json| match json {
            Json::String(text) => text,
            other => other.to_string(),
        };
        match self {
            Self::Constant(json) => Some(shown(json.clone())),
            Self::Parts(parts) => {
                let part = |part: &Part| match part {
                    Part::Text(text) => Some(text.clone()),
                    Part::Value(path, filter) => filtered(path, *filter, seen).map(shown),
                };
                parts.iter().map(part).collect()
            }
        }
    }
}

fn parse_filter(name: &str) -> Result<Filter, String> {
    let found = FILTERS.iter().find(|(known, _)| *known == name);
    found.map(|(_, filter)| *filter).ok_or_else(|| {
        let known: Vec<_> = FILTERS.iter().map(|(known, _)| *known).collect();
        format!("expected one of the filters {}, found {name:.40?}", known.join(", "))
    })
}

/// A value that a filter does not fit stays as it is.
fn filtered(path: &Path, filter: Option<Filter>, seen: &Seen<'_>) -> Option<Json> {
    let value = path.value(seen)?;
    let Some(filter) = filter else { return Some(value) };
    let whole = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    let made = match filter {
        Filter::Short => path.short(seen, &value).map(Json::from),
        Filter::Divided(by) => whole.map(|number| (number as f64 / by).into()),
        Filter::Minutes => whole.map(|us| worldbus_world::GameTime(us).minutes().into()),
        Filter::Number => whole.map(Json::from),
        Filter::Two => whole.map(|number| format!("{number:02}").into()),
    };
    Some(made.unwrap_or(value))
}
