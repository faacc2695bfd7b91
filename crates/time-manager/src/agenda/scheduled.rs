//! What was scheduled, when it is due: `time.schedule_fired`, and the event itself on its own
//! topic.
//! Not here: when a schedule is due (`schedule`).

use worldbus_bus::Topic;
use worldbus_events::prost::Message as _;
use worldbus_events::{Event as _, EventId, ProducerId, v1};
use worldbus_world::{WallTime, producer_id};

use super::Agenda;
use crate::NAME;
use crate::emission::Emission;
use crate::history::History;
use crate::schedule::{Due, Schedule};

impl Agenda {
    /// What is due in the wall interval (`after`, `until`].
    pub(super) fn scheduled(
        &self,
        history: &History,
        after: WallTime,
        until: WallTime,
    ) -> Vec<Emission> {
        let clock = history.clock();
        let mut events = self.due_once(history, after, until);
        for schedule in history.schedules.list().iter().filter(|s| !s.plan.is_once()) {
            for span in clock.spans(after, until) {
                let due = schedule.recurring(&span, &self.calendar);
                events.extend(due.flat_map(|due| self.fired(schedule, due)));
            }
        }
        events
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
        // A schedule is a producer of its own: one that is cancelled moves no other's numbers.
        let service = format!("{NAME}/schedule/{}", schedule.number);
        let producer = ProducerId::from_bits(producer_id(&self.world, &service, due.epoch, 0));
        let slot = |slot| EventId { producer, sequence: (due.due.0 as u64).wrapping_mul(2) + slot };
        let fired = Emission {
            event_type: v1::ScheduleFired::NUMBER,
            id: slot(0),
            wall: due.wall,
            entity: None,
            payload: fired.encode_to_vec(),
            topic: None,
            recurs: !schedule.plan.is_once(),
            metadata: None,
        };
        let scheduled = Emission {
            event_type: event.event_type,
            id: slot(1),
            entity: event.entity.clone(),
            payload: event.payload.clone(),
            // Checked when the schedule was taken.
            topic: Topic::new(&event.topic).ok(),
            ..fired.clone()
        };
        [fired, scheduled]
    }
}
