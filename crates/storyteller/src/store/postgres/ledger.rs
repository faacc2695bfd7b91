//! What the ledger changes, as one transaction of a few statements, however many rows it has. Not
//! here: entries and arcs as rows.

use super::turn::Turn;
use super::{arcs, entries, rows};
use crate::ledger::{Changes, News, Order, Publication, Saved};
use crate::store::{Committed, stored};
use worldbus_postgres::Client;
use worldbus_service::state::Error;

const REVISION: &str = "SELECT revision FROM chronicle_ledger";
const OBSERVATIONS: &str = "SELECT wall_ms, event, part, body FROM chronicle_observation";
const PUT: &str = "
    INSERT INTO chronicle_observation (wall_ms, event, part, body)
    SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::text[])
    ON CONFLICT (wall_ms, event, part) DO UPDATE SET body = excluded.body";
const FORGET: &str = "
    DELETE FROM chronicle_observation
    USING unnest($1::bigint[], $2::bytea[], $3::bigint[]) AS old (wall_ms, event, part)
    WHERE chronicle_observation.wall_ms = old.wall_ms
        AND chronicle_observation.event = old.event AND chronicle_observation.part = old.part";

pub(super) async fn revision(client: &Client) -> Result<u64, Error> {
    let rows = client.read(REVISION, &[]).await?;
    let row = rows.first().ok_or_else(|| rows::damaged("the ledger has no row"))?;
    Ok(row.get::<i64>(0)?.unsigned_abs())
}

/// The ledger as of one instant.
pub(super) async fn load(client: &mut Client) -> Result<(u64, Saved), Error> {
    let view = client.view().await?;
    let revision = view.query(REVISION, &[]).await?;
    let revision = revision.first().ok_or_else(|| rows::damaged("the ledger has no row"))?;
    let revision: i64 = revision.get(0)?;
    let mut saved = Saved { arcs: arcs::open(&view).await?, ..Saved::default() };
    for row in view.query(OBSERVATIONS, &[]).await? {
        match row.get::<Option<&str>>(3)? {
            Some(body) => saved.waiting.push(rows::decode(body)?),
            None => {
                let event = stored::number(row.get(1)?).map_err(rows::damaged)?;
                saved.done.push((row.get(0)?, event, rows::unsigned(row.get(2)?)?));
            }
        }
    }
    Ok((revision.unsigned_abs(), saved))
}

pub(super) async fn commit(
    client: &mut Client,
    revision: Option<u64>,
    changes: &Changes,
) -> Result<Committed, Error> {
    let mut turn = Turn::take(client).await?;
    if let Some(revision) = revision {
        if revision != turn.revision.unsigned_abs() {
            return Ok(Committed::Conflict);
        }
        turn.revision += 1;
    }
    let publications = add(&mut turn, &changes.news).await?;
    turn.queue(&publications).await?;
    arcs::put(&turn, &changes.arcs).await?;
    put(&turn, changes).await?;
    forget(&turn, &changes.forgotten).await?;
    let now = turn.revision.unsigned_abs();
    turn.end().await?;
    Ok(Committed::Done(now))
}

/// Adds what is not there; what announces that, in order.
async fn add(turn: &mut Turn<'_>, news: &[News]) -> Result<Vec<Publication>, Error> {
    let (mut entries, mut advances) = (Vec::new(), Vec::new());
    for news in news {
        match news {
            News::Entry(entry) => entries.push(entry),
            News::Advance(advance) => advances.push(advance),
        }
    }
    let mut entries = entries::add(turn, &entries).await?;
    let mut advances = arcs::advance(turn, &advances).await?;
    // Taken out: what is there twice in the changes is published once.
    let publications = news.iter().filter_map(|news| match news {
        News::Entry(entry) => entries.remove(&entry.id).then(|| entry.publication()),
        News::Advance(advance) => {
            let key = (advance.arc.clone(), advance.number);
            advances.remove(&key).then(|| advance.publication())
        }
    });
    Ok(publications.collect())
}

/// Observations that wait, and those that were applied, without their bodies.
async fn put(turn: &Turn<'_>, changes: &Changes) -> Result<(), Error> {
    let waiting = changes.waiting.iter();
    let mut orders: Vec<Order> =
        waiting.map(|waits| (waits.wall_ms, waits.event, waits.index)).collect();
    let bodies = changes.waiting.iter().map(|waits| rows::encode(waits).map(Some));
    let mut bodies = bodies.collect::<Result<Vec<Option<String>>, _>>()?;
    orders.extend(&changes.done);
    bodies.resize(orders.len(), None);
    if orders.is_empty() {
        return Ok(());
    }
    let (wall_ms, events, parts) = columns(&orders);
    turn.query(PUT, &[&wall_ms, &events, &parts, &bodies]).await.map(drop)
}

async fn forget(turn: &Turn<'_>, orders: &[Order]) -> Result<(), Error> {
    if orders.is_empty() {
        return Ok(());
    }
    let (wall_ms, events, parts) = columns(orders);
    turn.query(FORGET, &[&wall_ms, &events, &parts]).await.map(drop)
}

fn columns(orders: &[Order]) -> (Vec<i64>, Vec<Vec<u8>>, Vec<i64>) {
    let wall_ms = orders.iter().map(|(wall_ms, ..)| *wall_ms).collect();
    let events = orders.iter().map(|(_, event, _)| event.to_be_bytes().to_vec()).collect();
    let parts = orders.iter().map(|(_, _, part)| i64::from(*part)).collect();
    (wall_ms, events, parts)
}
