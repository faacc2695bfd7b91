//! Settlements and dead letters on their way to the event-bus.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;

use crate::channel::Client;
use crate::failure::change;
use worldbus_bus::limits::check_dead_events;
use worldbus_bus::{DeadEvent, Error, Gather, GatherLimits, Lease, Outcome, Settle};
use worldbus_events::limits::BATCH_EVENTS_MAX;
use worldbus_rpc::limits::{GATHER_BYTES, GATHER_COUNT_MAX};
use worldbus_rpc::v1;

/// Bytes of a settlement in a message, about.
const SETTLEMENT_BYTES: usize = 128;

/// Bytes of a dead event in a message besides its reason, about.
const DEAD_EVENT_BYTES: usize = 48;

/// What goes into one message to the event-bus.
pub(crate) const GATHER_LIMITS: GatherLimits =
    GatherLimits { count_max: GATHER_COUNT_MAX, bytes_max: GATHER_BYTES, linger: Duration::ZERO };

/// Settles deliveries of every consumer of one connection.
pub(crate) struct Settler {
    client: Client,
    call_timeout: Duration,
    gather: Gather<v1::Settlement, ()>,
}

impl Settler {
    pub(crate) fn start(client: Client, call_timeout: Duration) -> Arc<Self> {
        let stub = client.clone();
        let call = move |settlements| {
            let mut stub = stub.clone();
            async move {
                let request = v1::SettleRequest { settlements };
                let response = change(call_timeout, stub.settle(request)).await?;
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

/// How many of the events go into one message; at least one.
fn fitting(events: &[DeadEvent]) -> usize {
    let mut bytes = 0;
    let beyond = events.iter().position(|event| {
        bytes += event.reason.len() + DEAD_EVENT_BYTES;
        bytes > GATHER_BYTES
    });
    beyond.unwrap_or(events.len()).max(1)
}
