//! The command line of `worldbus weather`.

use clap::{Args, Subcommand, ValueEnum};

use crate::output::format::Format;
use crate::session::by::By;
use crate::session::number::finite;
use crate::settings::Weather;
use worldbus_service::config::Flags;

/// What to do with the weather.
#[derive(Debug, Args)]
#[command(after_help = HELP, mut_arg("weather-url", |flag| flag.hide(true)))]
pub(crate) struct WeatherArguments {
    #[command(subcommand)]
    pub(super) action: Action,
    /// How to write the result
    #[arg(long, global = true, value_enum, default_value_t)]
    pub(super) format: Format,
    #[command(flatten)]
    pub(super) flags: Flags<Weather>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Show the weather now, of a region or of all
    #[command(visible_alias = "current", after_help = NOW)]
    Now(RegionArguments),
    /// Show the weather to come, hour by hour
    #[command(after_help = FORECAST)]
    Forecast(ForecastArguments),
    /// Show the weather of a region at any game time
    #[command(after_help = AT)]
    At(AtArguments),
    /// Show the weather of a region over a stretch of game time
    #[command(after_help = HISTORY)]
    History(StretchArguments),
    /// Show the same in figures: means, extremes, shares of states
    #[command(after_help = STATISTICS)]
    Statistics(StretchArguments),
    /// List the regions of the world
    #[command(after_help = REGIONS)]
    Regions,
    /// List the alerts of severe weather, of a region or of all
    #[command(after_help = ALERTS)]
    Alerts(RegionArguments),
    /// Force a state on a region, in place of what was forced there
    #[command(visible_alias = "force", after_help = SET)]
    Set(SetArguments),
    /// Let the weather stand still as it is, in some regions or in all
    #[command(after_help = LOCK)]
    Lock(OverrideArguments),
    /// Make it warmer, windier or wetter than planned, in some regions or in all
    #[command(after_help = OFFSET)]
    Offset(OffsetArguments),
    /// Let the weather be that of another time of the year, in some regions or in all
    #[command(after_help = SEASON_SHIFT)]
    SeasonShift(SeasonShiftArguments),
    /// Let a storm cross the map
    #[command(after_help = STORM_CELL)]
    StormCell(StormCellArguments),
    /// Let the weather of a region be what it is, or end one override
    #[command(after_help = CLEAR)]
    Clear(ClearArguments),
    /// Undo the last command that is not undone yet
    #[command(after_help = UNDO)]
    Undo(By),
    /// List what is forced or is going to be
    #[command(after_help = OVERRIDES)]
    Overrides,
}

/// Which region, if not all.
#[derive(Debug, Args)]
pub(super) struct RegionArguments {
    /// A region's id; all regions if left out
    #[arg(value_name = "REGION")]
    pub(super) region: Option<String>,
}

/// Which region, and how far ahead.
#[derive(Debug, Args)]
pub(super) struct ForecastArguments {
    /// A region's id
    #[arg(value_name = "REGION")]
    pub(super) region: String,
    /// Game hours from the current one, 1 to 168
    #[arg(long, value_name = "NUMBER", default_value_t = 24)]
    pub(super) hours: u32,
    /// Which forecast
    #[arg(long, value_enum, default_value_t)]
    pub(super) kind: ForecastKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum ForecastKind {
    /// What is going to be, unless it is forced
    #[default]
    True,
    /// What people of the world would expect
    Fallible,
}

/// Where and when.
#[derive(Debug, Args)]
pub(super) struct AtArguments {
    /// A region's id
    #[arg(value_name = "REGION")]
    pub(super) region: String,
    /// `2024-03-01T06:00:00`, or whole game minutes since the world's epoch; now if left out
    #[arg(value_name = "GAME_TIME", allow_negative_numbers = true)]
    pub(super) game_time: Option<String>,
}

/// Where, and from when to when.
#[derive(Debug, Args)]
pub(super) struct StretchArguments {
    /// A region's id
    #[arg(value_name = "REGION")]
    pub(super) region: String,
    /// The first game time: `2024-03-01T06:00:00`, or whole game minutes since the world's epoch
    #[arg(long, value_name = "GAME_TIME", allow_negative_numbers = true)]
    pub(super) from: String,
    /// The game time behind the last; may be still to come
    #[arg(long, value_name = "GAME_TIME", allow_negative_numbers = true)]
    pub(super) to: String,
    /// Game hours from one entry to the next
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(super) step_hours: u32,
}

/// What to force.
#[derive(Debug, Args)]
pub(super) struct SetArguments {
    /// A region's id
    #[arg(value_name = "REGION")]
    pub(super) region: String,
    /// A state: clear, cloudy, rain, heavy_rain, storm, snow, fog, …
    #[arg(value_name = "STATE")]
    pub(super) state: String,
    /// Where inside the state's own band, 0 to 1; 0.5 if left out
    #[arg(long, value_name = "NUMBER", value_parser = finite)]
    pub(super) intensity: Option<f64>,
    /// How long, in game minutes; until it is cleared if left out
    #[arg(long, value_name = "NUMBER")]
    pub(super) minutes: Option<u32>,
    #[command(flatten)]
    pub(super) by: By,
}

/// Where, when and how strongly an override is in force, whatever it does.
#[derive(Debug, Args)]
pub(super) struct OverrideArguments {
    /// Regions' ids; all regions if left out
    #[arg(value_name = "REGION")]
    pub(super) regions: Vec<String>,
    /// When it begins: `2024-03-01T06:00:00`, or whole game minutes since the world's epoch; at
    /// once if left out
    #[arg(long, value_name = "GAME_TIME", allow_negative_numbers = true)]
    pub(super) start: Option<String>,
    /// How long, in game minutes; until it is cleared if left out
    #[arg(long, value_name = "NUMBER")]
    pub(super) minutes: Option<u32>,
    /// Game minutes to its full strength; at once if left out
    #[arg(long, value_name = "NUMBER")]
    pub(super) fade_in_minutes: Option<u32>,
    /// Game minutes from its full strength to its end
    #[arg(long, value_name = "NUMBER", requires = "minutes")]
    pub(super) fade_out_minutes: Option<u32>,
    /// Of two overrides in force the higher one has the last word; 0 if left out
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pub(super) priority: Option<i32>,
    #[command(flatten)]
    pub(super) by: By,
}

/// How much warmer, windier, wetter.
#[derive(Debug, Args)]
#[group(id = "offsets", required = true, multiple = true,
        args = ["temperature_c", "wind_mps", "rain_factor"])]
pub(super) struct OffsetArguments {
    /// Degrees Celsius that are added, -60 to 60
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, value_parser = finite)]
    pub(super) temperature_c: Option<f64>,
    /// Metres per second that are added to the wind, -50 to 50
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, value_parser = finite)]
    pub(super) wind_mps: Option<f64>,
    /// What falls is multiplied by it, 0 to 10
    #[arg(long, value_name = "NUMBER", value_parser = finite)]
    pub(super) rain_factor: Option<f64>,
    #[command(flatten)]
    pub(super) common: OverrideArguments,
}

/// Which other time of the year.
#[derive(Debug, Args)]
pub(super) struct SeasonShiftArguments {
    /// Days of the world's calendar, -366 to 366; 90 in spring is summer's weather
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pub(super) days: i32,
    #[command(flatten)]
    pub(super) common: OverrideArguments,
}

/// Which storm, and where it goes.
#[derive(Debug, Args)]
pub(super) struct StormCellArguments {
    /// A place that its middle passes, in degrees; given again for each further one, in order
    #[arg(long = "path", value_name = "LATITUDE,LONGITUDE", required = true,
          allow_hyphen_values = true, value_parser = point)]
    pub(super) path: Vec<Point>,
    /// How far it reaches from its middle, 1 to 2000
    #[arg(long, value_name = "NUMBER", value_parser = finite)]
    pub(super) radius_km: f64,
    /// Kilometres in a game hour, 0 to 2000
    #[arg(long, value_name = "NUMBER", value_parser = finite)]
    pub(super) speed_kmh: f64,
    /// The state in its middle
    #[arg(long, value_name = "STATE", default_value = "storm")]
    pub(super) state: String,
    /// Where inside the state's own band, 0 to 1; 0.5 if left out
    #[arg(long, value_name = "NUMBER", value_parser = finite)]
    pub(super) intensity: Option<f64>,
    #[command(flatten)]
    pub(super) common: OverrideArguments,
}

/// A place in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    /// North.
    pub(super) latitude: f64,
    /// East.
    pub(super) longitude: f64,
}

fn point(text: &str) -> Result<Point, String> {
    let degrees = |text: &str| finite(text).ok();
    let point = text.split_once(',').and_then(|(latitude, longitude)| {
        Some(Point { latitude: degrees(latitude)?, longitude: degrees(longitude)? })
    });
    point.ok_or_else(|| format!("expected LATITUDE,LONGITUDE in degrees, found {text:?}"))
}

/// What to clear.
#[derive(Debug, Args)]
pub(super) struct ClearArguments {
    /// A region's id
    #[arg(value_name = "REGION", required_unless_present = "id", conflicts_with = "id")]
    pub(super) region: Option<String>,
    /// An override's id, as `overrides` shows it
    #[arg(long, value_name = "ID")]
    pub(super) id: Option<String>,
    #[command(flatten)]
    pub(super) by: By,
}

const HELP: &str = "\
Examples:
  worldbus weather now
  worldbus weather forecast brussels --hours 48
  worldbus weather set paris storm --minutes 90 --reason 'the boss fight'
  worldbus weather undo

In `worldbus up` the weather-manager has the URL of all; one of its own is named by --url or by
WORLDBUS_WEATHER_URL. A command takes effect after the lead of the service.";

const NOW: &str = "\
Examples:
  worldbus weather now
  worldbus weather now brussels --format json | jq .temperature_c";

const FORECAST: &str = "\
Examples:
  worldbus weather forecast brussels
  worldbus weather forecast brussels --hours 168 --kind fallible

A forecast comes true unless the weather is forced; a fallible one is wrong by more the
further ahead it looks.";

const AT: &str = "\
Examples:
  worldbus weather at brussels
  worldbus weather at brussels 2024-03-01T06:00:00";

const HISTORY: &str = "\
Examples:
  worldbus weather history brussels --from 2024-03-01T00:00 --to 2024-03-02T00:00
  worldbus weather history brussels --from 0 --to 10080 --step-hours 6";

const STATISTICS: &str = "\
Examples:
  worldbus weather statistics brussels --from 2024-03-01T00:00 --to 2024-04-01T00:00";

const REGIONS: &str = "\
Examples:
  worldbus weather regions
  worldbus weather regions --format json | jq -r '.regions[].id'";

const ALERTS: &str = "\
Examples:
  worldbus weather alerts
  worldbus weather alerts brussels";

const SET: &str = "\
Examples:
  worldbus weather set paris storm
  worldbus weather set paris heavy_rain --intensity 0.9 --minutes 90 --actor anna

Temperature, wind and the rest move into the state's band.";

const LOCK: &str = "\
Examples:
  worldbus weather lock
  worldbus weather lock paris london --minutes 120";

const OFFSET: &str = "\
Examples:
  worldbus weather offset --temperature-c -8 --minutes 2880 --fade-in-minutes 240
  worldbus weather offset paris london --rain-factor 2 --wind-mps 5 --reason 'a wet month'";

const SEASON_SHIFT: &str = "\
Examples:
  worldbus weather season-shift --days 90
  worldbus weather season-shift oslo --days -60 --start 2024-03-01T06:00:00 --minutes 10080";

const STORM_CELL: &str = "\
Examples:
  worldbus weather storm-cell --path 48.9,2.3 --path 50.8,4.4 --radius-km 150 --speed-kmh 40
  worldbus weather storm-cell --path 51.5,-0.1 --radius-km 60 --speed-kmh 0 --state heavy_rain \\
    --minutes 180 --priority 5

It begins at the first place, and is over when it is past the last one. With one place it stays
there, until its time is over or it is cleared.";

const CLEAR: &str = "\
Examples:
  worldbus weather clear paris
  worldbus weather clear --id 7";

const UNDO: &str = "\
Examples:
  worldbus weather undo
  worldbus weather undo --actor anna --reason 'wrong region'

What the command had ended is in force again.";

const OVERRIDES: &str = "\
Examples:
  worldbus weather overrides
  worldbus weather overrides --format json | jq .commands";
