//! The clock as it is kept in the state store: its segments, each with the command that made it,
//! what is scheduled, and the latest commands with who gave them and why.
//! Not here: how a segment follows from a command (`world`), reading and writing (`clockwork`).

use serde::{Deserialize, Serialize};

use super::command::Verb;
use super::request::Settled;
use crate::schedule::Schedules;
use worldbus_service::state::{self, Error, Kind};
use worldbus_simulated::commands::{By, Log};
use worldbus_world::{Clock, Curve, GameTime, Scale, Segment, WallTime};

/// Commands that are remembered; the oldest are forgotten.
pub(crate) const RECORD_COUNT_MAX: usize = 100;

/// A clock, why each of its segments is, what is scheduled by it, and its latest commands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct History {
    clock: Clock,
    /// One for each of the clock's segments, by index.
    made: Vec<Made>,
    records: Vec<Record>,
    pub(crate) schedules: Schedules,
    /// The requests of events that are carried out.
    pub(crate) requests: Settled,
}

/// What made a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Made {
    /// The command.
    #[serde(rename = "reason")]
    pub(crate) command: Verb,
    #[serde(flatten)]
    pub(crate) by: By,
}

/// A command that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    /// When it was taken, and when it takes effect.
    pub(crate) at: WallTime,
    pub(crate) effective: WallTime,
    pub(crate) command: Verb,
    /// What of, for people: `59.94 real seconds per game hour`.
    pub(crate) detail: String,
    pub(crate) actor: String,
    pub(crate) reason: String,
    /// The clock's epoch and game time from then on.
    pub(crate) epoch: u32,
    pub(crate) game: GameTime,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    segments: Vec<Entry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    commands: Vec<Record>,
    #[serde(default, skip_serializing_if = "Schedules::is_new")]
    schedules: Schedules,
    #[serde(default, skip_serializing_if = "Settled::is_empty")]
    requests: Settled,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    segment: Segment,
    #[serde(flatten)]
    made: Made,
}

impl History {
    /// A new world, which begins now.
    pub(crate) fn new(scale: Scale, curve: Option<Curve>, now: WallTime) -> Result<Self, Error> {
        let first = Segment { curve, ..*Clock::new(scale, now, GameTime(0)).last() };
        let clock = Clock::from_segments([first]).map_err(damaged)?;
        let made = vec![Made { command: Verb::Start, by: By::default() }];
        let (schedules, requests) = (Schedules::default(), Settled::default());
        Ok(Self { clock, made, records: Vec::new(), schedules, requests })
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The segments with what made them, oldest first.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&Segment, &Made)> {
        self.clock.segments().iter().zip(&self.made)
    }

    /// What made the segment of an epoch, if it is not forgotten.
    pub(crate) fn made(&self, epoch: u32) -> Option<&Made> {
        self.entries().find(|(segment, _)| segment.epoch == epoch).map(|(_, made)| made)
    }

    /// The latest commands, oldest first.
    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    /// Takes a segment that the clock itself made; the oldest may fall out.
    pub(crate) fn push(&mut self, segment: Segment, made: Made) -> Result<(), Error> {
        self.clock.insert(segment).map_err(damaged)?;
        self.made.push(made);
        let gone = self.made.len().saturating_sub(self.clock.segments().len());
        self.made.drain(..gone);
        Ok(())
    }

    /// Goes on at `now` from where the clock stood at `reached`, a wall time that has not come.
    pub(crate) fn resume(&mut self, reached: WallTime, now: WallTime) -> Result<(), Error> {
        let segment = self.clock.resume(reached, now);
        let made = Made { command: Verb::Continue, by: By::default() };
        self.schedules.begin_by(now);
        self.requests.begin_by(now);
        self.push(segment, made)
    }

    /// The history before the segment that continues it and is new to who published it up to an
    /// epoch and a wall time, and until when that is to be published first.
    pub(crate) fn before_resuming(
        &self,
        published: Option<(u32, WallTime)>,
    ) -> Option<(Self, WallTime)> {
        let (clock, until) = self.clock.before_resuming(published)?;
        let made = self.made[..clock.segments().len()].to_vec();
        Some((Self { clock, made, ..self.clone() }, until))
    }

    /// Remembers a command.
    pub(crate) fn record(&mut self, record: Record) {
        self.records.push(record);
        let gone = self.records.len().saturating_sub(RECORD_COUNT_MAX);
        self.records.drain(..gone);
    }
}

impl Log for History {
    fn absent() -> Result<Self, Error> {
        let text = "the world's clock is gone from the state store; restore it from a copy";
        Err(Error::new(Kind::Damaged, text))
    }

    fn encode(&self) -> Result<Vec<u8>, Error> {
        let entry =
            |(segment, made): (&Segment, &Made)| Entry { segment: *segment, made: made.clone() };
        let kept = Kept {
            segments: self.entries().map(entry).collect(),
            commands: self.records.clone(),
            schedules: self.schedules.clone(),
            requests: self.requests.clone(),
        };
        state::encode("the world's clock", &kept)
    }

    fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut kept: Kept = serde_json::from_slice(bytes).map_err(damaged)?;
        kept.segments.sort_by_key(|entry| entry.segment.epoch);
        let segments = kept.segments.iter().map(|entry| entry.segment);
        let clock = Clock::from_segments(segments).map_err(damaged)?;
        let made = kept.segments.iter().map(|entry| entry.made.clone()).collect();
        let Kept { commands: records, schedules, requests, .. } = kept;
        Ok(Self { clock, made, records, schedules, requests })
    }

    fn shown(&self) {
        metrics::gauge!("worldbus_time_segments").set(self.clock.segments().len() as f64);
    }
}

fn damaged(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    let text = "the world's clock in the state store is damaged; restore it from a copy";
    Error::new(Kind::Damaged, text).caused_by(error)
}
