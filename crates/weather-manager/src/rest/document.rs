//! The JSON documents that the weather's routes answer with.

mod commands;
mod plan;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;
use worldbus_service::Problem;
use worldbus_world::{Conditions, GameTime, Guess, Overrides, WallTime, World};

pub(super) use commands::{CommandTaken, Log};
pub(super) use plan::{Alerts, History, Statistics};

/// The regions of a world.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RegionList {
    regions: Vec<RegionEntry>,
}

/// A place with weather of its own.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Region)]
struct RegionEntry {
    id: String,
    name: String,
    /// Degrees north.
    latitude: f64,
    /// Degrees east.
    longitude: f64,
    elevation_m: f64,
}

impl RegionList {
    pub(super) fn new(world: &World) -> Self {
        let entry = |region: &worldbus_world::Region| RegionEntry {
            id: region.id.clone(),
            name: region.name.clone(),
            latitude: region.latitude,
            longitude: region.longitude,
            elevation_m: region.elevation_m,
        };
        Self { regions: world.regions.iter().map(entry).collect() }
    }
}

/// A game time with its texts.
pub(super) struct Moment {
    game: GameTime,
    text: String,
}

impl Moment {
    pub(super) fn new(world: &World, game: GameTime) -> Self {
        Self { game, text: world.calendar().at(game).to_string() }
    }
}

/// The weather at one place and time.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Weather {
    /// Short name of the state: `heavy_rain`.
    state: String,
    /// Position inside the state's own band, 0 to 1.
    intensity: f64,
    temperature_c: f64,
    dew_point_c: f64,
    /// Relative, 0 to 1.
    humidity: f64,
    wind_speed_mps: f64,
    wind_gust_mps: f64,
    /// Where the wind comes from, clockwise from north.
    wind_direction_degrees: u16,
    /// Rain and melted snow.
    precipitation_mm_per_h: f64,
    /// The part of it that falls as snow, as water.
    snow_mm_per_h: f64,
    /// Covered sky, 0 to 1.
    cloud_cover: f64,
    visibility_m: u32,
    /// At sea level.
    pressure_hpa: f64,
    /// The state is forced by an override.
    forced: bool,
}

impl Weather {
    fn new(conditions: &Conditions) -> Self {
        Self {
            state: conditions.state.name().to_owned(),
            intensity: f64::from(conditions.intensity_permille) / 1000.0,
            temperature_c: f64::from(conditions.temperature_dc) / 10.0,
            dew_point_c: f64::from(conditions.dew_point_dc) / 10.0,
            humidity: f64::from(conditions.humidity_permille) / 1000.0,
            wind_speed_mps: f64::from(conditions.wind_dmps) / 10.0,
            wind_gust_mps: f64::from(conditions.gust_dmps) / 10.0,
            wind_direction_degrees: conditions.wind_direction_deg,
            precipitation_mm_per_h: f64::from(conditions.precipitation_umph) / 1000.0,
            snow_mm_per_h: f64::from(conditions.snow_umph) / 1000.0,
            cloud_cover: f64::from(conditions.cloud_permille) / 1000.0,
            visibility_m: conditions.visibility_m,
            pressure_hpa: f64::from(conditions.pressure_dhpa) / 10.0,
            forced: conditions.forced,
        }
    }
}

/// The weather of a region at a game time.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RegionWeather {
    /// The region's id.
    region: String,
    #[serde(flatten)]
    weather: Weather,
    /// Of the region's hemisphere: `spring`, `summer`, `autumn` or `winter`, or a season of the
    /// world's own calendar.
    season: String,
    /// `2024-03-01T06:00:00`.
    game_time: String,
    /// Whole game minutes since the world's epoch.
    total_minutes: i64,
}

impl RegionWeather {
    pub(super) fn new(
        shared: &Shared,
        region: usize,
        moment: &Moment,
        overrides: &Overrides,
    ) -> Self {
        let place = &shared.world.regions[region];
        let conditions = shared.weather.conditions(region, moment.game, overrides);
        let calendar = shared.world.calendar();
        let season = &calendar.season(moment.game, place.hemisphere()).id;
        Self {
            region: place.id.clone(),
            weather: Weather::new(&conditions),
            season: season.clone(),
            game_time: moment.text.clone(),
            total_minutes: moment.game.minutes(),
        }
    }
}

/// The weather now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = WeatherNow)]
pub(super) enum Now {
    /// Of the region that was asked for.
    One(Box<RegionWeather>),
    /// Of all regions.
    All {
        /// In the order of the world.
        regions: Vec<RegionWeather>,
    },
}

impl Now {
    pub(super) fn one(shared: &Shared, region: usize) -> Result<Self, Problem> {
        let (overrides, now) = shared.in_effect()?;
        let moment = Moment::new(&shared.world, now);
        Ok(Self::One(Box::new(RegionWeather::new(shared, region, &moment, &overrides))))
    }

    pub(super) fn all(shared: &Shared) -> Result<Self, Problem> {
        let (overrides, now) = shared.in_effect()?;
        let moment = Moment::new(&shared.world, now);
        let of = |region| RegionWeather::new(shared, region, &moment, &overrides);
        Ok(Self::All { regions: (0..shared.world.regions.len()).map(of).collect() })
    }
}

/// The weather that a command makes, from `effective_at` on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WeatherChanged)]
pub(super) struct Changed {
    /// Wall time at which the command takes effect, RFC 3339.
    effective_at: String,
    #[serde(flatten)]
    weather: RegionWeather,
}

impl Changed {
    pub(super) fn new(effective: WallTime, weather: RegionWeather) -> Self {
        let at = Timestamp::from_microsecond(effective.0).unwrap_or(Timestamp::MAX);
        Self { effective_at: at.to_string(), weather }
    }
}

/// The weather to come.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Forecast {
    /// The region's id.
    region: String,
    /// One entry for each game hour from the current one.
    forecast: Vec<Hour>,
}

/// The weather of a game hour: now for hour 0, at its beginning for the others.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ForecastHour)]
struct Hour {
    /// Game hours from the current one.
    hour: usize,
    /// `2024-03-01T06:00:00`.
    game_time: String,
    #[serde(flatten)]
    weather: Weather,
    /// Of a fallible forecast.
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<Confidence>,
}

/// How much a fallible forecast knows, 0 to 1: the part of each variable's variance.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ForecastConfidence)]
struct Confidence {
    precipitation: f64,
    temperature: f64,
    wind: f64,
}

impl Forecast {
    pub(super) fn new(
        shared: &Shared,
        region: usize,
        now: GameTime,
        hours: u32,
        overrides: &Overrides,
    ) -> Self {
        let calendar = shared.world.calendar();
        let entries = shared.weather.forecast(region, now, hours, overrides);
        let hour = |(hour, entry): (usize, &worldbus_world::Forecast)| Hour {
            hour,
            game_time: calendar.at(entry.time).to_string(),
            weather: Weather::new(&entry.conditions),
            confidence: None,
        };
        let forecast = entries.iter().enumerate().map(hour).collect();
        Self { region: shared.world.regions[region].id.clone(), forecast }
    }

    /// As people of the world would tell it.
    pub(super) fn fallible(
        shared: &Shared,
        region: usize,
        now: GameTime,
        hours: u32,
        overrides: &Overrides,
    ) -> Self {
        let part = |permille: u16| f64::from(permille) / 1000.0;
        let hour = |(hour, entry): (usize, Guess)| Hour {
            hour,
            game_time: shared.game_text(entry.time),
            weather: Weather::new(&entry.conditions),
            confidence: Some(Confidence {
                precipitation: part(entry.confidence.precipitation_permille),
                temperature: part(entry.confidence.temperature_permille),
                wind: part(entry.confidence.wind_permille),
            }),
        };
        let guesses = shared.weather.guess(region, now, hours, overrides);
        let forecast = guesses.into_iter().enumerate().map(hour).collect();
        Self { region: shared.world.regions[region].id.clone(), forecast }
    }
}
