//! The chronicle's REST routes. Not here: access, the port, what is found (`store`).

mod ask;
mod cursor;
mod director;
mod document;
mod routes;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use utoipa::OpenApi;

use crate::chronicler::Chronicler;
use crate::director::Desk;
use director::Directing;
use worldbus_bus::WallClock;
use worldbus_service::{Problem, Work};
use worldbus_world::{DateTime, GameTime, WallTime};

/// What the routes share.
#[derive(Clone)]
struct Shared {
    chronicler: Arc<Chronicler>,
    wall: Arc<dyn WallClock>,
    work: Work,
}

#[derive(OpenApi)]
#[openapi(
    paths(
        routes::search,
        routes::digest,
        routes::contents,
        routes::arcs,
        routes::entry,
        director::director,
        director::accept,
        director::reject
    ),
    tags(
        (name = "chronicle", description = "What happened in a world, in words."),
        (name = "director", description = "Proposals of what might happen next.")
    )
)]
struct Described;

pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    Described::openapi()
}

pub(crate) fn routes(desk: Arc<Desk>, work: Work) -> Router {
    let (chronicler, wall) = (Arc::clone(&desk.chronicler), Arc::clone(&desk.wall));
    let shared = Shared { chronicler, wall, work };
    let directing = Router::new()
        .route("/api/director", get(director::director))
        .route("/api/director/proposals/{id}/accept", post(director::accept))
        .route("/api/director/proposals/{id}/reject", post(director::reject))
        .with_state(Directing { shared: shared.clone(), desk });
    Router::new()
        .route("/api/chronicle", get(routes::search))
        .route("/api/chronicle/digest", get(routes::digest))
        .route("/api/chronicle/contents", get(routes::contents))
        .route("/api/chronicle/arcs", get(routes::arcs))
        .route("/api/chronicle/{id}", get(routes::entry))
        .with_state(shared)
        .merge(directing)
}

impl Shared {
    /// The game time now.
    async fn now(&self) -> Result<GameTime, Problem> {
        self.chronicler.follower.catch_up().await;
        let clock = self.chronicler.clock.known()?;
        Ok(clock.game_at(WallTime(self.wall.now_us())))
    }

    fn game_text(&self, game_us: i64) -> String {
        self.chronicler.world.calendar().at(GameTime(game_us)).to_string()
    }

    /// A game time as people write it: `2024-03-01T06:00:00`, or whole game minutes since the
    /// world's epoch.
    fn game_time(&self, field: &'static str, text: &str) -> Result<i64, Problem> {
        if let Ok(minutes) = text.parse() {
            return Ok(GameTime::from_minutes(minutes).0);
        }
        let wrong = |why: String| {
            let shown: String = text.chars().take(40).collect();
            let text = format!(
                "query parameter `{field}`: expected a game time such as 2024-03-01T06:00:00 or \
                 whole game minutes since the world's epoch, found {shown:?}{why}"
            );
            Problem::bad_request(text).with_field(field)
        };
        let date: DateTime = text.parse().map_err(|_| wrong(String::new()))?;
        let time = self.chronicler.world.calendar().game_time(&date);
        time.map(|game| game.0).map_err(|error| wrong(format!(": {error}")))
    }

    /// A region's id, if the world has it.
    fn region(&self, id: Option<String>) -> Result<Option<String>, Problem> {
        let Some(id) = id else { return Ok(None) };
        if self.chronicler.world.region_index(&id).is_some() {
            return Ok(Some(id));
        }
        let shown: String = id.chars().take(40).collect();
        let world = &self.chronicler.world.id;
        let text = format!("no region {shown:?} in {world}; /api/weather/regions lists all");
        Err(Problem::not_found(text).with_field("region"))
    }
}
