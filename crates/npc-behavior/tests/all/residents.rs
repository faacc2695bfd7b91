//! Who is added and who is removed: over REST, as events, undone, after a restart; and what is
//! refused.

use serde_json::{Value, json};

use crate::kit::{HOUR_US, MINUTE_US, activities, begun, run};
use worldbus_events::{Event as _, prost::Message as _, v1};
use worldbus_npc_behavior::TOPIC;
use worldbus_testkit::{Instance, Seen};

fn smith() -> Value {
    json!({
        "id": "wieland", "name": "Wieland", "region": "paris", "role": "artisan", "hardy": 900,
        "actor": "anna", "reason": "a new smith",
    })
}

async fn post(instance: &Instance, path: &str, body: &Value) -> Value {
    let (status, answer) = instance.post(path, &body.to_string()).await;
    assert_eq!(status, 200, "{path} {body}: {answer}");
    answer
}

async fn total(instance: &Instance) -> u64 {
    let (_, answer) = instance.get("/api/people/statistics?region=paris").await;
    answer["total"].as_u64().unwrap()
}

fn of_type(seen: &[Seen], number: u32) -> Vec<&Seen> {
    seen.iter().filter(|event| event.event_type == number).collect()
}

/// What a person did, by the game minute at which it began.
fn days_of(seen: &[Seen], person: &str) -> Vec<(i64, v1::NpcActivityChanged)> {
    let of = activities(seen).into_iter().filter(|((who, _), _)| who == person);
    of.map(|((_, minute), event)| (minute, event)).collect()
}

#[tokio::test]
async fn person_who_is_added_lives_as_planned_and_one_who_is_removed_does_nothing_any_more() {
    let (place, _, instance) = begun().await;
    place.advance(4 * HOUR_US);
    assert_eq!(total(&instance).await, 100);
    let taken = post(&instance, "/api/people", &smith()).await;
    assert_eq!(
        (&taken["command"]["verb"], &taken["command"]["people"]),
        (&json!("spawn"), &json!(["wieland"]))
    );
    place.advance(HOUR_US);
    assert_eq!(total(&instance).await, 101);
    let (_, wieland) = instance.get("/api/people/wieland").await;
    assert_eq!((&wieland["name"], &wieland["region"]), (&json!("Wieland"), &json!("paris")));
    assert_eq!(wieland["character"]["hardy"], 0.9);
    let (_, listed) = instance.get("/api/people?region=paris&limit=1000").await;
    let last = listed["people"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["id"], &last["activity"]), (&json!("wieland"), &wieland["activity"]));
    let (_, plan) = instance.get("/api/people/wieland/plan?hours=3").await;
    let planned: Vec<i64> = plan["plan"].as_array().unwrap()[1..]
        .iter()
        .map(|part| part["from_minutes"].as_i64().unwrap())
        .collect();

    // It is published as it was planned, also by an instance that is started again.
    instance.stop().await;
    place.advance(3 * HOUR_US);
    let instance = run(&place, 0).await;
    let done = |seen: &[Seen]| {
        let days = days_of(seen, "wieland");
        planned.iter().all(|minute| days.iter().any(|(began, _)| began == minute))
    };
    let seen = place.events_until(TOPIC, done).await;
    let spawned = of_type(&seen, v1::NpcSpawned::NUMBER);
    assert_eq!(spawned.len(), 1);
    let event = v1::NpcSpawned::decode(&spawned[0].payload[..]).unwrap();
    assert_eq!(
        (spawned[0].entity.as_deref(), event.role.as_str(), event.actor.as_str()),
        (Some("wieland"), "artisan", "anna")
    );
    assert_eq!(json!(event.home_place), wieland["home"]);
    let first = days_of(&seen, "wieland")[0].0;
    assert!((4 * 60..=4 * 60 + 1).contains(&first), "{first}");

    let body = json!({"actor": "anna", "reason": "he moved on"});
    let (status, _) = instance.delete("/api/people/wieland").await;
    assert_eq!(status, 200, "{body}");
    place.advance(HOUR_US);
    assert_eq!(total(&instance).await, 100);
    let gone = |seen: &[Seen]| !of_type(seen, v1::NpcRemoved::NUMBER).is_empty();
    place.events_until(TOPIC, gone).await;
    let (status, answer) = instance.get("/api/people/wieland").await;
    assert_eq!(status, 404);
    assert!(answer["detail"].as_str().unwrap().contains("was removed"), "{answer}");
    let order = json!({"people": ["wieland"], "activity": "gather", "duration_game_minutes": 60});
    let (status, answer) = instance.post("/api/people/directives", &order.to_string()).await;
    assert_eq!((status.as_u16(), &answer["field"]), (404, &json!("people")), "{answer}");
    place.advance(12 * HOUR_US);
    assert_eq!(total(&instance).await, 100);
    let last = days_of(&place.events(TOPIC).await, "wieland").last().unwrap().0;
    assert!(last <= 8 * 60 + 1, "{last}");
    instance.stop().await;
}

#[tokio::test]
async fn what_is_shown_of_a_person_begins_when_the_person_came() {
    let (place, _, instance) = begun().await;
    place.advance(4 * HOUR_US + MINUTE_US / 2);
    post(&instance, "/api/people", &smith()).await;
    let came = 4 * 60 + 1;
    for wait_us in [0, 2 * MINUTE_US] {
        place.advance(wait_us);
        let (_, wieland) = instance.get("/api/people/wieland").await;
        assert_eq!(wieland["from_minutes"], came, "{wieland}");
        let (_, plan) = instance.get("/api/people/wieland/plan?hours=3").await;
        let first = plan["plan"][0]["from_minutes"].as_i64().unwrap();
        assert!((came..=came + 2).contains(&first), "{plan}");
        let (_, why) = instance.get("/api/people/wieland/why").await;
        assert_eq!(why["decided_minutes"], came, "{why}");
    }
    instance.stop().await;
}

#[tokio::test]
async fn adding_and_removing_is_undone_and_published() {
    let (place, _, instance) = begun().await;
    place.advance(4 * HOUR_US);
    post(&instance, "/api/people", &smith()).await;
    let (status, _) = instance.delete("/api/people/paris-7").await;
    assert_eq!(status, 200);
    place.advance(HOUR_US);
    assert_eq!(total(&instance).await, 100);
    post(&instance, "/api/people/undo", &json!({})).await;
    place.advance(HOUR_US);
    assert_eq!(
        (total(&instance).await, instance.get("/api/people/paris-7").await.0.as_u16()),
        (101, 200)
    );
    post(&instance, "/api/people/undo", &json!({})).await;
    place.advance(HOUR_US);
    assert_eq!(total(&instance).await, 100);
    let published = |seen: &[Seen]| {
        let count = |number| of_type(seen, number).len();
        [v1::NpcSpawned::NUMBER, v1::NpcRemoved::NUMBER, v1::NpcCorrected::NUMBER].map(count)
            == [2, 2, 2]
    };
    let seen = place.events_until(TOPIC, published).await;
    let about = |number| -> Vec<&str> {
        of_type(&seen, number).iter().map(|event| event.entity.as_deref().unwrap()).collect()
    };
    assert_eq!(about(v1::NpcSpawned::NUMBER), ["wieland", "paris-7"]);
    assert_eq!(about(v1::NpcRemoved::NUMBER), ["paris-7", "wieland"]);
    let spawned = of_type(&seen, v1::NpcSpawned::NUMBER);
    let spawned = spawned.iter().map(|event| v1::NpcSpawned::decode(&event.payload[..]).unwrap());
    assert_eq!(spawned.map(|event| event.undone_revision).collect::<Vec<_>>(), [None, Some(2)]);
    let removed = of_type(&seen, v1::NpcRemoved::NUMBER);
    let removed = removed.iter().map(|event| v1::NpcRemoved::decode(&event.payload[..]).unwrap());
    let removed: Vec<_> = removed.collect();
    let (_, seven) = instance.get("/api/people/paris-7").await;
    assert_eq!(seven["name"], json!(removed[0].name));
    assert_eq!(seven["role"], json!(removed[0].role));
    let (name, role) = (removed[1].name.as_deref(), removed[1].role.as_deref());
    assert_eq!((name, role), (Some("Wieland"), Some("artisan")));
    assert_eq!([removed[0].undone_revision, removed[1].undone_revision], [None, Some(1)]);
    let again: Vec<i64> = days_of(&seen, "paris-7").into_iter().map(|(minute, _)| minute).collect();
    let from = 5 * 60..=5 * 60 + 1;
    let is_there = again.iter().any(|minute| from.contains(minute));
    assert!(is_there, "there again, doing what it does: {again:?}");
    instance.stop().await;
}

#[tokio::test]
async fn room_of_who_was_removed_is_free_and_undoing_does_not_overfill_it() {
    let (place, _, instance) = begun().await;
    let (_, seven) = instance.get("/api/people/paris-7").await;
    let (status, _) = instance.delete("/api/people/paris-7").await;
    assert_eq!(status, 200);
    place.advance(HOUR_US);
    // Others fill the house.
    let mut filled = 0;
    for number in 0.. {
        let mut heir = smith();
        heir["id"] = json!(format!("heir-{number}"));
        heir["home"] = seven["home"].clone();
        heir["role"] = seven["role"].clone();
        let (status, answer) = instance.post("/api/people", &heir.to_string()).await;
        if status != 200 {
            assert_eq!((status.as_u16(), &answer["field"]), (409, &json!("home")), "{answer}");
            break;
        }
        filled += 1;
    }
    assert!(filled > 0);
    for _ in 0..filled - 1 {
        post(&instance, "/api/people/undo", &json!({})).await;
        let again = instance.delete("/api/people/paris-8").await;
        assert_eq!(again.0, 200);
        post(&instance, "/api/people/undo", &json!({})).await;
    }
    instance.stop().await;
}

#[tokio::test]
async fn person_who_cannot_be_added_names_the_field_and_changes_nothing() {
    let (_place, _, instance) = begun().await;
    let with = |key: &str, value: Value| {
        let mut body = smith();
        body[key] = value;
        body
    };
    for (body, wanted, field) in [
        (with("id", json!("mayor-of-brussels")), 409, "id"),
        (with("id", json!("paris-3")), 422, "id"),
        (with("id", json!("Wieland")), 422, "id"),
        (with("id", json!("overview")), 422, "id"),
        (with("id", json!("x".repeat(65))), 422, "id"),
        (with("name", json!("")), 422, "name"),
        (with("name", json!("a\nb")), 422, "name"),
        (with("name", json!("a\u{202e}b")), 422, "name"),
        (with("region", json!("atlantis")), 404, "region"),
        (with("role", json!("king")), 404, "role"),
        (with("home", json!("nowhere")), 404, "home"),
        (with("home", json!("berlin-house-1")), 422, "home"),
        (with("home", json!("paris-market")), 422, "home"),
        (with("workplace", json!("paris-market")), 422, "workplace"),
        (with("hardy", json!(1_001)), 422, "hardy"),
        (with("reason", json!("x".repeat(201))), 422, "reason"),
        (with("reason", json!("\u{e9}".repeat(101))), 422, "reason"),
    ] {
        let (status, answer) = instance.post("/api/people", &body.to_string()).await;
        assert_eq!(
            (status.as_u16(), &answer["field"]),
            (wanted, &json!(field)),
            "{body}: {answer}"
        );
    }
    let (status, answer) = instance.delete("/api/people/the-dead").await;
    assert_eq!((status.as_u16(), &answer["field"]), (404, &json!("id")));
    let (_, log) = instance.get("/api/people/directives").await;
    assert_eq!(log["commands"], json!([]));
    instance.stop().await;
}
