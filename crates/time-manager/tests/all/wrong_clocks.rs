//! Wall clocks that are wrong: a world that ran ahead of time goes on from the last point that was
//! published, a jump counts as downtime, and no command waits for a time that a wrong clock set.

use std::sync::Arc;
use std::time::Duration;

use crate::kit::{TOPIC, kept_clock, of_type, run_by, run_with_rule};
use worldbus_bus::ManualClock;
use worldbus_events::v1;
use worldbus_testkit::{Instance, Place, Seen};
use worldbus_time_manager::CatchUp;

const SECOND_US: i64 = 1_000_000;
const HOUR_US: i64 = 3_600 * SECOND_US;
/// Real microseconds of a game minute at the default scale, and a little.
const MINUTE_US: i64 = 25 * SECOND_US / 60 + 1;

fn ticks(seen: &[Seen]) -> Vec<i64> {
    of_type::<v1::TimeUpdated>(seen).iter().map(|tick| tick.total_minutes).collect()
}

/// Waits until a game minute was published; all that is there then.
async fn until_minute(place: &Place, minute: i64) -> Vec<Seen> {
    place.events_until(TOPIC, |all| ticks(all).contains(&minute)).await
}

fn assert_each_once_and_in_order(ticks: &[i64]) {
    let whole = ticks.windows(2).all(|two| two[1] == two[0] + 1);
    assert!(whole, "{ticks:?}");
}

/// A clock that is ahead of a place's.
fn ahead_of(place: &Place, us: i64) -> Arc<ManualClock> {
    Arc::new(ManualClock::new(place.now().0 + us))
}

/// A world that begins by a right clock, and then runs by one that is ahead for some game minutes.
async fn ran_ahead(place: &Place, by_us: i64, while_ahead: impl AsyncFn(&Instance)) -> i64 {
    let instance = run_by(place, Arc::clone(&place.wall), 0).await;
    place.advance(2 * MINUTE_US);
    until_minute(place, 2).await;
    instance.stop().await;
    let ahead = ahead_of(place, by_us);
    let instance = run_by(place, Arc::clone(&ahead), 0).await;
    instance.ready().await;
    while_ahead(&instance).await;
    ahead.advance(Duration::from_micros(3 * MINUTE_US.unsigned_abs()));
    let (_, now) = instance.get("/api/time/current").await;
    let minute = now["total_minutes"].as_i64().unwrap();
    until_minute(place, minute).await;
    instance.stop().await;
    minute
}

#[tokio::test]
async fn world_that_ran_an_hour_ahead_goes_on_from_the_last_published_minute() {
    let place = Place::new().await;
    let last = ran_ahead(&place, HOUR_US, async |_| {}).await;
    let before = ticks(&place.events(TOPIC).await);
    assert_eq!(before.last(), Some(&last));
    let instance = run_by(&place, Arc::clone(&place.wall), 0).await;
    instance.ready().await;
    let (_, now) = instance.get("/api/time/current").await;
    assert!(now["total_minutes"].as_i64().unwrap() >= last, "{now}");
    for _ in 0..10 {
        place.advance(MINUTE_US);
        tokio::task::yield_now().await;
    }
    let all = ticks(&until_minute(&place, last + 10).await);
    let own = &all[2..];
    let jump = own.iter().position(|minute| *minute > 1_000).unwrap();
    assert_each_once_and_in_order(&own[jump..]);
    let (status, skipped) = instance.post("/api/time/skip", r#"{"hours":5}"#).await;
    assert_eq!(status, 200, "{skipped}");
    place.advance(MINUTE_US);
    let (_, later) = instance.get("/api/time/current").await;
    let minute = |answer: &serde_json::Value| answer["total_minutes"].as_i64().unwrap();
    assert!(minute(&later) >= minute(&now) + 5 * 60, "the skip took effect at once: {later}");
    instance.stop().await;
}

#[tokio::test]
async fn commands_and_schedules_of_a_clock_that_was_ahead_hold_and_come_once() {
    let place = Place::new().await;
    let last = ran_ahead(&place, 24 * HOUR_US, async |instance| {
        let soon = r#"{"schedule":"in 2 minutes","event_type":"time.day_activated","entity":"a"}"#;
        let late = r#"{"schedule":"in 2 hours","event_type":"time.day_activated","entity":"b"}"#;
        for body in [soon, late] {
            assert_eq!(instance.post("/api/time/schedules", body).await.0, 200);
        }
        let scale = r#"{"real_seconds_per_game_hour":25.0,"reason":"none"}"#;
        assert_eq!(instance.post("/api/time/skip", r#"{"days":2}"#).await.0, 200);
        assert_eq!(instance.post("/api/time/scale", scale).await.0, 200);
    })
    .await;
    let instance = run_by(&place, Arc::clone(&place.wall), 0).await;
    let (_, history) = instance.get("/api/time/history").await;
    assert!(history.to_string().contains("\"continue\""), "{history}");
    for _ in 0..150 {
        place.advance(MINUTE_US);
        tokio::task::yield_now().await;
    }
    let all = until_minute(&place, last + 150).await;
    let fired: Vec<_> =
        of_type::<v1::ScheduleFired>(&all).into_iter().map(|fired| fired.entity).collect();
    assert_eq!(fired, ["a", "b"], "each once");
    assert_eq!(of_type::<v1::Jumped>(&all).len(), 1, "no jump but the skip");
    let minutes = ticks(&all);
    let distinct: std::collections::HashSet<_> = minutes.iter().collect();
    assert_eq!(distinct.len(), minutes.len(), "no minute twice");
    instance.stop().await;
}

#[tokio::test]
async fn restart_after_a_clock_that_was_ahead_continues_it_once() {
    let place = Place::new().await;
    let last = ran_ahead(&place, HOUR_US, async |_| {}).await;
    for round in 1..4 {
        let instance = run_by(&place, Arc::clone(&place.wall), 0).await;
        place.advance(MINUTE_US);
        until_minute(&place, last + round).await;
        instance.stop().await;
    }
    let clock = kept_clock(&place).await;
    assert_eq!(clock.segments().iter().filter(|s| s.continues.is_some()).count(), 1);
}

#[tokio::test]
async fn jump_of_the_clock_counts_as_downtime_by_each_rule() {
    for (rule, most) in [(CatchUp::All, 1_445), (CatchUp::Last, 5), (CatchUp::None, 5)] {
        let place = Place::new().await;
        let instance = run_with_rule(&place, rule).await;
        place.advance(2 * MINUTE_US);
        let before = until_minute(&place, 2).await.len();
        place.wall.jump(Duration::from_secs(30 * 86_400));
        // The segment is published again at once.
        let jumped_ms = place.now().0 / 1_000 - 5_000;
        place
            .events_until(TOPIC, |all| all.iter().any(|event| event.timestamp_ms > jumped_ms))
            .await;
        let (_, now) = instance.get("/api/time/current").await;
        place.advance(MINUTE_US);
        let all = until_minute(&place, now["total_minutes"].as_i64().unwrap() + 1).await;
        let minutes = ticks(&all[before..]);
        assert!(minutes.len() <= most, "{rule:?}: {} minutes", minutes.len());
        // From there on each is published.
        let last = *minutes.last().unwrap();
        for _ in 0..5 {
            place.advance(MINUTE_US);
            tokio::task::yield_now().await;
        }
        let all = ticks(&until_minute(&place, last + 5).await);
        assert_each_once_and_in_order(&all[all.len() - 6..]);
        instance.stop().await;
    }
}

#[tokio::test]
async fn command_that_would_wait_for_another_instances_wrong_clock_is_refused() {
    let place = Place::new().await;
    let right = run_by(&place, Arc::clone(&place.wall), 2_000).await;
    right.ready().await;
    let ahead = run_by(&place, ahead_of(&place, HOUR_US), 2_000).await;
    ahead.ready().await;
    assert_eq!(ahead.post("/api/time/skip", r#"{"minutes":5}"#).await.0, 200);
    let (status, problem) = right.post("/api/time/skip", r#"{"minutes":5}"#).await;
    assert_eq!(status, 503, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("ahead of this machine's"), "{problem}");
    let seen = async {
        while !right.readiness.missing().values().any(|why| why.contains("s ahead")) {
            place.advance(100_000);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let seen = tokio::time::timeout(worldbus_testkit::DEADLINE, seen).await;
    assert!(seen.is_ok(), "{:?}", right.readiness.missing());
    right.stop().await;
    ahead.stop().await;
}
