//! What years are made of: months, the days that some years have more, days outside months, eras.
//! Not here: where they begin (`years`).

/// A month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Month {
    /// For people.
    pub name: String,
    /// Days in a year that is no leap year.
    pub days: u8,
}

/// A day outside months and weeks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intercalary {
    /// For people.
    pub name: String,
    /// The month that it follows, counted from 0.
    pub(super) month: u8,
    /// In which years; in all if it is left out.
    pub(super) rule: Option<YearRule>,
}

/// A day that a month has more in some years.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leap {
    pub(super) rule: YearRule,
    /// Counted from 0.
    pub(super) month: u8,
}

/// Some years: each multiple of `every` that is no multiple of `except_every`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct YearRule {
    pub(super) every: u32,
    pub(super) except_every: Option<u32>,
}

/// A stretch of years with a count of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Era {
    /// For people.
    pub name: String,
    /// The year that is its year 1.
    pub year_one: i32,
    /// Its years are counted back from year 1.
    pub backwards: bool,
}

impl YearRule {
    pub(super) fn holds(&self, year: i64) -> bool {
        let multiple = |of: u32| year.rem_euclid(i64::from(of)) == 0;
        multiple(self.every) && !self.except_every.is_some_and(multiple)
    }
}

impl Intercalary {
    /// The month that it follows, from 1.
    pub fn after_month(&self) -> u8 {
        self.month + 1
    }
}
