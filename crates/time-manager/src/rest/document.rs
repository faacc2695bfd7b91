//! The JSON documents that the clock's routes answer with.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use worldbus_world::{Clock, Phase, Season, WallTime, World};

use crate::clockwork::Taken;

/// The time of a world.
#[derive(Debug, Serialize, ToSchema)]
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
    /// `dawn`, `day`, `dusk` or `night`.
    phase: String,
    /// `spring`, `summer`, `autumn` or `winter`.
    season: String,
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
pub(super) struct Changed {
    /// Wall time at which the command takes effect, RFC 3339.
    effective_at: String,
    /// Whether `time.clock_changed` is durable on the bus, so that who hears the bus from now on
    /// knows. False when the bus took too long; it is announced as soon as the bus takes it.
    announced: bool,
    #[serde(flatten)]
    current: Current,
}

impl Current {
    pub(super) fn new(world: &World, clock: &Clock, wall: WallTime) -> Self {
        let segment = clock.segment_at(wall);
        let game = clock.game_at(wall);
        let date = world.calendar().at(game);
        let scale = segment.scale().map(|scale| scale.seconds());
        Self {
            world: world.id.clone(),
            year: date.year,
            month: date.month,
            day: date.day,
            hour: date.hour,
            minute: date.minute,
            second: date.second,
            date: format!("{:04}-{:02}-{:02}", date.year, date.month, date.day),
            time_string: format!("{:02}:{:02}", date.hour, date.minute),
            phase: Phase::at_hour(date.hour).name().to_owned(),
            season: Season::at_month(date.month, world.hemisphere()).name().to_owned(),
            total_minutes: game.minutes(),
            real_seconds_per_game_hour: scale
                .unwrap_or_else(|| segment.real_seconds_per_game_hour()),
            running: !segment.paused,
            epoch: segment.epoch,
        }
    }
}

impl Changed {
    pub(super) fn new(world: &World, taken: &Taken) -> Self {
        let effective_at = Timestamp::from_microsecond(taken.effective.0).unwrap_or(Timestamp::MAX);
        let current = Current::new(world, taken.history.clock(), taken.effective);
        Self { effective_at: effective_at.to_string(), announced: taken.announced, current }
    }
}
