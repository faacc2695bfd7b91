//! How fast the phases of the day pass, as people say it: nights twice as fast.
//! Not here: the arithmetic (`curve`).

use std::fmt;

use super::curve::{Curve, CurveError, Piece};
use crate::calendar::{Calendar, Phase};
use crate::schedule::phase_start_us;
use crate::time::GameTime;

const HUNDREDTHS: u64 = 100;
const HUNDREDTHS_MAX: u64 = 100 * HUNDREDTHS;

/// Speeds of the four phases over the clock's own scale, each from 0.01 to 100, in hundredths. The
/// phases are those of the clock's fixed hours, whatever a world's sun does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PhaseSpeeds {
    hundredths: [u64; 4],
}

/// Why there are no such speeds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{phase}: expected a speed from 0.01 to 100 with at most two decimals, found {found}")]
pub struct SpeedError {
    /// The phase, as in JSON: `night`.
    pub phase: &'static str,
    /// What was found.
    pub found: String,
}

impl Default for PhaseSpeeds {
    /// All phases at the clock's own scale.
    fn default() -> Self {
        Self { hundredths: [HUNDREDTHS; 4] }
    }
}

impl PhaseSpeeds {
    /// The same speeds but for one phase.
    ///
    /// # Errors
    /// A speed that is no number from 0.01 to 100, or has more than two decimals.
    pub fn with(mut self, phase: Phase, speed: f64) -> Result<Self, SpeedError> {
        let refused = || SpeedError { phase: phase.name(), found: speed.to_string() };
        let hundredths = (speed * HUNDREDTHS as f64).round();
        let whole = (hundredths / HUNDREDTHS as f64 - speed).abs() < 1e-9;
        if !whole || !(1.0..=HUNDREDTHS_MAX as f64).contains(&hundredths) {
            return Err(refused());
        }
        self.hundredths[phase as usize - 1] = hundredths as u64;
        Ok(self)
    }

    /// The curve of these speeds under a calendar; none if all phases run at the clock's scale.
    ///
    /// # Errors
    /// Speeds that have no common measure that is coarse enough.
    pub fn curve(&self, calendar: &Calendar) -> Result<Option<Curve>, CurveError> {
        if *self == Self::default() {
            return Ok(None);
        }
        let reduced = self.hundredths.map(|speed| {
            let common = gcd(speed, HUNDREDTHS);
            (speed / common, HUNDREDTHS / common)
        });
        // At most 10,000 each: four of them fit into 64 bits.
        let units = reduced.iter().fold(1, |all, (num, _)| all / gcd(all, *num) * num);
        let begin = phase_start_us(Phase::START_HOURS[0].0, calendar);
        let mut pieces = [Piece::default(); 4];
        for (piece, (hour, phase)) in pieces.iter_mut().zip(Phase::START_HOURS) {
            let (num, den) = reduced[phase as usize - 1];
            piece.start_us = phase_start_us(hour, calendar) - begin;
            piece.slope = units / num * den;
        }
        let day_us = calendar.day_us();
        let offset = (calendar.time_of_day_us(GameTime(0)) - begin).rem_euclid(day_us);
        Curve::new(day_us, offset, units, &pieces).map(Some)
    }
}

/// What is not at the clock's own scale: `night 2.5 times as fast`.
impl fmt::Display for PhaseSpeeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let speed = |phase: Phase| self.hundredths[phase as usize - 1];
        let others = Phase::START_HOURS.map(|(_, phase)| phase);
        let others = others.into_iter().filter(|phase| speed(*phase) != HUNDREDTHS);
        let texts: Vec<String> = others
            .map(|phase| {
                let times = speed(phase) as f64 / HUNDREDTHS as f64;
                format!("{} {times} times as fast", phase.name())
            })
            .collect();
        f.write_str(if texts.is_empty() { "all phases alike" } else { "" })?;
        f.write_str(&texts.join(", "))
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
