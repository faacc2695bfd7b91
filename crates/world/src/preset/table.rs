//! Quantile tables over month, time of day and a latent deviate, read by straight lines between
//! their knots: no `erf`, no `exp` at run time. Not here: what the values mean.

use crate::whole::split;

/// Knots of a quantile function: deviates from -4 to 4 by halves.
pub const KNOT_COUNT: usize = 17;
/// Times of day: 0, 3, ... 21 o'clock.
pub const SLOT_COUNT: usize = 8;

const SLOT_HOURS: usize = 24 / SLOT_COUNT;
const KNOTS_PER_UNIT: f64 = 2.0;
const MIDDLE_KNOT: f64 = 8.0;

/// Monotone values by month, time of day and deviate: a row of knots for each time of each
/// month.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    rows: Vec<Row>,
}

/// The knots of a time of day of a month.
pub(super) type Row = [f64; KNOT_COUNT];

/// The deviate of a knot.
pub fn knot_z(knot: usize) -> f64 {
    (knot as f64 - MIDDLE_KNOT) / KNOTS_PER_UNIT
}

/// Where in the year and the day an instant is, as weights of the tables' rows. Months meet in
/// their middles, so nothing jumps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Season {
    months: [usize; 2],
    slots: [usize; 2],
    month_part: f64,
    slot_part: f64,
    pub(crate) hour: usize,
}

impl Season {
    /// A month of 0 to 11, the part of it that has passed, an hour of the day.
    pub(super) fn at(month: usize, part: f64, hour: usize) -> Self {
        let (months, month_part) = if part < 0.5 {
            ([(month + 11) % 12, month], part + 0.5)
        } else {
            ([month, (month + 1) % 12], part - 0.5)
        };
        let slot = hour / SLOT_HOURS;
        let slot_part = (hour % SLOT_HOURS) as f64 / SLOT_HOURS as f64;
        Self { months, slots: [slot, (slot + 1) % SLOT_COUNT], month_part, slot_part, hour }
    }

    /// Between the values of two months.
    pub(crate) fn monthly(&self, values: &[f64; 12]) -> f64 {
        lerp(values[self.months[0]], values[self.months[1]], self.month_part)
    }

    /// Between the values of two months and two times of day.
    pub(crate) fn over(&self, values: &[[f64; SLOT_COUNT]; 12]) -> f64 {
        self.blend(|month, slot| values[month][slot])
    }

    fn blend(&self, value: impl Fn(usize, usize) -> f64) -> f64 {
        let month =
            |m: usize| lerp(value(m, self.slots[0]), value(m, self.slots[1]), self.slot_part);
        lerp(month(self.months[0]), month(self.months[1]), self.month_part)
    }
}

impl Table {
    /// A table of whole numbers from a quantile function of month, slot and deviate.
    pub fn from_quantiles(quantile: impl Fn(usize, usize, f64) -> f64) -> Self {
        let row = |row: usize| {
            let (month, slot) = (row / SLOT_COUNT, row % SLOT_COUNT);
            core::array::from_fn(|k| libm::round(quantile(month, slot, knot_z(k))))
        };
        Self { rows: (0..12 * SLOT_COUNT).map(row).collect() }
    }

    /// A table of rows that rise.
    pub(super) fn of_rows(rows: Vec<Row>) -> Self {
        debug_assert!(rows.len() == 12 * SLOT_COUNT && rows.iter().all(|row| row.is_sorted()));
        Self { rows }
    }

    /// The rows, twelve times [`SLOT_COUNT`].
    pub fn rows(&self) -> &[[f64; KNOT_COUNT]] {
        &self.rows
    }

    pub(crate) fn at(&self, season: &Season, z: f64) -> f64 {
        read(z, |knot| self.blend(season, knot))
    }

    /// What [`Table::at`] gives for every deviate.
    pub(crate) fn curve(&self, season: &Season) -> Curve {
        Curve(core::array::from_fn(|knot| self.blend(season, knot)))
    }

    fn blend(&self, season: &Season, knot: usize) -> f64 {
        season.blend(|month, slot| self.rows[month * SLOT_COUNT + slot][knot])
    }
}

/// The quantile function of a moment.
#[derive(Clone, Debug)]
pub(crate) struct Curve(Row);

impl Curve {
    pub(crate) fn at(&self, z: f64) -> f64 {
        read(z, |knot| self.0[knot])
    }
}

/// Between the values of the two knots around a deviate.
#[inline]
fn read(z: f64, value: impl Fn(usize) -> f64) -> f64 {
    // Just below the last knot, which has no other to its right.
    const LAST: f64 = (KNOT_COUNT as f64 - 1.0).next_down();
    let (knot, part) = split((z * KNOTS_PER_UNIT + MIDDLE_KNOT).clamp(0.0, LAST));
    // The remainder is the knot itself, and shows that it lies in the table.
    let knot = knot as usize % (KNOT_COUNT - 1);
    lerp(value(knot), value(knot + 1), part)
}

fn lerp(a: f64, b: f64, part: f64) -> f64 {
    a + (b - a) * part
}
