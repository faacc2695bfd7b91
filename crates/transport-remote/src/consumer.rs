//! A consumer of a subscription of the event-bus. While deliveries that came together are handled,
//! it asks for the next ones, so that they are on their way by then: under lease are at most
//! `in_flight_max`, which the event-bus sees to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Streaming;
use v1::subscribe_request::{More, Request};

use crate::channel::Client;
use crate::failure::{ask, broken};
use crate::link::{Link, Opening, Reopen, persist};
use crate::options::RemoteOptions;
use crate::settler::Settler;
use worldbus_bus::{
    Consumer, Delivered, Error, Kind, Outcome, Settle, SubscriptionName, SubscriptionSpec,
};
use worldbus_rpc::v1;

/// How long a consumer that closes waits for the end of its stream.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(2);
/// Requests for more that wait to be sent: one is enough, since asking twice changes nothing.
const ASKING_MAX: usize = 1;

/// What arrives together waits here, while it asks for more.
pub(crate) struct RemoteConsumer {
    open: Opener,
    link: Link<v1::SubscribeResponse>,
    arrived: VecDeque<v1::Delivery>,
    /// Whether an answer of the event-bus is under way. A stream that is opened asks itself.
    asked: bool,
    settler: Arc<Settler>,
    closed: CancellationToken,
}

/// What opens the stream, first and again.
#[derive(Clone)]
struct Opener {
    client: Client,
    request: v1::Subscription,
    subscription: SubscriptionName,
    call_timeout: Duration,
    /// Our side of the stream that is open.
    asking: Arc<Mutex<Option<mpsc::Sender<v1::SubscribeRequest>>>>,
}

impl RemoteConsumer {
    pub(crate) async fn open(
        client: Client,
        spec: &SubscriptionSpec,
        options: &RemoteOptions,
        settler: Arc<Settler>,
        closed: CancellationToken,
    ) -> Result<Self, Error> {
        let open = Opener {
            client,
            request: spec.into(),
            subscription: spec.name.clone(),
            call_timeout: options.call_timeout,
            asking: Arc::default(),
        };
        let stream = open.again(Duration::ZERO).await?;
        let link = Link::new(stream, "subscription", options.reconnect_for);
        Ok(Self { open, link, arrived: VecDeque::new(), asked: true, settler, closed })
    }
}

impl RemoteConsumer {
    fn ask(&mut self) {
        if !std::mem::replace(&mut self.asked, true) {
            self.open.ask_more();
        }
    }
}

impl Opener {
    fn again(&self, during: Duration) -> Opening<v1::SubscribeResponse> {
        let open = self.clone();
        persist(during, move || open.once()).boxed()
    }

    /// Opens the stream and asks for the first deliveries.
    fn once(&self) -> Opening<v1::SubscribeResponse> {
        let (sender, receiver) = mpsc::channel(ASKING_MAX);
        let first = [Request::Open(self.request.clone()), Request::More(More {})];
        let first = first.map(|request| v1::SubscribeRequest { request: Some(request) });
        let requests = stream::iter(first).chain(ReceiverStream::new(receiver));
        let (mut client, limit) = (self.client.clone(), self.call_timeout);
        let asking = Arc::clone(&self.asking);
        async move {
            let stream = ask(limit, client.subscribe(requests)).await?;
            *asking.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
            Ok(stream)
        }
        .boxed()
    }

    fn ask_more(&self) {
        let asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(asking) = &*asking {
            // Full: it is being asked. Closed: the stream broke and is reopened.
            let more = v1::SubscribeRequest { request: Some(Request::More(More {})) };
            let _ = asking.try_send(more);
        }
    }

    /// Ends our side; what still comes from the other.
    async fn leave(
        &self,
        stream: Option<Streaming<v1::SubscribeResponse>>,
    ) -> Result<Vec<v1::Delivery>, Error> {
        self.asking.lock().unwrap_or_else(PoisonError::into_inner).take();
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
        loop {
            if self.closed.is_cancelled() {
                return Err(closed());
            }
            if let Some(delivery) = self.arrived.pop_front() {
                // Not behind the last: while its handler works, a lease that ends is left to it.
                if !self.arrived.is_empty() {
                    self.ask();
                }
                return delivery.into_delivered(&self.open.subscription);
            }
            self.ask();
            let reopen = |during| self.open.again(during);
            let message = tokio::select! {
                biased;
                message = self.link.next(Reopen::Always(&reopen)) => message?,
                () = self.closed.cancelled() => return Err(closed()),
            };
            self.arrived.extend(message.into_iter().flat_map(|message| message.deliveries));
            self.asked = false;
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
