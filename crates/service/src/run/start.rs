//! What a service is given by its binary, and why it does not start.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::{Readiness, Secret, SecretUrl, StateStore, Work, state};
use worldbus_bus::Bus;

/// What every service is given, besides its world and its settings.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Carries its events and those that it receives, and has the wall time: the clocks of
    /// instances should agree within a quarter of the lead.
    pub bus: Bus,
    /// Keeps its state under a prefix of its own; shared by all instances.
    pub state: Arc<dyn StateStore>,
    /// Where a service keeps what is too much for the state store; without it in files.
    pub database: Option<DatabaseUrl>,
    /// Takes its conditions.
    pub readiness: Readiness,
    /// Places for what its requests compute; shared by all services of the process.
    pub work: Work,
    /// Ends its tasks.
    pub shutdown: CancellationToken,
}

/// A database by its URL, as the settings name it.
#[derive(Debug, Clone)]
pub struct DatabaseUrl {
    /// `postgres://USER@HOST/DATABASE`.
    pub url: SecretUrl,
    /// Its password, if the URL has none.
    pub password: Option<Secret>,
}

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting is out of its range. Correct it.
    #[error("setting `{name}`: expected {expected}")]
    Setting {
        /// As it is declared, e.g. `lead_ms`.
        name: &'static str,
        /// The range, in words.
        expected: String,
    },
    /// The state store fails or is damaged: see its kinds.
    #[error(transparent)]
    State(#[from] state::Error),
    /// The bus refuses.
    #[error(transparent)]
    Bus(#[from] worldbus_bus::Error),
}
