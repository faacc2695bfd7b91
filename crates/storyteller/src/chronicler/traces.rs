//! Which trace an entry follows from: that of the event that it is about; and an answer to a
//! proposal: that of the request that gives it. In memory, as far back as events wait for their
//! turn: what another instance wrote, or this one before a restart, is published without. Not here:
//! spans (`worldbus_bus::trace`).

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ledger::News;
use worldbus_bus::trace::TraceParent;

/// Events and entries whose trace is remembered at a time; the oldest go first.
const TRACE_COUNT_MAX: usize = 8_192;

/// Traces of events that were received, and of what is about them, by id.
#[derive(Debug, Default)]
pub(crate) struct Traces(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    traces: HashMap<u128, TraceParent>,
    order: VecDeque<u128>,
}

impl Traces {
    /// Remembers the trace in which an event is handled, if it is traced.
    pub(crate) fn note(&self, event: u128, trace: Option<TraceParent>) {
        if let Some(trace) = trace {
            self.lock().insert(event, trace);
        }
    }

    /// What was written follows from the events that it is about. A step of an arc comes right
    /// before the entry about it.
    pub(crate) fn follow(&self, news: &[News]) {
        let mut traces = self.lock();
        let mut of_arc = None;
        for news in news.iter().rev() {
            let (id, trace) = match news {
                News::Entry(entry) => {
                    let trace = entry.causes.iter().find_map(|cause| traces.of(cause.to_u128()));
                    of_arc = entry.arc.as_ref().zip(trace);
                    (entry.id, trace)
                }
                News::Advance(advance) => {
                    let same = of_arc.take().filter(|(arc, _)| **arc == advance.arc);
                    (advance.id, same.map(|(_, trace)| trace))
                }
            };
            if let Some(trace) = trace {
                traces.insert(id.to_u128(), trace);
            }
        }
    }

    /// What an event is published within.
    pub(crate) fn of(&self, id: u128) -> Option<TraceParent> {
        self.lock().of(id)
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        // No holder panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    fn of(&self, id: u128) -> Option<TraceParent> {
        self.traces.get(&id).copied()
    }

    fn insert(&mut self, id: u128, trace: TraceParent) {
        if self.traces.insert(id, trace).is_some() {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > TRACE_COUNT_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.traces.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Advance, Entry};
    use worldbus_events::{EventId, ProducerId};

    fn id(sequence: u64) -> EventId {
        EventId { producer: ProducerId::from_bits(1), sequence }
    }

    fn entry(sequence: u64, arc: Option<&str>, cause: u64) -> News {
        News::Entry(Entry {
            id: id(sequence),
            game_us: 0,
            region: None,
            significance: 0,
            text: String::new(),
            arc: arc.map(str::to_owned),
            rule: String::new(),
            causes: vec![id(cause)],
            wall_ms: 0,
        })
    }

    fn advance(sequence: u64, arc: &str) -> News {
        News::Advance(Advance {
            id: id(sequence),
            arc: arc.to_owned(),
            kind: String::new(),
            number: 1,
            from: String::new(),
            to: String::new(),
            region: None,
            game_us: 0,
            ended: false,
            wall_ms: 0,
        })
    }

    #[test]
    fn entry_and_its_step_follow_from_the_event_that_they_are_about() {
        let (traces, trace) = (Traces::default(), |span| TraceParent::new(7, span, true));
        traces.note(id(1).to_u128(), trace(1));
        traces.note(id(2).to_u128(), None);
        let news =
            [advance(10, "b"), advance(11, "a"), entry(12, Some("a"), 1), entry(13, None, 2)];
        traces.follow(&news);
        let of = |sequence| traces.of(id(sequence).to_u128());
        assert_eq!([of(10), of(11), of(12), of(13)], [None, trace(1), trace(1), None]);
    }

    #[test]
    fn oldest_traces_are_forgotten() {
        let (traces, count) = (Traces::default(), TRACE_COUNT_MAX as u128);
        for id in 0..=count {
            traces.note(id, TraceParent::new(1, 1, true));
        }
        assert!(traces.of(0).is_none() && traces.of(1).is_some() && traces.of(count).is_some());
        assert_eq!(traces.lock().traces.len(), TRACE_COUNT_MAX);
    }
}
