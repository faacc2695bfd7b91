//! The words of a world: names of regions, dates, parts of the day, weather. Not here: English.

use super::english::{ordinal, ordinal_words};
use worldbus_world::{Calendar, Day, GameTime, World};

/// Parts of the day by the twenty-fourth of it that has begun.
const PARTS_OF_DAY: [(i64, &str); 9] = [
    (0, "in the dead of night"),
    (4, "before dawn"),
    (6, "in the early morning"),
    (9, "in the morning"),
    (12, "around noon"),
    (14, "in the afternoon"),
    (18, "in the evening"),
    (21, "late in the evening"),
    (23, "shortly before midnight"),
];

/// The part of the day as an adverb: `in the morning`. A day of other hours has the same parts.
pub(crate) fn part_of_day(calendar: &Calendar, game: GameTime) -> &'static str {
    let hour = calendar.time_of_day_us(game) / GameTime::SECOND_US * 24
        / (calendar.day_us() / GameTime::SECOND_US);
    PARTS_OF_DAY.iter().rev().find(|(from, _)| *from <= hour).map_or("", |(_, words)| words)
}

/// `3 March`, or an intercalary day's name.
pub(crate) fn day_name(calendar: &Calendar, day: &Day) -> String {
    super::plain(&calendar.day_name(day))
}

/// `March 2024`: what a chapter is called.
pub(crate) fn month_title(calendar: &Calendar, day: &Day) -> String {
    let month = &calendar.rules().months()[usize::from(day.month) - 1];
    format!("{} {}", super::plain(&month.name), day.year)
}

/// `the third of March`.
pub(super) fn day_spoken(calendar: &Calendar, game: GameTime) -> String {
    let day = calendar.day(game);
    if day.intercalary.is_some() {
        return day_name(calendar, &day);
    }
    let month = &calendar.rules().months()[usize::from(day.month) - 1].name;
    let number = i64::from(day.day);
    let number = if number <= 12 { ordinal_words(number) } else { ordinal(number) };
    format!("the {number} of {}", super::plain(month))
}

/// The weekday; the day's own name where it is in no week.
pub(super) fn weekday(calendar: &Calendar, game: GameTime) -> String {
    let day = calendar.day(game);
    match calendar.weekday_name(&day) {
        Some(name) => super::plain(name),
        None => day_name(calendar, &day),
    }
}

/// The name of a region; an id that the world does not have stays as it is.
pub(super) fn region(world: &World, id: &str) -> String {
    match world.region_index(id) {
        Some(index) => super::plain(&world.regions[index].name),
        None => super::plain(id),
    }
}

/// The weather as a noun: `heavy rain`.
pub(super) fn weather(state: &str) -> String {
    match state {
        "clear" => "clear skies".to_owned(),
        "partly_cloudy" => "broken cloud".to_owned(),
        "cloudy" => "cloud".to_owned(),
        "windy" => "strong wind".to_owned(),
        "storm" => "a storm".to_owned(),
        "blizzard" => "a blizzard".to_owned(),
        other => spaced(other),
    }
}

/// An id as words: `faction/harbour-guild` is `harbour guild`. What is no id stays as it is.
pub(super) fn thing(text: &str) -> String {
    let is_of_id = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "/_-.".contains(c);
    match text.chars().all(is_of_id) {
        true => spaced(text.rsplit('/').next().unwrap_or(text)),
        false => super::plain(text),
    }
}

fn spaced(id: &str) -> String {
    super::plain(&id.replace(['_', '-'], " "))
}
