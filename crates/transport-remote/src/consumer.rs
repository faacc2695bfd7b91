//! A consumer of a subscription of the event-bus. While deliveries that came together are handled,
//! it asks for the next ones, so that they are on their way by then: under lease are at most
//! `in_flight_max`, which the event-bus sees to.
//!
//! A task reads the stream, so that settlements are answered although nothing waits for deliveries.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::{CancellationToken, DropGuard};
use v1::subscribe_request::Request;

use crate::channel::Client;
use crate::failure::ask;
use crate::line::{Line, SENDING_MAX};
use crate::link::{Link, Opening, Reopen, persist};
use crate::options::RemoteOptions;
use crate::settler::Settler;
use worldbus_bus::{
    Consumer, Delivered, Error, Kind, Outcome, Settle, SubscriptionName, SubscriptionSpec,
};
use worldbus_rpc::v1;

/// How long a consumer that closes waits for the end of its stream.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long it waits for settlements before it asks for a few deliveries.
const ROOM_TIMEOUT: Duration = Duration::from_millis(1);
/// Messages that were read and not taken: others are asked for when they are.
const ARRIVED_MAX: usize = 1;

/// Deliveries that came together, or why there will be no more.
type Arrived = Result<Vec<v1::Delivery>, Error>;

/// What arrives together waits here, while it asks for more.
pub(crate) struct RemoteConsumer {
    subscription: SubscriptionName,
    line: Arc<Line>,
    messages: mpsc::Receiver<Arrived>,
    arrived: VecDeque<v1::Delivery>,
    failed: Option<Error>,
    settler: Arc<Settler>,
    closed: CancellationToken,
    /// Ends the stream when it is dropped; cancelled when the rest of the stream is to be read.
    leaving: CancellationToken,
    _gone: DropGuard,
}

impl RemoteConsumer {
    pub(crate) async fn open(
        client: Client,
        spec: &SubscriptionSpec,
        options: &RemoteOptions,
        closed: CancellationToken,
    ) -> Result<Self, Error> {
        let line = Arc::new(Line::new(spec.in_flight_max as usize));
        line.ask();
        let open = Opener {
            client: client.clone(),
            request: spec.into(),
            call_timeout: options.call_timeout,
            line: Arc::clone(&line),
        };
        let stream = open.again(Duration::ZERO).await?;
        let link = Link::new(stream, "subscription", options.reconnect_for);
        let (arrived, messages) = mpsc::channel(ARRIVED_MAX);
        let (leaving, gone) = (CancellationToken::new(), CancellationToken::new());
        let reading = Reading { open, link, arrived };
        tokio::spawn(gone.clone().run_until_cancelled_owned(reading.run(leaving.clone())));
        Ok(Self {
            subscription: spec.name.clone(),
            settler: Settler::start(client, options.call_timeout, Arc::clone(&line)),
            line,
            messages,
            arrived: VecDeque::new(),
            failed: None,
            closed,
            leaving,
            _gone: gone.drop_guard(),
        })
    }

    /// What settles its deliveries.
    pub(crate) fn settles(&self) -> &Arc<Settler> {
        &self.settler
    }

    /// Waits for deliveries that come together.
    async fn arrive(&mut self) -> Arrived {
        if let Ok(message) = self.messages.try_recv() {
            return message;
        }
        // Handlers that take longer have others to go on with.
        let _ = timeout(ROOM_TIMEOUT, self.line.room()).await;
        self.line.ask();
        tokio::select! {
            biased;
            message = self.messages.recv() => message.unwrap_or_else(|| Err(closed())),
            () = self.closed.cancelled() => Err(closed()),
        }
    }
}

/// What opens the stream, first and again.
#[derive(Clone)]
struct Opener {
    client: Client,
    request: v1::Subscription,
    call_timeout: Duration,
    line: Arc<Line>,
}

impl Opener {
    fn again(&self, during: Duration) -> Opening<v1::SubscribeResponse> {
        let open = self.clone();
        persist(during, move || open.once()).boxed()
    }

    fn once(&self) -> Opening<v1::SubscribeResponse> {
        let (sender, receiver) = mpsc::channel(SENDING_MAX);
        let first = v1::SubscribeRequest { request: Some(Request::Open(self.request.clone())) };
        let requests = stream::iter([first]).chain(ReceiverStream::new(receiver));
        let (mut client, limit) = (self.client.clone(), self.call_timeout);
        self.line.open(sender);
        async move { ask(limit, client.subscribe(requests)).await }.boxed()
    }
}

/// Reads the stream for as long as the consumer is there.
struct Reading {
    open: Opener,
    link: Link<v1::SubscribeResponse>,
    arrived: mpsc::Sender<Arrived>,
}

impl Reading {
    /// Reads and reconnects until `leaving`; then what still comes.
    async fn run(mut self, leaving: CancellationToken) {
        loop {
            let reopen = |during| self.open.again(during);
            let next = tokio::select! {
                biased;
                next = self.link.next(Reopen::Always(&reopen)) => next,
                () = leaving.cancelled() => break,
            };
            match next {
                Ok(Some(message)) => take(&self.open.line, &self.arrived, message).await,
                // It would have been opened again.
                Ok(None) => return,
                Err(error) => {
                    // No one to take it: the consumer is gone.
                    let _ = self.arrived.send(Err(error)).await;
                    return;
                }
            }
        }
        let Self { open, link, arrived } = self;
        let Some(mut rest) = link.into_open() else { return };
        // What breaks off now comes again when its leases end.
        while let Ok(Some(message)) = rest.message().await {
            take(&open.line, &arrived, message).await;
        }
    }
}

async fn take(line: &Line, arrived: &mpsc::Sender<Arrived>, message: v1::SubscribeResponse) {
    let v1::SubscribeResponse { deliveries, settled } = message;
    line.came(deliveries.len(), settled);
    if !deliveries.is_empty() {
        // No one to take them: the consumer is gone.
        let _ = arrived.send(Ok(deliveries)).await;
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
                if !self.arrived.is_empty() && self.line.has_room() {
                    self.line.ask();
                }
                return delivery.into_delivered(&self.subscription);
            }
            if let Some(error) = &self.failed {
                return Err(error.clone());
            }
            match self.arrive().await {
                Ok(deliveries) => {
                    self.line.taken();
                    self.arrived.extend(deliveries);
                }
                Err(error) => self.failed = Some(error),
            }
        }
    }

    fn settler(&self) -> Arc<dyn Settle> {
        Arc::clone(&self.settler) as Arc<dyn Settle>
    }

    async fn close(mut self: Box<Self>) -> Result<(), Error> {
        self.line.end();
        self.leaving.cancel();
        let rest = async {
            while let Some(Ok(deliveries)) = self.messages.recv().await {
                self.arrived.extend(deliveries);
            }
        };
        // What may have been under way comes again when its leases end.
        let _ = timeout(LEAVE_TIMEOUT, rest).await;
        for delivery in &self.arrived {
            let lease = delivery.lease(&self.subscription)?;
            self.settler.settle(&lease, Outcome::Release).await?;
        }
        Ok(())
    }
}

pub(crate) fn closed() -> Error {
    Error::refused(Kind::Closed, "the connection to the event-bus was closed")
}
