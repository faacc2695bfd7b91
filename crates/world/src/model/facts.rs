//! What a world is made of, as short texts by name, so that a later world file can be compared with
//! the one that a data directory was begun with. Not here: keeping them, and what follows.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use super::{NamedClock, World};
use crate::calendar::CalendarRules;
use crate::ids::{Fnv128, MODEL_VERSION};

/// Up to this many regions differences are listed one by one; of more as one.
const REGIONS_LISTED_MAX: usize = 1_000;
/// Leap rules repeat within so many years.
const LEAP_YEARS_MAX: i32 = 10_000;
/// Facts on which the identity of events rests: under the same id an event would say another thing.
const OF_IDENTITY: [&str; 6] = ["seed", "epoch", "calendar", "regions", PEOPLE, PLACES_OF_PEOPLE];
/// Who there is, in which order: `worldbus-population` states it, as the two that follow.
pub const PEOPLE: &str = "people";
/// Where people go, in which order.
pub const PLACES_OF_PEOPLE: &str = "places of people";
/// By what they live: roles, room, names.
pub const LIVES_OF_PEOPLE: &str = "lives of people";
/// Facts that a clock takes from the file only when it is begun.
const OF_BEGINNING: [&str; 2] = ["real_seconds_per_game_hour", "speed in phases"];
const OF_NAMED_CLOCK: &str = "speed of clock ";
/// As earlier releases kept the speeds.
const OF_EARLIER: [&str; 2] = ["phase_speeds", "clock "];
const NAME: &str = "name of region ";
const NAMES: &str = "names of regions";
const PLACES: &str = "places of regions";
const CLIMATE: &str = "climate ";
/// Characters of a fact that are shown of each side.
const SHOWN_CHARS_MAX: usize = 80;

/// What a world is made of, by name.
pub type Facts = BTreeMap<String, String>;

/// A fact that is another than it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which fact.
    pub name: String,
    /// What it was; empty if it was not there.
    pub was: String,
    /// What it is; empty if it is not there any more.
    pub is: String,
}

/// What a difference means for a world that runs already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Events that were published and those to come would share ids and differ.
    Identity,
    /// Nothing: the clock keeps what it was begun with.
    Ignored,
    /// The world goes on otherwise from now on.
    Otherwise,
}

impl World {
    /// What this world is made of.
    pub fn facts(&self) -> Facts {
        let ids: Vec<&str> = self.regions.iter().map(|region| region.id.as_str()).collect();
        let many = ids.len() > REGIONS_LISTED_MAX;
        let regions = if many { digest(&ids.join(",")) } else { ids.join(",") };
        let sun = &self.sun;
        let mut facts = Facts::from([
            ("seed".to_owned(), self.seed.to_string()),
            ("epoch".to_owned(), self.epoch.to_string()),
            ("calendar".to_owned(), calendar(self.calendar().rules())),
            ("regions".to_owned(), regions),
            ("sun.obliquity_deg".to_owned(), sun.obliquity_deg.to_string()),
            ("sun.by_longitude".to_owned(), sun.by_longitude.to_string()),
            ("sun.phases".to_owned(), format!("{:?}", sun.phases)),
            (OF_BEGINNING[0].to_owned(), self.scale.to_string()),
            (OF_BEGINNING[1].to_owned(), self.phase_speeds.to_string()),
            ("model version".to_owned(), MODEL_VERSION.to_string()),
        ]);
        let places = self.regions.iter().map(|region| {
            let place =
                format!("{}, {}, {} m", region.latitude, region.longitude, region.elevation_m);
            (format!("region {}", region.id), format!("{place}, {}", region.climate))
        });
        let names = self.regions.iter().map(|r| (format!("{NAME}{}", r.id), r.name.clone()));
        match many {
            false => facts.extend(places.chain(names)),
            true => {
                facts.insert(PLACES.to_owned(), digest_of(places));
                facts.insert(NAMES.to_owned(), digest_of(names));
            }
        }
        let presets = self.climates.iter();
        facts
            .extend(presets.map(|(name, preset)| {
                (format!("{CLIMATE}{name}"), digest(&format!("{preset:?}")))
            }));
        facts.extend(self.clocks.iter().map(|clock| {
            let NamedClock { scale, phase_speeds, .. } = clock;
            let speed = format!("{scale} real seconds a game hour, {phase_speeds}");
            (format!("{OF_NAMED_CLOCK}{}", clock.name), speed)
        }));
        facts
    }
}

impl Difference {
    /// What is other in `is` than in `was`, by name. What clocks, names of regions and people are
    /// is news only if it was kept before: a new clock begins with the speed that it is given, and
    /// a world without people has no events of theirs.
    pub fn between(was: &Facts, is: &Facts) -> Vec<Self> {
        let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        let of = |facts: &Facts, name: &str| facts.get(name).cloned().unwrap_or_default();
        let pairs = names.into_iter().map(|name| (name, of(was, name), of(is, name)));
        let is_news = |name: &str, was: &str| {
            let begins = OF_BEGINNING.contains(&name) || name.starts_with(OF_NAMED_CLOCK);
            let earlier = name == OF_EARLIER[0] || name.starts_with(OF_EARLIER[1]);
            let named = name.starts_with(NAME) || name == NAMES;
            let peopled = [PEOPLE, PLACES_OF_PEOPLE, LIVES_OF_PEOPLE].contains(&name);
            !earlier && !(was.is_empty() && (begins || named || peopled))
        };
        let others = pairs.filter(|(name, was, is)| was != is && is_news(name, was));
        others.map(|(name, was, is)| Self { name: name.clone(), was, is }).collect()
    }

    /// What it means for a world that runs already.
    pub fn meaning(&self) -> Meaning {
        match self.name.as_str() {
            name if OF_IDENTITY.contains(&name) => Meaning::Identity,
            name if OF_BEGINNING.contains(&name) => Meaning::Ignored,
            // A clock that is gone runs no more.
            name if name.starts_with(OF_NAMED_CLOCK) && !self.is.is_empty() => Meaning::Ignored,
            _ => Meaning::Otherwise,
        }
    }
}

/// In words for people: a text that only stands in for something is not shown.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, was, is } = self;
        let stands_in =
            name.starts_with(CLIMATE) || [PLACES, NAMES, LIVES_OF_PEOPLE].contains(&name.as_str());
        let [was, is] = [was, is].map(|side| match name.as_str() {
            "calendar" => side.rsplit_once(" (").map_or(side.as_str(), |(calendar, _)| calendar),
            _ => side,
        });
        match (was.is_empty(), is.is_empty()) {
            (true, _) if stands_in => write!(f, "{name}: is new"),
            (_, true) if stands_in => write!(f, "{name}: is gone"),
            _ if stands_in || was == is => write!(f, "{name}: is another than it was"),
            (true, _) => write!(f, "{name}: is new, {}", shown(is)),
            (_, true) => write!(f, "{name}: is gone, was {}", shown(was)),
            _ => write!(f, "{name}: was {}, is {}", shown(was), shown(is)),
        }
    }
}

fn shown(text: &str) -> String {
    match text.chars().count() {
        count if count <= SHOWN_CHARS_MAX => text.to_owned(),
        _ => text.chars().take(SHOWN_CHARS_MAX).chain("...".chars()).collect(),
    }
}

fn digest_of(facts: impl Iterator<Item = (String, String)>) -> String {
    let all: Vec<String> = facts.map(|(name, fact)| format!("{name} {fact}")).collect();
    digest(&all.join(";"))
}

/// A calendar as far as dates and ranks of events follow from it: not the names of its days.
fn calendar(rules: &CalendarRules) -> String {
    let mut text = format!("{} {}", rules.hours_per_day(), rules.minutes_per_hour());
    for year in 0..LEAP_YEARS_MAX {
        let _ = write!(text, " {}", rules.day_number(year, 1, 1));
    }
    for month in (1..).take(rules.months().len()) {
        let _ = write!(text, " {}", rules.day_number(0, month, 1));
    }
    let moons: Vec<&str> = rules.moons().iter().map(|moon| moon.name.as_str()).collect();
    let holidays: Vec<&str> = rules.holidays().iter().map(|day| day.id.as_str()).collect();
    let _ = write!(text, " {} {}", moons.join(","), holidays.join(","));
    format!("{} ({})", rules.name(), digest(&text))
}

/// A short stand-in for a long text.
pub fn digest(text: &str) -> String {
    let mut hash = Fnv128::default();
    hash.write(text.as_bytes());
    format!("{:016x}", (hash.0 >> 64) as u64 ^ hash.0 as u64)
}
