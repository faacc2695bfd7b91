//! Publishing what the store queued: in order, each event once by its id. It leaves the queue once
//! the bus has it; a crash in between publishes the same id again, which the bus drops.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::TOPIC;
use crate::chronicler::{Chronicler, Traces};
use crate::ledger::Publication;
use crate::store::Store;
use worldbus_bus::{Error, Outgoing, Topic};
use worldbus_events::EventId;
use worldbus_simulated::{Emitted, Emitter};

/// Events that are published at once.
const BATCH_COUNT_MAX: usize = 256;
/// What another instance queued, and what failed, is looked for this often.
const POLL: Duration = Duration::from_secs(2);

/// Publishes until the shutdown.
pub(crate) async fn run(
    chronicler: Arc<Chronicler>,
    emitter: Emitter,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    // Nothing, and the bus answers.
    emitter.emit([], &shutdown).await?;
    while !shutdown.is_cancelled() {
        match chronicler.store.outbox(BATCH_COUNT_MAX).await {
            Ok(queued) if !queued.is_empty() => {
                if emit(&emitter, &queued, &chronicler.traces, &shutdown).await?
                    == Emitted::Interrupted
                {
                    break;
                }
                remove(&*chronicler.store, &queued).await;
                continue;
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the outbox was not read; retrying"),
        }
        tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            () = chronicler.has_news() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
    Ok(())
}

async fn emit(
    emitter: &Emitter,
    queued: &[(i64, Publication)],
    traces: &Traces,
    shutdown: &CancellationToken,
) -> Result<Emitted, Error> {
    let context = |(_, event): &(i64, Publication)| Ok((topic(event)?, traces.of(event.id)));
    let contexts = queued.iter().map(context).collect::<Result<Vec<_>, Error>>()?;
    let outgoing = queued.iter().zip(&contexts).map(|((_, event), (topic, parent))| {
        let outgoing = Outgoing {
            event_type: event.event_type,
            id: EventId::from_u128(event.id).ok(),
            timestamp_ms: Some(event.wall_ms),
            entity: event.entity.as_deref(),
            place: event.place.as_deref(),
            payload: &event.payload,
            parent: parent.as_ref(),
            ..Outgoing::default()
        };
        (topic.as_ref(), outgoing)
    });
    emitter.emit(outgoing.collect::<Vec<_>>(), shutdown).await
}

/// The topic, if it is not the service's own.
fn topic(event: &Publication) -> Result<Option<Topic>, Error> {
    if event.topic == TOPIC { Ok(None) } else { Topic::new(&event.topic).map(Some) }
}

/// What was not taken out is published again, under the same ids.
async fn remove(store: &dyn Store, queued: &[(i64, Publication)]) {
    let Some((last, _)) = queued.last() else { return };
    if let Err(error) = store.published(*last).await {
        tracing::warn!(%error, "published events stay in the outbox; they are published again");
        tokio::time::sleep(POLL).await;
    }
}
