//! The answers for the events of a batch, one for all unless some were refused.
//!
//! Not a channel an event: with a thousand events in flight, one shared answer and a list of
//! wakers costs a fraction of a thousand one-shot channels.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::error::{Error, Kind};
use worldbus_events::EventId;

/// Who has the events of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    Engine,
    /// The engine, from an earlier publish.
    EngineBefore,
    Spool,
}

/// Who has a batch, and which of its events, by index, the engine had before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) by: Held,
    pub(super) duplicates: Vec<u32>,
}

impl Taken {
    /// The answers for a batch of so many events, behind so many others. Indexes come from the
    /// engine: one that is not of the batch, or not behind the one before, is left out.
    pub(super) fn answers(&self, before: usize, count: usize) -> Answers {
        let end = before + count;
        let mut answers = Answers::new();
        let mut begin = before;
        for index in &self.duplicates {
            let at = before + *index as usize;
            if !(begin..end).contains(&at) {
                continue;
            }
            if at > begin {
                answers.push((at, Ok(self.by)));
            }
            match answers.last_mut() {
                Some((end, Ok(Held::EngineBefore))) if at == begin => *end = at + 1,
                _ => answers.push((at + 1, Ok(Held::EngineBefore))),
            }
            begin = at + 1;
        }
        if begin < end {
            answers.push((end, Ok(self.by)));
        }
        answers
    }
}

/// What became of the events of a batch: an answer holds for the events before its end that none
/// before it holds for. They cover the batch.
pub(super) type Answers = Vec<(usize, Result<Held, Error>)>;

#[derive(Debug, Default)]
pub(super) struct Completion {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    answers: Option<Answers>,
    /// One for each pending event that was polled: at most the events of a batch.
    wakers: Vec<Waker>,
}

impl Completion {
    /// Answers; a second answer changes nothing.
    pub(super) fn finish(&self, answers: Answers) {
        let wakers = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.answers.get_or_insert(answers);
            std::mem::take(&mut state.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Answers that there will be no answer, if there was none.
    pub(super) fn abandon(&self) {
        let context = "the publisher ended before the engine answered; the event may be there";
        let error = Error::unknown(Kind::Unavailable, context);
        self.finish(vec![(usize::MAX, Err(error))]);
    }
}

/// The answer for one event, to come: its id once it is durable, or why it is not.
#[derive(Debug)]
#[must_use = "the event may fail; await its answer"]
pub struct Pending {
    completion: Arc<Completion>,
    id: EventId,
    /// Which event of the batch it is.
    index: usize,
    waker_index: Option<usize>,
}

impl Pending {
    pub(super) fn new(completion: Arc<Completion>, id: EventId, index: usize) -> Self {
        Self { completion, id, index, waker_index: None }
    }

    /// The event's id, known before its fate is.
    pub fn id(&self) -> EventId {
        self.id
    }

    fn poll_held(&mut self, context: &mut Context<'_>) -> Poll<Result<Held, Error>> {
        let completion = Arc::clone(&self.completion);
        let mut state = completion.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answers) = &state.answers {
            let at = answers.partition_point(|(end, _)| *end <= self.index);
            return Poll::Ready(answers[at.min(answers.len() - 1)].1.clone());
        }
        match self.waker_index {
            Some(index) => state.wakers[index].clone_from(context.waker()),
            None => {
                self.waker_index = Some(state.wakers.len());
                state.wakers.push(context.waker().clone());
            }
        }
        Poll::Pending
    }
}

impl Future for Pending {
    type Output = Result<EventId, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_held(context).map_ok(|_| self.id)
    }
}

/// Where an event is that was published by [`Publisher::publish_or_spool`].
///
/// [`Publisher::publish_or_spool`]: crate::Publisher::publish_or_spool
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Receipt {
    /// Durable in the engine.
    Durable(EventId),
    /// Durable in the engine, which had an event of this id before and left this one out. Known
    /// where the transport drops duplicates ([`Capability::DropDuplicates`]), within its window.
    ///
    /// [`Capability::DropDuplicates`]: crate::Capability::DropDuplicates
    Duplicate(EventId),
    /// Durable on this machine's disk, and in the engine later: as long as the disk lives.
    Spooled(EventId),
}

impl Receipt {
    /// The event's id.
    pub fn id(self) -> EventId {
        match self {
            Self::Durable(id) | Self::Duplicate(id) | Self::Spooled(id) => id,
        }
    }
}

/// As [`Pending`], for an event that may be spooled.
#[derive(Debug)]
#[must_use = "the event may fail; await its answer"]
pub struct PendingReceipt(Pending);

impl PendingReceipt {
    pub(super) fn new(pending: Pending) -> Self {
        Self(pending)
    }

    /// The event's id, known before its fate is.
    pub fn id(&self) -> EventId {
        self.0.id
    }
}

impl Future for PendingReceipt {
    type Output = Result<Receipt, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let id = self.0.id;
        self.0.poll_held(context).map_ok(|held| match held {
            Held::Engine => Receipt::Durable(id),
            Held::EngineBefore => Receipt::Duplicate(id),
            Held::Spool => Receipt::Spooled(id),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_cover_the_batch_and_each_duplicate() {
        let ends = |duplicates: &[u32]| -> Vec<(usize, Held)> {
            let taken = Taken { by: Held::Engine, duplicates: duplicates.to_vec() };
            taken.answers(10, 4).into_iter().map(|(end, held)| (end, held.expect("held"))).collect()
        };
        let (new, before) = (Held::Engine, Held::EngineBefore);
        assert_eq!(ends(&[]), [(14, new)]);
        assert_eq!(ends(&[0, 1, 2, 3]), [(14, before)]);
        assert_eq!(ends(&[1, 2]), [(11, new), (13, before), (14, new)]);
        assert_eq!(ends(&[0, 3]), [(11, before), (13, new), (14, before)]);
        assert_eq!(ends(&[2, 1, 4, u32::MAX]), [(12, new), (13, before), (14, new)]);
    }
}
