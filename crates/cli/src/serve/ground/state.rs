//! Which state store a URL names.

use std::sync::Arc;

use worldbus_service::StateStore;
use worldbus_service::state::{self, Error};
use worldbus_state_dynamodb::{DynamoDb, Options};

/// Refuses a URL that names no store, before anything is opened.
///
/// # Errors
/// `Unsupported`, saying what was expected.
pub(crate) fn check(url: &str) -> Result<(), Error> {
    if Options::matches(url) {
        Options::parse(url)?;
    } else {
        state::path(url)?;
    }
    Ok(())
}

/// Opens the store of small state that `WORLDBUS_STATE_URL` names.
pub(crate) async fn open(url: &str) -> Result<Arc<dyn StateStore>, Error> {
    if Options::matches(url) {
        Ok(Arc::new(DynamoDb::open(url).await?))
    } else {
        state::open(url).await
    }
}
