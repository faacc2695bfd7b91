//! `worldbus up` whose machine's wall clock is wrong, for a while or for a whole run: nothing is
//! deleted, lost or invented, and `/readyz` reports what is wrong.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{
    Service, Shim, assert_whole, current, eventually, get, is, minutes, post, run, worldbus,
};

const DAY_S: i64 = 86_400;

fn start(shim: &Shim, dir: &Path) -> Service {
    let mut process = worldbus();
    process.args(["up", "--listen", "127.0.0.1:0", "--data-dir"]).arg(dir);
    Service::spawn(shim.apply(&mut process)).ready()
}

/// All events of a topic that the log holds.
fn events(service: &Service, topic: &str) -> Vec<Value> {
    let stats = get(&format!("{}/api/events/stats", service.url)).unwrap().json();
    let topics = stats["topics"].as_array().unwrap();
    let there = topics.iter().find(|status| status["topic"] == topic).unwrap();
    let count = there["events_total"].to_string();
    let select = ["--from", "start", "--topic", topic, "--count", &count];
    let tail = run(&[&["tail", "--format", "json", "--url", &service.url], &select[..]].concat());
    assert_eq!(tail.code, 0, "{tail:?}");
    tail.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ticks(events: &[Value]) -> Vec<i64> {
    events.iter().filter(|event| is(event, "time.updated")).map(minutes).collect()
}

fn assert_each_minute_once(ticks: &[i64]) {
    assert!(ticks.windows(2).all(|two| two[1] == two[0] + 1), "{ticks:?}");
}

fn total_minutes(service: &Service) -> i64 {
    current(&service.url)["total_minutes"].as_i64().unwrap()
}

fn wait_for_minute(service: &Service, minute: i64) {
    eventually("the game minute comes", || (total_minutes(service) >= minute).then_some(()));
}

#[test]
fn jump_of_eight_days_for_a_while_deletes_and_floods_nothing_and_is_reported_by_readyz() {
    let (shim, folder) = (Shim::new(), tempfile::tempdir().unwrap());
    let up = start(&shim, folder.path());
    wait_for_minute(&up, 10);
    shim.set_ahead_s(8 * DAY_S);
    let readyz = format!("{}/readyz", up.url);
    let reply =
        eventually("/readyz reports it", || get(&readyz).ok().filter(|reply| reply.status == 503));
    assert!(reply.text.contains("wall clock stepped ahead by 691"), "{reply:?}");
    wait_for_minute(&up, 20);
    shim.set_ahead_s(0);
    let up = up.ready();
    wait_for_minute(&up, 30);
    let published = ticks(&events(&up, "time"));
    assert_each_minute_once(&published);
    assert!(published[0] <= 1 && *published.last().unwrap() < 1_000, "{published:?}");
    assert_whole(&events(&up, "weather"));
    up.terminate();
}

#[test]
fn world_that_ran_a_day_ahead_goes_on_with_the_right_clock_and_takes_commands_at_once() {
    let (shim, folder) = (Shim::new(), tempfile::tempdir().unwrap());
    let up = start(&shim, folder.path());
    wait_for_minute(&up, 5);
    up.terminate();
    // A restart with a clock that is ahead is a downtime as any other: a day of it is made up for.
    shim.set_ahead_s(DAY_S);
    let up = start(&shim, folder.path());
    let ahead = total_minutes(&up);
    assert!(ahead > 100_000, "{ahead}");
    wait_for_minute(&up, ahead + 10);
    let skip = json!({"minutes": 5});
    assert_eq!(post(&format!("{}/api/time/skip", up.url), &skip).status, 200);
    let fog = json!({"region": "paris", "state": "fog", "duration_game_minutes": 100_000});
    assert_eq!(post(&format!("{}/api/weather/set", up.url), &fog).status, 200);
    wait_for_minute(&up, ahead + 20);
    let stood = total_minutes(&up);
    // Not in order: what was published and not noted must not be published twice.
    up.kill();

    shim.set_ahead_s(0);
    let up = start(&shim, folder.path());
    assert!(total_minutes(&up) >= stood, "the game time never steps back");
    wait_for_minute(&up, stood + 40);
    let weather = get(&format!("{}/api/weather/current?region=paris", up.url)).unwrap().json();
    assert!(weather.to_string().contains("fog"), "{weather}");
    let before = total_minutes(&up);
    let skipped = post(&format!("{}/api/time/skip", up.url), &json!({"hours": 10}));
    assert_eq!(skipped.status, 200, "{skipped:?}");
    assert!(total_minutes(&up) >= before + 600, "it takes effect at once");
    let set = json!({"region": "paris", "state": "storm"});
    assert_eq!(post(&format!("{}/api/weather/set", up.url), &set).status, 200);
    eventually("the storm is there", || {
        let weather = get(&format!("{}/api/weather/current?region=paris", up.url)).ok()?;
        weather.text.contains("storm").then_some(())
    });

    let ticks = eventually("a minute behind the skip is published", || {
        let ticks = ticks(&events(&up, "time"));
        (*ticks.last()? >= before + 600).then_some(ticks)
    });
    let distinct: std::collections::HashSet<_> = ticks.iter().collect();
    assert_eq!(distinct.len(), ticks.len(), "no minute is published twice");
    // After the downtime, until the second skip, but for the first.
    let from = ticks.iter().position(|minute| *minute >= ahead).unwrap();
    let gaps = ticks[from..].windows(2).filter(|two| two[1] != two[0] + 1).count();
    assert_eq!(gaps, 2, "{:?}", &ticks[from..]);
    assert_whole(&events(&up, "weather"));
    up.terminate();
}
