//! What people are directed to do: over REST, by requests on the bus, until it ends, is cleared or
//! undone; and what is refused.

use serde_json::{Value, json};

use crate::kit::{HOUR_US, MINUTE_US, begun};
use worldbus_events::{Event as _, prost::Message as _, v1};
use worldbus_npc_behavior::TOPIC;
use worldbus_testkit::{Instance, Place, Seen};

async fn place() -> (Place, Instance) {
    let (place, _, instance) = begun().await;
    place.advance(4 * HOUR_US);
    (place, instance)
}

fn to_the_temple() -> Value {
    json!({
        "region": "paris", "activity": "worship", "place": "paris-temple",
        "duration_game_minutes": 300, "actor": "anna", "reason": "the feast",
    })
}

async fn worshippers(instance: &Instance) -> u64 {
    let (_, answer) = instance.get("/api/people/statistics?region=paris").await;
    answer["by_activity"]["worship"].as_u64().unwrap_or(0)
}

async fn post(instance: &Instance, path: &str, body: &Value) -> Value {
    let (status, answer) = instance.post(path, &body.to_string()).await;
    assert_eq!(status, 200, "{path} {body}: {answer}");
    answer
}

fn of_type(seen: &[Seen], number: u32) -> usize {
    seen.iter().filter(|event| event.event_type == number).count()
}

#[tokio::test]
async fn directive_moves_a_region_is_published_and_can_be_cleared_and_undone() {
    let (place, instance) = place().await;
    let before = worshippers(&instance).await;
    let taken = post(&instance, "/api/people/directives", &to_the_temple()).await;
    let command = &taken["command"];
    assert_eq!((&command["id"], &command["person_count"]), (&json!("directive-1"), &json!(100)));
    assert!(taken["effective_at"].as_str().unwrap().ends_with('Z'));
    place.advance(2 * HOUR_US);
    assert_eq!(worshippers(&instance).await, 100, "{before} before");

    let seen =
        place.events_until(TOPIC, |seen| of_type(seen, v1::NpcDirectiveSet::NUMBER) == 1).await;
    let set = seen.iter().find(|event| event.event_type == v1::NpcDirectiveSet::NUMBER).unwrap();
    assert_eq!(set.entity.as_deref(), Some("paris"));
    let payload = v1::NpcDirectiveSet::decode(&set.payload[..]).unwrap();
    assert_eq!((payload.person_count, payload.actor.as_str()), (100, "anna"));
    let follows = |seen: &[Seen]| {
        let mut all =
            seen.iter().filter(|event| event.event_type == v1::NpcActivityChanged::NUMBER);
        all.any(|event| {
            let payload = v1::NpcActivityChanged::decode(&event.payload[..]).unwrap();
            payload.cause_event_id == set.id.to_string()
                && payload.activity == v1::NpcActivity::Worship as i32
        })
    };
    place.events_until(TOPIC, follows).await;

    let clear = json!({"id": "directive-1", "actor": "anna"});
    post(&instance, "/api/people/clear", &clear).await;
    place.advance(HOUR_US);
    assert!(worshippers(&instance).await < 60);
    post(&instance, "/api/people/undo", &json!({})).await;
    place.advance(HOUR_US);
    assert_eq!(worshippers(&instance).await, 100);
    let published = |seen: &[Seen]| {
        of_type(seen, v1::NpcDirectiveCleared::NUMBER) == 1
            && of_type(seen, v1::NpcCorrected::NUMBER) == 1
    };
    place.events_until(TOPIC, published).await;
    let (_, log) = instance.get("/api/people/directives").await;
    let verbs: Vec<_> =
        log["commands"].as_array().unwrap().iter().map(|c| c["verb"].as_str().unwrap()).collect();
    assert_eq!(verbs, ["undo", "clear", "direct"]);
    place.advance(4 * HOUR_US);
    assert!(worshippers(&instance).await < 60, "it ends of itself");
    instance.stop().await;
}

#[tokio::test]
async fn directive_that_is_in_force_again_can_be_ended_again() {
    let (place, instance) = place().await;
    post(&instance, "/api/people/directives", &to_the_temple()).await;
    post(&instance, "/api/people/clear", &json!({"id": "directive-1"})).await;
    post(&instance, "/api/people/undo", &json!({})).await;
    place.advance(HOUR_US);
    assert_eq!(worshippers(&instance).await, 100);
    post(&instance, "/api/people/clear", &json!({"id": "directive-1"})).await;
    place.advance(2 * HOUR_US);
    let left = worshippers(&instance).await;
    assert!(left < 60, "{left}");
    instance.stop().await;
}

/// The states of all commands, the first one first.
async fn states(instance: &Instance) -> Vec<String> {
    let (_, log) = instance.get("/api/people/directives").await;
    let states = log["commands"].as_array().unwrap().iter().rev();
    states.map(|command| command["state"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn commands_state_whether_they_are_to_come_in_force_over_or_undone() {
    let (place, instance) = place().await;
    place.advance(MINUTE_US / 2);
    let temple = |minutes: i64| {
        let mut body = to_the_temple();
        body["duration_game_minutes"] = json!(minutes);
        body
    };
    for minutes in [60, 300, 300] {
        post(&instance, "/api/people/directives", &temple(minutes)).await;
    }
    assert_eq!(states(&instance).await, ["scheduled"; 3]);
    let undo = json!({"actor": "bert", "reason": "too many"});
    let taken = post(&instance, "/api/people/undo", &undo).await;
    let undone = &taken["undone"];
    assert_eq!(
        (&undone["id"], &undone["region"], &undone["actor"], &undone["state"]),
        (&json!("directive-3"), &json!("paris"), &json!("anna"), &json!("undone"))
    );
    place.advance(HOUR_US / 2);
    assert_eq!(states(&instance).await, ["active", "active", "undone", "active"]);
    place.advance(HOUR_US);
    assert_eq!(states(&instance).await, ["ended", "active", "undone", "active"]);
    post(&instance, "/api/people/clear", &json!({"id": "directive-2"})).await;
    place.advance(MINUTE_US);
    let all = ["ended", "ended", "undone", "active", "active"];
    assert_eq!(states(&instance).await, all);
    for over in ["directive-1", "directive-2", "directive-3"] {
        let body = json!({"id": over}).to_string();
        let (status, answer) = instance.post("/api/people/clear", &body).await;
        assert_eq!((status.as_u16(), &answer["field"]), (409, &json!("id")), "{answer}");
    }
    post(&instance, "/api/people/undo", &json!({})).await;
    let all = ["ended", "scheduled", "undone", "active", "undone", "scheduled"];
    assert_eq!(states(&instance).await, all);
    place.advance(MINUTE_US);
    assert_eq!(
        states(&instance).await,
        ["ended", "active", "undone", "active", "undone", "active"]
    );
    instance.stop().await;
}

#[tokio::test]
async fn request_on_the_bus_is_taken_once() {
    let (place, instance) = place().await;
    let request = v1::NpcDirectiveRequested {
        person_ids: vec!["mayor-of-brussels".to_owned()],
        activity: v1::NpcActivity::Gather.into(),
        place: "brussels-market".to_owned(),
        duration_game_minutes: 120,
        ..v1::NpcDirectiveRequested::default()
    };
    let publisher = place.bus.publisher("studio", "europe");
    publisher.publish(&request).await.unwrap();
    while instance.get("/api/people/directives").await.1["commands"] == json!([]) {
        tokio::task::yield_now().await;
    }
    // What is published up to now stays as it is: it takes effect as the clock goes on.
    place.advance(HOUR_US);
    let taken = |seen: &[Seen]| of_type(seen, v1::NpcDirectiveSet::NUMBER) == 1;
    place.events_until(TOPIC, taken).await;
    let (_, mayor) = instance.get("/api/people/mayor-of-brussels").await;
    assert_eq!((&mayor["activity"], &mayor["cause"]), (&json!("gather"), &json!("directive")));
    let (_, log) = instance.get("/api/people/directives").await;
    assert_eq!(log["commands"][0]["actor"], "studio");
    instance.stop().await;
}

#[tokio::test]
async fn directive_that_cannot_be_followed_names_the_field_and_changes_nothing() {
    let (_place, instance) = place().await;
    let with = |key: &str, value: Value| {
        let mut body = to_the_temple();
        body[key] = value;
        body
    };
    let persons = |ids: Value| {
        let mut body = with("people", ids);
        body.as_object_mut().unwrap().remove("region");
        body
    };
    let many: Vec<String> = (0..257).map(|n| format!("paris-{n}")).collect();
    for (body, wanted, field) in [
        (with("region", json!("atlantis")), 404, "region"),
        (with("role", json!("king")), 404, "role"),
        (persons(json!(["the-dead"])), 404, "people"),
        (persons(json!(many)), 422, "people"),
        (persons(json!(["paris-1", "paris-1"])), 422, "people"),
        (with("people", json!(["paris-1"])), 422, "people"),
        (with("place", json!("paris-castle")), 404, "place"),
        (with("place", json!("berlin-temple")), 422, "place"),
        (with("activity", json!("fly")), 422, "activity"),
        (with("activity", json!("travel")), 422, "activity"),
        (with("duration_game_minutes", json!(0)), 422, "duration_game_minutes"),
        (with("duration_game_minutes", json!(43_201)), 422, "duration_game_minutes"),
        (with("actor", json!("x".repeat(65))), 422, "actor"),
    ] {
        let (status, answer) = instance.post("/api/people/directives", &body.to_string()).await;
        assert_eq!(
            (status.as_u16(), &answer["field"]),
            (wanted, &json!(field)),
            "{body}: {answer}"
        );
    }
    let (status, _) = instance.post("/api/people/undo", "").await;
    assert_eq!(status, 409);
    let (status, answer) = instance.post("/api/people/clear", r#"{"id":"directive-9"}"#).await;
    assert_eq!((status.as_u16(), &answer["field"]), (404, &json!("id")));
    let (_, log) = instance.get("/api/people/directives").await;
    assert_eq!(log["commands"], json!([]));
    instance.stop().await;
}
