//! Deliveries and stored batches as streams of messages: what is there already goes together,
//! up to a bound, so that a busy stream has few large messages and a quiet one no delay.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesOrdered;
use futures_util::{FutureExt as _, Stream, StreamExt as _, stream};
use tonic::{Status, Streaming};
use v1::subscribe_request::Request;

use crate::grpc::settlers::Settlers;
use crate::grpc::status;
use crate::open::Open;
use crate::places::{Place, Turn, place_lost};
use worldbus_bus::{Consumer, Delivered, Error, Kind, LogId, Reader, StoredBatch};
use worldbus_rpc::limits::{
    GATHER_BYTES, GATHER_COUNT_MAX, READ_GATHER_BYTES, SETTLE_COUNT_MAX, SETTLING_COUNT_MAX,
};
use worldbus_rpc::v1;

/// What a message takes in memory until its client has taken it, over the bytes of its batches: the
/// buffer that it is encoded into grows by doubling.
const MEMORY_FACTOR: usize = 2;

/// Why the next thing does not come.
enum End {
    /// It does not exist, or we shut down.
    Orderly,
    Failed(Error),
}

/// What a client is sent of a subscription.
pub(super) struct Deliveries {
    consumer: Box<dyn Consumer>,
    requests: Streaming<v1::SubscribeRequest>,
    /// Whether the client asks for deliveries, and whether it has ended its side.
    asked: bool,
    ended: bool,
    settlers: Arc<Settlers>,
    /// What the client settles, until it is answered.
    settling: FuturesOrdered<BoxFuture<'static, Result<v1::SettleResponse, Error>>>,
    open: Arc<Open>,
    place: Place,
    /// When the last batch came onto the log, in milliseconds.
    appended_ms: i64,
}

impl Deliveries {
    pub(super) fn new(
        consumer: Box<dyn Consumer>,
        requests: Streaming<v1::SubscribeRequest>,
        settlers: Arc<Settlers>,
        open: Arc<Open>,
        place: Place,
    ) -> Self {
        let (asked, ended, settling) = (false, false, FuturesOrdered::new());
        let appended_ms = i64::MIN;
        Self { consumer, requests, asked, ended, settlers, settling, open, place, appended_ms }
    }

    /// The messages: deliveries for each time that the client asks, and an answer for each time
    /// that it settles, until it ends its side or we shut down.
    pub(super) fn into_stream(self) -> impl Stream<Item = Result<v1::SubscribeResponse, Status>> {
        stream::unfold(Some(self), |state| async {
            let mut this = state?;
            this.place.taken(0);
            match this.next().await {
                Ok(response) => Some((Ok(response), Some(this))),
                Err(end) => {
                    this.close().await;
                    finish(end).map(|end| (Err(end), None))
                }
            }
        })
    }

    async fn next(&mut self) -> Result<v1::SubscribeResponse, End> {
        let open = Arc::clone(&self.open);
        loop {
            let behind = open.is_behind(self.appended_ms);
            tokio::select! {
                // What was settled makes room for what is asked for behind it.
                biased;
                Some(settled) = self.settling.next() => {
                    let settled = Some(settled.map_err(End::Failed)?);
                    return Ok(v1::SubscribeResponse { settled, deliveries: Vec::new() });
                }
                request = self.requests.message(), if self.reads_on() => self.take(request)?,
                () = open.shutdown.cancelled(), if !self.ended => return Err(End::Orderly),
                (first, turn) = self.place.read(behind, self.consumer.next()),
                    if self.asked && !self.ended =>
                {
                    return self.give(first.map_err(End::Failed)?, turn).await;
                }
                else => return Err(End::Orderly),
            }
        }
    }

    fn reads_on(&self) -> bool {
        !self.ended && self.settling.len() < SETTLING_COUNT_MAX
    }

    /// Takes a request, or the end of the client's side.
    fn take(&mut self, request: Result<Option<v1::SubscribeRequest>, Status>) -> Result<(), End> {
        // Broken off is the same as ended, but that no one reads an answer.
        let Some(request) = request.map_err(|_| End::Orderly)? else {
            self.ended = true;
            return Ok(());
        };
        match request.request {
            Some(Request::More(_)) => self.asked = true,
            Some(Request::Settle(v1::SettleRequest { settlements })) => {
                let settlers = Arc::clone(&self.settlers);
                let settle = async move { settlers.settle(settlements, SETTLE_COUNT_MAX).await };
                self.settling.push_back(settle.boxed());
            }
            Some(Request::Open(_)) | None => {
                let context = "a request behind the first asks for more, or settles";
                return Err(End::Failed(Error::refused(Kind::Invalid, context)));
            }
        }
        Ok(())
    }

    /// What there is now with the first, accounted for.
    async fn give(
        &mut self,
        first: Delivered,
        turn: Option<Turn>,
    ) -> Result<v1::SubscribeResponse, End> {
        let next = || self.consumer.next().now_or_never().map(|n| n.map_err(End::Failed));
        // A failure comes again at the next call.
        let deliveries = gather(first, GATHER_BYTES, |one| one.batch.bytes().len(), next).0;
        let bytes: usize = deliveries.iter().map(|one| one.batch.bytes().len()).sum();
        if !self.place.give(bytes * MEMORY_FACTOR).await {
            return Err(End::Failed(place_lost()));
        }
        drop(turn);
        self.asked = false;
        self.appended_ms = deliveries.last().map_or(self.appended_ms, |last| last.appended_ms);
        count("subscribe", deliveries.iter().map(|one| one.batch.len()));
        let deliveries = deliveries.iter().map(Into::into).collect();
        Ok(v1::SubscribeResponse { deliveries, settled: None })
    }

    /// What was taken ahead of the client can go to others at once.
    async fn close(self) {
        if let Err(error) = self.consumer.close().await {
            tracing::debug!(%error, "consumer not closed");
        }
        drop(self.place);
    }
}

/// What a client is sent of a reader.
pub(super) struct Reads {
    pub(super) reader: Box<dyn Reader>,
    pub(super) open: Arc<Open>,
    pub(super) place: Place,
    /// The log that is read, until the client knows it.
    pub(super) log: Option<LogId>,
    /// When the last batch came onto the log, in milliseconds.
    pub(super) appended_ms: i64,
}

impl Reads {
    /// The batches, to the end of the reader or until we shut down.
    pub(super) fn into_stream(self) -> impl Stream<Item = Result<v1::ReadResponse, Status>> {
        stream::unfold(Some((self, None)), |state| async {
            let (mut this, ended) = state?;
            this.place.taken(0);
            // What the opening found out is reported though nothing comes.
            let notices = this.notices();
            if !notices.is_empty() {
                let log = this.log.take().map(LogId::bits);
                let response = v1::ReadResponse { batches: Vec::new(), log, notices };
                return Some((Ok(response), Some((this, ended))));
            }
            let next = match ended {
                Some(end) => Err(end),
                None => this.next().await,
            };
            match next {
                Ok((batches, ended)) => {
                    count("read", batches.iter().map(|one| one.batch.len()));
                    let batches = batches.iter().map(Into::into).collect();
                    let log = this.log.take().map(LogId::bits);
                    let notices = this.notices();
                    Some((Ok(v1::ReadResponse { batches, log, notices }), Some((this, ended))))
                }
                Err(end) => finish(end).map(|end| (Err(end), None)),
            }
        })
    }

    /// What the reader reports.
    fn notices(&mut self) -> Vec<v1::Notice> {
        std::iter::from_fn(|| self.reader.notice()).map(Into::into).collect()
    }

    /// The next batches, accounted for; why no more come after them, if that is known.
    async fn next(&mut self) -> Result<(Vec<StoredBatch>, Option<End>), End> {
        let behind = self.open.is_behind(self.appended_ms);
        let (first, turn) = tokio::select! {
            first = self.place.read(behind, self.reader.next()) => first,
            () = self.open.shutdown.cancelled() => return Err(End::Orderly),
        };
        let (batches, ended) = gather(
            flat(first)?,
            READ_GATHER_BYTES,
            |stored| stored.batch.bytes().len(),
            || self.reader.next().now_or_never().map(flat),
        );
        let bytes: usize = batches.iter().map(|one: &StoredBatch| one.batch.bytes().len()).sum();
        if !self.place.give(bytes * MEMORY_FACTOR).await {
            return Err(End::Failed(place_lost()));
        }
        drop(turn);
        self.appended_ms = batches.last().map_or(self.appended_ms, |last| last.appended_ms);
        Ok((batches, ended))
    }
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
