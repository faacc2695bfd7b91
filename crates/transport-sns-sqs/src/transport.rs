//! The transport itself.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::aws::failure::closed;
use crate::aws::lookup::Lookup;
use crate::aws::queue::Queue;
use crate::consume::consumer::SqsConsumer;
use crate::consume::inbox::Inbox;
use crate::consume::ledger::{Home, Ledger};
use crate::consume::settler::Settler;
use crate::dead_letters;
use crate::options::Options;
use crate::publish::Publishing;
use crate::topology::{Change, Resources, Subscription, Topology, reconcile, verify};
use worldbus_bus::{
    Appended, Capabilities, Capability, Consumer, DeadLetter, Error, Position, ReadSpec, Reader,
    SubscriptionName, SubscriptionSpec, SystemClock, Topic, TopicStatus, Transport, WallClock,
    lists_nothing,
};
use worldbus_events::{Batch, SharedCatalogue};

/// How long closing waits for polls under way, to hand back what they bring: SQS gives messages to
/// a poll that was cut off too, and they come again when the lease ends.
const LAST_POLLS: Duration = Duration::from_millis(2_500);
/// Dead-letter queues that are looked into at once: that one has no more takes a second to show.
const LISTS_AT_ONCE: usize = 8;
/// What an event's envelope takes in a batch of one, at the most.
const ENVELOPE_BYTES: usize = 2 << 10;

/// What the transport needs besides its URL.
pub struct Setup {
    /// The event types: for `encoding=json`, for filter policies, and for the topic of what
    /// others publish.
    pub catalogue: SharedCatalogue,
    /// Reads the environment: `WEATHER_EVENTS_TOPIC_ARN`, `WEATHER_MANAGER_QUEUE_URL`, …
    pub variable: fn(&str) -> Option<String>,
    /// The clock that dead letters are stamped with.
    pub wall: Arc<dyn WallClock>,
    /// Credentials, endpoint and HTTP client; as every AWS tool takes them, if not given.
    pub sdk: Option<SdkConfig>,
}

impl Default for Setup {
    /// The built-in catalogue, no variables, the system's clock.
    fn default() -> Self {
        Self {
            catalogue: SharedCatalogue::default(),
            variable: |_| None,
            wall: Arc::new(SystemClock::default()),
            sdk: None,
        }
    }
}

/// SNS topics fanned out to SQS queues.
///
/// At least once, in no order: an event may come twice, and a `Router` drops what it has
/// handled. Nothing of the past is kept for new subscriptions.
pub struct SnsSqs {
    capabilities: Capabilities,
    lookup: Arc<Lookup>,
    catalogue: SharedCatalogue,
    wall: Arc<dyn WallClock>,
    publishing: Publishing,
    ledger: Arc<Ledger>,
    dead_letter_count: dead_letters::Count,
    polls: TaskTracker,
    closed: CancellationToken,
}

impl SnsSqs {
    /// The transport of a URL. Nothing is asked of AWS yet but what its credentials need.
    ///
    /// # Errors
    /// `Invalid` for a URL of another kind.
    pub async fn connect(url: &str, setup: Setup) -> Result<Self, Error> {
        let options = Options::parse(url)?;
        let Setup { catalogue, variable, wall, sdk } = setup;
        let sdk = match sdk {
            Some(sdk) => sdk,
            None => worldbus_aws::load().await,
        };
        let sdk = worldbus_aws::bounded(sdk, &options.region);
        let (sns, sqs) = (aws_sdk_sns::Client::new(&sdk), aws_sdk_sqs::Client::new(&sdk));
        let capabilities = Capabilities {
            transport: "sns-sqs",
            has: vec![Capability::FilterByType],
            payload_bytes_max: options.message_bytes_max
                - ENVELOPE_BYTES.min(options.message_bytes_max / 2),
            batch_bytes_max: options.message_bytes_max,
            linger: options.linger,
        };
        let lookup = Arc::new(Lookup::new(sns, sqs, options, variable));
        let publishing = Publishing::new(Arc::clone(&lookup), catalogue.clone());
        Ok(Self {
            capabilities,
            lookup,
            catalogue,
            wall,
            publishing,
            ledger: Arc::default(),
            dead_letter_count: dead_letters::Count::default(),
            polls: TaskTracker::new(),
            closed: CancellationToken::new(),
        })
    }

    /// What the URL set.
    pub fn options(&self) -> &Options {
        &self.lookup.options
    }

    /// Compares what is there with what should be and reports each difference; with `apply` makes
    /// it so, before it is reported. How many there are. What is there beyond is left alone.
    ///
    /// # Errors
    /// Those of AWS; what was reported until then is done.
    pub async fn reconcile(
        &self,
        topology: &Topology,
        apply: bool,
        report: &mut (dyn FnMut(&Change) + Send),
    ) -> Result<usize, Error> {
        reconcile(&self.resources(), topology, apply, report).await
    }

    fn resources(&self) -> Resources {
        Resources { sns: self.lookup.sns.clone(), sqs: self.lookup.sqs.clone() }
    }

    fn open(&self) -> Result<(), Error> {
        if self.closed.is_cancelled() { Err(closed()) } else { Ok(()) }
    }

    /// Creates what a subscription needs.
    async fn create(&self, subscription: Subscription) -> Result<(), Error> {
        let topology = Topology {
            names: self.options().names.clone(),
            topics: subscription.topics.keys().cloned().collect(),
            subscriptions: vec![subscription],
            services: Vec::new(),
        };
        let mut report = |change: &_| tracing::info!("{change}");
        reconcile(&self.resources(), &topology, true, &mut report).await.map(drop)
    }
}

impl fmt::Debug for SnsSqs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnsSqs").field("options", self.options()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Transport for SnsSqs {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn messaging_systems(&self) -> (&'static str, &'static str) {
        ("aws_sns", "aws_sqs")
    }

    async fn publish(&self, topic: &Topic, batch: Batch) -> Result<Appended, Error> {
        self.open()?;
        self.publishing.publish(topic, &batch).await
    }

    async fn subscribe(&self, spec: SubscriptionSpec) -> Result<Box<dyn Consumer>, Error> {
        self.open()?;
        if spec.start != Position::Now {
            self.capabilities.require(Capability::Replay)?;
        }
        spec.check()?;
        let wanted = Subscription::of_spec(&spec, &self.catalogue.current());
        if self.options().create {
            self.create(wanted).await?;
        } else {
            verify(&self.lookup, &wanted).await?;
        }
        let sqs = &self.lookup.sqs;
        let queue = Queue::new(sqs.clone(), self.lookup.queue_url(&spec.name).await?);
        let letters = Queue::new(sqs.clone(), self.lookup.dead_letter_url(&spec.name).await?);
        // SQS counts in whole seconds.
        let lease = spec.lease.max(Duration::from_secs(1));
        let home = Arc::new(Home {
            spec: SubscriptionSpec { lease, ..spec },
            queue,
            dead_letters: letters,
            acks: TaskTracker::new(),
        });
        let (ledger, wall) = (Arc::clone(&self.ledger), Arc::clone(&self.wall));
        let settler = Arc::new(Settler { ledger, wall });
        let options = self.options();
        let (names, closed) = (options.names.clone(), self.closed.child_token());
        let inbox = Inbox::new(home, settler, names, self.catalogue.clone(), closed);
        Ok(Box::new(SqsConsumer::start(inbox, &self.polls, options.pollers)))
    }

    async fn read(&self, _: ReadSpec) -> Result<Box<dyn Reader>, Error> {
        self.capabilities.require(Capability::Replay)?;
        Err(closed())
    }

    async fn topics(&self) -> Result<Vec<TopicStatus>, Error> {
        Err(lists_nothing(&self.capabilities))
    }

    async fn dead_letters(
        &self,
        subscription: Option<&SubscriptionName>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        self.open()?;
        let subscriptions = match subscription {
            Some(subscription) => vec![subscription.clone()],
            None => {
                let queues = self.lookup.dead_letter_queues().await?;
                queues.into_iter().map(|(subscription, _)| subscription).collect()
            }
        };
        let catalogue = &self.catalogue.current();
        let lists = subscriptions.into_iter().map(|subscription| async move {
            dead_letters::list(&self.lookup, catalogue, &subscription, limit).await
        });
        let lists = stream::iter(lists).buffer_unordered(LISTS_AT_ONCE);
        let mut all: Vec<DeadLetter> = lists.try_concat().await?;
        all.sort_by_key(|letter| std::cmp::Reverse(letter.event.last_failed_ms));
        all.truncate(limit);
        Ok(all)
    }

    async fn dead_letter_count(&self) -> Result<Option<u64>, Error> {
        self.open()?;
        self.dead_letter_count.get(&self.lookup).await.map(Some)
    }

    async fn replay_dead_letters(
        &self,
        subscription: &SubscriptionName,
        ids: &[String],
    ) -> Result<Vec<String>, Error> {
        self.open()?;
        dead_letters::replay(&self.lookup, subscription, ids).await
    }

    async fn discard_dead_letters(
        &self,
        subscription: &SubscriptionName,
        ids: &[String],
    ) -> Result<Vec<String>, Error> {
        self.open()?;
        dead_letters::discard(&self.lookup, subscription, ids).await
    }

    async fn close(&self) -> Result<(), Error> {
        self.closed.cancel();
        self.publishing.close().await;
        self.polls.close();
        // What a poll brings later comes again when its lease ends.
        let _ = timeout(LAST_POLLS, self.polls.wait()).await;
        Ok(())
    }
}
