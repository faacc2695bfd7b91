//! From the end of a span to the collector: a bounded queue, and a task that empties it.

use std::time::Duration;

use metrics::counter;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use prost::Message as _;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::client::{Client, Failure};
use super::settings::Settings;
use worldbus_bus::Backoff;

/// Spans that wait to be exported. Beyond them they are dropped.
pub(super) const QUEUE_SPAN_COUNT_MAX: usize = 2_048;
/// Spans of one request.
pub(super) const REQUEST_SPAN_COUNT_MAX: usize = 512;
/// How long a span waits for others to share its request.
const LINGER: Duration = Duration::from_secs(1);
/// How often a request is tried, and the pauses between. Meanwhile the queue fills.
const ATTEMPTS_MAX: u32 = 4;
const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// The end of the queue at which spans come in.
#[derive(Debug)]
pub(super) struct Queue(Sender<SpanData>);

impl Queue {
    /// The queue, and the task behind it.
    pub(super) fn start(resource: &Resource, settings: &Settings) -> (Self, Exporting) {
        let (sender, spans) = mpsc::channel(QUEUE_SPAN_COUNT_MAX);
        let closing = CancellationToken::new();
        let task = Task {
            spans,
            resource: resource.into(),
            client: Client::new(settings),
            closing: closing.clone(),
            answers: true,
        };
        (Self(sender), Exporting { closing, task: tokio::spawn(task.run()) })
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &opentelemetry::Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && self.0.try_send(span).is_err() {
            dropped("queue", 1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// The task that exports.
#[derive(Debug)]
pub(super) struct Exporting {
    closing: CancellationToken,
    task: JoinHandle<()>,
}

impl Exporting {
    /// Exports what is queued, within a limit.
    pub(super) async fn close(mut self, limit: Duration) {
        self.closing.cancel();
        if timeout(limit, &mut self.task).await.is_err() {
            tracing::warn!("the collector did not take the last spans in time");
            self.task.abort();
        }
    }
}

struct Task {
    spans: Receiver<SpanData>,
    resource: ResourceAttributesWithSchema,
    client: Client,
    closing: CancellationToken,
    /// Whether the last request was taken: logged once, not at each.
    answers: bool,
}

impl Task {
    async fn run(mut self) {
        loop {
            let mut batch = Vec::new();
            tokio::select! {
                biased;
                count = self.spans.recv_many(&mut batch, REQUEST_SPAN_COUNT_MAX) => {
                    if count == 0 {
                        return;
                    }
                }
                () = self.closing.cancelled() => return,
            }
            self.closing.run_until_cancelled(sleep(LINGER)).await;
            while batch.len() < REQUEST_SPAN_COUNT_MAX
                && let Ok(span) = self.spans.try_recv()
            {
                batch.push(span);
            }
            self.export(batch).await;
        }
    }

    async fn export(&mut self, spans: Vec<SpanData>) {
        let count = spans.len() as u64;
        let resource_spans = group_spans_by_resource_and_scope(spans, &self.resource);
        let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec().into();
        match self.send(body).await {
            Ok(()) => {
                counter!("worldbus_trace_spans_exported_total").increment(count);
                if !std::mem::replace(&mut self.answers, true) {
                    tracing::info!("the collector takes spans again");
                }
            }
            Err(failure) => {
                dropped("export", count);
                if std::mem::replace(&mut self.answers, false) {
                    let endpoint = self.client.endpoint();
                    tracing::warn!(%endpoint, %failure, "spans are dropped; the service goes on");
                }
            }
        }
    }

    /// Tries while that can help, but not beyond a shutdown.
    async fn send(&self, body: bytes::Bytes) -> Result<(), Failure> {
        let mut pauses = Backoff::new(PAUSE_MIN, PAUSE_MAX);
        for _ in 1..ATTEMPTS_MAX {
            match self.client.post(body.clone()).await {
                Err(failure) if failure.may_pass() && !self.closing.is_cancelled() => {
                    self.closing.run_until_cancelled(sleep(pauses.next())).await;
                }
                result => return result,
            }
        }
        self.client.post(body).await
    }
}

fn dropped(reason: &'static str, count: u64) {
    counter!("worldbus_trace_spans_dropped_total", "reason" => reason).increment(count);
}
