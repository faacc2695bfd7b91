//! Setting events aside: dead letters made from a batch in one pass, a bounded part at a time, on a
//! thread that may block.
//!
//! A letter repeats what the events of its batch share, so all letters of a batch may take many
//! times its bytes: they are never all in memory.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::format::record::{Dead, DeadKey};
use crate::shared::Shared;
use crate::store::failure::closed;
use crate::subscription::runtime::Live;
use crate::write::queue::Request;
use worldbus_bus::{DeadEvent, Error, Kind};
use worldbus_events::Batch;

/// Bytes of the letters that one commit takes of a call. One letter more may go in.
const PART_BYTES_MAX: usize = 1 << 20;

/// Events of a batch that are to be set aside.
pub(crate) struct Letters {
    /// The subscription that sets them aside.
    pub(crate) live: Arc<Live>,
    /// Of the batch; its index does not count.
    pub(crate) key: DeadKey,
    pub(crate) consumer: String,
    pub(crate) batch: Batch,
    /// Each once, by rising index.
    pub(crate) events: Vec<DeadEvent>,
}

/// Has dead letters written and waits until they are durable. After an error a part of them may
/// be; setting the same events aside again does not double them.
pub(crate) async fn set_aside(shared: &Arc<Shared>, letters: Letters) -> Result<(), Error> {
    // Few at once: each holds a part of its letters in memory.
    let turn = Arc::clone(&shared.setting_aside).acquire_owned().await.map_err(|_| closed())?;

    // Made and written on a thread that may block, part by part.
    let shared = Arc::clone(shared);
    let written = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        letters.write(&shared)
    });
    written.await.unwrap_or_else(|_| {
        let context = "setting events aside was interrupted; set them aside again";
        Err(Error::unknown(Kind::Unavailable, context))
    })
}

impl Letters {
    fn write(self, shared: &Shared) -> Result<(), Error> {
        let Self { live, key, consumer, batch, events } = self;
        let wanted: Vec<u32> = events.iter().map(|event| event.index).collect();
        let ones = batch.singles(|view| wanted.binary_search(&view.index).is_ok());
        let (mut part, mut part_bytes) = (Vec::new(), 0);
        for (event, one) in events.into_iter().zip(ones) {
            let key = DeadKey { index: event.index, ..key };
            let batch = one.bytes().to_vec();
            let letter = Dead { key, consumer: consumer.clone(), event, batch };
            part_bytes += letter.bytes();
            part.push(letter);
            if part_bytes >= PART_BYTES_MAX {
                commit(shared, &live, std::mem::take(&mut part))?;
                part_bytes = 0;
            }
        }
        if part.is_empty() { Ok(()) } else { commit(shared, &live, part) }
    }
}

/// Blocks until the letters are durable.
fn commit(shared: &Shared, live: &Arc<Live>, letters: Vec<Dead>) -> Result<(), Error> {
    let (reply, answer) = oneshot::channel();
    let live = Arc::clone(live);
    let _place = shared.queue.submit(Request::DeadLetter { live, letters, reply })?;
    answer.blocking_recv().unwrap_or_else(|_| Err(closed()))
}
