//! Names that requests have: looked up, refused with the field, and shown. Not here: what is asked
//! for by them (`acts`, `requests`, `desk`).

use worldbus_population::Population;
use worldbus_service::Problem;
use worldbus_world::World;

/// Characters of a wrong name that an error shows.
const SHOWN_CHARS_MAX: usize = 40;

/// Known names that a wrong one is compared with: of more only the first ones.
const COMPARED_COUNT_MAX: usize = 20_000;
/// Names that an error suggests.
const SUGGESTED_COUNT_MAX: usize = 3;
/// How alike they are, 0 to 1.
const LIKENESS_MIN: f64 = 0.85;

/// The names of a world and its people.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) world: &'a World,
    pub(crate) people: &'a Population,
}

impl Names<'_> {
    /// The index of a region.
    pub(crate) fn region(&self, id: &str) -> Result<usize, Problem> {
        let all = self.world.regions.iter().map(|region| region.id.as_str());
        self.known(("region", id), self.world.region_index(id), all)
    }

    /// The rank of a role.
    pub(crate) fn role(&self, id: &str) -> Result<usize, Problem> {
        let all = self.people.roles().iter().map(|role| role.id.as_str());
        self.known(("role", id), self.people.role_rank(id), all)
    }

    /// The rank of a place, which a field names.
    pub(crate) fn place(&self, field: &'static str, id: &str) -> Result<usize, Problem> {
        let all = (0..self.people.places().len()).map(|rank| self.people.place_id(rank));
        self.known((field, id), self.people.place_rank(id), all)
    }

    /// The rank of a person who is there at a minute, or comes later; `field` names it.
    pub(crate) fn person(
        &self,
        field: &'static str,
        id: &str,
        minute: i64,
    ) -> Result<usize, Problem> {
        let (people, world) = (self.people, &self.world.id);
        let text = match people.rank(id) {
            Some(rank) if people.is_expected(rank, minute) => return Ok(rank),
            Some(rank) => {
                let id = people.id(rank);
                format!("{id} was removed from {world}; /api/people lists who is there")
            }
            None => {
                let here = people.everyone(None).filter(|rank| people.is_expected(*rank, minute));
                let near = near(id, here.map(|rank| people.id(rank)));
                format!("no person {} in {world}{near}; /api/people lists all", shown(id))
            }
        };
        Err(Problem::not_found(text).with_field(field))
    }

    fn known<S: AsRef<str>>(
        &self,
        (field, name): (&'static str, &str),
        rank: Option<usize>,
        all: impl Iterator<Item = S>,
    ) -> Result<usize, Problem> {
        rank.ok_or_else(|| {
            let text =
                format!("no {field} {} in {}{}", shown(name), self.world.id, near(name, all));
            Problem::not_found(text).with_field(field)
        })
    }
}

/// The names most like another, in words.
fn near<S: AsRef<str>>(name: &str, all: impl Iterator<Item = S>) -> String {
    let name: String = name.to_lowercase().chars().take(SHOWN_CHARS_MAX).collect();
    let likeness = |known: S| (strsim::jaro_winkler(known.as_ref(), &name), known);
    let like = all.take(COMPARED_COUNT_MAX).map(likeness).filter(|(like, _)| *like >= LIKENESS_MIN);
    let mut like: Vec<(f64, S)> = like.collect();
    like.sort_by(|a, b| b.0.total_cmp(&a.0));
    let names = like.iter().take(SUGGESTED_COUNT_MAX).map(|(_, name)| name.as_ref());
    match names.collect::<Vec<_>>() {
        names if names.is_empty() => String::new(),
        names => format!("; did you mean {}?", names.join(", ")),
    }
}

pub(crate) fn invalid(field: &'static str, text: &str) -> Problem {
    Problem::unprocessable(format!("{field}: {text}")).with_field(field)
}

/// A name cut for an error, quoted.
pub(crate) fn shown(name: &str) -> String {
    format!("{:?}", name.chars().take(SHOWN_CHARS_MAX).collect::<String>())
}
