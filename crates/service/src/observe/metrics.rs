//! Metrics as Prometheus text. Code anywhere counts through the `metrics` facade; this module is
//! the one place that knows who collects. What there is, with its help, is in `metrics/help.rs`.
//!
//! A gauge of what was deleted is set to NaN, and is not rendered until it is set again: the
//! exporter forgets gauges by their age alone, which those of things that seldom change reach, too.

mod help;
mod process;
mod requests;

use std::convert::Infallible;
use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

pub(crate) use requests::count_request;

/// Bounds of histograms in seconds: from a local call to the longest wait a client accepts.
const SECONDS_BUCKETS: &[f64] =
    &[0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Bounds of histograms that count events or bytes: powers of four up to the largest batch.
const SIZE_BUCKETS: &[f64] =
    &[1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16_384.0, 65_536.0, 262_144.0, 1_048_576.0];

/// How often histograms move what they gathered into their buckets. Each value takes some 20 bytes
/// until then: at 100,000 values a second, 2 MB.
const UPKEEP_MS: u64 = 1000;

static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Installs the recorder of this process. Once is enough and more do no harm; what is counted
/// before the first is lost. If the process has another recorder already, that one keeps.
pub fn install() {
    HANDLE.get_or_init(|| {
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS_BUCKETS)
            .and_then(|builder| builder.set_buckets(SIZE_BUCKETS))
            .and_then(PrometheusBuilder::install_recorder);
        match handle {
            Ok(handle) => {
                help::describe();
                Some(handle)
            }
            Err(error) => {
                tracing::warn!(%error, "metrics are collected elsewhere; /metrics is empty");
                None
            }
        }
    });
}

/// All metrics in the Prometheus text format; empty before [`install`].
pub fn render() -> String {
    match HANDLE.get() {
        Some(Some(handle)) => without_deleted(&handle.render()) + &process::render(),
        _ => String::new(),
    }
}

fn without_deleted(page: &str) -> String {
    page.split_inclusive('\n').filter(|line| !line.trim_end().ends_with(" NaN")).collect()
}

/// Bounds the memory of histograms until `shutdown`, whether or not `/metrics` is read.
pub(crate) async fn upkeep(shutdown: CancellationToken) -> Result<(), Infallible> {
    let mut due = interval(Duration::from_millis(UPKEEP_MS));
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shutdown.run_until_cancelled(due.tick()).await.is_some() {
        if let Some(Some(handle)) = HANDLE.get() {
            handle.run_upkeep();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
