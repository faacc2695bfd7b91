//! Twelve monthly normals, as anybody can look them up, and the preset that they make: with what
//! they cannot say (how rain and warmth persist) from a prior. Not here: the calibration (`build`).

use crate::csv::{CsvError, Table};
use crate::targets::Targets;

/// Columns of the file; `month` must be there, the others may be missing or empty.
pub const COLUMNS: [&str; 8] = [
    "month",
    "wet_day_share",
    "wet_day_mean_mm",
    "tmax_mean_c",
    "tmin_mean_c",
    "temp_residual_sd_k",
    "wind_mean_ms",
    "rh_mean",
];

/// Normals by month; what is not known is absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Normals {
    /// Share of days with at least 1 mm.
    pub wet_day_share: [Option<f64>; 12],
    /// Mean water of such a day, mm.
    pub wet_day_mean_mm: [Option<f64>; 12],
    /// Mean of the daily maxima, C.
    pub tmax_mean_c: [Option<f64>; 12],
    /// Mean of the daily minima, C.
    pub tmin_mean_c: [Option<f64>; 12],
    /// Standard deviation of the daily mean temperature less its season, K.
    pub temp_residual_sd_k: [Option<f64>; 12],
    /// Mean wind, m/s.
    pub wind_mean_ms: [Option<f64>; 12],
    /// Mean relative humidity, 0 to 100.
    pub rh_mean: [Option<f64>; 12],
}

impl Normals {
    /// Reads a CSV of twelve rows; `file` is its name, for errors.
    ///
    /// # Errors
    /// The first mistake: a column unknown, a month missing or twice, a number out of its range,
    /// a maximum below its minimum, no number at all.
    pub fn parse(file: &str, text: &str) -> Result<Self, CsvError> {
        let table = Table::parse(file, text, &COLUMNS)?;
        let mut normals = Self::default();
        let mut seen = [false; 12];
        let mut last = None;
        for row in table.rows() {
            let month = row.integer("month", 1, 12)? as usize - 1;
            if std::mem::replace(&mut seen[month], true) {
                return Err(row.error("month", "expected each month once, found it twice".into()));
            }
            let n = &mut normals;
            n.wet_day_share[month] = row.number("wet_day_share", 0.0, 1.0)?;
            n.wet_day_mean_mm[month] = row.number("wet_day_mean_mm", 1.0, 500.0)?;
            n.tmin_mean_c[month] = row.number("tmin_mean_c", -80.0, 60.0)?;
            let low = n.tmin_mean_c[month].unwrap_or(-80.0);
            n.tmax_mean_c[month] = row.number("tmax_mean_c", low, 60.0)?;
            n.temp_residual_sd_k[month] = row.number("temp_residual_sd_k", 0.1, 20.0)?;
            n.wind_mean_ms[month] = row.number("wind_mean_ms", 0.1, 40.0)?;
            n.rh_mean[month] = row.number("rh_mean", 1.0, 100.0)?;
            last = Some(row);
        }
        let error = |message: String| match last {
            Some(row) => row.error("month", message),
            None => CsvError { file: file.into(), line: 2, column: "month".into(), message },
        };
        if let Some(missing) = seen.iter().position(|seen| !seen) {
            return Err(error(format!("expected twelve months, found no {}", missing + 1)));
        }
        if normals.columns().iter().all(|(_, values)| values.iter().all(Option::is_none)) {
            return Err(error("expected at least one number, found none".to_owned()));
        }
        Ok(normals)
    }

    /// The normals of a record, as far as its figures are such.
    pub fn of_targets(targets: &Targets) -> Self {
        let of = |name: &str| {
            let months = targets.figures.months(name).unwrap_or([f64::NAN; 12]);
            months.map(|value| (!value.is_nan()).then_some(value))
        };
        Self {
            wet_day_share: of("wet_day_share"),
            wet_day_mean_mm: of("wet_day_mm_month"),
            tmax_mean_c: of("tmax_month"),
            tmin_mean_c: of("tmin_month"),
            temp_residual_sd_k: of("temp_residual_sd_month"),
            ..Self::default()
        }
    }

    /// The columns with their headings.
    pub(crate) fn columns(&self) -> [(&'static str, &[Option<f64>; 12]); 7] {
        [
            ("wet_day_share", &self.wet_day_share),
            ("wet_day_mean_mm", &self.wet_day_mean_mm),
            ("tmax_mean_c", &self.tmax_mean_c),
            ("tmin_mean_c", &self.tmin_mean_c),
            ("temp_residual_sd_k", &self.temp_residual_sd_k),
            ("wind_mean_ms", &self.wind_mean_ms),
            ("rh_mean", &self.rh_mean),
        ]
    }

    /// A sentence for each column that is not whole, and where the rest is from.
    pub(crate) fn notes(&self, lender: &str) -> Vec<String> {
        let note = |(column, values): (&str, &[Option<f64>; 12])| {
            let missing = (1..=12).filter(|month| values[month - 1].is_none());
            let missing: Vec<String> = missing.map(|month| month.to_string()).collect();
            let months = missing.join(", ");
            let note = format!("{column}: not given for month {months}, as in {lender}.");
            (!missing.is_empty()).then_some(note)
        };
        self.columns().into_iter().filter_map(note).collect()
    }
}

/// What normals do not say, fitted to the daily records of Brussels, Cambridge, Champion and
/// Cordoba, and to no other: those of Tunis, Norfolk, Suffolk, Lincolnshire and New York are for
/// tests. `p` is the share of wet days of the year.
pub(crate) mod prior {
    /// Correlation of a wet day with the day before.
    const WET_LAG1: f64 = 0.325;
    /// Correlation of the daily mean temperature, less its season, with the day before.
    pub(crate) const TEMP_LAG1: f64 = 0.75;

    pub(crate) fn wet_given_wet(p: f64) -> f64 {
        p + WET_LAG1 * (1.0 - p)
    }

    pub(crate) fn wet_given_dry(p: f64) -> f64 {
        p * (1.0 - WET_LAG1)
    }

    /// Standard deviation of the water of a wet day, in parts of its mean.
    pub(crate) fn wet_mm_sd(p: f64) -> f64 {
        (1.433 - 1.31 * p).max(0.7)
    }

    /// Its 95th percentile, in parts of its mean.
    pub(crate) fn wet_mm_p95(p: f64) -> f64 {
        (3.80 - 2.74 * p).max(2.2)
    }
}

#[cfg(test)]
mod tests;
