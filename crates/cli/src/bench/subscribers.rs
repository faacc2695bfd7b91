//! The other side: subscriptions that each get every event. Events are handled by a router, one by
//! one, decoded; ready batches are acknowledged as they are, as one does who hands them on.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::batches::Sent;
use super::load::{Load, TOPICS_EACH};
use super::tally::Tally;
use worldbus_bus::{
    Bus, Consumer, Error, HandlerError, Kind, Message, OpenRouter, Outcome, Router,
    SubscriptionName, SubscriptionSpec, Topic,
};
use worldbus_events::Event as _;
use worldbus_events::v1::TimeUpdated;
use worldbus_service::CancellationToken;

/// Acks of batches that have no answer yet; as many as a router has.
const SETTLING_COUNT_MAX: usize = 64;

/// Deliveries that a router has in flight: its handler takes microseconds, and with many topics a
/// delivery is one event.
const IN_FLIGHT: u32 = 256;

/// Subscriptions that are open, each with what is done to its events.
pub(super) struct Subscribers {
    tasks: JoinSet<Result<(), Error>>,
    shutdown: CancellationToken,
}

impl Subscribers {
    /// Opens the subscriptions of a subscriber on each bus; `sent` is there for ready batches.
    pub(super) async fn open(
        buses: &[Bus],
        names: &[Vec<SubscriptionName>],
        load: &Arc<Load>,
        tally: &Arc<Tally>,
        sent: Option<&Arc<Sent>>,
    ) -> Result<Self, Error> {
        let (mut tasks, shutdown) = (JoinSet::new(), CancellationToken::new());
        let topics = || load.topics.chunks(TOPICS_EACH);
        let subscriptions =
            buses.iter().zip(names).enumerate().flat_map(|(index, (bus, names))| {
                names.iter().zip(topics()).map(move |(name, topics)| (index, bus, name, topics))
            });
        for (index, bus, name, topics) in subscriptions {
            let (tally, shutdown) = (Arc::clone(tally), shutdown.clone());
            match sent {
                None => {
                    let router = router(bus, name, topics, load, tally, index).await?;
                    tasks.spawn(router.run(shutdown));
                }
                Some(sent) => {
                    let mut spec = SubscriptionSpec::new(name.clone(), topics.to_vec());
                    spec.in_flight_max = SETTLING_COUNT_MAX as u32;
                    let consumer = bus.transport().subscribe(spec).await?;
                    let (load, sent) = (Arc::clone(load), Arc::clone(sent));
                    tasks.spawn(forward(consumer, load, tally, index, sent, shutdown));
                }
            }
        }
        Ok(Self { tasks, shutdown })
    }

    /// Whether one of them ended before it was asked to.
    pub(super) fn failed(&mut self) -> Option<Error> {
        match self.tasks.try_join_next()? {
            Ok(Err(error)) => Some(error),
            _ => Some(Error::refused(Kind::Closed, "a subscription of the run ended")),
        }
    }

    /// Settles what was handled, and closes them.
    pub(super) async fn close(mut self) -> Result<(), Error> {
        self.shutdown.cancel();
        let mut result = Ok(());
        while let Some(ended) = self.tasks.join_next().await {
            result = result.and(ended.unwrap_or(Ok(())));
        }
        result
    }
}

async fn router(
    bus: &Bus,
    name: &SubscriptionName,
    topics: &[Topic],
    load: &Load,
    tally: Arc<Tally>,
    index: usize,
) -> Result<OpenRouter, Error> {
    let source = load.source.clone();
    let handle = move |message: Message| {
        // An engine that cannot delete may hold events of an earlier run.
        let handled = match message.source() == source {
            true => take(&tally, index, &message),
            false => Ok(()),
        };
        async { handled }
    };
    let handle = Arc::new(handle);
    let router = Router::new(bus, name.as_str())?.consumer("worldbus bench");
    let mut router = router.in_flight(IN_FLIGHT);
    for topic in topics {
        let handle = Arc::clone(&handle);
        router = router.on_type(TimeUpdated::NUMBER, topic.clone(), move |message| handle(message));
    }
    router.open().await
}

fn take(tally: &Tally, index: usize, message: &Message) -> Result<(), HandlerError> {
    let event = TimeUpdated::from_payload(message.payload()).map_err(HandlerError::permanent)?;
    let sent = Duration::from_micros(event.total_minutes as u64);
    tally.handled[index].add(tally.now(), sent, 1);
    Ok(())
}

/// Acknowledges batches until `shutdown`.
async fn forward(
    mut consumer: Box<dyn Consumer>,
    load: Arc<Load>,
    tally: Arc<Tally>,
    index: usize,
    sent: Arc<Sent>,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let settler = consumer.settler();
    let mut settling = JoinSet::new();
    let result = loop {
        let delivered = tokio::select! {
            biased;
            () = shutdown.cancelled() => break Ok(()),
            delivered = consumer.next() => delivered,
        };
        let delivered = match delivered {
            Ok(delivered) => delivered,
            Err(error) => break Err(error),
        };
        if delivered.batch.source() == load.source
            && let Some(from) = sent.at(&delivered.batch)
        {
            tally.handled[index].add(tally.now(), from, delivered.batch.len() as u64);
        }
        let settler = Arc::clone(&settler);
        let ack = async move { settler.settle(&delivered.lease, Outcome::Ack).await };
        settling.spawn(ack);
        while settling.try_join_next().is_some() {}
        if settling.len() == SETTLING_COUNT_MAX {
            settling.join_next().await;
        }
    };
    while settling.join_next().await.is_some() {}
    result.and(consumer.close().await)
}
