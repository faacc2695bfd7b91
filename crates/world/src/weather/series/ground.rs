//! What lies on the ground: snow, wetness, frost, from the weather of the hours before. A closed
//! form over a bounded look-back, so that any instant costs the same and nothing is kept.
//! Not here: terrain, what people do about it.

use crate::time::GameTime;
use crate::weather::{Overrides, Weather};

/// Snow that fell this many hours ago or more no longer counts.
pub const GROUND_LOOK_BACK_HOURS: i64 = 30 * 24;
/// The snow's balance is drawn up in steps of this.
const SNOW_STEP_HOURS: i64 = 6;
/// Snow in water that lies at most; once so much has melted since, nothing older can lie.
const SNOW_UM_MAX: i64 = 300_000;
/// Melting by degree-hours, micrometres of water for a tenth of a degree above freezing and an
/// hour: 3.6 mm a day and degree, the middle of what is published for open ground.
const MELT_UM_PER_DC_HOUR: i64 = 15;
/// Settled snow is five times as deep as its water.
const DEPTH_PER_WATER: i64 = 5;

/// Rain of this many hours counts for wetness, the less the older it is.
const WET_HOURS: i64 = 24;
const WET_STEP_HOURS: i64 = 3;
/// Fresh water on the ground that makes puddles.
const PUDDLES_UM: i64 = 8_000;

/// The ground of a region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ground {
    /// Millimetres of snow, in tens.
    pub snow_depth_mm: u16,
    /// 0 dry to 1000 puddles, in hundreds.
    pub wetness_permille: u16,
    /// The day before was below freezing in the mean.
    pub frozen: bool,
}

impl Weather {
    /// The ground of a region, as of the last whole game hour.
    ///
    /// # Panics
    /// If the world has no region of this index.
    pub fn ground(&self, region: usize, time: GameTime, overrides: &Overrides) -> Ground {
        let snow_um = self.snow_um(region, time.hours(), overrides);
        let (water_um, mean_dc) = self.surface(region, time.hours(), overrides);
        let melts = if snow_um > 0 && mean_dc > 0 { PUDDLES_UM / 2 } else { 0 };
        let wet = (water_um.max(melts) * 10 / PUDDLES_UM).clamp(0, 10) * 100;
        Ground {
            snow_depth_mm: (snow_um * DEPTH_PER_WATER / 10_000 * 10) as u16,
            wetness_permille: wet as u16,
            frozen: mean_dc < 0,
        }
    }

    /// Water that lies as snow: what has come and not gone since some hour, for the hour of
    /// which that is most (the closed form of "add, take away, never below nothing").
    fn snow_um(&self, region: usize, hour: i64, overrides: &Overrides) -> i64 {
        let (mut balance, mut most) = (0, 0);
        for back in (0..GROUND_LOOK_BACK_HOURS).step_by(SNOW_STEP_HOURS as usize) {
            let time = GameTime::from_hours(hour.saturating_sub(back));
            let c = self.conditions(region, time, overrides);
            let melt = i64::from(c.temperature_dc).max(0) * MELT_UM_PER_DC_HOUR;
            balance += (i64::from(c.snow_umph) - melt) * SNOW_STEP_HOURS;
            most = most.max(balance);
            if balance < -SNOW_UM_MAX {
                break;
            }
        }
        most.min(SNOW_UM_MAX)
    }

    /// Water of the last rain, and the mean temperature in tenths of a degree.
    fn surface(&self, region: usize, hour: i64, overrides: &Overrides) -> (i64, i64) {
        let (mut water_um, mut sum_dc) = (0, 0);
        for back in (0..WET_HOURS).step_by(WET_STEP_HOURS as usize) {
            let time = GameTime::from_hours(hour.saturating_sub(back));
            let c = self.conditions(region, time, overrides);
            let rain = i64::from(c.precipitation_umph - c.snow_umph) * WET_STEP_HOURS;
            water_um += rain * (WET_HOURS - back) / WET_HOURS;
            sum_dc += i64::from(c.temperature_dc);
        }
        (water_um, sum_dc * WET_STEP_HOURS / WET_HOURS)
    }
}
