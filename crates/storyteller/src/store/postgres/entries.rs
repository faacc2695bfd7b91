//! Entries and their other texts, written. Not here: reading them (`find`).

use std::collections::HashSet;

use super::rows::entries as entry_by;
use super::turn::Turn;
use super::{by_words, rows, words};
use crate::ledger::Entry;
use crate::store::{Rewrite, stored};
use worldbus_events::EventId;
use worldbus_postgres::{Client, Parameters};
use worldbus_service::state::Error;

const ADD: &str = "
    INSERT INTO chronicle_entry (entry_row, id, game_us, region, significance, text, arc, rule,
                                 causes, wall_ms, words)
    SELECT entry_row, id, game_us, region, significance, text, arc, rule, causes, wall_ms,
           array_to_tsvector(string_to_array(words, ' '))
    FROM unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::text[], $5::smallint[], $6::text[],
                $7::text[], $8::text[], $9::bytea[], $10::bigint[], $11::text[])
        AS new (entry_row, id, game_us, region, significance, text, arc, rule, causes, wall_ms,
                words)
    ON CONFLICT (id) DO NOTHING RETURNING id";
const SAMPLE: &str = "
    INSERT INTO chronicle_sample (entry_row, game_us, words)
    SELECT entry_row, game_us, words FROM chronicle_entry WHERE entry_row = ANY ($1)";
const PLAIN: &str = entry_by!("WHERE id = $1 AND rewritten IS NULL");
const REWRITE: &str = "
    UPDATE chronicle_entry
    SET rewritten = $2, model = $3, words = array_to_tsvector(string_to_array($4, ' '))
    WHERE entry_row = $1";

/// Adds those that are not there; their ids.
pub(super) async fn add(
    turn: &mut Turn<'_>,
    entries: &[&Entry],
) -> Result<HashSet<EventId>, Error> {
    if entries.is_empty() {
        return Ok(HashSet::new());
    }
    // One that is there uses a number up as well: they need not be without gaps.
    let numbers = turn.last_number + 1..;
    turn.last_number += entries.len() as i64;
    let row = |(entry, number): (&&Entry, i64)| stored::row_of(entry.significance, number);
    let places: Vec<i64> = entries.iter().zip(numbers).map(row).collect();
    let ids: Vec<_> = entries.iter().map(|entry| stored::bytes(entry.id).to_vec()).collect();
    let game_us: Vec<_> = entries.iter().map(|entry| entry.game_us).collect();
    let regions: Vec<_> = entries.iter().map(|entry| entry.region.as_deref()).collect();
    let significances: Vec<_> = entries.iter().map(|entry| entry.significance as i16).collect();
    let texts: Vec<_> = entries.iter().map(|entry| entry.text.as_str()).collect();
    let arcs: Vec<_> = entries.iter().map(|entry| entry.arc.as_deref()).collect();
    let rules: Vec<_> = entries.iter().map(|entry| entry.rule.as_str()).collect();
    let causes: Vec<_> = entries.iter().map(|entry| stored::ids_to_bytes(&entry.causes)).collect();
    let wall_ms: Vec<_> = entries.iter().map(|entry| entry.wall_ms).collect();
    let words = entries.iter().zip(&places).map(|(entry, row)| words::of(entry, "", *row));
    let words: Vec<_> = words.collect();
    let values: Parameters<'_> = &[
        &places,
        &ids,
        &game_us,
        &regions,
        &significances,
        &texts,
        &arcs,
        &rules,
        &causes,
        &wall_ms,
        &words,
    ];
    let added = turn.query(ADD, values).await?;
    turn.entries += added.len() as i64;
    let sampled: Vec<i64> = places.into_iter().filter(|row| by_words::is_sampled(*row)).collect();
    if !sampled.is_empty() {
        turn.query(SAMPLE, &[&sampled]).await?;
    }
    added.iter().map(|row| stored::id(row.get(0)?).map_err(rows::damaged)).collect()
}

/// Gives an entry another text, unless it has one, and queues its announcement.
pub(super) async fn rewrite(client: &mut Client, rewrite: &Rewrite) -> Result<bool, Error> {
    let mut turn = Turn::take(client).await?;
    let id = stored::bytes(rewrite.entry);
    let found = turn.query(PLAIN, &[&id.as_slice()]).await?;
    let Some(found) = found.first().map(rows::found).transpose()? else { return Ok(false) };
    let Rewrite { text, model, publication, .. } = rewrite;
    let row = found.cursor.row;
    let words = words::of(&found.entry, text, row);
    turn.query(REWRITE, &[&row, text, model, &words]).await?;
    turn.queue(std::slice::from_ref(publication)).await?;
    turn.end().await?;
    Ok(true)
}
