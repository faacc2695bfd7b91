//! What a reader reports besides events, as lines for people on standard error.

use jiff::Timestamp;

use worldbus_bus::{Gap, GapReason, Notice};

/// Where nothing has been written for a while.
pub(super) const QUIET: &str =
    "note: no event to show yet; waiting for one (--from start also shows those of the past)";

/// The line for a notice.
pub(super) fn describe(notice: &Notice) -> String {
    match notice {
        Notice::Resumed { from_ms } => format!(
            "note: this bus has another log than the one before; reading goes on by time, from {}",
            time(*from_ms)
        ),
        Notice::Gap(gap) => missing(gap),
    }
}

fn missing(gap: &Gap) -> String {
    let what = match (gap.batches, &gap.topic) {
        (Some(1), Some(topic)) => format!("a batch of topic {topic} is missing"),
        (Some(batches), Some(topic)) => format!("{batches} batches of topic {topic} are missing"),
        (_, Some(topic)) => format!("events of topic {topic} may be missing"),
        (_, None) => "events may be missing".to_owned(),
    };
    let from = gap.from_ms.map(|from_ms| format!(" from {}", time(from_ms)));
    let until = gap.until_ms.map(|until_ms| format!(" until {}", time(until_ms)));
    let span = [from, until].into_iter().flatten().collect::<String>();
    let why = match gap.reason {
        GapReason::LogBegan => "this bus has a log that began later",
        _ => "retention removed them; keep more by --retention-hours and --retention-bytes",
    };
    format!("note: {what}{span}: {why}")
}

fn time(time_ms: i64) -> String {
    let time = Timestamp::from_millisecond(time_ms);
    time.map_or_else(|_| format!("{time_ms} ms"), |time| format!("{time:.3}"))
}

#[cfg(test)]
mod tests {
    use worldbus_bus::Topic;

    use super::*;

    #[test]
    fn what_is_missing_is_described_as_far_as_it_is_known() {
        let (reason, topic) = (GapReason::Retention, Topic::new("time").ok());
        let gap = Gap { reason, topic, batches: Some(12), from_ms: Some(0), until_ms: Some(1) };
        let line = describe(&Notice::Gap(gap.clone()));
        let expected = "note: 12 batches of topic time are missing from 1970-01-01T00:00:00.000Z \
                        until 1970-01-01T00:00:00.001Z: retention removed them";
        assert!(line.starts_with(expected), "{line}");
        let gap = Gap { reason: GapReason::LogBegan, topic: None, batches: None, ..gap };
        let line = describe(&Notice::Gap(gap));
        assert!(line.starts_with("note: events may be missing from"), "{line}");
        let line = describe(&Notice::Resumed { from_ms: i64::MAX });
        assert!(line.ends_with("from 9223372036854775807 ms"), "{line}");
    }
}
