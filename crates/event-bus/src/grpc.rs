//! The gRPC side: `worldbus.bus.v1.BusService` over whatever transport, with health and
//! reflection for tools that know neither.

mod broker;
mod incoming;
mod intake;
mod publish;
mod settlers;
mod streams;

use crate::open::Open;
use axum::{Router, middleware};
use broker::Broker;
use intake::Intake;
use std::sync::Arc;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use worldbus_bus::{Error, Fate, Kind};
use worldbus_rpc::limits::MESSAGE_BYTES_MAX;
use worldbus_rpc::to_status;
use worldbus_rpc::v1::bus_service_server::{BusServiceServer, SERVICE_NAME};

/// The routes of all gRPC services.
///
/// # Errors
/// `Invalid` if reflection does not take the descriptors that were compiled in.
pub(crate) async fn routes(open: Arc<Open>) -> Result<Router, Error> {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_service_status(SERVICE_NAME, ServingStatus::Serving).await;
    let shutdown = open.shutdown.clone();
    tokio::spawn(async move {
        shutdown.cancelled().await;
        reporter.set_service_status(SERVICE_NAME, ServingStatus::NotServing).await;
        reporter.set_service_status("", ServingStatus::NotServing).await;
    });
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(worldbus_events::DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(worldbus_rpc::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .map_err(|error| Error::refused(Kind::Invalid, format!("reflection: {error}")))?;
    let bus = BusServiceServer::new(Broker::new(open))
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let routes = Routes::new(bus).add_service(health).add_service(reflection);
    let intake = Arc::new(Intake::default());
    let admit = middleware::from_fn_with_state(intake, intake::admit);
    Ok(routes.prepare().into_axum_router().layer(admit))
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
