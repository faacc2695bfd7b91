//! A transport whose publishers a test watches or holds up: all else goes through to the log.
//! Not here: transports that fail (the bus's own tests), or break the contract (`conformance`).

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use worldbus_bus::{Appended, Capabilities, Error, Topic, Transport, Wrap};
use worldbus_events::Batch;

type First = Box<dyn Fn(&Topic, &Batch) -> BoxFuture<'static, ()> + Send + Sync>;

/// Carries what is published once what a test wants to do first is done.
pub struct Watched {
    log: Arc<dyn Transport>,
    first: First,
}

impl Watched {
    /// A log, and what is done before each publish.
    pub fn new<F>(
        log: Arc<dyn Transport>,
        first: impl Fn(&Topic, &Batch) -> F + Send + Sync + 'static,
    ) -> Arc<Self>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let first: First = Box::new(move |topic, batch| Box::pin(first(topic, batch)));
        Arc::new(Self { log, first })
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").finish_non_exhaustive()
    }
}

#[async_trait]
impl Wrap for Watched {
    fn inner(&self) -> Option<&dyn Transport> {
        Some(&*self.log)
    }

    fn capabilities(&self) -> &Capabilities {
        self.log.capabilities()
    }

    async fn publish(&self, topic: &Topic, batch: Batch) -> Result<Appended, Error> {
        (self.first)(topic, &batch).await;
        self.log.publish(topic, batch).await
    }
}
