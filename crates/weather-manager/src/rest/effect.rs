//! What a request wants an override to do, checked in the units of the request. Not here: when,
//! where and for how long (`live`), what it does to the weather (`world`).

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::permille;
use crate::INTENSITY_DEFAULT;
use worldbus_service::Problem;
use worldbus_world::{Cell, Kind, Waypoint, WeatherState, bounds};

/// What an override does.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = OverrideEffect)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Effect {
    /// A state at an intensity.
    SetState {
        /// The state's short name.
        state: String,
        /// Position inside the state's own band; 0.5 if left out.
        #[schema(minimum = 0, maximum = 1)]
        intensity: Option<f64>,
    },
    /// Warmer, windier, wetter than planned.
    Offset {
        /// Degrees Celsius that are added.
        #[schema(minimum = -60, maximum = 60)]
        temperature_c: Option<f64>,
        /// Metres per second that are added.
        #[schema(minimum = -50, maximum = 50)]
        wind_mps: Option<f64>,
        /// What falls is multiplied by it.
        #[schema(minimum = 0, maximum = 10)]
        rain_factor: Option<f64>,
    },
    /// The weather stands still. With braces: to serde a variant without them knows any field.
    Lock {},
    /// The plan of another time of the year.
    SeasonShift {
        /// Days of the world's calendar.
        #[schema(minimum = -366, maximum = 366)]
        days: i64,
    },
    /// A storm that crosses the map.
    StormCell {
        /// From where to where.
        #[schema(min_items = 1, max_items = 32)]
        path: Vec<Point>,
        /// In kilometres.
        #[schema(minimum = 1, maximum = 2000)]
        radius_km: f64,
        /// Kilometres in a game hour.
        #[schema(minimum = 0, maximum = 2000)]
        speed_kmh: f64,
        /// The state in its middle.
        state: String,
        /// Position inside the state's own band; 0.5 if left out.
        #[schema(minimum = 0, maximum = 1)]
        intensity: Option<f64>,
    },
}

/// A place in degrees.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = OverridePoint)]
#[serde(try_from = "BTreeMap<String, f64>")]
pub(super) struct Point {
    /// North.
    #[schema(minimum = -90, maximum = 90)]
    latitude: f64,
    /// East.
    #[schema(minimum = -180, maximum = 180)]
    longitude: f64,
}

/// As a request that wants the same.
impl From<&Kind> for Effect {
    fn from(kind: &Kind) -> Self {
        let intensity = |permille: u16| Some(f64::from(permille) / 1000.0);
        match kind {
            Kind::SetState { state, intensity_permille } => Self::SetState {
                state: state.name().to_owned(),
                intensity: intensity(*intensity_permille),
            },
            Kind::Offset { temperature_dc, wind_dmps, rain_permille } => Self::Offset {
                temperature_c: Some(f64::from(*temperature_dc) / 10.0),
                wind_mps: Some(f64::from(*wind_dmps) / 10.0),
                rain_factor: Some(f64::from(*rain_permille) / 1000.0),
            },
            Kind::Lock => Self::Lock {},
            Kind::SeasonShift { days } => Self::SeasonShift { days: i64::from(*days) },
            Kind::StormCell(cell) => Self::StormCell {
                path: cell.path.iter().map(Point::from).collect(),
                radius_km: f64::from(cell.radius_m) / 1000.0,
                speed_kmh: f64::from(cell.speed_mph) / 1000.0,
                state: cell.state.name().to_owned(),
                intensity: intensity(cell.intensity_permille),
            },
        }
    }
}

impl From<&Waypoint> for Point {
    fn from(point: &Waypoint) -> Self {
        Self {
            latitude: f64::from(point.latitude_mdeg) / 1000.0,
            longitude: f64::from(point.longitude_mdeg) / 1000.0,
        }
    }
}

impl Effect {
    /// As the world's records have it.
    pub(super) fn kind(&self) -> Result<Kind, Problem> {
        Ok(match self {
            Self::SetState { state, intensity } => {
                let intensity_permille = intensity_of(*intensity)?;
                Kind::SetState { state: state_of(state)?, intensity_permille }
            }
            Self::Offset { temperature_c, wind_mps, rain_factor } => {
                offset(temperature_c.unwrap_or(0.0), wind_mps.unwrap_or(0.0), *rain_factor)?
            }
            Self::Lock {} => Kind::Lock,
            Self::SeasonShift { days } => {
                let days = scaled("days", *days as f64, 1.0, &bounds::SHIFT_DAYS)?;
                if days == 0 {
                    return Err(nothing("days", "expected days other than 0"));
                }
                Kind::SeasonShift { days }
            }
            Self::StormCell { path, radius_km, speed_kmh, state, intensity } => {
                Kind::StormCell(Cell {
                    path: path.iter().map(Point::waypoint).collect::<Result<_, _>>()?,
                    radius_m: scaled("radius_km", *radius_km, 1000.0, &bounds::CELL_RADIUS_M)?,
                    speed_mph: scaled("speed_kmh", *speed_kmh, 1000.0, &bounds::CELL_SPEED_MPH)?,
                    state: state_of(state)?,
                    intensity_permille: intensity_of(*intensity)?,
                })
            }
        })
    }
}

impl Point {
    fn waypoint(&self) -> Result<Waypoint, Problem> {
        let mdeg = |field, degrees, bounds| scaled(field, degrees, 1000.0, bounds);
        Ok(Waypoint {
            latitude_mdeg: mdeg("path.latitude", self.latitude, &bounds::LATITUDE_MDEG)?,
            longitude_mdeg: mdeg("path.longitude", self.longitude, &bounds::LONGITUDE_MDEG)?,
        })
    }
}

fn offset(temperature_c: f64, wind_mps: f64, rain_factor: Option<f64>) -> Result<Kind, Problem> {
    let rain_factor = rain_factor.unwrap_or(1.0);
    let kind = Kind::Offset {
        temperature_dc: scaled(
            "temperature_c",
            temperature_c,
            10.0,
            &bounds::OFFSET_TEMPERATURE_DC,
        )?,
        wind_dmps: scaled("wind_mps", wind_mps, 10.0, &bounds::OFFSET_WIND_DMPS)?,
        rain_permille: scaled("rain_factor", rain_factor, 1000.0, &bounds::OFFSET_RAIN_PERMILLE)?,
    };
    if kind == (Kind::Offset { temperature_dc: 0, wind_dmps: 0, rain_permille: 1000 }) {
        let wanted = "expected temperature_c or wind_mps of at least 0.1, or a rain_factor other \
                      than 1";
        return Err(nothing("effect", wanted));
    }
    Ok(kind)
}

/// An effect that changes nothing.
fn nothing(field: &'static str, wanted: &str) -> Problem {
    let text = format!("{field}: {wanted}; this changes nothing");
    Problem::unprocessable(text).with_field(field)
}

/// Only by names: of `[16, 48]` it is unknown which is which.
impl TryFrom<BTreeMap<String, f64>> for Point {
    type Error = String;

    fn try_from(mut fields: BTreeMap<String, f64>) -> Result<Self, String> {
        let mut take = |name: &str| {
            fields.remove(name).ok_or_else(|| format!("expected latitude and longitude: no {name}"))
        };
        let point = Self { latitude: take("latitude")?, longitude: take("longitude")? };
        match fields.keys().next() {
            None => Ok(point),
            Some(more) => Err(format!("expected latitude and longitude alone, found {more:.40}")),
        }
    }
}

/// A number of a request as an integer of smaller units, `units` of which make up one of the
/// request's; `bounds` are those of the integer.
pub(super) fn scaled<T: TryFrom<i64>>(
    field: &'static str,
    value: f64,
    units: f64,
    bounds: &RangeInclusive<i64>,
) -> Result<T, Problem> {
    let whole = (value * units).round();
    let inside = *bounds.start() as f64 <= whole && whole <= *bounds.end() as f64;
    let fits = inside.then(|| T::try_from(whole as i64).ok()).flatten();
    fits.ok_or_else(|| {
        let [least, most] = [bounds.start(), bounds.end()].map(|bound| *bound as f64 / units);
        let text = format!("{field}: expected {least} to {most}, found {value}");
        Problem::unprocessable(text).with_field(field)
    })
}

fn state_of(name: &str) -> Result<WeatherState, Problem> {
    let state: Result<WeatherState, _> = name.parse();
    state.map_err(|error| Problem::unprocessable(format!("state: {error}")).with_field("state"))
}

fn intensity_of(intensity: Option<f64>) -> Result<u16, Problem> {
    intensity.map_or(Ok(INTENSITY_DEFAULT), permille)
}
