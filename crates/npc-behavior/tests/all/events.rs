//! What people do, as events: all of it comes about as it was planned, in a world that goes on,
//! through a storm, over jumps of the clock and restarts.

use std::collections::HashSet;

use crate::kit::{
    HOUR_US, activities, announce_clock, announce_weather, begun, done, planned, planner, run,
    storm,
};
use worldbus_events::{Event as _, prost::Message as _, v1};
use worldbus_npc_behavior::TOPIC;
use worldbus_simulated::weather::changed_id;
use worldbus_testkit::Seen;
use worldbus_world::{Change, GameTime, Overrides};

fn assert_each_once(seen: &[Seen]) {
    let ids: HashSet<_> = seen.iter().map(|event| event.id).collect();
    assert_eq!(ids.len(), seen.len(), "an event came twice");
}

#[tokio::test]
async fn everyone_begins_a_new_world_and_does_what_was_planned() {
    let (place, _, instance) = begun().await;
    let planner = planner(&place.world, &Overrides::default());
    let everyone = planner.people().len();
    assert_eq!(activities(&place.events(TOPIC).await).len(), everyone);

    place.advance(6 * HOUR_US);
    let wanted = planned(&planner, 0, 6 * 60);
    assert!(wanted.len() > everyone, "{}", wanted.len());
    let seen = done(&place, &wanted).await;
    assert_each_once(&seen);
    let is = activities(&seen);
    for (key, event) in &wanted {
        let is = v1::NpcActivityChanged { cause_event_id: String::new(), ..is[key].clone() };
        assert_eq!(&is, event, "{key:?}");
    }
    assert_eq!(is.len(), everyone + wanted.len());

    // The crowd of a place is that of all who were last seen there.
    let crowds = seen.iter().filter(|event| event.event_type == v1::NpcCrowdChanged::NUMBER);
    let crowds: Vec<_> = crowds.collect();
    assert!(crowds.len() > 20, "{}", crowds.len());
    for event in crowds {
        let crowd = v1::NpcCrowdChanged::decode(&event.payload[..]).unwrap();
        let rank = planner.people().place_rank(event.entity.as_deref().unwrap()).unwrap();
        let wanted = planner.crowd(rank, GameTime(crowd.game_us).minutes());
        assert_eq!(crowd.count, wanted.count, "{:?}", event.entity);
    }
    instance.stop().await;
}

#[tokio::test]
async fn storm_sends_people_of_its_region_to_shelter_and_names_the_event_that_caused_it() {
    let (place, _, instance) = begun().await;
    let plain = planner(&place.world, &Overrides::default());
    place.advance(4 * HOUR_US);
    done(&place, &planned(&plain, 0, 4 * 60)).await;

    // At 10 o'clock, by game hour 4.
    let timeline = storm("paris", (4, 8), place.now());
    announce_weather(&place, &timeline).await;
    let forced = planner(&place.world, &timeline.overrides);
    let (mut wanted, before) = (planned(&forced, 0, 6 * 60), planned(&plain, 0, 4 * 60));
    wanted.retain(|(_, minute), _| *minute > 4 * 60);
    // It has to be known before the clock goes on.
    let (status, _) = instance.get("/api/people/statistics").await;
    assert_eq!(status, 200);
    place.advance(2 * HOUR_US);
    let seen = done(&place, &wanted).await;
    assert_each_once(&seen);
    let (is, paris) = (activities(&seen), place.world.region_index("paris").unwrap());
    let id =
        changed_id("europe", (0, 1), GameTime::from_hours(4), (paris, place.world.regions.len()));
    let mut sheltered = 0;
    for (key, event) in wanted.iter().chain(&before) {
        let is = &is[key];
        let plain = v1::NpcActivityChanged { cause_event_id: String::new(), ..is.clone() };
        if key.1 > 4 * 60 {
            assert_eq!(&plain, event, "{key:?}");
        }
        let by_weather = is.cause == v1::NpcCause::Weather as i32;
        if by_weather && key.0.starts_with("paris-") {
            assert_eq!(is.cause_event_id, id.to_string());
            sheltered += 1;
        }
    }
    assert!(sheltered > 20, "{sheltered}");
    instance.stop().await;
}

#[tokio::test]
async fn restart_goes_on_where_it_stopped_and_a_jump_brings_what_is_different() {
    let (place, mut clock, instance) = begun().await;
    let plain = planner(&place.world, &Overrides::default());
    place.advance(2 * HOUR_US);
    done(&place, &planned(&plain, 0, 2 * 60)).await;
    instance.stop().await;
    place.advance(2 * HOUR_US);
    let instance = run(&place, 0).await;
    let seen = done(&place, &planned(&plain, 0, 4 * 60)).await;
    assert_each_once(&seen);
    assert_eq!(activities(&seen).len(), plain.people().len() + planned(&plain, 0, 4 * 60).len());

    // From 10 in the morning to 3 at night: those who worked sleep.
    let night = GameTime::from_hours(21);
    let segment = clock.change(Change::Set(night), place.now().plus_us(1));
    clock.insert(segment).unwrap();
    announce_clock(&place, &segment).await;
    place.advance(HOUR_US);
    let asleep = |seen: &[Seen]| {
        let done = activities(seen);
        let sleeps = done.values().filter(|event| {
            event.activity == v1::NpcActivity::Sleep as i32 && event.until_game_us > night.0
        });
        sleeps.count() > plain.people().len() / 2
    };
    let seen = place.events_until(TOPIC, asleep).await;
    assert_each_once(&seen);
    instance.stop().await;
}
