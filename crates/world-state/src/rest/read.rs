//! Reading entities: one, a page of many, what touched one.

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::document::{Entities, EntityView, History, StepView};
use super::{Answer, Shared, limit};
use crate::model::{EntityName, FieldName, Value, check_prefix};
use crate::store::{Condition, PAGE_COUNT_MAX, StoreError, Wanted};
use worldbus_service::{Json, Path, Problem, Query};

const LIMIT_DEFAULT: usize = 100;
/// Conditions of a list.
const CONDITION_COUNT_MAX: usize = 8;
/// Between version and name in a cursor: no name has it.
const CURSOR_MARK: char = '~';

/// At which version.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct AtQuery {
    /// As it was at this version of the world.
    at_version: Option<u64>,
    /// As it was at this game time: `2024-03-01T06:00:00`, or whole game minutes since the world's
    /// epoch.
    at_game_time: Option<String>,
}

/// Which entities.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// What their names begin with: `region/`.
    prefix: Option<String>,
    /// Fields with their values: `weather:storm,alert:true`. A value is JSON, or else text.
    r#where: Option<String>,
    /// At the most; 100 if left out.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// As they were at this version of the world.
    at_version: Option<u64>,
    /// As they were at this game time.
    at_game_time: Option<String>,
}

/// Of which entity.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct HistoryQuery {
    /// Its name.
    #[param(required)]
    entity: Option<String>,
    /// At the most; 100 if left out.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// Only steps before this version of the world: the `next` of the page before.
    before_version: Option<u64>,
}

/// One entity, now or as it was. Its name may hold `/`.
#[utoipa::path(get, path = "/api/state/{entity}", tag = "state",
    params(("entity" = String, Path, description = "Its name."), AtQuery),
    responses((status = 200, description = "The entity.", body = EntityView),
        (status = 404, description = "No such entity, or that version is not kept.")))]
pub(super) async fn one(
    State(shared): State<Shared>,
    Path(name): Path,
    Query(query): Query<AtQuery>,
) -> Answer<EntityView> {
    let name = entity_name("entity", &name)?;
    let at = shared.at(query.at_version, query.at_game_time.as_deref()).await?;
    let read = shared.desk.store.entity(name.as_str(), at).await;
    let (entity, version) = read.map_err(|error| error.into_problem("at_version"))?;
    let entity = entity.ok_or_else(|| {
        let detail = format!("no entity {name} at version {version}; /api/state lists all");
        Problem::not_found(detail).with_field("entity")
    })?;
    Ok(Json(EntityView::new(entity, version)))
}

/// Entities in the order of their names. All pages are of one version of the world. A page may
/// have fewer than `limit`, or none, and a `next`: of a list with conditions 10,000 entities are
/// looked at at a time.
#[utoipa::path(get, path = "/api/state", tag = "state", params(ListQuery),
    responses((status = 200, description = "The entities.", body = Entities),
        (status = 404, description = "That version is not kept.")))]
pub(super) async fn list(
    State(shared): State<Shared>,
    Query(query): Query<ListQuery>,
) -> Answer<Entities> {
    let prefix = query.prefix.unwrap_or_default();
    check_prefix(&prefix).map_err(|why| bad("prefix", &why))?;
    let conditions = query.r#where.as_deref().map(conditions).transpose()?.unwrap_or_default();
    let limit = limit(query.limit, LIMIT_DEFAULT, PAGE_COUNT_MAX)?;
    let (at, after) = match query.cursor.as_deref().map(parse_cursor).transpose()? {
        Some((at, after)) => {
            let is_of_other = query.at_version.is_some_and(|asked| asked != at);
            if is_of_other || !after.starts_with(&prefix) {
                let detail = "expected the `next` of a page of the same query";
                return Err(bad("cursor", detail));
            }
            (Some(at), Some(after))
        }
        None => (shared.at(query.at_version, query.at_game_time.as_deref()).await?, None),
    };
    let at = match at {
        Some(at) => at,
        None => shared.world_version().await?,
    };
    let wanted = Wanted { prefix, after, conditions, limit };
    let read = shared.desk.store.list(wanted, at).await;
    let page = read.map_err(|error| error.into_problem("at_version"))?;
    let entities = page.entities.into_iter().map(|entity| EntityView::new(entity, at)).collect();
    let next = page.next.map(|name| format!("{at}{CURSOR_MARK}{name}"));
    Ok(Json(Entities { entities, world_version: at, next }))
}

/// The latest steps that touched an entity, the newest first, as far as they are kept.
#[utoipa::path(get, path = "/api/state/history", tag = "state", params(HistoryQuery),
    responses((status = 200, description = "The steps.", body = History)))]
pub(super) async fn history(
    State(shared): State<Shared>,
    Query(query): Query<HistoryQuery>,
) -> Answer<History> {
    let name = query.entity.ok_or_else(|| bad("entity", "expected an entity's name"))?;
    let name = entity_name("entity", &name)?;
    let limit = limit(query.limit, LIMIT_DEFAULT, PAGE_COUNT_MAX)?;
    let steps = shared.desk.store.history(name.as_str(), query.before_version, limit).await;
    let steps = steps.map_err(|error| error.into_problem("before_version"))?;
    let next = steps.last().filter(|_| steps.len() == limit).map(|step| step.version);
    let history =
        steps.into_iter().map(|step| Ok(StepView::new(&shared.desk, step)?.of(name.as_str())));
    let history = history.collect::<Result<_, Problem>>()?;
    Ok(Json(History { entity: name.to_string(), history, next }))
}

impl Shared {
    /// The version that is asked for, if one is.
    async fn at(
        &self,
        version: Option<u64>,
        game_time: Option<&str>,
    ) -> Result<Option<u64>, Problem> {
        let Some(text) = game_time else { return Ok(version) };
        let field = "at_game_time";
        if version.is_some() {
            return Err(bad(field, "expected at_version or at_game_time, found both"));
        }
        let game = self.desk.game_time(text).map_err(|why| bad(field, &why))?;
        let clock = self.desk.clock.known()?;
        let now = clock.game_at(self.desk.moment().wall);
        if game > now {
            let now = self.desk.date(now);
            return Err(bad(field, &format!("expected a game time up to now, {now}")));
        }
        let found = self.desk.store.version_at(game).await;
        let found = found.map_err(|error| error.into_problem(field))?;
        let versions = self.desk.store.versions().await;
        let versions = versions.map_err(|error| error.into_problem(field))?;
        match found {
            Some(version) => Ok(Some(version)),
            // Before the first step there was nothing.
            None if versions.kept_from == 0 => Ok(Some(0)),
            None => {
                let error = StoreError::NotKept {
                    found: 0,
                    kept_from: versions.kept_from,
                    latest: versions.world,
                };
                Err(error.into_problem(field))
            }
        }
    }

    pub(super) async fn world_version(&self) -> Result<u64, Problem> {
        let versions = self.desk.store.versions().await;
        Ok(versions.map_err(|error| error.into_problem("at_version"))?.world)
    }
}

fn entity_name(field: &'static str, text: &str) -> Result<EntityName, Problem> {
    text.parse()
        .map_err(|why: String| Problem::bad_request(format!("{field}: {why}")).with_field(field))
}

fn conditions(text: &str) -> Result<Vec<Condition>, Problem> {
    let parse = |one: &str| {
        let wanted = "expected a field, a colon and its value, such as weather:storm";
        let (field, value) = one.split_once(':').ok_or_else(|| bad("where", wanted))?;
        let name: Result<FieldName, String> = field.parse();
        name.map_err(|why| bad("where", &why))?;
        let json = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        let value = Value::new(&json).map_err(|why| bad("where", &why))?;
        Ok(Condition { field: field.to_owned(), value })
    };
    let conditions = text.split(',').map(parse).collect::<Result<Vec<_>, Problem>>()?;
    if conditions.len() > CONDITION_COUNT_MAX {
        let found = conditions.len();
        let detail = format!("expected at most {CONDITION_COUNT_MAX} conditions, found {found}");
        return Err(bad("where", &detail));
    }
    Ok(conditions)
}

fn parse_cursor(text: &str) -> Result<(u64, String), Problem> {
    let parts = text.split_once(CURSOR_MARK);
    let parts = parts.and_then(|(at, name)| Some((at.parse().ok()?, name.to_owned())));
    parts.ok_or_else(|| bad("cursor", "expected the `next` of the page before"))
}

fn bad(field: &'static str, detail: &str) -> Problem {
    Problem::bad_request(format!("query parameter `{field}`: {detail}")).with_field(field)
}
