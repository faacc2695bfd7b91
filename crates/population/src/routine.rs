//! What a role's days are made of: slots by the clock or the sun, on days of a condition; and the
//! hours at which a place is open. Not here: reading them (`file`), the slots of one day
//! (`routine::table`), what a person makes of them (`plan`).

pub(crate) mod table;

use crate::activity::Activity;
use worldbus_world::WeatherState;

/// Minutes that the longest way takes, in the worst weather.
pub(crate) const WAY_MINUTES_MAX: i64 = 70;
/// So long before a day's end everyone sets out for home: time for a way that was begun before,
/// and for the one home.
pub(crate) const LAST_CALL_MINUTES: i64 = 2 * WAY_MINUTES_MAX + 10;
/// Who has no directive for so long before a day's end is at home when it ends.
pub(crate) const RETURN_MINUTES: i64 = LAST_CALL_MINUTES + 10;

/// A day's slots, on days that fit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Routine {
    pub(crate) when: When,
    /// At least two; the first begins the day and the last ends it, both at home.
    pub(crate) slots: Vec<Slot>,
}

/// Which days: all conditions that are there hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct When {
    /// By number, counted from 0.
    pub(crate) weekdays: Option<Vec<u8>>,
    pub(crate) holidays: Option<Holidays>,
    /// By id.
    pub(crate) seasons: Option<Vec<String>>,
}

/// Which holidays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Holidays {
    Any,
    /// By id.
    These(Vec<String>),
}

/// From an instant of a day until the next slot.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Slot {
    pub(crate) at: At,
    pub(crate) does: Does,
    /// The kind of place, if the slot names one.
    pub(crate) kind: Option<usize>,
    /// The weather that it takes; in other weather one stays at home.
    pub(crate) only_if: Option<SkyIs>,
}

/// When a slot begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// Minutes of the calendar's day.
    Clock(i64),
    /// Minutes after an instant of the sun.
    Sun(Mark, i64),
}

/// An instant of the sun's day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Dawn,
    Sunrise,
    Noon,
    Sunset,
    Dusk,
}

/// What a slot is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Does {
    One(Activity),
    /// What suits best.
    Free,
}

/// A condition on the weather.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SkyIs {
    /// Nothing falls, and it is not severe.
    Fair,
    Wet,
    Snowy,
    State(WeatherState),
}

/// When a place is open, by the clock of each day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hours {
    /// From one minute of the day to another, over midnight if that is not later; without it,
    /// always.
    pub(crate) daily: Option<(i64, i64)>,
    /// Weekdays on which it does not open, counted from 0.
    pub(crate) closed: Vec<u8>,
}

impl SkyIs {
    pub(crate) fn holds(self, state: WeatherState) -> bool {
        match self {
            Self::Fair => !state.is_wet() && !state.is_severe(),
            Self::Wet => state.is_wet(),
            Self::Snowy => state.is_snowy(),
            Self::State(wanted) => state == wanted,
        }
    }
}

impl Hours {
    /// Whether it is open at a minute of a day; and if so the minutes until it closes, none if it
    /// does not close that day.
    pub(crate) fn until_closing(
        &self,
        minute: i64,
        weekday: Option<u8>,
        day_minutes: i64,
    ) -> Option<Option<i64>> {
        if weekday.is_some_and(|weekday| self.closed.contains(&weekday)) {
            return None;
        }
        let Some((from, to)) = self.daily else { return Some(None) };
        let since = (minute - from).rem_euclid(day_minutes);
        let open = match (to - from).rem_euclid(day_minutes) {
            0 => day_minutes,
            open => open,
        };
        (since < open).then_some(Some(open - since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(from: i64, to: i64, minute: i64) -> Option<Option<i64>> {
        let hours = Hours { daily: Some((from, to)), closed: vec![6] };
        hours.until_closing(minute, Some(0), 1_440)
    }

    #[test]
    fn place_is_open_from_its_first_minute_to_before_its_last_also_over_midnight() {
        assert_eq!(open(360, 1_080, 359), None);
        assert_eq!(open(360, 1_080, 360), Some(Some(720)));
        assert_eq!(open(360, 1_080, 1_080), None);
        assert_eq!(open(1_020, 60, 30), Some(Some(30)));
        assert_eq!(open(1_020, 60, 60), None);
        assert_eq!(open(0, 0, 700), Some(Some(740)));
    }

    #[test]
    fn place_does_not_open_on_weekdays_that_it_is_closed() {
        let hours = Hours { daily: None, closed: vec![6] };
        assert_eq!(hours.until_closing(0, Some(6), 1_440), None);
        assert_eq!(hours.until_closing(0, Some(5), 1_440), Some(None));
        assert_eq!(hours.until_closing(0, None, 1_440), Some(None));
    }
}
