//! A reader of what the event-bus stores. It knows where it stands in every topic, so after a
//! broken connection it goes on behind the last batch that it returned. Where another event-bus
//! answers then, with a log of its own, it goes on by time and leaves out what it returned.

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
use worldbus_bus::{
    Error, LogEnd, LogId, Notice, Position, ReadSpec, Reader, Resume, SeenWindow, StoredBatch,
    Topic, TopicStatus,
};
use worldbus_events::Batch;
use worldbus_rpc::v1;

/// Notices that wait for a caller who may not ask for them; further ones are left out.
const NOTICE_COUNT_MAX: usize = 1024;

/// Takes batches as they come; while it is not asked, flow control holds the event-bus.
pub(crate) struct RemoteReader {
    open: Opener,
    link: Link<v1::ReadResponse>,
    arrived: VecDeque<v1::StoredBatch>,
    notices: VecDeque<Notice>,
    /// What was returned.
    seen: SeenWindow,
    /// Whether what comes may have been returned, from another log.
    twins: bool,
    closed: CancellationToken,
}

/// What opens the stream, first and again.
struct Opener {
    client: Client,
    /// No position in it depends on the time of opening.
    spec: ReadSpec,
    /// The offset behind the last batch that was returned.
    behind: BTreeMap<Topic, u64>,
    /// The log that these are of, and the time of the last event that was returned.
    log: Option<LogId>,
    time_ms: Option<i64>,
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
        let (log, time_ms) = spec.resume.map(|resume| (resume.log, resume.time_ms)).unzip();
        let open = Opener { client, spec, behind: BTreeMap::new(), log, time_ms, call_timeout };
        let stream = open.again(Duration::ZERO).await?;
        let link = Link::new(stream, "reader", options.reconnect_for);
        let (arrived, notices, seen) = Default::default();
        Ok(Self { open, link, arrived, notices, seen, twins: false, closed })
    }

    /// Takes what a message brings.
    fn arrive(&mut self, message: v1::ReadResponse) {
        if let Some(log) = message.log {
            self.open.log = LogId::from_bits(log);
        }
        // A kind that only a newer event-bus knows is left out.
        for notice in message.notices.into_iter().filter_map(|one| Notice::try_from(one).ok()) {
            if let Notice::Resumed { from_ms } = notice {
                self.open.go_on_by_time(from_ms);
                self.twins = true;
            }
            if self.notices.len() < NOTICE_COUNT_MAX {
                self.notices.push_back(notice);
            }
        }
        self.arrived.extend(message.batches);
    }

    /// The batch to return, without what was returned before; `None` if that is all of it.
    fn accept(&mut self, stored: v1::StoredBatch) -> Result<Option<StoredBatch>, Error> {
        let mut stored = StoredBatch::try_from(stored)?;
        self.open.pass(&stored);
        if self.twins {
            let seen = &self.seen;
            let news = stored.batch.retain(|event| !seen.contains(event.id));
            let Some(news) = news else { return Ok(None) };
            stored.batch = news;
        }
        if self.open.log.is_some() {
            remember(&mut self.seen, &stored.batch);
        }
        Ok(Some(stored))
    }
}

/// Remembers what is returned.
fn remember(seen: &mut SeenWindow, batch: &Batch) {
    match batch.consecutive_sequences() {
        Some(range) if seen.insert_range(batch.producer(), range.start, range.end) => {}
        _ => {
            for event in batch {
                seen.insert(event.id);
            }
        }
    }
}

impl Opener {
    fn again(&self, during: Duration) -> Opening<v1::ReadResponse> {
        let resume = self.log.zip(self.time_ms).map(|(log, time_ms)| Resume { log, time_ms });
        let spec = ReadSpec { resume, ..resumed(&self.spec, &self.behind) };
        let request = v1::ReadRequest::from(&spec);
        let (client, limit) = (self.client.clone(), self.call_timeout);
        let attempt = move || {
            let (mut client, request) = (client.clone(), request.clone());
            async move { ask(limit, client.read(request)).await }
        };
        persist(during, attempt).boxed()
    }

    /// Goes behind a batch.
    fn pass(&mut self, stored: &StoredBatch) {
        self.behind.insert(stored.topic.clone(), stored.offset.saturating_add(1));
        if let Some(last) = stored.batch.iter().last() {
            self.time_ms = Some(stored.time_ms(last.timestamp_ms));
        }
    }

    /// Where it is asked for again, should the connection break before a batch comes.
    fn go_on_by_time(&mut self, from_ms: i64) {
        self.spec = resumed(&self.spec, &self.behind);
        self.spec.by_time(from_ms);
        self.behind.clear();
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
                match self.accept(stored)? {
                    Some(stored) => return Ok(Some(stored)),
                    None => continue,
                }
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
            self.arrive(message);
        }
    }

    fn notice(&mut self) -> Option<Notice> {
        self.notices.pop_front()
    }
}

/// Whether the spec asks where the topics end now.
pub(crate) fn depends_on_now(spec: &ReadSpec) -> bool {
    (spec.all_topics && spec.default_from == Position::Now)
        || spec.topics.iter().any(|(_, from)| *from == Position::Now)
}

/// The same spec with "now" as the place where the log ends, so that it can be asked again later,
/// of another log, too.
pub(crate) fn fixed(mut spec: ReadSpec, end: Option<LogEnd>, topics: &[TopicStatus]) -> ReadSpec {
    let Some(LogEnd { log, next_commit, time_ms }) = end else {
        return fixed_by_offsets(spec, topics);
    };
    let listed = spec.topics.iter_mut().map(|(_, from)| from);
    for from in listed.chain([&mut spec.default_from]).filter(|from| **from == Position::Now) {
        *from = Position::Commit(next_commit);
    }
    // Of places that the caller named it is not known which log they are of.
    spec.resume = spec.resume.or(log.map(|log| Resume { log, time_ms }));
    spec
}

/// The same where no commits are numbered. A topic that is not there yet has all of its batches
/// behind now.
fn fixed_by_offsets(mut spec: ReadSpec, topics: &[TopicStatus]) -> ReadSpec {
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
