//! Waiting for what must happen, and a little for what must not.

use std::future::Future;
use std::time::Duration;

use crate::engine::Pace;
use worldbus_bus::{Consumer, Delivered, Outcome, ReadSpec, StoredBatch, Transport};

tokio::task_local! {
    /// The pace of the engine that is checked.
    pub(crate) static PACE: Pace;
}

/// The pace of the engine that is checked; outside of a check, the default.
pub(crate) fn pace() -> Pace {
    PACE.try_with(|pace| *pace).unwrap_or_default()
}

/// What a future gives, if it does in time.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    // What is always ready would never let go, and a check that does not end could not be ended.
    tokio::task::consume_budget().await;
    match tokio::time::timeout(pace().deadline, future).await {
        Ok(value) => value,
        Err(_) => panic!("not in time: {what}"),
    }
}

/// The next delivery, in time.
pub async fn next(consumer: &mut Box<dyn Consumer>) -> Delivered {
    soon("a delivery", consumer.next()).await.unwrap()
}

/// The next delivery, if one comes before it is quiet.
pub(crate) async fn perhaps(consumer: &mut Box<dyn Consumer>) -> Option<Delivered> {
    tokio::time::timeout(pace().quiet, consumer.next()).await.ok().map(Result::unwrap)
}

pub(crate) async fn nothing(consumer: &mut Box<dyn Consumer>) {
    let delivered = perhaps(consumer).await;
    assert!(delivered.is_none(), "nothing was expected: {delivered:?}");
}

/// The next delivery of either of two consumers that compete, and whether the second has it.
pub(crate) async fn either(
    first: &mut Box<dyn Consumer>,
    second: &mut Box<dyn Consumer>,
) -> (Delivered, bool) {
    let next = async {
        tokio::select! {
            delivered = first.next() => (delivered.unwrap(), false),
            delivered = second.next() => (delivered.unwrap(), true),
        }
    };
    soon("a delivery to either", next).await
}

/// Settles a delivery, which must be the consumer's still. Holds no consumer while it waits: one is
/// not shared between threads.
pub(crate) fn settle<'a>(
    consumer: &dyn Consumer,
    delivered: &'a Delivered,
    outcome: Outcome,
) -> impl Future<Output = ()> + Send + use<'a> {
    let settler = consumer.settler();
    async move {
        let settled = settler.settle(&delivered.lease, outcome).await;
        settled.unwrap_or_else(|error| panic!("{outcome:?} of {:?}: {error}", delivered.lease));
    }
}

pub(crate) fn ack<'a>(
    consumer: &dyn Consumer,
    delivered: &'a Delivered,
) -> impl Future<Output = ()> + Send + use<'a> {
    settle(consumer, delivered, Outcome::Ack)
}

/// What a reader that does not follow reads.
pub async fn read_all(transport: &dyn Transport, spec: ReadSpec) -> Vec<StoredBatch> {
    let mut reader = transport.read(spec).await.unwrap();
    let mut all = Vec::new();
    while let Some(stored) = soon("a stored batch", reader.next()).await.unwrap() {
        all.push(stored);
    }
    all
}

/// Lets wall time pass: for the end of a lease, which no signal announces.
pub(crate) async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Polls once.
pub(crate) async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}
