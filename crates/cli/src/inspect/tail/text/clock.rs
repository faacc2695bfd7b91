//! The game clock as the events of a stream show it: a column for people.
//!
//! Each world's hours and dates are what its ticks, hours, days and phases say; in between, the
//! clock as it was announced shows how far it is when an event happened. What nothing was announced
//! of stays at what was published last.
//!
//! Not here: the rules of a calendar, which no event carries. Hours of 60 minutes and days of 24
//! hours are taken for granted until a tick contradicts them; from then on the last tick is shown.

use std::collections::BTreeMap;
use std::fmt;

use worldbus_events::{Event as _, EventView, v1};
use worldbus_simulated::segment;
use worldbus_world::{Clock, WallTime, Year};

/// Worlds whose clocks are kept.
const WORLD_COUNT_MAX: usize = 64;
const MINUTE_US: i64 = 60_000_000;
const HOUR_MINUTES: i64 = 60;
const DAY_MINUTES: i64 = 24 * HOUR_MINUTES;

/// The event types that carry the game clock: what a text stream reads besides what it shows.
pub(crate) const CLOCK_TYPES: [u32; 4] = [
    v1::TimeUpdated::NUMBER,
    v1::HourChanged::NUMBER,
    v1::TimeChanged::NUMBER,
    v1::ClockChanged::NUMBER,
];
/// The topic that they travel on.
pub(crate) const CLOCK_TOPIC: &str = "time";

/// The clocks of the worlds of a stream.
#[derive(Default)]
pub(super) struct Clocks {
    worlds: BTreeMap<String, World>,
}

/// What is known of a world's clock.
#[derive(Default)]
struct World {
    announced: Option<Clock>,
    published: Option<Now>,
    /// Its hours or days are not those of Earth.
    is_foreign: bool,
}

/// A world's game time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Now {
    date: Option<v1::Date>,
    hour: u32,
    minute: u32,
    /// Game microseconds since the world's epoch.
    game_us: i64,
}

impl Clocks {
    /// Follows what an event states about the time.
    pub(super) fn follow(&mut self, event: &EventView<'_>) {
        if !CLOCK_TYPES.contains(&event.event_type) && event.event_type != v1::DayChanged::NUMBER {
            return;
        }
        let world = event.batch().world();
        if !self.worlds.contains_key(world) {
            if self.worlds.len() == WORLD_COUNT_MAX {
                return;
            }
            self.worlds.insert(world.to_owned(), World::default());
        }
        if let Some(world) = self.worlds.get_mut(world) {
            world.follow(event.event_type, event.payload);
        }
    }

    /// When an event happened: its own game time if it has one, else what the clock showed then;
    /// and how people say it, once an event has carried the time of day.
    pub(super) fn at(
        &self,
        world: &str,
        own_us: Option<i64>,
        timestamp_ms: i64,
    ) -> (Option<i64>, Option<Now>) {
        let Some(world) = self.worlds.get(world) else { return (own_us, None) };
        match own_us.or_else(|| world.announced_us(timestamp_ms)) {
            Some(game_us) => (Some(game_us), world.shown(game_us)),
            None => (world.published.map(|now| now.game_us), world.published),
        }
    }
}

impl World {
    fn follow(&mut self, event_type: u32, payload: &[u8]) {
        if event_type == v1::ClockChanged::NUMBER {
            self.hear(payload);
        } else if let Some(now) = self.advance(event_type, payload) {
            self.published = Some(now);
        }
    }

    fn hear(&mut self, payload: &[u8]) {
        let announced = v1::ClockChanged::from_payload(payload).ok();
        let Some(segment) = announced.and_then(|event| segment(&event).ok()) else { return };
        match &mut self.announced {
            // A segment that the clock refuses changes nothing.
            Some(clock) => drop(clock.insert(segment)),
            none => *none = Clock::from_segments([segment]).ok(),
        }
    }

    /// By the announced clock; where it jumps within the millisecond, by what follows; `None`
    /// before the first segment that was announced.
    fn announced_us(&self, timestamp_ms: i64) -> Option<i64> {
        let clock = self.announced.as_ref()?;
        let begin = WallTime(timestamp_ms.checked_mul(1000)?);
        let end = begin.plus_us(999);
        if clock.segments().first()?.anchor_wall > end {
            return None;
        }
        // A timestamp is rounded down, and most things happen on a whole game minute: if one
        // begins within the millisecond, that is when it was.
        let (first_us, last_us) = (clock.game_at(begin).0, clock.game_at(end).0);
        let minute_us = last_us.div_euclid(MINUTE_US) * MINUTE_US;
        Some(first_us.max(minute_us))
    }

    fn shown(&self, game_us: i64) -> Option<Now> {
        let published = self.published?;
        Some(if self.is_foreign { published } else { published.moved_to(game_us) })
    }

    /// The time after an event; `None` if it carries no time.
    fn advance(&mut self, event_type: u32, payload: &[u8]) -> Option<Now> {
        match event_type {
            v1::TimeUpdated::NUMBER => {
                let tick = v1::TimeUpdated::from_payload(payload).ok()?;
                let game_us = tick.total_minutes.checked_mul(MINUTE_US)?;
                let now = Now { date: None, hour: tick.hour, minute: tick.minute, game_us };
                self.is_foreign |= !now.is_of_earth(self.shown(game_us));
                // Ticks carry no date.
                Some(Now { date: self.date_at(&now), ..now })
            }
            v1::HourChanged::NUMBER => {
                let hour = v1::HourChanged::from_payload(payload).ok()?;
                // After a jump it is not the hour's beginning; a world's epoch is at a whole hour.
                let minute = match self.is_foreign {
                    true => 0,
                    false => hour.game_us.div_euclid(MINUTE_US).rem_euclid(HOUR_MINUTES) as u32,
                };
                Some(Now { date: hour.date, hour: hour.hour, minute, game_us: hour.game_us })
            }
            v1::DayChanged::NUMBER => {
                let day = v1::DayChanged::from_payload(payload).ok()?;
                Some(Now { date: day.date, ..self.shown(day.game_us)? })
            }
            // The phases of one region's sun come at times between those of the world.
            v1::TimeChanged::NUMBER => {
                let phase = v1::TimeChanged::from_payload(payload).ok()?;
                let game_us = phase.total_minutes.checked_mul(MINUTE_US)?;
                Some(Now { date: phase.date, hour: phase.hour, minute: phase.minute, game_us })
            }
            _ => None,
        }
    }

    /// The date that was published last, while it is still that day.
    fn date_at(&self, now: &Now) -> Option<v1::Date> {
        let before = self.published?;
        match self.is_foreign {
            true => before.date.filter(|_| (before.hour, before.minute) <= (now.hour, now.minute)),
            false => before.moved_to(now.game_us).date,
        }
    }
}

impl Now {
    /// Whether it is what hours of 60 minutes and days of 24 hours make of the time before.
    fn is_of_earth(&self, expected: Option<Self>) -> bool {
        let minute = self.game_us.div_euclid(MINUTE_US).rem_euclid(HOUR_MINUTES);
        let time = (self.hour, self.minute);
        minute == i64::from(self.minute)
            && expected.is_none_or(|expected| (expected.hour, expected.minute) == time)
    }

    /// Another game time by the calendar of Earth; without a date on another day, whose name is
    /// the world's to say.
    fn moved_to(self, game_us: i64) -> Self {
        let of_day = i64::from(self.hour) * HOUR_MINUTES + i64::from(self.minute);
        let minutes = game_us.div_euclid(MINUTE_US) - self.game_us.div_euclid(MINUTE_US) + of_day;
        let date = self.date.filter(|_| minutes.div_euclid(DAY_MINUTES) == 0);
        let of_day = minutes.rem_euclid(DAY_MINUTES) as u32;
        let (hour, minute) = (of_day / HOUR_MINUTES as u32, of_day % HOUR_MINUTES as u32);
        Self { date, hour, minute, game_us }
    }
}

/// `2024-03-01 07:05`, or the time alone while no date was published yet.
impl fmt::Display for Now {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = format!("{:02}:{:02}", self.hour, self.minute);
        match self.date {
            Some(date) => {
                let year = Year(date.year.into());
                f.pad(&format!("{year}-{:02}-{:02} {time}", date.month, date.day))
            }
            None => f.pad(&format!("{:11}{time}", "")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use worldbus_events::prost::Message as _;

    fn tick(hour: u32, minute: u32, total_minutes: i64) -> Vec<u8> {
        v1::TimeUpdated { hour, minute, total_minutes, ..Default::default() }.encode_to_vec()
    }

    fn follow<E: worldbus_events::Event>(world: &mut World, event: &E) -> Option<Now> {
        world.follow(E::NUMBER, &event.encode_to_vec());
        world.published
    }

    fn hour(date: v1::Date, hour: u32, minutes: i64) -> v1::HourChanged {
        let game_us = minutes * MINUTE_US;
        v1::HourChanged { date: Some(date), hour, game_us, ..Default::default() }
    }

    const DATE: v1::Date = v1::Date { year: 1203, month: 2, day: 9 };

    #[test]
    fn hour_gives_the_date_that_ticks_keep_until_midnight() {
        let mut world = World::default();
        let now = follow(&mut world, &hour(DATE, 23, 1380));
        assert_eq!(now.unwrap().to_string(), "1203-02-09 23:00");
        world.follow(v1::TimeUpdated::NUMBER, &tick(23, 59, 1439));
        assert_eq!(world.published.unwrap().to_string(), "1203-02-09 23:59");
        world.follow(v1::TimeUpdated::NUMBER, &tick(0, 0, 1440));
        assert_eq!(world.published.unwrap().to_string(), "           00:00");
        assert_eq!(world.published.unwrap().game_us, 1440 * MINUTE_US);
    }

    #[test]
    fn hour_and_day_that_the_clock_jumped_into_have_their_own_minute() {
        let mut world = World::default();
        world.follow(v1::TimeUpdated::NUMBER, &tick(10, 0, 240));
        let game_us = (240 + 1590) * MINUTE_US;
        let day = v1::DayChanged { date: Some(DATE), game_us, ..Default::default() };
        assert_eq!(follow(&mut world, &day).unwrap().to_string(), "1203-02-09 12:30");
        let now = follow(&mut world, &hour(DATE, 12, 240 + 1590));
        assert_eq!(now.unwrap().to_string(), "1203-02-09 12:30");
    }

    #[test]
    fn announced_clock_gives_the_time_of_what_has_none_of_its_own_to_the_whole_minute() {
        let mut world = World::default();
        world.follow(v1::TimeUpdated::NUMBER, &tick(6, 0, 0));
        let announced = v1::ClockChanged {
            anchor_wall_us: 1_000_000,
            scale_numerator: 144,
            scale_denominator: 1,
            ..Default::default()
        };
        follow(&mut world, &announced);
        let clocks = Clocks { worlds: [("w".to_owned(), world)].into() };
        let shown = |own, ms| clocks.at("w", own, ms).1.unwrap().to_string().trim().to_owned();
        // The clock strikes 06:10 at 1,000,000 us + 600 s / 144 = 5,166,666.7 us.
        assert_eq!([shown(None, 5165), shown(None, 5166)], ["06:09", "06:10"]);
        assert_eq!(clocks.at("w", None, 5166).0, Some(10 * MINUTE_US));
        assert_eq!(shown(Some(1459 * MINUTE_US), 5166), "06:19");
        // Nothing was announced of the time before: what was published last stays.
        assert_eq!(shown(None, 500), "06:00");
        assert_eq!(clocks.at("other", Some(5), 500), (Some(5), None));
    }

    #[test]
    fn ticks_of_a_calendar_that_is_not_that_of_earth_are_shown_as_they_are() {
        let mut world = World::default();
        world.follow(v1::TimeUpdated::NUMBER, &tick(0, 70, 70));
        assert!(world.is_foreign);
        assert_eq!(world.shown(99 * MINUTE_US), world.published);
        assert_eq!(follow(&mut world, &hour(DATE, 1, 100)).unwrap().minute, 0);
        let mut world = World::default();
        world.follow(v1::TimeUpdated::NUMBER, &tick(23, 59, 1439));
        world.follow(v1::TimeUpdated::NUMBER, &tick(24, 0, 1440));
        assert!(world.is_foreign);
    }

    #[test]
    fn event_without_time_or_with_a_broken_payload_moves_nothing() {
        let mut world = World::default();
        world.follow(v1::WeatherChanged::NUMBER, &[]);
        world.follow(v1::TimeUpdated::NUMBER, &[0xff]);
        world.follow(v1::ClockChanged::NUMBER, &[0xff]);
        world.follow(v1::ClockChanged::NUMBER, &[]);
        world.follow(v1::TimeUpdated::NUMBER, &tick(0, 0, i64::MAX));
        assert_eq!((world.published, world.announced), (None, None));
    }
}
