//! What a stream reports besides events of the bus: that it goes on by time, and what is missing.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use worldbus_bus::{Gap, GapReason, Notice};

/// The data of `event: resumed`: the cursor is of another log, in which the stream goes on by time,
/// a little back. Events from there on may have been seen, under the same ids.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = StreamResumed)]
pub(crate) struct Resumed {
    #[schema(inline)]
    reason: ResumedReason,
    /// By the time that the event-bus got the events.
    from_time: Time,
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum ResumedReason {
    AnotherLog,
}

/// The data of `event: gap`: some of what was asked for is not there, or may not have been.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = StreamGap)]
pub(crate) struct Missing {
    #[schema(inline)]
    reason: MissingReason,
    /// The topic; left out for all that are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    /// How many batches there were, of whatever events; left out if that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    batches: Option<u64>,
    /// The time of what was seen last; left out if that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    from_time: Option<Time>,
    /// When the event-bus got the last of what is missing; left out if that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    until_time: Option<Time>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum MissingReason {
    /// Retention removed it.
    Retention,
    /// The log began after it.
    LogBegan,
}

/// A wall time.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = StreamTime)]
#[serde(untagged)]
enum Time {
    /// RFC 3339.
    Text(String),
    /// Milliseconds since the Unix epoch: for years that RFC 3339 cannot express.
    Milliseconds(i64),
}

impl Time {
    fn new(time_ms: i64) -> Self {
        match Timestamp::from_millisecond(time_ms) {
            // Years before 0 have a sign.
            Ok(time) if !time.to_string().starts_with('-') => Self::Text(format!("{time:.3}")),
            _ => Self::Milliseconds(time_ms),
        }
    }
}

/// Appends it as a server-sent event.
pub(super) fn write(text: &mut String, notice: &Notice) {
    let (event, data) = match notice {
        Notice::Resumed { from_ms } => {
            let (reason, from_time) = (ResumedReason::AnotherLog, Time::new(*from_ms));
            ("resumed", serde_json::to_string(&Resumed { reason, from_time }))
        }
        Notice::Gap(gap) => ("gap", serde_json::to_string(&missing(gap))),
    };
    // Texts and numbers always have a JSON form, and writing to a String cannot fail.
    let _ = write!(text, "event: {event}\ndata: {}\n\n", data.unwrap_or_default());
}

fn missing(gap: &Gap) -> Missing {
    Missing {
        reason: match gap.reason {
            GapReason::LogBegan => MissingReason::LogBegan,
            _ => MissingReason::Retention,
        },
        topic: gap.topic.as_ref().map(ToString::to_string),
        batches: gap.batches,
        from_time: gap.from_ms.map(Time::new),
        until_time: gap.until_ms.map(Time::new),
    }
}

#[cfg(test)]
mod tests {
    use worldbus_bus::Topic;

    use super::*;

    fn text(notice: &Notice) -> String {
        let mut text = String::new();
        write(&mut text, notice);
        text
    }

    #[test]
    fn what_is_reported_is_an_event_with_json() {
        let resumed = text(&Notice::Resumed { from_ms: 1_700_000_000_000 });
        let expected = "event: resumed\n\
             data: {\"reason\":\"another_log\",\"from_time\":\"2023-11-14T22:13:20.000Z\"}\n\n";
        assert_eq!(resumed, expected);
        let (reason, topic) = (GapReason::Retention, Topic::new("time").ok());
        let gap = Gap { reason, topic, batches: Some(3), from_ms: None, until_ms: Some(0) };
        let expected = "event: gap\ndata: {\"reason\":\"retention\",\"topic\":\"time\",\
             \"batches\":3,\"until_time\":\"1970-01-01T00:00:00.000Z\"}\n\n";
        assert_eq!(text(&Notice::Gap(gap)), expected);
    }

    #[test]
    fn time_that_no_calendar_has_is_a_number() {
        for time_ms in [i64::MIN, i64::MAX, -99_999_999_999_999] {
            let resumed = text(&Notice::Resumed { from_ms: time_ms });
            assert!(resumed.contains(&format!("\"from_time\":{time_ms}}}")), "{resumed}");
        }
    }
}
