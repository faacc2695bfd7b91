//! The JSON documents about people and places. Not here: those about commands (`commands`).

mod places;

use serde::Serialize;
use utoipa::ToSchema;

use crate::agenda::{Counted, Present};
use places::Counts;
use worldbus_population::{Candidate, Population, Span, Why};
use worldbus_world::{GameTime, Region, World};

pub(super) use places::Places;

/// A page of people.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PeoplePage)]
pub(super) struct Page {
    pub(super) people: Vec<Entry>,
    /// The cursor of the next page; none behind the last.
    pub(super) next: Option<String>,
}

/// A person, and what it does now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PersonEntry)]
pub(super) struct Entry {
    id: String,
    name: String,
    /// The role's id.
    role: String,
    /// The region's id.
    region: String,
    /// Short name: `work`.
    activity: String,
    /// The place's id: where it is, or goes.
    place: String,
    /// When it is going to do something else: whole game minutes since the world's epoch.
    until_minutes: i64,
    /// The same as a date and time of the world's calendar.
    until_time: String,
}

/// A person, what it is like and what it does now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Person)]
pub(super) struct Person {
    #[serde(flatten)]
    entry: Entry,
    /// Since when it does that: whole game minutes since the world's epoch.
    from_minutes: i64,
    /// The same as a date and time of the world's calendar.
    from_time: String,
    /// Where it was before.
    from_place: String,
    /// `routine`, `weather`, `need` or `directive`.
    cause: String,
    home: String,
    /// None: it does not work at a place.
    workplace: Option<String>,
    /// 0 to 1 each.
    character: Character,
}

/// What a person is like, 0 to 1 each.
#[derive(Debug, Serialize, ToSchema)]
struct Character {
    sociable: f64,
    devout: f64,
    hardy: f64,
    diligent: f64,
}

/// What a person is going to do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PersonPlan)]
pub(super) struct Plan {
    /// Without gaps, from now on.
    plan: Vec<Planned>,
}

/// What it does from one minute to before another.
#[derive(Debug, Serialize, ToSchema)]
struct Planned {
    /// Whole game minutes since the world's epoch.
    from_minutes: i64,
    to_minutes: i64,
    /// The same as dates and times of the world's calendar.
    from_time: String,
    to_time: String,
    activity: String,
    place: String,
}

/// Why a person does what it does.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PersonReasons)]
pub(super) struct Reasons {
    /// What it does.
    activity: String,
    place: String,
    /// When it decided last: whole game minutes since the world's epoch.
    decided_minutes: i64,
    /// The same as a date and time of the world's calendar.
    decided_time: String,
    /// What there was to choose from, the chosen one first.
    candidates: Vec<Reason>,
}

/// A candidate, and what its score was made of.
#[derive(Debug, Serialize, ToSchema)]
struct Reason {
    activity: String,
    place: String,
    cause: String,
    /// The sum of the others: the highest was chosen.
    score: i32,
    /// How well it fits the hour, or a directive.
    fit: i32,
    /// The need that it meets.
    need: i32,
    /// What the person is like.
    character: i32,
    /// The weather there and on the way.
    weather: i32,
    /// The way.
    way: i32,
    /// The person does it already.
    habit: i32,
}

/// How many people do what.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PeopleStatistics)]
pub(super) struct Statistics {
    total: u32,
    /// At a place with a roof, not on the way.
    under_roof: u32,
    #[schema(value_type = std::collections::BTreeMap<String, u32>)]
    by_activity: Counts,
}

/// What the people of all regions do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PeopleOverview)]
pub(super) struct Overview {
    /// Now: whole game minutes since the world's epoch.
    minutes: i64,
    #[serde(flatten)]
    all: Statistics,
    regions: Vec<OfRegion>,
}

/// What the people of a region do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PeopleOfRegion)]
struct OfRegion {
    /// The region's id.
    region: String,
    #[serde(flatten)]
    people: Statistics,
}

/// A game minute by the world's calendar.
fn time(world: &World, minute: i64) -> String {
    world.calendar().at(GameTime::from_minutes(minute)).to_string()
}

fn share(permille: u16) -> f64 {
    f64::from(permille) / 1_000.0
}

impl Entry {
    pub(super) fn new(world: &World, people: &Population, rank: usize, span: &Span) -> Self {
        let person = people.person(rank);
        Self {
            id: people.id(rank),
            name: people.name(rank),
            role: people.roles()[usize::from(person.role)].id.clone(),
            region: world.regions[usize::from(person.region)].id.clone(),
            activity: span.activity.name().to_owned(),
            place: people.place_id(span.place),
            until_minutes: span.until,
            until_time: time(world, span.until),
        }
    }
}

impl Person {
    pub(super) fn new(world: &World, people: &Population, rank: usize, span: &Span) -> Self {
        let place = |rank: usize| people.place_id(rank);
        let character = people.person(rank).character;
        Self {
            entry: Entry::new(world, people, rank, span),
            from_minutes: span.from,
            from_time: time(world, span.from),
            from_place: place(span.from_place),
            cause: span.cause.name().to_owned(),
            home: place(people.home(rank)),
            workplace: people.workplace(rank).map(place),
            character: Character {
                sociable: share(character.sociable),
                devout: share(character.devout),
                hardy: share(character.hardy),
                diligent: share(character.diligent),
            },
        }
    }
}

impl Plan {
    pub(super) fn new(world: &World, now: &Present<'_>, spans: &[Span]) -> Self {
        let planned = |span: &Span| Planned {
            from_minutes: span.from,
            to_minutes: span.until,
            from_time: time(world, span.from),
            to_time: time(world, span.until),
            activity: span.activity.name().to_owned(),
            place: now.people().place_id(span.place),
        };
        Self { plan: spans.iter().map(planned).collect() }
    }
}

impl Reasons {
    pub(super) fn new(world: &World, people: &Population, span: &Span, why: &Why) -> Self {
        let place = |rank: usize| people.place_id(rank);
        let reason = |candidate: &Candidate| {
            let score = &candidate.score;
            Reason {
                activity: candidate.activity.name().to_owned(),
                place: place(candidate.place),
                cause: candidate.cause.name().to_owned(),
                score: score.total(),
                fit: score.fit,
                need: score.need,
                character: score.character,
                weather: score.weather,
                way: score.way,
                habit: score.habit,
            }
        };
        Self {
            activity: span.activity.name().to_owned(),
            place: place(span.place),
            decided_minutes: why.minute,
            decided_time: time(world, why.minute),
            candidates: why.candidates.iter().map(reason).collect(),
        }
    }
}

impl From<Counted> for Statistics {
    fn from(counted: Counted) -> Self {
        let Counted { total, under_roof, by_activity } = counted;
        Self { total, under_roof, by_activity: Counts(by_activity) }
    }
}

impl Overview {
    pub(super) fn new(world: &World, now: &Present<'_>) -> Self {
        let of = |(rank, region): (usize, &Region)| OfRegion {
            region: region.id.clone(),
            people: now.count(Some(rank)).into(),
        };
        Self {
            minutes: now.minute,
            all: now.count(None).into(),
            regions: world.regions.iter().enumerate().map(of).collect(),
        }
    }
}
