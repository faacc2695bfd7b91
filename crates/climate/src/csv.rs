//! Rows of weather in CSV: a heading line, commas, no quotes, an empty cell for what is not known.
//! Strict: a mistake names file, line, column, and what was expected. Not a CSV crate: there is
//! nothing to quote.

use std::fmt::Write as _;

use crate::observations::{Day, Hour, Record};
use worldbus_world::WeatherState;

/// Columns of daily observations.
pub const DAILY: [&str; 6] = ["year", "month", "day", "tmin_c", "tmax_c", "precip_mm"];
/// Columns of hourly observations; `day_of_year` is for readers, and ignored.
pub const HOURLY: [&str; 14] = [
    "year",
    "month",
    "day",
    "day_of_year",
    "hour",
    "temp_c",
    "dew_c",
    "rh",
    "wind_ms",
    "gust_ms",
    "precip_mm",
    "cloud",
    "visibility_m",
    "state",
];

/// A mistake in a CSV file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {}{message}", if column.is_empty() { String::new() } else { format!("{column}: ") })]
pub struct CsvError {
    /// The file's name as given.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column by its heading; empty for the line as a whole.
    pub column: String,
    /// What was expected and what was found.
    pub message: String,
}

/// A table of cells under known headings.
#[derive(Debug)]
pub struct Table<'a> {
    file: &'a str,
    headings: Vec<&'a str>,
    rows: Vec<(usize, Vec<&'a str>)>,
}

/// A row of a [`Table`].
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    table: &'a Table<'a>,
    line: usize,
    cells: &'a [&'a str],
}

impl<'a> Table<'a> {
    /// Splits a text whose headings are among `known`; `file` is its name, for errors.
    ///
    /// # Errors
    /// No heading, one that is unknown or comes twice, a row of another length, no row at all.
    pub fn parse(file: &'a str, text: &'a str, known: &[&str]) -> Result<Self, CsvError> {
        let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        let (_, first) = lines.next().unwrap_or((1, ""));
        let headings: Vec<&str> =
            first.trim_start_matches('\u{feff}').split(',').map(str::trim).collect();
        let table = Self { file, headings, rows: Vec::new() };
        let mut rows = Vec::new();
        for (index, heading) in table.headings.iter().enumerate() {
            if !known.contains(heading) {
                let wanted = known.join(",");
                return Err(table.error(
                    1,
                    "",
                    format!("expected columns among {wanted}, found {heading:?}"),
                ));
            }
            if table.headings[..index].contains(heading) {
                return Err(table.error(
                    1,
                    heading,
                    "expected a column once, found it twice".into(),
                ));
            }
        }
        for (line, text) in lines.filter(|(_, text)| !text.is_empty()) {
            let cells: Vec<&str> = text.split(',').map(str::trim).collect();
            if cells.len() != table.headings.len() {
                let (wanted, found) = (table.headings.len(), cells.len());
                return Err(table.error(
                    line,
                    "",
                    format!("expected {wanted} cells, found {found}"),
                ));
            }
            rows.push((line, cells));
        }
        if rows.is_empty() {
            return Err(table.error(2, "", "expected rows, found none".into()));
        }
        Ok(Self { rows, ..table })
    }

    /// Whether there is a column of this name.
    pub fn has(&self, column: &str) -> bool {
        self.headings.contains(&column)
    }

    /// The rows in order.
    pub fn rows(&'a self) -> impl Iterator<Item = Row<'a>> {
        self.rows.iter().map(|(line, cells)| Row { table: self, line: *line, cells })
    }

    fn error(&self, line: usize, column: &str, message: String) -> CsvError {
        CsvError { file: self.file.to_owned(), line, column: column.to_owned(), message }
    }
}

impl Row<'_> {
    /// A number in a range, or nothing where the cell is empty or the column missing.
    ///
    /// # Errors
    /// A cell that is not such a number.
    pub fn number(&self, column: &str, min: f64, max: f64) -> Result<Option<f64>, CsvError> {
        let Some(cell) = self.cell(column).filter(|cell| !cell.is_empty()) else { return Ok(None) };
        let number = cell.parse().ok().filter(|number| (min..=max).contains(number));
        let message = || format!("expected a number from {min} to {max}, found {}", short(cell));
        number.map(Some).ok_or_else(|| self.error(column, message()))
    }

    /// A number in a range that must be there.
    ///
    /// # Errors
    /// No such number.
    pub fn required(&self, column: &str, min: f64, max: f64) -> Result<f64, CsvError> {
        let message = || format!("expected a number from {min} to {max}, found nothing");
        self.number(column, min, max)?.ok_or_else(|| self.error(column, message()))
    }

    /// A whole number in a range that must be there.
    ///
    /// # Errors
    /// No such number.
    pub fn integer(&self, column: &str, min: i32, max: i32) -> Result<i32, CsvError> {
        let cell = self.cell(column).unwrap_or_default();
        let number = cell.parse().ok().filter(|number| (min..=max).contains(number));
        let message =
            || format!("expected a whole number from {min} to {max}, found {}", short(cell));
        number.ok_or_else(|| self.error(column, message()))
    }

    /// An error of this row.
    pub fn error(&self, column: &str, message: String) -> CsvError {
        self.table.error(self.line, column, message)
    }

    fn cell(&self, column: &str) -> Option<&str> {
        let index = self.table.headings.iter().position(|heading| *heading == column)?;
        self.cells.get(index).copied()
    }

    fn date(&self) -> Result<(i32, u8, u8), CsvError> {
        let year = self.integer("year", -9999, 9999)?;
        let month = self.integer("month", 1, 12)? as u8;
        Ok((year, month, self.integer("day", 1, days_of(year, month))? as u8))
    }
}

/// Observations, daily or hourly as their headings say.
///
/// # Errors
/// The first mistake; also days or hours that are not in order of time.
pub fn observations(file: &str, text: &str) -> Result<Record, CsvError> {
    let hourly =
        text.lines().next().is_some_and(|first| first.split(',').any(|h| h.trim() == "hour"));
    let known: &[&str] = if hourly { &HOURLY } else { &DAILY };
    let table = Table::parse(file, text, known)?;
    if hourly {
        let hours = in_order(table.rows(), hour, |h| (h.year, h.month, h.day, h.hour))?;
        Ok(Record::of_hours(hours))
    } else {
        Ok(Record::of_days(in_order(table.rows(), day, |d| (d.year, d.month, d.day, 0))?))
    }
}

fn in_order<'a, T>(
    rows: impl Iterator<Item = Row<'a>>,
    parse: impl Fn(&Row<'_>) -> Result<T, CsvError>,
    time: impl Fn(&T) -> (i32, u8, u8, u8),
) -> Result<Vec<T>, CsvError> {
    let mut parsed: Vec<T> = Vec::new();
    for row in rows {
        let next = parse(&row)?;
        if parsed.last().is_some_and(|last| time(last) >= time(&next)) {
            return Err(row.error("", "expected a time after that of the line before".to_owned()));
        }
        parsed.push(next);
    }
    Ok(parsed)
}

fn day(row: &Row<'_>) -> Result<Day, CsvError> {
    let (year, month, day) = row.date()?;
    let tmin_c = row.required("tmin_c", -95.0, 65.0)?;
    let tmax_c = row.required("tmax_c", tmin_c, 65.0)?;
    Ok(Day { year, month, day, tmin_c, tmax_c, precip_mm: row.number("precip_mm", 0.0, 2000.0)? })
}

fn hour(row: &Row<'_>) -> Result<Hour, CsvError> {
    let (year, month, day) = row.date()?;
    let name = row.cell("state").filter(|name| !name.is_empty());
    let state: Option<Result<WeatherState, _>> = name.map(str::parse);
    Ok(Hour {
        year,
        month,
        day,
        hour: row.integer("hour", 0, 23)? as u8,
        temp_c: row.number("temp_c", -95.0, 65.0)?,
        dew_c: row.number("dew_c", -110.0, 50.0)?,
        rh: row.number("rh", 0.0, 100.0)?,
        wind_ms: row.number("wind_ms", 0.0, 120.0)?,
        gust_ms: row.number("gust_ms", 0.0, 150.0)?,
        precip_mm: row.number("precip_mm", 0.0, 500.0)?,
        cloud: row.number("cloud", 0.0, 1.0)?,
        visibility_m: row.number("visibility_m", 0.0, 500_000.0)?,
        state: state.transpose().map_err(|error| row.error("state", error.to_string()))?,
    })
}

/// The headings of what `worldbus climate sample` prints.
pub fn sample_heading() -> String {
    HOURLY.join(",")
}

/// A line of what `worldbus climate sample` prints, its end included.
pub fn sample_line(hour: &Hour, day_of_year: u16) -> String {
    let Hour { year, month, day, hour: of_day, .. } = hour;
    let mut line = format!("{year},{month},{day},{day_of_year},{of_day}");
    let cells = [
        (hour.temp_c, 1),
        (hour.dew_c, 1),
        (hour.rh, 1),
        (hour.wind_ms, 1),
        (hour.gust_ms, 1),
        (hour.precip_mm, 3),
        (hour.cloud, 3),
        (hour.visibility_m, 0),
    ];
    for (value, digits) in cells {
        // Writing to a String cannot fail.
        let _ = match value {
            Some(value) => write!(line, ",{value:.digits$}"),
            None => write!(line, ","),
        };
    }
    line + "," + hour.state.map_or("", WeatherState::name) + "\n"
}

fn days_of(year: i32, month: u8) -> i32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn short(cell: &str) -> String {
    if cell.is_empty() { "nothing".to_owned() } else { cell.chars().take(40).collect() }
}

#[cfg(test)]
mod tests;
