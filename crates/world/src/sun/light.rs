//! What is published of the sun in a place, in whole numbers, the same from every machine.
//! Not here: where the sun is (`sun`), and the phases of the day (`phases`).

use super::{CIVIL_DEG, Sun};
use crate::time::GameTime;

/// It is as light as it gets for the eye while the sun is this high, and dark while it is as far
/// below the horizon: the end of civil twilight.
const BRIGHT_DEG: f64 = -CIVIL_DEG;
const CENTIDEGREES: f64 = 100.0;
const PERMILLE: f64 = 1000.0;

impl Sun {
    /// Hundredths of a degree of the sun's centre above the horizon, without refraction.
    pub fn altitude_centidegrees(&self, game: GameTime, latitude: f64, longitude: f64) -> i32 {
        libm::round(self.altitude_deg(game, latitude, longitude) * CENTIDEGREES) as i32
    }

    /// How light it is: 0 while the sun is 6 degrees or more below the horizon, 1000 while it is
    /// as much above, in between by its altitude.
    pub fn light_permille(&self, game: GameTime, latitude: f64, longitude: f64) -> u32 {
        let altitude = self.altitude_deg(game, latitude, longitude);
        let share = (altitude + BRIGHT_DEG) / (2.0 * BRIGHT_DEG);
        libm::round(share.clamp(0.0, 1.0) * PERMILLE) as u32
    }
}
