//! One event type of the catalogue, and the rules that its option keeps.

use std::fmt;

use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};

use super::{OPTION, wrong};
use crate::error::Error;
use crate::limits::{NAME_BYTES_MAX, TOPIC_BYTES_MAX};
use crate::v1::{self, DeliveryClass};

/// The package of Worldbus's own event types.
const PACKAGE: &str = "worldbus.events.v1";
/// How the name of an enum's value 0 ends (Buf's rule ENUM_ZERO_VALUE_SUFFIX).
const UNSPECIFIED: &str = "UNSPECIFIED";
/// The first number for studios.
const STUDIO_NUMBER_MIN: u32 = 1000;

/// Who defines an event type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Worldbus; numbers below 1000.
    Worldbus,
    /// A studio; numbers from 1000.
    Studio,
}

/// An event type as the catalogue knows it.
#[derive(Debug, Clone)]
pub struct EventType {
    option: v1::EventType,
    message: MessageDescriptor,
}

impl EventType {
    /// The number on the wire.
    pub fn number(&self) -> u32 {
        self.option.number
    }

    /// The name for people, e.g. `weather.changed`.
    pub fn name(&self) -> &str {
        &self.option.name
    }

    /// The topic that its events travel on.
    pub fn topic(&self) -> &str {
        &self.option.topic
    }

    /// How its events behave when a consumer cannot keep up; never unspecified.
    pub fn delivery_class(&self) -> DeliveryClass {
        match self.option.delivery_class() {
            DeliveryClass::Unspecified => DeliveryClass::Every,
            class => class,
        }
    }

    /// One line of text about what happened.
    pub fn summary(&self) -> &str {
        &self.option.summary
    }

    /// The full name of the payload message, e.g. `worldbus.events.v1.WeatherChanged`.
    pub fn message_name(&self) -> &str {
        self.message.full_name()
    }

    /// Who defines it.
    pub fn owner(&self) -> Owner {
        if self.message.package_name() == PACKAGE { Owner::Worldbus } else { Owner::Studio }
    }

    /// An enum value of a payload's field as people read it: `mist` for `WEATHER_STATE_MIST`.
    /// `None` if the field is no enum, or its values share no prefix with an `…_UNSPECIFIED`.
    pub fn short_value(&self, field: &str, value: &str) -> Option<String> {
        let Kind::Enum(values) = self.message.get_field_by_name(field)?.kind() else { return None };
        let unset = values.default_value();
        let prefix = unset.name().strip_suffix(UNSPECIFIED)?;
        Some(value.strip_prefix(prefix)?.to_ascii_lowercase())
    }

    /// Whether payloads have a field: by name, with dots into the messages within.
    pub fn has_field(&self, path: &str) -> bool {
        let mut message = Some(self.message.clone());
        path.split('.').all(|name| {
            let field = message.take().and_then(|of| of.get_field_by_name(name));
            message = field.as_ref().and_then(|field| match field.kind() {
                Kind::Message(inner) if !field.is_list() && !field.is_map() => Some(inner),
                _ => None,
            });
            field.is_some()
        })
    }

    /// Whether a field of payloads is bytes: by name, with dots into the messages within, also into
    /// those of lists.
    pub fn is_bytes(&self, path: &str) -> bool {
        let mut kind = Some(Kind::Message(self.message.clone()));
        for name in path.split('.') {
            let Some(Kind::Message(of)) = kind else { return false };
            let field = of.get_field_by_name(name).filter(|field| !field.is_map());
            kind = field.map(|field| field.kind());
        }
        matches!(kind, Some(Kind::Bytes))
    }

    pub(crate) fn message(&self) -> &MessageDescriptor {
        &self.message
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} ({})", self.name(), self.number(), self.message_name())
    }
}

/// The event types of all messages in a pool, by rising number. Numbers and names may repeat.
pub(super) fn read_all(pool: &DescriptorPool) -> Result<Vec<EventType>, Error> {
    let Some(option) = pool.get_extension_by_name(OPTION) else {
        return Err(wrong(format!("the option {OPTION} is not declared")));
    };
    let mut event_types = Vec::new();
    for message in pool.all_messages() {
        let options = message.options();
        if !options.has_extension(&option) {
            continue;
        }
        let name = message.full_name().to_owned();
        let value = options.get_extension(&option);
        let option = value
            .as_message()
            .and_then(|value| value.transcode_to::<v1::EventType>().ok())
            .ok_or_else(|| wrong(format!("{name}: its {OPTION} option is not an EventType")))?;
        let event_type = EventType { option, message };
        check(&event_type).map_err(|fault| wrong(format!("{name}: {fault}")))?;
        event_types.push(event_type);
    }
    event_types.sort_by_key(EventType::number);
    Ok(event_types)
}

fn check(event_type: &EventType) -> Result<(), String> {
    let (number, name, topic) = (event_type.number(), event_type.name(), event_type.topic());
    match event_type.owner() {
        Owner::Worldbus if !(1..STUDIO_NUMBER_MIN).contains(&number) => {
            return Err(format!("number {number}; expected 1 to {}", STUDIO_NUMBER_MIN - 1));
        }
        Owner::Studio if number < STUDIO_NUMBER_MIN => {
            return Err(format!(
                "number {number}; expected {STUDIO_NUMBER_MIN} or more, since those below are \
                 Worldbus's own"
            ));
        }
        _ => {}
    }
    if !is_name(name) {
        return Err(format!(
            "name {name:.80?}; expected two or more words of a-z 0-9 _ with a dot between, at \
             most {NAME_BYTES_MAX} bytes, like \"quest.completed\""
        ));
    }
    if !is_topic(topic) {
        return Err(format!(
            "topic {topic:.80?}; expected 1 to {TOPIC_BYTES_MAX} of the characters a-z 0-9 - _"
        ));
    }
    if event_type.message.parent_message().is_some() {
        return Err("expected a message at top level".to_owned());
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    };
    name.len() <= NAME_BYTES_MAX && name.contains('.') && name.split('.').all(is_word)
}

fn is_topic(topic: &str) -> bool {
    (1..=TOPIC_BYTES_MAX).contains(&topic.len())
        && topic.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
}
