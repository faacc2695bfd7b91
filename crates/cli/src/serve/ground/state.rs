//! Which state store a URL names.

use std::sync::Arc;

use worldbus_postgres::{Options as PostgresOptions, Postgres};
use worldbus_service::config::Common;
use worldbus_service::state::{self, Error, Kind};
use worldbus_service::{Secret, StateStore};
use worldbus_state_dynamodb::{DynamoDb, Options as DynamoDbOptions};

/// Refuses settings that name no store, before anything is opened.
///
/// # Errors
/// `Unsupported`, saying what was expected.
pub(crate) fn check(common: &Common) -> Result<(), Error> {
    let url = common.state_url.expose();
    if PostgresOptions::matches(url) {
        postgres(common)?;
        return Ok(());
    }
    if DynamoDbOptions::matches(url) {
        DynamoDbOptions::parse(url)?;
    } else {
        state::path(url)?;
    }
    no_password(common.state_password.as_ref())
}

/// Opens the store of small state that `WORLDBUS_STATE_URL` names.
pub(crate) async fn open(common: &Common) -> Result<Arc<dyn StateStore>, Error> {
    let url = common.state_url.expose();
    if PostgresOptions::matches(url) {
        Ok(Arc::new(Postgres::open(postgres(common)?).await?))
    } else if DynamoDbOptions::matches(url) {
        Ok(Arc::new(DynamoDb::open(url).await?))
    } else {
        state::open(url).await
    }
}

fn postgres(common: &Common) -> Result<PostgresOptions, Error> {
    let options = PostgresOptions::parse(common.state_url.expose())?;
    options.with_password(common.state_password.clone())
}

/// A password that nothing asks for is a mistake in the URL.
fn no_password(password: Option<&Secret>) -> Result<(), Error> {
    match password {
        None => Ok(()),
        Some(_) => Err(Error::new(
            Kind::Unsupported,
            "WORLDBUS_STATE_PASSWORD is set, and the state store has no password: expected \
             postgres://USER@HOST/DATABASE as WORLDBUS_STATE_URL",
        )),
    }
}
