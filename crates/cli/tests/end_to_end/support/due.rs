//! What a world has to tell by its clock's announcements alone: each game minute, and the weather
//! of each region that changes at a game hour or at a jump of the clock. Not here: severe weather,
//! and weather that was forced.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{id, is, minutes};
use worldbus_events::ProducerId;
use worldbus_world::{Clock, GameTime, Overrides, Segment, WallTime, Weather, World, producer_id};

/// Producer and game minute of a `time.updated`.
pub(crate) type Minute = (ProducerId, i64);
/// Producer, region, beginning in game microseconds, and state of a `weather.changed`.
pub(crate) type Change = (ProducerId, String, i64, String);

/// The sample world under a clock that was announced.
pub(crate) struct Due {
    world: World,
    weather: Weather,
    clock: Clock,
}

impl Due {
    pub(crate) fn by(events: &[Value]) -> Self {
        let segments = events.iter().filter(|event| is(event, "time.clock_changed")).map(segment);
        let world = World::sample();
        let weather = Weather::new(&world);
        Self { world, weather, clock: Clock::from_segments(segments).unwrap() }
    }

    /// From the world's beginning to a minute of the newest segment, with the wall time of that.
    pub(crate) fn minutes(&self, last: i64) -> (Vec<Minute>, WallTime) {
        let epoch = self.clock.last().epoch;
        let mut due = Vec::new();
        for minute in
            self.clock.boundaries(self.beginning(), WallTime(i64::MAX), GameTime::MINUTE_US)
        {
            due.push((self.producer("time-manager", minute.epoch), minute.number));
            if (minute.epoch, minute.number) == (epoch, last) {
                return (due, minute.wall);
            }
        }
        panic!("the clock never shows minute {last} in epoch {epoch}")
    }

    /// From the world's beginning to a wall time.
    pub(crate) fn weather(&self, until: WallTime) -> BTreeSet<Change> {
        let mut due = BTreeSet::new();
        for span in self.clock.spans(self.beginning(), until) {
            let epoch = span.segment.epoch;
            if span.starts {
                let before = self.clock.published_before(&span);
                self.change(epoch, before, span.segment.anchor_game, &mut due);
            }
            let at_start = |game| span.starts && game == span.segment.anchor_game;
            let hours = span.boundaries(GameTime::HOUR_US);
            for hour in hours.filter(|hour| !at_start(hour.game)) {
                self.change(epoch, Some(hour.game.plus_us(-1)), hour.game, &mut due);
            }
        }
        due
    }

    fn change(
        &self,
        epoch: u32,
        before: Option<GameTime>,
        now: GameTime,
        due: &mut BTreeSet<Change>,
    ) {
        let state = |region, game| self.weather.state(region, game, &Overrides::default());
        for (index, region) in self.world.regions.iter().enumerate() {
            let new = state(index, now);
            if before.map(|before| state(index, before)) != Some(new) {
                let producer = self.producer("weather-manager", epoch);
                due.insert((producer, region.id.clone(), now.0, new.name().to_owned()));
            }
        }
    }

    fn beginning(&self) -> WallTime {
        self.clock.segments()[0].anchor_wall.plus_us(-1)
    }

    fn producer(&self, service: &str, epoch: u32) -> ProducerId {
        ProducerId::from_bits(producer_id(&self.world.id, service, epoch, 0))
    }
}

/// A `time.updated` as it was published.
pub(crate) fn minute(event: &Value) -> Minute {
    (id(event).producer, minutes(event))
}

/// A `weather.changed` as it was published.
pub(crate) fn change(event: &Value) -> Change {
    let state = event["payload"]["new_state"].as_str().unwrap().to_lowercase();
    let state = state.trim_start_matches("weather_state_").to_owned();
    let region = event["entity"].as_str().unwrap().to_owned();
    (id(event).producer, region, number(event, "started_game_us"), state)
}

fn segment(event: &Value) -> Segment {
    Segment {
        epoch: event["payload"]["epoch"].as_u64().unwrap().try_into().unwrap(),
        anchor_wall: WallTime(number(event, "anchor_wall_us")),
        anchor_game: GameTime(number(event, "anchor_game_us")),
        num: number(event, "scale_numerator").try_into().unwrap(),
        den: number(event, "scale_denominator").try_into().unwrap(),
        paused: event["payload"]["paused"].as_bool().unwrap(),
        rev: number(event, "revision").try_into().unwrap(),
        rest: number(event, "anchor_rest").try_into().unwrap(),
        curve: None,
        continues: None,
    }
}

/// A 64-bit number, which JSON carries as text.
fn number(event: &Value, field: &str) -> i64 {
    event["payload"][field].as_str().unwrap().parse().unwrap()
}
