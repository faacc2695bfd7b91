//! Waiting for what must happen, and a little for what must not.

use std::future::Future;
use std::time::Duration;
use worldbus_bus::{Consumer, Delivered, Outcome, ReadSpec, StoredBatch, Transport};

/// How long a condition may take on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// How long nothing must happen where nothing is expected.
const QUIET: Duration = Duration::from_millis(60);

/// What a future gives, if it does in time.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("not in time: {what}"),
    }
}

/// The next delivery, in time.
pub async fn next(consumer: &mut Box<dyn Consumer>) -> Delivered {
    soon("a delivery", consumer.next()).await.unwrap()
}

pub(crate) async fn nothing(consumer: &mut Box<dyn Consumer>) {
    let delivered = tokio::time::timeout(QUIET, consumer.next()).await;
    assert!(delivered.is_err(), "nothing was expected: {delivered:?}");
}

pub(crate) async fn ack(consumer: &dyn Consumer, delivered: &Delivered) {
    consumer.settler().settle(&delivered.lease, Outcome::Ack).await.unwrap();
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
