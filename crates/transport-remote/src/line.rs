//! Our side of a consumer's stream: what we ask for and settle on it. Settlements are answered in
//! their order, so who waits stands in line.
//!
//! Not for: reading what comes on the stream, which `consumer` does.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc, oneshot};
use v1::subscribe_request::{More, Request};

use worldbus_rpc::limits::SETTLING_COUNT_MAX;
use worldbus_rpc::v1;

/// Requests that wait to be sent: one for more, since asking twice changes nothing, and those that
/// settle.
pub(crate) const SENDING_MAX: usize = 1 + SETTLING_COUNT_MAX;

/// Our side of the stream that is open, first and again.
pub(crate) struct Line {
    /// Deliveries without a settlement at once.
    in_flight_max: usize,
    state: Mutex<State>,
    /// Notified when settlements are sent.
    settled: Notify,
}

#[derive(Default)]
struct State {
    requests: Option<mpsc::Sender<v1::SubscribeRequest>>,
    /// Whether deliveries were asked for that were not taken yet, and whether they have come.
    asked: bool,
    came: bool,
    /// Deliveries that came on this stream, without those for which a settlement was sent.
    unsettled: usize,
    /// Who waits for the answers to settlements.
    answers: VecDeque<oneshot::Sender<v1::SettleResponse>>,
}

impl Line {
    pub(crate) fn new(in_flight_max: usize) -> Self {
        Self { in_flight_max, state: Mutex::default(), settled: Notify::new() }
    }

    /// A stream is being opened: what was asked for is asked for again on it.
    pub(crate) fn open(&self, requests: mpsc::Sender<v1::SubscribeRequest>) {
        let mut state = self.lock();
        let State { asked, came, .. } = *state;
        if asked && !came {
            let _ = requests.try_send(more());
        }
        *state = State { requests: Some(requests), asked, came, ..State::default() };
    }

    /// Ends our side. Who waits for an answer sees that there will be none, unless it still comes.
    pub(crate) fn end(&self) {
        self.lock().requests = None;
    }

    /// Asks for deliveries, unless those that were asked for are not taken yet.
    pub(crate) fn ask(&self) {
        let mut state = self.lock();
        if std::mem::replace(&mut state.asked, true) {
            return;
        }
        if let Some(requests) = &state.requests {
            // Closed: the stream broke and is opened again.
            let _ = requests.try_send(more());
        }
    }

    /// Settles on the stream; the request itself if none is open.
    pub(crate) fn settle(
        &self,
        request: v1::SettleRequest,
    ) -> Result<oneshot::Receiver<v1::SettleResponse>, v1::SettleRequest> {
        let mut state = self.lock();
        let open = state.requests.as_ref().filter(|_| state.answers.len() < SETTLING_COUNT_MAX);
        let Some(permit) = open.and_then(|requests| requests.clone().try_reserve_owned().ok())
        else {
            return Err(request);
        };
        let settles = request.settlements.iter().filter(|one| ends(one)).count();
        permit.send(v1::SubscribeRequest { request: Some(Request::Settle(request)) });
        let (answer, answered) = oneshot::channel();
        state.answers.push_back(answer);
        state.unsettled = state.unsettled.saturating_sub(settles);
        drop(state);
        self.settled.notify_one();
        Ok(answered)
    }

    /// What came: so many deliveries, and the answer to settlements.
    pub(crate) fn came(&self, deliveries: usize, settled: Option<v1::SettleResponse>) {
        let mut state = self.lock();
        if deliveries > 0 {
            state.came = true;
            state.unsettled += deliveries;
        }
        if let Some(settled) = settled
            && let Some(answer) = state.answers.pop_front()
        {
            // Who has waited too long has gone.
            let _ = answer.send(settled);
        }
    }

    /// The deliveries that came are taken: others may be asked for.
    pub(crate) fn taken(&self) {
        let mut state = self.lock();
        state.asked = false;
        state.came = false;
    }

    /// Whether a quarter of what may be in flight is settled. Asked for with less, the event-bus
    /// would send one delivery for each settlement, each on a message of its own.
    pub(crate) fn has_room(&self) -> bool {
        self.lock().unsettled * 4 <= self.in_flight_max * 3
    }

    /// Waits until it has room.
    pub(crate) async fn room(&self) {
        while !self.has_room() {
            self.settled.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a delivery is in flight no longer.
fn ends(settlement: &v1::Settlement) -> bool {
    let outcome = settlement.outcome.as_ref().and_then(|outcome| outcome.outcome.as_ref());
    !matches!(outcome, Some(v1::outcome::Outcome::Extend(_)))
}

fn more() -> v1::SubscribeRequest {
    v1::SubscribeRequest { request: Some(Request::More(More {})) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line whose stream is open, and what is sent on it.
    fn open(in_flight_max: usize) -> (Line, mpsc::Receiver<v1::SubscribeRequest>) {
        let (line, (sender, sent)) = (Line::new(in_flight_max), mpsc::channel(SENDING_MAX));
        line.open(sender);
        (line, sent)
    }

    fn settle(count: usize) -> v1::SettleRequest {
        v1::SettleRequest { settlements: vec![v1::Settlement::default(); count] }
    }

    fn answer(count: usize) -> v1::SettleResponse {
        v1::SettleResponse { results: vec![v1::SettleResult::default(); count] }
    }

    fn asks(sent: &mut mpsc::Receiver<v1::SubscribeRequest>) -> usize {
        let requests = std::iter::from_fn(|| sent.try_recv().ok());
        requests.filter(|one| matches!(one.request, Some(Request::More(_)))).count()
    }

    #[test]
    fn deliveries_are_asked_for_once_until_they_come_also_on_the_stream_that_is_opened_next() {
        let (line, mut sent) = open(16);
        line.ask();
        line.ask();
        assert_eq!(asks(&mut sent), 1);
        let (sender, mut again) = mpsc::channel(SENDING_MAX);
        line.open(sender);
        line.ask();
        assert_eq!(asks(&mut again), 1);
        line.came(3, None);
        let (sender, mut third) = mpsc::channel(SENDING_MAX);
        line.open(sender);
        line.ask();
        assert_eq!(asks(&mut third), 0, "what was asked for has come, and waits to be taken");
        line.taken();
        line.ask();
        assert_eq!(asks(&mut third), 1);
    }

    #[tokio::test]
    async fn room_is_there_once_a_quarter_is_settled() {
        let (line, _sent) = open(16);
        line.came(16, None);
        line.settle(settle(3)).unwrap();
        let extend =
            v1::Outcome { outcome: Some(v1::outcome::Outcome::Extend(v1::outcome::Extend {})) };
        let extend = v1::Settlement { lease: None, outcome: Some(extend) };
        line.settle(v1::SettleRequest { settlements: vec![extend; 9] }).unwrap();
        assert!(!line.has_room(), "three are settled, and what is extended is not");
        let ((), answer) = tokio::join!(line.room(), async { line.settle(settle(1)).map(drop) });
        answer.unwrap();
        // One at a time has room when it is settled.
        let (line, _sent) = open(1);
        line.came(1, None);
        assert!(!line.has_room());
        line.settle(settle(1)).unwrap();
        assert!(line.has_room());
    }

    #[tokio::test]
    async fn answer_goes_to_its_request_though_who_asked_before_has_gone() {
        let (line, _sent) = open(16);
        drop(line.settle(settle(1)).unwrap());
        let second = line.settle(settle(2)).unwrap();
        line.came(0, Some(answer(1)));
        line.came(1, None);
        line.came(0, Some(answer(2)));
        assert_eq!(second.await.unwrap().results.len(), 2);
    }

    #[tokio::test]
    async fn without_a_stream_and_beyond_what_it_takes_settlements_come_back() {
        let (line, sent) = open(16);
        let waiting: Vec<_> =
            (0..SETTLING_COUNT_MAX).map(|_| line.settle(settle(1)).unwrap()).collect();
        assert_eq!(line.settle(settle(3)).unwrap_err().settlements.len(), 3);
        line.came(0, Some(answer(1)));
        drop(sent);
        assert_eq!(line.settle(settle(4)).unwrap_err().settlements.len(), 4, "the stream broke");
        let (sender, _again) = mpsc::channel(SENDING_MAX);
        line.open(sender);
        let answered = futures_util::future::join_all(waiting).await;
        assert_eq!(answered.iter().filter(|one| one.is_ok()).count(), 1, "the others never come");
        line.end();
        assert!(line.settle(settle(1)).is_err());
    }
}
