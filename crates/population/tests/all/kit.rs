//! What the tests share: the sample world by other seeds, and weather to order.

use std::sync::Arc;

use worldbus_population::{Activity, Directives, Planner, Population, Skies, SkyChange};
use worldbus_world::{Overrides, Weather, WeatherState, World};

pub(crate) const HOUR: i64 = 60;
pub(crate) const DAY: i64 = 24 * HOUR;

/// The sample world with another seed. It begins on Friday, 1 March 2024, at 6 o'clock.
pub(crate) fn world(seed: u64) -> World {
    let file = include_str!("../../../../worlds/europe.toml");
    World::parse("europe.toml", &file.replace("seed = 20240301", &format!("seed = {seed}")))
        .unwrap()
}

pub(crate) fn people(world: &World) -> Arc<Population> {
    Arc::new(Population::read(world).unwrap())
}

pub(crate) fn skies(world: &World) -> Arc<Skies> {
    Arc::new(Skies::new(Weather::new(world), Overrides::default()))
}

/// One state everywhere, but another from one minute to another.
pub(crate) fn sky(
    world: &World,
    state: WeatherState,
    but: &[(i64, i64, WeatherState)],
) -> Arc<Skies> {
    let mut changes = vec![SkyChange { minute: i64::MIN, state }];
    for (from, until, other) in but {
        changes.push(SkyChange { minute: *from, state: *other });
        changes.push(SkyChange { minute: *until, state });
    }
    Arc::new(Skies::received(vec![changes; world.regions.len()]))
}

/// A minute by the clock of a day, counted from 0, which is Friday, 1 March.
pub(crate) fn at(day: i64, hour: i64) -> i64 {
    day * DAY + (hour - 6) * HOUR
}

/// The share of some people, in percent, of whom something is true.
pub(crate) fn percent(of: &[usize], is: impl Fn(usize) -> bool) -> usize {
    assert!(!of.is_empty());
    100 * of.iter().filter(|person| is(**person)).count() / of.len()
}

/// The people of some roles.
pub(crate) fn of_roles(people: &Population, roles: &[&str]) -> Vec<usize> {
    let is = |person: &usize| {
        let role = &people.roles()[usize::from(people.person(*person).role)];
        roles.contains(&role.id.as_str())
    };
    (0..people.len()).filter(is).collect()
}

pub(crate) fn does(planner: &Planner, person: usize, minute: i64) -> Activity {
    planner.activity(person, minute).activity
}

pub(crate) fn nothing() -> Directives {
    Directives::default()
}
