//! What is registered is kept and known to all instances; what is refused changes nothing.

use std::path::Path;

use tempfile::TempDir;

use super::*;
use worldbus_events::Change;

/// The descriptor set of a studio's file of this name and package.
fn set(name: &str, body: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (proto, out) = (folder.path().join(format!("{name}.proto")), folder.path());
    let head = "syntax = \"proto3\";\nimport \"worldbus/events/v1/catalogue.proto\";\n";
    std::fs::write(&proto, format!("{head}package {name}.v1;\n{body}")).unwrap();
    worldbus_events_build::Builder::new().out_dir(out).compile(&[&proto], &[out]).unwrap();
    std::fs::read(out.join("catalogue.binpb")).unwrap()
}

/// An event type with fields of its own.
fn event_type(message: &str, number: u32, name: &str, topic: &str, fields: &str) -> String {
    format!(
        "message {message} {{ option (worldbus.events.v1.event_type) = \
         {{ number: {number} name: {name:?} topic: {topic:?} summary: \"s\" }}; {fields} }}\n"
    )
}

fn quest() -> Vec<u8> {
    set("quest", &event_type("Done", 1000, "quest.done", "quests", "string quest_id = 1;"))
}

async fn open(dir: &Path, configured: Catalogue) -> Result<Registry, Error> {
    let state = state::open(&format!("sqlite:{}", dir.join("state.db").display())).await.unwrap();
    Registry::open(state, Arc::new(configured)).await
}

async fn registry() -> (TempDir, Registry) {
    let dir = tempfile::tempdir().unwrap();
    let registry = open(dir.path(), Catalogue::builtin()).await.unwrap();
    (dir, registry)
}

fn knows(registry: &Registry, name: &str) -> bool {
    registry.shared().current().by_name(name).is_ok()
}

fn changes(types: &[RegisteredType]) -> Vec<(u32, Change)> {
    types.iter().map(|one| (one.number, one.change)).collect()
}

#[tokio::test]
async fn what_is_registered_is_known_at_once_after_a_restart_and_to_other_instances() {
    let (dir, registry) = registry().await;
    let other = open(dir.path(), Catalogue::builtin()).await.unwrap();
    let shared = registry.shared().clone();
    let types = registry.register(&quest()).await.unwrap();
    assert_eq!(changes(&types), [(1000, Change::Added)]);
    assert_eq!((types[0].name.as_str(), types[0].topic.as_str()), ("quest.done", "quests"));
    assert_eq!(shared.current().by_number(1000).unwrap().name(), "quest.done");

    assert!(!knows(&other, "quest.done"));
    other.refresh().await.unwrap();
    assert!(knows(&other, "quest.done"));
    assert_eq!(other.studio_types().await.unwrap(), registry.studio_types().await.unwrap());
    let again = open(dir.path(), Catalogue::builtin()).await.unwrap();
    assert!(knows(&again, "quest.done"));
    assert_eq!(changes(&again.register(&quest()).await.unwrap()), [(1000, Change::Unchanged)]);
}

#[tokio::test]
async fn instances_that_register_at_once_lose_nothing_of_each_other() {
    let (dir, one) = registry().await;
    let two = open(dir.path(), Catalogue::builtin()).await.unwrap();
    let boss = set("boss", &event_type("Slain", 1001, "boss.slain", "bosses", ""));
    let quest = quest();
    let (first, second) = tokio::join!(one.register(&quest), two.register(&boss));
    assert!(first.is_ok() && second.is_ok());
    let again = open(dir.path(), Catalogue::builtin()).await.unwrap();
    assert!(knows(&again, "quest.done") && knows(&again, "boss.slain"));
}

#[tokio::test]
async fn set_that_is_refused_changes_nothing_and_is_reported_with_both_sides() {
    let (dir, registry) = registry().await;
    registry.register(&quest()).await.unwrap();
    let before = registry.studio_types().await.unwrap();
    let event = |number, name, topic| event_type("New", number, name, topic, "");
    let topics: String = (0..REGISTERED_TOPIC_COUNT_MAX as u32)
        .map(|n| event_type(&format!("M{n}"), 2000 + n, &format!("a.b{n}"), &format!("t{n}"), ""))
        .collect();
    let large: String = (0..8000).map(|n| format!("string a_long_name_of_{n} = {n};")).collect();
    let large = large.replacen("of_0 = 0", "of_0 = 9000", 1);
    let large = event_type("Large", 1002, "a.large", "quests", &large);
    // The first type of each could be taken; it is not.
    let fine = event_type("Fine", 1500, "a.fine", "quests", "");
    for (body, kind, parts) in [
        (event(1000, "a.b", "t"), Kind::Invalid, ["quest.done = 1000", "a.b = 1000"]),
        (event(1001, "quest.done", "t"), Kind::Invalid, ["done = 1000", "done = 1001"]),
        (event(1001, "a.b", "weather"), Kind::Invalid, ["a.b = 1001", "weather.changed"]),
        (topics, Kind::TooLarge, ["129 topics", "at most 128"]),
        (large, Kind::TooLarge, ["at most 262144", "--catalog"]),
    ] {
        let error = registry.register(&set("other", &(fine.clone() + &body))).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.fate(), Fate::Refused, "{error}");
        for part in parts {
            assert!(error.to_string().contains(part), "`{part}` is not in: {error}");
        }
    }
    for (bytes, part) in [
        (set("empty", "message Nothing {}"), "no event type"),
        (b"noise".to_vec(), "FileDescriptorSet"),
    ] {
        let error = registry.register(&bytes).await.unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
    assert_eq!(registry.studio_types().await.unwrap(), before);
    assert!(!knows(&registry, "a.fine"));
    let again = open(dir.path(), Catalogue::builtin()).await.unwrap();
    assert_eq!(again.studio_types().await.unwrap(), before);
}

#[tokio::test]
async fn newer_version_wins_whether_it_was_registered_or_configured() {
    let fields = "string quest_id = 1; uint32 gold = 2;";
    let newer = set("quest", &event_type("Done", 1000, "quest.done", "quests", fields));
    let with = |set: &[u8]| Catalogue::builtin().with_descriptor_set(set).unwrap();
    let reads = |registry: &Registry| {
        let json = r#"{"type":"quest.done","payload":{"gold":7}}"#;
        worldbus_events::json::read(json, &registry.shared().current()).is_ok()
    };
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path(), with(&quest())).await.unwrap();
    assert!(!reads(&first));
    assert_eq!(changes(&first.register(&newer).await.unwrap()), [(1000, Change::Added)]);
    assert!(reads(&first), "over the older one of --catalog");
    assert!(reads(&open(dir.path(), with(&quest())).await.unwrap()), "after a restart, too");

    let dir = tempfile::tempdir().unwrap();
    open(dir.path(), Catalogue::builtin()).await.unwrap().register(&quest()).await.unwrap();
    assert!(reads(&open(dir.path(), with(&newer)).await.unwrap()));
    let foreign = set("other", &event_type("New", 1000, "a.b", "t", ""));
    let error = open(dir.path(), with(&foreign)).await.unwrap_err().to_string();
    for part in ["--catalog", "quest.done = 1000", "a.b = 1000"] {
        assert!(error.contains(part), "`{part}` is not in: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn instances_follow_what_others_register() {
    let (dir, registry) = registry().await;
    let other = Arc::new(open(dir.path(), Catalogue::builtin()).await.unwrap());
    let (shutdown, following) = (CancellationToken::new(), Arc::clone(&other));
    let stop = shutdown.clone();
    let task = tokio::spawn(async move { following.follow(stop).await });
    registry.register(&quest()).await.unwrap();
    tokio::time::timeout(2 * LOOK_EVERY, async {
        while !knows(&other, "quest.done") {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await
    .unwrap();
    shutdown.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn more_than_a_client_is_given_is_not_handed_out() {
    let dir = tempfile::tempdir().unwrap();
    let comment = format!("// {}\n", "x".repeat(CATALOGUE_BYTES_MAX));
    let event = event_type("Done", 1000, "quest.done", "quests", "");
    let large = Catalogue::builtin().with_descriptor_set(&set("quest", &(comment + &event)));
    let registry = open(dir.path(), large.unwrap()).await.unwrap();
    let error = registry.studio_types().await.unwrap_err();
    assert_eq!(error.kind(), Kind::TooLarge);
    assert!(error.to_string().contains("--catalog FILE"), "{error}");
    assert!(knows(&registry, "quest.done"));
}
