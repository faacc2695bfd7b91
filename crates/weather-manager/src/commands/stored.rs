//! How commands lie in the state store: as they are written now, and as they were when a command
//! could only force one region's state or clear it. Not here: what they mean.

use serde::Deserialize;
use worldbus_world::{GameTime, Kind, Override, WallTime, WeatherState};

use super::Act;

/// A command in either form.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Command {
    Now(Box<Now>),
    Before(Before),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Now {
    rev: u64,
    at: WallTime,
    epoch: u32,
    game: GameTime,
    actor: String,
    reason: String,
    #[serde(default)]
    cause: Option<String>,
    act: Act,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Before {
    rev: u64,
    at: WallTime,
    epoch: u32,
    game: GameTime,
    region: String,
    force: Option<Force>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Force {
    state: WeatherState,
    intensity_permille: Option<u16>,
    end: Option<GameTime>,
}

impl From<Command> for super::Command {
    fn from(stored: Command) -> Self {
        match stored {
            Command::Now(now) => {
                let Now { rev, at, epoch, game, actor, reason, cause, act } = *now;
                Self { rev, at, epoch, game, actor, reason, cause, act }
            }
            Command::Before(before) => before.into(),
        }
    }
}

impl From<Before> for super::Command {
    fn from(Before { rev, at, epoch, game, region, force }: Before) -> Self {
        let regions = vec![region];
        let act = match force {
            None => Act::Clear { regions },
            Some(Force { state, intensity_permille, end }) => {
                let intensity_permille = intensity_permille.unwrap_or(500);
                let kind = Kind::SetState { state, intensity_permille };
                let record = Override::new(regions, kind, game, end);
                Act::Set { record, replaces: true }
            }
        };
        let (actor, reason) = (String::new(), String::new());
        Self { rev, at, epoch, game, actor, reason, cause: None, act }
    }
}
