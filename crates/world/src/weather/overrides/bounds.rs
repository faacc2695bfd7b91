//! Bounds of the numbers of an override, in the units of its record. Not here: those of counts and
//! of fades (`check`).

use core::ops::RangeInclusive;

/// Added to temperature and dew point, tenths of a degree.
pub const OFFSET_TEMPERATURE_DC: RangeInclusive<i64> = -600..=600;
/// Added to the mean wind, decimetres per second.
pub const OFFSET_WIND_DMPS: RangeInclusive<i64> = -500..=500;
/// What falls is multiplied by this, thousandths.
pub const OFFSET_RAIN_PERMILLE: RangeInclusive<i64> = 0..=10_000;
/// Days of the world's calendar that a season is shifted by.
pub const SHIFT_DAYS: RangeInclusive<i64> = -366..=366;
/// The radius of a storm cell, metres.
pub const CELL_RADIUS_M: RangeInclusive<i64> = 1_000..=2_000_000;
/// The speed of a storm cell, metres in a game hour.
pub const CELL_SPEED_MPH: RangeInclusive<i64> = 0..=2_000_000;
/// Thousandths of a degree to the north.
pub const LATITUDE_MDEG: RangeInclusive<i64> = -90_000..=90_000;
/// Thousandths of a degree to the east.
pub const LONGITUDE_MDEG: RangeInclusive<i64> = -180_000..=180_000;
