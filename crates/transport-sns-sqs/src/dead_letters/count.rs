//! How many dead letters an installation has, by what SQS reports of its dead-letter queues. Not
//! for: which ones they are (`browse`).

use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use futures_util::stream::{self, StreamExt as _};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::aws::failure::ask;
use crate::aws::lookup::Lookup;
use worldbus_bus::{Error, Kind};

/// How long a count, or the failure to get one, is given again: however many ask, AWS
/// is asked once in this time.
const AGE_MAX: Duration = Duration::from_secs(10);
/// How long AWS may take for all of it: who asks how things are does not wait for longer.
const ANSWER_MAX: Duration = Duration::from_secs(3);
/// Dead-letter queues of an installation that are counted; beyond them the count is refused.
const QUEUE_COUNT_MAX: usize = 256;
/// Requests that are under way at once.
const AT_ONCE: usize = 8;
/// What a queue holds: those that are being browsed are hidden, and still there.
const HELD: [QueueAttributeName; 2] = [
    QueueAttributeName::ApproximateNumberOfMessages,
    QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
];

/// The last count.
#[derive(Default)]
pub(crate) struct Count {
    last: Mutex<Option<(Instant, Result<u64, Error>)>>,
}

impl Count {
    /// How many dead letters there are: approximate, as SQS counts, and up to [`AGE_MAX`] old.
    ///
    /// # Errors
    /// Those of AWS; `Timeout` after [`ANSWER_MAX`]; `TooLarge` beyond [`QUEUE_COUNT_MAX`] queues.
    pub(crate) async fn get(&self, lookup: &Lookup) -> Result<u64, Error> {
        // Held while AWS is asked: who asks meanwhile waits for the same answer.
        let mut last = self.last.lock().await;
        if let Some((at, count)) = &*last
            && at.elapsed() < AGE_MAX
        {
            return count.clone();
        }
        let count = timeout(ANSWER_MAX, count(lookup)).await.unwrap_or_else(|_| {
            let context = format!("SQS did not answer within {ANSWER_MAX:?} what its queues hold");
            Err(Error::retry(Kind::Timeout, context))
        });
        if let Err(error) = &count {
            tracing::warn!(%error, "the dead letters in SQS are not counted");
        }
        *last = Some((Instant::now(), count.clone()));
        count
    }
}

async fn count(lookup: &Lookup) -> Result<u64, Error> {
    let queues = lookup.dead_letter_queues().await?;
    check_count(queues.len(), lookup.options.names.prefix())?;
    let counts = queues.into_iter().map(|(_, url)| held(&lookup.sqs, url));
    let counts: Vec<_> = stream::iter(counts).buffer_unordered(AT_ONCE).collect().await;
    sum(counts)
}

fn check_count(queues: usize, prefix: &str) -> Result<(), Error> {
    if queues <= QUEUE_COUNT_MAX {
        return Ok(());
    }
    let context = format!(
        "{queues} dead-letter queues begin with {prefix}-, and {QUEUE_COUNT_MAX} are counted; \
         delete those that are not used, or give each installation of the account a prefix that \
         no other begins with"
    );
    Err(Error::refused(Kind::TooLarge, context))
}

/// What the queues hold together. One that is gone holds nothing. One that the role may not look at
/// is another installation's, whose prefix begins with ours; if it may look at none, the right is
/// missing.
fn sum(counts: Vec<Result<u64, Error>>) -> Result<u64, Error> {
    let (mut sum, mut seen, mut denied) = (0, 0, None);
    for count in counts {
        match count {
            Ok(count) => (sum, seen) = (sum + count, seen + 1),
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) if error.kind() == Kind::Unauthorized => {
                tracing::debug!(%error, "a dead-letter queue is not counted");
                denied = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    match denied {
        Some(error) if seen == 0 => Err(error),
        _ => Ok(sum),
    }
}

/// The messages that a queue holds.
async fn held(sqs: &aws_sdk_sqs::Client, url: String) -> Result<u64, Error> {
    let what = format!("count the messages of {url}");
    let request = sqs.get_queue_attributes().queue_url(url);
    let answer = request.set_attribute_names(Some(HELD.to_vec())).send().await;
    let answer = answer.map_err(|error| ask(&what, error))?;
    let number = |name| {
        let text = answer.attributes().and_then(|attributes| attributes.get(name));
        text.and_then(|text| text.parse::<u64>().ok()).ok_or_else(|| {
            let context = format!("{what}: SQS's answer has no number as {name}");
            Error::retry(Kind::Unavailable, context)
        })
    };
    HELD.iter().map(number).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied() -> Result<u64, Error> {
        Err(Error::refused(Kind::Unauthorized, "denied"))
    }

    #[test]
    fn queue_that_is_gone_or_of_another_installation_counts_nothing() {
        let gone = || Err(Error::refused(Kind::NotFound, "gone"));
        assert_eq!(sum(vec![Ok(3), denied(), Ok(5), gone()]).unwrap(), 8);
        assert_eq!(sum(vec![]).unwrap(), 0);
        assert_eq!(sum(vec![gone()]).unwrap(), 0);
    }

    #[test]
    fn count_is_unknown_if_a_queue_is_silent_or_all_are_denied() {
        let silent = || Err(Error::retry(Kind::Unavailable, "silent"));
        assert_eq!(sum(vec![Ok(3), silent()]).unwrap_err().kind(), Kind::Unavailable);
        assert_eq!(sum(vec![denied(), denied()]).unwrap_err().kind(), Kind::Unauthorized);
    }

    #[test]
    fn queues_beyond_the_bound_are_refused_with_what_to_do() {
        assert!(check_count(QUEUE_COUNT_MAX, "x").is_ok());
        let refused = check_count(QUEUE_COUNT_MAX + 1, "x").unwrap_err();
        assert!(refused.to_string().contains("delete those that are not used"), "{refused}");
    }
}
