//! The command lines of the serving commands.

use clap::Args;

use crate::output::format::Format;
use crate::settings::{EventBus, TimeManager, Up, WeatherManager};
use worldbus_service::config::Flags;

/// Settings of `worldbus up`.
#[derive(Debug, Args)]
#[command(after_help = UP)]
pub(crate) struct UpArguments {
    /// How to write, on standard output, where it listens
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    #[command(flatten)]
    pub(super) flags: Flags<Up>,
}

/// Settings of `worldbus event-bus`.
#[derive(Debug, Args)]
#[command(after_help = EVENT_BUS)]
pub(crate) struct EventBusArguments {
    /// How to write, on standard output, where it listens
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    #[command(flatten)]
    pub(super) flags: Flags<EventBus>,
}

/// Settings of `worldbus time-manager`.
#[derive(Debug, Args)]
#[command(after_help = TIME_MANAGER)]
pub(crate) struct TimeManagerArguments {
    /// How to write, on standard output, where it listens
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    #[command(flatten)]
    pub(super) flags: Flags<TimeManager>,
}

/// Settings of `worldbus weather-manager`.
#[derive(Debug, Args)]
#[command(after_help = WEATHER_MANAGER)]
pub(crate) struct WeatherManagerArguments {
    /// How to write, on standard output, where it listens
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    #[command(flatten)]
    pub(super) flags: Flags<WeatherManager>,
}

const UP: &str = "\
Examples:
  worldbus up
  worldbus up --world worlds/europe.toml --data-dir /var/lib/worldbus
  WORLDBUS_API_KEY=… worldbus up --listen 0.0.0.0:7070

With port 0 the system chooses one; the line `listening on http://…` names it. The same data
directory continues the same world, at the time that it should be by then.";

const EVENT_BUS: &str = "\
Examples:
  worldbus event-bus                      its log: ./worldbus-data/bus
  worldbus event-bus --url embedded:/var/lib/worldbus/bus
  worldbus topics list                    what it holds";

const TIME_MANAGER: &str = "\
Examples:
  worldbus time-manager                   its bus: http://127.0.0.1:7070
  worldbus time-manager --url http://bus:7070 --data-dir ./time
  worldbus time set 22 --url http://127.0.0.1:7071

Several instances may run: with the same --state-url and --lead-ms, each with its own --listen.
It waits for an event-bus that is not there yet; /readyz says so.";

const WEATHER_MANAGER: &str = "\
Examples:
  worldbus weather-manager                its bus: http://127.0.0.1:7070
  worldbus weather forecast brussels --url http://127.0.0.1:7072

Several instances may run: with the same --state-url and --lead-ms, each with its own --listen.
It follows the clock that a time-manager announces; until it has received one it is not ready.";
