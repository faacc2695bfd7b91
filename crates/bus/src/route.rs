//! The router: typed handlers on a subscription, with retry, isolation of poison events,
//! duplicate dropping and tracing.
//!
//! ```text
//! delivery ── for each event that is new and has a handler ──▶ layers ──▶ Retry ▶ handler
//!     ▲             │ still failing: dead letter, the rest goes on
//!     └── ack last ─┘
//! ```
//! Within a delivery as many events are handled at a time as [`Router::concurrency`] allows. While
//! the engine answers for deliveries that are handled, the next ones are.

mod handled;
mod handler;
mod layers;
mod message;
mod seen;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use futures_util::{FutureExt as _, poll};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::bus::Bus;
use crate::calls::Backoff;
use crate::error::{Error, Fate, Kind};
use crate::names::{SubscriptionName, Topic};
use crate::transport::{
    Consumer, DeadEvent, Delivered, Filter, Lease, Outcome, Position, Settle, SubscriptionSpec,
};
use crate::wall::WallClock;
use handled::Handled;
use handler::{Typed, Untyped};
use worldbus_events::{Event, EventId};

pub use handler::{BoxError, BoxHandler, Handler, HandlerError};
pub use layers::{Retry, RetryPolicy, Trace};
pub use message::Message;
pub use seen::{SeenLimits, SeenWindow};

/// How long handlers under way at shutdown may take to end.
const DRAIN_MAX: Duration = Duration::from_secs(2);
/// Settling a delivery is tried this often before its lease is left to end.
const SETTLE_ATTEMPTS_MAX: u32 = 5;
/// Deliveries that are handled and whose settlement has no answer yet; more wait.
const SETTLING_COUNT_MAX: usize = 64;

type Layer = Box<dyn Fn(BoxHandler) -> BoxHandler + Send>;
/// Makes a handler once all is known that its layers need.
type Make = Box<dyn FnOnce(&Needs) -> BoxHandler + Send>;

/// What the layers of every handler need.
struct Needs {
    retry: RetryPolicy,
    wall: Arc<dyn WallClock>,
    /// Where events come from, as traces call it.
    system: &'static str,
}

/// Handlers by event type on one subscription. Deliveries are handled one after the other, in
/// order; instances of a service compete for them. Handling is at least once: an event that this
/// router has handled already is left out, by id, and another instance may handle it again.
pub struct Router {
    bus: Bus,
    spec: SubscriptionSpec,
    handlers: BTreeMap<u32, Make>,
    retry: RetryPolicy,
    layers: Vec<Layer>,
    concurrency: usize,
}

impl Router {
    /// A router on the subscription of this name.
    ///
    /// # Errors
    /// `Invalid` if the name is not allowed.
    pub fn new(bus: &Bus, subscription: &str) -> Result<Self, Error> {
        let spec = SubscriptionSpec::new(SubscriptionName::new(subscription)?, Vec::new());
        Ok(Self {
            bus: bus.clone(),
            spec,
            handlers: BTreeMap::new(),
            retry: RetryPolicy::default(),
            layers: Vec::new(),
            concurrency: 1,
        })
    }

    /// Handles the events of a type. The subscription is bound to its topic. A second handler
    /// of a type replaces the first.
    ///
    /// # Errors
    /// `Invalid` if the event type's topic is not a valid name.
    pub fn on<E, F, R, X>(mut self, handle: F) -> Result<Self, Error>
    where
        E: Event,
        F: Fn(E, Message) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), X>> + Send + 'static,
        X: Into<HandlerError> + 'static,
    {
        let topic = Topic::new(E::TOPIC)?;
        if !self.spec.topics.contains(&topic) {
            self.spec.topics.push(topic);
        }
        let make = |needs: &Needs| {
            let retry = Retry::new(Typed::new(handle), needs.retry.clone(), needs.wall.clone());
            BoxHandler::new(Trace::new(retry, needs.system))
        };
        self.handlers.insert(E::NUMBER, Box::new(make));
        Ok(self)
    }

    /// Handles the events of a type that is known by its number and topic, as those of studios are
    /// in a program that has no Rust type of them. The payload is the message's, not decoded.
    pub fn on_type<F, R, X>(mut self, event_type: u32, topic: Topic, handle: F) -> Self
    where
        F: Fn(Message) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), X>> + Send + 'static,
        X: Into<HandlerError> + 'static,
    {
        if !self.spec.topics.contains(&topic) {
            self.spec.topics.push(topic);
        }
        let make = |needs: &Needs| {
            let retry = Retry::new(Untyped(handle), needs.retry.clone(), needs.wall.clone());
            BoxHandler::new(Trace::new(retry, needs.system))
        };
        self.handlers.insert(event_type, Box::new(make));
        self
    }

    /// Where the subscription begins if it does not exist yet. Default: now.
    pub fn start(mut self, position: Position) -> Self {
        self.spec.start = position;
        self
    }

    /// How long a delivery is this instance's. It is extended while a handler runs; a crashed
    /// instance's deliveries wait this long. Default: 30 s.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.spec.lease = lease;
        self
    }

    /// Only events about these entities.
    pub fn entities(mut self, entities: impl IntoIterator<Item = String>) -> Self {
        self.spec.filter.entities = entities.into_iter().collect();
        self
    }

    /// Only events at these places; one that names no place is at its entity.
    pub fn places(mut self, places: impl IntoIterator<Item = String>) -> Self {
        self.spec.filter.places = places.into_iter().collect();
        self
    }

    /// How failing events are retried in place.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// How many events of a delivery are handled at a time, at least 1. Default: 1, one after the
    /// other. For handlers that wait for a database which takes many at once.
    ///
    /// Handling begins in the order of the events: what a handler does before it waits for
    /// anything happens in that order, so a queue that it enters first (as [`Gather`] is) keeps
    /// it. What follows does not, nor does what is retried. An event that is twice in one batch
    /// may be handled twice. Deliveries are handled one after the other all the same.
    ///
    /// [`Gather`]: crate::Gather
    pub fn concurrency(mut self, count: usize) -> Self {
        self.concurrency = count.max(1);
        self
    }

    /// Who consumes, for people: shown in dead letters.
    pub fn consumer(mut self, name: &str) -> Self {
        self.spec.consumer = name.to_owned();
        self
    }

    /// Wraps all handlers, outside of retry. The last added is the
    /// outermost.
    pub fn layer<H: Handler + 'static>(
        mut self,
        layer: impl Fn(BoxHandler) -> H + Send + 'static,
    ) -> Self {
        self.layers.push(Box::new(move |inner| BoxHandler::new(layer(inner))));
        self
    }

    /// Opens the subscription; from then on events wait for it.
    ///
    /// # Errors
    /// Those of [`Transport::subscribe`](crate::Transport::subscribe); `Invalid` without a
    /// handler.
    pub async fn open(mut self) -> Result<OpenRouter, Error> {
        if self.handlers.is_empty() {
            let context = format!("subscription {} has no handler", self.spec.name);
            return Err(Error::refused(Kind::Invalid, context));
        }
        // Of the types only those come that have a handler.
        let within = self.spec.filter.clone();
        self.spec.filter.types = self.handlers.keys().copied().collect();
        let lease = self.spec.lease;
        let consumer = self.bus.transport().subscribe(self.spec).await?;
        let (retry, wall) = (self.retry, Arc::clone(self.bus.wall()));
        let system = self.bus.transport().messaging_systems().1;
        let needs = Needs { retry, wall, system };
        let wrap = |make: Make| self.layers.iter().fold(make(&needs), |inner, layer| layer(inner));
        let handlers = self.handlers.into_iter().map(|(number, make)| (number, wrap(make)));
        let handlers = handlers.collect();
        let settler = consumer.settler();
        let concurrency = self.concurrency;
        let seen = Mutex::default();
        let work = Work { settler, handlers, within, lease, concurrency, seen, bus: self.bus };
        Ok(OpenRouter { consumer, work, settling: JoinSet::new() })
    }

    /// [`Router::open`] and [`OpenRouter::run`] in one.
    ///
    /// # Errors
    /// Those of both.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Error> {
        self.open().await?.run(shutdown).await
    }
}

/// A router whose subscription is open.
pub struct OpenRouter {
    consumer: Box<dyn Consumer>,
    work: Work,
    /// Settlements that the engine has not answered yet.
    settling: JoinSet<()>,
}

/// All that handling a delivery needs: shared between tasks, as a consumer is not.
struct Work {
    settler: Arc<dyn Settle>,
    handlers: BTreeMap<u32, BoxHandler>,
    /// The entities and places whose events are handled.
    within: Filter,
    lease: Duration,
    /// Events of a delivery that are handled at a time.
    concurrency: usize,
    /// The events that were handled.
    seen: Mutex<SeenWindow>,
    bus: Bus,
}

impl OpenRouter {
    /// Handles deliveries until `shutdown`; then finishes or hands back what is under way.
    ///
    /// # Errors
    /// Those of [`Consumer::next`].
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), Error> {
        let result = loop {
            let delivered = tokio::select! {
                biased;
                () = shutdown.cancelled() => break Ok(()),
                delivered = self.consumer.next() => delivered,
            };
            match delivered {
                Ok(delivered) => {
                    let settlement = self.work.deliver(delivered, &shutdown).await;
                    self.settle(settlement.run()).await;
                }
                Err(error) => break Err(error),
            }
        };
        while self.settling.join_next().await.is_some() {}
        if let Err(error) = self.consumer.close().await {
            tracing::debug!(%error, "deliveries were not handed back; their leases will end");
        }
        result
    }
}

impl OpenRouter {
    /// Begins a settlement, and waits while too many have no answer. Most transports answer at
    /// once, and then there is no task.
    async fn settle(&mut self, settlement: impl Future<Output = ()> + Send + 'static) {
        let mut settlement = Box::pin(settlement);
        if poll!(&mut settlement).is_ready() {
            return;
        }
        self.settling.spawn(settlement);
        while self.settling.try_join_next().is_some() {}
        if self.settling.len() == SETTLING_COUNT_MAX {
            self.settling.join_next().await;
        }
    }
}

/// What becomes of a delivery.
struct Settlement {
    settler: Arc<dyn Settle>,
    lease: Lease,
    /// Set aside before it is acknowledged; none where it is handed back.
    handled: Option<Vec<DeadEvent>>,
}

impl Settlement {
    async fn run(self) {
        let lease = &self.lease;
        let settled = match self.handled {
            Some(dead) => finish(&*self.settler, lease, dead).await,
            None => settle(&*self.settler, lease, Outcome::Release).await,
        };
        if let Err(error) = settled {
            // The delivery comes again; what was handled is dropped as seen.
            tracing::warn!(topic = %lease.topic, offset = lease.offset, %error, "not settled");
        }
    }
}

impl Work {
    /// Handles one delivery; what becomes of it then.
    async fn deliver(&self, delivered: Delivered, shutdown: &CancellationToken) -> Settlement {
        let lease = delivered.lease.clone();
        let handled = tokio::select! {
            // First: most often it is done at once, and then no timer is set.
            biased;
            dead = self.handle(delivered) => Some(dead),
            () = self.keep(&lease) => None,
            () = drain_ends(shutdown) => None,
        };
        Settlement { settler: Arc::clone(&self.settler), lease, handled }
    }

    /// The events that no retry mended, in order.
    async fn handle(&self, delivered: Delivered) -> Vec<DeadEvent> {
        let delivered = Arc::new(delivered);
        let mut dead = Vec::new();
        let mut handled = Handled::of(&self.seen, &delivered.batch);
        let mut under_way = FuturesUnordered::new();
        for view in delivered.batch.iter().filter(|view| self.within.admits_event(view)) {
            let Some(handler) = self.handlers.get(&view.event_type) else {
                continue;
            };
            if handled.contains(view.id) {
                metrics::counter!("worldbus_duplicates_dropped_total").increment(1);
                continue;
            }
            let handling = self.handle_event(handler, Message::new(&delivered, &view));
            if self.concurrency == 1 {
                dead.extend(handled.ended(handling.await));
                continue;
            }
            // It begins here; those under way go on once there is room for no other.
            let mut handling = handling.boxed();
            match (&mut handling).now_or_never() {
                Some(ended) => dead.extend(handled.ended(ended)),
                None => under_way.push(handling),
            }
            if under_way.len() == self.concurrency
                && let Some(ended) = under_way.next().await
            {
                dead.extend(handled.ended(ended));
            }
        }
        while let Some(ended) = under_way.next().await {
            dead.extend(handled.ended(ended));
        }
        dead.sort_unstable_by_key(|event: &DeadEvent| event.index);
        dead
    }

    /// The id of an event that was handled, or what no retry mended.
    async fn handle_event(
        &self,
        handler: &BoxHandler,
        message: Message,
    ) -> Result<EventId, DeadEvent> {
        let Err(error) = handler.handle(message.clone()).await else { return Ok(message.id) };
        let subscription = message.subscription().to_string();
        tracing::warn!(subscription, event_id = %message.id, %error, "dead letter");
        metrics::counter!("worldbus_poison_events_total", "subscription" => subscription)
            .increment(1);
        let now_ms = self.bus.wall().now_us() / 1000;
        Err(DeadEvent {
            index: message.index(),
            reason: error.to_string(),
            attempts: error.attempts(),
            first_failed_ms: error.first_failed_ms().unwrap_or(now_ms),
            last_failed_ms: now_ms,
        })
    }

    /// Extends the lease again and again; returns if it is lost, so that no one works on
    /// what another consumer holds.
    async fn keep(&self, lease: &Lease) {
        loop {
            tokio::time::sleep(self.lease / 3).await;
            match self.settler.settle(lease, Outcome::Extend).await {
                Err(error) if error.kind() == Kind::LeaseLost => return,
                Err(error) => tracing::debug!(%error, "lease not extended"),
                Ok(()) => {}
            }
        }
    }
}

async fn finish(settler: &dyn Settle, lease: &Lease, dead: Vec<DeadEvent>) -> Result<(), Error> {
    if !dead.is_empty() {
        patiently(|| settler.dead_letter(lease, dead.clone())).await?;
    }
    settle(settler, lease, Outcome::Ack).await
}

async fn settle(settler: &dyn Settle, lease: &Lease, outcome: Outcome) -> Result<(), Error> {
    patiently(|| settler.settle(lease, outcome)).await
}

async fn drain_ends(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    tokio::time::sleep(DRAIN_MAX).await;
}

/// Tries what may succeed later, a bounded number of times.
async fn patiently<R>(mut call: impl FnMut() -> R) -> Result<(), Error>
where
    R: Future<Output = Result<(), Error>>,
{
    let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(2));
    for _ in 1..SETTLE_ATTEMPTS_MAX {
        match call().await {
            Err(error) if error.fate() != Fate::Refused => {
                tracing::debug!(%error, "settling is tried again");
                tokio::time::sleep(backoff.next()).await;
            }
            result => return result,
        }
    }
    call().await
}
