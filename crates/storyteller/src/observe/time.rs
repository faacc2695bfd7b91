//! What the time-manager's events mean. Not here: what is written of them.

use super::fields::{hours, midnight, moon_phase, number, phase, season};
use super::{Envelope, Observation, Observe};
use crate::grammar::Value;
use worldbus_events::{Event, v1};
use worldbus_world::{DateTime, World};

/// One about the whole world, at the beginning of a date if the event names one.
fn dated(on: &str, envelope: &Envelope<'_>, world: &World, date: Option<&v1::Date>) -> Observation {
    let game_us = midnight(&world.calendar(), date).unwrap_or(envelope.game_us);
    of_the_world(on, envelope).at(game_us)
}

/// Whatever the event names as its entity, it is everywhere.
fn of_the_world(on: &str, envelope: &Envelope<'_>) -> Observation {
    Observation { entity: None, ..Observation::new(on, envelope) }
}

impl Observe for v1::HourChanged {
    fn observe(&self, envelope: &Envelope<'_>, _: &World) -> Vec<Observation> {
        let observed = of_the_world(Self::NAME, envelope)
            .at(self.game_us)
            .with("hour", number(self.hour))
            .with("phase", phase(self.phase()));
        vec![observed]
    }
}

impl Observe for v1::DayChanged {
    fn observe(&self, envelope: &Envelope<'_>, world: &World) -> Vec<Observation> {
        let calendar = world.calendar();
        let name = |id: &String| {
            let known = calendar.rules().holidays().iter().find(|holiday| holiday.id == *id);
            known.map_or_else(|| id.clone(), |holiday| holiday.name.clone())
        };
        let holidays: Vec<String> = self.holidays.iter().map(name).collect();
        let observed = of_the_world(Self::NAME, envelope)
            .at(self.game_us)
            .with("day_of_year", number(self.day_of_year))
            .with("weekday", Value::name(&self.weekday))
            .with("season", season(self.season()))
            .with("day_length_minutes", number(self.day_length_s.unwrap_or(0) / 60))
            .with("holidays", Value::names(holidays.iter().map(String::as_str)));
        vec![observed]
    }
}

impl Observe for v1::MonthChanged {
    fn observe(&self, envelope: &Envelope<'_>, world: &World) -> Vec<Observation> {
        let observed = dated(Self::NAME, envelope, world, self.date.as_ref())
            .with("name", Value::name(&self.name))
            .with("new_month", number(self.new_month));
        vec![observed]
    }
}

impl Observe for v1::YearChanged {
    fn observe(&self, envelope: &Envelope<'_>, world: &World) -> Vec<Observation> {
        // Which year it is when a world begins is no news.
        if self.old_year.is_none() {
            return Vec::new();
        }
        let year = self.new_year;
        let first = DateTime { year, month: 1, day: 1, hour: 0, minute: 0, second: 0 };
        let begins = world.calendar().game_time(&first).map_or(envelope.game_us, |game| game.0);
        let observed = of_the_world(Self::NAME, envelope).at(begins);
        vec![observed.with("new_year", number(year))]
    }
}

impl Observe for v1::SeasonChanged {
    fn observe(&self, envelope: &Envelope<'_>, world: &World) -> Vec<Observation> {
        let observed = dated(Self::NAME, envelope, world, self.date.as_ref())
            .with("name", Value::name(&self.name))
            .with("new_season", season(self.new_season()))
            .with("old_season", season(self.old_season()));
        vec![observed]
    }
}

impl Observe for v1::MoonPhaseChanged {
    fn observe(&self, envelope: &Envelope<'_>, _: &World) -> Vec<Observation> {
        let observed = of_the_world(Self::NAME, envelope)
            .at(self.game_us)
            .with("moon", Value::name(&self.moon))
            .with("new_phase", moon_phase(self.new_phase()));
        vec![observed]
    }
}

impl Observe for v1::HolidayStarted {
    fn observe(&self, envelope: &Envelope<'_>, world: &World) -> Vec<Observation> {
        let observed = dated(Self::NAME, envelope, world, self.date.as_ref())
            .with("holiday", Value::name(&self.holiday))
            .with("name", Value::name(&self.name));
        vec![observed]
    }
}

impl Observe for v1::HolidayEnded {
    fn observe(&self, envelope: &Envelope<'_>, world: &World) -> Vec<Observation> {
        let observed = dated(Self::NAME, envelope, world, self.date.as_ref())
            .with("holiday", Value::name(&self.holiday))
            .with("name", Value::name(&self.name));
        vec![observed]
    }
}

impl Observe for v1::Jumped {
    fn observe(&self, envelope: &Envelope<'_>, _: &World) -> Vec<Observation> {
        let observed = of_the_world(Self::NAME, envelope)
            .at(self.to_game_us)
            .with("from_game_us", Value::Game(self.from_game_us))
            .with("forward_hours", hours(self.from_game_us, self.to_game_us))
            .with("actor", Value::name(&self.actor))
            .with("reason", Value::name(&self.reason));
        vec![observed]
    }
}
