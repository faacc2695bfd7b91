//! `worldbus catalog add`: a studio's event types, registered once while everything runs, known at
//! once and after a kill, by whoever connects.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::formats::documents;
use crate::inventory;
use crate::support::{
    Account, Finished, Service, Tail, Town, empty_log, eventually, get, is, post, run,
};
use crate::support::{run_with_input, worldbus};
use worldbus_bus::Topic;

/// The descriptor set of a studio's file of this name, with this body.
fn compile(folder: &Path, name: &str, body: &str) -> PathBuf {
    let out = folder.join(name);
    std::fs::create_dir_all(&out).unwrap();
    let proto = out.join(format!("{name}.proto"));
    let head = "syntax = \"proto3\";\nimport \"worldbus/events/v1/catalogue.proto\";\n";
    std::fs::write(&proto, format!("{head}package {name}.v1;\n{body}")).unwrap();
    worldbus_events_build::Builder::new().out_dir(&out).compile(&[&proto], &[&out]).unwrap();
    out.join("catalogue.binpb")
}

/// A message that is an event type, with these fields.
fn message(message: &str, number: u32, name: &str, topic: &str, fields: &str) -> String {
    format!(
        "message {message} {{ option (worldbus.events.v1.event_type) = \
         {{ number: {number} name: {name:?} topic: {topic:?} summary: \"s\" }}; {fields} }}\n"
    )
}

/// The set of a studio whose quests have these fields.
fn quests(folder: &Path, fields: &str) -> PathBuf {
    compile(folder, "studio", &message("Done", 1000, "quest.done", "quests", fields))
}

fn add(url: &str, set: &Path) -> Finished {
    run(&["catalog", "add", set.to_str().unwrap(), "--url", url])
}

/// What a command that must succeed prints.
fn printed(finished: &Finished) -> Vec<String> {
    assert_eq!(finished.code, 0, "{finished:?}");
    finished.lines()
}

fn publish(url: &str, payload: &str) -> Finished {
    run(&["publish", "quest.done", payload, "--url", url])
}

/// The catalogue of a bus as JSON.
fn listed(url: &str) -> Value {
    let list = run(&["catalog", "list", "--format", "json", "--url", url]);
    assert_eq!(list.code, 0, "{list:?}");
    serde_json::from_slice(&list.stdout).unwrap()
}

fn quest_is_known(url: &str, payload: &Value) {
    let body = json!({ "type": "quest.done", "payload": payload });
    let posted = post(&format!("{url}/api/events/publish"), &body);
    assert_eq!((posted.status, &posted.json()["topic"]), (200, &json!("quests")), "{posted:?}");
    assert_eq!(printed(&publish(url, &payload.to_string())).len(), 1);
    let lines = format!("{body}\n");
    let mut stdin = worldbus();
    let stdin = run_with_input(stdin.args(["publish", "--stdin", "--url", url]), lines.as_bytes());
    assert_eq!(printed(&stdin).len(), 1);
    let history = get(&format!("{url}/api/events/history/quest.done")).unwrap().json();
    assert_eq!(&history["events"].as_array().unwrap().last().unwrap()["payload"], payload);
    let typed = get(&format!("{url}/api/events/stats")).unwrap().text;
    assert!(typed.contains("\"quest.done\""), "{typed}");
}

/// A topic is not deleted, not even by force, for a subscription that is bound to it.
fn delete_is_refused(url: &str, name: &str, subscription: &str) {
    let deleted = Runtime::new().unwrap().block_on(async {
        let bus = worldbus::connect(url, None).await.unwrap();
        bus.transport().delete_topic(&Topic::new(name).unwrap(), true).await
    });
    let text = deleted.unwrap_err().to_string();
    assert!(text.contains("of the catalogue") && text.contains(subscription), "{text}");
}

/// A schedule at a time-manager comes with its payload.
fn quest_is_scheduled(time: &str, bus: &str, payload: &Value) {
    let (schedule, payload_text) = ("in 1 minutes", payload.to_string());
    let added =
        run(&["schedule", "add", schedule, "quest.done", &payload_text, "--time-url", time]);
    assert!(printed(&added)[0].contains("quest.done"), "{added:?}");
    let scale = json!({ "real_seconds_per_game_hour": 3 });
    assert_eq!(post(&format!("{time}/api/time/scale"), &scale).status, 200);
    let tail = Tail::start(bus, &["--type", "quest.done"]);
    tail.until(|event| event["source"] == "time-manager" && &event["payload"] == payload);
}

#[test]
fn studio_types_are_registered_once_while_all_runs_and_outlive_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let start = || Service::start("up", &["--data-dir", data.to_str().unwrap()]).ready();
    let world = start();
    let payload = json!({ "quest_id": "the-lost-umbrella" });
    publish(&world.url, &payload.to_string()).refused(&["unknown event type", "quest.done"]);
    let unknown = format!("{}/api/events/stream?topic=quests", world.url);
    get(&unknown).unwrap().problem(400, &["unknown topic"]);

    let set = quests(folder.path(), "string quest_id = 1;");
    let added = printed(&add(&world.url, &set));
    assert_eq!(added, ["1000 quest.done on topic quests: added"]);
    quest_is_known(&world.url, &payload);
    quest_is_scheduled(&world.url, &world.url, &payload);
    // A topic of the catalogue is not deleted while it is consumed.
    inventory::subscribe(&world.url, "npc-brain", "quests");
    delete_is_refused(&world.url, "quests", "npc-brain");
    let again = printed(&add(&world.url, &set));
    assert_eq!(again, ["1000 quest.done on topic quests: known already"]);
    let file = set.to_str().unwrap();
    let again = run(&["catalog", "add", file, "--url", &world.url, "--format", "json"]);
    let (name, topic) = ("quest.done", "quests");
    let known = json!({ "number": 1000, "name": name, "topic": topic, "change": "unchanged" });
    assert_eq!(documents(&again), [json!({ "event_types": [known] })]);
    world.kill();

    let world = start();
    quest_is_known(&world.url, &payload);
    let shown =
        run(&["tail", "--url", &world.url, "--from", "start", "--topic", "quests", "--count", "1"]);
    let shown = printed(&shown).join("\n");
    assert!(shown.contains("quest.done") && shown.contains("quest_id=the-lost"), "{shown}");
    let newer = quests(folder.path(), "string quest_id = 1; uint32 gold = 2;");
    let updated = printed(&add(&world.url, &newer));
    assert_eq!(updated, ["1000 quest.done on topic quests: updated"]);
    let richer = json!({ "quest_id": "the-lost-umbrella", "gold": 7 });
    quest_is_known(&world.url, &richer);
    quest_is_scheduled(&world.url, &world.url, &richer);
    let table = printed(&run(&["catalog", "list", "--url", &world.url]));
    let row = table.iter().find(|row| row.contains("quest.done")).unwrap();
    assert!(row.contains("registered"), "{row}");
    world.terminate();
}

#[test]
fn set_that_conflicts_is_refused_naming_both_sides_and_changes_nothing() {
    let town = Town::found();
    let (url, folder) = (&town.bus.url, tempfile::tempdir().unwrap());
    let fields = "string quest_id = 1; uint32 gold = 2;";
    printed(&add(url, &quests(folder.path(), fields)));
    let before = listed(url);
    let fine = message("Fine", 1500, "a.fine", "quests", "");
    let event = |number, name, topic| ("other", message("New", number, name, topic, ""));
    let fewer = message("Done", 1000, "quest.done", "quests", "string quest_id = 1;");
    for ((file, body), parts) in [
        (event(1000, "a.b", "t"), ["quest.done = 1000", "a.b = 1000"]),
        (event(1001, "quest.done", "t"), ["quest.done = 1000", "quest.done = 1001"]),
        (event(1001, "a.b", "weather"), ["a.b = 1001", "weather.changed"]),
        (("studio", fewer), ["quest.done = 1000", "Done.gold = 2"]),
    ] {
        let set = compile(folder.path(), file, &(fine.clone() + &body));
        let refused = add(url, &set);
        assert_eq!(refused.code, 2, "{refused:?}");
        refused.refused(&parts);
        refused.refused(&[set.to_str().unwrap()]);
        assert_eq!(listed(url), before);
    }
    let missing = run(&["catalog", "add", "/no/such/file", "--url", url]);
    assert_eq!(missing.code, 2, "{missing:?}");
    missing.refused(&["/no/such/file"]);
    let noise = folder.path().join("noise");
    std::fs::write(&noise, b"noise").unwrap();
    add(url, &noise).refused(&["FileDescriptorSet"]);
    let quest = before["event_types"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&quest["from"], &quest["file"]), (&json!("registered"), &json!("studio.proto")));
}

#[test]
fn only_an_event_bus_keeps_a_catalogue_and_others_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let set = quests(folder.path(), "string quest_id = 1;");
    for url in
        [empty_log(&folder.path().join("log")), "sns-sqs://us-east-1?prefix=studio".to_owned()]
    {
        add(&url, &set).refused(&["keeps no catalogue", "--catalog FILE", "event-bus"]);
    }
}

#[test]
fn catalogue_is_registered_with_the_key_only() {
    let folder = tempfile::tempdir().unwrap();
    let set = quests(folder.path(), "string quest_id = 1;");
    let mut guarded = worldbus();
    let dir = folder.path().join("data");
    guarded.args(["event-bus", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&dir);
    let bus = Service::spawn(guarded.env("WORLDBUS_API_KEY", "swordfish")).ready();
    let command = |key: Option<&str>, arguments: &[&str]| {
        let mut command = worldbus();
        command.args(["catalog"]).args(arguments).args(["--url", &bus.url]);
        key.map(|key| command.env("WORLDBUS_API_KEY", key));
        run_with_input(&mut command, b"")
    };
    let add = ["add", set.to_str().unwrap()];
    command(None, &add).refused(&["WORLDBUS_API_KEY"]);
    command(Some("sword"), &["list"]).refused(&["WORLDBUS_API_KEY"]);
    assert_eq!(printed(&command(Some("swordfish"), &add)).len(), 1);
}

#[test]
fn time_manager_of_its_own_learns_what_is_registered_and_local_files_still_count() {
    let mut town = Town::found();
    let time = town.start("time-manager").ready();
    let folder = tempfile::tempdir().unwrap();
    printed(&add(&town.bus.url, &quests(folder.path(), "string quest_id = 1;")));
    let payload = json!({ "quest_id": "the-lost-umbrella" });
    quest_is_scheduled(&time.url, &town.bus.url, &payload);
    let unknown = ["schedule", "add", "in 1 minutes", "quest.dome", "--time-url", &time.url];
    run(&unknown).refused(&["did you mean quest.done"]);
    town.without_bus(|| ());
    quest_is_known(&town.bus.url, &payload);

    let boss = message("Slain", 1001, "boss.slain", "bosses", "uint32 level = 1;");
    let boss = compile(folder.path(), "boss", &boss);
    let (url, boss) = (town.bus.url.as_str(), boss.to_str().unwrap());
    let more = ["--url", url, "--catalog", boss];
    let published = run(&[&["publish", "boss.slain", "{\"level\":3}"], &more[..]].concat());
    assert_eq!(printed(&published).len(), 1);
    let tail = Tail::start(url, &["--catalog", boss]);
    let (mut quest, mut slain) = (false, false);
    tail.until(|event| {
        quest |= event["payload"] == payload;
        slain |= event["payload"] == json!({ "level": 3 });
        quest && slain
    });
}

#[test]
fn over_sns_and_sqs_the_state_store_of_all_keeps_what_is_registered() {
    let mut account = Account::open("kept");
    account.url.push_str("&create=true");
    let bus = account.event_bus("first", &[]).ready();
    let time = account.start("time-manager").ready();
    let folder = tempfile::tempdir().unwrap();
    let set = quests(folder.path(), "string quest_id = 1;");
    assert_eq!(printed(&add(&bus.url, &set)), ["1000 quest.done on topic quests: added"]);
    let schedule = ["schedule", "add", "in 900 minutes", "quest.done", "--time-url", &time.url];
    assert!(printed(&run(&schedule))[0].contains("quest.done"));
    bus.kill();
    // Another task, with a disk of its own.
    let bus = account.event_bus("second", &[]).ready();
    assert!(listed(&bus.url).to_string().contains("quest.done"));
    let payload = json!({ "quest_id": "the-lost-umbrella" });
    let body = json!({ "type": "quest.done", "payload": payload });
    let posted = post(&format!("{}/api/events/publish", bus.url), &body);
    assert_eq!(posted.status, 200, "{posted:?}");
    let tail = Tail::start(&bus.url, &["--type", "quest.done"]);
    let events = tail.until(|event| is(event, "quest.done"));
    assert_eq!(events[0]["payload"], payload);
    eventually("it is in the statistics", || {
        let stats = get(&format!("{}/api/events/stats", bus.url)).unwrap().text;
        stats.contains("quest.done").then_some(())
    });
}
