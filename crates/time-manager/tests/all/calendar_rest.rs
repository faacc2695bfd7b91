//! The calendar over REST: what it calls now and any other instant, and what it is.

use serde_json::{Value, json};

use crate::kit::{isles, run, run_slowly};
use worldbus_testkit::{Instance, Place};

/// The isles on 0901-02-30 at 06:00.
async fn run_isles() -> (Place, Instance) {
    let place = Place::new().await.with_world(isles());
    let instance = run_slowly(&place).await;
    (place, instance)
}

async fn ask(instance: &Instance, path: &str) -> Value {
    let (status, answer) = instance.get(path).await;
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

#[tokio::test]
async fn now_has_the_names_of_a_calendar_of_its_own() {
    let (_place, instance) = run_isles().await;
    let holiday = json!([{"id": "sowing-eve", "name": "Sowing Eve"}]);
    let wanted = json!({
        "season_name": "Frost", "month_name": "Thaw", "day_name": "30 Thaw",
        "weekday": "Restday", "era": {"name": "Age of Towers", "year": 101},
        "holidays": holiday, "season": "winter",
    });
    for path in ["/api/time/current", "/api/time/calendar"] {
        let now = ask(&instance, path).await;
        for (field, wanted) in wanted.as_object().unwrap() {
            assert_eq!(&now[field], wanted, "{path}: {field}");
        }
        let moons: Vec<_> = now["moons"].as_array().unwrap().iter().collect();
        assert_eq!((&moons[0]["name"], &moons[1]["name"]), (&"Selva".into(), &"Orrin".into()));
    }
    instance.stop().await;
}

#[tokio::test]
async fn any_date_or_instant_can_be_asked_for() {
    let (_place, instance) = run_isles().await;
    let full = ask(&instance, "/api/time/calendar?at=0901-03-16").await;
    assert_eq!(full["date_time"], "0901-03-16T00:00:00");
    let selva = json!({
        "name": "Selva", "phase": "full", "cycle_permille": 500, "lit_permille": 1000,
    });
    assert_eq!(full["moons"][0], selva);
    assert_eq!((&full["holidays"], &full["day_of_year"]), (&json!([]), &json!(76)));
    assert_eq!((&full["year_days"], &full["intercalary"]), (&json!(360), &json!(false)));
    assert_eq!((&full["season"], &full["season_name"]), (&"spring".into(), &"Sowing".into()));

    let feast = ask(&instance, "/api/time/calendar?at=0901-06-17T12:30").await;
    assert_eq!(feast["holidays"], json!([{"id": "midsummer", "name": "Midsummer"}]));
    assert_eq!((&feast["hour"], &feast["minute"]), (&12.into(), &30.into()));
    let minutes = feast["total_minutes"].as_i64().unwrap();
    let same = ask(&instance, &format!("/api/time/calendar?at={minutes}")).await;
    assert_eq!(same, feast);

    let before = ask(&instance, "/api/time/calendar?at=-0004-01-01").await;
    assert_eq!(before["era"], json!({"name": "Before the Crossing", "year": 5}));
    instance.stop().await;
}

#[tokio::test]
async fn date_that_does_not_exist_is_refused_with_what_does() {
    let (_place, instance) = run_isles().await;
    for (at, words) in [
        ("0901-13-01", "from 1 to 12"),
        ("0901-02-31", "from 1 to 30"),
        ("0901-02-30T24:00", "from 0 to 23"),
        ("tomorrow", "2024-03-01"),
        ("", "2024-03-01"),
    ] {
        let (status, problem) = instance.get(&format!("/api/time/calendar?at={at}")).await;
        assert_eq!((status.as_u16(), &problem["field"]), (400, &json!("at")), "{at}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{at}: {problem}");
    }
    assert_eq!(instance.get("/api/time/calendar?clock=none").await.0, 404);
    instance.stop().await;
}

#[tokio::test]
async fn rules_of_a_calendar_of_its_own_are_listed() {
    let (_place, instance) = run_isles().await;
    let rules = ask(&instance, "/api/time/calendar/rules").await;
    assert_eq!(rules["name"], "Twin Moons");
    assert_eq!(rules["months"][1], json!({"name": "Thaw", "days": 30}));
    assert_eq!(
        (rules["months"].as_array().unwrap().len(), &rules["weekdays"][5]),
        (12, &"Restday".into())
    );
    assert_eq!(rules["moons"][1], json!({"name": "Orrin", "period_days": 11.25}));
    assert_eq!(rules["holidays"][1], json!({"id": "midsummer", "name": "Midsummer", "days": 3}));
    let winter = json!({"id": "winter", "name": "Frost", "month": 12, "day": 1});
    assert_eq!(rules["seasons"][3], winter);
    assert_eq!(
        rules["eras"][2],
        json!({"name": "Age of Towers", "year_one": 801, "backwards": false})
    );
    instance.stop().await;
}

#[tokio::test]
async fn gregorian_days_have_their_names_too() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    let day = ask(&instance, "/api/time/calendar?at=2024-02-29").await;
    assert_eq!((&day["weekday"], &day["day_name"]), (&"Thursday".into(), &"29 February".into()));
    assert_eq!((&day["day_of_year"], &day["year_days"]), (&60.into(), &366.into()));
    instance.stop().await;
}
