//! A consumer of a subscription of the event-bus.

use crate::channel::Client;
use crate::failure::{ask, broken};
use crate::link::{Link, Opening, Reopen, persist};
use crate::options::RemoteOptions;
use crate::settler::Settler;
use async_trait::async_trait;
use futures_util::FutureExt as _;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::Streaming;
use worldbus_bus::{
    Consumer, Delivered, Error, Kind, Outcome, Settle, SubscriptionName, SubscriptionSpec,
};
use worldbus_rpc::v1;

/// How long a consumer that closes waits for the end of its stream.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(2);

/// Takes deliveries as they come; the event-bus sends no more than asked for.
pub(crate) struct RemoteConsumer {
    open: Opener,
    link: Link<v1::SubscribeResponse>,
    arrived: VecDeque<v1::Delivery>,
    settler: Arc<Settler>,
    closed: CancellationToken,
}

/// What opens the stream, first and again.
struct Opener {
    client: Client,
    request: v1::SubscribeRequest,
    subscription: SubscriptionName,
    call_timeout: Duration,
}

impl RemoteConsumer {
    pub(crate) async fn open(
        client: Client,
        spec: &SubscriptionSpec,
        options: &RemoteOptions,
        settler: Arc<Settler>,
        closed: CancellationToken,
    ) -> Result<Self, Error> {
        let stream_id = getrandom::u64().map_err(|error| {
            Error::retry(Kind::Unavailable, format!("no random numbers: {error}"))
        })?;
        let open = Opener {
            client,
            request: v1::SubscribeRequest { stream_id, ..spec.into() },
            subscription: spec.name.clone(),
            call_timeout: options.call_timeout,
        };
        let stream = open.once().await?;
        let link = Link::new(stream, "subscription", options.reconnect_for);
        Ok(Self { open, link, arrived: VecDeque::new(), settler, closed })
    }
}

impl Opener {
    fn once(&self) -> Opening<v1::SubscribeResponse> {
        let (mut client, request) = (self.client.clone(), self.request.clone());
        let limit = self.call_timeout;
        async move { ask(limit, client.subscribe(request)).await }.boxed()
    }

    fn again(&self, during: Duration) -> Opening<v1::SubscribeResponse> {
        let (client, request) = (self.client.clone(), self.request.clone());
        let limit = self.call_timeout;
        let attempt = move || {
            let (mut client, request) = (client.clone(), request.clone());
            async move { ask(limit, client.subscribe(request)).await }
        };
        persist(during, attempt).boxed()
    }

    /// Has the event-bus end the stream; what still comes on it.
    async fn leave(
        &self,
        stream: Option<Streaming<v1::SubscribeResponse>>,
    ) -> Result<Vec<v1::Delivery>, Error> {
        let request = v1::LeaveRequest { stream_id: self.request.stream_id };
        ask(self.call_timeout, self.client.clone().leave(request)).await?;
        let mut rest = Vec::new();
        if let Some(mut stream) = stream {
            while let Some(message) = stream.message().await.map_err(|status| broken(&status))? {
                rest.extend(message.deliveries);
            }
        }
        Ok(rest)
    }
}

#[async_trait]
impl Consumer for RemoteConsumer {
    async fn next(&mut self) -> Result<Delivered, Error> {
        let reopen = |during| self.open.again(during);
        loop {
            if self.closed.is_cancelled() {
                return Err(closed());
            }
            if let Some(delivery) = self.arrived.pop_front() {
                return delivery.into_delivered(&self.open.subscription);
            }
            let message = tokio::select! {
                biased;
                message = self.link.next(Reopen::Always(&reopen)) => message?,
                () = self.closed.cancelled() => return Err(closed()),
            };
            self.arrived.extend(message.into_iter().flat_map(|message| message.deliveries));
        }
    }

    fn settler(&self) -> Arc<dyn Settle> {
        Arc::clone(&self.settler) as Arc<dyn Settle>
    }

    async fn close(self: Box<Self>) -> Result<(), Error> {
        let Self { open, link, arrived, settler, .. } = *self;
        let stream = link.into_open();
        let rest = match timeout(LEAVE_TIMEOUT, open.leave(stream)).await {
            Ok(Ok(rest)) => rest,
            // What may have been under way comes again when its leases end.
            Ok(Err(_)) | Err(_) => Vec::new(),
        };
        let release = async |delivery: &v1::Delivery| {
            let lease = delivery.lease(&open.subscription)?;
            settler.settle(&lease, Outcome::Release).await
        };
        for delivery in arrived.iter().chain(&rest) {
            release(delivery).await?;
        }
        Ok(())
    }
}

pub(crate) fn closed() -> Error {
    Error::refused(Kind::Closed, "the connection to the event-bus was closed")
}
