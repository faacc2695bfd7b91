//! The game clock as the events of a stream show it: a column for people.
//!
//! Each world's time is what its last tick, hour, day or phase said. Not a clock of its own: it
//! computes nothing from the wall time, so it is never ahead of what was published.

use std::collections::BTreeMap;
use std::fmt;

use worldbus_events::prost::Message as _;
use worldbus_events::{Event as _, EventView, v1};

/// Worlds whose clocks are kept.
const WORLD_COUNT_MAX: usize = 64;
const MINUTE_US: i64 = 60_000_000;

/// The event types that carry the game clock: what a text stream reads besides what it shows.
pub(crate) const CLOCK_TYPES: [u32; 3] =
    [v1::TimeUpdated::NUMBER, v1::HourChanged::NUMBER, v1::TimeChanged::NUMBER];
/// The topic that they travel on.
pub(crate) const CLOCK_TOPIC: &str = "time";

/// The clocks of the worlds of a stream.
#[derive(Default)]
pub(super) struct Clocks {
    worlds: BTreeMap<String, Now>,
}

/// A world's game time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Now {
    date: Option<v1::Date>,
    hour: u32,
    minute: u32,
    /// Game microseconds since the world's epoch.
    pub(super) game_us: i64,
}

impl Clocks {
    /// Follows what an event says of the time.
    pub(super) fn follow(&mut self, event: &EventView<'_>) {
        let world = event.batch().world();
        let before = self.worlds.get(world).copied();
        let Some(now) = advance(before, event.event_type, event.payload) else { return };
        if before.is_some() || self.worlds.len() < WORLD_COUNT_MAX {
            self.worlds.insert(world.to_owned(), now);
        }
    }

    /// The game time of a world, once an event has carried it.
    pub(super) fn now(&self, world: &str) -> Option<Now> {
        self.worlds.get(world).copied()
    }
}

/// The time after an event; `None` if it carries no time.
fn advance(before: Option<Now>, event_type: u32, payload: &[u8]) -> Option<Now> {
    match event_type {
        v1::TimeUpdated::NUMBER => {
            let tick = v1::TimeUpdated::decode(payload).ok()?;
            let game_us = tick.total_minutes.checked_mul(MINUTE_US)?;
            // Ticks carry no date: it is the one before until the clock steps back within it.
            let date = before
                .filter(|now| (now.hour, now.minute) <= (tick.hour, tick.minute))
                .and_then(|now| now.date);
            Some(Now { date, hour: tick.hour, minute: tick.minute, game_us })
        }
        v1::HourChanged::NUMBER => {
            let hour = v1::HourChanged::decode(payload).ok()?;
            Some(Now { date: hour.date, hour: hour.hour, minute: 0, game_us: hour.game_us })
        }
        // The phases of one region's sun come at times between those of the world.
        v1::TimeChanged::NUMBER => {
            let phase = v1::TimeChanged::decode(payload).ok()?;
            let game_us = phase.total_minutes.checked_mul(MINUTE_US)?;
            Some(Now { date: phase.date, hour: phase.hour, minute: phase.minute, game_us })
        }
        _ => None,
    }
}

/// `2024-03-01 07:05`, or the time alone while no date was published yet.
impl fmt::Display for Now {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = format!("{:02}:{:02}", self.hour, self.minute);
        match self.date {
            Some(date) => {
                f.pad(&format!("{:04}-{:02}-{:02} {time}", date.year, date.month, date.day))
            }
            None => f.pad(&format!("{:11}{time}", "")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(hour: u32, minute: u32, total_minutes: i64) -> Vec<u8> {
        v1::TimeUpdated { hour, minute, total_minutes, ..Default::default() }.encode_to_vec()
    }

    #[test]
    fn hour_gives_the_date_that_ticks_keep_until_midnight() {
        let date = v1::Date { year: 1203, month: 2, day: 9 };
        let hour = v1::HourChanged { date: Some(date), hour: 23, game_us: 5, ..Default::default() };
        let now = advance(None, v1::HourChanged::NUMBER, &hour.encode_to_vec());
        assert_eq!(now.unwrap().to_string(), "1203-02-09 23:00");
        let now = advance(now, v1::TimeUpdated::NUMBER, &tick(23, 59, 1439));
        assert_eq!(now.unwrap().to_string(), "1203-02-09 23:59");
        let now = advance(now, v1::TimeUpdated::NUMBER, &tick(0, 0, 1440));
        assert_eq!(now.unwrap().to_string(), "           00:00");
        assert_eq!(now.unwrap().game_us, 1440 * MINUTE_US);
    }

    #[test]
    fn event_without_time_or_with_a_broken_payload_moves_nothing() {
        assert_eq!(advance(None, v1::WeatherChanged::NUMBER, &[]), None);
        assert_eq!(advance(None, v1::TimeUpdated::NUMBER, &[0xff]), None);
        assert_eq!(advance(None, v1::TimeUpdated::NUMBER, &tick(0, 0, i64::MAX)), None);
    }
}
