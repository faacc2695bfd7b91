//! The event-bus as a part of a binary: what it is given, and its routes.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::NAME;
use crate::open::Open;
use crate::registry::Registry;
use crate::{grpc, rest};
use worldbus_bus::{Bus, Error, PublisherOptions};
use worldbus_service::{Part, Task};

/// What the event-bus is given.
#[derive(Debug)]
pub struct Setup {
    /// The transport that it serves, and the wall clock.
    pub bus: Bus,
    /// The event types that are known by name, and can be registered.
    pub registry: Arc<Registry>,
    /// The world of events that are published over REST, and the default of who publishes over
    /// gRPC for people.
    pub world: String,
    /// Ends its streams.
    pub shutdown: CancellationToken,
}

/// How long an event that was sent over REST is tried before its sender is asked to come again.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(10);

/// The event-bus: gRPC (bus, health) and REST routes, and what counts events.
pub async fn part(setup: Setup) -> Part {
    let Setup { bus, registry, world, shutdown } = setup;
    let publisher = bus.publisher_with(PublisherOptions {
        timeout: PUBLISH_TIMEOUT,
        ..PublisherOptions::new(NAME, &world)
    });
    let open = Arc::new(Open::new(bus, publisher, registry, world, shutdown));
    let router = grpc::routes(Arc::clone(&open)).await.merge(rest::routes(Arc::clone(&open)));
    let watched = Arc::clone(&open);
    let watching = Task::new("cut stalled clients", async move {
        watched.cut_stalled().await;
        Ok::<(), Error>(())
    });
    let shared = Arc::clone(&open);
    let following = Task::new("follow registered event types", async move {
        shared.registry.follow(shared.shutdown.clone()).await;
        Ok::<(), Error>(())
    });
    let counting = Task::new("count events", async move {
        open.tally.run(open.transport().as_ref(), open.shutdown.clone()).await;
        open.publisher.close().await;
        Ok::<(), Error>(())
    });
    let part = Part::new(NAME, router).with_openapi(rest::openapi());
    let part = grpc::DESCRIPTORS.into_iter().fold(part, Part::with_descriptors);
    let part = part.with_ticket_path(rest::STREAM_PATH);
    part.with_task(counting).with_task(watching).with_task(following)
}
