//! In a world with a calendar of its own: what is scheduled by the names of its days comes at their
//! times, and its moons and holidays are published.

use std::iter::successors;

use serde_json::{Value, json};

use crate::kit::{TOPIC, isles, of_type, run, run_slowly};
use worldbus_events::{Event, v1};
use worldbus_testkit::{Instance, Place, Seen};
use worldbus_world::{DateTime, GameTime, World};

/// Wall time of a game hour, short: the log keeps what is not too old.
const HOUR_US: i64 = 250_000;

/// The isles on 0901-02-30 at 06:00, the Restday of their Sowing Eve.
async fn run_isles() -> (Place, Instance) {
    let place = Place::new().await.with_world(isles());
    let instance = run_slowly(&place).await;
    let fast = r#"{"real_seconds_per_game_hour":0.25}"#;
    assert_eq!(instance.post("/api/time/scale", fast).await.0, 200);
    place.advance(10);
    (place, instance)
}

async fn add(instance: &Instance, text: &str, entity: &str) -> Value {
    let body = json!({"schedule": text, "event_type": "weather.changed", "entity": entity});
    let (status, answer) = instance.post("/api/time/schedules", &body.to_string()).await;
    assert_eq!(status, 200, "{text}: {answer}");
    answer
}

/// Lets so many game hours pass; gives all that was published since the world began.
async fn pass(place: &Place, hours: i64) -> Vec<Seen> {
    let latest = |all: &[Seen]| of_type::<v1::HourChanged>(all).last().map(|hour| hour.game_us);
    let before = latest(&place.events_until(TOPIC, |all| latest(all).is_some()).await).unwrap();
    for hour in 0..hours {
        place.advance(HOUR_US);
        if hour % 24 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let until = before + (hours - 1) * GameTime::HOUR_US;
    place.events_until(TOPIC, |all| latest(all).is_some_and(|hour| hour >= until)).await
}

/// The dates at which what is scheduled about an entity was due.
fn dates(all: &[Seen], entity: &str) -> Vec<String> {
    let fired = of_type::<v1::ScheduleFired>(all).into_iter();
    let ours = fired.filter(|fired| fired.entity == entity);
    ours.map(|fired| date(GameTime(fired.game_us))).collect()
}

fn date(game: GameTime) -> String {
    isles().calendar().at(game).to_string()[..16].to_owned()
}

/// Who or what each event of a type is about.
fn entities<E: Event>(all: &[Seen]) -> Vec<&str> {
    let ours = all.iter().filter(|event| event.event_type == E::NUMBER);
    ours.map(|event| event.entity.as_deref().unwrap()).collect()
}

#[tokio::test]
async fn schedules_by_moon_and_weekday_come_at_their_times_in_a_calendar_of_its_own() {
    let (place, instance) = run_isles().await;
    let added = add(&instance, "dusk each market day", "market").await;
    assert_eq!(added["next_date_time"], "0901-03-03T18:00:00");
    add(&instance, "full moon", "tide").await;
    add(&instance, "new Orrin nightfall", "dark").await;
    let all = pass(&place, 16 * 24).await;
    assert_eq!(dates(&all, "market"), ["0901-03-03T18:00", "0901-03-09T18:00", "0901-03-15T18:00"]);
    // Selva is full from an eighth of its 30 days before the 16th on, at 03:00 of the 14th.
    assert_eq!(dates(&all, "tide"), ["0901-03-14T00:00"]);
    let calendar = isles().calendar();
    let turns = |moon: usize, phase: v1::MoonPhase| {
        let next = move |game: &GameTime| isles().calendar().next_moon_phase(moon, *game);
        let is = |game: &GameTime| {
            let (_, state) = calendar.moons(*game).nth(moon).unwrap();
            state.phase as i32 == phase as i32
        };
        let all = successors(next(&GameTime(0)), next);
        let all = all.take_while(|game| game.0 < 16 * GameTime::DAY_US).filter(is);
        all.map(|game| date(game)[..10].to_owned()).collect::<Vec<_>>()
    };
    let dark = turns(1, v1::MoonPhase::New);
    assert!(!dark.is_empty());
    let nightfall: Vec<_> = dark.iter().map(|day| format!("{day}T20:00")).collect();
    assert_eq!(dates(&all, "dark"), nightfall);
    let count = 4 + dark.len();
    let events = place.events_until(v1::WeatherChanged::TOPIC, |all| all.len() >= count).await;
    assert_eq!(events.len(), count);
    instance.stop().await;
}

#[tokio::test]
async fn schedule_by_a_holiday_comes_on_each_of_its_days_and_the_holiday_is_published() {
    let (place, instance) = run_isles().await;
    add(&instance, "Midsummer noon", "feast").await;
    add(&instance, "great-market", "fair").await;
    let set = r#"{"month":6,"day":14,"hour":22}"#;
    assert_eq!(instance.post("/api/time/set", set).await.0, 200);
    place.advance(10);
    place.events_until(TOPIC, |all| of_type::<v1::Jumped>(all).len() == 1).await;
    let all = pass(&place, 4 * 24).await;
    let noons = ["0901-06-15T12:00", "0901-06-16T12:00", "0901-06-17T12:00"];
    assert_eq!(dates(&all, "feast"), noons);
    assert_eq!(dates(&all, "fair"), [] as [String; 0]);
    let (started, ended) = (of_type::<v1::HolidayStarted>(&all), of_type::<v1::HolidayEnded>(&all));
    let day = |day| Some(v1::Date { year: 901, month: 6, day });
    let wanted = |date| (String::from("midsummer"), String::from("Midsummer"), date);
    let last = started.last().unwrap().clone();
    assert_eq!((last.holiday, last.name, last.date), wanted(day(15)));
    let last = ended.last().unwrap().clone();
    assert_eq!((last.holiday, last.name, last.date), wanted(day(18)));
    // The world begins on Sowing Eve, and the jump leads out of it.
    assert_eq!(entities::<v1::HolidayStarted>(&all), ["sowing-eve", "midsummer"]);
    assert_eq!(entities::<v1::HolidayEnded>(&all), ["sowing-eve", "midsummer"]);
    let days = of_type::<v1::DayChanged>(&all);
    let feast: Vec<_> = days.iter().filter(|day| day.holidays == ["midsummer"]).collect();
    assert_eq!(feast.len(), 3);
    instance.stop().await;
}

#[tokio::test]
async fn each_phase_of_each_moon_is_published_when_it_begins() {
    let (place, instance) = run_isles().await;
    let all = pass(&place, 32 * 24).await;
    let calendar = isles().calendar();
    let until = GameTime(31 * GameTime::DAY_US);
    let changes = of_type::<v1::MoonPhaseChanged>(&all);
    for (moon, name) in ["Selva", "Orrin"].into_iter().enumerate() {
        let next = |game: &GameTime| calendar.next_moon_phase(moon, *game);
        let turns = successors(Some(GameTime(0)), next).take_while(|game| *game < until);
        let wanted: Vec<_> = turns
            .map(|game| {
                let (_, state) = calendar.moons(game).nth(moon).unwrap();
                (game.0, state.phase as i32)
            })
            .collect();
        let ours = changes.iter().filter(|change| change.moon == name && change.game_us < until.0);
        let ours: Vec<_> = ours.map(|change| (change.game_us, change.new_phase)).collect();
        assert_eq!(ours, wanted, "{name}");
        assert!(entities::<v1::MoonPhaseChanged>(&all).contains(&name));
    }
    let full =
        changes.iter().find(|t| t.moon == "Selva" && t.new_phase == v1::MoonPhase::Full as i32);
    let full = GameTime(full.unwrap().game_us);
    let wanted = DateTime { year: 901, month: 3, day: 14, hour: 3, minute: 0, second: 0 };
    assert_eq!(calendar.at(full), wanted);
    instance.stop().await;
}

/// A world whose days have 20 hours.
fn short_days() -> World {
    // Its holidays are in the months of its own calendar.
    let file = include_str!("../../../../worlds/europe.toml");
    let file = file.split("# The days on which").next().unwrap();
    World::parse("short.toml", &format!("calendar = \"short-year\"\n{file}")).unwrap()
}

#[tokio::test]
async fn day_that_is_skipped_is_as_long_as_those_of_the_calendar() {
    let place = Place::new().await.with_world(short_days());
    let instance = run(&place, 0).await;
    assert_eq!(instance.post("/api/time/stop", "{}").await.0, 200);
    let minutes = async || {
        place.advance(10);
        let (_, now) = instance.get("/api/time/current").await;
        now["total_minutes"].as_i64().unwrap()
    };
    let begin = minutes().await;
    assert_eq!(instance.post("/api/time/skip", r#"{"days":1}"#).await.0, 200);
    assert_eq!(minutes().await - begin, 20 * 60);
    let more = r#"{"days":2,"hours":1,"minutes":30}"#;
    assert_eq!(instance.post("/api/time/skip", more).await.0, 200);
    assert_eq!(minutes().await - begin, 3 * 20 * 60 + 90);
    let (status, problem) = instance.post("/api/time/skip", r#"{"days":9000000}"#).await;
    assert_eq!((status.as_u16(), &problem["field"]), (422, &json!("days")), "{problem}");
    instance.stop().await;
}
