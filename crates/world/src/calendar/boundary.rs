//! When the next phase of the day, day, year or moon phase begins: what events are published
//! at. Each is after the instant asked about, and none if beyond what 64 bits of microseconds
//! hold. Not here: phases of the day by the sun (`sun`), who publishes them.

use super::Calendar;
use super::phase::Phase;
use crate::time::GameTime;

impl Calendar {
    /// The beginning of the next phase of the day, by the clock, and which.
    pub fn next_phase(&self, after: GameTime) -> Option<(GameTime, Phase)> {
        let (number, us) = self.split(after);
        let seconds = self.day_us() / GameTime::SECOND_US;
        let start = |hour: u8| {
            let second = (i64::from(hour) * seconds + 23) / 24;
            second * GameTime::SECOND_US
        };
        let today = Phase::START_HOURS.iter().find(|(hour, _)| start(*hour) > us);
        let (day, (hour, phase)) = match today {
            Some(found) => (number, found),
            None => (number + 1, &Phase::START_HOURS[0]),
        };
        Some((self.instant(day, start(*hour))?, *phase))
    }

    /// The beginning of the next day.
    pub fn next_day(&self, after: GameTime) -> Option<GameTime> {
        self.day_begins(self.day_number(after) + 1)
    }

    /// The beginning of the next year.
    pub fn next_year(&self, after: GameTime) -> Option<GameTime> {
        let year = self.day(after).year;
        self.day_begins(self.rules.years.number(year + 1, 1, 1))
    }

    /// The beginning of the next phase of a moon, by its index in
    /// [`super::CalendarRules::moons`]; none if there is no such moon.
    pub fn next_moon_phase(&self, moon: usize, after: GameTime) -> Option<GameTime> {
        let (number, us) = self.split(after);
        let moon = self.rules.moons.get(moon)?;
        let next = moon.to_next_phase(self.since_year_one(number, us));
        after.0.checked_add(next).map(GameTime)
    }
}
