//! The JSON documents about people and places. Not here: those about commands (`commands`).

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::town::Town;
use worldbus_population::{Activity, Candidate, Population, Span, Why};

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
}

/// A person, what it is like and what it does now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Person)]
pub(super) struct Person {
    #[serde(flatten)]
    entry: Entry,
    /// Since when it does that: whole game minutes since the world's epoch.
    from_minutes: i64,
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
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = PeopleStatistics)]
pub(super) struct Statistics {
    total: u32,
    /// At a place with a roof, not on the way.
    under_roof: u32,
    by_activity: BTreeMap<&'static str, u32>,
}

/// The places.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Places {
    places: Vec<Place>,
}

/// A place, and who is there now.
#[derive(Debug, Serialize, ToSchema)]
struct Place {
    id: String,
    name: String,
    kind: String,
    region: String,
    /// How many are there; those on their way are not.
    count: u32,
    capacity: u32,
    /// 0 under the sky, 1 behind thick walls.
    roof: f64,
    by_activity: BTreeMap<&'static str, u32>,
}

fn share(permille: u16) -> f64 {
    f64::from(permille) / 1_000.0
}

impl Entry {
    pub(super) fn new(town: &Town, rank: usize, span: &Span) -> Self {
        let person = town.people.person(rank);
        Self {
            id: town.people.id(rank),
            name: town.people.name(rank),
            role: town.people.roles()[usize::from(person.role)].id.clone(),
            region: town.world.regions[usize::from(person.region)].id.clone(),
            activity: span.activity.name().to_owned(),
            place: town.people.places()[span.place].id.clone(),
            until_minutes: span.until,
        }
    }
}

impl Person {
    pub(super) fn new(town: &Town, rank: usize, span: &Span) -> Self {
        let place = |rank: usize| town.people.places()[rank].id.clone();
        let character = town.people.person(rank).character;
        Self {
            entry: Entry::new(town, rank, span),
            from_minutes: span.from,
            from_place: place(span.from_place),
            cause: span.cause.name().to_owned(),
            home: place(town.people.home(rank)),
            workplace: town.people.workplace(rank).map(place),
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
    /// From a minute on.
    pub(super) fn new(people: &Population, now: i64, spans: &[Span]) -> Self {
        let planned = |span: &Span| Planned {
            from_minutes: span.from.max(now),
            to_minutes: span.until,
            activity: span.activity.name().to_owned(),
            place: people.places()[span.place].id.clone(),
        };
        Self { plan: spans.iter().map(planned).collect() }
    }
}

impl Reasons {
    pub(super) fn new(people: &Population, span: &Span, why: &Why) -> Self {
        let place = |rank: usize| people.places()[rank].id.clone();
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
            candidates: why.candidates.iter().map(reason).collect(),
        }
    }
}

impl Statistics {
    pub(super) fn new(people: &Population, spans: impl Iterator<Item = Span>) -> Self {
        let mut statistics = Self::default();
        for span in spans {
            let roof = people.places()[span.place].is_roofed();
            statistics.total += 1;
            statistics.under_roof += u32::from(roof && span.activity != Activity::Travel);
            *statistics.by_activity.entry(span.activity.name()).or_default() += 1;
        }
        statistics
    }
}

impl Places {
    /// Those of a region, or all.
    pub(super) fn new(
        town: &Town,
        region: Option<usize>,
        spans: impl Iterator<Item = Span>,
    ) -> Self {
        let mut there: BTreeMap<usize, BTreeMap<&'static str, u32>> = BTreeMap::new();
        for span in spans.filter(|span| span.activity != Activity::Travel) {
            *there.entry(span.place).or_default().entry(span.activity.name()).or_default() += 1;
        }
        let people = &town.people;
        let all = region.map_or(0..people.places().len(), |region| people.places_of(region));
        let place = |rank: usize| {
            let place = &people.places()[rank];
            let by_activity = there.remove(&rank).unwrap_or_default();
            Place {
                id: place.id.clone(),
                name: place.name.clone(),
                kind: people.kinds()[place.kind].clone(),
                region: town.world.regions[place.region].id.clone(),
                count: by_activity.values().sum(),
                capacity: place.capacity,
                roof: share(place.roof_permille),
                by_activity,
            }
        };
        Self { places: all.map(place).collect() }
    }
}
