//! Hours, days, months, years and seasons: each published once when it begins, and after a jump
//! what is other than it was.

use crate::kit::{TOPIC, assert_in_order, of_type, run, run_slowly};
use worldbus_events::{Event as _, v1};
use worldbus_testkit::{Place, Seen};

const HOUR_US: i64 = 25_000_000;

fn count(all: &[Seen], event_type: u32) -> usize {
    all.iter().filter(|event| event.event_type == event_type).count()
}

#[tokio::test]
async fn each_hour_day_month_and_season_of_a_season_comes_once() {
    let place = Place::new().await;
    let instance = run_slowly(&place).await;
    // The log keeps what is not too old.
    let fast = r#"{"real_seconds_per_game_hour":0.25}"#;
    assert_eq!(instance.post("/api/time/scale", fast).await.0, 200);
    place.advance(10_000);
    // From 1 March, 06:00, to 3 June, 06:00.
    let days = 31 + 30 + 31 + 2;
    for _ in 0..days {
        place.advance(24 * HOUR_US / 100);
        tokio::task::yield_now().await;
    }
    let hours = days * 24 + 1;
    let all = place
        .events_until(TOPIC, |all| {
            of_type::<v1::HourChanged>(all)
                .last()
                .is_some_and(|last| last.game_us >= i64::from(hours - 1) * 3_600_000_000)
        })
        .await;
    let changes = of_type::<v1::HourChanged>(&all);
    assert_eq!(changes.len(), hours as usize);
    for (index, hour) in changes.iter().enumerate() {
        assert_eq!(hour.hour as usize, (6 + index) % 24);
        assert_eq!(hour.game_us, index as i64 * 3_600_000_000);
        assert_eq!(hour.is_day, (7..18).contains(&hour.hour));
    }
    let day_changes = of_type::<v1::DayChanged>(&all);
    assert_eq!(day_changes.len(), days as usize + 1);
    // 2024 is a leap year: 1 March is its day 61, a Friday.
    assert_eq!((day_changes[0].day_of_year, day_changes[0].weekday.as_str()), (61, "Friday"));
    assert_eq!((day_changes[3].day_of_year, day_changes[3].weekday.as_str()), (64, "Monday"));
    let months = of_type::<v1::MonthChanged>(&all);
    let names: Vec<_> = months.iter().map(|month| month.name.as_str()).collect();
    assert_eq!(names, ["March", "April", "May", "June"]);
    assert_eq!((months[0].old_month, months[1].old_month, months[1].new_month), (0, 3, 4));
    let seasons = of_type::<v1::SeasonChanged>(&all);
    let names: Vec<_> = seasons.iter().map(|season| season.name.as_str()).collect();
    assert_eq!(names, ["spring", "summer"]);
    let years = of_type::<v1::YearChanged>(&all);
    assert_eq!(years, [v1::YearChanged { old_year: None, new_year: 2024 }]);
    instance.stop().await;
}

#[tokio::test]
async fn jump_reports_what_is_other_and_who_did_it() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    let body = r#"{"year":2025,"month":1,"day":15,"hour":12,"minute":30,
                   "actor":"anna","reason":"the siege begins"}"#;
    assert_eq!(instance.post("/api/time/set", body).await.0, 200);
    place.advance(1);
    let all = place.events_until(TOPIC, |all| count(all, v1::TimeChanged::NUMBER) == 2).await;
    let years = of_type::<v1::YearChanged>(&all);
    assert_eq!(years[1], v1::YearChanged { old_year: Some(2024), new_year: 2025 });
    assert_eq!(of_type::<v1::MonthChanged>(&all)[1].old_month, 3);
    assert_eq!(of_type::<v1::SeasonChanged>(&all)[1].name, "winter");
    assert_eq!(of_type::<v1::DayChanged>(&all)[1].weekday, "Wednesday");
    assert_eq!(of_type::<v1::HourChanged>(&all)[1].hour, 12);
    let jumped = of_type::<v1::Jumped>(&all);
    assert_eq!((jumped.len(), jumped[0].epoch), (1, 1));
    assert_eq!((jumped[0].actor.as_str(), jumped[0].reason.as_str()), ("anna", "the siege begins"));
    // 320 days after 1 March, 06:00, and six and a half hours.
    assert_eq!(jumped[0].to_game_us, ((320 * 24 + 6) * 60 + 30) * 60_000_000);
    instance.stop().await;
}

#[tokio::test]
async fn events_of_one_instant_come_in_the_order_of_their_ids_before_the_epoch_too() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    for body in [r#"{"hour":23,"minute":59}"#, r#"{"year":2023,"month":12,"day":31,"hour":23}"#] {
        assert_eq!(instance.post("/api/time/set", body).await.0, 200);
        place.advance(3 * HOUR_US);
        tokio::task::yield_now().await;
    }
    let all = place.events_until(TOPIC, |all| of_type::<v1::YearChanged>(all).len() == 3).await;
    assert_in_order(&all);
    instance.stop().await;
}

#[tokio::test]
async fn pause_resume_and_scale_are_published_with_who_and_why() {
    let place = Place::new().await;
    let instance = run(&place, 0).await;
    let body = r#"{"actor":"ops","reason":"patch"}"#;
    for (path, body) in [
        ("stop", body),
        ("start", body),
        ("scale", r#"{"real_seconds_per_game_hour":60,"phase_speeds":{"night":2},"actor":"b"}"#),
        ("skip", r#"{"minutes":90,"actor":"c"}"#),
    ] {
        place.advance(1_000_000);
        assert_eq!(instance.post(&format!("/api/time/{path}"), body).await.0, 200);
    }
    place.advance(1);
    let all = place.events_until(TOPIC, |all| count(all, v1::Jumped::NUMBER) == 1).await;
    let paused = of_type::<v1::Paused>(&all);
    assert_eq!((paused[0].actor.as_str(), paused[0].reason.as_str()), ("ops", "patch"));
    let resumed = of_type::<v1::Resumed>(&all);
    assert_eq!((resumed[0].epoch, resumed[0].game_us), (2, paused[0].game_us));
    let scaled = of_type::<v1::ScaleChanged>(&all);
    assert_eq!((scaled[0].old_numerator, scaled[0].new_numerator), (144, 60));
    assert!(scaled[0].curved && scaled[0].actor == "b");
    let jumped = of_type::<v1::Jumped>(&all);
    assert_eq!(jumped[0].to_game_us - jumped[0].from_game_us, 90 * 60_000_000);
    let clocks = of_type::<v1::ClockChanged>(&all);
    let last = clocks.iter().rfind(|clock| clock.epoch == 4).unwrap();
    assert_eq!((last.reason.as_str(), last.actor.as_str()), ("skip", "c"));
    assert_eq!(last.curve.as_ref().unwrap().slopes.len(), 4);
    instance.stop().await;
}
