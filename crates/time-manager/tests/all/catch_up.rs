//! What is published of the time in which no instance ran, by each rule.

use crate::kit::{TOPIC, of_type, run_with_rule};
use worldbus_events::{Event as _, v1};
use worldbus_testkit::{Place, Seen};
use worldbus_time_manager::CatchUp;

/// A game hour.
const HOUR_US: i64 = 25_000_000;

/// Runs a minute, is down for 50 hours, and comes back; what came after the downtime.
async fn after_downtime(rule: CatchUp) -> (Place, Vec<Seen>) {
    let place = Place::new().await;
    let instance = run_with_rule(&place, rule).await;
    let body = r#"{"schedule":"every 5 hours","event_type":"time.day_activated","entity":"a"}"#;
    assert_eq!(instance.post("/api/time/schedules", body).await.0, 200);
    let body = r#"{"schedule":"in 7 hours","event_type":"time.night_activated","entity":"b"}"#;
    assert_eq!(instance.post("/api/time/schedules", body).await.0, 200);
    place.advance(HOUR_US / 60 + 1);
    let tick = |minute: i64| {
        move |all: &[Seen]| {
            of_type::<v1::TimeUpdated>(all).iter().any(|tick| tick.total_minutes == minute)
        }
    };
    let before = place.events_until(TOPIC, tick(1)).await.len();
    instance.stop().await;
    place.advance(50 * HOUR_US);
    let again = run_with_rule(&place, rule).await;
    // The segment is published again at once.
    let now_ms = place.now().0 / 1000;
    place
        .events_until(TOPIC, |all| all.iter().any(|event| event.timestamp_ms > now_ms - 5_000))
        .await;
    place.advance(HOUR_US / 60 + 1);
    let all = place.events_until(TOPIC, tick(50 * 60 + 2)).await;
    again.stop().await;
    (place, all[before..].to_vec())
}

fn ticks(seen: &[Seen]) -> Vec<i64> {
    of_type::<v1::TimeUpdated>(seen).iter().map(|tick| tick.total_minutes).collect()
}

fn coalesced(seen: &[Seen], event_type: u32) -> Vec<Option<String>> {
    let ours = seen.iter().filter(|event| event.event_type == event_type);
    ours.map(|event| event.metadata.get("coalesced").cloned()).collect()
}

#[tokio::test]
async fn all_makes_up_for_the_last_game_day_and_what_was_scheduled_once() {
    let (_place, seen) = after_downtime(CatchUp::All).await;
    let ticks = ticks(&seen);
    assert!((1_440..=1_443).contains(&ticks.len()), "{}", ticks.len());
    assert!(ticks.windows(2).all(|two| two[1] == two[0] + 1));
    assert!(seen.iter().all(|event| event.metadata.is_empty()));
    let fired = of_type::<v1::ScheduleFired>(&seen);
    let entities: Vec<_> = fired.iter().map(|fired| fired.entity.as_str()).collect();
    // Once, although it is longer ago than a day; and each 5 hours of the last day.
    assert_eq!(entities, ["b", "a", "a", "a", "a", "a"]);
}

#[tokio::test]
async fn last_publishes_the_latest_of_each_kind_and_for_how_many_it_stands() {
    let (_place, seen) = after_downtime(CatchUp::Last).await;
    assert_eq!(ticks(&seen), [50 * 60 + 1, 50 * 60 + 2]);
    let stands = coalesced(&seen, v1::TimeUpdated::NUMBER);
    assert_eq!(stands, [Some("2999".to_owned()), None]);
    assert_eq!(coalesced(&seen, v1::HourChanged::NUMBER), [Some("49".to_owned())]);
    let day = of_type::<v1::DayChanged>(&seen);
    assert_eq!((day.len(), day[0].date.unwrap().day), (1, 3));
    assert_eq!(coalesced(&seen, v1::DayChanged::NUMBER), [Some("1".to_owned())]);
    let fired = of_type::<v1::ScheduleFired>(&seen);
    assert_eq!(fired.len(), 2, "{fired:?}");
    let stands: Vec<_> = coalesced(&seen, v1::ScheduleFired::NUMBER);
    assert_eq!(stands, [None, Some("9".to_owned())]);
    assert!(seen.windows(2).all(|two| two[0].timestamp_ms <= two[1].timestamp_ms + 5_000));
}

#[tokio::test]
async fn none_publishes_nothing_but_what_was_scheduled_once() {
    let (_place, seen) = after_downtime(CatchUp::None).await;
    assert_eq!(ticks(&seen), [50 * 60 + 2]);
    assert_eq!(of_type::<v1::HourChanged>(&seen), []);
    let fired = of_type::<v1::ScheduleFired>(&seen);
    assert_eq!(fired.iter().map(|f| f.entity.as_str()).collect::<Vec<_>>(), ["b"]);
}
