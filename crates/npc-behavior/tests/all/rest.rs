//! The people over REST: who they are, what they do, what they are going to do and why.

use serde_json::{Value, json};

use crate::kit::{HOUR_US, announce_weather, begun, planner, storm};
use worldbus_testkit::{Instance, Place};
use worldbus_world::Overrides;

async fn place(hours: i64) -> (Place, Instance) {
    let (place, _, instance) = begun().await;
    place.advance(hours * HOUR_US);
    (place, instance)
}

async fn get(instance: &Instance, path: &str) -> Value {
    let (status, answer) = instance.get(path).await;
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

#[tokio::test]
async fn people_are_listed_by_page_and_by_what_they_do() {
    let (_place, instance) = place(4).await;
    let mut ids = Vec::new();
    let mut path = "/api/people?region=paris&limit=30".to_owned();
    loop {
        let page = get(&instance, &path).await;
        let people = page["people"].as_array().unwrap();
        ids.extend(people.iter().map(|person| person["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/people?region=paris&limit=30&cursor={next}");
    }
    assert_eq!(ids.len(), 100);
    ids.dedup();
    assert_eq!((ids.len(), ids[0].as_str()), (100, "paris-1"));

    let work = get(&instance, "/api/people?region=paris&activity=work&role=artisan").await;
    let work = work["people"].as_array().unwrap();
    assert!(work.len() > 10, "{work:?}");
    for person in work {
        assert_eq!((&person["activity"], &person["role"]), (&json!("work"), &json!("artisan")));
        assert!(person["until_minutes"].as_i64().unwrap() > 4 * 60);
        assert!(person["name"].as_str().unwrap().contains(' '));
    }
    let place = work[0]["place"].as_str().unwrap();
    let there = get(&instance, &format!("/api/people?place={place}")).await;
    assert!(there["people"].as_array().unwrap().contains(&work[0]));
    instance.stop().await;
}

#[tokio::test]
async fn plan_is_without_gaps_from_now_on_and_comes_true() {
    let (place, instance) = place(4).await;
    let plan = get(&instance, "/api/people/paris-7/plan?hours=168").await;
    let plan = plan["plan"].as_array().unwrap();
    assert_eq!(plan[0]["from_minutes"], 4 * 60);
    for pair in plan.windows(2) {
        assert_eq!(pair[0]["to_minutes"], pair[1]["from_minutes"]);
    }
    let last = plan.last().unwrap()["to_minutes"].as_i64().unwrap();
    assert!(last >= (4 + 168) * 60, "{last}");
    for hours in [1, 2, 3] {
        place.advance(HOUR_US);
        let now = get(&instance, "/api/people/paris-7").await;
        let minute = (4 + hours) * 60;
        let part = plan.iter().rfind(|part| part["from_minutes"].as_i64().unwrap() <= minute);
        let part = part.unwrap();
        assert_eq!((&now["activity"], &now["place"]), (&part["activity"], &part["place"]));
    }
    instance.stop().await;
}

#[tokio::test]
async fn reasons_add_up_and_begin_with_the_chosen_one() {
    let (_place, instance) = place(4).await;
    for person in ["paris-3", "paris-20", "mayor-of-brussels"] {
        let why = get(&instance, &format!("/api/people/{person}/why")).await;
        let candidates = why["candidates"].as_array().unwrap();
        let number = |of: &Value, key: &str| of[key].as_i64().unwrap();
        for of in candidates {
            let parts = ["fit", "need", "character", "weather", "way", "habit"];
            let sum: i64 = parts.into_iter().map(|part| number(of, part)).sum();
            assert_eq!(number(of, "score"), sum, "{of}");
            assert!(number(&candidates[0], "score") >= number(of, "score"));
        }
        assert!(number(&why, "decided_minutes") <= 4 * 60);
    }
    instance.stop().await;
}

#[tokio::test]
async fn statistics_and_places_count_everyone_and_a_storm_fills_the_roofs() {
    let (place, instance) = place(4).await;
    let fair = get(&instance, "/api/people/statistics?region=vienna").await;
    assert_eq!(fair["total"], 100);
    let sum: u64 =
        fair["by_activity"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(sum, 100);

    announce_weather(&place, &storm("vienna", (4, 9), place.now())).await;
    // It has to be known before the clock goes on.
    get(&instance, "/api/people/statistics").await;
    place.advance(HOUR_US);
    let storm = get(&instance, "/api/people/statistics?region=vienna").await;
    assert!(storm["under_roof"].as_u64().unwrap() >= 90, "{storm}");
    assert!(storm["by_activity"]["shelter"].as_u64().unwrap() > 10, "{storm}");

    let places = get(&instance, "/api/places?region=vienna").await;
    let places = places["places"].as_array().unwrap();
    let travel = storm["by_activity"]["travel"].as_u64().unwrap_or(0);
    let there: u64 = places.iter().map(|place| place["count"].as_u64().unwrap()).sum();
    assert_eq!(there + travel, 100);
    let people = planner(&place.world, &Overrides::default());
    assert_eq!(places.len(), people.people().places_of(10).len());
    instance.stop().await;
}

#[tokio::test]
async fn unknown_names_and_bounds_are_refused_by_name() {
    let (_place, instance) = place(0).await;
    for (path, wanted, field) in [
        ("/api/people/nowhere-1", 404, "id"),
        ("/api/people/paris-101/plan", 404, "id"),
        ("/api/people/paris-1/plan?hours=0", 400, "hours"),
        ("/api/people/paris-1/plan?hours=169", 400, "hours"),
        ("/api/people?region=atlantis", 404, "region"),
        ("/api/people?role=king", 404, "role"),
        ("/api/people?place=atlantis-market", 404, "place"),
        ("/api/people?activity=fly", 400, "activity"),
        ("/api/people?limit=0", 400, "limit"),
        ("/api/people?limit=1001", 400, "limit"),
        ("/api/people?cursor=x", 400, "cursor"),
        ("/api/people/statistics?region=atlantis", 404, "region"),
    ] {
        let (status, answer) = instance.get(path).await;
        assert_eq!(
            (status.as_u16(), &answer["field"]),
            (wanted, &json!(field)),
            "{path}: {answer}"
        );
    }
    instance.stop().await;
}

#[tokio::test]
async fn unknown_names_come_with_those_that_are_like_them() {
    let (_place, instance) = place(0).await;
    for (path, meant) in [
        ("/api/people/mayor-of-brusels", "did you mean mayor-of-brussels"),
        ("/api/people?region=brusels", "did you mean brussels?"),
        ("/api/people?role=artizan", "did you mean artisan?"),
        ("/api/people?place=paris-markt", "did you mean paris-market"),
    ] {
        let (status, answer) = instance.get(path).await;
        let detail = answer["detail"].as_str().unwrap();
        assert!(status == 404 && detail.contains(meant), "{path}: {detail}");
    }
    for (body, meant) in [
        (json!({"people": ["paris-1001"]}), "did you mean paris-100"),
        (json!({"region": "brusels"}), "did you mean brussels?"),
        (json!({"region": "paris", "place": "paris-tempel"}), "did you mean paris-temple"),
    ] {
        let mut wish = body;
        (wish["activity"], wish["duration_game_minutes"]) = (json!("rest"), json!(60));
        let (status, answer) = instance.post("/api/people/directives", &wish.to_string()).await;
        let detail = answer["detail"].as_str().unwrap();
        assert!(status == 404 && detail.contains(meant), "{wish}: {detail}");
    }
    let (_, answer) = instance.get("/api/people?region=atlantis").await;
    assert_eq!(answer["detail"], "no region \"atlantis\" in europe");
    instance.stop().await;
}
