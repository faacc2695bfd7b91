//! Tests of what reaches a collector, and of what does not.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::body::Bytes;
use axum::routing::post;
use opentelemetry::trace::{Span as _, Tracer as _};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use tokio::net::TcpListener;

use super::*;
use crate::config::Sources;
use crate::testing;

struct Endpoint(SocketAddr);

impl Sources for Endpoint {
    fn variables(&self) -> Vec<(String, String)> {
        vec![("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), format!("http://{}", self.0))]
    }

    fn read(&self, _: &Path) -> io::Result<String> {
        Err(io::ErrorKind::NotFound.into())
    }
}

fn traces(collector: SocketAddr) -> Traces {
    Traces::start("npc-behavior", Settings::load(&Endpoint(collector)).unwrap().unwrap())
}

fn span(traces: &Traces, name: &str) {
    traces.provider.tracer(SCOPE).start(name.to_owned()).end();
}

#[tokio::test]
async fn what_is_queued_reaches_the_collector_before_the_end() {
    let bodies = Arc::<Mutex<Vec<Bytes>>>::default();
    let taken = Arc::clone(&bodies);
    let take = async move |body: Bytes| taken.lock().unwrap().push(body);
    let collector = testing::serve(axum::Router::new().route("/v1/traces", post(take))).await;
    let traces = traces(collector.address);
    for number in 0..700 {
        span(&traces, &format!("span {number}"));
    }
    traces.close(testing::DEADLINE).await;
    let mut names = Vec::new();
    for body in bodies.lock().unwrap().iter() {
        let request = ExportTraceServiceRequest::decode(&body[..]).unwrap();
        let resource = request.resource_spans[0].resource.as_ref().unwrap();
        let named = |pair: &opentelemetry_proto::tonic::common::v1::KeyValue| {
            pair.key == "service.name" && format!("{:?}", pair.value).contains("npc-behavior")
        };
        assert!(resource.attributes.iter().any(named), "{resource:?}");
        let spans = request.resource_spans.into_iter().flat_map(|of| of.scope_spans);
        names.extend(spans.flat_map(|scope| scope.spans).map(|span| span.name));
    }
    assert_eq!(names, (0..700).map(|number| format!("span {number}")).collect::<Vec<_>>());
}

/// A collector that takes the connection and never answers.
#[tokio::test(flavor = "multi_thread")]
async fn queue_is_bounded_and_who_traces_never_waits_for_the_collector() {
    crate::observe::metrics::install();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let traces = traces(silent.local_addr().unwrap());
    let begun = Instant::now();
    for _ in 0..20_000 {
        span(&traces, "span");
    }
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?} for spans that only had to be dropped");
    let page = crate::observe::metrics::render();
    let dropped = "worldbus_trace_spans_dropped_total{reason=\"queue\"} ";
    let dropped = page.lines().find_map(|line| line.strip_prefix(dropped)).unwrap();
    let dropped: usize = dropped.parse().unwrap();
    // Beyond the queue a request or two may have been taken out of it.
    let kept = export::QUEUE_SPAN_COUNT_MAX + 2 * export::REQUEST_SPAN_COUNT_MAX;
    assert!((20_000 - kept..20_000).contains(&dropped), "{dropped}");
    let begun = Instant::now();
    traces.close(Duration::from_millis(300)).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "closing is bounded");
}
