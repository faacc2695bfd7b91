//! Names that requests have: looked up, refused with the field, and shown. Not here: what is asked
//! for by them (`acts`, `requests`, `desk`).

use worldbus_population::Population;
use worldbus_service::Problem;
use worldbus_world::World;

/// Characters of a wrong name that an error shows.
const SHOWN_CHARS_MAX: usize = 40;

/// The rank of a person who is there at a minute, or comes later.
pub(crate) fn person(
    (people, minute): (&Population, i64),
    world: &World,
    id: &str,
) -> Result<usize, Problem> {
    let (id, world) = (people.rank(id).ok_or_else(|| shown(id)), &world.id);
    match id {
        Ok(rank) if people.is_expected(rank, minute) => Ok(rank),
        Ok(rank) => {
            let text = format!("{} was removed from {world}", people.id(rank));
            Err(Problem::not_found(text + "; /api/people lists who is there"))
        }
        Err(id) => {
            Err(Problem::not_found(format!("no person {id} in {world}; /api/people lists all")))
        }
    }
}

/// Refuses a name that the world does not have.
pub(crate) fn known(
    field: &'static str,
    name: &str,
    is: bool,
    world: &World,
) -> Result<(), Problem> {
    if is {
        return Ok(());
    }
    let text = format!("no {field} {} in {}", shown(name), world.id);
    Err(Problem::not_found(text).with_field(field))
}

pub(crate) fn invalid(field: &'static str, text: &str) -> Problem {
    Problem::unprocessable(format!("{field}: {text}")).with_field(field)
}

/// A name cut for an error, quoted.
pub(crate) fn shown(name: &str) -> String {
    format!("{:?}", name.chars().take(SHOWN_CHARS_MAX).collect::<String>())
}
