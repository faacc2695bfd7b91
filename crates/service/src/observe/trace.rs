//! Traces: the spans of this process given their identity, sampled and exported to a collector by
//! OTLP, as the standard variables `OTEL_*` say. Without an endpoint nothing is traced.
//!
//! The only module that knows OpenTelemetry. Which spans there are is the business of the bus
//! ([`worldbus_bus::trace`]) and of the module `request`; exporting never makes a service wait:
//! what the queue cannot take is dropped and counted.
//!
//! Not `opentelemetry-otlp`: it brings all signals, and hides why a collector does not answer.

mod client;
mod export;
mod format;
mod request;
mod settings;
mod tracer;

use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

use export::{Exporting, Queue};

pub(crate) use format::WithTraceIds;
pub(crate) use request::trace_request;
pub use settings::{BadSetting, Settings};

/// The instrumentation scope of our spans.
const SCOPE: &str = "worldbus";

/// The tracing of a process.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
    exporting: Exporting,
}

impl Traces {
    /// Starts the task that exports; to be called within a tokio runtime. `service` names the
    /// process, unless `OTEL_SERVICE_NAME` does.
    pub fn start(service: &str, settings: Settings) -> Self {
        let name = settings.service_name.clone().unwrap_or_else(|| service.to_owned());
        let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_attribute(version).with_service_name(name).build();
        let (queue, exporting) = Queue::start(&resource, &settings);
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_sampler(settings.sampler)
            .with_span_processor(queue)
            .build();
        Self { provider, exporting }
    }

    /// What receives spans. Installed with a subscriber, [`Traces::install`] makes them ours.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    {
        let tracer: SdkTracer = self.provider.tracer(SCOPE);
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(
                Targets::new().with_target(worldbus_bus::trace::TARGET, LevelFilter::DEBUG),
            )
    }

    /// Makes the bus trace.
    pub(crate) fn install(&self) {
        worldbus_bus::trace::install(Box::new(tracer::Layered));
    }

    /// Exports what is in the queue, for as long as `limit`; what is left then is lost.
    pub async fn close(self, limit: Duration) {
        self.exporting.close(limit).await;
    }
}

#[cfg(test)]
mod tests;
