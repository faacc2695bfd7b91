//! What an override does. Every number is an integer, so that records compare and travel exactly.
//! Not here: when and where it does it (`overrides`), how it is applied (`layers`).

use serde::{Deserialize, Serialize};

use super::super::WeatherState;
use crate::time::GameTime;

/// Metres in a degree of latitude.
const M_PER_DEGREE: f64 = 111_195.0;

/// What an override does to the weather.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Kind {
    /// A state at an intensity.
    SetState {
        /// The state.
        state: WeatherState,
        /// Position inside the state's band, 0 to 1000.
        intensity_permille: u16,
    },
    /// Warmer, windier, wetter than planned; the state follows from the numbers.
    Offset {
        /// [`bounds::OFFSET_TEMPERATURE_DC`](super::bounds::OFFSET_TEMPERATURE_DC).
        temperature_dc: i16,
        /// [`bounds::OFFSET_WIND_DMPS`](super::bounds::OFFSET_WIND_DMPS).
        wind_dmps: i16,
        /// [`bounds::OFFSET_RAIN_PERMILLE`](super::bounds::OFFSET_RAIN_PERMILLE); 1000 leaves it
        /// as it is.
        rain_permille: u32,
    },
    /// The weather stands still as it was when the override began.
    Lock,
    /// The weather of another time of the year: the plan that many days further on in it.
    SeasonShift {
        /// [`bounds::SHIFT_DAYS`](super::bounds::SHIFT_DAYS).
        days: i16,
    },
    /// A storm that crosses the map.
    StormCell(Cell),
}

/// A round storm that moves along a path and ends where the path does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// From where to where, 1 to 32 points; one point: it stands.
    pub path: Vec<Waypoint>,
    /// Full strength up to half of this, nothing beyond it; 1 to 2000 km.
    pub radius_m: u32,
    /// Metres in a game hour, up to 2000 km; 0: it stands at the path's first point.
    pub speed_mph: u32,
    /// The state in its middle.
    pub state: WeatherState,
    /// Position inside the state's band, 0 to 1000.
    pub intensity_permille: u16,
}

/// A point of a path, in thousandths of a degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waypoint {
    /// North, -90000 to 90000.
    pub latitude_mdeg: i32,
    /// East, -180000 to 180000.
    pub longitude_mdeg: i32,
}

/// A place on the globe in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) struct Spot {
    pub(in super::super) latitude: f64,
    pub(in super::super) longitude: f64,
}

impl Waypoint {
    fn spot(self) -> Spot {
        Spot {
            latitude: f64::from(self.latitude_mdeg) / 1000.0,
            longitude: f64::from(self.longitude_mdeg) / 1000.0,
        }
    }
}

impl Spot {
    /// Metres east and north to another place, on the plane that touches the globe between.
    fn to(self, other: Self) -> [f64; 2] {
        let degrees = other.longitude - self.longitude;
        let degrees = degrees - 360.0 * libm::floor((degrees + 180.0) / 360.0);
        let middle = (self.latitude + other.latitude) / 2.0;
        let narrowing = libm::cos(middle * core::f64::consts::PI / 180.0);
        let north = (other.latitude - self.latitude) * M_PER_DEGREE;
        [degrees * narrowing * M_PER_DEGREE, north]
    }

    fn distance_m(self, other: Self) -> f64 {
        let [east, north] = self.to(other);
        libm::sqrt(east * east + north * north)
    }

    fn part_way(self, other: Self, part: f64) -> Self {
        let degrees = other.longitude - self.longitude;
        let degrees = degrees - 360.0 * libm::floor((degrees + 180.0) / 360.0);
        Self {
            latitude: self.latitude + part * (other.latitude - self.latitude),
            longitude: self.longitude + part * degrees,
        }
    }
}

impl Cell {
    /// How long it takes to its end; none if it stands.
    pub(super) fn travel_us(&self) -> Option<i64> {
        if self.speed_mph == 0 || self.path.len() < 2 {
            return None;
        }
        let metres: f64 = self.legs().map(|(from, to)| from.distance_m(to)).sum();
        let hours = metres / f64::from(self.speed_mph);
        Some(libm::ceil(hours * GameTime::HOUR_US as f64) as i64)
    }

    /// Where its middle is so long after its beginning.
    fn middle(&self, elapsed_us: i64) -> Spot {
        let hours = elapsed_us.max(0) as f64 / GameTime::HOUR_US as f64;
        let mut left = hours * f64::from(self.speed_mph);
        for (from, to) in self.legs() {
            let leg = from.distance_m(to);
            if left < leg {
                return from.part_way(to, left / leg);
            }
            left -= leg;
        }
        let last = if self.speed_mph == 0 { self.path.first() } else { self.path.last() };
        last.copied().unwrap_or(Waypoint { latitude_mdeg: 0, longitude_mdeg: 0 }).spot()
    }

    /// How far inside it a place lies so long after its beginning, 0 to 1.
    pub(super) fn nearness(&self, place: Spot, elapsed_us: i64) -> f64 {
        let radius = f64::from(self.radius_m);
        let distance = self.middle(elapsed_us).distance_m(place);
        ((radius - distance) / (radius / 2.0)).clamp(0.0, 1.0)
    }

    /// Whether it ever comes near a place: a box around the path is enough to tell.
    pub(super) fn passes(&self, place: Spot) -> bool {
        let mut reach = [f64::MAX, f64::MIN, f64::MAX, f64::MIN];
        for point in &self.path {
            let [east, north] = place.to(point.spot());
            reach =
                [reach[0].min(east), reach[1].max(east), reach[2].min(north), reach[3].max(north)];
        }
        // The plane's error grows with distance: a tenth of the box is allowed for it.
        let slack = (reach[1] - reach[0]).max(reach[3] - reach[2]) / 10.0;
        let radius = f64::from(self.radius_m) + slack;
        reach[0] <= radius && reach[1] >= -radius && reach[2] <= radius && reach[3] >= -radius
    }

    fn legs(&self) -> impl Iterator<Item = (Spot, Spot)> + '_ {
        self.path.windows(2).map(|ends| (ends[0].spot(), ends[1].spot()))
    }
}
