//! What can go wrong with the database, by what the caller can do about it.

use worldbus_service::Problem;
use worldbus_service::state::{self, Fate, Kind};

/// A failure of the database, or a version that it does not have.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database fails; its kind states what to do.
    #[error(transparent)]
    Database(#[from] state::Error),
    /// A version that is not kept any more.
    #[error("version {found} is not kept any more; the oldest is {kept_from}, the latest {latest}")]
    NotKept {
        /// The version that was asked for.
        found: u64,
        /// The oldest that can be read.
        kept_from: u64,
        /// The world's version.
        latest: u64,
    },
    /// A version that is not there yet.
    #[error("version {found} has not come yet; the latest is {latest}")]
    Future {
        /// The version that was asked for.
        found: u64,
        /// The world's version.
        latest: u64,
    },
}

impl StoreError {
    /// A failure of the database.
    pub(crate) fn new(kind: Kind, context: impl Into<String>) -> Self {
        Self::Database(state::Error::new(kind, context))
    }

    /// Trying again may help; what was asked for may have been done.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Database(error) if error.fate() != Fate::Refused)
    }

    /// The problem as REST answers it; `field` names the parameter of the version.
    pub(crate) fn into_problem(self, field: &'static str) -> Problem {
        let detail = format!("query parameter `{field}`: {self}");
        match self {
            Self::Database(error) => error.into(),
            Self::NotKept { .. } => Problem::not_found(detail).with_field(field),
            Self::Future { .. } => Problem::bad_request(detail).with_field(field),
        }
    }
}
