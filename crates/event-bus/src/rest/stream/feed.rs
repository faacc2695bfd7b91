//! What one client of the event stream is sent: from its reader to texts of a bounded size.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::poll;
use tokio::time::{Instant, sleep_until, timeout};

use super::encode::View;
use super::notice;
use crate::open::Open;
use crate::places::{Place, Turn};
use crate::rest::cursor::Cursor;
use worldbus_bus::{Notice, Reader, StoredBatch};

/// A comment is sent after so long a silence, so that proxies keep the connection.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A client that is sent events as they come is not woken more often than this: what comes in
/// between goes together. The first after a silence goes at once, and a client that is behind is
/// sent what there is without a pause.
const PACE: Duration = Duration::from_millis(25);
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
    /// When the last batch came onto the log, in milliseconds.
    appended_ms: i64,
    begun: bool,
    ended: bool,
    place: Place,
    /// While it has read what is not accounted for.
    turn: Option<Turn>,
}

impl Feed {
    pub(super) fn new(
        open: Arc<Open>,
        reader: Box<dyn Reader>,
        view: Arc<View>,
        cursor: Cursor,
        place: Place,
    ) -> Self {
        let (current, woken, appended_ms) = (None, Instant::now(), i64::MIN);
        let (begun, ended, turn) = (false, false, None);
        Self { open, reader, view, cursor, current, woken, appended_ms, begun, ended, place, turn }
    }

    /// The next text; `None` at the end: when the event-bus shuts down, or when the client has lost
    /// its place. It is asked for when the client has taken the one before.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        self.place.taken(self.held());
        let text = self.text().await?;
        let given = self.place.give(text.len() + self.held()).await;
        self.turn = None;
        given.then_some(text)
    }

    /// Bytes of the batch that is being sent.
    fn held(&self) -> usize {
        self.current.as_ref().map_or(0, |stored| stored.batch.bytes().len())
    }

    async fn text(&mut self) -> Option<Bytes> {
        if !self.begun {
            self.begun = true;
            // An id without data: a client that leaves before the first event comes back here.
            let notices = self.notices();
            let cursor = self.cursor.encode();
            return Some(Bytes::from(format!("retry: {RETRY_MS}\nid: {cursor}\n\n{notices}")));
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

    /// Takes the next batch, or gives what is sent while no batch comes.
    async fn read(&mut self) -> Option<Bytes> {
        let shutdown = self.open.shutdown.clone();
        let behind = self.open.is_behind(self.appended_ms);
        let paced = if behind { self.woken } else { self.woken + PACE };
        self.place.taken(0);
        self.turn = None;
        let next = async {
            let mut next = pin!(self.reader.next());
            if let Poll::Ready(next) = poll!(next.as_mut()) {
                return (Ok(next), false);
            }
            sleep_until(paced).await;
            (timeout(HEARTBEAT, next).await, true)
        };
        let ((next, waited), turn) = tokio::select! {
            next = self.place.read(behind, next) => next,
            () = shutdown.cancelled() => {
                self.ended = true;
                return None;
            }
        };
        self.turn = turn;
        if waited {
            self.woken = Instant::now();
        }
        match next {
            Err(_) => return Some(Bytes::from_static(b": still here\n\n")),
            Ok(Ok(Some(stored))) => {
                self.appended_ms = stored.appended_ms;
                self.current = Some(stored);
                return Some(Bytes::from(self.notices()));
            }
            Ok(Ok(None)) => self.ended = true,
            Ok(Err(error)) => {
                tracing::warn!(%error, "event stream ended");
                self.ended = true;
            }
        }
        None
    }

    /// What the reader reports, as events.
    fn notices(&mut self) -> String {
        let mut text = String::new();
        while let Some(notice) = self.reader.notice() {
            if let Notice::Resumed { from_ms } = notice {
                self.cursor.go_on_by_time(from_ms);
            }
            notice::write(&mut text, &notice);
        }
        text
    }

    /// The next text of a batch, which is kept if there is more of it.
    fn encode(&mut self, stored: StoredBatch) -> Option<Bytes> {
        let first = self.cursor.first_index(&stored)?;
        let text = self.open.encoder.text(&self.view, &stored, first, &self.cursor);
        self.cursor.pass(&stored, text.last, text.last_ms);
        if text.more {
            self.current = Some(stored);
        }
        metrics::counter!("worldbus_events_served_total", "kind" => "sse").increment(text.events);
        Some(text.bytes)
    }
}
