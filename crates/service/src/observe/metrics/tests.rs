//! What `/metrics` has is what Prometheus' own checker (`promtool check metrics`) accepts, and
//! every metric that the sources name is described.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ::metrics::{counter, gauge, histogram};

use super::help::{Kind, METRICS};
use super::*;
use crate::testing::DEADLINE;

/// Values that take 28 MB if nothing moves them into buckets.
const ROUNDS: u32 = 15;
const VALUES_A_ROUND: u32 = 100_000;
const MEMORY_BYTES_MAX: u64 = 16 << 20;

/// A family of metrics as the text format has it.
#[derive(Debug, Default)]
struct Family {
    help: String,
    kind: String,
    samples: Vec<String>,
}

fn families(page: &str) -> BTreeMap<String, Family> {
    let mut families = BTreeMap::<String, Family>::new();
    for line in page.lines().filter(|line| !line.is_empty()) {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|l| l.split_once(' ')) {
            let family = families.entry(name.to_owned()).or_default();
            assert!(family.help.is_empty(), "a second help: {line}");
            family.help = help.to_owned();
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            families.entry(name.to_owned()).or_default().kind = kind.to_owned();
        } else {
            let name = line.split(['{', ' ']).next().unwrap();
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            let base =
                base.filter(|base| families.get(*base).is_some_and(|f| f.kind == "histogram"));
            let family = families.get_mut(base.unwrap_or(name));
            family.unwrap_or_else(|| panic!("no type before {line}")).samples.push(line.to_owned());
        }
    }
    families
}

/// The rules of Prometheus' `promlint`, which its `promtool check metrics` applies.
fn problems(name: &str, family: &Family) -> Vec<String> {
    const FOREIGN: [&str; 17] = [
        "ms",
        "milliseconds",
        "us",
        "microseconds",
        "ns",
        "minutes",
        "min",
        "hours",
        "days",
        "sec",
        "kb",
        "kib",
        "kilobytes",
        "mb",
        "mib",
        "megabytes",
        "percent",
    ];
    let parts: Vec<&str> = name.split('_').collect();
    let is = |kind: &str| family.kind == kind;
    let mut problems = Vec::new();
    let mut complain = |wrong: bool, why: &str| {
        if wrong {
            problems.push(format!("{name}: {why}"));
        }
    };
    complain(family.help.is_empty(), "no help text");
    complain(family.samples.is_empty(), "no samples");
    complain(name.contains(':') || name.chars().any(char::is_uppercase), "not snake_case");
    complain(is("counter") != name.ends_with("_total"), "counters, and only they, end in _total");
    let suffixed = ["_bucket", "_count", "_sum"].iter().any(|end| name.ends_with(end));
    complain(suffixed, "a suffix that belongs to histograms");
    let kinds = ["counter", "gauge", "histogram", "summary", "metric"];
    complain(parts.iter().any(|part| kinds.contains(part)), "its kind is in its name");
    complain(parts.iter().any(|part| FOREIGN.contains(part)), "not a base unit");
    let unit = parts.iter().position(|part| ["seconds", "bytes"].contains(part));
    let last = parts.len() - 1 - usize::from(name.ends_with("_total"));
    complain(unit.is_some_and(|unit| unit != last), "its unit is not its suffix");
    let reserved = |sample: &String| !is("histogram") && sample.contains("le=\"");
    complain(family.samples.iter().any(reserved), "the label `le` belongs to histograms");
    problems
}

#[test]
fn metrics_follow_the_conventions_of_prometheus() {
    install();
    for &(kind, name, _) in METRICS {
        match kind {
            Kind::Counter => counter!(name).increment(1),
            Kind::Gauge => gauge!(name).set(1.0),
            Kind::Histogram => histogram!(name).record(1.0),
        }
    }
    let families = families(&render());
    let problems: Vec<_> =
        families.iter().flat_map(|(name, family)| problems(name, family)).collect();
    assert!(problems.is_empty(), "{problems:#?}");
    for &(kind, name, _) in METRICS {
        let kind = format!("{kind:?}").to_lowercase();
        assert_eq!(families.get(name).map(|f| f.kind.as_str()), Some(kind.as_str()), "{name}");
    }
    // In OpenMetrics a counter's family is its name without `_total`.
    let clash = families.keys().filter_map(|name| name.strip_suffix("_total"));
    let clash: Vec<_> = clash.filter(|name| families.contains_key(*name)).collect();
    assert!(clash.is_empty(), "counters and others of one name: {clash:?}");
}

#[test]
fn gauge_of_what_was_deleted_is_not_shown_until_it_is_set_again() {
    install();
    let set = |value: f64| gauge!("worldbus_topic_bytes", "topic" => "deleted").set(value);
    let shown = || render().lines().any(|line| line.contains("topic=\"deleted\""));
    for (value, is_shown) in [(7.0, true), (f64::NAN, false), (0.0, true)] {
        set(value);
        assert_eq!(shown(), is_shown, "{value}");
    }
}

#[test]
fn a_name_against_the_conventions_is_found() {
    let family = |kind: &str, help: &str| Family {
        help: help.to_owned(),
        kind: kind.to_owned(),
        samples: vec![String::new()],
    };
    let cases = [
        ("worldbus_events", "counter", "Events.", "_total"),
        ("worldbus_lag_ms", "gauge", "Lag.", "base unit"),
        ("worldbus_bytes_held", "gauge", "Bytes.", "suffix"),
        ("worldbus_lag_gauge", "gauge", "Lag.", "kind"),
        ("worldbus_events_count", "gauge", "Events.", "histograms"),
        ("worldbus_lag_seconds", "gauge", "", "help"),
    ];
    for (name, kind, help, why) in cases {
        let found = problems(name, &family(kind, help));
        assert!(found.len() == 1 && found[0].contains(why), "{name}: {found:?}");
    }
    assert!(problems("worldbus_batch_bytes", &family("histogram", "Bytes.")).is_empty());
}

#[test]
fn what_the_sources_count_is_described_and_nothing_else() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut named = BTreeSet::new();
    for one in std::fs::read_dir(crates).unwrap() {
        let sources = one.unwrap().path().join("src");
        rust_files(&sources).iter().for_each(|file| counted_in(file, &mut named));
    }
    let described: BTreeSet<String> =
        METRICS.iter().map(|(_, name, _)| (*name).to_owned()).collect();
    let missing: Vec<_> = named.difference(&described).collect();
    let unused: Vec<_> = described.difference(&named).collect();
    assert!(missing.is_empty() && unused.is_empty(), "no help: {missing:?}; unused: {unused:?}");
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| match path.is_dir() {
        true => rust_files(&path),
        false => vec![path],
    };
    let files = paths.flat_map(below);
    let is_source = |path: &PathBuf| {
        path.extension().is_some_and(|end| end == "rs") && !path.ends_with("metrics/tests.rs")
    };
    files.filter(is_source).collect()
}

/// Notes the names that stand in the macros that count. A name that is put together does not count.
fn counted_in(file: &Path, named: &mut BTreeSet<String>) {
    let text = std::fs::read_to_string(file).unwrap();
    for call in ["counter!(", "gauge!(", "histogram!("] {
        for (at, _) in text.match_indices(call) {
            if text[..at].ends_with("describe_") {
                continue;
            }
            let rest = text[at + call.len()..].trim_start();
            let name = rest.strip_prefix('"').and_then(|rest| rest.split('"').next());
            let name = name.unwrap_or_else(|| panic!("{}: a name of parts", file.display()));
            named.insert(name.to_owned());
        }
    }
}

#[test]
fn process_and_build_are_described() {
    install();
    let families = families(&render());
    let value = |name: &str| {
        let sample = families.get(name).unwrap_or_else(|| panic!("no {name}")).samples[0].clone();
        sample.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap()
    };
    assert!(value("process_resident_memory_bytes") > 1e6);
    assert!(value("process_virtual_memory_bytes") > value("process_resident_memory_bytes"));
    assert!(value("process_open_fds") >= 3.0);
    assert!(value("process_threads") >= 1.0);
    assert!(value("process_cpu_seconds_total") >= 0.0);
    assert!(value("process_start_time_seconds") > 1.7e9);
    let build = &families["worldbus_build_info"].samples[0];
    assert!(build.contains(concat!("version=\"", env!("CARGO_PKG_VERSION"), "\"")), "{build}");
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
}

#[tokio::test(start_paused = true)]
async fn histograms_stay_small_though_no_one_asks_for_metrics() {
    use crate::http::access::Access;
    use crate::run::part::Host;

    install();
    let access = Access::new("127.0.0.1:0".parse().unwrap(), None).unwrap();
    let listener = crate::http::server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let shutdown = CancellationToken::new();
    let host = tokio::spawn(Host::new("worldbus", access).run(listener, shutdown.clone()));
    let begun = resident_bytes();
    for _ in 0..ROUNDS {
        for value in 0..VALUES_A_ROUND {
            histogram!("worldbus_batch_bytes", "topic" => "upkeep").record(f64::from(value));
        }
        tokio::time::sleep(Duration::from_millis(2 * UPKEEP_MS)).await;
    }
    let grown = resident_bytes().saturating_sub(begun);
    assert!(grown < MEMORY_BYTES_MAX, "grown by {grown} bytes");
    shutdown.cancel();
    tokio::time::timeout(DEADLINE, host).await.expect("no end in time").unwrap().unwrap();
}

#[tokio::test]
async fn calls_of_grpc_are_counted_by_method_and_status() {
    use crate::http::access::Access;
    use crate::run::part::{Host, Part};
    use crate::testing::{http2, serve};
    use axum::body::Body;
    use axum::extract::Request;
    use axum::response::Response;
    use axum::routing::post;
    use http_body_util::{BodyExt as _, Full};

    // As tonic's services answer: a status in the trailers, or in the headers of a failed call.
    let answer = async |request: Request| {
        let response = Response::builder().header("content-type", "application/grpc");
        let status = http::HeaderMap::from_iter([("grpc-status".parse().unwrap(), 7.into())]);
        match request.uri().path() {
            "/test.v1.Echo/Streams" => {
                let trailers = async { Some(Ok(status)) };
                response.body(Body::new(Full::from("answer").with_trailers(trailers)))
            }
            "/test.v1.Echo/Fails" => response.header("grpc-status", 14).body(Body::empty()),
            _ => response.header("grpc-status", 12).body(Body::empty()),
        }
        .unwrap()
    };
    install();
    let access = Access::new("127.0.0.1:0".parse().unwrap(), None).unwrap();
    let router = axum::Router::new().route("/test.v1.Echo/{*rest}", post(answer));
    let host = Host::new("test", access).with(Part::new("test", router));
    let server = serve(host.assemble().0).await;
    for path in ["test.v1.Echo/Streams", "test.v1.Echo/Fails", "test.v1.Echo/Made", "made.Up/Made"]
    {
        let request = http::Request::post(format!("http://{}/{path}", server.address))
            .header("content-type", "application/grpc")
            .body(String::new());
        http2(server.address, request.unwrap()).await;
    }
    let page = render();
    for line in [
        concat!(
            r#"worldbus_grpc_requests_total{method="test.v1.Echo/Streams","#,
            r#"status="PERMISSION_DENIED"} 1"#
        ),
        r#"worldbus_grpc_requests_total{method="test.v1.Echo/Fails",status="UNAVAILABLE"} 1"#,
        r#"worldbus_grpc_requests_total{method="unknown",status="UNIMPLEMENTED"} 2"#,
        r#"worldbus_grpc_request_seconds_count{method="test.v1.Echo/Streams"} 1"#,
    ] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
    assert!(!page.contains("Made"), "{page}");
}
