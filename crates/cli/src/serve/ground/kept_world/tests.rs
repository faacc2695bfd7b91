//! Claims about a changed world file upon a state that is there.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use super::*;
use worldbus_service::state;

fn world(from: &str, to: &str) -> World {
    let text = include_str!("../../../../../../worlds/europe.toml");
    assert!(text.contains(from));
    World::parse("europe.toml", &text.replacen(from, to, 1)).unwrap()
}

#[tokio::test]
async fn changed_seed_is_refused_until_it_is_accepted_and_then_is_the_worlds() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("state.db").display());
    let store = state::open(&url).await.unwrap();
    let (first, other) = (world("seed = ", "seed = "), world("seed = ", "seed = 7"));
    check(&*store, &first, false).await.unwrap();
    check(&*store, &first, false).await.unwrap();
    let error = check(&*store, &other, false).await.unwrap_err().to_string();
    assert!(error.contains("seed: was ") && error.contains("--accept-world-changes"), "{error}");
    check(&*store, &first, false).await.unwrap();
    check(&*store, &other, true).await.unwrap();
    check(&*store, &other, false).await.unwrap();
    assert!(check(&*store, &first, false).await.is_err());
    // What changes no identity goes on.
    let scale = "real_seconds_per_game_hour = ";
    check(&*store, &world("seed = ", "seed = 7"), false).await.unwrap();
    let text =
        include_str!("../../../../../../worlds/europe.toml").replacen("seed = ", "seed = 7", 1);
    let faster = text.replacen(scale, &format!("{scale}1"), 1);
    check(&*store, &World::parse("europe.toml", &faster).unwrap(), false).await.unwrap();
}

#[tokio::test]
async fn speed_that_is_ignored_is_not_remembered_as_if_it_were_in_force() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("state.db").display());
    let store = state::open(&url).await.unwrap();
    let kept = async || -> Facts {
        let entry = store.get("world/europe").await.unwrap().unwrap();
        serde_json::from_slice(&entry.value).unwrap()
    };
    let scale = "real_seconds_per_game_hour = ";
    check(&*store, &world(scale, scale), false).await.unwrap();
    let begun = kept().await;
    check(&*store, &world(scale, &format!("{scale}1")), false).await.unwrap();
    assert_eq!(kept().await, begun);
    let renamed = format!("[clocks.arena]\n{scale}5\n[[regions]]");
    check(&*store, &world("[[regions]]", &renamed), false).await.unwrap();
    let with_clock = kept().await;
    assert_eq!(with_clock.len(), begun.len() + 1);
    let faster = renamed.replace('5', "6");
    check(&*store, &world("[[regions]]", &faster), false).await.unwrap();
    assert_eq!(kept().await, with_clock);
    check(&*store, &world(scale, scale), false).await.unwrap();
    assert_eq!(kept().await, begun, "a clock that is gone is forgotten");
}

#[tokio::test]
async fn people_who_would_have_the_ids_of_others_are_refused_and_other_lives_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("state.db").display());
    let store = state::open(&url).await.unwrap();
    let same = world("seed = ", "seed = ");
    check(&*store, &same, false).await.unwrap();
    for (from, to, fact) in [
        ("per_region = 100", "per_region = 101", "people: was 1201 ("),
        ("id = \"mayor-of-brussels\"", "id = \"the-mayor\"", "people: was 1201 ("),
        ("id = \"house\"", "id = \"hut\"", "places of people: was "),
    ] {
        let error = check(&*store, &world(from, to), false).await.unwrap_err().to_string();
        assert!(error.contains(fact) && error.contains("--accept-world-changes"), "{error}");
    }
    // What they do is another from now on, and their events have ids of their own.
    check(&*store, &world("share = 16", "share = 15"), false).await.unwrap();
    check(&*store, &world("per_region = 100", "per_region = 101"), true).await.unwrap();
    assert!(check(&*store, &same, false).await.is_err());
}

#[tokio::test]
async fn directory_of_a_release_without_people_takes_those_of_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("state.db").display());
    let store = state::open(&url).await.unwrap();
    let same = world("seed = ", "seed = ");
    let earlier = serde_json::to_vec(&same.facts()).unwrap();
    store.compare_and_set("world/europe", None, earlier).await.unwrap().unwrap();
    check(&*store, &same, false).await.unwrap();
    let more = world("per_region = 100", "per_region = 101");
    assert!(check(&*store, &more, false).await.is_err());
}
