//! Several instances are as one: whatever their clocks say, whoever takes commands, whoever
//! restarts, an id has one content and everything comes once.

use std::collections::HashSet;
use std::sync::Arc;

use crate::kit::{Record, TOPIC, kept_clock, minutes, run_by};
use worldbus_bus::ManualClock;
use worldbus_testkit::{Dice, Instance, Place};

/// Within a quarter of the lead of two seconds.
const SKEWS_US: [i64; 3] = [-240_000, 0, 240_000];
const LEAD_MS: u64 = 2_000;

struct Town {
    place: Place,
    clocks: Vec<Arc<ManualClock>>,
    instances: Vec<Option<Instance>>,
}

impl Town {
    async fn new() -> (Self, Arc<Record>) {
        let (place, record) = Record::place().await;
        let clock = |skew| Arc::new(ManualClock::new(place.now().0 + skew));
        let clocks: Vec<_> = SKEWS_US.iter().map(clock).collect();
        let mut town = Self { place, clocks, instances: Vec::new() };
        for index in 0..SKEWS_US.len() {
            let instance = town.start(index).await;
            town.instances.push(Some(instance));
        }
        (town, record)
    }

    async fn start(&self, index: usize) -> Instance {
        run_by(&self.place, Arc::clone(&self.clocks[index]), LEAD_MS).await
    }

    async fn advance(&self, us: i64) {
        self.place.advance(us);
        for (clock, skew) in self.clocks.iter().zip(SKEWS_US) {
            clock.set_us(self.place.now().0 + skew);
        }
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    async fn post(&self, index: usize, path: &str, body: &str) {
        let Some(instance) = &self.instances[index] else { return };
        let (status, answer) = instance.post(path, body).await;
        assert_eq!(status, 200, "{path} {body}: {answer}");
    }
}

fn command(dice: &mut Dice) -> (&'static str, String) {
    match dice.below(6) {
        0 => ("/api/time/set", format!(r#"{{"hour":{}}}"#, dice.below(24))),
        1 => ("/api/time/skip", format!(r#"{{"hours":{}}}"#, 1 + dice.below(40))),
        2 => {
            let night = dice.pick(&[0.5, 2.0, 4.0]);
            let body = format!(
                r#"{{"real_seconds_per_game_hour":59.94,"phase_speeds":{{"night":{night}}}}}"#
            );
            ("/api/time/scale", body)
        }
        3 => ("/api/time/scale", r#"{"real_seconds_per_game_hour":7}"#.to_owned()),
        4 => ("/api/time/stop", String::new()),
        _ => {
            let text = dice.pick(&["in 2 hours", "every 3 hours", "dusk each friday"]);
            let body = format!(r#"{{"schedule":"{text}","event_type":"time.day_activated"}}"#);
            ("/api/time/schedules", body)
        }
    }
}

#[tokio::test]
async fn three_instances_with_skewed_clocks_and_restarts_tell_the_same_and_everything_once() {
    let (mut town, record) = Town::new().await;
    let mut dice = Dice(11);
    let mut commands = 0;
    for step in 0..500_usize {
        town.advance(1 + dice.below(1_500_000) as i64).await;
        if dice.below(12) == 0 && commands < 25 {
            let index = dice.below(3) as usize;
            let (path, body) = command(&mut dice);
            town.post(index, path, &body).await;
            if path.ends_with("stop") {
                town.post(index, "/api/time/start", "").await;
            }
            commands += 1;
        }
        let index = step / 60 % 3;
        match (step % 60, town.instances[index].take()) {
            (20, Some(running)) => running.stop().await,
            (40, None) => town.instances[index] = Some(town.start(index).await),
            (_, kept) => town.instances[index] = kept,
        }
    }
    assert!(commands > 15, "{commands}");
    let clock = kept_clock(&town.place).await;
    assert_eq!(clock.segments()[0].epoch, 0, "the clock forgot segments");
    let wanted = minutes(&clock, town.place.now().plus_us(SKEWS_US[0]));
    // What an instance holds back until it has read the state again.
    for _ in 0..10 {
        town.advance(300_000).await;
    }
    let seen = town.place.events_with(TOPIC, wanted).await;
    let ids: HashSet<_> = seen.iter().map(|event| event.id).collect();
    assert_eq!(ids.len(), seen.len(), "an event came twice");
    for instance in town.instances.into_iter().flatten() {
        instance.stop().await;
    }
    let (different, published) = record.counts();
    assert!(published > different + different / 2, "{published} of {different}: no twins");
}
