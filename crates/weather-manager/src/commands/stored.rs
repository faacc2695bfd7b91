//! How commands lie in the state store: as they are written now, and as they were when a command
//! could only force one region's state or clear it. Not here: what they mean.

use serde::Deserialize;

use super::{Act, Command};
use worldbus_simulated::commands::CommandLog;
use worldbus_world::{GameTime, Kind, Override, WallTime, WeatherState};

/// The log as it is stored.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    rev: u64,
    pruned_rev: u64,
    commands: Vec<Either>,
    #[serde(default)]
    forgotten_causes: Vec<String>,
}

/// A command in either form.
#[derive(Deserialize)]
#[serde(untagged)]
enum Either {
    Now(Box<Command>),
    Before(Before),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Before {
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

/// The log from its stored form, whichever it is.
pub(super) fn decode(bytes: &[u8]) -> Result<CommandLog<Act>, serde_json::Error> {
    let Stored { rev, pruned_rev, commands, forgotten_causes } = serde_json::from_slice(bytes)?;
    let commands = commands.into_iter().map(Command::from).collect();
    Ok(CommandLog::restore((rev, pruned_rev), commands, forgotten_causes))
}

impl From<Either> for Command {
    fn from(stored: Either) -> Self {
        match stored {
            Either::Now(now) => *now,
            Either::Before(before) => before.into(),
        }
    }
}

impl From<Before> for Command {
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
