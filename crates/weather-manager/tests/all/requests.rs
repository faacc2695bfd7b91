//! Requests on the bus to force the weather, and the examples of the page about it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::kit::{TOPIC, new_clock, run, tell};
use worldbus_bus::Outgoing;
use worldbus_events::prost::Message as _;
use worldbus_events::{Event, EventId, ProducerId, v1};
use worldbus_testkit::{Instance, Place, Seen};

/// Looks at the log of commands before a test gives up, ten milliseconds apart.
const LOOK_COUNT_MAX: usize = 6_000;

async fn begun() -> (Place, Instance) {
    let place = Place::new().await;
    tell(&place, new_clock(&place).last()).await;
    let instance = run(&place, 0).await;
    instance.ready().await;
    (place, instance)
}

fn of_type<E: Event>(seen: &[Seen]) -> Vec<E> {
    let ours = seen.iter().filter(|event| event.event_type == E::NUMBER);
    ours.map(|event| E::decode(&event.payload[..]).unwrap()).collect()
}

/// Publishes a request under an id, as a time-manager does when a schedule is due.
async fn ask(place: &Place, sequence: u64, request: &v1::WeatherOverrideRequested) {
    ask_in(place, "europe", sequence, request).await;
}

async fn ask_in(place: &Place, world: &str, sequence: u64, request: &v1::WeatherOverrideRequested) {
    let producer = ProducerId::from_bits(77);
    let payload = request.encode_to_vec();
    let event = Outgoing {
        event_type: v1::WeatherOverrideRequested::NUMBER,
        id: Some(EventId { producer, sequence }),
        payload: &payload,
        ..Outgoing::default()
    };
    let topic = worldbus_bus::Topic::new(v1::WeatherOverrideRequested::TOPIC).unwrap();
    let publisher = place.bus.publisher("time-manager", world);
    publisher.enqueue_raw(&topic, event).await.unwrap().await.unwrap();
}

/// The log of commands once it has so many.
async fn commands(place: &Place, instance: &Instance, count: usize) -> Vec<Value> {
    for _ in 0..LOOK_COUNT_MAX {
        place.advance(1_000);
        let (_, log) = instance.get("/api/weather/overrides").await;
        let commands = log["commands"].as_array().unwrap();
        if commands.len() >= count {
            return commands.clone();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never {count} commands")
}

#[tokio::test]
async fn requested_override_is_taken_with_who_wants_it() {
    let (place, instance) = begun().await;
    let storm = v1::WeatherOverrideRequested {
        region_ids: vec!["paris".to_owned()],
        state: v1::WeatherState::Storm.into(),
        duration_game_minutes: Some(90),
        actor: "anna".to_owned(),
        reason: "the boss fight".to_owned(),
        ..v1::WeatherOverrideRequested::default()
    };
    ask(&place, 1, &storm).await;
    let taken = commands(&place, &instance, 1).await;
    assert_eq!(
        (&taken[0]["actor"], &taken[0]["reason"]),
        (&json!("anna"), &json!("the boss fight"))
    );
    place.advance(1_000_000);
    let (_, now) = instance.get("/api/weather/current?region=paris").await;
    assert_eq!((&now["state"], &now["forced"]), (&json!("storm"), &json!(true)));
    let (_, log) = instance.get("/api/weather/overrides").await;
    assert_eq!(log["overrides"][0]["actor"], "anna");
    assert!(log["overrides"][0]["end"].is_string(), "{log}");
    let fog = v1::WeatherOverrideRequested {
        region_ids: vec!["vienna".to_owned()],
        state: v1::WeatherState::Fog.into(),
        ..v1::WeatherOverrideRequested::default()
    };
    ask(&place, 2, &fog).await;
    let taken = commands(&place, &instance, 2).await;
    let regions: Vec<_> = taken.iter().map(|command| &command["regions"][0]).collect();
    assert_eq!(regions, ["vienna", "paris"]);
    assert_eq!(taken[0]["actor"], "time-manager");
    let set = |seen: &[Seen]| of_type::<v1::WeatherOverrideSet>(seen).len() == 2;
    place.events_until(TOPIC, set).await;
    instance.stop().await;
}

#[tokio::test]
async fn request_that_cannot_be_met_is_set_aside_and_the_next_one_is_taken() {
    let (place, instance) = begun().await;
    let request = |region: &str, state: v1::WeatherState| v1::WeatherOverrideRequested {
        region_ids: vec![region.to_owned()],
        state: state.into(),
        ..v1::WeatherOverrideRequested::default()
    };
    ask_in(&place, "mars", 9, &request("paris", v1::WeatherState::Storm)).await;
    ask(&place, 1, &request("atlantis", v1::WeatherState::Storm)).await;
    ask(&place, 2, &request("paris", v1::WeatherState::Unspecified)).await;
    ask(&place, 3, &request("paris", v1::WeatherState::Mist)).await;
    let taken = commands(&place, &instance, 1).await;
    assert_eq!((taken.len(), &taken[0]["regions"]), (1, &json!(["paris"])));
    let set_aside = place.bus.transport().dead_letters(None, 10).await.unwrap();
    let reasons: Vec<_> = set_aside.iter().map(|letter| letter.event.reason.as_str()).collect();
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("\"mars\"")), "{reasons:?}");
    instance.stop().await;
}

#[tokio::test]
async fn examples_of_the_page_about_overrides_are_taken() {
    let (_place, instance) = begun().await;
    let page = include_str!("../../../../docs/explanation/weather.md");
    let set = page.split_once("-d '").unwrap().1.split_once('\'').unwrap().0;
    let (status, answer) = instance.post("/api/weather/set", set).await;
    assert_eq!(status, 200, "{set}: {answer}");
    let examples = page.split("```json").skip(1).map(|rest| rest.split_once("```").unwrap().0);
    let mut count = 0;
    for example in examples {
        let (status, answer) = instance.post("/api/weather/overrides", example).await;
        assert_eq!(status, 200, "{example}: {answer}");
        count += 1;
    }
    assert!(count > 0);
    instance.stop().await;
}
