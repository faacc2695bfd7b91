//! What the routes do. Not here: reading what is asked for (`ask`), documents.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};

use super::ask::{ArcsQuery, DigestQuery, SearchQuery};
use super::document::{Arc, Arcs, Chapter, Contents, Details, Digest, Entries, Entry, RegionName};
use super::{Shared, cursor};
use crate::grammar::month_title;
use crate::store::Found;
use worldbus_events::EventId;
use worldbus_service::{Json, NoQuery, Path, Problem, Query};
use worldbus_world::{GameTime, World};

/// Of entries for a digest so many are looked at, the most significant ones.
const CANDIDATE_COUNT_MAX: usize = 400;
/// Entries of one rule in a digest, and of one arc.
const OF_RULE_MAX: usize = 2;
const OF_ARC_MAX: usize = 3;
/// Chapters of a table of contents: the latest.
const CHAPTER_COUNT_MAX: usize = 2_400;

type Answer = Result<Response, Problem>;

/// Searches the chronicle: by words, region, span of game time, arc and significance, ranked.
/// Of the matches of words the thousand most significant are looked at, in any order.
#[utoipa::path(get, path = "/api/chronicle", tag = "chronicle", params(SearchQuery),
    responses((status = 200, description = "The entries, in order.", body = Entries),
        (status = 404, description = "No such region.")))]
pub(super) async fn search(
    State(shared): State<Shared>,
    Query(query): Query<SearchQuery>,
) -> Answer {
    let (search, of) = query.read(&shared)?;
    let page = shared.chronicler.store.search(search).await?;
    let last = page.found.last().filter(|_| page.more);
    let next = last.map(|found| {
        let place = format!("{} {}", found.cursor.key, found.cursor.row);
        cursor::encode(&of, &place)
    });
    let entries = page.found.iter().map(|found| Entry::new(&shared, found)).collect();
    Ok(Json(Entries { entries, next }).into_response())
}

/// What happened in the hours up to now, the most significant of it, in the order of time.
#[utoipa::path(get, path = "/api/chronicle/digest", tag = "chronicle", params(DigestQuery),
    responses((status = 200, description = "The entries.", body = Digest),
        (status = 404, description = "No such region.")))]
pub(super) async fn digest(
    State(shared): State<Shared>,
    Query(query): Query<DigestQuery>,
) -> Answer {
    let now = shared.now().await?;
    let (mut search, limit) = query.read(&shared, now)?;
    search.limit = CANDIDATE_COUNT_MAX;
    let from = shared.game_text(search.from_us.unwrap_or(now.0));
    let region = search.region.clone();
    let found = shared.chronicler.store.search(search).await?.found;
    let entries = varied(found, limit).iter().map(|found| Entry::new(&shared, found)).collect();
    Ok(Json(Digest { region, from, to: shared.game_text(now.0), entries }).into_response())
}

/// The first of the most significant, few of a kind, in the order of time.
fn varied(found: Vec<Found>, limit: usize) -> Vec<Found> {
    let mut kinds: HashMap<String, usize> = HashMap::new();
    let mut taken = Vec::new();
    for found in found {
        if taken.len() == limit {
            break;
        }
        let (kind, max) = match &found.entry.arc {
            Some(arc) => (format!("arc {arc}"), OF_ARC_MAX),
            None => (format!("rule {}", found.entry.rule), OF_RULE_MAX),
        };
        let count = kinds.entry(kind).or_default();
        *count += 1;
        if *count <= max {
            taken.push(found);
        }
    }
    taken.sort_by_key(|found| (found.entry.game_us, found.entry.id));
    taken
}

/// What a book of the chronicle is made of: the world's name, its regions, its months.
#[utoipa::path(get, path = "/api/chronicle/contents", tag = "chronicle",
    responses((status = 200, description = "The chapters.", body = Contents)))]
pub(super) async fn contents(
    State(shared): State<Shared>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Answer {
    let extent = shared.chronicler.store.extent().await?;
    let work = shared.work.clone();
    work.answer(move || {
        let world = &shared.chronicler.world;
        let region = |region: &worldbus_world::Region| RegionName {
            id: region.id.clone(),
            name: region.name.clone(),
        };
        let chapters = extent.span_us.map(|span| chapters(&shared, world, span));
        Ok(Contents {
            world: world.name.clone(),
            entry_count: extent.count,
            regions: world.regions.iter().map(region).collect(),
            chapters: chapters.unwrap_or_default(),
        })
    })
    .await
}

/// The months from the first to the last instant.
fn chapters(shared: &Shared, world: &World, (first_us, last_us): (i64, i64)) -> Vec<Chapter> {
    let calendar = world.calendar();
    let begins = |number| calendar.day_begins(number).map_or(i64::MAX, |game| game.0);
    let month = |number| {
        let day = calendar.day_of_number(number);
        (day.year, day.month)
    };
    let first = calendar.day_number(GameTime(first_us));
    let mut end = calendar.day_number(GameTime(last_us)) + 1;
    let mut chapters = Vec::new();
    // From the last day down, so that of too many the latest are there.
    while end > first && chapters.len() < CHAPTER_COUNT_MAX {
        let of = month(end - 1);
        let mut begin = end - 1;
        while begin > first && month(begin - 1) == of {
            begin -= 1;
        }
        chapters.push(Chapter {
            title: month_title(&calendar, &calendar.day_of_number(begin)),
            from: shared.game_text(begins(begin)),
            to: shared.game_text(begins(end)),
            first_day: begin,
        });
        end = begin;
    }
    chapters.reverse();
    chapters
}

/// The stories that run over several events, those with the latest steps first.
#[utoipa::path(get, path = "/api/chronicle/arcs", tag = "chronicle", params(ArcsQuery),
    responses((status = 200, description = "The stories.", body = Arcs),
        (status = 404, description = "No such region.")))]
pub(super) async fn arcs(State(shared): State<Shared>, Query(query): Query<ArcsQuery>) -> Answer {
    let (search, of) = query.read(&shared)?;
    let limit = search.limit - 1;
    let mut found = shared.chronicler.store.arcs(search).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more).map(|found| &found.arc);
    let next = last.map(|arc| cursor::encode(&of, &format!("{} {}", arc.since_us, arc.id)));
    let arcs = found.iter().map(|found| Arc::new(&shared, found)).collect();
    Ok(Json(Arcs { arcs, next }).into_response())
}

/// One entry, with where it comes from.
#[utoipa::path(get, path = "/api/chronicle/{id}", tag = "chronicle",
    params(("id" = String, Path, description = "The entry's id.")),
    responses((status = 200, description = "The entry.", body = Details),
        (status = 404, description = "No such entry.")))]
pub(super) async fn entry(
    State(shared): State<Shared>,
    Path(id): Path,
    Query(NoQuery {}): Query<NoQuery>,
) -> Answer {
    let missing = || {
        let shown: String = id.chars().take(40).collect();
        Problem::not_found(format!("no entry {shown:?} in the chronicle"))
    };
    let parsed: EventId = id.parse().map_err(|_| missing())?;
    let found = shared.chronicler.store.entry(parsed).await?.ok_or_else(missing)?;
    Ok(Json(Details::new(&shared, &found)).into_response())
}
