//! Questions about a world's people, however they are asked: by names that are checked, answered
//! from what everyone does now. Not here: documents and messages (`rest`, `grpc`).

use std::sync::{Arc, PoisonError};

use crate::agenda::{Basis, Present, SharedAgenda};
use crate::followers::Followers;
use crate::town::Town;
use crate::town::names::Names;
use crate::weather::WAITS;
use worldbus_population::Activity;
use worldbus_service::{Problem, Work};
use worldbus_world::World;

/// People of a page by default.
const LIMIT_DEFAULT: i64 = 100;
/// And at the most.
const LIMIT_MAX: i64 = 1_000;
pub(crate) const PLAN_HOURS_DEFAULT: i64 = 24;
const PLAN_HOURS_MAX: i64 = 168;

/// Where people are asked about.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) town: Arc<Town>,
    pub(crate) agenda: SharedAgenda,
    pub(crate) followers: Followers,
    pub(crate) work: Work,
}

/// Which people a page is of, as it is asked for.
#[derive(Debug, Default)]
pub(crate) struct Wanted<'a> {
    pub(crate) region: Option<&'a str>,
    pub(crate) role: Option<&'a str>,
    pub(crate) place: Option<&'a str>,
    pub(crate) activity: Option<&'a str>,
    pub(crate) limit: Option<i64>,
    pub(crate) cursor: Option<&'a str>,
}

/// The same by ranks.
#[derive(Debug)]
pub(crate) struct Conditions {
    region: Option<usize>,
    role: Option<usize>,
    place: Option<usize>,
    activity: Option<Activity>,
    limit: usize,
    from: usize,
}

impl Desk {
    /// Answers from what everyone does now, off the async threads: it may take long.
    pub(crate) fn now<T>(
        &self,
        answer: impl FnOnce(&Present<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let town = &self.town;
        let (clock, view) = (town.clock.known()?, town.view());
        let weather = view.weather.as_ref().ok_or_else(|| Problem::unavailable(WAITS))?;
        let basis = Basis { clock: &clock, weather, commands: &view.commands };
        let mut agenda = self.agenda.lock().unwrap_or_else(PoisonError::into_inner);
        answer(&agenda.present(basis, town.now()))
    }

    pub(crate) fn world(&self) -> &World {
        &self.town.world
    }

    /// The rank of a person who is there, or comes.
    pub(crate) fn person(&self, now: &Present<'_>, id: &str) -> Result<usize, Problem> {
        Names { world: self.world(), people: now.people() }.person("id", id, now.minute)
    }

    fn names(&self) -> Names<'_> {
        Names { world: self.world(), people: self.town.made() }
    }

    /// The index of a region, if one is named.
    pub(crate) fn region(&self, id: Option<&str>) -> Result<Option<usize>, Problem> {
        id.map(|id| self.names().region(id)).transpose()
    }

    /// A page's conditions by ranks.
    pub(crate) fn conditions(&self, wanted: &Wanted<'_>) -> Result<Conditions, Problem> {
        let names = self.names();
        let activity = wanted.activity.map(str::parse::<Activity>).transpose();
        let activity = activity.map_err(|error| invalid("activity", &error.to_string()))?;
        let limit = wanted.limit.unwrap_or(LIMIT_DEFAULT);
        within("limit", limit, LIMIT_MAX)?;
        let cursor = wanted.cursor.map(str::parse::<usize>).transpose();
        let cursor = cursor.map_err(|_| invalid("cursor", "expected `next` of the page before"))?;
        Ok(Conditions {
            region: self.region(wanted.region)?,
            role: wanted.role.map(|id| names.role(id)).transpose()?,
            place: wanted.place.map(|id| names.place("place", id)).transpose()?,
            activity,
            limit: limit as usize,
            from: cursor.unwrap_or(0),
        })
    }
}

impl Conditions {
    /// The people of a page by rank, and the cursor of the next one, if there is one.
    pub(crate) fn page(&self, now: &Present<'_>) -> (Vec<usize>, Option<String>) {
        let people = now.people();
        let fits = |rank: &usize| {
            let role = usize::from(people.person(*rank).role);
            *rank >= self.from && self.role.is_none_or(|wanted| wanted == role) && {
                let (activity, place) = now.doing(*rank);
                self.place.is_none_or(|wanted| wanted == place)
                    && self.activity.is_none_or(|wanted| wanted == activity)
            }
        };
        let mut found = now.everyone(self.region).filter(fits);
        let page = found.by_ref().take(self.limit).collect();
        (page, found.next().map(|rank| rank.to_string()))
    }
}

/// Refuses how far ahead a plan shall go.
pub(crate) fn check_hours(hours: i64) -> Result<(), Problem> {
    within("hours", hours, PLAN_HOURS_MAX)
}

fn within(field: &'static str, number: i64, most: i64) -> Result<(), Problem> {
    if (1..=most).contains(&number) {
        return Ok(());
    }
    Err(invalid(field, &format!("expected 1 to {most}, found {number}")))
}

fn invalid(field: &'static str, text: &str) -> Problem {
    Problem::bad_request(format!("`{field}`: {text}")).with_field(field)
}
