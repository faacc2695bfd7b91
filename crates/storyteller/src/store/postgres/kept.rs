//! Values that are kept by name under compare-and-set. Not here: what they mean.

use super::turn::Turn;
use crate::ledger::Publication;
use crate::store::Kept;
use worldbus_postgres::{Client, Row};
use worldbus_service::state::Error;

const GET: &str = "SELECT value, revision FROM chronicle_kept WHERE name = $1";
const PUT: &str = "
    INSERT INTO chronicle_kept (name, revision, value) VALUES ($1, $2, $3)
    ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, value = excluded.value";

pub(super) async fn kept(client: &Client, name: &str) -> Result<Option<Kept>, Error> {
    client.read(GET, &[&name]).await?.first().map(of_row).transpose()
}

/// Writes a value that is still of that revision, and queues what is to be published with it.
pub(super) async fn keep(
    client: &mut Client,
    (name, revision): (&str, u64),
    value: &str,
    publications: &[Publication],
) -> Result<bool, Error> {
    let mut turn = Turn::take(client).await?;
    let current = turn.query(GET, &[&name]).await?.first().map(of_row).transpose()?;
    if current.map_or(0, |kept| kept.revision) != revision {
        return Ok(false);
    }
    let next = i64::try_from(revision + 1).unwrap_or(i64::MAX);
    turn.query(PUT, &[&name, &next, &value]).await?;
    turn.queue(publications).await?;
    turn.end().await?;
    Ok(true)
}

fn of_row(row: &Row) -> Result<Kept, Error> {
    let revision: i64 = row.get(1)?;
    Ok(Kept { value: row.get(0)?, revision: revision.unsigned_abs() })
}
