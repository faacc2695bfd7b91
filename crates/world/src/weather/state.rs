//! The fourteen states of the weather, their names and their numbers.
//! Not here: which numbers make a state (`classify`), which states are severe (`severe`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What the weather of a region is called. The numbers are those of the catalogue, the names
/// those of JSON: `heavy_rain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum WeatherState {
    /// At most a quarter of the sky is covered.
    Clear = 1,
    /// Up to 65 % of the sky is covered.
    PartlyCloudy = 2,
    /// More is covered.
    Cloudy = 3,
    /// Visibility from 1 to 5 km.
    Mist = 4,
    /// Visibility below 1 km.
    Fog = 5,
    /// Rain from 0.1 mm an hour.
    Rain = 6,
    /// Rain of more than 7.6 mm an hour.
    HeavyRain = 7,
    /// Thunder, with rain.
    Storm = 8,
    /// Snow from 0.1 mm of water an hour.
    Snow = 9,
    /// Snow from 1.5 mm of water an hour.
    HeavySnow = 10,
    /// Snow, wind from 15.6 m/s and visibility below 400 m for three hours.
    Blizzard = 11,
    /// Wind from 10.8 m/s, Beaufort 6.
    Windy = 12,
    /// From 35 C, or felt as 41 C.
    ExtremeHeat = 13,
    /// Down from -15 C, or felt as -28 C.
    ExtremeCold = 14,
}

/// A name that no state has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a weather state ({}), found {found}",
    WeatherState::ALL.map(WeatherState::name).join(", ")
)]
pub struct UnknownState {
    /// The name.
    pub found: String,
}

impl WeatherState {
    /// All states by number.
    pub const ALL: [Self; 14] = [
        Self::Clear,
        Self::PartlyCloudy,
        Self::Cloudy,
        Self::Mist,
        Self::Fog,
        Self::Rain,
        Self::HeavyRain,
        Self::Storm,
        Self::Snow,
        Self::HeavySnow,
        Self::Blizzard,
        Self::Windy,
        Self::ExtremeHeat,
        Self::ExtremeCold,
    ];

    /// The short name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::PartlyCloudy => "partly_cloudy",
            Self::Cloudy => "cloudy",
            Self::Mist => "mist",
            Self::Fog => "fog",
            Self::Rain => "rain",
            Self::HeavyRain => "heavy_rain",
            Self::Storm => "storm",
            Self::Snow => "snow",
            Self::HeavySnow => "heavy_snow",
            Self::Blizzard => "blizzard",
            Self::Windy => "windy",
            Self::ExtremeHeat => "extreme_heat",
            Self::ExtremeCold => "extreme_cold",
        }
    }

    /// Something falls from the sky.
    pub fn is_wet(self) -> bool {
        matches!(self, Self::Rain | Self::HeavyRain | Self::Storm) || self.is_snowy()
    }

    /// Snow falls from the sky.
    pub fn is_snowy(self) -> bool {
        matches!(self, Self::Snow | Self::HeavySnow | Self::Blizzard)
    }
}

impl fmt::Display for WeatherState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for WeatherState {
    type Err = UnknownState;

    fn from_str(name: &str) -> Result<Self, UnknownState> {
        let found = Self::ALL.into_iter().find(|state| state.name() == name);
        found.ok_or_else(|| UnknownState { found: name.chars().take(40).collect() })
    }
}
