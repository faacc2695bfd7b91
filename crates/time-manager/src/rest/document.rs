//! The JSON documents that the clock's routes answer with.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::calendar::Names;
use crate::clock::clockwork::Taken;
use crate::desk::{Desk, Face};
use worldbus_world::{Clock, WallTime, World, Year};

/// The time of a world.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimeNow)]
pub(super) struct Current {
    /// The world's id.
    world: String,
    year: i32,
    month: u8,
    /// Day of the month.
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    /// `2024-03-01`.
    date: String,
    /// `06:00`.
    time_string: String,
    /// `dawn`, `day`, `dusk` or `night`; by the sun, that of the world's first region.
    phase: String,
    /// The season's id: `spring`, `summer`, `autumn` or `winter`, or what the world's calendar
    /// names it; `/api/time/calendar/rules` lists them.
    season: String,
    #[serde(flatten)]
    names: Names,
    /// Whole game minutes since the world's epoch.
    total_minutes: i64,
    /// The scale, also while the clock stands.
    real_seconds_per_game_hour: f64,
    /// False while the clock is stopped.
    running: bool,
    /// Counts the changes of the clock.
    epoch: u32,
}

/// The time that a command makes, from `effective_at` on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimeChanged)]
pub(super) struct Changed {
    /// Wall time at which the command takes effect, RFC 3339.
    effective_at: String,
    /// Whether `time.clock_changed` is durable on the bus, so that who hears the bus from now on
    /// knows. False when the bus took too long; it is announced as soon as the bus takes it.
    announced: bool,
    #[serde(flatten)]
    current: Current,
}

/// The clocks of a world.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimeClocks)]
pub(super) struct Clocks {
    /// The world's own first.
    clocks: Vec<Named>,
}

/// A clock.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimeClock)]
struct Named {
    /// What `?clock=` takes; empty for the world's own.
    name: String,
    #[serde(flatten)]
    current: Current,
}

/// The latest commands on a clock and its segments.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimeHistory)]
pub(super) struct History {
    /// Newest first.
    commands: Vec<Command>,
    /// Newest first.
    segments: Vec<Stretch>,
}

/// A command that was taken.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimeCommand)]
struct Command {
    /// When it was taken, RFC 3339.
    taken_at: String,
    /// When it takes effect, RFC 3339.
    effective_at: String,
    /// `set`, `skip`, `scale`, `pause`, `resume`, `schedule` or `cancel`.
    command: String,
    detail: String,
    actor: String,
    reason: String,
    /// The clock's epoch and game time from then on.
    epoch: u32,
    date_time: String,
}

/// A segment of the clock.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimeSegment)]
struct Stretch {
    epoch: u32,
    command: String,
    /// RFC 3339.
    begins_at: String,
    /// The game time there.
    date_time: String,
    real_seconds_per_game_hour: f64,
    running: bool,
    /// Phases of the day pass at speeds of their own.
    curved: bool,
}

impl Clocks {
    pub(super) fn new(desk: &Desk) -> Self {
        let named = |(name, face): (&str, &Face)| Named {
            name: name.to_owned(),
            current: Current::now(face),
        };
        Self { clocks: desk.clocks().map(named).collect() }
    }
}

impl History {
    pub(super) fn new(face: &Face) -> Self {
        let view = face.clockwork.view();
        let date = |game| face.clockwork.calendar.at(game).to_string();
        let commands = view.log.records().iter().rev().map(|record| Command {
            taken_at: rfc3339(record.at),
            effective_at: rfc3339(record.effective),
            command: record.command.name().to_owned(),
            detail: record.detail.clone(),
            actor: record.actor.clone(),
            reason: record.reason.clone(),
            epoch: record.epoch,
            date_time: date(record.game),
        });
        let mut segments: Vec<_> = view
            .log
            .entries()
            .map(|(segment, made)| Stretch {
                epoch: segment.epoch,
                command: made.command.name().to_owned(),
                begins_at: rfc3339(segment.anchor_wall),
                date_time: date(segment.anchor_game),
                real_seconds_per_game_hour: segment.real_seconds_per_game_hour(),
                running: !segment.paused,
                curved: segment.curve.is_some(),
            })
            .collect();
        segments.reverse();
        Self { commands: commands.collect(), segments }
    }
}

impl Current {
    pub(super) fn now(face: &Face) -> Self {
        let view = face.clockwork.view();
        Self::new(&face.world, view.log.clock(), face.clockwork.now())
    }

    pub(super) fn new(world: &World, clock: &Clock, wall: WallTime) -> Self {
        let segment = clock.segment_at(wall);
        let game = clock.game_at(wall);
        let calendar = world.calendar();
        let date = calendar.at(game);
        let scale = segment.scale().map(|scale| scale.seconds());
        Self {
            world: world.id.clone(),
            year: date.year,
            month: date.month,
            day: date.day,
            hour: date.hour,
            minute: date.minute,
            second: date.second,
            date: format!("{}-{:02}-{:02}", Year(date.year.into()), date.month, date.day),
            time_string: format!("{:02}:{:02}", date.hour, date.minute),
            phase: world.phase(game).name().to_owned(),
            season: calendar.season(game, world.hemisphere()).id.clone(),
            names: Names::new(world, game),
            total_minutes: game.minutes(),
            real_seconds_per_game_hour: scale
                .unwrap_or_else(|| segment.real_seconds_per_game_hour()),
            running: !segment.paused,
            epoch: segment.epoch,
        }
    }
}

impl Changed {
    pub(super) fn new(face: &Face, taken: &Taken) -> Self {
        let current = Current::new(&face.world, taken.history.clock(), taken.effective);
        let effective_at = rfc3339(taken.effective);
        Self { effective_at, announced: taken.announced, current }
    }
}

pub(super) fn rfc3339(wall: WallTime) -> String {
    Timestamp::from_microsecond(wall.0).unwrap_or(Timestamp::MAX).to_string()
}
