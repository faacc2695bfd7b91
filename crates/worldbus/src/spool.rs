//! A bus with a spool: an embedded log in a folder of its own, and an engine that may not be
//! there yet. How events go through it is in `worldbus-bus`.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tokio::sync::OnceCell;

use crate::BusUrl;
use crate::options::{ConnectOptions, SpoolOptions};
use crate::transport::transport;
use worldbus_bus::{
    Appended, Bus, Capabilities, Error, Fate, Kind, SystemClock, Topic, Transport, WallClock, Wrap,
};
use worldbus_events::Batch;
use worldbus_transport_embedded::{Embedded, Options};

/// Bytes of dead letters that a spool keeps: events that the engine refused.
const DEAD_LETTER_BYTES_MAX: u64 = 64 << 20;

/// Bytes of a batch for an engine that nothing is known of: the least that SNS and SQS are set to
/// in earnest. A larger event goes alone.
const AWAITED_BATCH_BYTES_MAX: usize = 64 << 10;

pub(crate) async fn connect(
    url: BusUrl,
    options: ConnectOptions,
    spool: SpoolOptions,
) -> Result<Bus, Error> {
    // First: what it holds must not be forgotten because the engine is away.
    let wall: Arc<dyn WallClock> = Arc::new(SystemClock::default());
    let log = open(&spool.dir, &wall)?;
    let engine = match transport(&url, options.clone()).await {
        Ok(engine) => engine,
        Err(error) if error.fate() == Fate::Refused => return Err(error),
        Err(error) => {
            tracing::warn!(%error, "the engine is away; events go to the spool");
            let connect: Connect = Box::new(move || {
                let (url, options) = (url.clone(), options.clone());
                Box::pin(async move { transport(&url, options).await })
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
        error.with_context(context)
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
}

#[async_trait]
impl Wrap for Awaited {
    fn inner(&self) -> Option<&dyn Transport> {
        self.engine.get().map(|engine| &**engine)
    }

    async fn reach(&self) -> Result<&dyn Transport, Error> {
        self.engine.get_or_try_init(|| (self.connect)()).await.map(|engine| &**engine)
    }

    fn capabilities(&self) -> &Capabilities {
        self.engine.get().map_or(&self.capabilities, |engine| engine.capabilities())
    }

    async fn publish(&self, topic: &Topic, batch: Batch) -> Result<Appended, Error> {
        // Nothing was sent when connecting failed, whatever fate that error has.
        let engine = self.reach().await.map_err(|error| match error.fate() {
            Fate::Unknown => error.with_fate(Fate::Retry),
            _ => error,
        })?;
        engine.publish(topic, batch).await
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
