//! The grammar of schedules. Every refusal shows where the text stops to make sense, in characters,
//! so that a caret can be put under it. Not here: what calendars know (`words`); times of day,
//! dates and durations within a text (`parts`).

mod parts;

use super::words;
use super::{DAY_SEARCH_COUNT_MAX, Days, Plan, SCHEDULE_BYTES_MAX};
use crate::calendar::Calendar;
use crate::time::GameTime;

const FIRST: &str = "`in 3 hours`, `at 2024-05-01 06:30`, `every day 06:30`, `every 2 hours` or \
                     `dusk each monday`";

/// A text that is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found {found} (character {})", at + 1)]
pub struct ScheduleError {
    /// Where the fault begins, in characters from 0.
    pub at: usize,
    /// How many characters it has; at least 1.
    pub length: usize,
    /// What was expected there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

#[derive(Clone, Debug)]
struct Word {
    at: usize,
    text: String,
}

struct Parser<'a> {
    words: Vec<Word>,
    next: usize,
    /// Characters of the whole text.
    end: usize,
    now: GameTime,
    calendar: &'a Calendar,
}

pub(super) fn parse(text: &str, now: GameTime, calendar: &Calendar) -> Result<Plan, ScheduleError> {
    if text.len() > SCHEDULE_BYTES_MAX {
        let expected = format!("at most {SCHEDULE_BYTES_MAX} bytes");
        let found = format!("{} bytes", text.len());
        return Err(ScheduleError { at: 0, length: 1, expected, found });
    }
    let (words, end) = (split(text), text.chars().count());
    // No one counts fractions of a second: what is due in an hour is so on a whole second.
    let now = GameTime::from_seconds(now.seconds());
    let mut parser = Parser { words, next: 0, end, now, calendar };
    let plan = parser.plan()?;
    match parser.next < parser.words.len() {
        true => Err(parser.refuse("nothing more")),
        false => Ok(plan),
    }
}

fn split(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut within = false;
    for (at, char) in text.chars().enumerate() {
        let gap = char.is_whitespace() || char == ',';
        match words.last_mut().filter(|_| within && !gap) {
            Some(word) => word.text.extend(char.to_lowercase()),
            None if gap => {}
            None => words.push(Word { at, text: char.to_lowercase().collect() }),
        }
        within = !gap;
    }
    words
}

impl Parser<'_> {
    fn plan(&mut self) -> Result<Plan, ScheduleError> {
        if self.takes("in") {
            let us = self.duration()?;
            return Ok(Plan::Once(self.now.plus_us(us)));
        }
        if self.takes("at") {
            return self.once();
        }
        if self.takes("every") || self.takes("each") {
            return self.every();
        }
        if let Some(days) = self.named_days() {
            let at_us = self.time_or_midnight()?;
            return self.on_days(0, days, at_us);
        }
        let Some(at_us) = self.time()? else { return Err(self.refuse(FIRST)) };
        if !self.takes("every") && !self.takes("each") {
            return Err(self.refuse("`each` or `every` and a day, such as `each monday`"));
        }
        let begin = self.next;
        let days = self.days()?;
        self.on_days(begin, days, at_us)
    }

    /// After `at`: a time of day, the next one; or a date.
    fn once(&mut self) -> Result<Plan, ScheduleError> {
        self.part_date_and_time();
        if let Some(at_us) = self.time()? {
            let due = Plan::Days { days: Days::All, at_us };
            let due = due.next(self.now.plus_us(1), self.calendar);
            return due.map(Plan::Once).ok_or_else(|| self.refuse("a time that comes"));
        }
        let begin = self.next;
        let date = self.date()?;
        let at_us = self.time_or_midnight()?;
        let due = date.plus_us(at_us);
        if due <= self.now {
            let now = self.calendar.at(self.now);
            self.next = begin;
            return Err(self.refuse(&format!("a time to come (it is {now})")));
        }
        Ok(Plan::Once(due))
    }

    /// After `every`: a number of units from now on, a unit, or days.
    fn every(&mut self) -> Result<Plan, ScheduleError> {
        let begin = self.next;
        if self.number().is_some() {
            self.next = begin;
            let step_us = self.duration()?;
            return Ok(Plan::Every { first: self.now.plus_us(step_us), step_us });
        }
        let units = [("minute", GameTime::MINUTE_US), ("hour", words::hour_us(self.calendar))];
        for (unit, step_us) in units {
            if self.takes(unit) {
                let midnight = words::midnight(self.now, self.calendar);
                let passed = self.now.0 - midnight.0;
                let first = midnight.plus_us((passed / step_us + 1) * step_us);
                return Ok(Plan::Every { first, step_us });
            }
        }
        let begin = self.next;
        let days = self.days()?;
        let at_us = self.time_or_midnight()?;
        self.on_days(begin, days, at_us)
    }

    /// A time of day on days that are written from the word `begin` on. Refuses days that do not
    /// come in the whole stretch that is looked through for them.
    fn on_days(&mut self, begin: usize, days: Days, at_us: i64) -> Result<Plan, ScheduleError> {
        let plan = Plan::Days { days, at_us };
        if plan.next(self.now, self.calendar).is_some() {
            return Ok(plan);
        }
        self.next = begin;
        Err(self.refuse(&format!("days that come within {DAY_SEARCH_COUNT_MAX} days")))
    }

    fn days(&mut self) -> Result<Days, ScheduleError> {
        if let Some(days) = self.named_days() {
            return Ok(days);
        }
        if self.takes("day") {
            return Ok(Days::All);
        }
        if self.takes("month") {
            if !self.takes("on") {
                return Ok(Days::MonthDay(1));
            }
            self.takes("day");
            let day = self.number().and_then(|day| u8::try_from(day).ok());
            let last = words::month_days_max(self.calendar);
            return match day.filter(|day| (1..=last).contains(day)) {
                Some(day) => Ok(Days::MonthDay(day)),
                None => Err(self.refuse_before(&format!("a day of the month, 1 to {last}"))),
            };
        }
        let names: Vec<_> = words::named_days(self.calendar).into_iter().map(|(n, _)| n).collect();
        Err(self.refuse(&format!("`day`, `month on day 15`, or one of {}", names.join(", "))))
    }

    /// Days that have a name, the longest that fits: `market day` is the Marketday as well.
    fn named_days(&mut self) -> Option<Days> {
        let mut best: Option<(usize, Days)> = None;
        for (name, days) in words::named_days(self.calendar) {
            let Some(count) = self.count_of(&name) else { continue };
            if best.as_ref().is_none_or(|(longest, _)| count > *longest) {
                best = Some((count, days));
            }
        }
        let (count, days) = best?;
        self.next += count;
        Some(days)
    }

    /// How many of the next words a name takes, wherever it or they have a space.
    fn count_of(&self, name: &str) -> Option<usize> {
        let name = name.to_lowercase();
        let mut rest: String = name.split_whitespace().collect();
        for (index, word) in self.words[self.next..].iter().enumerate() {
            rest = rest.strip_prefix(&word.text)?.to_owned();
            if rest.is_empty() {
                return Some(index + 1);
            }
        }
        None
    }

    fn takes(&mut self, text: &str) -> bool {
        let is = self.words.get(self.next).is_some_and(|word| word.text == text);
        self.next += usize::from(is);
        is
    }

    fn refuse(&self, expected: &str) -> ScheduleError {
        let (at, length, found) = match self.words.get(self.next) {
            Some(word) => (word.at, word.text.chars().count(), format!("`{}`", word.text)),
            None => (self.end, 1, "the end".to_owned()),
        };
        ScheduleError { at, length: length.max(1), expected: expected.to_owned(), found }
    }

    /// Refuses the word that was just taken, or the one that stands here if none was.
    fn refuse_before(&mut self, expected: &str) -> ScheduleError {
        let before = self.next.checked_sub(1).and_then(|at| self.words.get(at));
        if before.is_some_and(|word| word.text.bytes().all(|b| b.is_ascii_digit())) {
            self.next -= 1;
        }
        self.refuse(expected)
    }
}
