//! The page, the knees, the plots and the points of figures that are made up, and whether the
//! points that are built in are those of the figures.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::curves_page::{knee_of_falling, knee_of_rising, plots};
use super::numbers::{median, number};
use super::options::Options;
use super::{FOLDER, page, points};

fn run(rate: f64, ms: f64) -> Value {
    let side = json!({ "events_per_s": rate, "p50_ms": ms, "p99_ms": 2.0 * ms, "p999_ms": 30.0 });
    json!({ "published": side, "handled": side, "deliveries_per_s": rate, "restart_ms": 90.0 })
}

fn figures() -> Value {
    let failed = json!({ "error": "row stream, Remote: it hangs" });
    let ours = [run(500_000.0, 1.0), failed, run(600_000.0, 1.1), run(550_000.0, 1.2)];
    let theirs = [run(50_000.0, 9.0), run(55_000.0, 10.0), run(60_000.0, 11.0)];
    let points = [(0.0, 5e5), (64.0, 5.1e5), (1024.0, 4.9e5)]
        .map(|(x, rate)| json!({ "x": x, "run": run(rate, 2.0) }));
    json!({
        "command": "cargo xtask bench",
        "machine": { "commit": "0123abcd", "processor": "a processor", "cores": 2 },
        "versions": { "worldbus": "worldbus 0.1.0", "packages": ["orjson==1"] },
        "seeds": "none",
        "before": { "busy": 0.01, "load": "0.1", "sync_p50_ms": 0.2, "sync_p99_ms": 1.0 },
        "after": { "busy": 0.01, "load": "0.9", "sync_p50_ms": 0.5, "sync_p99_ms": 1.0 },
        "rows": [{ "name": "stream", "contenders": [
            { "name": "remote", "runs": ours }, { "name": "redis always", "runs": theirs },
        ] }],
        "single": { "codec": [
            { "name": "codec: orjson, encode", "value": 1500.0, "unit": "ns", "target": "" },
        ] },
        "curves": [
            { "name": "log size", "series": [{ "name": "two processes", "points": points }] },
        ],
    })
}

#[test]
fn page_has_medians_spreads_ratios_and_what_is_not_equal() {
    let page = page::text(&figures());
    let row = |name: &str| page.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(row("| Worldbus, two processes").contains("| 550 K | 1.10 ms | 2.20 ms | 30 ms |"));
    let redis = row("| Redis Streams, appendfsync always");
    assert!(
        redis.contains("| 55 K |") && redis.ends_with("| 18 % | 10.0 times as many |"),
        "{redis}"
    );
    assert!(page.contains("- NATS JetStream, as it is installed: Answers first"));
    assert!(page.contains("| orjson, encode | 1500 ns |"));
    assert!(page.contains("\n- row stream, Remote: it hangs\n"));
    assert!(page.contains("The disk was not the same before and after"));
    assert!(page.contains("(evidence/performance/log-size.svg)"));
    assert!(page.contains("| 1024 | 490 K | 2.00 ms | 4.00 ms | 30 ms | 90 ms |"), "{page}");
}

#[test]
fn knee_is_where_a_rising_curve_bends_or_a_falling_one_has_lost_half() {
    let rising = [(1.0, 1e3), (10.0, 9e3), (100.0, 6e4), (1000.0, 9e4)];
    let text = knee_of_rising(&rising, "in flight");
    assert!(text.starts_with("Knee at 100 in flight: 1000 are 10.0 times as many"), "{text}");
    assert!(knee_of_rising(&rising[..3], "in flight").starts_with("No knee up to 100"));
    let falling = [(1.0, 5e5), (8.0, 4e5), (32.0, 1e5)];
    assert!(knee_of_falling(&falling, "topics").starts_with("Knee between 8 and 32 topics"));
    let text = knee_of_falling(&falling[..2], "topics");
    assert_eq!(text, "No knee up to 8 topics: 80 % of the best is left.");
    assert_eq!(knee_of_falling(&[], ""), "");
}

#[test]
fn plot_has_a_line_for_each_series_and_no_number_that_is_none() {
    let plots = plots(&figures());
    let (name, svg) = &plots[0];
    assert_eq!((plots.len(), name.as_str()), (1, "log-size.svg"));
    assert_eq!(svg.matches("<polyline").count(), 4, "{svg}");
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
}

#[test]
fn options_say_what_is_measured() {
    let options = Options::parse(&["--quick", "--only", "curve log", "--log-gib", "10"]).unwrap();
    assert!(options.wants("curve log size") && !options.wants("stream") && options.is_partial());
    assert_eq!((options.repeats, options.log_gib, options.noisy), (1, 10, false));
    assert!(!Options::parse(&[]).unwrap().is_partial());
    assert!(Options::parse(&["--quickly"]).is_err() && Options::parse(&["--only"]).is_err());
    assert!(Options::parse(&["--repeats", "0"]).is_err());
    let soak = Options::parse(&["--soak", "30", "--rate", "1e4"]).unwrap();
    assert_eq!((soak.soak, soak.rate), (Some(30.0), Some(1e4)));
    for wrong in [&["--soak", "0"][..], &["--soak"], &["--soak", "inf"], &["--rate", "1"]] {
        assert!(Options::parse(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn numbers_are_found_by_their_path() {
    assert_eq!(number(&run(7.0, 1.0), "handled.events_per_s"), Some(7.0));
    assert_eq!(number(&run(7.0, 1.0), "handled.nothing"), None);
    assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median([]), None);
}

/// A run of a load, as `worldbus bench` prints it.
fn run_of(load: &Value, rate: f64) -> Value {
    let mut run = run(rate, 1.25);
    let usual = json!({
        "window": 1000, "payload_bytes": null, "topics": 1, "subscribers": 1,
        "batch_events": null, "rate": null,
    });
    for of in [&usual, load] {
        for (key, value) in of.as_object().unwrap() {
            run[key] = value.clone();
        }
    }
    run
}

#[test]
fn points_are_a_median_for_each_load_of_ours_without_a_pace() {
    let usual = json!({});
    let point = |x: u64, run: Value| json!({ "x": x, "run": run });
    let topics = [
        point(1, run_of(&usual, 9e5)),
        point(10, run_of(&json!({ "topics": 10 }), 4e5)),
        json!({ "error": "curve topics 100: it hangs" }),
    ];
    let figures = json!({
        "command": "cargo xtask bench",
        "machine": { "commit": "0123abcd", "cores": 2 },
        "rows": [
            { "name": "stream", "contenders": [
                { "name": "remote", "runs": [
                    run_of(&usual, 7e5), run_of(&usual, 8e5), { "error": "it hangs" },
                ] },
                { "name": "redis always", "runs": [run_of(&usual, 1e5)] },
            ] },
            { "name": "batches", "contenders": [
                { "name": "embedded", "runs": [
                    run_of(&json!({ "window": 64, "batch_events": 1000 }), 5e7),
                ] },
            ] },
            { "name": "paced", "contenders": [
                { "name": "remote", "runs": [run_of(&json!({ "rate": 1000.0 }), 1e3)] },
            ] },
        ],
        "curves": [
            { "name": "topics", "series": [{ "name": "two processes", "points": topics }] },
            { "name": "log size", "series": [
                { "name": "two processes", "points": [point(64, run_of(&usual, 1.0))] },
            ] },
        ],
    });
    let document: Value = serde_json::from_str(&points::text(&figures)).unwrap();
    assert_eq!(document["source"]["commit"], "0123abcd");
    let usual = json!({
        "engine": "remote", "window": 1000, "payload_bytes": null, "topics": 1, "subscribers": 1,
        "batch_events": null, "events_per_s": 800_000, "p50_ms": 1.25, "p99_ms": 2.5,
    });
    let with = |changes: &[(&str, Value)]| {
        let mut point = usual.clone();
        changes.iter().for_each(|(key, value)| point[*key] = value.clone());
        point
    };
    let batches = with(&[
        ("engine", json!("embedded")),
        ("window", json!(64)),
        ("batch_events", json!(1000)),
        ("events_per_s", json!(50_000_000)),
    ]);
    let topics = with(&[("topics", json!(10)), ("events_per_s", json!(400_000))]);
    assert_eq!(document["points"], json!([batches, usual, topics]));
}

#[test]
fn built_in_points_are_those_of_the_figures_or_provisional() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let built_in = fs::read_to_string(root.join(points::FILE)).unwrap();
    match fs::read_to_string(root.join(FOLDER).join("figures.json")) {
        Ok(figures) => {
            let figures = serde_json::from_str(&figures).unwrap();
            assert!(built_in == points::text(&figures), "run `cargo xtask bench --render`");
        }
        Err(_) => assert!(built_in.contains("\"note\": \"provisional"), "{built_in}"),
    }
}
