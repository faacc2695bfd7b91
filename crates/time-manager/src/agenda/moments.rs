//! What is other at one moment of game time than at another: hour, day, month, year, season, moons,
//! holidays. Not here: which moments are compared (`agenda`), phases of the day (`phases`).

use super::emission::Emission;
use super::{Agenda, At};
use worldbus_events::v1;
use worldbus_world::{DateTime, Day, GameTime, Holiday, MoonState, NamedSeason, Phase};

/// What events have of a moment.
#[derive(Clone, Copy)]
pub(super) struct Moment<'a> {
    pub(super) date: DateTime,
    pub(super) day: Day,
    season: &'a NamedSeason,
    phase: Phase,
}

impl Agenda {
    /// What is other at an instant than it was before, or all at a world's beginning.
    pub(super) fn changes(&self, before: Option<GameTime>, at: At, events: &mut Vec<Emission>) {
        let old = before.map(|game| self.at(game));
        let new = self.at(at.game);
        self.year_and_month(old, new, at, events);
        if old.map(|old| &old.season.id) != Some(&new.season.id) {
            let event = v1::SeasonChanged {
                old_season: old.map_or(0, |old| old.kind_of_season()),
                new_season: new.kind_of_season(),
                date: Some(new.day_of_calendar()),
                name: new.season.id.clone(),
            };
            events.push(self.moment(&event, at));
        }
        if old.map(|old| old.day.number) != Some(new.day.number) {
            events.push(self.day_changed(new, at));
            self.holidays_changed(old, new, at, events);
        }
        let hour = |moment: Moment<'_>| (moment.day.number, moment.date.hour);
        if old.map(hour) != Some(hour(new)) {
            let event = v1::HourChanged {
                date: Some(new.day_of_calendar()),
                day_of_year: u32::from(new.day.day_of_year),
                hour: u32::from(new.date.hour),
                phase: new.phase as i32,
                is_day: new.phase == Phase::Day,
                game_us: at.game.0,
                light_permille: self.skies.as_ref().map(|skies| skies.light_permille(at.game)),
            };
            events.push(self.moment(&event, at));
        }
        self.phases_changed(before, new, at, events);
        self.moons_changed(before, at, events);
    }

    pub(super) fn updated(&self, at: At) -> Emission {
        let date = self.calendar.at(at.game);
        let updated = v1::TimeUpdated {
            total_minutes: at.game.minutes(),
            hour: u32::from(date.hour),
            minute: u32::from(date.minute),
            phase: self.phase(at.game) as i32,
        };
        self.moment(&updated, at)
    }

    fn year_and_month(
        &self,
        old: Option<Moment<'_>>,
        new: Moment<'_>,
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
                name: self.calendar.rules().months()[usize::from(month) - 1].name.clone(),
            };
            events.push(self.moment(&event, at));
        }
    }

    fn day_changed(&self, new: Moment<'_>, at: At) -> Emission {
        let moons = self.calendar.moons(at.game).map(|(moon, state)| v1::MoonView {
            moon: moon.name.clone(),
            phase: state.phase as i32,
            cycle_permille: u32::from(state.cycle_permille),
            lit_permille: u32::from(state.lit_permille),
        });
        let sun = self.skies.as_ref().map(|skies| skies.day(new.day.number)).unwrap_or_default();
        let event = v1::DayChanged {
            date: Some(new.day_of_calendar()),
            day_of_year: u32::from(new.day.day_of_year),
            weekday: self.calendar.weekday_name(&new.day).unwrap_or_default().to_owned(),
            season: new.kind_of_season(),
            game_us: at.game.0,
            moons: moons.collect(),
            holidays: self.calendar.holidays(&new.day).map(|h| h.id.clone()).collect(),
            sunrise_game_us: sun.sunrise_game_us,
            sunset_game_us: sun.sunset_game_us,
            day_length_s: sun.length_s,
        };
        self.moment(&event, at)
    }

    fn holidays_changed(
        &self,
        old: Option<Moment<'_>>,
        new: Moment<'_>,
        at: At,
        events: &mut Vec<Emission>,
    ) {
        let rules = self.calendar.rules();
        let within = |day: &Day, holiday: &Holiday| {
            self.calendar.holidays(day).any(|other| other.id == holiday.id)
        };
        for (index, holiday) in rules.holidays().iter().enumerate() {
            let rank = rules.moons().len() + index;
            let was = old.is_some_and(|old| within(&old.day, holiday));
            let (id, name) = (holiday.id.clone(), holiday.name.clone());
            let date = Some(new.day_of_calendar());
            match (was, within(&new.day, holiday)) {
                (false, true) => {
                    let event = v1::HolidayStarted { holiday: id, name, date };
                    events.push(self.moment_of(&event, at, rank, &holiday.id));
                }
                (true, false) => {
                    let event = v1::HolidayEnded { holiday: id, name, date };
                    events.push(self.moment_of(&event, at, rank, &holiday.id));
                }
                _ => {}
            }
        }
    }

    fn moons_changed(&self, before: Option<GameTime>, at: At, events: &mut Vec<Emission>) {
        for (rank, (moon, now)) in self.calendar.moons(at.game).enumerate() {
            let state = |game| Some(self.calendar.moons(game).nth(rank)?.1);
            let old: Option<MoonState> = before.and_then(state);
            if old.map(|old| old.phase) == Some(now.phase) {
                continue;
            }
            let event = v1::MoonPhaseChanged {
                moon: moon.name.clone(),
                old_phase: old.map_or(0, |old| old.phase as i32),
                new_phase: now.phase as i32,
                cycle_permille: u32::from(now.cycle_permille),
                lit_permille: u32::from(now.lit_permille),
                game_us: at.game.0,
            };
            events.push(self.moment_of(&event, at, rank, &moon.name));
        }
    }

    fn at(&self, game: GameTime) -> Moment<'_> {
        let day = self.calendar.day(game);
        Moment {
            date: self.calendar.at(game),
            day,
            season: self.calendar.season_of_day(&day, self.hemisphere),
            phase: self.phase(game),
        }
    }
}

impl Moment<'_> {
    pub(super) fn day_of_calendar(&self) -> v1::Date {
        let DateTime { year, month, day, .. } = self.date;
        v1::Date { year, month: u32::from(month), day: u32::from(day) }
    }

    /// The number of the season in the catalogue; 0 for one of a calendar's own.
    pub(super) fn kind_of_season(&self) -> i32 {
        self.season.kind.map_or(0, |kind| kind as i32)
    }
}
