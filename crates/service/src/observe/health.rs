//! Health for orchestrators and people: `/livez`, `/readyz`, `/healthz`, `/metrics`, `/version`.
//!
//! Live means that the process answers. Ready means that each named condition holds: the bus is
//! connected, the state is restored, the disk has room. A condition may fall and rise again; the
//! process stays. Healthy is for orchestrators with one check: ready at first, which shows that a
//! deployment works, and from then on live, so that no process is ended for an outage elsewhere.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};
use serde::Serialize;

use crate::Json;
use crate::observe::{build, metrics};

/// The reason of a condition that was not looked at yet.
const STARTING: &str = "starting";

/// The named conditions of one process; clones share them. Without a condition it is ready, so a
/// service registers its own before the port opens.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    state: Arc<Mutex<Conditions>>,
}

#[derive(Debug, Default)]
struct Conditions {
    /// Why each does not hold, if so.
    reasons: BTreeMap<String, Option<String>>,
    /// All conditions are registered: that those hold means that the process is ready.
    complete: bool,
    /// Whether all held at once since then.
    was_ready: bool,
}

impl Conditions {
    fn is_ready(&self) -> bool {
        self.reasons.values().all(Option::is_none)
    }

    fn set(&mut self, name: &str, reason: Option<String>) -> Option<String> {
        let before = self.reasons.insert(name.to_owned(), reason);
        self.was_ready |= self.complete && self.is_ready();
        before.flatten()
    }
}

/// One named condition, held by whoever knows whether it holds.
#[derive(Debug, Clone)]
pub struct Condition {
    readiness: Readiness,
    name: String,
}

impl Readiness {
    /// Registers a condition, which does not hold until [`Condition::met`]. The same name twice is
    /// the same condition.
    pub fn condition(&self, name: impl Into<String>) -> Condition {
        let name = name.into();
        self.lock().reasons.entry(name.clone()).or_insert_with(|| Some(STARTING.to_owned()));
        Condition { readiness: self.clone(), name }
    }

    /// The conditions that do not hold, each with its reason, by name.
    pub fn missing(&self) -> BTreeMap<String, String> {
        let lacking = |(name, reason): (&String, &Option<String>)| {
            reason.as_ref().map(|reason| (name.clone(), reason.clone()))
        };
        self.lock().reasons.iter().filter_map(lacking).collect()
    }

    /// Whether every condition holds.
    pub fn is_ready(&self) -> bool {
        self.lock().is_ready()
    }

    /// States that every condition is registered. From now on it is remembered whether all of them
    /// ever held at once, whether or not a request looked.
    fn complete(&self) {
        let mut state = self.lock();
        state.complete = true;
        state.was_ready |= state.is_ready();
    }

    /// Whether every condition held at once, if only for a moment.
    fn was_ready(&self) -> bool {
        self.lock().was_ready
    }

    fn lock(&self) -> MutexGuard<'_, Conditions> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Condition {
    /// The condition holds.
    pub fn met(&self) {
        self.set(None);
    }

    /// The condition does not hold (any more), for this reason.
    pub fn failed(&self, reason: impl Into<String>) {
        self.set(Some(reason.into()));
    }

    /// Like [`Condition::failed`] without a warning: the process was asked to end.
    pub(crate) fn ended(&self) {
        self.readiness.lock().set(&self.name, Some("shutting down".to_owned()));
    }

    fn set(&self, state: Option<String>) {
        let before = self.readiness.lock().set(&self.name, state.clone());
        match (before.as_deref(), state) {
            (Some(_), None) => tracing::info!(condition = self.name, "condition holds"),
            (Some(STARTING), Some(reason)) => {
                tracing::info!(condition = self.name, reason, "condition does not hold yet");
            }
            (None, Some(reason)) => {
                tracing::warn!(condition = self.name, reason, "condition fails; not ready");
            }
            _ => {}
        }
    }
}

/// What `/version` answers.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Version {
    /// The program: `worldbus`, `time-manager`, ….
    pub name: String,
    /// Its version.
    pub version: &'static str,
    /// The commit that it was built from, when the program knows it.
    pub commit: Option<&'static str>,
    /// The oldest Rust that it builds with.
    pub rust_version: &'static str,
}

impl Version {
    /// The version of this build, for the program `name`.
    pub fn of(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: env!("CARGO_PKG_VERSION"),
            commit: build::commit(),
            rust_version: env!("CARGO_PKG_RUST_VERSION"),
        }
    }
}

#[derive(Clone)]
struct Health {
    readiness: Readiness,
    version: Version,
    bare: bool,
}

/// The health routes of a process all of whose conditions are registered. `bare` keeps reasons out
/// of those that are open to everybody: for ports with an API key.
pub fn routes(readiness: Readiness, version: Version, bare: bool) -> Router {
    readiness.complete();
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/healthz", get(healthz))
        .route("/metrics", get(render_metrics))
        .route("/version", get(async |State(health): State<Health>| Json(health.version)))
        .with_state(Health { readiness, version, bare })
}

async fn healthz(State(health): State<Health>) -> Response {
    match health.readiness.was_ready() {
        true => "ok\n".into_response(),
        false => readyz(State(health)).await,
    }
}

async fn readyz(State(health): State<Health>) -> Response {
    let missing = health.readiness.missing();
    if missing.is_empty() {
        return "ok\n".into_response();
    }
    let mut page = "not ready\n".to_owned();
    if !health.bare {
        page.extend(missing.iter().map(|(name, reason)| format!("{name}: {reason}\n")));
    }
    (StatusCode::SERVICE_UNAVAILABLE, page).into_response()
}

async fn render_metrics() -> Response {
    let content_type = (header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
    ([content_type], metrics::render()).into_response()
}

#[cfg(test)]
mod tests;
