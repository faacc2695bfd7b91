//! Requests to `worldbus up`, scheduled and by hand: each is carried out once by the service that
//! it is meant for, over kills; and the command lines of the page about them.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Finished, Service, current, eventually, get, is, minutes, post, run};

fn start(dir: &Path) -> Service {
    Service::start("up", &["--data-dir", dir.to_str().unwrap()]).ready()
}

fn command(up: &Service, name: &str, body: &Value) {
    let answer = post(&format!("{}/api/time/{name}", up.url), body);
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn schedule(up: &Service, text: &str, event_type: &str, payload: &Value) -> Finished {
    let (payload, url) = (payload.to_string(), up.url.as_str());
    let words = ["schedule", "add", text, event_type, &payload, "--actor", "anna"];
    let added = run(&[&words[..], &["--time-url", url]].concat());
    assert_eq!(added.code, 0, "{added:?}");
    added
}

/// All events that the log holds.
fn events(up: &Service) -> Vec<Value> {
    let stats = get(&format!("{}/api/events/stats", up.url)).unwrap().json();
    let topics = stats["topics"].as_array().unwrap().iter();
    let count: u64 = topics.map(|topic| topic["events_total"].as_u64().unwrap()).sum();
    let (url, count) = (up.url.as_str(), count.to_string());
    let tail = ["tail", "--format", "json", "--from", "start", "--count", &count, "--url", url];
    let tail = run(&tail);
    assert_eq!(tail.code, 0, "{tail:?}");
    tail.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| is(event, name)).collect()
}

fn is_running(up: &Service) -> bool {
    current(&up.url)["running"].as_bool().unwrap()
}

#[test]
fn scheduled_requests_are_carried_out_once_by_both_services_over_kills() {
    let folder = tempfile::tempdir().unwrap();
    let up = start(folder.path());
    // A game minute takes 50 ms.
    command(&up, "scale", &json!({ "real_seconds_per_game_hour": 3 }));
    let storm = json!({"region_ids": ["paris"], "state": "WEATHER_STATE_STORM"});
    schedule(&up, "in 40 minutes", "weather.override_requested", &storm);
    let slower = json!({"scale": {"real_seconds_per_game_hour": 6}, "reason": "the feast"});
    schedule(&up, "in 80 minutes", "time.clock_requested", &slower);
    schedule(&up, "in 120 minutes", "time.clock_requested", &json!({"stop": {}}));
    let weather = |up: &Service| get(&format!("{}/api/weather/current?region=paris", up.url));
    eventually("the storm is there", || {
        let now = weather(&up).ok()?.json();
        (now["state"] == "storm" && now["forced"] == true).then_some(())
    });
    up.kill();

    let up = start(folder.path());
    eventually("the clock is slower", || {
        (current(&up.url)["real_seconds_per_game_hour"] == 6.0).then_some(())
    });
    up.kill();

    let up = start(folder.path());
    eventually("the clock stands", || (!is_running(&up)).then_some(()));
    let stood = current(&up.url)["total_minutes"].as_i64().unwrap();
    up.kill();

    // What was carried out is not carried out again.
    let up = start(folder.path());
    assert_eq!((is_running(&up), current(&up.url)["total_minutes"].as_i64()), (false, Some(stood)));
    assert_eq!(weather(&up).unwrap().json()["state"], "storm");
    command(&up, "start", &json!({}));
    let all = eventually("game minutes behind the stop are published", || {
        let all = events(&up);
        let last = of(&all, "time.updated").last().map(|tick| minutes(tick))?;
        (last >= stood + 20).then_some(all)
    });
    assert_eq!(current(&up.url)["real_seconds_per_game_hour"], 6.0);
    for (name, count) in [
        ("weather.override_requested", 1),
        ("weather.override_set", 1),
        ("time.clock_requested", 2),
        // The first is that of the test.
        ("time.scale_changed", 2),
        ("time.paused", 1),
        ("time.schedule_fired", 3),
    ] {
        assert_eq!(of(&all, name).len(), count, "{name}: {:#?}", of(&all, name));
    }
    let scaled = &of(&all, "time.scale_changed")[1]["payload"];
    assert_eq!((&scaled["actor"], &scaled["reason"]), (&json!("anna"), &json!("the feast")));
    let letters = run(&["dead-letters", "list", "--url", &up.url]);
    assert!(!letters.lines().iter().any(|line| line.contains("requested")), "{letters:?}");
    up.terminate();
}

#[test]
fn request_by_hand_commands_the_clock_once_over_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let up = start(folder.path());
    let request = r#"{"skip":{"days":1},"reason":"the feast"}"#;
    let before = current(&up.url)["total_minutes"].as_i64().unwrap();
    let published =
        run(&["publish", "time.clock_requested", request, "--source", "npc", "--url", &up.url]);
    assert_eq!((published.code, published.stderr.as_str()), (0, ""), "a request is no fact");
    eventually("the day is skipped", || {
        (current(&up.url)["total_minutes"].as_i64()? >= before + 1440).then_some(())
    });
    up.kill();
    let up = start(folder.path());
    let noon = json!({"type": "time.clock_requested", "payload": {"set": {"hour": 12}}});
    assert_eq!(post(&format!("{}/api/events/publish", up.url), &noon).status, 200);
    let history = eventually("the clock is set", || {
        let history = get(&format!("{}/api/time/history", up.url)).ok()?.json();
        (history["commands"].as_array()?.len() >= 2).then_some(history)
    });
    let commands = history["commands"].as_array().unwrap().iter();
    let commands: Vec<_> = commands.map(|c| (&c["command"], &c["actor"], &c["reason"])).collect();
    let (set, skip) = (json!("set"), json!("skip"));
    let (bus, npc, feast, none) = (json!("event-bus"), json!("npc"), json!("the feast"), json!(""));
    assert_eq!(commands, [(&set, &bus, &none), (&skip, &npc, &feast)]);
    up.terminate();
}

/// The lines of the page that schedule or publish, as the words of a command line.
fn examples() -> Vec<Vec<&'static str>> {
    let page = include_str!("../../../../docs/explanation/time.md");
    let is_example = |line: &&str| {
        ["worldbus time schedule add ", "worldbus publish "].iter().any(|it| line.starts_with(it))
    };
    // Words stand between quotes, or between spaces outside of them.
    let words = |line: &'static str| {
        let parts = line.split('\'').enumerate();
        parts.flat_map(|(at, part)| match at % 2 {
            0 => part.split_whitespace().collect(),
            _ => vec![part],
        })
    };
    page.lines().filter(is_example).map(|line| words(line).skip(1).collect()).collect()
}

#[test]
fn command_lines_of_the_page_about_time_do_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let up = start(folder.path());
    let examples = examples();
    assert!(examples.len() >= 4, "{examples:?}");
    for words in &examples {
        let done = run(&[&words[..], &["--url", &up.url]].concat());
        assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{words:?}: {done:?}");
    }
    let listed = run(&["schedule", "list", "--time-url", &up.url]);
    let scheduled = examples.iter().filter(|words| words[0] == "time").count();
    assert_eq!(listed.lines().len(), scheduled, "{listed:?}");
    eventually("the clock is as on the page", || {
        let now = get(&format!("{}/api/time/history", up.url)).ok()?.json();
        let scale = |c: &Value| c["command"] == "scale" && c["actor"] == "worldbus-cli";
        now["commands"].as_array()?.iter().any(scale).then_some(())
    });
    up.terminate();
}
