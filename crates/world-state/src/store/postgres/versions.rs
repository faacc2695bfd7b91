//! How far the world is: the row that every writer locks first.

use super::schema::missing;
use crate::store::{StoreError, Versions};
use worldbus_postgres::{Client, Row, Transaction};

const READ: &str = "SELECT version, kept_from, published FROM world_state";
const LOCK: &str = "SELECT version, kept_from, published FROM world_state FOR UPDATE";
const SET: &str = "UPDATE world_state SET version = $1, kept_from = $2, published = $3";

pub(super) async fn read(client: &Client) -> Result<Versions, StoreError> {
    of(&client.read(READ, &[]).await?)
}

/// Within what a transaction sees.
pub(super) async fn seen(view: &Transaction<'_>) -> Result<Versions, StoreError> {
    of(&view.query(READ, &[]).await?)
}

/// Waits for other instances that write. What they have written is seen from here on.
pub(super) async fn lock(transaction: &Transaction<'_>) -> Result<Versions, StoreError> {
    of(&transaction.query(LOCK, &[]).await?)
}

pub(super) async fn set(
    transaction: &Transaction<'_>,
    versions: &Versions,
) -> Result<(), StoreError> {
    let Versions { world, kept_from, published } = *versions;
    let numbers = [world, kept_from, published].map(u64::cast_signed);
    transaction.query(SET, &[&numbers[0], &numbers[1], &numbers[2]]).await?;
    Ok(())
}

fn of(rows: &[Row]) -> Result<Versions, StoreError> {
    let row = rows.first().ok_or_else(|| missing("its one row"))?;
    let number = |index| row.get::<i64>(index).map(i64::cast_unsigned);
    Ok(Versions { world: number(0)?, kept_from: number(1)?, published: number(2)? })
}
