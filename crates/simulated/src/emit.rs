//! Publishes events that carry their own ids, in order, with patience. While the bus is away the
//! events wait and the service is not ready; none is given up, since any instance can publish the
//! same ids again. Not for ordinary events, whose publisher returns what became of them.
//!
//! They are never spooled. What is missing is published again from the checkpoint, by any instance;
//! a spool would move that checkpoint past events that are on one machine only, and what is lost
//! with the machine no instance would publish again.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use worldbus_bus::{Bus, Error, Fate, Outgoing, Publisher, PublisherOptions, Topic};
use worldbus_service::Readiness;
use worldbus_service::health::Condition;

/// An answer of the bus that takes longer makes the service not ready.
const ANSWER_MS_MAX: u64 = 2_000;
/// How long the answer of the last events is awaited after the shutdown began.
const DRAIN_MS_MAX: u64 = 2_000;
/// The publisher tries a batch for as long as it takes: its order is kept by not giving up.
const TIMEOUT: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Publishes the events of one simulated service on one topic.
#[derive(Debug)]
pub struct Emitter {
    publisher: Publisher,
    topic: Topic,
    condition: Condition,
}

/// What became of emitted events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emitted {
    /// All are durable.
    Durable,
    /// The shutdown came first: emit them again at the next start.
    Interrupted,
}

impl Emitter {
    /// An emitter of `source` in `world`; its condition is registered as "`source`: bus".
    ///
    /// # Errors
    /// `Invalid` if the topic is no name.
    pub fn new(
        bus: &Bus,
        source: &str,
        world: &str,
        topic: &str,
        readiness: &Readiness,
    ) -> Result<Self, Error> {
        let options = PublisherOptions { timeout: TIMEOUT, ..PublisherOptions::new(source, world) };
        Ok(Self {
            publisher: bus.publisher_with(options),
            topic: Topic::new(topic)?,
            condition: readiness.condition(format!("{source}: bus")),
        })
    }

    /// The topic.
    pub(crate) fn topic(&self) -> &Topic {
        &self.topic
    }

    /// Publishes events in order, each on the topic given with it or else on the service's own, and
    /// waits until all are durable or the shutdown is over. The caller bounds how many. On another
    /// topic than its own the service has no claim: what is refused there is logged and left out.
    ///
    /// # Errors
    /// What no patience mends: the bus was closed, or refuses (`Unauthorized`, `Damaged`).
    pub async fn emit<'a, I>(
        &self,
        events: I,
        shutdown: &CancellationToken,
    ) -> Result<Emitted, Error>
    where
        I: IntoIterator<Item = (Option<&'a Topic>, Outgoing<'a>)>,
    {
        let mut pending = Vec::new();
        for (topic, event) in events {
            match self.publisher.enqueue_raw(topic.unwrap_or(&self.topic), event).await {
                Ok(answer) => pending.push((topic, answer)),
                Err(error) => left_out(topic, error)?,
            }
        }
        let answers = async {
            for (topic, answer) in pending {
                if let Err(error) = answer.await {
                    left_out(topic, error)?;
                }
            }
            Ok(())
        };
        tokio::select! {
            result = self.watch(answers) => result.map(|()| Emitted::Durable),
            () = drained(shutdown) => Ok(Emitted::Interrupted),
        }
    }

    async fn watch(&self, answers: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
        tokio::pin!(answers);
        let patience = Duration::from_millis(ANSWER_MS_MAX);
        let result = loop {
            match tokio::time::timeout(patience, &mut answers).await {
                Ok(result) => break result,
                Err(_) => self.condition.failed(self.waiting()),
            }
        };
        match &result {
            Ok(()) => self.condition.met(),
            Err(error) => self.condition.failed(error.to_string()),
        }
        result
    }

    /// Why events wait.
    fn waiting(&self) -> String {
        match self.publisher.retrying() {
            Some(error) => format!("{error}; events wait, retrying"),
            None => "the bus does not answer; events wait".to_owned(),
        }
    }
}

/// Passes an error on unless it is of a topic that is not the service's.
fn left_out(topic: Option<&Topic>, error: Error) -> Result<(), Error> {
    let Some(topic) = topic.filter(|_| error.fate() == Fate::Refused) else { return Err(error) };
    metrics::counter!("worldbus_scheduled_refused_total").increment(1);
    tracing::error!(%topic, %error, "a scheduled event was refused and is left out");
    Ok(())
}

async fn drained(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    tokio::time::sleep(Duration::from_millis(DRAIN_MS_MAX)).await;
}
