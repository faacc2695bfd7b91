//! The service over a real bus: twins, a restart and a jump of the clock, and each turn once.
#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]

use std::collections::HashSet;

use tide::v1::TideTurned;
use tide::{NAME, TURN_US, Tide};

use worldbus_events::prost::Message as _;
use worldbus_events::v1::ClockChanged;
use worldbus_events::{Event as _, EventId, ProducerId};
use worldbus_simulated::{Service as _, Setup};
use worldbus_testkit::{BEGIN_US, Instance, Place};
use worldbus_world::{Change, Clock, GameTime, Segment, Slots, WallTime, producer_id};

async fn run(place: &Place) -> Instance {
    place.run(|deps, world| Tide::check_and_start(Setup::new(deps, world), ())).await
}

/// Announces a segment, as a time-manager would.
async fn announce(place: &Place, segment: &Segment) {
    let event = ClockChanged {
        epoch: segment.epoch,
        anchor_wall_us: segment.anchor_wall.0,
        anchor_game_us: segment.anchor_game.0,
        scale_numerator: segment.num,
        scale_denominator: segment.den,
        paused: segment.paused,
        revision: segment.rev,
        anchor_rest: segment.rest,
        ..ClockChanged::default()
    };
    place.bus.publisher("time-manager", &place.world.id).publish(&event).await.unwrap();
}

/// The ids of all turns that a clock passed until a wall time.
fn wanted(place: &Place, clock: &Clock, until: WallTime) -> HashSet<EventId> {
    let regions = place.world.regions.len();
    let slots = Slots::new(1, regions);
    let first = clock.segments()[0].anchor_wall.plus_us(-1);
    let turns = clock.boundaries(first, until, TURN_US);
    let ids = turns.flat_map(|turn| {
        let bits = producer_id(&place.world.id, NAME, turn.epoch, 0);
        let producer = ProducerId::from_bits(bits);
        let sequence = move |rank| slots.sequence(turn.number, 0, Some(rank));
        (0..regions).map(move |rank| EventId { producer, sequence: sequence(rank) })
    });
    ids.collect()
}

#[tokio::test]
async fn two_instances_publish_each_turn_once_over_a_restart_and_a_jump() {
    let place = Place::new().await;
    let mut clock = Clock::new(place.world.scale, place.now(), GameTime(0));
    let (first, second) = (run(&place).await, run(&place).await);
    announce(&place, clock.last()).await;
    first.ready().await;
    second.ready().await;

    // Half a day with both, half without the second.
    place.advance(300_000_000);
    place.events_with(TideTurned::TOPIC, wanted(&place, &clock, place.now())).await;
    second.stop().await;
    place.advance(300_000_000);
    place.events_with(TideTurned::TOPIC, wanted(&place, &clock, place.now())).await;

    // A jump to a turn, which the first receives; the second finds it in the state.
    let jump = clock.change(Change::Set(GameTime(200 * TURN_US)), place.now().plus_us(1));
    clock.insert(jump).unwrap();
    announce(&place, clock.last()).await;
    place.advance(1);
    place.events_with(TideTurned::TOPIC, wanted(&place, &clock, place.now())).await;
    let second = run(&place).await;
    second.ready().await;
    place.advance(400_000_000);

    let ids = wanted(&place, &clock, place.now());
    let seen = place.events_with(TideTurned::TOPIC, ids.clone()).await;
    first.stop().await;
    second.stop().await;
    let seen_ids: HashSet<_> = seen.iter().map(|event| event.id).collect();
    assert_eq!(seen_ids.len(), seen.len(), "a turn came twice");
    assert_eq!(seen_ids, ids, "a turn that the clock does not pass");

    let turn = TideTurned::decode(seen[0].payload.as_slice()).unwrap();
    assert_eq!((turn.is_high, turn.level_cm), (true, 190));
    assert_eq!((seen[0].event_type, seen[0].timestamp_ms), (1100, BEGIN_US.div_euclid(1000)));
}
