//! Which days there are: a cycle of years after which everything repeats, and tables of where
//! its years and their months begin. Integers only, the same for every calendar.
//! Not here: names, hours, the way from a file (`parse`).

use super::date::Day;
use super::parts::{Intercalary, Leap, Month, YearRule};

/// Years until leap rules repeat.
pub(super) const CYCLE_YEARS_MAX: i64 = 10_000;

/// Where years and months begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Years {
    /// Days, and days within weeks, before each year of a cycle; one more for its end.
    starts: Vec<[u32; 2]>,
    layout_of: Vec<u16>,
    layouts: Vec<Layout>,
    week_days: i64,
    /// The weekday of the first day of year 0.
    weekday: i64,
}

/// A kind of year.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Layout {
    /// Days before each month; one more for the year's end.
    month_starts: Vec<u16>,
    month_days: Vec<u8>,
    /// The intercalary days after each month.
    intercalary: Vec<Vec<u8>>,
}

/// Years until all rules repeat; none if that is beyond [`CYCLE_YEARS_MAX`].
pub(super) fn cycle_years<'r>(rules: impl Iterator<Item = &'r YearRule>) -> Option<i64> {
    let steps = rules.flat_map(|r| [Some(r.every), r.except_every]).flatten();
    let lcm = |a: i64, b: i64| a / gcd(a, b) * b;
    let whole = steps.map(i64::from).try_fold(1, |all, step| {
        let all = lcm(all, step);
        (all <= CYCLE_YEARS_MAX).then_some(all)
    });
    whole.filter(|years| *years <= CYCLE_YEARS_MAX)
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl Years {
    /// The years of checked rules; `first_weekday` is that of the first day of year 1.
    pub(super) fn new(
        (months, leaps, intercalary): (&[Month], &[Leap], &[Intercalary]),
        cycle_years: i64,
        week_days: usize,
        first_weekday: u8,
    ) -> Self {
        let mut years = Self {
            starts: vec![[0, 0]],
            layout_of: Vec::new(),
            layouts: Vec::new(),
            week_days: week_days as i64,
            weekday: 0,
        };
        for year in 0..cycle_years {
            let layout = Layout::new(months, leaps, intercalary, year);
            let [days, in_weeks] = years.starts[years.starts.len() - 1];
            let next = [days + u32::from(layout.days()), in_weeks + u32::from(layout.week_days())];
            years.starts.push(next);
            let known = years.layouts.iter().position(|known| *known == layout);
            years.layout_of.push(known.unwrap_or(years.layouts.len()) as u16);
            if known.is_none() {
                years.layouts.push(layout);
            }
        }
        let before = i64::from(years.layouts[usize::from(years.layout_of[0])].week_days());
        if week_days > 0 {
            years.weekday = (i64::from(first_weekday) - before).rem_euclid(years.week_days);
        }
        years
    }

    /// The day by its number since the first of year 0.
    pub(super) fn day(&self, number: i64) -> Day {
        let cycle_days = self.cycle()[0];
        let (cycle, of_cycle) = (number.div_euclid(cycle_days), number.rem_euclid(cycle_days));
        let years = self.layout_of.len() as i64;
        let mut index = (of_cycle * years / cycle_days) as usize;
        while i64::from(self.starts[index][0]) > of_cycle {
            index -= 1;
        }
        while i64::from(self.starts[index + 1][0]) <= of_cycle {
            index += 1;
        }
        let layout = &self.layouts[usize::from(self.layout_of[index])];
        let of_year = (of_cycle - i64::from(self.starts[index][0])) as u16;
        let (month, day) = layout.month_of(of_year);
        let intercalary = layout.intercalary_at(month, day);
        Day {
            number,
            year: (cycle * years + index as i64) as i32,
            month: month as u8 + 1,
            day,
            day_of_year: of_year + 1,
            year_days: layout.days(),
            weekday: match intercalary {
                Some(_) => None,
                None => self.weekday(cycle, index, of_year - layout.outside_before(month)),
            },
            intercalary,
        }
    }

    /// The number of a day that exists.
    pub(super) fn number(&self, year: i32, month: u8, day: u8) -> i64 {
        let years = self.layout_of.len() as i64;
        let cycle = i64::from(year).div_euclid(years);
        let start = self.starts[i64::from(year).rem_euclid(years) as usize][0];
        let of_year = self.layout(year).month_starts[usize::from(month) - 1];
        cycle * self.cycle()[0] + i64::from(start) + i64::from(of_year) + i64::from(day) - 1
    }

    /// Days of a month, with the intercalary days that follow it.
    pub(super) fn month_days(&self, year: i32, month: u8) -> (u8, u8) {
        let (layout, month) = (self.layout(year), usize::from(month) - 1);
        (layout.month_days[month], layout.intercalary[month].len() as u8)
    }

    /// Days of a year on average.
    pub(super) fn mean_days(&self) -> f64 {
        self.cycle()[0] as f64 / self.layout_of.len() as f64
    }

    /// The most days that a month ever has.
    pub(super) fn month_days_max(&self, month: u8) -> u8 {
        let days = self.layouts.iter().map(|l| l.month_days[usize::from(month) - 1]);
        days.max().unwrap_or(0)
    }

    fn layout(&self, year: i32) -> &Layout {
        let index = i64::from(year).rem_euclid(self.layout_of.len() as i64) as usize;
        &self.layouts[usize::from(self.layout_of[index])]
    }

    fn cycle(&self) -> [i64; 2] {
        self.starts[self.starts.len() - 1].map(i64::from)
    }

    fn weekday(&self, cycle: i64, index: usize, in_year: u16) -> Option<u8> {
        let number = i128::from(cycle) * i128::from(self.cycle()[1])
            + i128::from(self.starts[index][1])
            + i128::from(in_year)
            + i128::from(self.weekday);
        (self.week_days > 0).then(|| number.rem_euclid(i128::from(self.week_days)) as u8)
    }
}

impl Layout {
    fn new(months: &[Month], leaps: &[Leap], intercalary: &[Intercalary], year: i64) -> Self {
        let (mut starts, mut month_days, mut outside) = (vec![0], Vec::new(), Vec::new());
        for (month, rule) in months.iter().enumerate() {
            let leap = leaps.iter().filter(|l| usize::from(l.month) == month && l.rule.holds(year));
            let days = rule.days + leap.count() as u8;
            let after = intercalary.iter().zip(0..).filter(|(day, _)| {
                usize::from(day.month) == month && day.rule.is_none_or(|rule| rule.holds(year))
            });
            let after: Vec<u8> = after.map(|(_, index)| index).collect();
            starts.push(starts[month] + u16::from(days) + after.len() as u16);
            month_days.push(days);
            outside.push(after);
        }
        Self { month_starts: starts, month_days, intercalary: outside }
    }

    fn days(&self) -> u16 {
        self.month_starts[self.month_starts.len() - 1]
    }

    fn week_days(&self) -> u16 {
        self.month_days.iter().map(|days| u16::from(*days)).sum()
    }

    fn month_of(&self, of_year: u16) -> (usize, u8) {
        let month = self.month_starts.partition_point(|start| *start <= of_year) - 1;
        (month, (of_year - self.month_starts[month]) as u8 + 1)
    }

    fn intercalary_at(&self, month: usize, day: u8) -> Option<u8> {
        let after = day.checked_sub(self.month_days[month] + 1)?;
        self.intercalary[month].get(usize::from(after)).copied()
    }

    fn outside_before(&self, month: usize) -> u16 {
        self.intercalary[..month].iter().map(|days| days.len() as u16).sum()
    }
}
