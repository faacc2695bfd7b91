//! What consumers and readers ask for.

use std::time::Duration;

use v1::position::Position as Choice;

use super::{invalid, required};
use crate::v1;
use worldbus_bus::limits::{FILTER_COUNT_MAX, TOPIC_COUNT_MAX};
use worldbus_bus::{
    Error, Filter, LogId, Position, ReadSpec, Resume, SubscriptionName, SubscriptionSpec, Topic,
};

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl From<Position> for v1::Position {
    fn from(position: Position) -> Self {
        let position = match position {
            Position::Now => Choice::Now(v1::position::Now {}),
            Position::Start => Choice::Start(v1::position::Start {}),
            Position::Offset(offset) => Choice::Offset(offset),
            Position::TimeMs(time_ms) => Choice::TimeMs(time_ms),
            Position::Commit(commit) => Choice::Commit(commit),
        };
        Self { position: Some(position) }
    }
}

impl TryFrom<v1::Position> for Position {
    type Error = Error;

    fn try_from(message: v1::Position) -> Result<Self, Error> {
        match message.position {
            Some(Choice::Now(_)) => Ok(Self::Now),
            Some(Choice::Start(_)) => Ok(Self::Start),
            Some(Choice::Offset(offset)) => Ok(Self::Offset(offset)),
            Some(Choice::TimeMs(time_ms)) => Ok(Self::TimeMs(time_ms)),
            Some(Choice::Commit(commit)) => Ok(Self::Commit(commit)),
            None => Err(invalid("position is unknown to this event-bus")),
        }
    }
}

impl From<&Filter> for v1::Filter {
    fn from(filter: &Filter) -> Self {
        let Filter { types, entities, places } = filter.clone();
        Self { types, entities, places }
    }
}

fn filter(message: Option<v1::Filter>) -> Result<Filter, Error> {
    let v1::Filter { types, entities, places } = message.unwrap_or_default();
    at_most(types.len(), "types of a filter", FILTER_COUNT_MAX)?;
    at_most(entities.len(), "entities of a filter", FILTER_COUNT_MAX)?;
    at_most(places.len(), "places of a filter", FILTER_COUNT_MAX)?;
    Ok(Filter { types, entities, places })
}

fn position(message: Option<v1::Position>) -> Result<Position, Error> {
    required(message, "position")?.try_into()
}

fn at_most(count: usize, what: &str, max: usize) -> Result<(), Error> {
    if count > max {
        return Err(invalid(format!("{what}: {count} are more than {max}")));
    }
    Ok(())
}

impl From<&SubscriptionSpec> for v1::Subscription {
    fn from(spec: &SubscriptionSpec) -> Self {
        Self {
            name: spec.name.to_string(),
            topics: spec.topics.iter().map(ToString::to_string).collect(),
            filter: Some((&spec.filter).into()),
            start: Some(spec.start.into()),
            lease_ms: milliseconds(spec.lease),
            attempts_max: spec.attempts_max,
            in_flight_max: spec.in_flight_max,
            consumer: spec.consumer.clone(),
        }
    }
}

impl TryFrom<v1::Subscription> for SubscriptionSpec {
    type Error = Error;

    fn try_from(message: v1::Subscription) -> Result<Self, Error> {
        at_most(message.topics.len(), "topics of a subscription", TOPIC_COUNT_MAX)?;
        Ok(Self {
            name: SubscriptionName::new(&message.name)?,
            topics: message.topics.iter().map(|name| Topic::new(name)).collect::<Result<_, _>>()?,
            filter: filter(message.filter)?,
            start: position(message.start)?,
            lease: Duration::from_millis(message.lease_ms),
            attempts_max: message.attempts_max,
            in_flight_max: message.in_flight_max,
            consumer: message.consumer,
        })
    }
}

impl From<&ReadSpec> for v1::ReadRequest {
    fn from(spec: &ReadSpec) -> Self {
        let topics = spec.topics.iter().map(|(topic, from)| v1::TopicPosition {
            topic: topic.to_string(),
            from: Some((*from).into()),
        });
        Self {
            topics: topics.collect(),
            default_from: Some(spec.default_from.into()),
            all_topics: spec.all_topics,
            filter: Some((&spec.filter).into()),
            follow: spec.follow,
            resume: spec.resume.map(Into::into),
        }
    }
}

impl From<Resume> for v1::Resume {
    fn from(Resume { log, time_ms }: Resume) -> Self {
        Self { log: log.bits(), time_ms }
    }
}

impl TryFrom<v1::Resume> for Resume {
    type Error = Error;

    fn try_from(v1::Resume { log, time_ms }: v1::Resume) -> Result<Self, Error> {
        let log = LogId::from_bits(log)
            .ok_or_else(|| invalid("invalid log: expected an id that an engine gave"))?;
        Ok(Self { log, time_ms })
    }
}

impl TryFrom<v1::ReadRequest> for ReadSpec {
    type Error = Error;

    fn try_from(message: v1::ReadRequest) -> Result<Self, Error> {
        at_most(message.topics.len(), "topics of a reader", TOPIC_COUNT_MAX)?;
        let topic = |entry: v1::TopicPosition| {
            Ok::<_, Error>((Topic::new(&entry.topic)?, position(entry.from)?))
        };
        Ok(Self {
            topics: message.topics.into_iter().map(topic).collect::<Result<_, _>>()?,
            default_from: position(message.default_from)?,
            all_topics: message.all_topics,
            filter: filter(message.filter)?,
            follow: message.follow,
            resume: message.resume.map(TryInto::try_into).transpose()?,
        })
    }
}
