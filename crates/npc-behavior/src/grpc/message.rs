//! The messages about people. Not here: who asks for them (`grpc`).

use crate::agenda::Present;
use crate::town::Taken;
use worldbus_events::v1::NpcActivityCount;
use worldbus_population::{Activity, Candidate, Span};
use worldbus_rpc::people as rpc;
use worldbus_world::World;

/// What is left out where a text is empty.
pub(super) fn named(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

pub(super) fn person(world: &World, now: &Present<'_>, rank: usize) -> rpc::Person {
    let (people, span) = (now.people(), now.span(rank));
    let of = people.person(rank);
    let workplace = people.workplace(rank);
    rpc::Person {
        id: people.id(rank),
        name: people.name(rank),
        role: people.roles()[usize::from(of.role)].id.clone(),
        region_id: world.regions[usize::from(of.region)].id.clone(),
        activity: span.activity as i32,
        place: place(now, span.place),
        from_place: place(now, span.from_place),
        from_minutes: span.from,
        until_minutes: span.until,
        cause: span.cause as i32,
        home: place(now, people.home(rank)),
        workplace: workplace.map(|rank| place(now, rank)).unwrap_or_default(),
    }
}

pub(super) fn plan_part(now: &Present<'_>, span: &Span) -> rpc::PlanPart {
    rpc::PlanPart {
        from_minutes: span.from,
        to_minutes: span.until,
        activity: span.activity as i32,
        place: place(now, span.place),
    }
}

pub(super) fn candidate(now: &Present<'_>, of: &Candidate) -> rpc::Candidate {
    let score = &of.score;
    rpc::Candidate {
        activity: of.activity as i32,
        place: place(now, of.place),
        cause: of.cause as i32,
        score: score.total(),
        fit: score.fit,
        need: score.need,
        character: score.character,
        weather: score.weather,
        way: score.way,
        habit: score.habit,
    }
}

pub(super) fn activities(counts: &[u32; Activity::ALL.len()]) -> Vec<NpcActivityCount> {
    let counts = Activity::ALL.into_iter().zip(*counts).filter(|(_, count)| *count > 0);
    counts.map(|(activity, count)| NpcActivityCount { activity: activity as i32, count }).collect()
}

/// The last command of the log.
pub(super) fn taken(taken: &Taken) -> rpc::Taken {
    let game = taken.commands.list().last().map(|command| command.game.0);
    rpc::Taken {
        revision: taken.commands.rev(),
        effective_wall_us: taken.effective.0,
        game_us: game.unwrap_or_default(),
    }
}

fn place(now: &Present<'_>, rank: usize) -> String {
    now.people().place_id(rank)
}
