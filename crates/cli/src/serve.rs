//! The serving commands: which services run in this process, over which bus.
//!
//! The one place that chooses transports. `up` and `event-bus` own an embedded log; the single
//! services use the event-bus of another process.

mod arguments;
mod banner;
mod checks;
mod event_types;
mod ground;
mod kept_world;
mod own_bus;
pub(crate) mod services;
mod source;
mod state;
mod waiting;
mod wall;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::time::{Instant, timeout_at};

use crate::output::failure::WrongUse;
use crate::session::{catalogue, connection};
use crate::{output, settings};
use checks::Serving;
use event_types::OfBus;
use ground::Ground;
use own_bus::OwnBus;
use source::Source;
use worldbus_bus::Bus;
use worldbus_event_bus::Registry;
use worldbus_events::SharedCatalogue;
use worldbus_service::config::{Flags, Loaded};
use worldbus_service::part::Host;
use worldbus_service::{Deps, Part, start};
use worldbus_time_manager::{CatchUp, Refresh};
use worldbus_world::World;

pub(crate) use arguments::{
    EventBusArguments, TimeManagerArguments, UpArguments, WeatherManagerArguments,
};
pub(crate) use ground::world_of;

/// How long after the beginning of a shutdown the bus must be closed. The process has five seconds
/// to end.
const CLOSED_MS_MAX: u64 = 4_700;

/// `worldbus up`.
pub(crate) async fn up(arguments: &UpArguments) -> Result<ExitCode> {
    let Some((loaded, world)) = load(&arguments.flags)? else { return Ok(ExitCode::SUCCESS) };
    let settings = &loaded.settings;
    let ground = Ground::prepare("worldbus", &settings.common, world, &loaded.warnings).await?;
    let catalogue = catalogue::load(&settings.catalog)?;
    let common = &settings.common;
    let dir = own_bus::dir("worldbus up", &loaded.resolved, common)?;
    let state = state::open(&common.state_url).await?;
    let registry = event_types::registry(&state, catalogue).await?;
    let catalogue = registry.shared();
    let own = OwnBus::open(dir, &settings.retention, catalogue).await?;
    let deps = ground.deps(own.bus.clone(), state);
    kept_world::check(&*deps.state, &ground.world, settings.accept_world_changes).await?;
    let clock = Clock {
        cadence_game_minutes: settings.cadence_game_minutes,
        lead_ms: settings.lead_ms,
        catch_up: settings.catch_up,
        catalogue: catalogue.clone(),
        refresh: None,
    };
    let time = time_part(&ground, &deps, clock).await?;
    let weather = weather_part(&ground, &deps, settings.lead_ms, settings.samples).await?;
    let event_bus = event_bus_part(&ground, &own.bus, registry).await;
    let event_bus = event_bus.with_task(own.watch(&ground));
    banner::up(&ground, &settings.common, arguments.format);
    run(ground, own.bus, vec![time, weather, event_bus]).await
}

/// `worldbus event-bus`.
pub(crate) async fn event_bus(arguments: &EventBusArguments) -> Result<ExitCode> {
    let Some((loaded, world)) = load(&arguments.flags)? else { return Ok(ExitCode::SUCCESS) };
    let settings = &loaded.settings;
    let ground = Ground::prepare("event-bus", &settings.common, world, &loaded.warnings).await?;
    let catalogue = catalogue::load(&settings.catalog)?;
    let (from, common) = (&loaded.resolved, &settings.common);
    let dir = own_bus::dir_of_event_bus(from, common)?;
    let state = state::open(&common.state_url).await?;
    let registry = event_types::registry(&state, catalogue).await?;
    let catalogue = registry.shared();
    let (url, retention) = (connection::parse(&common.url)?, &settings.retention);
    let own = OwnBus::open_for_event_bus(&url, dir, retention, catalogue).await?;
    let fill = match own.is_copy() {
        true => {
            let source = Source::open(from, settings, &own.bus, state)?;
            own.fill(&ground, source, &catalogue.current())?
        }
        false => None,
    };
    let part = event_bus_part(&ground, &own.bus, registry).await;
    let part = part.with_task(own.watch(&ground));
    let part = fill.into_iter().fold(part, Part::with_task);
    banner::event_bus(&ground, arguments.format);
    run(ground, own.bus, vec![part]).await
}

/// `worldbus time-manager`.
pub(crate) async fn time_manager(arguments: &TimeManagerArguments) -> Result<ExitCode> {
    let Some((loaded, world)) = load(&arguments.flags)? else { return Ok(ExitCode::SUCCESS) };
    let settings = &loaded.settings;
    let ground = Ground::prepare("time-manager", &settings.common, world, &loaded.warnings).await?;
    let catalogue = catalogue::load(&settings.catalog)?;
    let state = state::open(&settings.common.state_url).await?;
    kept_world::check(&*state, &ground.world, settings.accept_world_changes).await?;
    banner::single(&ground, &settings.common, "time now", arguments.format);
    let Some(bus) = waiting::connect(&ground, &settings.common).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let url = connection::parse(&settings.common.url)?;
    let types = OfBus::new(&url, &bus, &state, catalogue).await;
    let deps = ground.deps(bus, state);
    let clock = Clock {
        cadence_game_minutes: settings.cadence_game_minutes,
        lead_ms: settings.lead_ms,
        catch_up: settings.catch_up,
        catalogue: types.shared(),
        refresh: Some(Arc::new(types)),
    };
    let part = time_part(&ground, &deps, clock).await?;
    run(ground, deps.bus, vec![part]).await
}

/// `worldbus weather-manager`.
pub(crate) async fn weather_manager(arguments: &WeatherManagerArguments) -> Result<ExitCode> {
    let Some((loaded, world)) = load(&arguments.flags)? else { return Ok(ExitCode::SUCCESS) };
    let settings = &loaded.settings;
    let ground =
        Ground::prepare("weather-manager", &settings.common, world, &loaded.warnings).await?;
    let state = state::open(&settings.common.state_url).await?;
    kept_world::check(&*state, &ground.world, settings.accept_world_changes).await?;
    banner::single(&ground, &settings.common, "weather now", arguments.format);
    let Some(bus) = waiting::connect(&ground, &settings.common).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let deps = ground.deps(bus, state);
    let part = weather_part(&ground, &deps, settings.lead_ms, settings.samples).await?;
    run(ground, deps.bus, vec![part]).await
}

/// The settings and the world that they name, unless they were only to be printed.
fn load<S: Serving>(flags: &Flags<S>) -> Result<Option<(Loaded<S>, World)>> {
    let loaded = settings::load(flags)?;
    let world = checks::check(&loaded)?;
    if flags.print_config {
        output::page(&loaded.print())?;
        return Ok(None);
    }
    Ok(Some((loaded, world)))
}

async fn event_bus_part(ground: &Ground, bus: &Bus, registry: Arc<Registry>) -> Part {
    let setup = worldbus_event_bus::Setup {
        bus: bus.clone(),
        registry,
        world: ground.world.id.clone(),
        shutdown: ground.shutdown.clone(),
    };
    worldbus_event_bus::part(setup).await
}

/// What is set of the time-manager.
struct Clock {
    cadence_game_minutes: u32,
    lead_ms: u64,
    catch_up: CatchUp,
    catalogue: SharedCatalogue,
    refresh: Option<Arc<dyn Refresh>>,
}

async fn time_part(ground: &Ground, deps: &Deps, clock: Clock) -> Result<Part> {
    use worldbus_time_manager::{NAME, Settings, start};
    let Clock { cadence_game_minutes, lead_ms, catch_up, catalogue, refresh } = clock;
    let lead = Duration::from_millis(lead_ms);
    let settings = Settings { cadence_game_minutes, lead, catch_up, catalogue, refresh };
    let part = start(deps.clone(), Arc::clone(&ground.world), settings).await;
    part.map_err(|error| not_started(NAME, error))
}

async fn weather_part(ground: &Ground, deps: &Deps, lead_ms: u64, samples: bool) -> Result<Part> {
    use worldbus_weather_manager::{NAME, Settings, start};
    let settings = Settings { lead: Duration::from_millis(lead_ms), samples };
    let part = start(deps.clone(), Arc::clone(&ground.world), settings).await;
    part.map_err(|error| not_started(NAME, error))
}

fn not_started(name: &str, error: start::Error) -> anyhow::Error {
    match error {
        start::Error::Setting(text) => WrongUse(text).into(),
        error => anyhow::Error::new(error).context(format!("cannot start the {name}")),
    }
}

/// Serves until a signal, then drains and closes the bus.
async fn run(ground: Ground, bus: Bus, parts: Vec<Part>) -> Result<ExitCode> {
    let mut watch = Some(wall::watch(&ground, Arc::clone(bus.wall())));
    let parts = parts.into_iter().map(|part| watch.take().into_iter().fold(part, Part::with_task));
    let host = Host::new(ground.name, ground.access).with_readiness(ground.readiness);
    let host = parts.fold(host, Host::with);
    let begun = async {
        ground.shutdown.cancelled().await;
        Instant::now()
    };
    // The host cancels the token, too, if it ends by itself.
    let (ended, begun) = tokio::join!(host.run(ground.listener, ground.shutdown.clone()), begun);
    let end = begun + Duration::from_millis(CLOSED_MS_MAX);
    let spans = async {
        if let Some(traces) = ground.traces {
            traces.close(end.saturating_duration_since(Instant::now())).await;
        }
    };
    let (closed, ()) = tokio::join!(timeout_at(end, bus.close()), spans);
    ended?;
    if let Some(panic) = ground.panics.first() {
        bail!("{panic}: this is a bug; what was acknowledged is kept: start again");
    }
    match closed {
        Ok(closed) => closed.context("cannot close the bus")?,
        Err(_) => tracing::warn!("the bus was not closed in time; the next start recovers it"),
    }
    Ok(ExitCode::SUCCESS)
}
