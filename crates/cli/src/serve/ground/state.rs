//! Which state store and which database the settings name.

use std::sync::Arc;

use worldbus_postgres::{Options as PostgresOptions, Postgres};
use worldbus_service::config::Common;
use worldbus_service::state::{self, Error, Kind};
use worldbus_service::{DatabaseUrl, Secret, StateStore};
use worldbus_state_dynamodb::{DynamoDb, Options as DynamoDbOptions};

/// Refuses settings that name no store or no database, before anything is opened.
///
/// # Errors
/// `Unsupported`, saying what was expected.
pub(crate) fn check(common: &Common) -> Result<(), Error> {
    if let Some(database) = database(common)? {
        PostgresOptions::of(&database)?;
    }
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
    no_password("STATE", common.state_password.as_ref())
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

/// The database that `WORLDBUS_DATABASE_URL` names.
///
/// # Errors
/// `Unsupported`: a password without a database.
pub(crate) fn database(common: &Common) -> Result<Option<DatabaseUrl>, Error> {
    let Some(url) = &common.database_url else {
        return no_password("DATABASE", common.database_password.as_ref()).map(|()| None);
    };
    Ok(Some(DatabaseUrl { url: url.clone(), password: common.database_password.clone() }))
}

fn postgres(common: &Common) -> Result<PostgresOptions, Error> {
    let options = PostgresOptions::parse(common.state_url.expose())?;
    options.with_password(common.state_password.clone())
}

/// A password that nothing asks for is a mistake in the URL.
fn no_password(of: &str, password: Option<&Secret>) -> Result<(), Error> {
    match password {
        None => Ok(()),
        Some(_) => Err(Error::new(
            Kind::Unsupported,
            format!(
                "WORLDBUS_{of}_PASSWORD is set, and nothing asks for a password: expected \
                 postgres://USER@HOST/DATABASE as WORLDBUS_{of}_URL"
            ),
        )),
    }
}
