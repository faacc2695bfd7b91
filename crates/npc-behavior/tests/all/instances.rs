//! Several instances are as one: whatever their clocks show and whichever restarts, an id has one
//! content and everything comes once.

use std::collections::HashMap;
use std::sync::Arc;

use crate::kit::{
    MINUTE_US, activities, announce_clock, announce_weather, done, new_clock, planned, planner,
    run_by, storm,
};
use worldbus_bus::ManualClock;
use worldbus_testkit::{Dice, Place};
use worldbus_world::{Override, Overrides, Timeline};

/// Within a quarter of the lead of two seconds.
const SKEWS_US: [i64; 3] = [-240_000, 0, 240_000];
const LEAD_MS: u64 = 2_000;
const STEPS: i64 = 240;

#[tokio::test]
async fn three_instances_with_skewed_clocks_and_restarts_publish_the_same_and_everything_once() {
    let place = Place::new().await;
    let clock = new_clock(&place);
    announce_clock(&place, clock.last()).await;
    announce_weather(&place, &Timeline::default()).await;
    let clocks: Vec<_> =
        SKEWS_US.map(|skew| Arc::new(ManualClock::new(place.now().0 + skew))).into();
    let mut instances = Vec::new();
    for clock in &clocks {
        instances.push(Some(run_by(&place, Arc::clone(clock), LEAD_MS).await));
    }
    let mut dice = Dice(5);
    let mut timeline = Timeline::default();
    for step in 0..STEPS {
        place.advance(MINUTE_US / 2 + dice.below(MINUTE_US as u64) as i64);
        for (clock, skew) in clocks.iter().zip(SKEWS_US) {
            clock.set_us(place.now().0 + skew);
        }
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        if step == 100 {
            // Announced before it takes effect, as by a weather-manager with that lead.
            let wall = place.now().plus_us(LEAD_MS as i64 * 1_000);
            let game = clock.game_at(wall);
            timeline = storm("berlin", (0, 9), wall);
            let mut record: Override = timeline.overrides.records()[0].clone();
            record.start = game;
            timeline.overrides = Overrides::default();
            timeline.overrides.insert(record).unwrap();
            announce_weather(&place, &timeline).await;
        }
        let index = (step / 40 % 3) as usize;
        match (step % 40, instances[index].take()) {
            (10, Some(running)) => running.stop().await,
            (25, None) => {
                let clock = Arc::clone(&clocks[index]);
                instances[index] = Some(run_by(&place, clock, LEAD_MS).await);
            }
            (_, kept) => instances[index] = kept,
        }
    }
    let until = clock.game_at(place.now().plus_us(SKEWS_US[0])).minutes();
    for _ in 0..10 {
        place.advance(300_000);
        for (clock, skew) in clocks.iter().zip(SKEWS_US) {
            clock.set_us(place.now().0 + skew);
        }
        tokio::task::yield_now().await;
    }
    let wanted = planned(&planner(&place.world, &timeline.overrides), 0, until);
    let seen = done(&place, &wanted).await;
    let mut by_id = HashMap::new();
    for event in &seen {
        assert!(by_id.insert(event.id, event.clone()).is_none(), "an event came twice: {event:?}");
    }
    let is = activities(&seen);
    for (key, event) in &wanted {
        let plain = worldbus_events::v1::NpcActivityChanged {
            cause_event_id: String::new(),
            ..is[key].clone()
        };
        // Until when it was to last was published before the storm was known.
        let same = worldbus_events::v1::NpcActivityChanged {
            until_game_us: plain.until_game_us,
            ..event.clone()
        };
        assert_eq!(plain, same, "{key:?}");
    }
    let in_time = is.keys().filter(|(_, minute)| *minute > 0 && *minute <= until);
    assert_eq!(in_time.count(), wanted.len());
    for instance in instances.into_iter().flatten() {
        instance.stop().await;
    }
}
