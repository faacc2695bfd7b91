//! What is other at one moment of game time than at another: hour, day, month, year, season, phase.
//! Not here: which moments are compared (`agenda`).

use worldbus_events::v1;
use worldbus_world::{DateTime, GameTime, Phase, Season};

use super::{Agenda, At};
use crate::emission::Emission;

/// What events tell of a moment.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Moment {
    date: DateTime,
    day: i64,
    season: Season,
    phase: Phase,
}

impl Agenda {
    /// What is other at an instant than it was before, or all at a world's beginning.
    pub(super) fn changes(&self, before: Option<GameTime>, at: At, events: &mut Vec<Emission>) {
        let old = before.map(|game| self.at(game));
        let new = self.at(at.game);
        self.year_and_month(old, new, at, events);
        if old.map(|old| old.season) != Some(new.season) {
            let event = v1::SeasonChanged {
                old_season: old.map_or(0, |old| old.season as i32),
                new_season: new.season as i32,
                date: Some(new.day_of_calendar()),
                name: new.season.name().to_owned(),
            };
            events.push(self.moment(&event, at));
        }
        if old.map(|old| old.day) != Some(new.day) {
            let event = v1::DayChanged {
                date: Some(new.day_of_calendar()),
                day_of_year: self.calendar.day_of_year(at.game),
                weekday: self.calendar.weekday_name(at.game).to_owned(),
                season: new.season as i32,
                game_us: at.game.0,
            };
            events.push(self.moment(&event, at));
        }
        if before.map(GameTime::hours) != Some(at.game.hours()) {
            let event = v1::HourChanged {
                date: Some(new.day_of_calendar()),
                day_of_year: self.calendar.day_of_year(at.game),
                hour: u32::from(new.date.hour),
                phase: new.phase as i32,
                is_day: new.phase == Phase::Day,
                game_us: at.game.0,
            };
            events.push(self.moment(&event, at));
        }
        self.phase_changed(old, new, at, events);
    }

    pub(super) fn updated(&self, at: At) -> Emission {
        let date = self.calendar.at(at.game);
        let updated = v1::TimeUpdated {
            total_minutes: at.game.minutes(),
            hour: u32::from(date.hour),
            minute: u32::from(date.minute),
            phase: Phase::at_hour(date.hour) as i32,
        };
        self.moment(&updated, at)
    }

    fn year_and_month(
        &self,
        old: Option<Moment>,
        new: Moment,
        at: At,
        events: &mut Vec<Emission>,
    ) {
        let old = old.map(|old| (old.date.year, old.date.month));
        let DateTime { year, month, .. } = new.date;
        if old.map(|(year, _)| year) != Some(year) {
            let event = v1::YearChanged { old_year: old.map(|(year, _)| year), new_year: year };
            events.push(self.moment(&event, at));
        }
        if old != Some((year, month)) {
            let event = v1::MonthChanged {
                date: Some(new.day_of_calendar()),
                old_month: old.map_or(0, |(_, month)| u32::from(month)),
                new_month: u32::from(month),
                name: self.calendar.month_name(at.game).to_owned(),
            };
            events.push(self.moment(&event, at));
        }
    }

    fn phase_changed(&self, old: Option<Moment>, new: Moment, at: At, events: &mut Vec<Emission>) {
        if old.map(|old| old.phase) == Some(new.phase) {
            return;
        }
        let day = Some(new.day_of_calendar());
        let changed = v1::TimeChanged {
            old_phase: old.map_or(0, |old| old.phase as i32),
            new_phase: new.phase as i32,
            date: day,
            hour: u32::from(new.date.hour),
            minute: u32::from(new.date.minute),
            season: new.season as i32,
            total_minutes: at.game.minutes(),
        };
        events.push(self.moment(&changed, at));
        match new.phase {
            Phase::Day => events.push(self.moment(&v1::DayActivated { date: day }, at)),
            Phase::Night => events.push(self.moment(&v1::NightActivated { date: day }, at)),
            Phase::Dawn | Phase::Dusk => {}
        }
    }

    fn at(&self, game: GameTime) -> Moment {
        let date = self.calendar.at(game);
        Moment {
            date,
            day: self.calendar.day_number(game),
            season: Season::at_month(date.month, self.hemisphere),
            phase: Phase::at_hour(date.hour),
        }
    }
}

impl Moment {
    fn day_of_calendar(&self) -> v1::Date {
        let DateTime { year, month, day, .. } = self.date;
        v1::Date { year, month: u32::from(month), day: u32::from(day) }
    }
}
