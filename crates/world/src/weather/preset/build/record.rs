//! Daily observations, and what a month of them is described by.
//! Not here: reading the file that they come from.

/// Water on a wet day, mm.
const WET_MM: f64 = 1.0;

/// One observed day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Day {
    /// Year.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// Lowest temperature, C.
    pub min_c: f64,
    /// Highest temperature, C.
    pub max_c: f64,
    /// Rain and melted snow, mm.
    pub rain_mm: f64,
}

/// Figures of one month of the year.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MonthStats {
    pub(super) wet_share: f64,
    pub(super) wet_mm: f64,
    pub(super) max_c: f64,
    pub(super) min_c: f64,
    pub(super) max_sd: f64,
    pub(super) min_sd: f64,
    pub(super) max_wet_minus_dry: f64,
    pub(super) min_wet_minus_dry: f64,
}

/// The days of a text of columns: day, month, year, Tmin (C), Tmax (C), rain (mm); one heading
/// line, further columns are left out.
///
/// # Errors
/// The first line that is not such a day.
pub fn days_from_text(text: &str) -> Result<Vec<Day>, String> {
    let day = |(at, line): (usize, &str)| {
        let mut words = line.split_ascii_whitespace().map(str::parse::<f64>);
        let mut next = || words.next().and_then(Result::ok);
        let (day, month, year) = (next(), next(), next());
        let parsed = || {
            let (day, month, year) = (day? as u8, month? as u8, year? as i32);
            Some(Day { year, month, day, min_c: next()?, max_c: next()?, rain_mm: next()? })
        };
        let mut parsed = parsed;
        parsed().filter(|d| (1..=12).contains(&d.month)).ok_or_else(|| {
            format!("line {}: expected day, month, year, Tmin, Tmax, rain, found {line}", at + 1)
        })
    };
    text.lines().enumerate().skip(1).filter(|(_, l)| !l.trim().is_empty()).map(day).collect()
}

pub(super) fn monthly(days: &[Day]) -> [MonthStats; 12] {
    core::array::from_fn(|month| {
        let of_month = |d: &&Day| usize::from(d.month) == month + 1;
        stats(&days.iter().filter(of_month).copied().collect::<Vec<_>>())
    })
}

/// The rain of each month once the straight lines between the middles of the months have
/// smoothed it. Calibrating to this keeps a figure's swing from month to month to the record's;
/// calibrating to the record itself would widen it, to undo the lines.
pub(super) fn between_months(record: &[MonthStats; 12]) -> [MonthStats; 12] {
    core::array::from_fn(|m| {
        let (last, this, next) = (&record[(m + 11) % 12], &record[m], &record[(m + 1) % 12]);
        let smooth = |of: fn(&MonthStats) -> f64| (of(last) + 6.0 * of(this) + of(next)) / 8.0;
        MonthStats { wet_share: smooth(|r| r.wet_share), wet_mm: smooth(|r| r.wet_mm), ..*this }
    })
}

fn stats(days: &[Day]) -> MonthStats {
    let (wet, dry): (Vec<Day>, Vec<Day>) = days.iter().partition(|d| d.rain_mm >= WET_MM);
    let max = |days: &[Day]| mean(days, |d| d.max_c);
    let min = |days: &[Day]| mean(days, |d| d.min_c);
    MonthStats {
        wet_share: wet.len() as f64 / days.len().max(1) as f64,
        wet_mm: mean(&wet, |d| d.rain_mm),
        max_c: max(days),
        min_c: min(days),
        max_sd: deviation(days, |d| d.max_c),
        min_sd: deviation(days, |d| d.min_c),
        max_wet_minus_dry: max(&wet) - max(&dry),
        min_wet_minus_dry: min(&wet) - min(&dry),
    }
}

fn mean(days: &[Day], value: impl Fn(&Day) -> f64) -> f64 {
    days.iter().map(value).sum::<f64>() / days.len().max(1) as f64
}

fn deviation(days: &[Day], value: impl Fn(&Day) -> f64 + Copy) -> f64 {
    let middle = mean(days, value);
    let square = |d: &Day| (value(d) - middle) * (value(d) - middle);
    libm::sqrt(mean(days, square))
}
