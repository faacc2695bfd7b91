//! The payload of an event in short: the fields that say something, in the order of the message.
//! Not here: how one field reads (`units`).

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::units;
use worldbus_events::{Catalogue, Event as _, EventType, json, v1};

/// The field of an event's own game time.
const OWN_TIME: &str = "game_us";
const NUMERATOR: &str = "_numerator";
const DENOMINATOR: &str = "_denominator";

/// The fields of a payload in the order of the message.
#[derive(Debug, Default)]
pub(super) struct Payload(Vec<(String, Value)>);

/// What a line shows in addition to the payload.
#[derive(Debug, Default)]
pub(super) struct About<'a> {
    pub(super) entity: &'a str,
    /// The game time of the event, if it is known, and whether the line shows it.
    pub(super) now_us: Option<i64>,
    pub(super) is_now_shown: bool,
}

impl Payload {
    /// The game time that the event gives as its own.
    pub(super) fn game_us(&self, event_type: u32) -> Option<i64> {
        let minutes = |us: i64| us.checked_mul(60_000_000);
        match event_type {
            v1::Jumped::NUMBER => units::integer(self.field("to_game_us")?),
            v1::TimeUpdated::NUMBER | v1::TimeChanged::NUMBER => {
                minutes(units::integer(self.field("total_minutes")?)?)
            }
            _ => units::integer(self.field(OWN_TIME)?),
        }
    }

    /// Appends the fields that say something; what repeats the rest of the line does not.
    pub(super) fn write(
        &self,
        out: &mut String,
        event_type: u32,
        catalogue: &Catalogue,
        about: &About<'_>,
    ) {
        let of = catalogue.by_number(event_type);
        for (name, value) in &self.0 {
            if is_unset(value) || self.repeats(name, value, about) {
                continue;
            }
            if !out.is_empty() {
                out.push(' ');
            }
            let field = match (event_type, name.as_str()) {
                (v1::ScheduleFired::NUMBER, "event_type") => self.scheduled(catalogue),
                (v1::ScheduleFired::NUMBER, "payload") => self.scheduled_payload(catalogue),
                // Hundreds of them: JSON has all.
                (v1::WeatherOverridesAnnounced::NUMBER, _) => count(name, value),
                _ => self.ratio(name),
            };
            if let Some(field) = field {
                out.push_str(&field);
                continue;
            }
            let short = value.as_str().and_then(|value| of?.short_value(name, value));
            let value = short.map_or_else(|| texts(of, name, value), Value::String);
            units::field(out, name, &value, about.now_us);
        }
    }

    fn repeats(&self, name: &str, value: &Value, about: &About<'_>) -> bool {
        let is_now = || units::integer(value).is_some_and(|us| about.now_us == Some(us));
        match name {
            OWN_TIME => about.is_now_shown && is_now(),
            // Open: until it is ended.
            "end_game_us" => units::integer(value) == Some(0),
            _ if self.ratio_of(name).is_some() => true,
            _ => value.as_str().is_some_and(|text| text == about.entity),
        }
    }

    /// `old=144×` of `old_numerator=144 old_denominator=1`.
    fn ratio(&self, name: &str) -> Option<String> {
        let name = name.strip_suffix(NUMERATOR)?;
        let part = |end| units::integer(self.field(&format!("{name}{end}"))?);
        let (numerator, denominator) = (part(NUMERATOR)?, part(DENOMINATOR)?);
        let ratio = (denominator != 0).then(|| numerator as f64 / denominator as f64)?;
        let ratio = format!("{ratio:.3}");
        Some(format!("{name}={}×", ratio.trim_end_matches('0').trim_end_matches('.')))
    }

    /// The ratio that a denominator is shown in.
    fn ratio_of(&self, denominator: &str) -> Option<String> {
        self.ratio(&format!("{}{NUMERATOR}", denominator.strip_suffix(DENOMINATOR)?))
    }

    /// The type of the event that was scheduled, by its name.
    fn scheduled(&self, catalogue: &Catalogue) -> Option<String> {
        let number = u32::try_from(units::integer(self.field("event_type")?)?).ok()?;
        Some(format!("event_type={}", catalogue.name_of(number)))
    }

    /// The payload of the event that was scheduled.
    fn scheduled_payload(&self, catalogue: &Catalogue) -> Option<String> {
        let number = u32::try_from(units::integer(self.field("event_type")?)?).ok()?;
        let bytes = BASE64_STANDARD.decode(self.field("payload")?.as_str()?).ok()?;
        let scheduled = catalogue.by_number(number)?;
        let payload: Self = serde_json::from_str(&json::payload(scheduled, &bytes)?).ok()?;
        let mut inner = String::new();
        // One level: what is scheduled in turn is shown by its number and bytes.
        let number = if number == v1::ScheduleFired::NUMBER { 0 } else { number };
        payload.write(&mut inner, number, catalogue, &About::default());
        Some(format!("payload={{{inner}}}"))
    }

    fn field(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }
}

/// A field's value where bytes that hold JSON in UTF-8 are that text instead of its base64.
fn texts(of: Option<&EventType>, path: &str, value: &Value) -> Value {
    let within = |name: &String, value: &Value| texts(of, &format!("{path}.{name}"), value);
    match value {
        Value::String(base64) if of.is_some_and(|of| of.is_bytes(path)) => {
            json_of(base64).map_or_else(|| value.clone(), Value::String)
        }
        Value::Array(values) => values.iter().map(|value| texts(of, path, value)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), within(name, value))).collect()
        }
        other => other.clone(),
    }
}

fn json_of(base64: &str) -> Option<String> {
    let text = String::from_utf8(BASE64_STANDARD.decode(base64).ok()?).ok()?;
    serde_json::from_str::<IgnoredAny>(&text).ok().map(|_| text)
}

/// `overrides=12` of a list.
fn count(name: &str, value: &Value) -> Option<String> {
    value.as_array().map(|values| format!("{name}={}", values.len()))
}

/// Texts, enums, flags and lists that are not set; zeros may be values.
fn is_unset(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty() || text.ends_with("_UNSPECIFIED"),
        Value::Array(values) => values.is_empty(),
        Value::Bool(set) => !set,
        Value::Null => true,
        _ => false,
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Payload;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a payload")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Payload, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry::<String, Value>()? {
            fields.push(field);
        }
        Ok(Payload(fields))
    }
}
