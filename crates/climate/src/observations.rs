//! Observed or simulated weather as rows, a day or an hour each; the one form that statistics,
//! builder and plots take. A figure that was not observed is absent, never a number that means it.
//! Not here: reading them from CSV : the command line does that.

use worldbus_world::WeatherState;

/// One day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Day {
    /// Year.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// Lowest temperature, C.
    pub tmin_c: f64,
    /// Highest temperature, C.
    pub tmax_c: f64,
    /// Rain and melted snow, mm.
    pub precip_mm: f64,
}

/// One hour. Hours of a record follow each other; a gap is a gap, not filled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hour {
    /// Year.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23, local standard time.
    pub hour: u8,
    /// Air temperature, C.
    pub temp_c: Option<f64>,
    /// Dew point, C.
    pub dew_c: Option<f64>,
    /// Relative humidity, 0 to 100.
    pub rh: Option<f64>,
    /// Mean wind, m/s.
    pub wind_ms: Option<f64>,
    /// Gusts, m/s.
    pub gust_ms: Option<f64>,
    /// Rain and melted snow of the hour, mm.
    pub precip_mm: Option<f64>,
    /// Share of the sky, 0 to 1.
    pub cloud: Option<f64>,
    /// Visibility, m.
    pub visibility_m: Option<f64>,
    /// What an observer would call it.
    pub state: Option<WeatherState>,
}
