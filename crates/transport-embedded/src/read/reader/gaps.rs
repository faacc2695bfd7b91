//! What a reader reports besides batches: that its places are of another log, and what it asked for
//! that is not there.

use std::collections::VecDeque;

use crate::dead_letters::replay;
use crate::format::record::Head;
use crate::shared::Shared;
use worldbus_bus::{Gap, GapReason, Notice, Position, ReadSpec, Resume};

/// Has a specification of another log go on by time; what is to be reported of that.
pub(super) fn settle_log(shared: &Shared, spec: &mut ReadSpec) -> VecDeque<Notice> {
    let Some(resume) = spec.resume else { return VecDeque::new() };
    if shared.log() == Some(resume.log) && !is_beyond_the_end(shared, spec) {
        return VecDeque::new();
    }
    let from_ms = resume.from_ms();
    spec.by_time(from_ms);
    let mut notices = VecDeque::from([Notice::Resumed { from_ms }]);
    let begun_ms = shared.identity.and_then(|identity| identity.begun_ms);
    if let Some(until_ms) = begun_ms.filter(|&begun_ms| begun_ms > resume.time_ms) {
        let (topic, batches, from_ms) = (None, None, Some(resume.time_ms));
        let (reason, until_ms) = (GapReason::LogBegan, Some(until_ms));
        notices.push_back(Notice::Gap(Gap { reason, topic, batches, from_ms, until_ms }));
    }
    notices
}

/// Whether a commit is asked for that there has not been: the log was put back to an earlier state,
/// and what has come since is not what the reader knows.
fn is_beyond_the_end(shared: &Shared, spec: &ReadSpec) -> bool {
    let next_group = shared.tail().next_group();
    let listed = spec.topics.iter().map(|(_, from)| *from);
    let mut places = listed.chain(spec.all_topics.then_some(spec.default_from));
    places.any(|from| matches!(from, Position::Commit(commit) if commit > next_group))
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
