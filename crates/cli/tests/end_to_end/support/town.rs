//! A town: one event-bus, one state store, and the services that run over them; what its events
//! must be.

use std::collections::{HashMap, HashSet};
use std::process::Command;

use serde_json::Value;

use super::{Service, get, worldbus};
use worldbus_events::{EventId, ProducerId};

/// One state store, one bus, and what runs over them.
pub(crate) struct Town {
    folder: tempfile::TempDir,
    pub(crate) bus: Service,
}

impl Town {
    pub(crate) fn found() -> Self {
        Self::found_with(|_| {})
    }

    pub(crate) fn found_with(configure: impl FnOnce(&mut Command)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = worldbus();
        process.args(["event-bus", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path());
        configure(&mut process);
        let bus = Service::spawn(&mut process).ready();
        Self { folder, bus }
    }

    pub(crate) fn start(&self, command: &str) -> Service {
        self.start_with(command, |_| {})
    }

    pub(crate) fn start_with(
        &self,
        command: &str,
        configure: impl FnOnce(&mut Command),
    ) -> Service {
        let state = format!("sqlite:{}", self.folder.path().join("state.db").display());
        self.start_over(command, &state, configure)
    }

    /// The same with its state elsewhere.
    pub(crate) fn start_over(
        &self,
        command: &str,
        state: &str,
        configure: impl FnOnce(&mut Command),
    ) -> Service {
        let dir = self.folder.path().to_str().unwrap();
        let lead = ["--lead-ms", "400"];
        let place = ["--url", &self.bus.url, "--state-url", state, "--data-dir", dir];
        let mut process = worldbus();
        process.args([command, "--listen", "127.0.0.1:0"]).args(place).args(lead);
        configure(&mut process);
        Service::spawn(&mut process)
    }

    /// kill -9 of the event-bus, and after `meanwhile` the same again on the same port.
    pub(crate) fn without_bus<T>(&mut self, meanwhile: impl FnOnce() -> T) -> T {
        self.bus.strike();
        let result = meanwhile();
        let listen = format!("127.0.0.1:{}", self.bus.port());
        let dir = self.folder.path().to_str().unwrap();
        self.bus = Service::start_at(&listen, "event-bus", &["--data-dir", dir]);
        result
    }
}

pub(crate) fn current(url: &str) -> Value {
    get(&format!("{url}/api/time/current")).unwrap().json()
}

pub(crate) fn minutes(event: &Value) -> i64 {
    event["payload"]["total_minutes"].as_str().unwrap().parse().unwrap()
}

pub(crate) fn is(event: &Value, name: &str) -> bool {
    event["event_type"] == name
}

pub(crate) fn id(event: &Value) -> EventId {
    event["event_id"].as_str().unwrap().parse().unwrap()
}

/// Each event once, each producer's in its order, and within each epoch no minute missing. A
/// simulated producer numbers by game time, from before the world began. What is announced again
/// and again it numbers apart: the clock, and the overrides of the weather, of which the first
/// announcement of a command may come behind a repetition.
pub(crate) fn assert_whole(events: &[Value]) {
    let mut ids = HashSet::new();
    let mut last: HashMap<ProducerId, i64> = HashMap::new();
    let mut published: HashMap<ProducerId, Vec<i64>> = HashMap::new();
    for event in events {
        let id = id(event);
        assert!(ids.insert(id), "{event} came twice");
        let announced = ["time.clock_changed", "weather.overrides_announced"];
        if !announced.iter().any(|name| is(event, name)) {
            let sequence = id.sequence.cast_signed();
            let before = last.insert(id.producer, sequence);
            assert!(before < Some(sequence), "{event} is out of order: {before:?} before it");
        }
        if is(event, "time.updated") {
            // The producer of a simulated event is its epoch.
            published.entry(id.producer).or_default().push(minutes(event));
        }
    }
    for (producer, minutes) in published {
        let gapless = minutes.windows(2).all(|pair| pair[1] == pair[0] + 1);
        assert!(gapless, "minutes are missing of {producer:?}: {minutes:?}");
    }
}
