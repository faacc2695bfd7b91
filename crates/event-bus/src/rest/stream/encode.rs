//! Events as the text of server-sent events, made once for all clients that see the same: a batch
//! goes to hundreds of clients, and its encoding costs more than all else.
//!
//! A text is a slice of a batch, so that neither a client nor the encoder holds a large one whole.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use bytes::Bytes;

use crate::rest::cursor::Cursor;
use worldbus_bus::{Filter, Serial, StoredBatch};
use worldbus_events::{Catalogue, EventView, SharedCatalogue, json};

/// Bytes after which a text ends; one event more may go in.
const TEXT_BYTES: usize = 64 << 10;
/// Bytes of texts that are kept for other clients; the oldest go first.
const KEPT_BYTES_MAX: usize = 16 << 20;
/// What a text costs besides its bytes, about.
const TEXT_OVERHEAD_BYTES: usize = 256;

/// What a client sees of a batch. Clients with equal filters share one.
#[derive(Debug)]
pub(crate) struct View {
    id: u64,
    pub(super) filter: Filter,
    /// Worlds; empty admits all.
    worlds: Vec<String>,
}

impl View {
    fn admits(&self, event: &EventView<'_>) -> bool {
        let world = event.batch().world();
        (self.worlds.is_empty() || self.worlds.iter().any(|one| one == world))
            && self.filter.admits_event(event)
    }
}

/// Some events of a batch as text.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) bytes: Bytes,
    pub(super) events: u64,
    /// The last event of the batch that it is about, and whether another text follows.
    pub(super) last: u32,
    /// When that happened.
    pub(super) last_ms: i64,
    pub(super) more: bool,
}

/// A batch from one of its events on, as a view sees it.
type Key = (u64, Serial, u32);

/// The encoder of all clients.
pub(crate) struct Encoder {
    catalogue: SharedCatalogue,
    views: Mutex<Views>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Views {
    next_id: u64,
    views: Vec<Weak<View>>,
}

#[derive(Default)]
struct Kept {
    texts: HashMap<Key, Arc<OnceLock<Text>>>,
    /// Those that are made, oldest first, with their bytes.
    order: VecDeque<(Key, usize)>,
    bytes: usize,
}

impl Encoder {
    pub(crate) fn new(catalogue: SharedCatalogue) -> Self {
        Self { catalogue, views: Mutex::default(), kept: Mutex::default() }
    }

    /// The view of a filter, of some worlds or of all.
    pub(super) fn view(&self, mut filter: Filter, mut worlds: Vec<String>) -> Arc<View> {
        filter.types.sort_unstable();
        filter.types.dedup();
        for names in [&mut filter.entities, &mut filter.places] {
            names.sort_unstable();
            names.dedup();
        }
        worlds.sort_unstable();
        worlds.dedup();
        let mut views = lock(&self.views);
        views.views.retain(|view| view.strong_count() > 0);
        let mut open = views.views.iter().filter_map(Weak::upgrade);
        if let Some(known) = open.find(|v| v.filter == filter && v.worlds == worlds) {
            return known;
        }
        let view = Arc::new(View { id: views.next_id, filter, worlds });
        views.next_id += 1;
        views.views.push(Arc::downgrade(&view));
        view
    }

    /// The text of a batch from an event on, for a client that stands there. Blocks while another
    /// client has the same made.
    pub(super) fn text(
        &self,
        view: &View,
        stored: &StoredBatch,
        first: u32,
        cursor: &Cursor,
    ) -> Text {
        let Some(serial) = stored.serial.filter(|_| cursor.is_shared()) else {
            return encode(&self.catalogue.current(), view, stored, first, cursor);
        };
        let key = (view.id, serial, first);
        let cell = Arc::clone(lock(&self.kept).texts.entry(key).or_default());
        let mut made = false;
        let text = cell.get_or_init(|| {
            made = true;
            encode(&self.catalogue.current(), view, stored, first, cursor)
        });
        if made {
            lock(&self.kept).keep(key, text.bytes.len() + TEXT_OVERHEAD_BYTES);
        }
        text.clone()
    }
}

impl Kept {
    fn keep(&mut self, key: Key, bytes: usize) {
        self.order.push_back((key, bytes));
        self.bytes += bytes;
        while self.bytes > KEPT_BYTES_MAX {
            let Some((oldest, bytes)) = self.order.pop_front() else { break };
            self.texts.remove(&oldest);
            self.bytes -= bytes;
        }
    }
}

/// Events of a batch from `first` on, until the text is full.
fn encode(
    catalogue: &Catalogue,
    view: &View,
    stored: &StoredBatch,
    first: u32,
    cursor: &Cursor,
) -> Text {
    let (mut text, mut cursor) = (String::new(), cursor.clone());
    let (mut events, mut last, mut more) = (0, first, false);
    let mut last_ms = stored.appended_ms;
    for event in stored.batch.iter().skip(first as usize) {
        if text.len() >= TEXT_BYTES {
            more = true;
            break;
        }
        (last, last_ms) = (event.index, event.timestamp_ms);
        if view.admits(&event) {
            cursor.pass(stored, event.index, event.timestamp_ms);
            let name = catalogue.name_of(event.event_type);
            // Writing to a String cannot fail.
            let _ = write!(text, "id: {}\nevent: {name}\ndata: ", cursor.encode());
            json::write_event(&mut text, &event, catalogue);
            text.push_str("\n\n");
            events += 1;
        }
    }
    Text { bytes: Bytes::from(text), events, last, last_ms, more }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
