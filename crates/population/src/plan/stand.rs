//! How a person stands between two decisions, and how long ways take. Not here: what it decides
//! (`decide`), when (`walk`).

use crate::activity::{Activity, Cause};
use crate::model::Population;
use crate::routine::WAY_MINUTES_MAX;
use worldbus_world::WeatherState;

/// Metres that one walks in a minute.
const PACE_M: i64 = 80;
/// A way is so much longer than the crow's, in percent.
const DETOUR_PERCENT: i64 = 130;

/// What a person does, since when, and until when if nothing comes between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stand {
    pub(super) since: i64,
    pub(super) until: i64,
    pub(super) because: i64,
    /// When the last meal began.
    pub(super) ate: i64,
    pub(super) person: u32,
    pub(super) from: u32,
    pub(super) place: u32,
    pub(super) activity: Activity,
    /// What it does where it is on its way to.
    pub(super) goal: Activity,
    pub(super) cause: Cause,
}

/// How long a way takes on foot.
pub(super) fn way_minutes(people: &Population, from: usize, to: usize, state: WeatherState) -> i64 {
    if from == to {
        return 0;
    }
    let way_m = people.distance_m(from, to) * DETOUR_PERCENT / 100;
    let minutes = way_m * slowness_percent(state) / (100 * PACE_M) + 1;
    minutes.min(WAY_MINUTES_MAX)
}

fn slowness_percent(state: WeatherState) -> i64 {
    match state {
        WeatherState::Storm | WeatherState::Blizzard | WeatherState::HeavySnow => 150,
        WeatherState::Snow | WeatherState::HeavyRain | WeatherState::Fog => 125,
        WeatherState::Windy | WeatherState::Rain => 110,
        _ => 100,
    }
}
