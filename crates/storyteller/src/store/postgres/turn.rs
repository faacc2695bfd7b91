//! A writer's turn, and the outbox. A turn locks the one row of `chronicle_ledger` first and keeps
//! it until its commit: numbers are given in the order of commits, so a reader of the outbox never
//! finds a number below those that it has seen.

use super::rows;
use crate::ledger::Publication;
use worldbus_postgres::{Client, Parameters, Row, Transaction};
use worldbus_service::state::Error;

const TAKE: &str = "
    SELECT revision, entries, last_number, last_queued FROM chronicle_ledger FOR UPDATE";
const END: &str = "
    UPDATE chronicle_ledger
    SET revision = $1, entries = $2, last_number = $3, last_queued = $4";
const QUEUE: &str = "
    INSERT INTO chronicle_outbox
        (number, event_type, topic, id, wall_ms, entity, place, payload)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bytea[], $5::bigint[],
                         $6::text[], $7::text[], $8::bytea[])";
const OUTBOX: &str = "
    SELECT number, event_type, topic, id, wall_ms, entity, place, payload
    FROM chronicle_outbox ORDER BY number LIMIT $1";
const PUBLISHED: &str = "DELETE FROM chronicle_outbox WHERE number <= $1";

/// A transaction of the one who writes now; dropped, it is rolled back.
pub(super) struct Turn<'a> {
    transaction: Transaction<'a>,
    /// Of the ledger.
    pub(super) revision: i64,
    /// How many there are.
    pub(super) entries: i64,
    /// The number of the last entry that was given one.
    pub(super) last_number: i64,
    /// The number of the last publication.
    last_queued: i64,
}

impl<'a> Turn<'a> {
    /// Waits for those that write before.
    pub(super) async fn take(client: &'a mut Client) -> Result<Self, Error> {
        let transaction = client.transaction().await?;
        let rows = transaction.query(TAKE, &[]).await?;
        let row = rows.first().ok_or_else(|| rows::damaged("the ledger has no row"))?;
        let (revision, entries) = (row.get(0)?, row.get(1)?);
        let (last_number, last_queued) = (row.get(2)?, row.get(3)?);
        Ok(Self { transaction, revision, entries, last_number, last_queued })
    }

    pub(super) async fn query(
        &self,
        sql: &'static str,
        values: Parameters<'_>,
    ) -> Result<Vec<Row>, Error> {
        self.transaction.query(sql, values).await
    }

    /// Queues what is to be published, in order.
    pub(super) async fn queue(&mut self, events: &[Publication]) -> Result<(), Error> {
        if events.is_empty() {
            return Ok(());
        }
        let numbers: Vec<i64> = (self.last_queued + 1..).take(events.len()).collect();
        self.last_queued += events.len() as i64;
        let event_types: Vec<_> = events.iter().map(|event| i64::from(event.event_type)).collect();
        let topics: Vec<_> = events.iter().map(|event| event.topic.as_str()).collect();
        let ids: Vec<_> = events.iter().map(|event| event.id.to_be_bytes().to_vec()).collect();
        let wall_ms: Vec<_> = events.iter().map(|event| event.wall_ms).collect();
        let entities: Vec<_> = events.iter().map(|event| event.entity.as_deref()).collect();
        let places: Vec<_> = events.iter().map(|event| event.place.as_deref()).collect();
        let payloads: Vec<_> = events.iter().map(|event| event.payload.as_slice()).collect();
        let values: Parameters<'_> =
            &[&numbers, &event_types, &topics, &ids, &wall_ms, &entities, &places, &payloads];
        self.query(QUEUE, values).await.map(drop)
    }

    /// Makes all of it durable.
    ///
    /// # Errors
    /// [`worldbus_service::state::Kind::Io`] if it may have happened.
    pub(super) async fn end(self) -> Result<(), Error> {
        let Self { transaction, revision, entries, last_number, last_queued } = self;
        transaction.query(END, &[&revision, &entries, &last_number, &last_queued]).await?;
        transaction.commit().await
    }
}

pub(super) async fn outbox(
    client: &Client,
    count_max: usize,
) -> Result<Vec<(i64, Publication)>, Error> {
    let count_max = i64::try_from(count_max).unwrap_or(i64::MAX);
    let rows = client.read(OUTBOX, &[&count_max]).await?;
    rows.iter().map(rows::publication).collect()
}

pub(super) async fn published(client: &Client, through: i64) -> Result<(), Error> {
    client.write(PUBLISHED, &[&through]).await.map(drop)
}
