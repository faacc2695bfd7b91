//! Watching: the state at a version, then the steps behind it. What is read is what the client has
//! taken: nothing is queued for a slow one, whose place in the past is a version.

use std::collections::VecDeque;

use futures_util::{Stream, stream};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tonic::Status;

use super::{status, view};
use crate::desk::Desk;
use crate::store::{Kept, StoreError, Wanted};
use worldbus_events::Event as _;
use worldbus_events::v1::{StateOperation, WorldStateUpdated};
use worldbus_rpc::state as rpc;
use worldbus_rpc::state::watch_response::Part;

/// Entities of a part.
const PAGE_COUNT: usize = 256;
/// Steps that are read at once.
const STEPS_COUNT: usize = 256;

/// How far a client is.
struct Watched {
    desk: Desk,
    news: watch::Receiver<u64>,
    /// The snapshot is given from behind this name on; none: all of it was given.
    snapshot: Option<Option<String>>,
    /// The version that it has with the snapshot, and then with each step.
    at: u64,
    ready: VecDeque<rpc::Step>,
    _place: OwnedSemaphorePermit,
}

/// Begins behind a version, or with a snapshot.
pub(super) async fn begin(
    desk: Desk,
    place: OwnedSemaphorePermit,
    from: Option<u64>,
) -> Result<impl Stream<Item = Result<rpc::WatchResponse, Status>> + Send, Status> {
    let news = desk.store.news();
    let (snapshot, at) = match from {
        // What is not kept is refused before the stream begins.
        Some(from) => {
            desk.store.steps(from, 1).await.map_err(of_store)?;
            (None, from)
        }
        None => (Some(None), desk.store.versions().await.map_err(of_store)?.world),
    };
    let watched = Watched { desk, news, snapshot, at, ready: VecDeque::new(), _place: place };
    Ok(stream::try_unfold(watched, async |mut watched| {
        let part = watched.next().await?;
        Ok(part.map(|part| (rpc::WatchResponse { part: Some(part) }, watched)))
    }))
}

impl Watched {
    /// The next part; none once the service ends.
    async fn next(&mut self) -> Result<Option<Part>, Status> {
        if let Some(after) = self.snapshot.take() {
            return self.page(after).await.map(|page| Some(Part::Snapshot(page)));
        }
        loop {
            if let Some(step) = self.ready.pop_front() {
                return Ok(Some(Part::Step(step)));
            }
            self.news.mark_unchanged();
            let steps = self.desk.store.steps(self.at, STEPS_COUNT).await.map_err(of_store)?;
            if let Some(last) = steps.last() {
                self.at = last.version;
                self.ready = steps.into_iter().map(step).collect::<Result<_, _>>()?;
            } else if self.news.changed().await.is_err() {
                return Ok(None);
            }
        }
    }

    async fn page(&mut self, after: Option<String>) -> Result<rpc::Snapshot, Status> {
        let wanted = Wanted { after, limit: PAGE_COUNT, ..Wanted::default() };
        let page = self.desk.store.list(wanted, self.at).await.map_err(of_store)?;
        let is_last = page.next.is_none();
        self.snapshot = page.next.map(Some);
        let entities = page.entities.into_iter().map(view).collect();
        Ok(rpc::Snapshot { world_version: self.at, entities, is_last })
    }
}

fn step(kept: Kept) -> Result<rpc::Step, Status> {
    let event = WorldStateUpdated::from_payload(&kept.event)
        .map_err(|error| Status::internal(format!("step {}: {error}", kept.version)))?;
    let changes = event.changes.into_iter().filter_map(|change| {
        let operation = match change.operation() {
            StateOperation::Set => rpc::Operation::Set,
            _ => rpc::Operation::Remove,
        };
        let (entity, field) = change.path.rsplit_once('/')?;
        let (entity, field) = (entity.to_owned(), field.to_owned());
        Some(rpc::Delta { entity, field, operation: operation.into(), value: change.value })
    });
    Ok(rpc::Step {
        version: kept.version,
        game_us: kept.game.map(|game| game.0),
        actor: kept.actor,
        reason: kept.reason,
        changes: changes.collect(),
    })
}

fn of_store(error: StoreError) -> Status {
    status(error.into_problem("from_version"))
}
