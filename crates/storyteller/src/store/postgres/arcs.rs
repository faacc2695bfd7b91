//! Arcs and their steps, as rows. Not here: what moves them (`ledger`).

use std::collections::HashSet;

use super::turn::Turn;
use super::{find, rows};
use crate::ledger::{Advance, ArcState};
use crate::store::{ArcSearch, FoundArc};
use worldbus_postgres::{Client, Row, Transaction};
use worldbus_service::state::Error;

const OPEN: &str = "SELECT state FROM chronicle_arc WHERE NOT ended";
const PUT: &str = "
    INSERT INTO chronicle_arc (id, kind, region, ended, shown, since_us, state)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::boolean[],
                         $6::bigint[], $7::text[])
    ON CONFLICT (id) DO UPDATE
    SET kind = excluded.kind, region = excluded.region, ended = excluded.ended,
        shown = excluded.shown, since_us = excluded.since_us, state = excluded.state";
const DELETE: &str = "DELETE FROM chronicle_arc WHERE id = ANY ($1)";
const ADVANCE: &str = "
    INSERT INTO chronicle_advance (arc, number, stage, game_us)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[])
    ON CONFLICT (arc, number) DO NOTHING RETURNING arc, number";
const FIND: &str = "
    SELECT state,
        ARRAY(SELECT stage FROM chronicle_advance WHERE arc = chronicle_arc.id ORDER BY number),
        ARRAY(SELECT game_us FROM chronicle_advance WHERE arc = chronicle_arc.id ORDER BY number)
    FROM chronicle_arc
    WHERE shown AND ($1::text IS NULL OR region = $1) AND ($2::text IS NULL OR kind = $2)
        AND ($3::boolean IS NULL OR ended <> $3)
        AND ($4::bigint IS NULL OR (since_us, id) < ($4, $5))
    ORDER BY since_us DESC, id DESC LIMIT $6";

/// Those that are open.
pub(super) async fn open(view: &Transaction<'_>) -> Result<Vec<ArcState>, Error> {
    let rows = view.query(OPEN, &[]).await?;
    rows.iter().map(|row| rows::decode(row.get(0)?)).collect()
}

/// Writes arcs as they are now. What is over and was never shown is nothing.
pub(super) async fn put(turn: &Turn<'_>, arcs: &[ArcState]) -> Result<(), Error> {
    let is_nothing = |arc: &&ArcState| arc.ended && arc.shown.is_none();
    let (nothing, arcs): (Vec<_>, Vec<_>) = arcs.iter().partition(is_nothing);
    if !nothing.is_empty() {
        let ids: Vec<_> = nothing.iter().map(|arc| arc.id.as_str()).collect();
        turn.query(DELETE, &[&ids]).await?;
    }
    if arcs.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = arcs.iter().map(|arc| arc.id.as_str()).collect();
    let kinds: Vec<_> = arcs.iter().map(|arc| arc.kind.as_str()).collect();
    let regions: Vec<_> = arcs.iter().map(|arc| arc.region.as_deref()).collect();
    let ended: Vec<_> = arcs.iter().map(|arc| arc.ended).collect();
    let shown: Vec<_> = arcs.iter().map(|arc| arc.shown.is_some()).collect();
    let since_us: Vec<_> = arcs.iter().map(|arc| arc.since_us).collect();
    let states = arcs.iter().map(rows::encode).collect::<Result<Vec<_>, _>>()?;
    turn.query(PUT, &[&ids, &kinds, &regions, &ended, &shown, &since_us, &states]).await.map(drop)
}

/// Adds steps that are not there; those that it added.
pub(super) async fn advance(
    turn: &Turn<'_>,
    advances: &[&Advance],
) -> Result<HashSet<(String, u32)>, Error> {
    if advances.is_empty() {
        return Ok(HashSet::new());
    }
    let arcs: Vec<_> = advances.iter().map(|advance| advance.arc.as_str()).collect();
    let numbers: Vec<_> = advances.iter().map(|advance| i64::from(advance.number)).collect();
    let stages: Vec<_> = advances.iter().map(|advance| advance.to.as_str()).collect();
    let game_us: Vec<_> = advances.iter().map(|advance| advance.game_us).collect();
    let added = turn.query(ADVANCE, &[&arcs, &numbers, &stages, &game_us]).await?;
    added.iter().map(|row| Ok((row.get(0)?, rows::unsigned(row.get(1)?)?))).collect()
}

/// Those that are shown, the latest steps first.
pub(super) async fn find(client: &Client, search: &ArcSearch) -> Result<Vec<FoundArc>, Error> {
    let ArcSearch { region, kind, open, limit, after } = search;
    if find::is_nowhere([region, kind]) {
        return Ok(Vec::new());
    }
    let (since_us, id) = after.clone().unzip();
    let limit = i64::try_from(*limit).unwrap_or(i64::MAX);
    let rows = client.read(FIND, &[region, kind, open, &since_us, &id, &limit]).await?;
    rows.iter().map(found).collect()
}

fn found(row: &Row) -> Result<FoundArc, Error> {
    let (stages, times): (Vec<String>, Vec<i64>) = (row.get(1)?, row.get(2)?);
    let stages = stages.into_iter().zip(times).collect();
    Ok(FoundArc { arc: rows::decode(row.get(0)?)?, stages })
}
