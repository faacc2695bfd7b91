//! The event types of studios in a process: an event-bus has what was registered in its state
//! store, a service alone asks its bus.

use std::sync::Arc;

use anyhow::Result;
use async_trait::async_trait;

use crate::session::{catalogue, connection};
use worldbus::BusUrl;
use worldbus_bus::{Bus, StudioTypes};
use worldbus_event_bus::Registry;
use worldbus_events::{Catalogue, SharedCatalogue};
use worldbus_service::StateStore;
use worldbus_simulated::Refresh;

/// The registry of an event-bus that was started with `configured`.
pub(super) async fn registry(
    state: &Arc<dyn StateStore>,
    configured: Arc<Catalogue>,
) -> Result<Arc<Registry>> {
    let registry = Registry::open(Arc::clone(state), configured).await;
    Ok(Arc::new(registry.map_err(|error| connection::explain("the state store", error))?))
}

/// What a service alone knows: its own, and what its bus does. Over SNS and SQS, which know
/// nothing, that is what an event-bus keeps in the state store of all.
#[derive(Debug)]
pub(super) struct BusTypes {
    bus: Bus,
    /// The state store, if that has what was registered.
    state: Option<Arc<dyn StateStore>>,
    own: Arc<Catalogue>,
    shared: SharedCatalogue,
}

impl BusTypes {
    /// With what the bus at `url` knows now, if it can be had.
    pub(super) async fn new(
        url: &BusUrl,
        bus: &Bus,
        state: &Arc<dyn StateStore>,
        own: Arc<Catalogue>,
    ) -> Self {
        let state = matches!(url, BusUrl::SnsSqs(_)).then(|| Arc::clone(state));
        let shared = SharedCatalogue::from(Arc::clone(&own));
        let of_bus = Self { bus: bus.clone(), state, own, shared };
        if let Err(error) = of_bus.refresh().await {
            tracing::warn!(
                error,
                "registered event types not read; retrying when one is asked for"
            );
        }
        of_bus
    }

    pub(super) fn shared(&self) -> SharedCatalogue {
        self.shared.clone()
    }

    async fn types(&self) -> Result<StudioTypes, worldbus_bus::Error> {
        match &self.state {
            Some(state) => Registry::kept(&**state).await,
            None => self.bus.transport().studio_types().await,
        }
    }
}

#[async_trait]
impl Refresh for BusTypes {
    async fn refresh(&self) -> Result<(), String> {
        let types = self.types().await.map_err(|error| error.to_string())?;
        let joined = catalogue::joined(&self.own, &types).map_err(|error| error.to_string())?;
        self.shared.replace(joined);
        Ok(())
    }
}
