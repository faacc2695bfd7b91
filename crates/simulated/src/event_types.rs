//! The event types that a service works on, brought up to date when one is asked for that is not
//! known. Not for: where they come from, which the composition gives ([`Refresh`]).

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until, timeout};

use worldbus_events::{Catalogue, SharedCatalogue};

/// The least time from one refresh to the next, whoever asks for what.
const REFRESH_EVERY: Duration = Duration::from_secs(1);
/// How long a refresh may take.
const REFRESH_MAX: Duration = Duration::from_secs(3);

/// Brings a shared catalogue up to date with what was registered elsewhere.
#[async_trait]
pub trait Refresh: Debug + Send + Sync {
    /// Reads what is registered and replaces the catalogue; why it could not, for people.
    async fn refresh(&self) -> Result<(), String>;
}

/// The event types of a service: those of Worldbus, and of studios. Clones share them. By default
/// those of Worldbus alone.
#[derive(Debug, Clone, Default)]
pub struct EventTypes {
    shared: SharedCatalogue,
    source: Option<Arc<dyn Refresh>>,
    /// When the last refresh began; held while one is under way.
    begun: Arc<Mutex<Option<Instant>>>,
}

impl EventTypes {
    /// Those of a catalogue; `source` is asked for news if anything registers event types
    /// elsewhere.
    pub fn new(shared: SharedCatalogue, source: Option<Arc<dyn Refresh>>) -> Self {
        Self { shared, source, begun: Arc::default() }
    }

    /// As they are now.
    pub fn current(&self) -> Arc<Catalogue> {
        self.shared.current()
    }

    /// Takes over what was registered before this call. Calls at the same time share a refresh.
    /// If it fails the types stay as they are.
    pub async fn refresh(&self) {
        let Some(source) = &self.source else { return };
        let asked = Instant::now();
        let mut last = self.begun.lock().await;
        match *last {
            Some(begun) if begun >= asked => return,
            Some(begun) => sleep_until(begun + REFRESH_EVERY).await,
            None => {}
        }
        *last = Some(Instant::now());
        let failed = match timeout(REFRESH_MAX, source.refresh()).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error,
            Err(_) => format!("no answer within {} s", REFRESH_MAX.as_secs()),
        };
        tracing::warn!(error = failed, "registered event types not read");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[derive(Debug, Default)]
    struct Counted(AtomicUsize);

    #[async_trait]
    impl Refresh for Counted {
        async fn refresh(&self) -> Result<(), String> {
            tokio::time::sleep(Duration::from_millis(100)).await;
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_ask_at_once_share_few_refreshes_a_second_apart() {
        let source = Arc::new(Counted::default());
        let types = EventTypes::new(SharedCatalogue::default(), Some(Arc::clone(&source) as _));
        let begun = Instant::now();
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..1000 {
            let types = types.clone();
            all.spawn(async move { types.refresh().await });
        }
        all.join_all().await;
        assert_eq!(source.0.load(Ordering::Relaxed), 1);
        tokio::time::advance(Duration::from_millis(1)).await;
        types.refresh().await;
        assert_eq!(source.0.load(Ordering::Relaxed), 2);
        assert!(begun.elapsed() >= REFRESH_EVERY);
    }
}
