//! The phases of the day in a place, by the clock or by the sun, and when the next begins.
//! By the sun they change at whole minutes of game time.

use super::{CIVIL_DEG, PhasePolicy, Place, RISE_DEG, Sun};
use crate::calendar::Phase;
use crate::time::GameTime;

/// Days that are looked through for the next phase: in polar day none begins for half a year.
const SEARCH_DAYS_MAX: i64 = 1_000;

impl Sun {
    /// The phase of the day in a place. By the sun it is dawn from solar midnight on and dusk
    /// after noon; where the sun stays up it is day, and where it stays far below it is night.
    pub fn phase(&self, game: GameTime, latitude: f64, longitude: f64) -> Phase {
        match self.rules.phases {
            PhasePolicy::Fixed => self.calendar.phase(game),
            PhasePolicy::Astronomical => {
                self.phase_of_minute(game.minutes(), self.place(latitude, longitude)).0
            }
        }
    }

    /// The beginning of the next phase in a place, and which; none where no phase begins in the
    /// next thousand days, as at the pole of a world without seasons.
    pub fn next_phase(
        &self,
        after: GameTime,
        latitude: f64,
        longitude: f64,
    ) -> Option<(GameTime, Phase)> {
        if self.rules.phases == PhasePolicy::Fixed {
            return self.calendar.next_phase(after);
        }
        let place = self.place(latitude, longitude);
        let (now, _) = self.phase_of_minute(after.minutes(), place);
        let mut minute = after.minutes();
        // From midnight to noon the sun rises only, then sinks only: one change at most of a kind.
        for _ in 0..2 * SEARCH_DAYS_MAX {
            let turn = self.next_turn(minute, place);
            let changed = |minute: i64| self.phase_of_minute(minute, place).0 != now;
            if changed(turn - 1) {
                minute = first_true(minute, turn - 1, changed);
            } else {
                minute = turn;
            }
            let (phase, _) = self.phase_of_minute(minute, place);
            if phase != now {
                let game = GameTime::from_minutes(minute);
                return (game > after).then_some((game, phase));
            }
        }
        None
    }

    /// The phase of a whole minute, and whether it is before noon.
    fn phase_of_minute(&self, minute: i64, place: Place) -> (Phase, bool) {
        let (altitude, share) = self.altitude(GameTime::from_minutes(minute), place);
        let (degrees, morning) = (altitude.to_degrees(), share < 0.5);
        let phase = if degrees >= RISE_DEG {
            Phase::Day
        } else if degrees < CIVIL_DEG {
            Phase::Night
        } else if morning {
            Phase::Dawn
        } else {
            Phase::Dusk
        };
        (phase, morning)
    }

    /// The next minute that is on the other side of noon or midnight.
    fn next_turn(&self, minute: i64, place: Place) -> i64 {
        let (_, share) = self.altitude(GameTime::from_minutes(minute), place);
        let morning = share < 0.5;
        let left = if morning { 0.5 - share } else { 1.0 - share };
        let day = self.calendar.day_us() / GameTime::MINUTE_US;
        let mut turn = minute + (libm::ceil(left * day as f64) as i64).max(1);
        while turn > minute + 1 && self.phase_of_minute(turn - 1, place).1 != morning {
            turn -= 1;
        }
        while self.phase_of_minute(turn, place).1 == morning && turn < minute + day {
            turn += 1;
        }
        turn
    }
}

/// The first number after `low` up to `high` of which it is true, when it is of `high`.
fn first_true(mut low: i64, mut high: i64, is: impl Fn(i64) -> bool) -> i64 {
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if is(middle) { high = middle } else { low = middle }
    }
    high
}
