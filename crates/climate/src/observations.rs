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
    pub precip_mm: Option<f64>,
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

/// Observations of a place, or what was simulated there: days, hours, or hours with the days that
/// were made of them.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// In order of time, each day once.
    pub days: Vec<Day>,
    /// In order of time, each hour once; empty if only days were observed.
    pub hours: Vec<Hour>,
    /// Each month is from a year of its own, as in a typical meteorological year: nothing that
    /// runs from one into the next means anything.
    pub months_apart: bool,
}

/// Hours with a temperature that make a day.
const DAY_HOURS_MIN: usize = 18;

impl Record {
    /// A record of days.
    pub fn of_days(days: Vec<Day>) -> Self {
        Self { days, hours: Vec::new(), months_apart: false }
    }

    /// A record of hours, and of the days that are whole enough.
    pub fn of_hours(hours: Vec<Hour>) -> Self {
        let same_day = |a: &Hour, b: &Hour| (a.year, a.month, a.day) == (b.year, b.month, b.day);
        let days = hours.chunk_by(same_day).filter_map(day).collect();
        Self { days, hours, months_apart: false }
    }

    /// The same record, its months apart.
    #[must_use]
    pub fn with_months_apart(self) -> Self {
        Self { months_apart: true, ..self }
    }

    /// How many years it covers, begun ones included.
    pub fn year_count(&self) -> i32 {
        match (self.days.first(), self.days.last()) {
            (Some(first), Some(last)) => last.year - first.year + 1,
            _ => 0,
        }
    }

    /// The number of a day; those of days that follow each other differ by one.
    pub(crate) fn serial(&self, year: i32, month: u8, day: u8) -> i64 {
        let apart = 12 * i64::from(year) + i64::from(month);
        serial(year, month, day) + if self.months_apart { 2 * apart } else { 0 }
    }
}

/// Days since 1 March of the year 0, Gregorian.
pub(crate) fn serial(year: i32, month: u8, day: u8) -> i64 {
    let month = (i64::from(month) + 9) % 12;
    let year = i64::from(year) - month / 10;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap_days + (month * 306 + 5) / 10 + i64::from(day) - 1
}

fn day(hours: &[Hour]) -> Option<Day> {
    let temperatures: Vec<f64> = hours.iter().filter_map(|hour| hour.temp_c).collect();
    if temperatures.len() < DAY_HOURS_MIN {
        return None;
    }
    let rain: Vec<f64> = hours.iter().filter_map(|hour| hour.precip_mm).collect();
    let Hour { year, month, day, .. } = hours[0];
    Some(Day {
        year,
        month,
        day,
        tmin_c: temperatures.iter().copied().fold(f64::MAX, f64::min),
        tmax_c: temperatures.iter().copied().fold(f64::MIN, f64::max),
        precip_mm: (!rain.is_empty()).then(|| rain.iter().sum()),
    })
}
