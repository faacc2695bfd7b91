//! The event-bus as a part of a binary: what it is given, and its routes.

use crate::grpc;
use crate::open::Open;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use worldbus_bus::{Bus, Error};
use worldbus_events::Catalogue;
use worldbus_service::Part;

/// What the event-bus is given.
#[derive(Debug)]
pub struct Setup {
    /// The transport that it serves, and the wall clock.
    pub bus: Bus,
    /// The event types that REST knows by name.
    pub catalogue: Arc<Catalogue>,
    /// The world of the events that are published over REST.
    pub world: String,
    /// Ends its streams.
    pub shutdown: CancellationToken,
}

/// The source of the events that are published over REST.
const SOURCE: &str = "event-bus";

/// The event-bus: gRPC (bus, health, reflection) and REST routes.
///
/// # Errors
/// `Invalid` if the gRPC descriptors do not fit together.
pub async fn part(setup: Setup) -> Result<Part, Error> {
    let publisher = setup.bus.publisher(SOURCE, &setup.world);
    let open = Arc::new(Open::new(setup.bus, publisher, setup.catalogue, setup.shutdown));
    let router = grpc::routes(Arc::clone(&open)).await?;
    Ok(Part::new("event-bus", router))
}
