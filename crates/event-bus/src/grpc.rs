//! The gRPC side: `worldbus.bus.v1.BusService` over whatever transport, with health for tools that
//! do not know it.

mod broker;
mod incoming;
mod intake;
mod letters;
mod publish;
mod settlers;
mod streams;

use std::sync::Arc;

use axum::{Router, middleware};
use tonic::service::Routes;
use tonic_health::ServingStatus;

use crate::open::Open;
use broker::Broker;
use intake::Intake;
use worldbus_bus::{Error, Fate, Kind};
use worldbus_rpc::limits::MESSAGE_BYTES_MAX;
use worldbus_rpc::to_status;
use worldbus_rpc::v1::bus_service_server::{BusServiceServer, SERVICE_NAME};

/// What reflection lists of them, with the event types of the contract.
pub(crate) const DESCRIPTORS: [&[u8]; 3] = [
    worldbus_events::DESCRIPTOR_SET,
    worldbus_rpc::FILE_DESCRIPTOR_SET,
    tonic_health::pb::FILE_DESCRIPTOR_SET,
];

/// The routes of all gRPC services.
pub(crate) async fn routes(open: Arc<Open>) -> Router {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_service_status(SERVICE_NAME, ServingStatus::Serving).await;
    let shutdown = open.shutdown.clone();
    tokio::spawn(async move {
        shutdown.cancelled().await;
        reporter.set_service_status(SERVICE_NAME, ServingStatus::NotServing).await;
        reporter.set_service_status("", ServingStatus::NotServing).await;
    });
    let bus = BusServiceServer::new(Broker::new(open))
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let intake = Arc::new(Intake::default());
    let admit = middleware::from_fn_with_state(intake, intake::admit);
    Routes::new(bus).add_service(health).prepare().into_axum_router().layer(admit)
}

/// An error as a client of ours sees it: our transport closes because we shut down, and the
/// client may come again.
fn outward(error: Error) -> Error {
    match (error.kind(), error.fate()) {
        (Kind::Closed, Fate::Unknown) => {
            Error::unknown(Kind::Unavailable, "the event-bus is shutting down")
        }
        (Kind::Closed, _) => Error::retry(Kind::Unavailable, "the event-bus is shutting down"),
        _ => error,
    }
}

fn status(error: Error) -> tonic::Status {
    to_status(&outward(error))
}
