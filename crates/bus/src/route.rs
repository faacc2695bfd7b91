//! The router: typed handlers on a subscription, with retry, isolation of poison events,
//! duplicate dropping and tracing.
//!
//! ```text
//! delivery ── for each event that is new and has a handler ──▶ layers ──▶ handler
//!     ▲             │ still failing: dead letter, the rest goes on
//!     └── ack last ─┘
//! ```
//! As many events are handled at a time as [`Router::concurrency`] allows, also of several
//! deliveries (`flow`); with 1, as by default, one after the other (`open`). While the engine
//! answers for deliveries that are handled, the next ones are.

mod flow;
mod handled;
mod handler;
mod layers;
mod limits;
mod message;
mod open;
mod seen;
mod settlement;
mod work;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::bus::Bus;
use crate::error::{Error, Kind};
use crate::names::{SubscriptionName, Topic};
use crate::transport::{Position, SubscriptionSpec};
use crate::wall::WallClock;
use handler::{Typed, Untyped};
use limits::Limits;
use work::Work;
use worldbus_events::Event;

pub use handler::{BoxError, BoxHandler, Handler, HandlerError};
pub use layers::{Breaker, Broken, Limited, RateLimit, Retry, RetryPolicy, Timeout, Trace};
pub use limits::Order;
pub use message::{CAUSATION, CORRELATION, Message};
pub use open::OpenRouter;
pub use seen::{SeenLimits, SeenWindow};

/// Bytes of batches beyond which a router that handles several events at a time takes no further
/// delivery, unless [`Router::prefetch_bytes`] is another bound.
pub const PREFETCH_BYTES: usize = 4 << 20;

type Layer = Box<dyn Fn(BoxHandler) -> BoxHandler + Send>;
/// Makes a handler once all is known that its layers need.
type Make = Box<dyn FnOnce(&Needs) -> BoxHandler + Send>;

/// What the layers of every handler need.
struct Needs {
    retry: RetryPolicy,
    breaker: Option<Breaker>,
    timeout: Option<Duration>,
    wall: Arc<dyn WallClock>,
    /// Where events come from, as traces call it.
    system: &'static str,
}

impl Needs {
    /// The layers that every handler has, in boxes only where a router was given more of them.
    fn around(&self, handler: impl Handler + 'static) -> BoxHandler {
        if self.timeout.is_none() && self.breaker.is_none() {
            return self.attempts(handler);
        }
        let mut attempt = BoxHandler::new(handler);
        if let Some(after) = self.timeout {
            attempt = BoxHandler::new(Timeout::new(attempt, after));
        }
        if let Some(breaker) = &self.breaker {
            attempt = BoxHandler::new(breaker.around(attempt));
        }
        self.attempts(attempt)
    }

    fn attempts(&self, attempt: impl Handler + 'static) -> BoxHandler {
        let retry = Retry::new(attempt, self.retry.clone(), Arc::clone(&self.wall));
        BoxHandler::new(Trace::new(retry, self.system))
    }
}

/// Handlers by event type on one subscription. Events are handled one after the other, in order,
/// or several at a time with [`Router::concurrency`]; instances of a service compete for
/// deliveries, and there is no order between instances. Handling is at least once: an event that
/// this router has handled already is left out, by id, and another instance may handle it again.
pub struct Router {
    bus: Bus,
    spec: SubscriptionSpec,
    handlers: BTreeMap<u32, Make>,
    retry: RetryPolicy,
    breaker: Option<Breaker>,
    timeout: Option<Duration>,
    rate: Option<RateLimit>,
    layers: Vec<Layer>,
    limits: Limits,
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
            breaker: None,
            timeout: None,
            rate: None,
            layers: Vec::new(),
            limits: Limits::default(),
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
        let make = |needs: &Needs| needs.around(Typed::new(handle));
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
        let make = |needs: &Needs| needs.around(Untyped(handle));
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

    /// How long one attempt of a handler may take; then it is dropped where it waits, and retried
    /// as after any temporary error. Default: as long as it takes. To bound an event with all its
    /// attempts, put a [`Timeout`] into [`Router::layer`].
    pub fn timeout(mut self, attempt: Duration) -> Self {
        self.timeout = Some(attempt);
        self
    }

    /// Has events wait while what their handlers need is away: see [`Breaker`]. It counts attempts,
    /// those of all handlers of this router, and of others that have the same breaker.
    ///
    /// What a handler cannot do with an event must be a permanent error then. An event that fails
    /// temporarily for ever is set aside once others succeed; where it is the only one under way,
    /// those behind it wait as long as it fails.
    ///
    /// [`Router::open`] refuses a breaker that opens only after more failures than an event has
    /// attempts, as `Invalid`: until it opened, an outage would set events aside.
    pub fn breaker(mut self, breaker: Breaker) -> Self {
        self.breaker = Some(breaker);
        self
    }

    /// Handles so many events a second; the rest waits, under its lease. Each event counts once,
    /// whatever its attempts.
    pub fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.rate = Some(limit);
        self
    }

    /// How many events are handled at a time, at least 1, of one delivery or of several. Default:
    /// 1, one after the other. For handlers that wait, e.g. for a database which takes many at
    /// once; they share one task, so it is no way to use more processors.
    ///
    /// Events of one entity stay in order: the later one begins when the earlier one has ended,
    /// retries and dead letter included. An entity is its name on a topic of a world; the events
    /// of a topic that name none are in order among themselves, as if they had one entity. For
    /// handlers that need less there is [`Router::order`].
    ///
    /// Among the events that may begin, handling begins in the order of their arrival: what a
    /// handler does before it waits for anything happens in that order.
    ///
    /// A delivery is acknowledged when all of its events have ended. Its lease is extended until
    /// then; if it is lost, what is under way of it is dropped where it waits, and the rest does
    /// not begin. An event that comes again while it is under way waits, and is left out if that
    /// succeeded.
    ///
    /// Where deliveries hold few events each, more than 16 at a time need [`Router::in_flight`].
    pub fn concurrency(mut self, count: usize) -> Self {
        self.limits.concurrency = count.max(1);
        self
    }

    /// Which events may be under way at the same time, with a [`Router::concurrency`] above 1.
    /// Default: [`Order::PerEntity`].
    pub fn order(mut self, order: Order) -> Self {
        self.limits.order = order;
        self
    }

    /// Bytes of batches beyond which no further delivery is taken while those that were taken are
    /// not handled. What is held is at most this and one batch. With 0, deliveries are handled one
    /// after the other, and several events of each at a time. Default: [`PREFETCH_BYTES`]. It
    /// counts with a [`Router::concurrency`] above 1; else it is as with 0.
    pub fn prefetch_bytes(mut self, bytes_max: usize) -> Self {
        self.limits.prefetch_bytes = bytes_max;
        self
    }

    /// Deliveries of this instance that are not settled, at most, in batches: those that it
    /// handles and those that the transport has fetched ahead. Default: 16. More of them keep more
    /// small deliveries under way, fewer leave more to other instances.
    ///
    /// [`Router::open`] refuses 0 and more than
    /// [`IN_FLIGHT_COUNT_MAX`](crate::limits::IN_FLIGHT_COUNT_MAX) as `Invalid`.
    pub fn in_flight(mut self, batches: u32) -> Self {
        self.spec.in_flight_max = batches;
        self
    }

    /// Who consumes, for people: shown in dead letters.
    pub fn consumer(mut self, name: &str) -> Self {
        self.spec.consumer = name.to_owned();
        self
    }

    /// Wraps all handlers, outside of retry and of the other layers that a router is given: it sees
    /// each event once. The last added is the outermost.
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
    /// handler, or with a breaker that opens too late.
    pub async fn open(mut self) -> Result<OpenRouter, Error> {
        if self.handlers.is_empty() {
            let context = format!("subscription {} has no handler", self.spec.name);
            return Err(Error::refused(Kind::Invalid, context));
        }
        let attempts_max = self.retry.attempts_max.max(1);
        if let Some(breaker) = self.breaker.as_ref().filter(|it| it.failures_max() > attempts_max) {
            let context = format!(
                "{breaker:?} opens after {} failures, and an event has {attempts_max} attempts; \
                 let it open after as many at the most",
                breaker.failures_max()
            );
            return Err(Error::refused(Kind::Invalid, context));
        }
        // Of the types only those come that have a handler.
        let within = self.spec.filter.clone();
        self.spec.filter.types = self.handlers.keys().copied().collect();
        let lease = self.spec.lease;
        let consumer = self.bus.transport().subscribe(self.spec).await?;
        let (retry, breaker, timeout) = (self.retry, self.breaker, self.timeout);
        let (wall, system) =
            (Arc::clone(self.bus.wall()), self.bus.transport().messaging_systems().1);
        let needs = Needs { retry, breaker, timeout, wall, system };
        let wrap = |make: Make| {
            let handler = make(&needs);
            let handler = match &self.rate {
                Some(limit) => BoxHandler::new(limit.around(handler)),
                None => handler,
            };
            self.layers.iter().fold(handler, |inner, layer| layer(inner))
        };
        let handlers = self.handlers.into_iter().map(|(number, make)| (number, wrap(make)));
        let handlers = handlers.collect();
        let settler = consumer.settler();
        let seen = Mutex::default();
        let work = Work { settler, handlers, within, lease, seen, bus: self.bus };
        Ok(OpenRouter::new(consumer, work, self.limits))
    }

    /// [`Router::open`] and [`OpenRouter::run`] in one.
    ///
    /// # Errors
    /// Those of both.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Error> {
        self.open().await?.run(shutdown).await
    }
}
