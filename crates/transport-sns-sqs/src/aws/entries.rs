//! Batch calls, entry by entry: what AWS took of a request is done, what it did not take is tried
//! again, and nothing else.

use std::future::Future;
use std::time::Duration;

use worldbus_bus::{Backoff, Error, Fate, Kind};

/// Entries of one request.
pub(crate) const ENTRY_COUNT_MAX: usize = 10;
/// How often an entry is tried.
const ATTEMPTS_MAX: u32 = 5;
const DELAY_MIN: Duration = Duration::from_millis(50);
const DELAY_MAX: Duration = Duration::from_secs(1);

/// The results of the entries of a request, by their index; an entry that AWS left out of its
/// answer has none.
pub(crate) type EntryResults = Vec<(usize, Result<(), Error>)>;

/// Makes a batch call for `count` entries: first for all, then for those that failed and may be
/// tried again. `call` is given their indexes.
///
/// An error of the whole call is that of every entry that was in it: the SDK has tried it again
/// already.
pub(crate) async fn entrywise<C>(
    count: usize,
    mut call: impl FnMut(Vec<usize>) -> C,
) -> Vec<Result<(), Error>>
where
    C: Future<Output = Result<EntryResults, Error>>,
{
    let mut results: Vec<Result<(), Error>> = vec![Ok(()); count];
    let mut waiting: Vec<usize> = (0..count).collect();
    let mut backoff = Backoff::new(DELAY_MIN, DELAY_MAX);
    for attempt in 1.. {
        let answer = call(waiting.clone()).await;
        for &index in &waiting {
            let before = fate(&results[index]);
            results[index] = match &answer {
                Ok(answer) => of_entry(answer, index),
                Err(error) => Err(error.clone()),
            };
            // An entry that may have been taken once stays unknown, whatever comes of it later.
            if before == Some(Fate::Unknown)
                && let Err(error) = &mut results[index]
            {
                *error = error.clone().with_fate(Fate::Unknown);
            }
        }
        if answer.is_err() || attempt == ATTEMPTS_MAX {
            break;
        }
        waiting.retain(|&index| fate(&results[index]).is_some_and(|fate| fate != Fate::Refused));
        if waiting.is_empty() {
            break;
        }
        metrics::counter!("worldbus_aws_entries_retried_total").increment(waiting.len() as u64);
        tokio::time::sleep(backoff.next()).await;
    }
    results
}

fn fate(result: &Result<(), Error>) -> Option<Fate> {
    result.as_ref().err().map(Error::fate)
}

fn of_entry(answer: &EntryResults, index: usize) -> Result<(), Error> {
    let of_index = answer.iter().find(|(of, _)| *of == index);
    of_index.map_or_else(
        || Err(Error::unknown(Kind::Unavailable, "AWS did not answer an entry of a request")),
        |(_, result)| result.clone(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::ready;

    fn throttled() -> Error {
        Error::retry(Kind::Unavailable, "throttled")
    }

    /// Of ten entries any may fail at first: only those are tried again, and all are taken.
    #[tokio::test(start_paused = true)]
    async fn only_failed_entries_are_tried_again_whichever_they_are() {
        for mask in 0..1024_u32 {
            let failing = |index: usize| mask & (1 << index) != 0;
            let mut calls: Vec<Vec<usize>> = Vec::new();
            let results = entrywise(10, |waiting| {
                let first = calls.is_empty();
                calls.push(waiting.clone());
                let answer = waiting.iter().map(|&index| {
                    (index, if first && failing(index) { Err(throttled()) } else { Ok(()) })
                });
                ready(Ok(answer.collect()))
            });
            assert!(results.await.iter().all(Result::is_ok), "{mask:#b}");
            let failed: Vec<usize> = (0..10).filter(|&index| failing(index)).collect();
            let expected = [(0..10).collect(), failed];
            assert_eq!(calls, expected[..1 + usize::from(mask != 0)], "{mask:#b}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn entry_that_is_refused_is_not_tried_again_and_the_others_are_taken() {
        let mut calls = 0;
        let results = entrywise(3, |waiting| {
            calls += 1;
            let refused = || Err(Error::refused(Kind::Invalid, "control character"));
            let answer = waiting.iter().map(|&i| (i, if i == 1 { refused() } else { Ok(()) }));
            ready(Ok(answer.collect()))
        });
        let results = results.await;
        assert_eq!(results[1].clone().unwrap_err().kind(), Kind::Invalid);
        assert!(results[0].is_ok() && results[2].is_ok());
        assert_eq!(calls, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_are_bounded_and_silence_is_unknown() {
        let mut calls = 0;
        let silent = entrywise(1, |_| {
            calls += 1;
            ready(Ok(if calls == 1 { Vec::new() } else { vec![(0, Err(throttled()))] }))
        });
        let silent = silent.await;
        assert_eq!(calls, ATTEMPTS_MAX);
        assert_eq!(silent[0].clone().unwrap_err().fate(), Fate::Unknown);
    }
}
