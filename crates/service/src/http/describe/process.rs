//! The routes that every port has, for the description. Not here: what they do (`health`).
#![allow(dead_code, reason = "each function stands for a route in the description")]

use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

use crate::observe::health::Version;

#[derive(utoipa::OpenApi)]
#[openapi(
    paths(livez, readyz, healthz, metrics, version),
    tags((name = "process", description = "Health, metrics and version of the process."))
)]
struct Process;

pub(super) fn openapi() -> OpenApi {
    Process::openapi()
}

/// Whether the process answers.
#[utoipa::path(get, path = "/livez", tag = "process", security(()),
    responses(
        (status = 200, description = "It does.", body = String, content_type = "text/plain")))]
fn livez() {}

/// Whether the process is ready for requests.
#[utoipa::path(get, path = "/readyz", tag = "process", security(()),
    responses(
        (status = 200, description = "It is.", body = String, content_type = "text/plain"),
        (status = 503, description = "It is not (yet): the conditions that fail, line by line.",
            body = String, content_type = "text/plain")))]
fn readyz() {}

/// Ready at first, from then on live: for orchestrators with one check.
#[utoipa::path(get, path = "/healthz", tag = "process", security(()),
    responses(
        (status = 200, description = "It is.", body = String, content_type = "text/plain"),
        (status = 503, description = "Not ready yet: the conditions that fail, line by line.",
            body = String, content_type = "text/plain")))]
fn healthz() {}

/// Metrics in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "process",
    responses(
        (status = 200, description = "The metrics.", body = String, content_type = "text/plain")))]
fn metrics() {}

/// The program, its version and its commit.
#[utoipa::path(get, path = "/version", tag = "process",
    responses((status = 200, description = "The version.", body = Version)))]
fn version() {}
