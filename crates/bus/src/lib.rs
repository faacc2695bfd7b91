//! Publish and subscribe, whatever carries the batches.
//!
//! Publishing a typed event and consuming one, over any transport:
//!
//! ```no_run
//! use worldbus_bus::{Bus, HandlerError, Message, Router};
//! use worldbus_events::v1::{WeatherChanged, WeatherState};
//!
//! # async fn example(bus: Bus, shutdown: tokio_util::sync::CancellationToken)
//! # -> Result<(), worldbus_bus::Error> {
//! let publisher = bus.publisher("weather-manager", "europe");
//! let rain = WeatherChanged { new_state: WeatherState::Rain.into(), ..Default::default() };
//! let event_id = publisher.publish_about("brussels", &rain).await?; // durable from here on
//!
//! let router = Router::new(&bus, "weather-watch")?.on(
//!     |event: WeatherChanged, message: Message| async move {
//!         println!("{:?}: {:?}", message.entity(), event.new_state());
//!         Ok::<(), HandlerError>(())
//!     },
//! )?;
//! router.run(shutdown).await
//! # }
//! ```
//!
//! Not for: any vendor (transports are crates of their own), the meaning of events (`events`).

mod bus;
mod calls;
mod counted;
mod error;
mod names;
mod publish;
mod request;
mod route;
mod spool;
pub mod trace;
mod transport;
mod wall;

pub use bus::Bus;
pub use calls::{Backoff, Call, Gather, GatherLimits};
pub use counted::counted;
pub use error::{Error, Fate, Kind, with_causes};
pub use names::{SubscriptionName, Topic};
pub use publish::{Outgoing, Pending, PendingReceipt, Publisher, PublisherOptions, Receipt};
pub use request::{REQUESTS_COUNT_MAX, Requester};
pub use route::{
    BoxError, BoxHandler, Breaker, Broken, CAUSATION, CORRELATION, Handler, HandlerError, Limited,
    Message, OpenRouter, Order, PREFETCH_BYTES, RateLimit, Retry, RetryPolicy, Router, SeenLimits,
    SeenWindow, Timeout, Trace,
};
/// What ends [`Router::run`].
pub use tokio_util::sync::CancellationToken;
pub use transport::{
    Appended, Capabilities, Capability, Consumer, DeadContent, DeadEvent, DeadLetter, Delivered,
    Filter, Gap, GapReason, Lease, LogEnd, LogId, Notice, Outcome, Position, RESUME_OVERLAP,
    ReadSpec, Reader, RegisteredType, Resume, Serial, Settle, StoredBatch, StudioTypes,
    SubscriptionSpec, SubscriptionStatus, TopicStatus, Transport, Wrap, limits, lists_nothing,
};
pub use wall::{ManualClock, SystemClock, WallClock};
