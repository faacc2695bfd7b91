//! Searches: by words through FTS5, else by an index of times; arcs. Not here: writing.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use super::{Failure, rows};
use crate::ledger::ArcState;
use crate::store::rank::{self, CANDIDATE_COUNT_MAX};
use crate::store::search::NOTABLE;
use crate::store::words::{folded, words};
use crate::store::{ArcSearch, Extent, Found, FoundArc, Order, Page, Search, marks, stored};
use worldbus_events::EventId;
use worldbus_world::GameTime;

/// Entries of a stretch or an arc that are read one by one for their words: where there are more,
/// the index of words is quicker, though it reads common words from end to end.
const READ_COUNT_MAX: i64 = 4_000;
/// A longer stretch is searched from the most significant entry down, not by time.
const BY_TIME_US_MAX: i64 = 40 * GameTime::DAY_US;

pub(super) fn entry(connection: &Connection, id: EventId) -> Result<Option<Found>, Failure> {
    let sql = format!("SELECT {} FROM entry WHERE id = ?1", rows::FOUND);
    let found = connection.query_row(&sql, [stored::bytes(id)], |row| Ok(rows::found(row)));
    found.optional()?.transpose()
}

pub(super) fn search(connection: &Connection, search: &Search) -> Result<Page, Failure> {
    if search.words.is_empty() {
        in_order(connection, search)
    } else {
        Ok(rank::page(by_words(connection, search)?, search))
    }
}

/// The conditions of a search and their values.
#[derive(Default)]
struct Where {
    conditions: Vec<String>,
    values: Vec<Value>,
}

impl Where {
    /// `condition` with `?` for the value.
    fn and(&mut self, condition: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        let number = format!("?{}", self.values.len());
        self.conditions.push(condition.replace('?', &number));
    }

    fn of(search: &Search) -> Self {
        let mut this = Self::default();
        if let Some(region) = &search.region {
            this.and("entry.region = ?", region.clone());
        }
        if let Some(arc) = &search.arc {
            this.and("entry.arc = ?", arc.clone());
        }
        if let Some(from_us) = search.from_us {
            this.and("entry.game_us >= ?", from_us);
        }
        if let Some(to_us) = search.to_us {
            this.and("entry.game_us < ?", to_us);
        }
        this
    }

    fn text(&self) -> String {
        match self.conditions.as_slice() {
            [] => "TRUE".to_owned(),
            conditions => conditions.join(" AND "),
        }
    }
}

/// The most significant of those that have all words.
fn by_words(connection: &Connection, search: &Search) -> Result<Vec<Found>, Failure> {
    if is_of_few(connection, search)? {
        of_few(connection, search)
    } else {
        indexed(connection, search)
    }
}

/// Whether a search is within a stretch or an arc that has few entries.
fn is_of_few(connection: &Connection, search: &Search) -> Result<bool, Failure> {
    if search.arc.is_none() && search.from_us.zip(search.to_us).is_none() {
        return Ok(false);
    }
    let conditions = Where::of(search);
    let sql = format!(
        "SELECT count(*) FROM (SELECT 1 FROM entry {} WHERE {} LIMIT {})",
        by_place(search),
        conditions.text(),
        READ_COUNT_MAX + 1
    );
    let mut count = connection.prepare_cached(&sql)?;
    let count: i64 = count.query_row(params_from_iter(conditions.values), |row| row.get(0))?;
    Ok(count <= READ_COUNT_MAX)
}

/// Reads them all.
fn of_few(connection: &Connection, search: &Search) -> Result<Vec<Found>, Failure> {
    let mut conditions = Where::of(search);
    conditions.and("entry.significance >= ?", i64::from(search.significance_min));
    let sql = format!(
        "SELECT {} FROM entry {} WHERE {} ORDER BY entry.row DESC",
        rows::FOUND,
        by_place(search),
        conditions.text()
    );
    let mut found = all(connection, &sql, conditions.values)?;
    let wanted: Vec<String> = search.words.iter().map(|word| folded(word)).collect();
    found.retain(|found| {
        let mut has = words(&found.entry.text);
        has.extend(found.rewritten.iter().flat_map(|(text, _)| words(text)));
        wanted.iter().all(|word| has.contains(word))
    });
    found.truncate(CANDIDATE_COUNT_MAX);
    Ok(found)
}

/// The index of a stretch or an arc.
fn by_place(search: &Search) -> &'static str {
    match search {
        Search { arc: Some(_), .. } => "INDEXED BY entry_by_arc",
        Search { region: Some(_), .. } => "INDEXED BY entry_by_region",
        _ => "INDEXED BY entry_by_time",
    }
}

/// By the index of words.
fn indexed(connection: &Connection, search: &Search) -> Result<Vec<Found>, Failure> {
    let mut conditions = Where::of(search);
    conditions.and("words MATCH ?", matching(search));
    if search.significance_min > 0 {
        conditions.and("words.rowid >= ?", stored::row_of(search.significance_min, 0));
    }
    let sql = format!(
        "SELECT {} FROM words CROSS JOIN entry ON entry.row = words.rowid WHERE {}
         ORDER BY words.rowid DESC LIMIT {CANDIDATE_COUNT_MAX}",
        rows::FOUND,
        conditions.text()
    );
    all(connection, &sql, conditions.values)
}

/// A query of FTS5: every word and mark in quotes, so that nothing in it is an operator.
fn matching(search: &Search) -> String {
    let region = search.region.as_deref().map(marks::of_region);
    let arc = search.arc.as_deref().map(marks::of_arc);
    let marks = region.into_iter().chain(arc);
    let terms = search.words.iter().cloned().chain(marks).map(|term| quoted(&term));
    let mut query = terms.collect::<Vec<_>>().join(" AND ");
    if let Some(spans) = marks::of_stretch(search.from_us, search.to_us) {
        let spans: Vec<_> = spans.iter().map(|span| quoted(span)).collect();
        query = format!("{query} AND ({})", spans.join(" OR "));
    }
    query
}

fn quoted(term: &str) -> String {
    format!("\"{}\"", term.replace('"', "\"\""))
}

/// By time or by significance.
fn in_order(connection: &Connection, search: &Search) -> Result<Page, Failure> {
    let mut conditions = Where::of(search);
    if search.significance_min >= NOTABLE {
        conditions.conditions.push(format!("entry.significance >= {NOTABLE}"));
    }
    if search.significance_min > 0 {
        conditions.and("entry.significance >= ?", i64::from(search.significance_min));
    }
    let (order, behind) = match search.order {
        Order::Best | Order::Latest => ("game_us DESC, significance DESC, row DESC", "<"),
        Order::Earliest => ("game_us, significance, row", ">"),
        Order::Significance => ("significance DESC, row DESC", "<"),
    };
    if let Some(after) = search.after {
        if search.order == Order::Significance {
            conditions.and("entry.row < ?", after.row);
        } else {
            let key = conditions.values.len() + 1;
            conditions.values.extend([Value::from(after.key), Value::from(after.row)]);
            let pair = format!("(entry.game_us, entry.row) {behind} (?{key}, ?{})", key + 1);
            conditions.conditions.push(pair);
        }
    }
    let order = order.split(", ").map(|key| format!("entry.{key}")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT {} FROM entry {} WHERE {} ORDER BY {} LIMIT {}",
        rows::FOUND,
        index(search),
        conditions.text(),
        if search.order == Order::Significance { "entry.row DESC" } else { &order },
        search.limit + 1
    );
    let mut found = all(connection, &sql, conditions.values)?;
    let more = found.len() > search.limit;
    found.truncate(search.limit);
    Ok(Page { found, more })
}

/// The index to use: SQLite has no statistics of an index that grows.
fn index(search: &Search) -> &'static str {
    let stretch = search.from_us.zip(search.to_us);
    let is_short = stretch.is_some_and(|(from, to)| to.saturating_sub(from) <= BY_TIME_US_MAX);
    match search {
        Search { arc: None, order: Order::Significance, .. } if !is_short => "NOT INDEXED",
        Search { arc: None, region: None, significance_min: NOTABLE.., .. } => {
            "INDEXED BY entry_notable"
        }
        _ => by_place(search),
    }
}

fn all(connection: &Connection, sql: &str, values: Vec<Value>) -> Result<Vec<Found>, Failure> {
    let mut select = connection.prepare_cached(sql)?;
    let mut found = select.query(params_from_iter(values))?;
    let mut entries = Vec::new();
    while let Some(row) = found.next()? {
        entries.push(rows::found(row)?);
    }
    Ok(entries)
}

pub(super) fn arcs(connection: &Connection, search: &ArcSearch) -> Result<Vec<FoundArc>, Failure> {
    let mut conditions = Where::default();
    conditions.conditions.push("shown".to_owned());
    if let Some(region) = &search.region {
        conditions.and("region = ?", region.clone());
    }
    if let Some(kind) = &search.kind {
        conditions.and("kind = ?", kind.clone());
    }
    if let Some(open) = search.open {
        conditions.and("ended = ?", i64::from(!open));
    }
    if let Some((since_us, id)) = &search.after {
        let key = conditions.values.len() + 1;
        conditions.values.extend([Value::from(*since_us), Value::from(id.clone())]);
        conditions.conditions.push(format!("(since_us, id) < (?{key}, ?{})", key + 1));
    }
    let sql = format!(
        "SELECT state FROM arc WHERE {} ORDER BY since_us DESC, id DESC LIMIT {}",
        conditions.text(),
        search.limit
    );
    let mut select = connection.prepare_cached(&sql)?;
    let states = select.query_map(params_from_iter(conditions.values), |row| row.get(0))?;
    let states = states.collect::<Result<Vec<String>, _>>()?;
    states.iter().map(|state| found_arc(connection, state)).collect()
}

fn found_arc(connection: &Connection, state: &str) -> Result<FoundArc, Failure> {
    let damaged = |error: serde_json::Error| Failure::damaged(error.to_string());
    let arc: ArcState = serde_json::from_str(state).map_err(damaged)?;
    let mut select = connection
        .prepare_cached("SELECT stage, game_us FROM advance WHERE arc = ?1 ORDER BY number")?;
    let stages = select.query_map([&arc.id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let stages = stages.collect::<Result<_, _>>()?;
    Ok(FoundArc { arc, stages })
}

pub(super) fn extent(connection: &Connection) -> Result<Extent, Failure> {
    let count: i64 =
        connection
            .query_row("SELECT value FROM counter WHERE name = 'entries'", [], |r| r.get(0))?;
    let at = |sql| {
        let found = connection.query_row(sql, params![], |row| row.get::<_, i64>(0));
        Ok::<_, Failure>(found.optional()?)
    };
    let first = at("SELECT game_us FROM entry ORDER BY game_us LIMIT 1")?;
    let last = at("SELECT game_us FROM entry ORDER BY game_us DESC LIMIT 1")?;
    Ok(Extent { count: count.unsigned_abs(), span_us: first.zip(last) })
}
