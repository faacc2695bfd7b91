//! Events of a story, as the services would publish them, played into a ledger.

use std::sync::{Arc, LazyLock};

use crate::ledger::{Ledger, News, Saved};
use crate::observe::{Envelope, Observation, Observe};
use crate::rules::Rules;
use worldbus_events::v1::{self, Severity, StateOperation, WeatherState};
use worldbus_events::{Event, EventId, ProducerId};
use worldbus_world::{GameTime, World};

static WORLD: LazyLock<Arc<World>> = LazyLock::new(|| Arc::new(World::sample()));
static RULES: LazyLock<Arc<Rules>> = LazyLock::new(|| Arc::new(Rules::built_in()));

/// The scale of the sample world: 25 s an hour.
const GAME_US_PER_WALL_MS: i64 = 144_000;

pub(super) fn ledger() -> Ledger {
    restored(Saved::default())
}

pub(super) fn restored(saved: Saved) -> Ledger {
    Ledger::new(Arc::clone(&RULES), Arc::clone(&WORLD), saved)
}

/// Game time of a day since the world's first midnight.
pub(super) fn day_us(day: f64) -> i64 {
    (day * 24.0 * 60.0).round() as i64 * GameTime::MINUTE_US - 6 * GameTime::HOUR_US
}

/// What happened, in the order of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    pub(super) observed: Vec<Vec<Observation>>,
}

impl Script {
    fn add<E: Observe + Event>(&mut self, day: f64, entity: Option<&str>, event: &E) {
        let game_us = day_us(day);
        let producer = ProducerId::from_bits(E::TOPIC.len() as u64 + 1);
        let sequence = self.observed.len() as u64;
        let envelope = Envelope {
            id: EventId { producer, sequence },
            wall_ms: game_us / GAME_US_PER_WALL_MS,
            game_us,
            entity,
            place: None,
        };
        self.observed.push(event.observe(&envelope, &WORLD));
    }

    pub(super) fn changed(&mut self, day: f64, region: &str, old: WeatherState, new: WeatherState) {
        let event = v1::WeatherChanged {
            region_id: region.into(),
            old_state: old.into(),
            new_state: new.into(),
            temperature_decicelsius: 84,
            wind_gust_dmps: 216,
            precipitation_rate_umph: 4_200,
            visibility_m: 700,
            started_game_us: day_us(day),
            ..Default::default()
        };
        self.add(day, Some(region), &event);
    }

    pub(super) fn severe(
        &mut self,
        day: f64,
        region: &str,
        state: WeatherState,
        severity: Severity,
        gust: u32,
    ) {
        let event = v1::WeatherSevere {
            region_id: region.into(),
            state: state.into(),
            severity: severity.into(),
            onset_game_us: day_us(day + 0.3),
            end_game_us: day_us(day + 0.6),
            peak_wind_gust_dmps: gust,
            ..Default::default()
        };
        self.add(day, Some(region), &event);
    }

    pub(super) fn alert_ended(&mut self, day: f64, region: &str, called_off: bool) {
        let event = v1::WeatherAlertEnded {
            region_id: region.into(),
            ended_game_us: day_us(day),
            called_off,
            ..Default::default()
        };
        self.add(day, Some(region), &event);
    }

    /// Of the day before; degrees, tenths of m/s above 10, micrometres.
    pub(super) fn summary(
        &mut self,
        day: i32,
        region: &str,
        degrees: i32,
        gust: u32,
        rain_um: u32,
        wet_hours: u32,
    ) {
        let event = v1::WeatherDailySummary {
            region_id: region.into(),
            start_game_us: day_us(f64::from(day) - 1.0),
            temperature_min_decicelsius: degrees * 10 - 60,
            temperature_max_decicelsius: degrees * 10,
            precipitation_um: rain_um,
            wind_gust_max_dmps: 100 + gust,
            wet_hours,
            ..Default::default()
        };
        self.add(f64::from(day), Some(region), &event);
    }

    pub(super) fn feast(&mut self, day: i32, name: &str) {
        let date = Some(v1::Date { year: 2024, month: 3, day: day as u32 + 1 });
        let event = v1::HolidayStarted { holiday: "feast".into(), name: name.into(), date };
        self.add(f64::from(day), Some("feast"), &event);
    }

    pub(super) fn hour(&mut self, day: f64) {
        let event = v1::HourChanged { game_us: day_us(day), ..Default::default() };
        self.add(day, None, &event);
    }

    pub(super) fn ruler(&mut self, day: f64, region: &str, ruler: &str) {
        let change = v1::StateChange {
            path: format!("region/{region}/ruler"),
            operation: StateOperation::Set.into(),
            value: format!("{ruler:?}").into_bytes(),
        };
        let event = v1::WorldStateUpdated { changes: vec![change], ..Default::default() };
        self.add(day, Some("region/x"), &event);
    }

    /// Someone is removed, and comes back by an undo.
    pub(super) fn removed(&mut self, day: f64, person: &str, name: Option<&str>) {
        let name = name.map(str::to_owned);
        let event = v1::NpcRemoved { game_us: day_us(day), name, ..Default::default() };
        self.add(day, Some(person), &event);
    }

    pub(super) fn back(&mut self, day: f64, name: &str) {
        let event = v1::NpcSpawned {
            game_us: day_us(day),
            region_id: "paris".into(),
            name: name.into(),
            role: "farmer".into(),
            undone_revision: Some(7),
            ..Default::default()
        };
        self.add(day, Some("paris-7"), &event);
    }

    pub(super) fn jump(&mut self, from: f64, to: f64) {
        let (from_game_us, to_game_us) = (day_us(from), day_us(to));
        let event = v1::Jumped { from_game_us, to_game_us, ..Default::default() };
        self.add(from, None, &event);
    }

    /// In order, and then until nothing waits any more.
    pub(super) fn play(&self, ledger: &mut Ledger) -> Vec<News> {
        let mut news = Vec::new();
        for observed in &self.observed {
            news.extend(ledger.take(observed.clone(), None).news);
        }
        // An hour ends what was due when all before it was applied.
        let last = self.observed.last().cloned().unwrap_or_default();
        let last_ms = last.first().map_or(0, |observed| observed.wall_ms);
        news.extend(ledger.take(Vec::new(), Some(last_ms + 60_000)).news);
        if last.iter().any(|observed| observed.on == v1::HourChanged::NAME) {
            news.extend(ledger.take(last, None).news);
        }
        news.extend(ledger.take(Vec::new(), Some(i64::MAX / 2)).news);
        news
    }
}

/// The entries' texts, in the order of the world's time.
pub(super) fn texts(news: &[News]) -> Vec<String> {
    let mut entries: Vec<_> = news
        .iter()
        .filter_map(|news| match news {
            News::Entry(entry) => Some((entry.game_us, entry.id, entry.text.clone())),
            News::Advance(_) => None,
        })
        .collect();
    entries.sort();
    entries.into_iter().map(|(.., text)| text).collect()
}
