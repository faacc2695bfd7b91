//! Settlements and dead letters on their way to the event-bus.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::channel::Client;
use crate::failure::{change, late};
use crate::line::Line;
use worldbus_bus::limits::check_dead_events;
use worldbus_bus::{DeadEvent, Error, Gather, GatherLimits, Kind, Lease, Outcome, Settle};
use worldbus_events::limits::BATCH_EVENTS_MAX;
use worldbus_rpc::limits::{GATHER_BYTES, SETTLE_COUNT_MAX};
use worldbus_rpc::v1;

/// Bytes of a settlement in a message, about.
const SETTLEMENT_BYTES: usize = 128;

/// Bytes of a dead event in a message besides its reason, about.
const DEAD_EVENT_BYTES: usize = 48;

/// What goes into one message to the event-bus.
const GATHER_LIMITS: GatherLimits =
    GatherLimits { count_max: SETTLE_COUNT_MAX, bytes_max: GATHER_BYTES, linger: Duration::ZERO };

/// Settles the deliveries of a consumer: on its stream, and by calls where that is not open, since
/// leases outlive streams.
pub(crate) struct Settler {
    client: Client,
    call_timeout: Duration,
    gather: Gather<v1::Settlement, ()>,
}

impl Settler {
    pub(crate) fn start(client: Client, call_timeout: Duration, line: Arc<Line>) -> Arc<Self> {
        let stub = client.clone();
        let call = move |settlements| {
            let (mut stub, line) = (stub.clone(), Arc::clone(&line));
            async move {
                let request = v1::SettleRequest { settlements };
                let response = match line.settle(request) {
                    Ok(answer) => answered(call_timeout, answer).await?,
                    Err(request) => change(call_timeout, stub.settle(request)).await?,
                };
                let results = response.results.into_iter();
                Ok(results.map(|result| result.error.map_or(Ok(()), |e| Err(e.into()))).collect())
            }
            .boxed()
        };
        Arc::new(Self {
            client,
            call_timeout,
            gather: Gather::start(GATHER_LIMITS, Box::new(call)),
        })
    }

    /// Takes no more settlements; waits for those under way.
    pub(crate) async fn close(&self) {
        self.gather.close().await;
    }
}

#[async_trait]
impl Settle for Settler {
    async fn settle(&self, lease: &Lease, outcome: Outcome) -> Result<(), Error> {
        outcome.check()?;
        let settlement =
            v1::Settlement { lease: Some(lease.into()), outcome: Some(outcome.into()) };
        self.gather.send(settlement, SETTLEMENT_BYTES).await
    }

    async fn dead_letter(&self, lease: &Lease, events: Vec<DeadEvent>) -> Result<(), Error> {
        let mut events = check_dead_events(events, BATCH_EVENTS_MAX)?;
        while !events.is_empty() {
            let rest = events.split_off(fitting(&events));
            let part = std::mem::replace(&mut events, rest);
            let part = part.iter().map(Into::into).collect();
            let request = v1::DeadLetterRequest { lease: Some(lease.into()), events: part };
            let mut client = self.client.clone();
            change(self.call_timeout, client.dead_letter(request)).await?;
        }
        Ok(())
    }
}

/// The answer that comes on the stream.
async fn answered(
    limit: Duration,
    answer: oneshot::Receiver<v1::SettleResponse>,
) -> Result<v1::SettleResponse, Error> {
    let answer = timeout(limit, answer).await.map_err(|_| late(limit))?;
    answer.map_err(|_| {
        let context = "the connection to the event-bus broke while deliveries were settled";
        Error::unknown(Kind::Unavailable, context)
    })
}

/// How many of the events go into one message; at least one.
fn fitting(events: &[DeadEvent]) -> usize {
    let mut bytes = 0;
    let beyond = events.iter().position(|event| {
        bytes += event.reason.len() + DEAD_EVENT_BYTES;
        bytes > GATHER_BYTES
    });
    beyond.unwrap_or(events.len()).max(1)
}
