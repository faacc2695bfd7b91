//! The JSON documents about commands: what was taken, what is in force, who did what.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::Shared;
use super::super::effect::Effect;
use super::RegionWeather;
use crate::commands::{Act, Command, Commands};
use crate::sky::Taken;
use worldbus_world::{GameTime, Lift, Override, WallTime};

/// A command that was taken. Where it named one region, its weather from then on follows, with the
/// fields of `RegionWeather`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeatherCommandTaken)]
pub(in super::super) struct CommandTaken {
    /// Wall time at which the command takes effect, RFC 3339.
    effective_at: String,
    command: CommandEntry,
    // A schema cannot say that all of its fields are there or none.
    #[serde(flatten)]
    #[schema(ignore)]
    weather: Option<Box<RegionWeather>>,
}

/// Overrides and commands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeatherCommands)]
pub(in super::super) struct Log {
    /// In force or still to come, lowest revision first.
    overrides: Vec<OverrideEntry>,
    /// As far back as they matter, the last one first.
    commands: Vec<CommandEntry>,
}

/// What is forced.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeatherOverride)]
struct OverrideEntry {
    id: String,
    revision: u64,
    /// Empty: all regions.
    regions: Vec<String>,
    /// `set_state`, `offset`, `lock`, `season_shift` or `storm_cell`.
    kind: String,
    /// The state that it aims at, if it names one.
    state: Option<String>,
    /// What it does, with all its numbers, as in the request for it.
    effect: Effect,
    /// Game time at which it begins.
    start: String,
    /// The same in game microseconds since the world's epoch.
    start_game_us: i64,
    /// Game time at which it ends; none: when it is cleared.
    end: Option<String>,
    /// The same in game microseconds since the world's epoch.
    end_game_us: Option<i64>,
    fade_in_game_minutes: f64,
    fade_out_game_minutes: f64,
    /// Those in force in a region are layers, the highest on top and, of equal priorities, the
    /// highest revision.
    priority: i16,
    /// When it is out of force though it has begun.
    lifts: Vec<LiftEntry>,
    actor: String,
}

/// A stretch of game time for which an override is out of force.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeatherOverrideLift)]
struct LiftEntry {
    /// The command that lifted it.
    revision: u64,
    /// Empty: all regions.
    regions: Vec<String>,
    /// Game time from which it is out of force.
    from: String,
    /// The same in game microseconds since the world's epoch.
    from_game_us: i64,
    /// Game time from which it counts again; none: never.
    to: Option<String>,
    /// The same in game microseconds since the world's epoch.
    to_game_us: Option<i64>,
}

/// A command that was taken.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = WeatherCommand)]
struct CommandEntry {
    revision: u64,
    /// `set`, `clear` or `undo`.
    verb: String,
    /// The override that it sets.
    id: Option<String>,
    /// Empty: all regions.
    regions: Vec<String>,
    /// The command that an undo undid.
    undone: Option<u64>,
    /// Game time at which it took effect.
    game_time: String,
    /// Wall time at which it took effect, RFC 3339.
    effective_at: String,
    actor: String,
    reason: String,
}

impl CommandTaken {
    /// The last command of the log.
    pub(in super::super) fn new(shared: &Shared, taken: &Taken) -> Self {
        let last = taken.commands.list().last();
        let command = last.map(|command| CommandEntry::new(shared, &taken.commands, command));
        Self {
            effective_at: text(taken.effective),
            // A command that was taken is the last one.
            command: command.unwrap_or_default(),
            weather: None,
        }
    }

    pub(in super::super) fn with_weather(mut self, weather: RegionWeather) -> Self {
        self.weather = Some(Box::new(weather));
        self
    }
}

impl Log {
    pub(in super::super) fn new(shared: &Shared, commands: &Commands, now: GameTime) -> Self {
        let overrides = commands.overrides_with(u64::MAX);
        let open = overrides.records().iter().filter(|record| !record.over(now));
        let entry = |command| CommandEntry::new(shared, commands, command);
        Self {
            overrides: open.map(|record| OverrideEntry::new(shared, commands, record)).collect(),
            commands: commands.list().iter().rev().map(entry).collect(),
        }
    }
}

impl OverrideEntry {
    fn new(shared: &Shared, commands: &Commands, record: &Override) -> Self {
        let minutes = |us: i64| us as f64 / GameTime::MINUTE_US as f64;
        Self {
            id: record.id.clone(),
            revision: record.rev,
            regions: record.regions.clone(),
            kind: record.kind.name().to_owned(),
            state: record.kind.target().map(|(state, _)| state.name().to_owned()),
            effect: Effect::from(&record.kind),
            start: shared.game_text(record.start),
            start_game_us: record.start.0,
            end: record.end.map(|end| shared.game_text(end)),
            end_game_us: record.end.map(|end| end.0),
            fade_in_game_minutes: minutes(record.fade_in_us),
            fade_out_game_minutes: minutes(record.fade_out_us),
            priority: record.priority,
            lifts: record.lifted.iter().map(|lift| LiftEntry::new(shared, lift)).collect(),
            actor: commands.of_rev(record.rev).map(|set| set.actor.clone()).unwrap_or_default(),
        }
    }
}

impl LiftEntry {
    fn new(shared: &Shared, lift: &Lift) -> Self {
        Self {
            revision: lift.rev,
            regions: lift.regions.clone(),
            from: shared.game_text(lift.from),
            from_game_us: lift.from.0,
            to: lift.to.map(|to| shared.game_text(to)),
            to_game_us: lift.to.map(|to| to.0),
        }
    }
}

impl CommandEntry {
    fn new(shared: &Shared, commands: &Commands, command: &Command) -> Self {
        let (verb, id, undone) = match &command.act {
            Act::Set { .. } => ("set", Some(commands.record_id(command)), None),
            Act::Clear { .. } => ("clear", None, None),
            Act::ClearOne { record } => {
                ("clear", commands.of_rev(*record).map(|of| commands.record_id(of)), None)
            }
            Act::Undo { undone } => ("undo", None, Some(*undone)),
        };
        Self {
            revision: command.rev,
            verb: verb.to_owned(),
            id,
            regions: commands.regions_of(command).to_vec(),
            undone,
            game_time: shared.game_text(command.game),
            effective_at: text(command.at),
            actor: command.actor.clone(),
            reason: command.reason.clone(),
        }
    }
}

fn text(wall: WallTime) -> String {
    Timestamp::from_microsecond(wall.0).unwrap_or(Timestamp::MAX).to_string()
}
