//! The REST interface: what it takes and answers, and what it refuses.

use serde_json::{Value, json};

use crate::kit::{State, set};

#[tokio::test]
async fn entity_is_what_commands_made_it() {
    let (_state, instance) = State::begun().await;
    let body = json!({
        "changes": [
            {"entity": "faction/harbour-guild", "field": "gold", "op": "increment", "value": 50},
            {"entity": "faction/harbour-guild", "field": "home", "op": "set",
                "value": {"city": "ghent", "since": 1302}, "if_version": 0},
        ],
        "actor": "anna", "reason": "the tale begins",
    });
    let (status, answer) = instance.post("/api/state/commands", &body.to_string()).await;
    assert_eq!((status.as_u16(), answer), (200, json!({"world_version": 1})));
    let (status, entity) = instance.get("/api/state/faction/harbour-guild").await;
    let expected = json!({
        "entity": "faction/harbour-guild", "version": 1, "world_version": 1,
        "fields": {"gold": 50, "home": {"city": "ghent", "since": 1302}},
    });
    assert_eq!((status.as_u16(), entity), (200, expected));
    assert_eq!(instance.get("/api/state/faction").await.0, 404);
}

#[tokio::test]
async fn version_that_does_not_match_is_409_with_what_was_found_and_nothing_is_done() {
    let (_state, instance) = State::begun().await;
    set(&instance, "a", "x", json!(1)).await;
    let body = json!({"changes": [
        {"entity": "b", "field": "x", "op": "set", "value": 1},
        {"entity": "a", "field": "x", "op": "set", "value": 2, "if_version": 7},
    ]});
    let (status, problem) = instance.post("/api/state/commands", &body.to_string()).await;
    assert_eq!((status.as_u16(), &problem["field"]), (409, &json!("changes[1].if_version")));
    assert!(problem["detail"].as_str().unwrap().contains("it has version 1"), "{problem}");
    assert_eq!(instance.get("/api/state/b").await.0, 404);
    assert_eq!(instance.get("/api/state").await.1["world_version"], 1);
}

#[tokio::test]
async fn same_key_again_has_the_first_answer_and_another_body_under_it_is_422() {
    let (_state, instance) = State::begun().await;
    let body = |number: i64| {
        json!({"idempotency_key": "k", "changes": [
            {"entity": "a", "field": "x", "op": "increment", "value": number}]})
        .to_string()
    };
    let first = instance.post("/api/state/commands", &body(1)).await;
    set(&instance, "b", "x", json!(1)).await;
    assert_eq!(instance.post("/api/state/commands", &body(1)).await, first);
    let (status, problem) = instance.post("/api/state/commands", &body(2)).await;
    assert_eq!((status.as_u16(), &problem["field"]), (422, &json!("idempotency_key")));
    assert_eq!(instance.get("/api/state/a").await.1["fields"], json!({"x": 1}));
}

#[tokio::test]
async fn wrong_commands_are_refused_by_field_and_change_nothing() {
    let (_state, instance) = State::begun().await;
    set(&instance, "a", "text", json!("words")).await;
    let long = "x".repeat(10 << 10);
    let deep = (0..17).fold(json!(1), |inner, _| json!([inner]));
    let one = |change: Value| json!({"changes": [change]});
    let many = json!({"changes": vec![
        json!({"entity": "a", "field": "x", "op": "remove"}); 257]});
    for (body, status, field) in [
        (json!({"changes": []}), 422, "changes"),
        (many, 422, "changes"),
        (
            one(json!({"entity": long, "field": "x", "op": "set", "value": 1})),
            422,
            "changes[0].entity",
        ),
        (
            one(json!({"entity": "a//b", "field": "x", "op": "set", "value": 1})),
            422,
            "changes[0].entity",
        ),
        (
            one(json!({"entity": "a", "field": "x/y", "op": "set", "value": 1})),
            422,
            "changes[0].field",
        ),
        (one(json!({"entity": "a", "op": "set", "value": 1})), 422, "changes[0].field"),
        (one(json!({"entity": "a", "field": "x", "op": "set"})), 422, "changes[0].value"),
        (
            one(json!({"entity": "a", "field": "x", "op": "set", "value": deep})),
            422,
            "changes[0].value",
        ),
        (
            one(json!({"entity": "a", "field": "x", "op": "set", "value": "y".repeat(16 << 10)})),
            422,
            "changes[0].value",
        ),
        (
            one(json!({"entity": "a", "field": "x", "op": "increment", "value": "1"})),
            422,
            "changes[0].value",
        ),
        (
            one(json!({"entity": "a", "field": "text", "op": "increment", "value": 1})),
            409,
            "changes[0].value",
        ),
        (
            one(json!({"entity": "a", "field": "x", "op": "double", "value": 1})),
            422,
            "changes[0].op",
        ),
        (
            one(json!({"entity": "a", "field": "x", "op": "remove", "value": 1})),
            422,
            "changes[0].value",
        ),
        (
            json!({"changes": [{"entity": "a", "field": "x", "op": "remove"}], "actor": "\n"}),
            422,
            "actor",
        ),
        (
            json!({"changes": [{"entity": "a", "field": "x", "op": "remove"}],
            "expires_at_game": -1}),
            422,
            "expires_at_game",
        ),
    ] {
        let (found, problem) = instance.post("/api/state/commands", &body.to_string()).await;
        assert_eq!(found.as_u16(), status, "{problem}");
        assert_eq!(problem["field"], field, "{problem}");
        assert!(problem["detail"].as_str().unwrap().len() < 600, "{problem}");
    }
    assert_eq!(instance.get("/api/state").await.1["world_version"], 1);
}

#[tokio::test]
async fn wrong_queries_are_refused_by_parameter() {
    let (_state, instance) = State::begun().await;
    set(&instance, "a", "x", json!(1)).await;
    let long = "x".repeat(10 << 10);
    for (path, status, field) in [
        (format!("/api/state/{long}"), 400, "entity"),
        ("/api/state/a?at_version=2".to_owned(), 400, "at_version"),
        ("/api/state/a?at_game_time=9999-01-01T00:00:00".to_owned(), 400, "at_game_time"),
        ("/api/state/a?at_game_time=noon".to_owned(), 400, "at_game_time"),
        ("/api/state/a?at_version=1&at_game_time=0".to_owned(), 400, "at_game_time"),
        ("/api/state?prefix=/".to_owned(), 400, "prefix"),
        ("/api/state?limit=0".to_owned(), 400, "limit"),
        ("/api/state?cursor=here".to_owned(), 400, "cursor"),
        ("/api/state?prefix=region/&cursor=1~place/market".to_owned(), 400, "cursor"),
        ("/api/state?at_version=0&cursor=1~a".to_owned(), 400, "cursor"),
        ("/api/state?where=weather".to_owned(), 400, "where"),
        ("/api/state/changes".to_owned(), 400, "from_version"),
        ("/api/state/changes?from_version=2".to_owned(), 400, "from_version"),
        ("/api/state/changes?from_version=0&wait_seconds=31".to_owned(), 400, "wait_seconds"),
        ("/api/state/history".to_owned(), 400, "entity"),
    ] {
        let (found, problem) = instance.get(&path).await;
        assert_eq!((found.as_u16(), &problem["field"]), (status, &json!(field)), "{problem}");
    }
}

#[tokio::test]
async fn past_is_read_by_version_and_by_game_time() {
    let (state, instance) = State::begun().await;
    for number in 1..=3 {
        set(&instance, "a", "x", json!(number)).await;
        // 25 s a game hour.
        state.place.advance(25_000_000);
    }
    let value = async |query: &str| {
        let (status, entity) = instance.get(&format!("/api/state/a{query}")).await;
        (status.as_u16(), entity["fields"]["x"].clone(), entity["version"].clone())
    };
    assert_eq!(value("").await, (200, json!(3), json!(3)));
    assert_eq!(value("?at_version=1").await, (200, json!(1), json!(1)));
    assert_eq!(value("?at_version=0").await.0, 404);
    assert_eq!(value("?at_game_time=90").await, (200, json!(2), json!(2)));
    assert_eq!(value("?at_game_time=59").await, (200, json!(1), json!(1)));
    let (_, history) = instance.get("/api/state/history?entity=a&limit=2").await;
    let versions: Vec<_> =
        history["history"].as_array().unwrap().iter().map(|step| step["version"].clone()).collect();
    assert_eq!((versions, &history["next"]), (vec![json!(3), json!(2)], &json!(2)));
}

#[tokio::test]
async fn list_has_pages_of_one_version_while_writes_go_on() {
    let (_state, instance) = State::begun().await;
    for number in 0..5 {
        set(&instance, &format!("region/r{number}"), "weather", json!("clear")).await;
    }
    let (_, first) = instance.get("/api/state?prefix=region/&limit=3").await;
    set(&instance, "region/r3", "weather", json!("storm")).await;
    set(&instance, "region/r9", "weather", json!("storm")).await;
    let cursor = first["next"].as_str().unwrap();
    let (_, second) =
        instance.get(&format!("/api/state?prefix=region/&limit=3&cursor={cursor}")).await;
    let weather: Vec<_> = [&first, &second]
        .iter()
        .flat_map(|page| page["entities"].as_array().unwrap())
        .map(|entity| entity["fields"]["weather"].as_str().unwrap())
        .collect();
    assert_eq!(weather, ["clear"; 5]);
    assert_eq!((&second["world_version"], &second["next"]), (&json!(5), &Value::Null));
    let (_, storms) = instance.get("/api/state?where=weather:storm").await;
    assert_eq!(storms["entities"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn changes_go_on_from_a_version_and_may_be_waited_for() {
    let (_state, instance) = State::begun().await;
    set(&instance, "a", "x", json!(1)).await;
    set(&instance, "a", "x", json!(2)).await;
    let (_, page) = instance.get("/api/state/changes?from_version=1").await;
    let expected = json!([{"entity": "a", "field": "x", "op": "set", "value": 2}]);
    assert_eq!((&page["changes"][0]["changes"], &page["next"]), (&expected, &json!(2)));
    assert_eq!(page["changes"][0]["game_time"], "2024-03-01T06:00:00");
    let waiting = instance.get("/api/state/changes?from_version=2&wait_seconds=30");
    let (waited, _) = tokio::join!(waiting, set(&instance, "a", "x", json!(3)));
    assert_eq!(waited.1["changes"][0]["version"], 3);
}
