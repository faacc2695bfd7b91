//! From a reader to the text of server-sent events, in chunks of a bounded size.

use crate::limits::Place;
use crate::open::Open;
use crate::rest::cursor::Cursor;
use bytes::Bytes;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use worldbus_bus::{Filter, Reader, StoredBatch};
use worldbus_events::json;

/// A comment is sent after so long a silence, so that proxies keep the connection.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Bytes after which a chunk goes out; one event more may go in.
const CHUNK_BYTES: usize = 64 << 10;
/// How long a browser waits before it reconnects.
const RETRY_MS: u32 = 1000;

/// The event stream of one client.
pub(super) struct Feed {
    open: Arc<Open>,
    reader: Box<dyn Reader>,
    filter: Filter,
    cursor: Cursor,
    /// The batch that is being sent.
    current: Option<StoredBatch>,
    begun: bool,
    ended: bool,
    _place: Place,
}

impl Feed {
    pub(super) fn new(
        open: Arc<Open>,
        reader: Box<dyn Reader>,
        filter: Filter,
        cursor: Cursor,
        place: Place,
    ) -> Self {
        let (current, begun, ended) = (None, false, false);
        Self { open, reader, filter, cursor, current, begun, ended, _place: place }
    }

    /// The next chunk; `None` at the end, when the event-bus shuts down.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        if !self.begun {
            self.begun = true;
            // An id without data: a client that leaves before the first event comes back here.
            let cursor = self.cursor.encode();
            return Some(Bytes::from(format!("retry: {RETRY_MS}\nid: {cursor}\n\n")));
        }
        let mut chunk = String::new();
        while chunk.is_empty() && !self.ended {
            match self.current.take() {
                Some(stored) => self.write(stored, &mut chunk),
                None => self.read(&mut chunk).await,
            }
        }
        (!chunk.is_empty()).then(|| Bytes::from(chunk))
    }

    async fn read(&mut self, chunk: &mut String) {
        let shutdown = self.open.shutdown.clone();
        let next = tokio::select! {
            next = timeout(HEARTBEAT, self.reader.next()) => next,
            () = shutdown.cancelled() => {
                self.ended = true;
                return;
            }
        };
        match next {
            Err(_) => chunk.push_str(": still here\n\n"),
            Ok(Ok(Some(stored))) => self.current = Some(stored),
            Ok(Ok(None)) => self.ended = true,
            Ok(Err(error)) => {
                tracing::warn!(%error, "event stream ended");
                self.ended = true;
            }
        }
    }

    /// Writes events of a batch until the chunk is full.
    fn write(&mut self, stored: StoredBatch, chunk: &mut String) {
        let first = self.cursor.first_index(&stored);
        let mut events = 0;
        for event in stored.batch.iter().skip(first as usize) {
            if chunk.len() >= CHUNK_BYTES {
                self.current = Some(stored.clone());
                break;
            }
            self.cursor.pass(&stored, event.index);
            if event.admits(&self.filter.types, &self.filter.entities) {
                let name = self.open.catalogue.name_of(event.event_type);
                // Writing to a String cannot fail.
                let _ = write!(chunk, "id: {}\nevent: {name}\ndata: ", self.cursor.encode());
                json::write_event(chunk, &event, &self.open.catalogue);
                chunk.push_str("\n\n");
                events += 1;
            }
        }
        metrics::counter!("worldbus_events_served_total", "kind" => "sse").increment(events);
    }
}
