//! Appending the batches of one call, in their order, each with its own result.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{join_all, maybe_done};
use futures_util::{Stream, poll, stream};
use tonic::{Status, Streaming};

use crate::grpc::{outward, status};
use crate::open::Open;
use worldbus_bus::{Appended, Error, Kind, Topic, trace};
use worldbus_events::Batch;
use worldbus_rpc::limits::GATHER_COUNT_MAX;
use worldbus_rpc::v1;

/// The answers to a stream of calls, one after the other, until it ends or we shut down.
pub(super) fn answers(
    open: Arc<Open>,
    requests: Streaming<v1::PublishStreamRequest>,
) -> impl Stream<Item = Result<v1::PublishStreamResponse, Status>> {
    stream::try_unfold((open, requests), |(open, mut requests)| async move {
        let request = tokio::select! {
            biased;
            request = requests.message() => request?,
            () = open.shutdown.cancelled() => None,
        };
        let Some(request) = request else { return Ok(None) };
        let results = publish(&open, request.entries).await.map_err(status)?;
        Ok(Some((v1::PublishStreamResponse { results }, (open, requests))))
    })
}

/// Appends batches; a result for each.
pub(super) async fn publish(
    open: &Open,
    entries: Vec<v1::PublishEntry>,
) -> Result<Vec<v1::PublishResult>, Error> {
    let count = entries.len();
    if count > GATHER_COUNT_MAX {
        let context = format!("{count} batches in a call are more than {GATHER_COUNT_MAX}");
        return Err(Error::refused(Kind::TooLarge, context));
    }
    let entries: Vec<_> = entries.into_iter().map(checked).collect();
    let appends = entries.iter().map(|entry| {
        Box::pin(maybe_done(async move {
            let (topic, batch) = entry.as_ref().map_err(Clone::clone)?;
            let spans = trace::appending(topic, batch);
            let appended = open.transport().publish(topic, batch.clone()).await;
            if let Err(error) = &appended {
                trace::failed(&spans, &format!("{:?}", error.kind()), error);
            }
            appended
        }))
    });
    let mut appends: Vec<_> = appends.collect();
    // The transport appends in the order of first polls.
    for append in &mut appends {
        let _ = poll!(append);
    }
    let results = join_all(appends.iter_mut().map(async |append| {
        append.as_mut().await;
        append.as_mut().take_output()
    }));
    let results: Vec<_> = results.await.into_iter().flatten().map(|r| r.map_err(outward)).collect();
    record(&entries, &results);
    Ok(results.iter().map(Into::into).collect())
}

fn checked(entry: v1::PublishEntry) -> Result<(Topic, Batch), Error> {
    // A batch that the log keeps must not keep the message that it came in.
    let batch = Bytes::copy_from_slice(&entry.batch);
    Ok((Topic::new(&entry.topic)?, worldbus_rpc::batch(batch)?))
}

fn record(entries: &[Result<(Topic, Batch), Error>], results: &[Result<Appended, Error>]) {
    for (entry, result) in entries.iter().zip(results) {
        match (entry, result) {
            (Ok((topic, batch)), Ok(_)) => {
                metrics::histogram!("worldbus_received_batch_events").record(batch.len() as f64);
                metrics::histogram!("worldbus_received_batch_bytes")
                    .record(batch.bytes().len() as f64);
                tracing::debug!(
                    %topic,
                    source = batch.source(),
                    events = batch.len(),
                    bytes = batch.bytes().len(),
                    "batch published"
                );
            }
            (_, Err(error)) => {
                metrics::counter!("worldbus_publish_failures_total").increment(1);
                tracing::debug!(%error, kind = ?error.kind(), "batch not published");
            }
            (Err(_), Ok(_)) => {}
        }
    }
}
