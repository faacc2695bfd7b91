//! `worldbus dead-letters` at an event-bus: what a program could not handle is seen, given back to
//! it once it is mended, or thrown away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::formats::documents;
use crate::inventory::gauges;
use crate::support::{Finished, Town, eventually, run};
use worldbus_bus::{CancellationToken, HandlerError, Message, RetryPolicy, Router};
use worldbus_events::v1::TimeUpdated;

/// A program of a user's with a subscription `studio`, which cannot handle even minutes until it is
/// mended.
struct Studio {
    handled: Arc<std::sync::Mutex<Vec<i64>>>,
    mended: Arc<AtomicBool>,
    shutdown: CancellationToken,
    runtime: Runtime,
}

impl Studio {
    fn open(url: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let shutdown = CancellationToken::new();
        let (handled, mended) = (Arc::default(), Arc::<AtomicBool>::default());
        let studio = Self { handled, mended, shutdown, runtime };
        let bus = studio.runtime.block_on(worldbus::connect(url, None)).unwrap();
        let (handled, mended) = (Arc::clone(&studio.handled), Arc::clone(&studio.mended));
        let handler = move |event: TimeUpdated, _: Message| {
            let minute = event.total_minutes;
            let fails = minute % 2 == 0 && !mended.load(Ordering::Relaxed);
            if !fails {
                handled.lock().unwrap().push(minute);
            }
            async move {
                if fails { Err(HandlerError::permanent("even\u{1b}[2J minutes")) } else { Ok(()) }
            }
        };
        let router = Router::new(&bus, "studio").unwrap().retry(RetryPolicy::default());
        let router = router.on(handler).unwrap();
        let open = studio.runtime.block_on(router.open()).unwrap();
        studio.runtime.spawn(open.run(studio.shutdown.clone()));
        studio
    }

    fn handled(&self) -> Vec<i64> {
        let mut handled = self.handled.lock().unwrap().clone();
        handled.sort_unstable();
        handled
    }
}

impl Drop for Studio {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// `worldbus dead-letters …` at a bus.
fn dead_letters(url: &str, arguments: &[&str]) -> Finished {
    run(&[&["dead-letters"], arguments, &["--url", url]].concat())
}

fn listed(url: &str) -> Vec<Value> {
    let list = dead_letters(url, &["list", "--subscription", "studio", "--format", "json"]);
    assert_eq!(list.code, 0, "{list:?}");
    list.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn dead_letters_are_seen_given_back_and_thrown_away() {
    let mut town = Town::found();
    let url = town.bus.url.clone();
    let studio = Studio::open(&url);
    for minute in 1..=6 {
        let payload = format!("{{\"total_minutes\":\"{minute}\"}}");
        assert_eq!(run(&["publish", "time.updated", &payload, "--url", &url]).code, 0);
    }
    eventually("even minutes are set aside", || (listed(&url).len() == 3).then_some(()));
    assert_eq!(studio.handled(), [1, 3, 5]);

    let table = dead_letters(&url, &["list"]);
    assert_eq!((table.code, table.lines().len()), (0, 4), "{table:?}");
    let text = table.lines().join("\n");
    assert!(text.contains("studio") && text.contains("time.updated"), "{text}");
    assert!(!text.contains('\u{1b}'), "a reason steers no terminal: {text}");

    let letters = listed(&url);
    let minutes = letters.iter().map(|letter| letter["event"]["payload"]["total_minutes"].as_str());
    assert_eq!(minutes.collect::<Vec<_>>(), [Some("6"), Some("4"), Some("2")], "newest first");
    let ids: Vec<&str> = letters.iter().map(|letter| letter["id"].as_str().unwrap()).collect();
    let of_studio = |action, id| [action, id, "--subscription", "studio"];
    let shown = dead_letters(&url, &of_studio("show", ids[0]));
    let page = shown.lines().join("\n");
    for part in ["time", "attempts", "1", "minutes", "total_minutes"] {
        assert!(page.contains(part), "`{part}` is not in: {page}");
    }

    // Not mended: it comes back. Mended: it is handled, whatever happens to the bus meanwhile.
    assert_eq!(dead_letters(&url, &of_studio("replay", ids[2])).code, 0);
    let again = eventually("it failed again", || {
        let again = listed(&url).into_iter().find(|letter| !ids.contains(&id_of(letter)));
        again.map(|letter| id_of(&letter).to_owned())
    });
    studio.mended.store(true, Ordering::Relaxed);
    let replay = dead_letters(&url, &of_studio("replay", &again));
    assert_eq!(replay.lines(), ["1 dead letter replayed to studio"], "{replay:?}");
    town.without_bus(|| ());
    eventually("it is handled", || (studio.handled() == [1, 2, 3, 5]).then_some(()));

    let gone = dead_letters(&url, &of_studio("replay", &again));
    gone.refused(&["not there", &again]);
    let of_json = [&of_studio("replay", &again)[..], &["--format", "json"]].concat();
    let gone = dead_letters(&url, &of_json);
    assert_eq!((gone.code, &documents(&gone)[0]["missing"]), (1, &json!([again])), "{gone:?}");
    let unasked = dead_letters(&url, &of_studio("discard", ids[1]));
    unasked.refused(&["--yes"]);
    let one = dead_letters(&url, &["discard", ids[1], "--subscription", "studio", "--yes"]);
    assert_eq!(one.lines(), ["1 dead letter discarded of studio"], "{one:?}");
    let all = ["replay", "--all", "--subscription", "studio", "--format", "json"];
    let rest = documents(&dead_letters(&url, &all));
    assert_eq!(rest, [json!({ "subscription": "studio", "replayed": 1, "missing": [] })]);
    eventually("the rest is handled", || (studio.handled() == [1, 2, 3, 5, 6]).then_some(()));
    assert!(listed(&url).is_empty());
    // The topic of what is replayed is older than that of the weather, and is not shown.
    assert_eq!(run(&["publish", "weather.changed", "{}", "--url", &url]).code, 0);
    let unread = "worldbus_unread_retention_used_ratio";
    let of_unread = |line: &String| line.starts_with(unread);
    eventually("the log's gauges are set", || {
        gauges(&url, "weather\"").iter().any(of_unread).then_some(())
    });
    assert_eq!(gauges(&url, "_"), Vec::<String>::new());

    let unknown = dead_letters(&url, &["replay", "1", "--subscription", "unknown"]);
    unknown.refused(&["unknown", "does not exist"]);
}

fn id_of(letter: &Value) -> &str {
    letter["id"].as_str().unwrap()
}
