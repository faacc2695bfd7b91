//! The clock as it is kept in the state store: its segments, each with the command that made it.
//! Not here: how a segment follows from a command (`world`), reading and writing (`clockwork`).

use serde::{Deserialize, Serialize};
use worldbus_service::state::{Error, Kind};
use worldbus_world::{Clock, GameTime, Scale, Segment, WallTime};

/// Reason of a world's first segment.
pub(crate) const STARTED: &str = "start";

/// A clock and why each of its segments is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct History {
    clock: Clock,
    /// Beside the clock's segments, by index.
    reasons: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    segments: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    segment: Segment,
    reason: String,
}

impl History {
    /// A new world, which begins now.
    pub(crate) fn new(scale: Scale, now: WallTime) -> Self {
        let clock = Clock::new(scale, now, GameTime(0));
        Self { clock, reasons: vec![STARTED.to_owned()] }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The segments with their reasons, oldest first.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&Segment, &str)> {
        self.clock.segments().iter().zip(self.reasons.iter().map(String::as_str))
    }

    /// The reason of the segment in force at a wall time.
    pub(crate) fn entry_at(&self, wall: WallTime) -> (Segment, &str) {
        let segment = *self.clock.segment_at(wall);
        let reason = self.entries().find(|(s, _)| s.epoch == segment.epoch);
        (segment, reason.map_or("", |(_, reason)| reason))
    }

    /// Takes a segment that the clock itself made; the oldest may fall out.
    pub(crate) fn push(&mut self, segment: Segment, reason: &str) -> Result<(), Error> {
        self.clock.insert(segment).map_err(damaged)?;
        self.reasons.push(reason.to_owned());
        let gone = self.reasons.len().saturating_sub(self.clock.segments().len());
        self.reasons.drain(..gone);
        Ok(())
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let entry = |(segment, reason): (&Segment, &str)| Entry {
            segment: *segment,
            reason: reason.to_owned(),
        };
        let kept = Kept { segments: self.entries().map(entry).collect() };
        serde_json::to_vec(&kept).unwrap_or_default()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut kept: Kept = serde_json::from_slice(bytes).map_err(damaged)?;
        kept.segments.sort_by_key(|entry| entry.segment.epoch);
        let segments = kept.segments.iter().map(|entry| entry.segment);
        let clock = Clock::from_segments(segments).map_err(damaged)?;
        let reasons = kept.segments.into_iter().map(|entry| entry.reason).collect();
        Ok(Self { clock, reasons })
    }
}

fn damaged(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    let text = "the world's clock in the state store is damaged; restore it from a copy";
    Error::new(Kind::Damaged, text).caused_by(error)
}
