//! What was scheduled, when it is due: `time.schedule_fired`, and the event itself on its own
//! topic.
//! Not here: when a schedule is due (`schedule`).

use super::Agenda;
use super::emission::Emission;
use crate::NAME;
use crate::clock::history::History;
use crate::clock::request::{self, Request, Scheduled};
use crate::schedule::{Due, Schedule};
use worldbus_bus::Topic;
use worldbus_events::prost::Message as _;
use worldbus_events::{Event as _, EventId, ProducerId, v1};
use worldbus_world::{Clock, WallTime, producer_id};

/// The two events of a schedule that is due, as the sequences of its producer count them.
const FIRED_SLOT: u64 = 0;
const SCHEDULED_SLOT: u64 = 1;

impl Agenda {
    /// What is due in the wall interval (`after`, `until`].
    pub(super) fn scheduled(
        &self,
        history: &History,
        after: WallTime,
        until: WallTime,
    ) -> Vec<Emission> {
        let schedules = history.schedules.list().iter();
        let due = schedules.flat_map(|schedule| {
            let due = self.due(schedule, history.clock(), (after, until));
            due.into_iter().flat_map(|due| self.fired(schedule, due))
        });
        due.collect()
    }

    /// The commands on the clock that are due first in the wall interval (`after`, `until`] of
    /// those that are still to be carried out, and when they are due.
    pub(crate) fn requests(
        &self,
        history: &History,
        after: WallTime,
        until: WallTime,
    ) -> Option<(WallTime, Vec<Request>)> {
        let mut first = until;
        let mut requests = Vec::new();
        let commands = history.schedules.list().iter();
        for schedule in commands.filter(|s| s.event.event_type == v1::ClockRequested::NUMBER) {
            for due in self.due(schedule, history.clock(), (after, first)) {
                let Some(request) = self.request(schedule, due) else { continue };
                if history.requests.has(&request.id) {
                    continue;
                }
                if due.wall < first {
                    requests.clear();
                }
                first = due.wall;
                requests.push(request);
                break;
            }
        }
        (!requests.is_empty()).then_some((first, requests))
    }

    fn request(&self, schedule: &Schedule, due: Due) -> Option<Request> {
        // Checked when the schedule was taken.
        let event = v1::ClockRequested::from_payload(&schedule.event.payload).ok()?;
        let (command, by) = request::read(&event, &self.calendar).ok()?;
        let scheduled = Some(Scheduled { number: schedule.number, due: due.wall });
        let id = self.id(schedule, due, SCHEDULED_SLOT).to_string();
        Some(Request { id, command, by, scheduled })
    }

    /// When a schedule is due in the wall interval (`after`, `until`].
    fn due(
        &self,
        schedule: &Schedule,
        clock: &Clock,
        (after, until): (WallTime, WallTime),
    ) -> Vec<Due> {
        if schedule.plan.is_once() {
            let due = schedule.once(clock, until).filter(|due| due.wall > after);
            return due.into_iter().collect();
        }
        let spans = clock.spans(after, until);
        let due = |span| schedule.recurring(&span, &self.calendar).collect::<Vec<_>>();
        spans.flat_map(due).collect()
    }

    /// What is due once in the wall interval (`after`, `until`].
    pub(super) fn due_once(
        &self,
        history: &History,
        after: WallTime,
        until: WallTime,
    ) -> Vec<Emission> {
        let due = |schedule: &Schedule| {
            let due = schedule.once(history.clock(), until).filter(|due| due.wall > after);
            due.map(|due| self.fired(schedule, due))
        };
        history.schedules.list().iter().filter_map(due).flatten().collect()
    }

    pub(super) fn fired(&self, schedule: &Schedule, due: Due) -> [Emission; 2] {
        let event = &schedule.event;
        let fired = v1::ScheduleFired {
            schedule_id: schedule.id(),
            due_game_us: due.due.0,
            game_us: due.game.0,
            event_type: event.event_type,
            payload: event.payload.clone(),
            entity: event.entity.clone().unwrap_or_default(),
        };
        let fired = Emission {
            event_type: v1::ScheduleFired::NUMBER,
            id: self.id(schedule, due, FIRED_SLOT),
            wall: due.wall,
            entity: None,
            payload: fired.encode_to_vec(),
            topic: None,
            recurs: !schedule.plan.is_once(),
            metadata: None,
        };
        let scheduled = Emission {
            event_type: event.event_type,
            id: self.id(schedule, due, SCHEDULED_SLOT),
            entity: event.entity.clone(),
            payload: event.payload.clone(),
            // Checked when the schedule was taken.
            topic: Topic::new(&event.topic).ok(),
            ..fired.clone()
        };
        [fired, scheduled]
    }

    fn id(&self, schedule: &Schedule, due: Due, slot: u64) -> EventId {
        // A schedule is a producer of its own: one that is cancelled moves no other's numbers.
        let service = format!("{NAME}/schedule/{}", schedule.number);
        let producer = ProducerId::from_bits(producer_id(&self.world, &service, due.epoch, 0));
        EventId { producer, sequence: (due.due.0 as u64).wrapping_mul(2) + slot }
    }
}
