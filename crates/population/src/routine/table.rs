//! The slots of a role on one day in one region, in minutes of game time.
//! Not here: how far each person moves them (`plan::day`).

use super::{At, LAST_CALL_MINUTES, Mark, Routine, When};
use crate::model::{Made, RegionOfPeople};
use crate::routine::Holidays;
use worldbus_world::{Day, Daylight, GameTime, SunDay};

/// The days of a world in minutes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Days {
    epoch_day: i64,
    epoch_minute: i64,
    pub(crate) minutes: i64,
}

/// The slots of a day.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// The number of the calendar's day that it begins in.
    pub(crate) day: i64,
    /// Which of the role's routines.
    pub(crate) routine: usize,
    /// When each slot begins; the first begins the day.
    pub(crate) starts: Vec<i64>,
    /// When the next day begins.
    pub(crate) end: i64,
}

impl Days {
    pub(crate) fn of(people: &Made) -> Self {
        let epoch = GameTime(0);
        let minutes = people.calendar.day_us() / GameTime::MINUTE_US;
        let epoch_minute = people.calendar.time_of_day_us(epoch) / GameTime::MINUTE_US;
        Self { epoch_day: people.calendar.day_number(epoch), epoch_minute, minutes }
    }

    /// The first minute of a day.
    pub(crate) fn begins(self, day: i64) -> i64 {
        (day - self.epoch_day) * self.minutes - self.epoch_minute
    }

    /// The day of a minute, and the minute of that day.
    pub(crate) fn split(self, minute: i64) -> (i64, i64) {
        let since = minute + self.epoch_minute;
        (self.epoch_day + since.div_euclid(self.minutes), since.rem_euclid(self.minutes))
    }
}

impl Made {
    /// When the days of a role begin, in minutes of the calendar's day.
    pub(crate) fn day_offset(&self, role: usize) -> i64 {
        match self.roles[role].routines[0].slots[0].at {
            At::Clock(minute) => minute,
            At::Sun(..) => 0,
        }
    }

    /// The slots of a role's day in a region.
    pub(crate) fn table(&self, role: usize, region: usize, day: i64) -> Table {
        let days = Days::of(self);
        let of_region = &self.regions[region];
        let routines = &self.roles[role].routines;
        let calendar_day = self.calendar.day_of_number(day);
        let fits = |routine: &Routine| self.fits(&routine.when, &calendar_day, of_region);
        let routine = routines.iter().position(fits).unwrap_or(routines.len() - 1);

        let begins = days.begins(day) + self.day_offset(role);
        let end = begins + days.minutes;
        let mut starts: Vec<i64> = Vec::with_capacity(routines[routine].slots.len());
        for slot in &routines[routine].slots {
            let minute = match slot.at {
                At::Clock(minute) => next_at(days.begins(day) + minute, begins, days.minutes),
                At::Sun(mark, later) => self.by_sun(mark, later, (day, begins), of_region, days),
            };
            let earliest = starts.last().copied().unwrap_or(begins);
            starts.push(minute.clamp(earliest, end - LAST_CALL_MINUTES));
        }
        Table { day, routine, starts, end }
    }

    fn fits(&self, when: &When, day: &Day, region: &RegionOfPeople) -> bool {
        let weekday = |days: &Vec<u8>| day.weekday.is_some_and(|today| days.contains(&today));
        let season = |seasons: &Vec<String>| {
            seasons.contains(&self.calendar.season_of_day(day, region.hemisphere).id)
        };
        let holiday = |wanted: &Holidays| {
            let mut today = self.calendar.holidays(day);
            match wanted {
                Holidays::Any => today.next().is_some(),
                Holidays::These(ids) => today.any(|holiday| ids.contains(&holiday.id)),
            }
        };
        when.weekdays.as_ref().is_none_or(weekday)
            && when.seasons.as_ref().is_none_or(season)
            && when.holidays.as_ref().is_none_or(holiday)
    }

    /// The first such instant of the sun from the beginning of a person's day on.
    fn by_sun(
        &self,
        mark: Mark,
        later: i64,
        (day, begins): (i64, i64),
        region: &RegionOfPeople,
        days: Days,
    ) -> i64 {
        let of_day = |day: i64| {
            let sun = self.sun.day(day, region.latitude, region.longitude);
            let minute = sun.and_then(|sun| instant(&sun, mark)).map(|game| game.minutes());
            minute.unwrap_or_else(|| days.begins(day) + usual(mark) * days.minutes / 24) + later
        };
        let minute = of_day(day);
        if minute < begins { of_day(day + 1) } else { minute }
    }
}

/// The same minute of a day, not before `begins`.
fn next_at(minute: i64, begins: i64, day_minutes: i64) -> i64 {
    if minute < begins { minute + day_minutes } else { minute }
}

fn instant(sun: &SunDay, mark: Mark) -> Option<GameTime> {
    let edge = |light: Daylight, is_first: bool| match light {
        Daylight::Between { from, until } => Some(if is_first { from } else { until }),
        Daylight::Always | Daylight::Never => None,
    };
    match mark {
        Mark::Dawn => edge(sun.civil, true),
        Mark::Sunrise => edge(sun.daylight, true),
        Mark::Noon => Some(sun.noon),
        Mark::Sunset => edge(sun.daylight, false),
        Mark::Dusk => edge(sun.civil, false),
    }
}

/// The hour, of a day of 24, that stands for an instant where the sun does not rise or set.
fn usual(mark: Mark) -> i64 {
    match mark {
        Mark::Dawn => 5,
        Mark::Sunrise => 6,
        Mark::Noon => 12,
        Mark::Sunset => 18,
        Mark::Dusk => 19,
    }
}
