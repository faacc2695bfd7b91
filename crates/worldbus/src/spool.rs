//! A bus with a spool: an embedded log in a folder of its own, and an engine that may not be
//! there yet. How events go through it is in `worldbus-bus`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::sync::OnceCell;

use crate::{BusUrl, ConnectOptions};
use worldbus_bus::{
    Appended, Bus, Capabilities, Consumer, DeadLetter, Error, Fate, Kind, ReadSpec, Reader,
    RegisteredType, StudioTypes, SubscriptionName, SubscriptionSpec, SubscriptionStatus,
    SystemClock, Topic, TopicStatus, Transport, WallClock,
};
use worldbus_events::Batch;
use worldbus_transport_embedded::{Embedded, Options};

/// Bytes of dead letters that a spool keeps: events that the engine refused.
const DEAD_LETTER_BYTES_MAX: u64 = 64 << 20;

/// Bytes of a batch for an engine that nothing is known of: the least that SNS and SQS are set to
/// in earnest. A larger event goes alone.
const AWAITED_BATCH_BYTES_MAX: usize = 64 << 10;

/// The spool of a bus.
#[derive(Debug, Clone)]
pub struct SpoolOptions {
    /// Its folder; created if need be. One process at a time. The events in it are for the
    /// engine that the bus is opened over: another URL, another folder.
    pub dir: PathBuf,
    /// Bytes of batches that it holds; beyond them publishers wait. At least 2 MiB.
    pub bytes_max: u64,
}

impl SpoolOptions {
    /// The default of [`SpoolOptions::bytes_max`].
    pub const BYTES_MAX: u64 = 256 << 20;

    /// A spool of 256 MiB.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), bytes_max: Self::BYTES_MAX }
    }
}

pub(crate) async fn connect(
    url: BusUrl,
    options: ConnectOptions,
    spool: SpoolOptions,
) -> Result<Bus, Error> {
    // First: what it holds must not be forgotten because the engine is away.
    let wall: Arc<dyn WallClock> = Arc::new(SystemClock::default());
    let log = open(&spool.dir, &wall)?;
    let engine = match crate::connect::transport(&url, options.clone()).await {
        Ok(engine) => engine,
        Err(error) if error.fate() == Fate::Refused => return Err(error),
        Err(error) => {
            tracing::warn!(%error, "the engine is away; events go to the spool");
            let connect: Connect = Box::new(move || {
                let (url, options) = (url.clone(), options.clone());
                Box::pin(async move { crate::connect::transport(&url, options).await })
            });
            Arc::new(Awaited::new(connect, log.capabilities()))
        }
    };
    Bus::with_wall_clock(engine, wall).with_spool(Arc::new(log), spool.bytes_max).await
}

fn open(dir: &Path, wall: &Arc<dyn WallClock>) -> Result<Embedded, Error> {
    let options = Options {
        queue: true,
        clock: Arc::clone(wall),
        dead_letter_bytes_max: DEAD_LETTER_BYTES_MAX,
        ..Options::default()
    };
    Embedded::open(dir, options).map_err(|error| {
        let dir = dir.display();
        let context = match error.kind() {
            Kind::InUse => format!(
                "the spool {dir} is in use by another process; each needs a folder of its own: \
                 choose another --spool-dir (WORLDBUS_SPOOL_DIR)"
            ),
            _ => format!("the spool {dir} cannot be opened: {error} (--spool-dir)"),
        };
        Error::refused(error.kind(), context).with_fate(error.fate())
    })
}

type Connect = Box<dyn Fn() -> BoxFuture<'static, Result<Arc<dyn Transport>, Error>> + Send + Sync>;

/// A transport that was away when the bus was opened. Each call connects first, until one has.
struct Awaited {
    connect: Connect,
    engine: OnceCell<Arc<dyn Transport>>,
    /// What is known of an engine that was not there yet, until it is.
    capabilities: Capabilities,
}

impl Awaited {
    /// Nothing is known of what the engine can do, so nothing is promised. Batches are small, since
    /// it may take no more; what is too large for it all the same is taken apart when it is there.
    fn new(connect: Connect, log: &Capabilities) -> Self {
        let capabilities = Capabilities {
            transport: "awaited",
            has: Vec::new(),
            batch_bytes_max: AWAITED_BATCH_BYTES_MAX,
            ..log.clone()
        };
        Self { connect, engine: OnceCell::new(), capabilities }
    }

    async fn engine(&self) -> Result<&Arc<dyn Transport>, Error> {
        self.engine.get_or_try_init(|| (self.connect)()).await
    }
}

#[async_trait]
impl Transport for Awaited {
    fn capabilities(&self) -> &Capabilities {
        self.engine.get().map_or(&self.capabilities, |engine| engine.capabilities())
    }

    fn world(&self) -> Option<&str> {
        self.engine.get()?.world()
    }

    async fn publish(&self, topic: &Topic, batch: Batch) -> Result<Appended, Error> {
        // Nothing was sent when connecting failed, whatever that says of itself.
        let engine = self.engine().await.map_err(|error| match error.fate() {
            Fate::Unknown => error.with_fate(Fate::Retry),
            _ => error,
        })?;
        engine.publish(topic, batch).await
    }

    async fn subscribe(&self, spec: SubscriptionSpec) -> Result<Box<dyn Consumer>, Error> {
        self.engine().await?.subscribe(spec).await
    }

    async fn read(&self, spec: ReadSpec) -> Result<Box<dyn Reader>, Error> {
        self.engine().await?.read(spec).await
    }

    async fn topics(&self) -> Result<Vec<TopicStatus>, Error> {
        self.engine().await?.topics().await
    }

    async fn next_commit(&self) -> Result<Option<u64>, Error> {
        self.engine().await?.next_commit().await
    }

    async fn subscriptions(&self) -> Result<Vec<SubscriptionStatus>, Error> {
        self.engine().await?.subscriptions().await
    }

    async fn delete_topic(&self, name: &Topic, force: bool) -> Result<(), Error> {
        self.engine().await?.delete_topic(name, force).await
    }

    async fn delete_subscription(&self, name: &SubscriptionName, force: bool) -> Result<(), Error> {
        self.engine().await?.delete_subscription(name, force).await
    }

    async fn studio_types(&self) -> Result<StudioTypes, Error> {
        self.engine().await?.studio_types().await
    }

    async fn register_types(&self, set: Bytes) -> Result<Vec<RegisteredType>, Error> {
        self.engine().await?.register_types(set).await
    }

    async fn dead_letter_page(
        &self,
        subscription: Option<&SubscriptionName>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        self.engine().await?.dead_letter_page(subscription, after, limit).await
    }

    async fn dead_letter_count(&self) -> Result<Option<u64>, Error> {
        self.engine().await?.dead_letter_count().await
    }

    async fn dead_letters(
        &self,
        subscription: Option<&SubscriptionName>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        self.engine().await?.dead_letters(subscription, limit).await
    }

    async fn replay_dead_letters(
        &self,
        subscription: &SubscriptionName,
        ids: &[String],
    ) -> Result<Vec<String>, Error> {
        self.engine().await?.replay_dead_letters(subscription, ids).await
    }

    async fn discard_dead_letters(
        &self,
        subscription: &SubscriptionName,
        ids: &[String],
    ) -> Result<Vec<String>, Error> {
        self.engine().await?.discard_dead_letters(subscription, ids).await
    }

    async fn close(&self) -> Result<(), Error> {
        match self.engine.get() {
            Some(engine) => engine.close().await,
            None => Ok(()),
        }
    }
}

#[cfg(all(test, feature = "remote"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_is_promised_of_an_engine_that_is_away() {
        let dir = tempfile::tempdir().unwrap();
        // A port that was free a moment ago: nothing listens there.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let spool = SpoolOptions::new(dir.path());
        let bus =
            connect(BusUrl::Remote(format!("http://{free}")), ConnectOptions::default(), spool)
                .await;
        let bus = bus.unwrap();
        let capabilities = bus.transport().capabilities();
        assert_eq!((capabilities.transport, &capabilities.has[..]), ("awaited", &[][..]));
        assert!(capabilities.batch_bytes_max < worldbus_events::limits::BATCH_BYTES_MAX);
    }
}
