//! Which state store a URL names.

use std::sync::Arc;

use worldbus_service::StateStore;
use worldbus_service::state::{self, Error};
use worldbus_state_dynamodb::{DynamoDb, Options};

/// Opens the store of small state that `WORLDBUS_STATE_URL` names.
pub(crate) async fn open(url: &str) -> Result<Arc<dyn StateStore>, Error> {
    if Options::matches(url) {
        Ok(Arc::new(DynamoDb::open(url).await?))
    } else {
        state::open(url).await
    }
}
