//! A batch that is refused for what is in it, taken apart: events that merely shared a batch share
//! no refusal.

use std::future::Future;

use super::completion::{Answers, Taken};
use crate::error::{Error, Fate};
use worldbus_events::Batch;

/// Delivers a batch by `deliver`. If that refuses several events, each half is delivered by itself,
/// and so on: in order, and what one half meets that may be over later ends the whole.
///
/// At most two calls an event, where every event is refused.
pub(super) async fn deliver<F>(batch: Batch, deliver: impl Fn(Batch) -> F) -> Answers
where
    F: Future<Output = Result<Taken, Error>>,
{
    let mut answers = Answers::new();
    let count = batch.len();
    let (mut parts, mut end) = (vec![batch], 0);
    while let Some(part) = parts.pop() {
        let answer = deliver(part.clone()).await;
        if answer.as_ref().is_err_and(Error::is_of_the_events)
            && let Some([first, second]) = halves(&part)
        {
            // The last is the next.
            parts.extend([second, first]);
            continue;
        }
        let begin = end;
        end += part.len();
        let over = answer.as_ref().err().filter(|error| error.fate() != Fate::Refused).cloned();
        match answer {
            Ok(taken) => answers.extend(taken.answers(begin, part.len())),
            Err(error) => answers.push((end, Err(error))),
        }
        if let Some(error) = over {
            // The rest was refused together with this and not tried since.
            if end < count {
                answers.push((count, Err(error.with_fate(Fate::Retry))));
            }
            break;
        }
    }
    answers
}

/// The two halves of a batch; `None` for one event, or in the rare case that a half has no room
/// for a column that the whole does not need.
fn halves(batch: &Batch) -> Option<[Batch; 2]> {
    let half = batch.len() / 2;
    let first = batch.retain(|event| (event.index as usize) < half)?;
    let second = batch.retain(|event| event.index as usize >= half)?;
    (first.len() + second.len() == batch.len()).then_some([first, second])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use worldbus_events::{BatchBuilder, EventId, NewEvent, ProducerId};

    fn batch(events: u64) -> Batch {
        let mut builder = BatchBuilder::new("test", "world");
        for sequence in 0..events {
            let id = EventId { producer: ProducerId::MAX, sequence };
            let (timestamp_ms, entity, place, metadata) = (0, None, None, None);
            let (event_type, payload) = (100, &b""[..]);
            let event = NewEvent { event_type, id, timestamp_ms, entity, place, payload, metadata };
            builder.push(event).unwrap();
        }
        builder.finish().unwrap()
    }

    async fn ends(events: u64, error: impl Fn(usize) -> Error) -> Vec<usize> {
        let answers = deliver(batch(events), |part| std::future::ready(Err(error(part.len()))));
        answers.await.into_iter().map(|(end, _)| end).collect()
    }

    #[tokio::test]
    async fn each_answer_is_one_of_events() {
        let away = |_: usize| Error::retry(Kind::Unavailable, "away");
        assert_eq!(ends(3, away).await, [3]);
        let apart = |count: usize| match count {
            1 => away(count),
            _ => Error::refused(Kind::Invalid, "one of them"),
        };
        assert_eq!(ends(4, apart).await, [1, 4]);
    }
}
