//! What the people of a world would be like: how many of which role, what they do by the hour in
//! its first week, and one person's first day.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use worldbus_population::{Activity, Directives, Planner, Population, Skies};
use worldbus_world::{GameTime, Overrides, Weather, World};

/// Hours of the day that are shown.
const HOURS: [i64; 8] = [3, 7, 10, 12, 15, 18, 20, 23];
const DAY_COUNT: i64 = 7;
/// People whose days are planned; of more as many from all over the list.
const PLANNED_COUNT_MAX: usize = 1_000;

/// The people of a world, foreseen.
#[derive(Debug, Serialize)]
pub(crate) struct PeopleOutlook {
    pub(crate) count: usize,
    pub(crate) place_count: usize,
    pub(crate) roles: Vec<RoleOutlook>,
    /// Days from the first whole one on that the percentages are means of.
    pub(crate) day_count: i64,
    pub(crate) hours: Vec<HourOutlook>,
    pub(crate) example: PersonOutlook,
}

/// How many people have a role.
#[derive(Debug, Serialize)]
pub(crate) struct RoleOutlook {
    pub(crate) role: String,
    pub(crate) count: usize,
}

/// What people do at an hour, in percent of them.
#[derive(Debug, Serialize)]
pub(crate) struct HourOutlook {
    pub(crate) hour: i64,
    pub(crate) percent: BTreeMap<&'static str, f64>,
}

/// The first whole day of a person.
#[derive(Debug, Serialize)]
pub(crate) struct PersonOutlook {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) day: Vec<SpanOutlook>,
}

/// What it does from when on.
#[derive(Debug, Serialize)]
pub(crate) struct SpanOutlook {
    pub(crate) from: String,
    pub(crate) activity: &'static str,
    pub(crate) place: String,
}

impl PeopleOutlook {
    /// None of a world without people.
    pub(crate) fn new(world: &World, people: &Arc<Population>) -> Option<Self> {
        if people.is_empty() {
            return None;
        }
        let skies = Skies::new(Weather::new(world), Overrides::default());
        let planner = Planner::new(Arc::clone(people), skies, Directives::default());
        let count_of = |role: usize| {
            let all = 0..people.len();
            all.filter(|person| usize::from(people.person(*person).role) == role).count()
        };
        let roles = people.roles().iter().enumerate();
        let roles = roles
            .map(|(rank, role)| RoleOutlook { role: role.name.clone(), count: count_of(rank) });
        Some(Self {
            count: people.len(),
            place_count: people.places().len(),
            roles: roles.collect(),
            day_count: DAY_COUNT,
            hours: hours(world, people, &planner),
            example: person(world, people, &planner),
        })
    }
}

/// The first minute of a whole day of the calendar, counted from 0.
fn day_begins(world: &World, number: i64) -> i64 {
    let calendar = world.calendar();
    let first = calendar.day_number(GameTime(0)) + 1;
    calendar.day_begins(first + number).map_or(0, GameTime::minutes)
}

fn hours(world: &World, people: &Population, planner: &Planner) -> Vec<HourOutlook> {
    let step = people.len().div_ceil(PLANNED_COUNT_MAX);
    let hour_minutes = world.calendar().rules().hour_us() / GameTime::MINUTE_US;
    let at = |hour: i64| {
        let mut counts = [0_u32; Activity::ALL.len()];
        for day in 0..DAY_COUNT {
            let minute = day_begins(world, day) + hour * hour_minutes;
            for person in (0..people.len()).step_by(step) {
                counts[planner.activity(person, minute).activity as usize - 1] += 1;
            }
        }
        let all: u32 = counts.iter().sum();
        let percent = |count: u32| (1_000.0 * f64::from(count) / f64::from(all)).round() / 10.0;
        let named = Activity::ALL.into_iter().zip(counts).filter(|(_, count)| *count > 0);
        let percent = named.map(|(activity, count)| (activity.name(), percent(count))).collect();
        HourOutlook { hour, percent }
    };
    let last = i64::from(world.calendar().rules().hours_per_day());
    HOURS.into_iter().filter(|hour| *hour < last).map(at).collect()
}

fn person(world: &World, people: &Population, planner: &Planner) -> PersonOutlook {
    let calendar = world.calendar();
    let (from, until) = (day_begins(world, 0), day_begins(world, 1));
    let span = |span: &worldbus_population::Span| {
        let at = calendar.at(GameTime::from_minutes(span.from));
        SpanOutlook {
            from: format!("{:02}:{:02}", at.hour, at.minute),
            activity: span.activity.name(),
            place: people.place_name(span.place),
        }
    };
    PersonOutlook {
        id: people.id(0),
        name: people.name(0),
        role: people.roles()[usize::from(people.person(0).role)].name.clone(),
        day: planner.spans(0, from, until).iter().map(span).collect(),
    }
}
