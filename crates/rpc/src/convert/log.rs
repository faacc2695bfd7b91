//! Which log is read, how far it goes, and what a reader reports besides batches.

use v1::notice::Notice as Choice;

use super::{invalid, required};
use crate::v1;
use worldbus_bus::{Error, Gap, GapReason, LogEnd, LogId, Notice, Topic};

impl v1::ListTopicsResponse {
    /// Sets where the log ends.
    pub fn with_end(self, end: Option<LogEnd>) -> Self {
        let Some(LogEnd { log, next_commit, time_ms }) = end else { return self };
        Self { next_commit: Some(next_commit), log: log.map(LogId::bits), time_ms, ..self }
    }

    /// Where the log ends, if its commits are numbered.
    pub fn end(&self) -> Option<LogEnd> {
        let log = self.log.and_then(LogId::from_bits);
        Some(LogEnd { log, next_commit: self.next_commit?, time_ms: self.time_ms })
    }
}

impl From<Notice> for v1::Notice {
    fn from(notice: Notice) -> Self {
        let notice = match notice {
            Notice::Resumed { from_ms } => Choice::Resumed(v1::Resumed { from_ms }),
            Notice::Gap(gap) => Choice::Gap(gap.into()),
        };
        Self { notice: Some(notice) }
    }
}

impl TryFrom<v1::Notice> for Notice {
    type Error = Error;

    fn try_from(message: v1::Notice) -> Result<Self, Error> {
        Ok(match required(message.notice, "notice")? {
            Choice::Resumed(v1::Resumed { from_ms }) => Self::Resumed { from_ms },
            Choice::Gap(gap) => Self::Gap(gap.try_into()?),
        })
    }
}

impl From<Gap> for v1::Gap {
    fn from(gap: Gap) -> Self {
        let Gap { reason, topic, batches, from_ms, until_ms } = gap;
        let reason = match reason {
            GapReason::Retention => v1::GapReason::Retention,
            GapReason::LogBegan => v1::GapReason::LogBegan,
            _ => v1::GapReason::Unspecified,
        };
        let (reason, topic) = (reason.into(), topic.map(|topic| topic.to_string()));
        Self { reason, topic, batches, from_ms, until_ms }
    }
}

impl TryFrom<v1::Gap> for Gap {
    type Error = Error;

    fn try_from(message: v1::Gap) -> Result<Self, Error> {
        let reason = match message.reason() {
            v1::GapReason::Retention => GapReason::Retention,
            v1::GapReason::LogBegan => GapReason::LogBegan,
            v1::GapReason::Unspecified => {
                return Err(invalid("unknown reason of a gap"));
            }
        };
        let v1::Gap { topic, batches, from_ms, until_ms, .. } = message;
        let topic = topic.map(|name| Topic::new(&name)).transpose()?;
        Ok(Self { reason, topic, batches, from_ms, until_ms })
    }
}
