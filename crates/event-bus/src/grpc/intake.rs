//! What the requests of all clients may hold in memory until they are answered.
//!
//! A message states how long it is before it comes. Until there is room for it none of it is read,
//! and HTTP/2 holds its sender back. Small messages have room of their own, and a connection has a
//! share of each, so that no one waits behind one large message or one greedy client.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Status};

use crate::grpc::incoming::Incoming;
use worldbus_bus::{Error, Kind};
use worldbus_rpc::limits::{CONSUMER_BYTES_MAX, CONTROL_BYTES_MAX, MESSAGE_BYTES_MAX};
use worldbus_rpc::to_status;
use worldbus_service::server::ConnectionId;

/// Bytes of a message that is small.
const SMALL_BYTES_MAX: usize = 64 << 10;
/// Bytes of small messages at once, of all clients, and of one connection.
const SMALL_ROOM: (usize, usize) = (4 << 20, 1 << 20);
/// Bytes of other messages at once, of all clients, and of one connection. The largest fits.
const LARGE_ROOM: (usize, usize) = (16 << 20, 8 << 20);
/// What a request takes besides its message.
const REQUEST_BYTES: usize = 1 << 10;
/// Requests that wait for room, of all clients, and of one connection; further ones are refused at
/// once. What waits fills the window of its connection with bytes that are not read: a few fill
/// half of it, so that the one which is read comes through.
const WAITING_COUNT: (usize, usize) = (1024, 8);
/// How long a request may wait for room.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// How long a message may take to come.
const ARRIVAL_MAX: Duration = Duration::from_secs(10);

/// The methods of our service, as paths.
const BUS: &str = "/worldbus.bus.v1.BusService/";

/// Room for the messages of all clients.
pub(super) struct Intake {
    small: Room,
    large: Room,
    waiting: Room,
}

impl Default for Intake {
    fn default() -> Self {
        let (small, large) = (Room::new(SMALL_ROOM), Room::new(LARGE_ROOM));
        Self { small, large, waiting: Room::new(WAITING_COUNT) }
    }
}

/// Has a request served once there is room for it.
pub(super) async fn admit(
    State(intake): State<Arc<Intake>>,
    request: Request,
    next: Next,
) -> Response {
    let connection = request.extensions().get::<ConnectionId>().copied().unwrap_or_default();
    let (max, further) = bounds(request.uri().path());
    let (head, body) = request.into_parts();
    let mut incoming = Incoming::new(body, max, further.bytes_max());
    let held = match incoming.length(Instant::now() + ARRIVAL_MAX).await {
        Ok(length) => intake.take(connection, length.unwrap_or_default()).await,
        Err(status) => Err(status),
    };
    let held = match held {
        Ok(held) => held,
        Err(status) => return status.into_http(),
    };
    let serve = |body| next.run(Request::from_parts(head, body));
    if let Further::WithRoom(_) = further {
        let room = move |bytes| {
            let intake = Arc::clone(&intake);
            async move { intake.take(connection, bytes).await }
        };
        return serve(incoming.into_body_with_room(held, room, ARRIVAL_MAX)).await;
    }
    // What streams requests does so for as long as it likes; its first is waited for elsewhere.
    let ends = matches!(further, Further::None);
    let deadline = ends.then(|| Instant::now() + ARRIVAL_MAX);
    let response = serve(incoming.into_body(deadline)).await;
    drop(held);
    response
}

/// What comes behind the first message of a call.
#[derive(Debug, Clone, Copy)]
enum Further {
    None,
    /// Messages of at most so many bytes, for which no room is needed.
    Control(usize),
    /// Messages of at most so many bytes, each with room of its own.
    WithRoom(usize),
}

impl Further {
    fn bytes_max(self) -> Option<usize> {
        match self {
            Self::None => None,
            Self::Control(bytes) | Self::WithRoom(bytes) => Some(bytes),
        }
    }
}

/// Bytes of the first message of a call, and what comes behind it.
fn bounds(path: &str) -> (usize, Further) {
    match path.strip_prefix(BUS) {
        Some("Publish" | "DeadLetter") => (MESSAGE_BYTES_MAX, Further::None),
        Some("PublishStream") => (MESSAGE_BYTES_MAX, Further::WithRoom(MESSAGE_BYTES_MAX)),
        Some("Subscribe") => (CONTROL_BYTES_MAX, Further::Control(CONSUMER_BYTES_MAX)),
        Some(_) => (CONTROL_BYTES_MAX, Further::None),
        // Health and reflection, which streams its requests.
        None => (SMALL_BYTES_MAX, Further::Control(SMALL_BYTES_MAX)),
    }
}

impl Intake {
    /// Room for a message of a connection; waits for it.
    async fn take(&self, connection: ConnectionId, bytes: usize) -> Result<Held, Status> {
        let room = if bytes <= SMALL_BYTES_MAX { &self.small } else { &self.large };
        let bytes = bytes + REQUEST_BYTES;
        if let Some(held) = room.try_take(connection, bytes) {
            return Ok(held);
        }
        let _waits = self.waiting.try_take(connection, 1).ok_or_else(busy)?;
        metrics::counter!("worldbus_intake_waits_total").increment(1);
        let held = timeout_at(Instant::now() + WAIT_MAX, room.take(connection, bytes)).await;
        held.ok().flatten().ok_or_else(busy)
    }
}

/// The code reports it to clients that know only gRPC, the error to ours.
fn busy() -> Status {
    metrics::counter!("worldbus_intake_refusals_total").increment(1);
    let context = "too much is being published at once; publish again in a moment";
    let of_ours = to_status(&Error::retry(Kind::Unavailable, context));
    Status::with_metadata(Code::ResourceExhausted, context, of_ours.metadata().clone())
}

/// Bytes (or requests) that are free, first come first served, and what of them a connection may
/// have.
struct Room {
    free: Arc<Semaphore>,
    share_bytes: usize,
    /// Of the connections that have something in flight.
    shares: Mutex<HashMap<ConnectionId, Weak<Semaphore>>>,
}

/// What is in use; free again when dropped.
struct Held {
    _of_all: OwnedSemaphorePermit,
    _of_share: OwnedSemaphorePermit,
}

impl Room {
    fn new((bytes, share_bytes): (usize, usize)) -> Self {
        Self { free: Arc::new(Semaphore::new(bytes)), share_bytes, shares: Mutex::default() }
    }

    fn try_take(&self, connection: ConnectionId, bytes: usize) -> Option<Held> {
        let bytes = u32::try_from(bytes).ok()?;
        let share = self.share(connection).try_acquire_many_owned(bytes).ok()?;
        let all = Arc::clone(&self.free).try_acquire_many_owned(bytes).ok()?;
        Some(Held { _of_all: all, _of_share: share })
    }

    async fn take(&self, connection: ConnectionId, bytes: usize) -> Option<Held> {
        let bytes = u32::try_from(bytes).ok()?;
        let share = self.share(connection).acquire_many_owned(bytes).await.ok()?;
        let all = Arc::clone(&self.free).acquire_many_owned(bytes).await.ok()?;
        Some(Held { _of_all: all, _of_share: share })
    }

    fn share(&self, connection: ConnectionId) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(&connection).and_then(Weak::upgrade) {
            return share;
        }
        shares.retain(|_, share| share.strong_count() > 0);
        let share = Arc::new(Semaphore::new(self.share_bytes));
        shares.insert(connection, Arc::downgrade(&share));
        share
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use worldbus_bus::Fate;
    use worldbus_service::server::{CONNECTION_WINDOW_BYTES, STREAM_WINDOW_BYTES};

    const LARGE: usize = 6 << 20;

    #[tokio::test(start_paused = true)]
    async fn no_one_waits_behind_a_greedy_connection_and_who_waits_too_long_may_come_again() {
        let intake = Intake::default();
        let (greedy, other) = (ConnectionId(1), ConnectionId(2));
        let first = intake.take(greedy, LARGE).await.expect("room");
        assert!(intake.take(greedy, LARGE).now_or_never().is_none(), "beyond its share");
        let second = intake.take(other, LARGE).await.expect("room of another");
        // There is no room for a third, but for what is small.
        assert!(intake.take(ConnectionId(3), LARGE).now_or_never().is_none());
        intake.take(greedy, 100).now_or_never().expect("at once").expect("room");
        let refused = intake.take(greedy, LARGE).await.err().expect("no room");
        assert_eq!(refused.code(), Code::ResourceExhausted);
        let error = worldbus_rpc::from_status(&refused).expect("ours");
        assert_eq!(error.fate(), Fate::Retry);
        drop((first, second));
        intake.take(greedy, LARGE).now_or_never().expect("at once").expect("room again");
    }

    #[tokio::test(start_paused = true)]
    async fn requests_that_wait_are_bounded_in_number() {
        let intake = Intake::default();
        let _held = intake.take(ConnectionId::default(), LARGE).await.expect("room");
        let waiting: Vec<_> = (0..WAITING_COUNT.1)
            .map(|_| {
                let mut waits = Box::pin(intake.take(ConnectionId::default(), LARGE));
                assert!(waits.as_mut().now_or_never().is_none());
                waits
            })
            .collect();
        let refused = intake.take(ConnectionId::default(), LARGE).now_or_never();
        assert!(refused.expect("at once").is_err());
        drop(waiting);
    }

    #[test]
    fn what_waits_leaves_half_of_the_window_of_its_connection() {
        let fill = WAITING_COUNT.1 * STREAM_WINDOW_BYTES as usize;
        assert!(fill <= CONNECTION_WINDOW_BYTES as usize / 2);
    }

    #[test]
    fn the_largest_message_fits_into_a_share() {
        assert!(MESSAGE_BYTES_MAX + REQUEST_BYTES <= LARGE_ROOM.1);
        assert!(SMALL_BYTES_MAX + REQUEST_BYTES <= SMALL_ROOM.1);
    }
}
