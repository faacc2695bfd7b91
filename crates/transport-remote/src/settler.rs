//! Settlements and dead letters on their way to the event-bus.

use crate::channel::Client;
use crate::failure::change;
use async_trait::async_trait;
use futures_util::FutureExt as _;
use std::sync::Arc;
use std::time::Duration;
use worldbus_bus::{DeadEvent, Error, Gather, GatherLimits, Lease, Outcome, Settle};
use worldbus_rpc::limits::{GATHER_BYTES, GATHER_COUNT_MAX};
use worldbus_rpc::v1;

/// Bytes of a settlement in a message, about.
const SETTLEMENT_BYTES: usize = 128;

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
        let settlement =
            v1::Settlement { lease: Some(lease.into()), outcome: Some(outcome.into()) };
        self.gather.send(settlement, SETTLEMENT_BYTES).await
    }

    async fn dead_letter(&self, lease: &Lease, events: Vec<DeadEvent>) -> Result<(), Error> {
        let request = v1::DeadLetterRequest {
            lease: Some(lease.into()),
            events: events.iter().map(Into::into).collect(),
        };
        let mut client = self.client.clone();
        change(self.call_timeout, client.dead_letter(request)).await.map(drop)
    }
}
