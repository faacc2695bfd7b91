//! Deliveries and stored batches as streams of messages: what is there already goes together,
//! up to a bound, so that a busy stream has few large messages and a quiet one no delay.

use crate::grpc::settlers::Stream as Left;
use crate::grpc::status;
use crate::limits::Place;
use futures_util::{FutureExt as _, Stream, stream};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use worldbus_bus::{Consumer, Delivered, Error, Reader, StoredBatch};
use worldbus_rpc::limits::{GATHER_BYTES, GATHER_COUNT_MAX};
use worldbus_rpc::v1;

/// Why the next thing does not come.
enum End {
    /// There is none, or we shut down.
    Orderly,
    Failed(Error),
}

/// The deliveries of a consumer, until its client leaves or we shut down.
pub(super) fn deliveries(
    consumer: Box<dyn Consumer>,
    left: Left,
    shutdown: CancellationToken,
    place: Place,
) -> impl Stream<Item = Result<v1::SubscribeResponse, Status>> {
    let state = Some((consumer, left, shutdown, place));
    stream::unfold(state, |state| async {
        let (mut consumer, left, shutdown, place) = state?;
        let first = tokio::select! {
            first = consumer.next() => first.map_err(End::Failed),
            () = left.leave.cancelled() => Err(End::Orderly),
            () = shutdown.cancelled() => Err(End::Orderly),
        };
        let first = match first {
            Ok(first) => first,
            Err(end) => {
                // What it has taken ahead can go to others at once.
                if let Err(error) = consumer.close().await {
                    tracing::debug!(%error, "consumer not closed");
                }
                return finish(end).map(|end| (Err(end), None));
            }
        };
        let (deliveries, failed) = gather(
            first,
            |delivered| delivered.batch.bytes().len(),
            || consumer.next().now_or_never().map(|next| next.map_err(End::Failed)),
        );
        count("subscribe", deliveries.iter().map(|one: &Delivered| one.batch.len()));
        let deliveries = deliveries.iter().map(Into::into).collect();
        // A failure comes again at the next call.
        drop(failed);
        let state = Some((consumer, left, shutdown, place));
        Some((Ok(v1::SubscribeResponse { deliveries }), state))
    })
}

/// The batches of a reader, to its end or until we shut down.
pub(super) fn stored(
    reader: Box<dyn Reader>,
    shutdown: CancellationToken,
    place: Place,
) -> impl Stream<Item = Result<v1::ReadResponse, Status>> {
    let state = Some((reader, None, shutdown, place));
    stream::unfold(state, |state| async {
        let (mut reader, ended, shutdown, place) = state?;
        let first = match ended {
            Some(end) => Err(end),
            None => tokio::select! {
                first = reader.next() => flat(first),
                () = shutdown.cancelled() => Err(End::Orderly),
            },
        };
        let first = match first {
            Ok(first) => first,
            Err(end) => return finish(end).map(|end| (Err(end), None)),
        };
        let (batches, ended) = gather(
            first,
            |stored| stored.batch.bytes().len(),
            || reader.next().now_or_never().map(flat),
        );
        count("read", batches.iter().map(|one: &StoredBatch| one.batch.len()));
        let batches = batches.iter().map(Into::into).collect();
        Some((Ok(v1::ReadResponse { batches }), Some((reader, ended, shutdown, place))))
    })
}

fn flat(next: Result<Option<StoredBatch>, Error>) -> Result<StoredBatch, End> {
    next.map_err(End::Failed)?.ok_or(End::Orderly)
}

fn finish(end: End) -> Option<Status> {
    match end {
        End::Orderly => None,
        End::Failed(error) => Some(status(error)),
    }
}

/// The first and what else is there now; why there is no more, if that is known.
fn gather<T>(
    first: T,
    bytes_of: impl Fn(&T) -> usize,
    mut next: impl FnMut() -> Option<Result<T, End>>,
) -> (Vec<T>, Option<End>) {
    let mut bytes = bytes_of(&first);
    let mut all = vec![first];
    while bytes < GATHER_BYTES && all.len() < GATHER_COUNT_MAX {
        match next() {
            Some(Ok(one)) => {
                bytes += bytes_of(&one);
                all.push(one);
            }
            Some(Err(end)) => return (all, Some(end)),
            None => break,
        }
    }
    (all, None)
}

fn count(kind: &'static str, events: impl Iterator<Item = usize>) {
    let events: usize = events.sum();
    metrics::counter!("worldbus_events_served_total", "kind" => kind).increment(events as u64);
}
