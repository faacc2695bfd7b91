//! What every serving command prepares before it starts anything: logs, signals, the world,
//! access, the port. Whatever is wrong with the command line or its files ends it here.

pub(super) mod kept_world;
pub(super) mod state;
pub(super) mod wall;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;

use crate::output::failure::WrongUse;
use worldbus_bus::Bus;
use worldbus_service::access::Access;
use worldbus_service::config::{Common, Machine};
use worldbus_service::panics::Panics;
use worldbus_service::trace::{self, Traces};
use worldbus_service::{
    CancellationToken, DatabaseUrl, Deps, Readiness, StateStore, Work, file, logging, metrics,
    server, shutdown,
};
use worldbus_world::World;

/// Bytes of a world file: ten thousand regions and then some.
const WORLD_FILE_BYTES_MAX: u64 = 8 << 20;

/// What a serving command stands on.
pub(super) struct Ground {
    /// The program, for `/version`.
    pub(super) name: &'static str,
    pub(super) world: Arc<World>,
    pub(super) access: Access,
    pub(super) listener: TcpListener,
    /// Where the port really is: never port 0.
    pub(super) address: SocketAddr,
    pub(super) readiness: Readiness,
    pub(super) shutdown: CancellationToken,
    /// A panic anywhere cancels the shutdown token, and is the error with which the command ends.
    pub(super) panics: Panics,
    /// If spans are exported.
    pub(super) traces: Option<Traces>,
}

impl Ground {
    /// Starts logging, listens for signals, and opens the port; nobody answers there yet.
    pub(super) async fn prepare(
        name: &'static str,
        common: &Common,
        world: World,
        warnings: &[String],
    ) -> Result<Self> {
        let bad_setting = |error: trace::BadSetting| WrongUse(error.to_string());
        let traces = trace::Settings::load(&Machine).map_err(bad_setting)?;
        let traces = traces.map(|settings| Traces::start(name, settings));
        logging::init_serving(&common.log, common.log_format, traces.as_ref());
        metrics::install();
        warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        let world = Arc::new(world);
        let access = Access::new(common.listen, common.api_key.clone())?;
        let access = access.with_origins(common.allow_origin.clone());
        let shutdown = shutdown::on_signal().context("cannot listen for signals")?;
        let panics = Panics::end(&shutdown);
        let listener = server::bind(common.listen).await?;
        let address = listener.local_addr().context("the port has no address")?;
        let readiness = Readiness::default();
        Ok(Self { name, world, access, listener, address, readiness, shutdown, panics, traces })
    }

    /// What a simulated service of this process is given.
    pub(super) fn deps(
        &self,
        bus: Bus,
        state: Arc<dyn StateStore>,
        database: Option<DatabaseUrl>,
    ) -> Deps {
        let (readiness, shutdown) = (self.readiness.clone(), self.shutdown.clone());
        Deps { bus, state, database, readiness, work: Work::default(), shutdown }
    }
}

/// The world that the settings name.
pub(super) fn world(path: Option<&Path>) -> Result<World> {
    let Some(path) = path else { return Ok(World::sample()) };
    world_of(path, " (--world, WORLDBUS_WORLD)")
}

/// The world of a file; `said` tells where its path was said, for errors.
pub(crate) fn world_of(path: &Path, said: &str) -> Result<World> {
    let file = path.display().to_string();
    let text = read(path)
        .map_err(|error| WrongUse(format!("cannot read the world file {file}: {error}{said}")))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let read_climate = |name: &str| read(&folder.join(name)).map_err(|error| error.to_string());
    Ok(World::parse_with(&file, &text, &read_climate)?)
}

fn read(path: &Path) -> std::io::Result<String> {
    file::read_text(path, WORLD_FILE_BYTES_MAX)
}
