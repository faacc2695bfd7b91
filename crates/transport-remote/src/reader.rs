//! A reader of what the event-bus stores. It knows where it stands in every topic, so after a
//! broken connection it goes on behind the last batch that it returned.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;

use crate::channel::Client;
use crate::consumer::closed;
use crate::failure::ask;
use crate::link::{Link, Opening, Reopen, persist};
use crate::options::RemoteOptions;
use worldbus_bus::{Error, Position, ReadSpec, Reader, StoredBatch, Topic, TopicStatus};
use worldbus_rpc::v1;

/// Takes batches as they come; while it is not asked, flow control holds the event-bus.
pub(crate) struct RemoteReader {
    open: Opener,
    link: Link<v1::ReadResponse>,
    arrived: VecDeque<v1::StoredBatch>,
    closed: CancellationToken,
}

/// What opens the stream, first and again.
struct Opener {
    client: Client,
    /// No position in it depends on the time of opening.
    spec: ReadSpec,
    /// The offset behind the last batch that was returned.
    behind: BTreeMap<Topic, u64>,
    call_timeout: Duration,
}

impl RemoteReader {
    /// `spec` must be [`fixed`].
    pub(crate) async fn open(
        client: Client,
        spec: ReadSpec,
        options: &RemoteOptions,
        closed: CancellationToken,
    ) -> Result<Self, Error> {
        let call_timeout = options.call_timeout;
        let open = Opener { client, spec, behind: BTreeMap::new(), call_timeout };
        let stream = open.again(Duration::ZERO).await?;
        let link = Link::new(stream, "reader", options.reconnect_for);
        Ok(Self { open, link, arrived: VecDeque::new(), closed })
    }

    fn accept(&mut self, stored: v1::StoredBatch) -> Result<StoredBatch, Error> {
        let stored = StoredBatch::try_from(stored)?;
        self.open.behind.insert(stored.topic.clone(), stored.offset.saturating_add(1));
        Ok(stored)
    }
}

impl Opener {
    fn again(&self, during: Duration) -> Opening<v1::ReadResponse> {
        let request = v1::ReadRequest::from(&resumed(&self.spec, &self.behind));
        let (client, limit) = (self.client.clone(), self.call_timeout);
        let attempt = move || {
            let (mut client, request) = (client.clone(), request.clone());
            async move { ask(limit, client.read(request)).await }
        };
        persist(during, attempt).boxed()
    }
}

#[async_trait]
impl Reader for RemoteReader {
    async fn next(&mut self) -> Result<Option<StoredBatch>, Error> {
        loop {
            if self.closed.is_cancelled() {
                return Err(closed());
            }
            if let Some(stored) = self.arrived.pop_front() {
                return self.accept(stored).map(Some);
            }
            let again = |during| self.open.again(during);
            let reopen = match self.open.spec.follow {
                true => Reopen::Always(&again),
                false => Reopen::WhenBroken(&again),
            };
            let message = tokio::select! {
                biased;
                message = self.link.next(reopen) => message?,
                () = self.closed.cancelled() => return Err(closed()),
            };
            let Some(message) = message else { return Ok(None) };
            self.arrived.extend(message.batches);
        }
    }
}

/// Whether the spec asks where the topics end now.
pub(crate) fn depends_on_now(spec: &ReadSpec) -> bool {
    (spec.all_topics && spec.default_from == Position::Now)
        || spec.topics.iter().any(|(_, from)| *from == Position::Now)
}

/// The same spec with "now" as offsets, so that it can be asked again later. A topic that
/// is not there yet has all of its batches behind now.
pub(crate) fn fixed(mut spec: ReadSpec, topics: &[TopicStatus]) -> ReadSpec {
    for (topic, from) in &mut spec.topics {
        if *from == Position::Now {
            let status = topics.iter().find(|status| status.topic == *topic);
            *from = status.map_or(Position::Start, |status| Position::Offset(status.next_offset));
        }
    }
    if spec.all_topics && spec.default_from == Position::Now {
        for status in topics {
            if spec.topics.iter().all(|(topic, _)| *topic != status.topic) {
                spec.topics.push((status.topic.clone(), Position::Offset(status.next_offset)));
            }
        }
        spec.default_from = Position::Start;
    }
    spec
}

/// The spec for going on: behind what was returned.
fn resumed(spec: &ReadSpec, behind: &BTreeMap<Topic, u64>) -> ReadSpec {
    let mut spec = spec.clone();
    spec.topics.retain(|(topic, _)| !behind.contains_key(topic));
    let positions = behind.iter().map(|(topic, &next)| (topic.clone(), Position::Offset(next)));
    spec.topics.extend(positions);
    spec
}

#[cfg(test)]
mod tests;
