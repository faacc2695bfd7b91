//! Publishes event by event through a publisher, with a window of events that have no answer yet.

use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt as _;

use super::load::{Load, TOPICS_EACH};
use super::tally::Tally;
use worldbus_bus::{Bus, Error, Outgoing, Pending};
use worldbus_events::Event as _;
use worldbus_events::v1::TimeUpdated;
use worldbus_service::CancellationToken;

/// Answers are looked for each so many events, so that one is noticed within microseconds.
const LOOK_EVERY: u64 = 16;

/// Events that have no answer yet, oldest first. It slides in order: an event is answered once all
/// before it are.
struct Window<'a> {
    in_flight: VecDeque<(Pending, Duration)>,
    size: usize,
    tally: &'a Tally,
}

/// Publishes until the load is over or `stop`, and awaits all answers; how many were sent.
///
/// # Errors
/// That of the first event that failed; nothing is sent behind it.
pub(super) async fn publish(
    load: &Load,
    bus: &Bus,
    tally: &Tally,
    stop: &CancellationToken,
) -> Result<u64, Error> {
    let publisher = |_| bus.publisher(&load.source, &load.world);
    let publishers: Vec<_> = load.topics.chunks(TOPICS_EACH).map(publisher).collect();
    let in_flight = VecDeque::with_capacity(load.window);
    let mut window = Window { in_flight, size: load.window, tally };
    let mut payload = Vec::new();
    let mut sent = 0;
    while !stop.is_cancelled() && !load.is_over(sent, tally.now()) {
        let due = load.due(sent);
        if sent.is_multiple_of(LOOK_EVERY) || due.is_some() {
            window.note_answers().await?;
        }
        if !window.has_room(due) {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                room = window.room(due) => room?,
            }
        }
        let from = load.timed_from(due, tally.now());
        load.write_payload(sent, from, &mut payload);
        let event =
            Outgoing { event_type: TimeUpdated::NUMBER, payload: &payload, ..Outgoing::default() };
        let topic = load.topic(sent);
        let publisher = &publishers[topic / TOPICS_EACH];
        let pending = publisher.enqueue_raw(&load.topics[topic], event).await?;
        window.in_flight.push_back((pending, from));
        sent += 1;
    }
    while !window.in_flight.is_empty() {
        window.answer().await?;
    }
    for publisher in publishers {
        publisher.close().await;
    }
    Ok(sent)
}

impl Window<'_> {
    /// Whether an event may go now.
    fn has_room(&self, due: Option<Duration>) -> bool {
        self.in_flight.len() < self.size && due.is_none_or(|due| due <= self.tally.now())
    }

    /// Waits until an event may go. Cancel-safe.
    async fn room(&mut self, due: Option<Duration>) -> Result<(), Error> {
        while let Some(wait) = due.and_then(|due| due.checked_sub(self.tally.now())) {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                answer = self.answer() => answer?,
            }
        }
        while self.in_flight.len() >= self.size {
            self.answer().await?;
            self.note_answers().await?;
        }
        Ok(())
    }

    /// Awaits the answer of the oldest; for ever without any. Cancel-safe.
    async fn answer(&mut self) -> Result<(), Error> {
        let Some((oldest, from)) = self.in_flight.front_mut() else { return pending().await };
        Pin::new(oldest).await?;
        self.tally.published.add(self.tally.now(), *from, 1);
        self.in_flight.pop_front();
        Ok(())
    }

    /// Notes the answers that are there, without waiting.
    async fn note_answers(&mut self) -> Result<(), Error> {
        poll_fn(|context| {
            let now = self.tally.now();
            while let Some((oldest, from)) = self.in_flight.front_mut() {
                match oldest.poll_unpin(context) {
                    Poll::Ready(Ok(_)) => self.tally.published.add(now, *from, 1),
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => break,
                }
                self.in_flight.pop_front();
            }
            Poll::Ready(Ok(()))
        })
        .await
    }
}
