//! `GET /api/time/sun`: the sun over a region by a clock. Not here: where it is (`worldbus-world`).

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Answer;
use crate::desk::{Desk, Face};
use worldbus_service::{Json, Problem, Query};
use worldbus_world::{Calendar, Daylight, GameTime, Region, World};

/// Over which region, by which clock.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Where {
    /// The region's id; the world's first one if left out.
    region: Option<String>,
    /// The name of a clock of the world file; the world's own if left out.
    #[serde(default)]
    clock: String,
}

/// The sun over a region: now, and on the day that it is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SunNow {
    world: String,
    region: String,
    /// The game time now.
    date_time: String,
    /// `dawn`, `day`, `dusk` or `night`, by what the world file says decides them.
    phase: &'static str,
    /// The sun's centre above the horizon now, in hundredths of a degree.
    sun_altitude_centidegrees: i32,
    /// 0 while the sun is 6 degrees or more below the horizon, 1000 while it is as much above.
    light_permille: u32,
    /// When the sun is highest.
    noon: String,
    /// Left out on a day on which it does not rise or does not set, as is the sunset.
    #[serde(skip_serializing_if = "Option::is_none")]
    sunrise: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sunset: Option<String>,
    /// Game seconds of daylight.
    day_length_s: i64,
}

/// The sun over a region: now, and when it rises and sets.
#[utoipa::path(get, path = "/api/time/sun", tag = "time", params(Where),
    responses((status = 200, description = "The sun.", body = SunNow),
        (status = 404, description = "No such region or clock.")))]
pub(super) async fn sun(State(desk): State<Desk>, Query(place): Query<Where>) -> Answer<SunNow> {
    let face = desk.face(&place.clock)?;
    let region = region(&face.world, place.region.as_deref())?;
    Ok(Json(SunNow::new(face, region)?))
}

fn region<'w>(world: &'w World, id: Option<&str>) -> Result<&'w Region, Problem> {
    let index = id.map_or(Some(0), |id| world.region_index(id));
    index.and_then(|index| world.regions.get(index)).ok_or_else(|| {
        let (id, world) = (id.unwrap_or_default(), &world.id);
        let detail = format!("no region {id:.40?} in {world}; /api/weather/regions lists all");
        Problem::not_found(detail).with_field("region")
    })
}

impl SunNow {
    fn new(face: &Face, region: &Region) -> Result<Self, Problem> {
        let game = face.clockwork.view().log.clock().game_at(face.clockwork.now());
        let (sun, calendar) = (face.world.sun(), &face.clockwork.calendar);
        let (latitude, longitude) = (region.latitude, region.longitude);
        let day = sun.day(calendar.day_number(game), latitude, longitude);
        let day = day.ok_or_else(|| Problem::internal("the day is beyond what game time holds"))?;
        let (sunrise, sunset) = match day.daylight {
            Daylight::Between { from, until } => {
                (Some(date(calendar, from)), Some(date(calendar, until)))
            }
            Daylight::Always | Daylight::Never => (None, None),
        };
        Ok(Self {
            world: face.world.id.clone(),
            region: region.id.clone(),
            date_time: date(calendar, game),
            phase: sun.phase(game, latitude, longitude).name(),
            sun_altitude_centidegrees: sun.altitude_centidegrees(game, latitude, longitude),
            light_permille: sun.light_permille(game, latitude, longitude),
            noon: date(calendar, day.noon),
            sunrise,
            sunset,
            day_length_s: day.daylight.length_us(calendar.day_us()) / GameTime::SECOND_US,
        })
    }
}

fn date(calendar: &Calendar, game: GameTime) -> String {
    calendar.at(game).to_string()
}
