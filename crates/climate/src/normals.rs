//! Twelve monthly normals of a place: what an encyclopaedia has of it. What is not known is absent.
//! Not here: what a preset makes of them (`build`), and how weather persists, which normals do not
//! say.

use crate::csv::{CsvError, Row, Table};
use crate::targets::Targets;

/// The columns of normals.
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

/// The normals of a month.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Normal {
    /// Share of days with at least 1 mm.
    pub wet_day_share: Option<f64>,
    /// Water of such a day, mean mm.
    pub wet_day_mean_mm: Option<f64>,
    /// Daily maximum, mean C.
    pub tmax_mean_c: Option<f64>,
    /// Daily minimum, mean C.
    pub tmin_mean_c: Option<f64>,
    /// Daily mean temperature less its season, standard deviation in K.
    pub temp_residual_sd_k: Option<f64>,
    /// Wind, mean m/s.
    pub wind_mean_ms: Option<f64>,
    /// Relative humidity, mean, 0 to 100.
    pub rh_mean: Option<f64>,
}

/// The normals of twelve months, January first.
#[derive(Clone, Debug, PartialEq)]
pub struct Normals {
    /// A month each.
    pub months: [Normal; 12],
}

impl Normals {
    /// Parses the CSV of twelve months in any order; `file` is its name, for errors.
    ///
    /// # Errors
    /// The first mistake: no such column, a number out of its range, a month twice or missing, a
    /// minimum above its maximum.
    pub fn parse(file: &str, text: &str) -> Result<Self, CsvError> {
        let table = Table::parse(file, text, &COLUMNS)?;
        let mut months: [Option<Normal>; 12] = [None; 12];
        let mut last = None;
        for row in table.rows() {
            let month = row.integer("month", 1, 12)?;
            let of_month = &mut months[month as usize - 1];
            if of_month.is_some() {
                let message = format!("expected each month once, found {month} twice");
                return Err(row.error("month", message));
            }
            *of_month = Some(normal(&row)?);
            last = Some(row);
        }
        let missing = months.iter().position(Option::is_none);
        if let (Some(missing), Some(last)) = (missing, last) {
            let message = format!("expected the months 1 to 12, found no {}", missing + 1);
            return Err(last.error("month", message));
        }
        Ok(Self { months: months.map(Option::unwrap_or_default) })
    }

    /// The normals that a record has, so that a preset made of them can be compared with it.
    pub fn of_targets(targets: &Targets) -> Self {
        let of = |figure: &str, month: usize| {
            let value = targets.figures.months(figure)?[month];
            (!value.is_nan()).then_some(value)
        };
        let months = std::array::from_fn(|month| Normal {
            wet_day_share: of("wet_day_share", month),
            wet_day_mean_mm: of("wet_day_mm_month", month),
            tmax_mean_c: of("tmax_month", month),
            tmin_mean_c: of("tmin_month", month),
            temp_residual_sd_k: of("temp_residual_sd_month", month),
            wind_mean_ms: of("wind_mean_month", month),
            rh_mean: of("rh_mean_month", month),
        });
        Self { months }
    }
}

fn normal(row: &Row<'_>) -> Result<Normal, CsvError> {
    let wet_day_share = row.number("wet_day_share", 0.0, 1.0)?;
    // A month that is never wet may say so twice.
    let wet_mm_min = if wet_day_share == Some(0.0) { 0.0 } else { 1.0 };
    let tmax_mean_c = row.number("tmax_mean_c", -95.0, 65.0)?;
    Ok(Normal {
        wet_day_share,
        wet_day_mean_mm: row.number("wet_day_mean_mm", wet_mm_min, 300.0)?,
        tmin_mean_c: row.number("tmin_mean_c", -95.0, tmax_mean_c.unwrap_or(65.0))?,
        tmax_mean_c,
        temp_residual_sd_k: row.number("temp_residual_sd_k", 0.1, 20.0)?,
        wind_mean_ms: row.number("wind_mean_ms", 0.1, 40.0)?,
        rh_mean: row.number("rh_mean", 1.0, 100.0)?,
    })
}

#[cfg(test)]
mod tests;
