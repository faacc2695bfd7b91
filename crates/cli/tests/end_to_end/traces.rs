//! Traces that lead across processes, as a collector sees them; and collectors that see nothing.

use std::fs::File;
use std::net::TcpListener;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{
    Account, Collector, Service, Span, Town, current, eventually, get, post, post_with,
};

/// The client's own span, within which it sets the clock.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CLIENT: &str = "00f067aa0ba902b7";

/// Sends spans to a collector.
fn traced(command: &mut Command, endpoint: &str) {
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
}

/// Begins no trace of its own, and goes on with those of others.
fn traced_if_asked(command: &mut Command, endpoint: &str) {
    traced(command, endpoint);
    command.env("OTEL_TRACES_SAMPLER", "parentbased_always_off");
}

/// Another season: the weather of some region is another then.
fn season() -> Value {
    json!({ "month": 7, "day": 14, "hour": 15 })
}

fn parent<'a>(of: &Span, spans: &'a [Span]) -> Option<&'a Span> {
    spans.iter().find(|span| span.id == of.parent)
}

/// A span of a name in a service, and those that it follows from, up to the request: once all came.
fn lineage(spans: &[Span], service: &str, name: &str, generations: usize) -> Option<Vec<Span>> {
    let ends = spans.iter().filter(|span| span.service == service && span.name == name);
    let lines = ends.map(|end| {
        let line = std::iter::successors(Some(end), |span| parent(span, spans));
        line.cloned().collect::<Vec<_>>()
    });
    let mut whole = lines.filter(|line| {
        line.len() >= generations && line.last().is_some_and(|span| span.kind == "server")
    });
    whole.next()
}

#[test]
fn one_trace_leads_from_a_request_over_sns_and_sqs_to_the_weather_on_the_event_bus() {
    let account = Account::open("traced");
    assert_eq!(account.run(&["topology", "apply"]).code, 0);
    let collector = Collector::start();
    let log = account.folder.path().join("time-manager.log");
    let start = |service: &str| {
        let configure = |command: &mut Command| {
            traced_if_asked(command, &collector.endpoint);
            if service == "time-manager" {
                command.env("WORLDBUS_LOG_FORMAT", "json").stderr(File::create(&log).unwrap());
            }
        };
        account.start_with(service, configure).ready()
    };
    let (bus, time, weather) =
        (start("event-bus"), start("time-manager"), start("weather-manager"));
    let traceparent = format!("00-{TRACE}-{CLIENT}-01");
    let set = format!("{}/api/time/set", time.url);
    assert_eq!(post_with(&set, &[("traceparent", &traceparent)], &season()).status, 200);
    let line = collector.until("the weather's trace is whole", |spans| {
        lineage(spans, "event-bus", "process weather", 5)
    });
    for service in [weather, time, bus] {
        service.terminate();
    }

    let [at_bus, of_weather, at_weather, of_time, request] = &line[..] else {
        panic!("{line:#?}");
    };
    request.is(
        "time-manager",
        "server",
        &[
            ("http.request.method", "POST"),
            ("http.route", "/api/time/set"),
            ("http.response.status_code", "200"),
        ],
    );
    assert_eq!((request.name.as_str(), request.parent.as_str()), ("POST /api/time/set", CLIENT));
    let event = |span: &Span| span.attribute("messaging.message.id").to_owned();
    of_time.is(
        "time-manager",
        "producer",
        &[
            ("messaging.system", "aws_sns"),
            ("messaging.operation.type", "create"),
            ("messaging.destination.name", "time"),
        ],
    );
    at_weather.is(
        "weather-manager",
        "consumer",
        &[
            ("messaging.system", "aws_sqs"),
            ("messaging.operation.type", "process"),
            ("messaging.destination.name", "time"),
            ("messaging.destination.subscription.name", "weather-manager"),
            ("messaging.message.id", &event(of_time)),
        ],
    );
    of_weather.is(
        "weather-manager",
        "producer",
        &[
            ("messaging.system", "aws_sns"),
            ("messaging.operation.name", "create"),
            ("messaging.destination.name", "weather"),
        ],
    );
    at_bus.is(
        "event-bus",
        "consumer",
        &[
            ("messaging.system", "aws_sqs"),
            ("messaging.operation.name", "process"),
            ("messaging.destination.name", "weather"),
            ("messaging.destination.subscription.name", "event-bus"),
            ("messaging.message.id", &event(of_weather)),
        ],
    );

    let spans = collector.spans();
    // What was not to be traced was not: the minutes that passed meanwhile.
    assert!(spans.iter().all(|span| span.trace == TRACE), "{spans:#?}");
    let mut sends = spans.iter().filter(|span| span.name == "send weather");
    let send =
        sends.find(|send| send.parent == of_weather.id || send.links.contains(&of_weather.id));
    let send = send.unwrap_or_else(|| panic!("no send of {of_weather:?} in {spans:#?}"));
    send.is("weather-manager", "client", &[("messaging.operation.type", "send")]);
    let count: usize = send.attribute("messaging.batch.message_count").parse().unwrap();
    assert!(count > send.links.len(), "{send:?}");

    let lines = std::fs::read_to_string(&log).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let line = lines.into_iter().find(|line| line["message"] == "command taken").unwrap();
    assert_eq!((&line["trace_id"], &line["span_id"]), (&json!(TRACE), &json!(request.id)));
}

#[test]
fn request_begins_a_trace_that_leads_over_the_event_bus() {
    let collector = Collector::start();
    let town = Town::found_with(|command| traced(command, &collector.endpoint));
    let start = |service: &str| {
        town.start_with(service, |command| traced(command, &collector.endpoint)).ready()
    };
    let (time, weather) = (start("time-manager"), start("weather-manager"));
    assert_eq!(post(&format!("{}/api/time/set", time.url), &season()).status, 200);
    let line = collector.until("the weather's trace is whole", |spans| {
        lineage(spans, "event-bus", "append weather", 4)
    });
    let request = line.last().unwrap();
    request.is("time-manager", "server", &[("http.route", "/api/time/set")]);
    assert_eq!(request.parent, "", "{request:?}");
    assert!(line.iter().all(|span| span.trace == request.trace));
    line[0].is("event-bus", "server", &[("messaging.destination.name", "weather")]);
    line[1].is("weather-manager", "producer", &[("messaging.system", "worldbus")]);
    let spans = collector.spans();
    let appended = |span: &&Span| span.name == "append time" && span.trace == request.trace;
    assert!(spans.iter().any(|span| appended(&span)), "{spans:#?}");
    drop((time, weather));
}

/// Each service publishes what follows from the command within the trace of it.
#[test]
fn one_trace_leads_from_a_command_of_the_clock_to_the_chronicle() {
    let collector = Collector::start();
    let configure = |command: &mut Command| traced_if_asked(command, &collector.endpoint);
    let town = Town::found_with(configure);
    let names = ["time-manager", "weather-manager", "npc-behavior", "world-state", "storyteller"];
    let services = names.map(|service| town.start_with(service, configure).ready());
    let set = format!("{}/api/time/set", services[0].url);
    let traceparent = format!("00-{TRACE}-{CLIENT}-01");
    assert_eq!(post_with(&set, &[("traceparent", &traceparent)], &season()).status, 200);
    // Those that follow the clock may have read of it before their subscription handled it.
    for (service, topic, generations) in [
        ("weather-manager", "weather", 3),
        ("npc-behavior", "npc", 3),
        ("world-state", "world", 4),
        ("storyteller", "story", 4),
    ] {
        let name = format!("create {topic}");
        let line = collector.until(service, |spans| lineage(spans, service, &name, generations));
        line[0].is(service, "producer", &[("messaging.destination.name", topic)]);
        line.last().unwrap().is("time-manager", "server", &[("http.route", "/api/time/set")]);
    }
    let entry = collector
        .until("an entry on the event-bus", |spans| lineage(spans, "event-bus", "append story", 5));
    assert!(entry.iter().all(|span| span.trace == TRACE), "{entry:#?}");
    for service in services {
        service.terminate();
    }
}

#[test]
fn silent_collector_neither_slows_a_service_nor_keeps_it_from_ending() {
    // Connections are taken by the system, and nothing ever answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut command = crate::support::worldbus();
    let data = dir.path().to_str().unwrap();
    command.args(["up", "--listen", "127.0.0.1:0", "--data-dir", data]);
    traced(&mut command, &format!("http://{}", silent.local_addr().unwrap()));
    let up = Service::spawn(&mut command).ready();
    let minute = || current(&up.url)["total_minutes"].as_i64().unwrap();
    let before = minute();
    eventually("time goes on", || (minute() > before + 3).then_some(()));
    assert_eq!(post(&format!("{}/api/time/set", up.url), &season()).status, 200);
    up.terminate();
}

#[test]
fn dead_collector_costs_spans_that_are_counted() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut command = crate::support::worldbus();
    let data = dir.path().to_str().unwrap();
    command.args(["up", "--listen", "127.0.0.1:0", "--data-dir", data]);
    traced(&mut command, &format!("http://{gone}"));
    let up = Service::spawn(&mut command).ready();
    eventually("lost spans are counted", || {
        let metrics = get(&format!("{}/metrics", up.url)).ok()?.text;
        let counted = "worldbus_trace_spans_dropped_total{reason=\"export\"}";
        metrics.contains(counted).then_some(())
    });
    up.terminate();
}

#[test]
fn collector_that_needs_tls_is_refused_with_what_to_do() {
    let mut command = crate::support::worldbus();
    command.args(["up", "--listen", "127.0.0.1:0"]);
    traced(&mut command, "https://collector.example");
    let refused = crate::support::run_with_input(&mut command, b"");
    refused.refused(&["OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"]);
}
