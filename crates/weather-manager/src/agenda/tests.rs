//! Claims about the agenda: whoever computes it, in whatever pieces, gets the same events, each
//! with an identity of its own, also under overrides of every kind.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::collections::HashMap;

use super::*;
use crate::commands::{Act, Published};
use worldbus_events::{Event, v1};
use worldbus_simulated::Emission as _;
use worldbus_world::{Cell, Change, Kind, Override, Waypoint, WeatherState};

const HOUR: i64 = GameTime::HOUR_US;
/// The sample world's game hour.
const WALL_HOUR_US: i64 = 25_000_000;

fn kinds() -> Vec<Kind> {
    let point = |latitude_mdeg, longitude_mdeg| Waypoint { latitude_mdeg, longitude_mdeg };
    let cell = Cell {
        path: vec![point(50_000, 0), point(48_500, 16_000)],
        radius_m: 300_000,
        speed_mph: 120_000,
        state: WeatherState::Storm,
        intensity_permille: 900,
    };
    vec![
        Kind::SetState { state: WeatherState::Blizzard, intensity_permille: 900 },
        Kind::Offset { temperature_dc: 80, wind_dmps: 60, rain_permille: 4000 },
        Kind::StormCell(cell),
        Kind::SeasonShift { days: 150 },
        Kind::Lock,
    ]
}

/// A world of two days with commands of all sorts, and a clock that is set in between.
fn story() -> (World, Clock, Commands) {
    let world = World::sample();
    let mut clock = Clock::new(world.scale, WallTime(0), GameTime(0));
    let jump = clock.change(Change::Set(GameTime(100 * HOUR + 7)), WallTime(30 * WALL_HOUR_US));
    clock.insert(jump).unwrap();
    let mut commands = Commands::default();
    for (step, kind) in (0_i64..).zip(kinds()) {
        let at = WallTime((2 + 5 * step) * WALL_HOUR_US + 1_234_567);
        let (epoch, game) = (clock.segment_at(at).epoch, clock.game_at(at));
        let regions = if step == 2 { Vec::new() } else { vec!["vienna".to_owned()] };
        let record = Override {
            fade_in_us: HOUR / 2,
            fade_out_us: HOUR / 2,
            ..Override::new(regions, kind, game, Some(game.plus_us(9 * HOUR)))
        };
        push(&mut commands, at, epoch, game, Act::Set { record, replaces: step == 3 });
    }
    let at = WallTime(24 * WALL_HOUR_US);
    push(&mut commands, at, 0, clock.game_at(at), Act::Undo { undone: 5 });
    let at = WallTime(25 * WALL_HOUR_US + 1);
    push(&mut commands, at, 0, clock.game_at(at), Act::Clear { regions: Vec::new() });
    (world, clock, commands)
}

fn push(commands: &mut Commands, at: WallTime, epoch: u32, game: GameTime, act: Act) {
    let (actor, reason) = (String::new(), String::new());
    let published = Published { wall: at, game };
    commands
        .push(Command { rev: 0, at, epoch, game, actor, reason, cause: None, act }, published)
        .unwrap();
}

#[test]
fn any_pieces_of_a_stretch_bring_the_same_events_with_identities_of_their_own() {
    let (world, clock, commands) = story();
    let mut agenda = Agenda::new(&world, true);
    let end = WallTime(48 * WALL_HOUR_US);
    let whole = agenda.between(&clock, &commands, WallTime(-1), end);
    let mut ids = HashMap::new();
    for event in &whole {
        if let Some(other) = ids.insert(event.outgoing().id.unwrap(), event) {
            panic!("{other:?} and {event:?} have one id");
        }
    }
    let types: std::collections::HashSet<u32> =
        whole.iter().map(|event| event.outgoing().event_type).collect();
    for number in [1, 2, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69] {
        assert!(types.contains(&number), "no event of type {number}");
    }
    let mut other = Agenda::new(&world, true);
    let (mut pieces, mut from) = (Vec::new(), WallTime(-1));
    let mut step = 1;
    while from < end {
        step = step * 48_271 % 2_147_483_647;
        let until = from.plus_us(1 + step % (3 * WALL_HOUR_US)).min(end);
        pieces.extend(other.between(&clock, &commands, from, until));
        from = until;
    }
    assert_eq!(pieces.len(), whole.len());
    assert!(pieces == whole);
    let mut last = HashMap::new();
    for event in &whole {
        let before = last.insert(event.id.producer, event.sequence());
        assert!(before < Some(event.sequence()), "{event:?} is behind {before:?} of its producer");
    }
}

#[test]
fn the_timer_wakes_for_every_event() {
    let (world, clock, commands) = story();
    let mut agenda = Agenda::new(&world, false);
    let end = WallTime(40 * WALL_HOUR_US);
    let whole = agenda.between(&clock, &commands, WallTime(-1), end);
    let (mut published, mut from) = (Vec::new(), WallTime(-1));
    while let Some(next) = agenda.next(&clock, &commands, from).filter(|next| *next <= end) {
        for event in agenda.between(&clock, &commands, from, next) {
            assert_eq!(event.wall_us(), next.0, "it would come late");
            published.push(event);
        }
        from = next;
    }
    assert!(published == whole);
}

#[test]
fn an_alert_that_lasts_longer_than_was_announced_is_updated_day_by_day_under_its_name() {
    let world = World::sample();
    let clock = Clock::new(world.scale, WallTime(0), GameTime(0));
    let mut commands = Commands::default();
    let kind = Kind::SetState { state: WeatherState::ExtremeHeat, intensity_permille: 900 };
    let (at, game) = (WallTime(WALL_HOUR_US), GameTime(HOUR));
    let record = Override::new(vec!["oslo".to_owned(), "paris".to_owned()], kind, game, None);
    push(&mut commands, at, 0, game, Act::Set { record, replaces: false });
    let at = WallTime(150 * WALL_HOUR_US);
    push(&mut commands, at, 0, clock.game_at(at), Act::Clear { regions: Vec::new() });
    let mut agenda = Agenda::new(&world, false);
    let events = agenda.between(&clock, &commands, WallTime(-1), at);
    let of = |number: u32| {
        let paris = |event: &&Emission| event.outgoing().entity == Some("paris");
        let ours = events.iter().filter(paris).filter(|e| e.outgoing().event_type == number);
        ours.map(|event| event.outgoing().payload.to_vec()).collect::<Vec<_>>()
    };
    let raised: Vec<v1::WeatherSevere> = of(2).iter().map(|p| decode(p)).collect();
    let raised = raised.iter().find(|alert| alert.forced).unwrap();
    assert_eq!(raised.end_game_us, GameTime(73 * HOUR).0);
    let updates: Vec<v1::WeatherAlertUpdated> = of(62).iter().map(|p| decode(p)).collect();
    let ends: Vec<i64> = updates.iter().map(|update| update.end_game_us / HOUR).collect();
    assert_eq!(ends, [96, 120, 144, 168, 192, 216], "three days from each midnight");
    assert!(
        updates.iter().all(|u| u.alert_id == raised.alert_id && u.previous_alert_id.is_empty())
    );
    let ended: Vec<v1::WeatherAlertEnded> = of(63).iter().map(|p| decode(p)).collect();
    let ended = ended.iter().find(|event| event.alert_id == raised.alert_id).unwrap();
    assert_eq!((ended.called_off, ended.ended_game_us), (true, GameTime(150 * HOUR).0));
}

fn decode<E: Event>(payload: &[u8]) -> E {
    E::decode(payload).unwrap()
}
