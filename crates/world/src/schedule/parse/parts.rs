//! What a schedule is made of: times of day, dates, durations, numbers. Not here: how they go
//! together (`parse`).

use super::{Parser, ScheduleError, Word};
use crate::calendar::SetTime;
use crate::schedule::words;
use crate::time::GameTime;

/// Steps of a recurrence are not shorter.
const STEP_US_MIN: i64 = GameTime::MINUTE_US;
/// Durations and steps are not longer, in hours of 60 game minutes: 1,000 years of Earth.
const DURATION_HOURS_MAX: i64 = 366_000 * 24;
const DURATION_US_MAX: i64 = DURATION_HOURS_MAX * GameTime::HOUR_US;

const TIME: &str = "a time of day such as 06:30, dawn, daybreak, noon, dusk, nightfall or midnight";

impl Parser<'_> {
    /// A time of day, if one stands here.
    pub(super) fn time(&mut self) -> Result<Option<i64>, ScheduleError> {
        let Some(word) = self.words.get(self.next) else { return Ok(None) };
        let named = words::named_times(self.calendar).into_iter();
        if let Some((_, at_us)) = named.into_iter().find(|(name, _)| *name == word.text) {
            self.next += 1;
            return Ok(Some(at_us));
        }
        let Some((hour, minute)) = word.text.split_once(':') else { return Ok(None) };
        let (minute, second) = minute.split_once(':').unwrap_or((minute, "0"));
        let hour_us = words::hour_us(self.calendar);
        let (hours, minutes) =
            (words::day_us(self.calendar) / hour_us, hour_us / GameTime::MINUTE_US);
        let read = |text: &str, end: i64| {
            let digits = matches!(text.len(), 1..=3) && text.bytes().all(|b| b.is_ascii_digit());
            text.parse::<i64>().ok().filter(|number| digits && *number < end)
        };
        match (read(hour, hours), read(minute, minutes), read(second, 60)) {
            (Some(hour), Some(minute), Some(second)) => {
                self.next += 1;
                let minutes_us = hour * hour_us + minute * GameTime::MINUTE_US;
                Ok(Some(minutes_us + second * GameTime::SECOND_US))
            }
            _ => {
                let (hour, minute) = (hours - 1, minutes - 1);
                Err(self.refuse(&format!("a time of day from 0:00 to {hour}:{minute:02}")))
            }
        }
    }

    pub(super) fn time_or_midnight(&mut self) -> Result<i64, ScheduleError> {
        let has_at = self.takes("at");
        match self.time()? {
            Some(at_us) => Ok(at_us),
            None if has_at || self.next < self.words.len() => Err(self.refuse(TIME)),
            None => Ok(0),
        }
    }

    /// Makes two words of `2024-05-01T06:30`, the form that answers have.
    pub(super) fn part_date_and_time(&mut self) {
        let Some(word) = self.words.get_mut(self.next) else { return };
        let Some((date, time)) = word.text.split_once('t') else { return };
        if date.is_empty() || !date.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
            return;
        }
        let behind = Word { at: word.at + date.len() + 1, text: time.to_owned() };
        word.text.truncate(date.len());
        self.words.insert(self.next + 1, behind);
    }

    /// The beginning of a day given as `2024-05-01`.
    pub(super) fn date(&mut self) -> Result<GameTime, ScheduleError> {
        const WANTED: &str = "a time of day, or a date such as 2024-05-01";
        let Some(word) = self.words.get(self.next) else { return Err(self.refuse(WANTED)) };
        let (sign, digits) = match word.text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, word.text.as_str()),
        };
        let parts: Option<Vec<i64>> = digits
            .split('-')
            .map(|part| part.parse().ok().filter(|_| part.bytes().all(|b| b.is_ascii_digit())))
            .collect();
        let Some(&[year, month, day]) = parts.as_deref() else { return Err(self.refuse(WANTED)) };
        let wish = SetTime {
            hour: 0,
            minute: None,
            day: Some(day),
            month: Some(month),
            year: Some(sign * year),
        };
        let date = self.calendar.resolve(self.now, &wish);
        let date = date.map_err(|error| self.refuse(&format!("a date: {error}")))?;
        self.next += 1;
        Ok(date)
    }

    /// Numbers with units, added up.
    pub(super) fn duration(&mut self) -> Result<i64, ScheduleError> {
        let mut sum = 0i64;
        loop {
            let at = self.next;
            let Some(number) = self.number() else {
                return Err(self.refuse("a number of minutes, hours, days or weeks"));
            };
            let Some(unit) = self.unit() else {
                return Err(self.refuse("`minutes`, `hours`, `days` or `weeks`"));
            };
            let part = number.checked_mul(unit);
            let total = part.and_then(|part| sum.checked_add(part));
            match total.filter(|us| (STEP_US_MIN..=DURATION_US_MAX).contains(us)) {
                Some(total) => sum = total,
                None => {
                    self.next = at;
                    let most = format!("from a minute to {DURATION_HOURS_MAX} hours of 60 minutes");
                    return Err(self.refuse(&most));
                }
            }
            let more = self.words.get(self.next);
            let number = more.is_some_and(|word| word.text.bytes().all(|b| b.is_ascii_digit()));
            if !self.takes("and") && !number {
                return Ok(sum);
            }
        }
    }

    pub(super) fn number(&mut self) -> Option<i64> {
        let word = self.words.get(self.next)?;
        let digits = word.text.bytes().all(|b| b.is_ascii_digit());
        let number = word.text.parse().ok().filter(|_| digits)?;
        self.next += 1;
        Some(number)
    }

    fn unit(&mut self) -> Option<i64> {
        self.takes("game");
        let day = words::day_us(self.calendar);
        let week = words::week_days(self.calendar) * day;
        let hour = words::hour_us(self.calendar);
        let units = [("minute", GameTime::MINUTE_US), ("hour", hour), ("day", day), ("week", week)];
        let word = &self.words.get(self.next)?.text;
        let name = word.strip_suffix('s').unwrap_or(word);
        let unit = units.iter().find(|(unit, _)| *unit == name)?;
        self.next += 1;
        Some(unit.1)
    }
}
