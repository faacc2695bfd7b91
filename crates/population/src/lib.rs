//! The people of a world as pure functions: where they live and work, what each does at any
//! instant, and why. Not here: reading a clock, chance from outside, I/O, events on a wire.
//!
//! A [`Population`] is made of a world's file and its seed. What a person does is a function of the
//! person, the game time, the weather of its region ([`Skies`]) and the [`Directives`]: a day is
//! planned from its beginning alone, where everyone is at home, so that any instant costs a day's
//! planning at most. A decision knows the weather up to its own instant only; so what is forced at
//! an instant changes nothing before it.
//!
//! ```
//! use worldbus_population::{Activity, Directives, Planner, Population, Skies};
//! use worldbus_world::{GameTime, Overrides, Weather, World};
//!
//! let world = World::sample();
//! let people = Population::read(&world).expect("the sample world is correct");
//! let skies = Skies::new(Weather::new(&world), Overrides::default());
//! let planner = Planner::new(people, skies, Directives::default());
//! let people = planner.people();
//! let night = GameTime::from_hours(21).minutes(); // 3 o'clock: the world begins at 6
//! let asleep = (0..people.len()).filter(|person| {
//!     planner.activity(*person, night).activity == Activity::Sleep
//! });
//! assert!(asleep.count() > people.len() / 2);
//! ```
//!
//! Integers only: the same on every machine. All times are whole minutes of game time since the
//! world's epoch.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests touch disk and clock"))]

mod activity;
mod chance;
mod directive;
mod file;
mod generate;
#[cfg(test)]
mod golden;
mod model;
mod names;
mod newcomer;
mod plan;
mod presence;
mod routine;
mod skies;

pub use activity::{Activity, Cause, UnknownActivity};
pub use directive::{
    DIRECTIVE_COUNT_MAX, Directive, DirectiveError, Directives, MINUTES_MAX, PERSONS_MAX, Target,
};
pub use file::facts;
pub use model::{
    CHARACTER_MAX, Character, KIND_COUNT_MAX, PERSON_COUNT_MAX, PLACE_COUNT_MAX, Person, Place,
    Population, ROLE_COUNT_MAX, Role,
};
pub use names::{check_id, check_name};
pub use newcomer::{Newcomer, NewcomerError};
pub use plan::{Candidate, Change, Crowd, Planner, Score, Span, Sweep, Why};
pub use routine::Hours;
pub use skies::{NOTICE_MINUTES, Skies, SkyChange};
