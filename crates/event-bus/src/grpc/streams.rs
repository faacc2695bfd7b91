//! Deliveries and stored batches as streams of messages: what is there already goes together,
//! up to a bound, so that a busy stream has few large messages and a quiet one no delay.

use crate::grpc::status;
use crate::places::{Place, place_lost};
use futures_util::{FutureExt as _, Stream, stream};
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};
use worldbus_bus::{Consumer, Delivered, Error, Reader, StoredBatch};
use worldbus_rpc::limits::{GATHER_BYTES, GATHER_COUNT_MAX, READ_GATHER_BYTES};
use worldbus_rpc::v1;

/// Why the next thing does not come.
enum End {
    /// There is none, or we shut down.
    Orderly,
    Failed(Error),
}

/// What a client is sent of a subscription.
pub(super) struct Deliveries {
    pub(super) consumer: Box<dyn Consumer>,
    pub(super) requests: Streaming<v1::SubscribeRequest>,
    pub(super) shutdown: CancellationToken,
    pub(super) place: Place,
}

impl Deliveries {
    /// The messages: one for each time that the client asks, until it ends its side or we
    /// shut down.
    pub(super) fn into_stream(self) -> impl Stream<Item = Result<v1::SubscribeResponse, Status>> {
        stream::unfold(Some(self), |state| async {
            let mut this = state?;
            this.place.taken();
            let next = match this.next().await {
                Ok(deliveries) => this.give(deliveries).await,
                Err(end) => Err(end),
            };
            match next {
                Ok(deliveries) => {
                    count("subscribe", deliveries.iter().map(|one| one.batch.len()));
                    let deliveries = deliveries.iter().map(Into::into).collect();
                    Some((Ok(v1::SubscribeResponse { deliveries }), Some(this)))
                }
                Err(end) => {
                    this.close().await;
                    finish(end).map(|end| (Err(end), None))
                }
            }
        })
    }

    async fn next(&mut self) -> Result<Vec<Delivered>, End> {
        let shutdown = self.shutdown.clone();
        tokio::select! {
            asked = self.requests.message() => go_on(asked)?,
            () = shutdown.cancelled() => return Err(End::Orderly),
        }
        loop {
            let first = tokio::select! {
                first = self.consumer.next() => first.map_err(End::Failed)?,
                asked = self.requests.message() => {
                    go_on(asked)?;
                    continue;
                }
                () = shutdown.cancelled() => return Err(End::Orderly),
            };
            let next = || self.consumer.next().now_or_never().map(|n| n.map_err(End::Failed));
            // A failure comes again at the next call.
            return Ok(gather(first, GATHER_BYTES, |one| one.batch.bytes().len(), next).0);
        }
    }

    /// Accounts for what the client is given.
    async fn give(&mut self, deliveries: Vec<Delivered>) -> Result<Vec<Delivered>, End> {
        let bytes = deliveries.iter().map(|one| one.batch.bytes().len()).sum();
        if self.place.give(bytes).await { Ok(deliveries) } else { Err(End::Failed(place_lost())) }
    }

    /// What was taken ahead of the client can go to others at once.
    async fn close(self) {
        if let Err(error) = self.consumer.close().await {
            tracing::debug!(%error, "consumer not closed");
        }
        drop(self.place);
    }
}

/// Whether the client asks for more, or has ended its side or broken off.
fn go_on(asked: Result<Option<v1::SubscribeRequest>, Status>) -> Result<(), End> {
    match asked {
        Ok(Some(_)) => Ok(()),
        Ok(None) | Err(_) => Err(End::Orderly),
    }
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
        place.taken();
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
            READ_GATHER_BYTES,
            |stored| stored.batch.bytes().len(),
            || reader.next().now_or_never().map(flat),
        );
        let bytes = batches.iter().map(|one: &StoredBatch| one.batch.bytes().len()).sum();
        if !place.give(bytes).await {
            return Some((Err(status(place_lost())), None));
        }
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
    bytes_max: usize,
    bytes_of: impl Fn(&T) -> usize,
    mut next: impl FnMut() -> Option<Result<T, End>>,
) -> (Vec<T>, Option<End>) {
    let mut bytes = bytes_of(&first);
    let mut all = vec![first];
    while bytes < bytes_max && all.len() < GATHER_COUNT_MAX {
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
