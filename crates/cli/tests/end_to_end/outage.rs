//! The event-bus of three processes is killed in the middle of it all and started again: the
//! services wait for it, live and not ready, and nothing is lost, doubled or out of order.

use serde_json::{Value, json};

use crate::support::{
    Feed, Finished, Service, Tail, Town, assert_whole, eventually, get, id, is, post, run,
};

/// Events of a publisher whose stream the kill interrupts, and how many come before it.
const FED: usize = 4_000;
const FED_BEFORE_KILL: usize = 500;
const FED_LINE: &str = "{\"type\":\"world_state.updated\",\"payload\":{}}";

fn readiness(service: &Service) -> u16 {
    let live = get(&format!("{}/livez", service.url)).unwrap();
    assert_eq!(live.status, 200, "{live:?}");
    get(&format!("{}/readyz", service.url)).unwrap().status
}

fn become_ready(service: &Service, status: u16) {
    let name = format!("/readyz of {} answers {status}", service.url);
    eventually(&name, || (readiness(service) == status).then_some(()));
}

fn command(service: &Service, path: &str, body: &Value) {
    let reply = post(&format!("{}{path}", service.url), body);
    assert_eq!(reply.status, 200, "{reply:?}");
}

/// Whether it states what was set last, by either command, or by the stream.
fn states_the_last(event: &Value, fed: &[String]) -> bool {
    let payload = &event["payload"];
    match event["event_type"].as_str().unwrap() {
        // 3,600 game seconds in 3.
        "time.clock_changed" => payload["scale_numerator"] == "1200",
        "weather.changed" => {
            event["entity"] == "brussels"
                && payload["new_state"] == "WEATHER_STATE_FOG"
                && payload["forced"] == true
        }
        _ => event["event_id"] == fed[fed.len() - 1],
    }
}

#[test]
fn killing_the_event_bus_of_three_processes_loses_nothing() {
    let mut town = Town::found();
    let time = town.start("time-manager").ready();
    let weather = town.start("weather-manager").ready();
    let tail = Tail::start(&town.bus.url, &[]);
    // Thirty game minutes a second, and every other second new weather somewhere.
    command(&time, "/api/time/scale", &json!({ "real_seconds_per_game_hour": 2 }));
    let feed = Feed::start(&town.bus.url, FED_LINE, FED);
    eventually("the stream is under way", || (feed.acked() >= FED_BEFORE_KILL).then_some(()));
    town.without_bus(|| {
        become_ready(&time, 503);
        become_ready(&weather, 503);
        // Commands are taken: what they do is published when there is a bus again.
        command(&time, "/api/time/scale", &json!({ "real_seconds_per_game_hour": 3 }));
        let fog = json!({ "region": "brussels", "state": "fog" });
        command(&weather, "/api/weather/set", &fog);
        assert!(feed.acked() < FED, "the kill came in the middle of the stream");
    });
    for service in [&town.bus, &time, &weather] {
        become_ready(service, 200);
    }
    let fed = feed.finish();
    let mut missing = vec!["time.clock_changed", "weather.changed", "world_state.updated"];
    let events = tail.until(|event| {
        missing.retain(|name| !is(event, name) || !states_the_last(event, &fed));
        missing.is_empty()
    });
    assert_whole(&events);
    let shown = events.iter().filter(|event| is(event, "world_state.updated"));
    let shown: Vec<String> = shown.map(|event| id(event).to_string()).collect();
    assert!(shown == fed, "what was acknowledged is there once, in its order");
    // Nothing was restarted but the event-bus, and all end in order.
    weather.terminate();
    time.terminate();
    town.bus.terminate();
}

fn health(port: &str) -> Finished {
    run(&["health", "--listen", &format!("0.0.0.0:{port}")])
}

#[test]
fn health_is_found_when_a_service_was_ready_and_holds_through_an_outage() {
    let nowhere = tempfile::tempdir().unwrap();
    let dir = nowhere.path().to_str().unwrap();
    let waiting =
        Service::start("time-manager", &["--url", "http://127.0.0.1:1", "--data-dir", dir]);
    health(waiting.port()).refused(&["503", "not ready", "bus"]);
    let early = get(&format!("{}/api/time/current", waiting.url)).unwrap();
    assert_eq!(early.status, 503, "{early:?}");
    assert!(early.text.contains("waiting for the event-bus"), "{early:?}");
    let mut town = Town::found();
    let time = town.start("time-manager").ready();
    let healthy = health(time.port());
    assert_eq!((healthy.code, healthy.lines()), (0, vec!["ok".to_owned()]), "{healthy:?}");
    town.without_bus(|| {
        become_ready(&time, 503);
        assert_eq!(health(time.port()).code, 0);
    });
    let gone = time.port().to_owned();
    time.terminate();
    health(&gone).refused(&["nothing answers", "WORLDBUS_LISTEN"]);
}
