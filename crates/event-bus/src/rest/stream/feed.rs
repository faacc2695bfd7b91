//! What one client of the event stream is sent: from its reader to texts of a bounded size.

use super::encode::View;
use crate::open::Open;
use crate::places::Place;
use crate::rest::cursor::Cursor;
use bytes::Bytes;
use futures_util::poll;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};
use worldbus_bus::{Reader, StoredBatch};

/// A comment is sent after so long a silence, so that proxies keep the connection.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A client that is sent events as they come is not woken more often than this: what comes in
/// between goes together. The first after a silence goes at once.
const PACE: Duration = Duration::from_millis(25);
/// Events younger than this, in milliseconds by the wall clock, come as they are published; a
/// client that is further behind is sent what there is without a pause.
const LIVE_MS_MAX: u64 = 2_000;
/// How long a browser waits before it reconnects.
const RETRY_MS: u32 = 1000;

/// The event stream of one client.
pub(super) struct Feed {
    open: Arc<Open>,
    reader: Box<dyn Reader>,
    view: Arc<View>,
    cursor: Cursor,
    /// The batch that is being sent.
    current: Option<StoredBatch>,
    /// When it last had to wait for an event and got one.
    woken: Instant,
    live: bool,
    begun: bool,
    ended: bool,
    place: Place,
}

impl Feed {
    pub(super) fn new(
        open: Arc<Open>,
        reader: Box<dyn Reader>,
        view: Arc<View>,
        cursor: Cursor,
        place: Place,
    ) -> Self {
        let (current, woken) = (None, Instant::now());
        let (live, begun, ended) = (false, false, false);
        Self { open, reader, view, cursor, current, woken, live, begun, ended, place }
    }

    /// The next text; `None` at the end: when the event-bus shuts down, or when the client has lost
    /// its place. It is asked for when the client has taken the one before.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        self.place.taken();
        let text = self.text().await?;
        let held = self.current.as_ref().map_or(0, |stored| stored.batch.bytes().len());
        self.place.give(text.len() + held).await.then_some(text)
    }

    async fn text(&mut self) -> Option<Bytes> {
        if !self.begun {
            self.begun = true;
            // An id without data: a client that leaves before the first event comes back here.
            let cursor = self.cursor.encode();
            return Some(Bytes::from(format!("retry: {RETRY_MS}\nid: {cursor}\n\n")));
        }
        while !self.ended {
            let text = match self.current.take() {
                Some(stored) => self.encode(stored),
                None => self.read().await,
            };
            if text.as_ref().is_some_and(|text| !text.is_empty()) {
                return text;
            }
        }
        None
    }

    /// Takes the next batch, or gives what is sent while there is none.
    async fn read(&mut self) -> Option<Bytes> {
        let shutdown = self.open.shutdown.clone();
        let paced = if self.live { self.woken + PACE } else { self.woken };
        let next = async {
            let mut next = pin!(self.reader.next());
            if let Poll::Ready(next) = poll!(next.as_mut()) {
                return (Ok(next), false);
            }
            sleep_until(paced).await;
            (timeout(HEARTBEAT, next).await, true)
        };
        let (next, waited) = tokio::select! {
            next = next => next,
            () = shutdown.cancelled() => {
                self.ended = true;
                return None;
            }
        };
        if waited {
            self.woken = Instant::now();
        }
        match next {
            Err(_) => return Some(Bytes::from_static(b": still here\n\n")),
            Ok(Ok(Some(stored))) => {
                let now_ms = self.open.bus.wall().now_us().div_euclid(1000);
                self.live = now_ms.abs_diff(stored.appended_ms) < LIVE_MS_MAX;
                self.current = Some(stored);
            }
            Ok(Ok(None)) => self.ended = true,
            Ok(Err(error)) => {
                tracing::warn!(%error, "event stream ended");
                self.ended = true;
            }
        }
        None
    }

    /// The next text of a batch, which is kept if there is more of it.
    fn encode(&mut self, stored: StoredBatch) -> Option<Bytes> {
        let first = self.cursor.first_index(&stored)?;
        let text = self.open.encoder.text(&self.view, &stored, first, &self.cursor);
        self.cursor.pass(&stored, text.last);
        if text.more {
            self.current = Some(stored);
        }
        metrics::counter!("worldbus_events_served_total", "kind" => "sse").increment(text.events);
        Some(text.bytes)
    }
}
