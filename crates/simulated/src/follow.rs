//! Follows what another service announces of a world again and again, its clock for instance, into
//! the state that the instances of this service share.
//!
//! A durable subscription receives what comes, whichever instance gets it, also after downtime. An
//! instance that dies keeps what it took until the lease ends, which is later than what was
//! announced takes effect; so each instance reads the topic as well, where the transport can
//! replay: as it grows, and before a request is answered, so that what was announced before the
//! request is in its answer.
//!
//! Not here: what is kept ([`Follow`]), events that are handled once ([`subscribe`]).

mod subscription;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use subscription::{REOPEN_DELAY, look_back, replays};
use worldbus_bus::trace::{self, TraceParent};
use worldbus_bus::{
    Bus, Error, Fate, Filter, HandlerError, Message, Position, ReadSpec, Router, StoredBatch, Topic,
};
use worldbus_events::Event;

pub use subscription::{IfRefused, subscribe};

/// A request waits no longer for what is on the bus; then what is known must do.
const CATCH_UP_MAX: Duration = Duration::from_secs(1);

/// Keeps what is announced of one world.
pub trait Follow: Send + Sync + 'static {
    /// The event that announces it, as a whole: the latest of them is enough.
    type Announcement: Event;

    /// Keeps an announcement for all instances, unless it is known; `cause` is the trace that it
    /// carries, if one is sampled. May be called several times with the same, and with older ones.
    fn receive(
        &self,
        announcement: &Self::Announcement,
        cause: Option<TraceParent>,
    ) -> impl Future<Output = Result<(), NotKept>> + Send;

    /// An announcement of another world than the one that is followed came, which is not kept. A
    /// bus may have several; who waits for the first of its own may give it as a reason.
    fn pass_over(&self, _announced: &str, _followed: &str) {}
}

/// Why an announcement was not kept.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    /// The state store fails. The announcement is received again.
    #[error(transparent)]
    State(#[from] worldbus_service::state::Error),
    /// It is invalid, or does not fit to what was announced before: it is set aside.
    #[error("{0}")]
    Invalid(String),
}

/// Follows the announcements of one world.
#[derive(Debug)]
pub struct Follower<F> {
    bus: Bus,
    world: String,
    kept: Arc<F>,
    /// How many readings for requests have begun.
    begun: AtomicU64,
    read: Mutex<Read>,
}

/// What was read for requests up to now. Locked during a reading: there is one at a time.
#[derive(Debug)]
struct Read {
    /// Where the next reading begins.
    from: Position,
    /// The latest reading that came to the end of the topic.
    number: u64,
}

impl<F: Follow> Follower<F> {
    /// Follows what `kept` keeps of a world. Nothing is read before [`Follower::follow`],
    /// [`Follower::on`] or [`Follower::catch_up`].
    pub fn new(bus: Bus, world: &str, kept: Arc<F>) -> Self {
        let read = Mutex::new(Read { from: look_back(&bus), number: 0 });
        Self { bus, world: world.to_owned(), kept, begun: AtomicU64::new(0), read }
    }

    /// Adds the handler of the announcements to the service's durable subscription.
    ///
    /// # Errors
    /// `Invalid` if the router has a handler of that type.
    pub fn on(self: &Arc<Self>, router: Router) -> Result<Router, Error> {
        let this = Arc::clone(self);
        router.on(move |announcement: F::Announcement, message: Message| {
            let this = Arc::clone(&this);
            async move { this.handle(&announcement, &message).await }
        })
    }

    /// Reads what comes onto the topic until the shutdown. Returns at once where the transport
    /// keeps no past: then the subscription has to do.
    ///
    /// # Errors
    /// What the bus refuses.
    pub async fn follow(&self, shutdown: &CancellationToken) -> Result<(), Error> {
        let mut from = look_back(&self.bus);
        while replays(&self.bus) {
            let read = self.read(&mut from, true);
            let ended = shutdown.run_until_cancelled(read).await.unwrap_or(Ok(()));
            let Err(error) = ended else { break };
            if error.fate() == Fate::Refused && !shutdown.is_cancelled() {
                return Err(error);
            }
            tracing::warn!(%error, "reading {} failed; retrying", F::Announcement::NAME);
            let delay = tokio::time::sleep(REOPEN_DELAY);
            if shutdown.run_until_cancelled(delay).await.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Receives every announcement that was durable when this was called. Best effort: while the
    /// bus is away, and over a transport that cannot replay, the subscription has to do.
    pub async fn catch_up(&self) {
        if !replays(&self.bus) {
            return;
        }
        let name = F::Announcement::NAME;
        match timeout(CATCH_UP_MAX, self.read_on()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "answering by the {name} that is known"),
            Err(_) => tracing::debug!("the bus is slow: answering by the {name} that is known"),
        }
    }

    async fn read_on(&self) -> Result<(), Error> {
        let begun = self.begun.load(Ordering::SeqCst);
        let mut read = self.read.lock().await;
        if read.number > begun {
            // It began after we came, and read all that we could: requests share readings.
            return Ok(());
        }
        let number = 1 + self.begun.fetch_add(1, Ordering::SeqCst);
        self.read(&mut read.from, false).await?;
        read.number = number;
        Ok(())
    }

    /// Receives what is on the topic; moves `from` behind it.
    async fn read(&self, from: &mut Position, follow: bool) -> Result<(), Error> {
        let filter = Filter { types: vec![F::Announcement::NUMBER], ..Filter::default() };
        let spec = ReadSpec::topics([Topic::new(F::Announcement::TOPIC)?], *from, follow);
        let mut reader = self.bus.transport().read(ReadSpec { filter, ..spec }).await?;
        while let Some(stored) = reader.next().await? {
            self.receive_all(&stored).await;
            *from = Position::Offset(stored.offset + 1);
        }
        Ok(())
    }

    async fn receive_all(&self, stored: &StoredBatch) {
        if stored.batch.world() != self.world {
            self.kept.pass_over(stored.batch.world(), &self.world);
            return;
        }
        for view in stored.batch.iter().filter(|e| e.event_type == F::Announcement::NUMBER) {
            let Ok(announcement) = view.decode::<F::Announcement>() else { continue };
            if let Err(error) = self.kept.receive(&announcement, trace::carried(&view)).await {
                // The subscription retries it, or sets it aside.
                tracing::debug!(%error, "{} was not kept", F::Announcement::NAME);
            }
        }
    }

    async fn handle(
        &self,
        announcement: &F::Announcement,
        message: &Message,
    ) -> Result<(), HandlerError> {
        if message.world() != self.world {
            self.kept.pass_over(message.world(), &self.world);
            return Ok(());
        }
        let kept = self.kept.receive(announcement, trace::current()).await;
        kept.map_err(|error| match error {
            NotKept::State(error) => HandlerError::temporary(error),
            NotKept::Invalid(_) => HandlerError::permanent(error),
        })
    }
}
