//! What a game master directs people to do, and who of them follows: those for whom there is room.
//! Not here: who may command (the service), what else people do (`plan`).

use std::fmt;

use crate::activity::Activity;
use crate::model::Population;

/// Directives that may be in force or to come at a time.
pub const DIRECTIVE_COUNT_MAX: usize = 256;
/// Persons that a directive may name.
pub const PERSONS_MAX: usize = 256;
/// The longest directive: 30 days of 24 hours.
pub const MINUTES_MAX: i64 = 30 * 1_440;

/// Whom a directive is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// These, by rank; if there are any, role and region do not count.
    pub persons: Vec<usize>,
    /// All of a role, by rank.
    pub role: Option<usize>,
    /// All of a region, by rank.
    pub region: Option<usize>,
}

/// What people shall do for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Orders directives: of two in force the higher one counts.
    pub rev: u64,
    /// For whom.
    pub target: Target,
    /// What they do.
    pub activity: Activity,
    /// Where, by rank; none: where each is best off for the activity.
    pub place: Option<usize>,
    /// The first minute at which it is in force.
    pub start: i64,
    /// The first minute at which it is not any more.
    pub end: i64,
}

/// Directives of a world, by revision. The same list in the same order means the same on every
/// instance.
#[derive(Clone, Debug, Default)]
pub struct Directives {
    list: Vec<Admitted>,
}

#[derive(Clone, Debug)]
struct Admitted {
    directive: Directive,
    /// Where there is a place: those who follow though they do not go there of themselves.
    guests: Vec<u32>,
    count: usize,
}

/// Why a directive is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DirectiveError {
    /// More than [`DIRECTIVE_COUNT_MAX`].
    TooMany,
    /// Neither persons nor a role nor a region, or more than [`PERSONS_MAX`] persons.
    Target,
    /// It ends before it begins, or is longer than [`MINUTES_MAX`].
    Length,
    /// People who travel are on their way to something else.
    Travel,
    /// Its place is in another region than any of its people.
    OutOfReach,
    /// No one fits in.
    NoRoom,
    /// No one is of that role in that region.
    NoPeople,
}

impl Target {
    /// Whether it is for a person.
    pub fn concerns(&self, people: &Population, rank: usize) -> bool {
        if !self.persons.is_empty() {
            return self.persons.contains(&rank);
        }
        let person = people.person(rank);
        self.role.is_none_or(|role| usize::from(person.role) == role)
            && self.region.is_none_or(|region| usize::from(person.region) == region)
    }

    /// Those of them who are there at a minute.
    fn people<'a>(
        &'a self,
        people: &'a Population,
        minute: i64,
    ) -> impl Iterator<Item = usize> + 'a {
        let all = match self.persons.is_empty() {
            true => people.everyone(self.region),
            false => Box::new(self.persons.iter().copied()),
        };
        all.filter(move |rank| self.concerns(people, *rank) && people.is_here(*rank, minute))
    }
}

impl Directives {
    /// Adds one, and returns how many people follow it.
    ///
    /// # Errors
    /// See [`DirectiveError`]; then nothing was added.
    pub fn push(
        &mut self,
        people: &Population,
        directive: Directive,
    ) -> Result<usize, DirectiveError> {
        let lasting = self
            .list()
            .filter(|(earlier, _)| earlier.start < earlier.end && directive.start < earlier.end);
        if lasting.count() >= DIRECTIVE_COUNT_MAX {
            return Err(DirectiveError::TooMany);
        }
        check(&directive)?;
        let in_reach = |rank: &usize| {
            let region = usize::from(people.person(*rank).region);
            directive.place.is_none_or(|place| people.places()[place].region == region)
        };
        let (reached, far): (Vec<usize>, Vec<usize>) =
            directive.target.people(people, directive.start).partition(in_reach);
        if reached.is_empty() {
            let none = far.is_empty();
            return Err(if none { DirectiveError::NoPeople } else { DirectiveError::OutOfReach });
        }
        let Some(place) = directive.place else {
            let count = reached.len();
            self.list.push(Admitted { directive, guests: Vec::new(), count });
            return Ok(count);
        };

        // Those who go there anyway have room; of the others the first ones get what is left.
        let is_regular = |rank: &usize| people.is_regular(*rank, place);
        let regulars = reached.iter().filter(|rank| is_regular(rank)).count();
        let room = self.room(people, &directive, place);
        let guests = reached.iter().filter(|rank| !is_regular(rank)).take(room);
        let mut guests: Vec<u32> = guests.map(|rank| *rank as u32).collect();
        guests.sort_unstable();
        let count = regulars + guests.len();
        if count == 0 {
            return Err(DirectiveError::NoRoom);
        }
        self.list.push(Admitted { directive, guests, count });
        Ok(count)
    }

    /// The directives, lowest revision first, each with how many people follow it.
    pub fn list(&self) -> impl Iterator<Item = (&Directive, usize)> {
        self.list.iter().map(|admitted| (&admitted.directive, admitted.count))
    }

    /// One by its revision, as it is in force last, and how many people follow it.
    pub fn last(&self, rev: u64) -> Option<(&Directive, usize)> {
        let found = self.list.iter().rfind(|admitted| admitted.directive.rev == rev);
        found.map(|admitted| (&admitted.directive, admitted.count))
    }

    /// Ends one by its revision, at a minute if that is earlier. False if there is no such one. Of
    /// one that is there several times, as it was in force again, the last is ended.
    pub fn end(&mut self, rev: u64, minute: i64) -> bool {
        let found = self.list.iter_mut().rfind(|admitted| admitted.directive.rev == rev);
        let Some(Admitted { directive, .. }) = found else { return false };
        directive.end = directive.end.min(minute.max(directive.start));
        true
    }

    /// How many who do not go to a place of themselves find room there for a while. What earlier
    /// directives took stays taken until their end.
    fn room(&self, people: &Population, wanted: &Directive, place: usize) -> usize {
        let region = people.places()[place].region;
        let regulars = people.people_of(region).filter(|rank| {
            people.is_regular(*rank, place) && people.is_expected(*rank, wanted.start)
        });
        let taken = regulars.count() + self.guests_within(place, (wanted.start, wanted.end));
        (people.places()[place].capacity as usize).saturating_sub(taken)
    }

    /// How many are directed to a place from a minute on who do not go there of themselves.
    pub(crate) fn guests(&self, place: usize, minute: i64) -> usize {
        self.guests_within(place, (minute, i64::MAX))
    }

    fn guests_within(&self, place: usize, (from, until): (i64, i64)) -> usize {
        let there = self.list.iter().filter(|admitted| {
            let Directive { place: at, start, end, .. } = admitted.directive;
            at == Some(place) && start < until && from < end
        });
        there.map(|admitted| admitted.guests.len()).sum()
    }

    /// The directive that a person follows at a minute.
    pub(crate) fn at<'a>(
        &'a self,
        people: &'a Population,
        rank: usize,
        minute: i64,
    ) -> Option<&'a Directive> {
        let in_force = |directive: &&Directive| directive.start <= minute && minute < directive.end;
        self.of(people, rank).filter(in_force).max_by_key(|directive| directive.rev)
    }

    /// The next minute after another at which one begins or ends for a person.
    pub(crate) fn next_edge(&self, people: &Population, rank: usize, after: i64) -> Option<i64> {
        let edges = self.of(people, rank).flat_map(|directive| [directive.start, directive.end]);
        edges.filter(|edge| *edge > after).min()
    }

    /// Whether one is in force for a person within a stretch of minutes.
    pub(crate) fn touches(
        &self,
        people: &Population,
        rank: usize,
        (from, until): (i64, i64),
    ) -> bool {
        self.of(people, rank).any(|directive| directive.start < until && from < directive.end)
    }

    fn of<'a>(
        &'a self,
        people: &'a Population,
        rank: usize,
    ) -> impl Iterator<Item = &'a Directive> + 'a {
        let follows = move |admitted: &&Admitted| {
            let directive = &admitted.directive;
            directive.start < directive.end
                && directive.target.concerns(people, rank)
                && directive.place.is_none_or(|place| {
                    people.is_regular(rank, place)
                        || admitted.guests.binary_search(&(rank as u32)).is_ok()
                })
        };
        self.list.iter().filter(follows).map(|admitted| &admitted.directive)
    }
}

fn check(directive: &Directive) -> Result<(), DirectiveError> {
    let Directive { target, activity, start, end, .. } = directive;
    if target.persons.len() > PERSONS_MAX
        || target.persons.is_empty() && target.role.is_none() && target.region.is_none()
    {
        return Err(DirectiveError::Target);
    }
    if *activity == Activity::Travel {
        return Err(DirectiveError::Travel);
    }
    if !(1..=MINUTES_MAX).contains(&end.saturating_sub(*start)) {
        return Err(DirectiveError::Length);
    }
    Ok(())
}

impl fmt::Display for DirectiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany => {
                write!(f, "expected at most {DIRECTIVE_COUNT_MAX} directives at a time")
            }
            Self::Target => {
                write!(f, "expected 1 to {PERSONS_MAX} persons, or a role, a region, or both")
            }
            Self::Length => write!(f, "expected a duration of 1 to {MINUTES_MAX} game minutes"),
            Self::Travel => f.write_str("expected an activity other than travel"),
            Self::OutOfReach => f.write_str("expected a place in the region of its people"),
            Self::NoRoom => f.write_str("expected a place with room, found it full"),
            Self::NoPeople => f.write_str("expected people of that role in that region"),
        }
    }
}

impl std::error::Error for DirectiveError {}
