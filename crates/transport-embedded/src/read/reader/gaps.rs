//! What a reader reports besides batches: that its places are of another log, and what it asked for
//! that is not there.

use std::collections::VecDeque;

use super::resolve;
use crate::dead_letters::replay;
use crate::format::record::Head;
use crate::shared::Shared;
use worldbus_bus::{Error, Gap, GapReason, Notice, Position, ReadSpec, Resume};

/// Has a specification of another log go on by time; what is to be reported of that.
pub(super) async fn settle_log(
    shared: &Shared,
    spec: &mut ReadSpec,
) -> Result<VecDeque<Notice>, Error> {
    let Some(resume) = spec.resume else { return Ok(VecDeque::new()) };
    if is_held(shared, spec, resume).await? {
        return Ok(VecDeque::new());
    }
    let from_ms = resume.from_ms();
    spec.by_time(from_ms);
    let mut notices = VecDeque::from([Notice::Resumed { from_ms }]);
    if let Some(until_ms) = shared.names.begun_ms.filter(|&begun_ms| begun_ms > resume.time_ms) {
        let (topic, batches, from_ms) = (None, None, Some(resume.time_ms));
        let (reason, until_ms) = (GapReason::LogBegan, Some(until_ms));
        notices.push_back(Notice::Gap(Gap { reason, topic, batches, from_ms, until_ms }));
    }
    Ok(notices)
}

/// Whether what is before the places of a specification is in this log, as it was when they were
/// given: then they are not behind the end of what was appended under the name that they were given
/// with. If they are, the log was put back to an earlier state, and what has come since is not what
/// the reader knows.
async fn is_held(shared: &Shared, spec: &ReadSpec, resume: Resume) -> Result<bool, Error> {
    let (next_group, topics) = {
        let tail = shared.tail();
        let topics: Vec<_> = tail.heads().map(|head| head.name.clone()).collect();
        (tail.next_group(), topics)
    };
    let Some(end) = shared.names.end_of(resume.log, next_group) else { return Ok(false) };
    let others = spec.all_topics.then_some((None, spec.default_from));
    let listed = spec.topics.iter().map(|(topic, from)| (Some(topic), *from));
    for (topic, from) in listed.chain(others) {
        let is_behind = match from {
            Position::Commit(commit) => commit > end,
            Position::Offset(offset) => {
                // What of a topic is gone for good is reported elsewhere.
                match topics.iter().position(|name| Some(name) == topic) {
                    Some(n) => offset > resolve(shared, n as u32, Position::Commit(end)).await?,
                    None => false,
                }
            }
            _ => false,
        };
        if is_behind {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What of a topic is not there any more at the opening of a reader that goes on from a place;
/// `by_time` if that was of another log.
pub(super) fn at_opening(
    head: &Head,
    from: Position,
    by_time: Option<Resume>,
    seen_ms: Option<i64>,
) -> Option<Gap> {
    if !replay::is_public(&head.name) {
        return None;
    }
    let removed = head.removed;
    let batches = match from {
        Position::Offset(offset) => return overtaken(head, offset, seen_ms),
        // Whether a reader has passed the topic's batches of that very commit is not known here.
        Position::Commit(commit) if removed?.group >= commit => None,
        Position::TimeMs(_) if removed?.appended_ms >= by_time?.time_ms => None,
        _ => return None,
    };
    Some(retention(head, batches, seen_ms))
}

/// What retention removed between an offset, which is to be read next, and what is kept.
pub(super) fn overtaken(head: &Head, next: u64, seen_ms: Option<i64>) -> Option<Gap> {
    let batches = head.first_offset.checked_sub(next).filter(|&batches| batches > 0)?;
    Some(retention(head, Some(batches), seen_ms))
}

fn retention(head: &Head, batches: Option<u64>, from_ms: Option<i64>) -> Gap {
    let until_ms = head.removed.map(|removed| removed.appended_ms);
    let topic = Some(head.name.clone());
    Gap { reason: GapReason::Retention, topic, batches, from_ms, until_ms }
}
