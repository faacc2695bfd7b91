//! Which event a change follows from: the weather's, or that of a directive. Not here: when there
//! is a change (`agenda`).

use super::{Agenda, Basis};
use crate::emission::At;
use worldbus_events::EventId;
use worldbus_population::{Cause, Change, NOTICE_MINUTES};
use worldbus_simulated::weather::changed_id;
use worldbus_world::{GameTime, Segment};

impl Agenda {
    /// The event that a change follows from, if it is one.
    pub(super) fn cause(&self, basis: Basis<'_>, at: At, change: &Change) -> Option<EventId> {
        match change.cause {
            Cause::Directive => {
                let command = basis.commands.of_rev(change.because as u64)?;
                Some(self.events.command_id(command))
            }
            Cause::Weather => {
                let region = usize::from(self.people.person(change.person).region);
                if let Some(changes) = &basis.weather.changes {
                    let id = changes.id(&self.world.regions[region].id, change.because);
                    return id.and_then(|id| id.parse().ok());
                }
                self.weather_cause(basis, at, region, change.because)
            }
            Cause::Routine | Cause::Need => None,
        }
    }

    /// The `weather.changed` since which the weather of a region is what people noticed at a
    /// minute; none if that was before the clock's segment.
    fn weather_cause(
        &self,
        basis: Basis<'_>,
        at: At,
        region: usize,
        noticed: i64,
    ) -> Option<EventId> {
        let overrides = &basis.weather.timeline.overrides;
        let state = |game| self.weather.state(region, game, overrides);
        let is = state(GameTime::from_minutes(noticed - NOTICE_MINUTES));
        let mut game = GameTime::from_minutes(noticed - NOTICE_MINUTES - 1);
        while state(game) != is {
            game = self.weather.next_change(region, game, overrides);
        }
        let segments = basis.clock.segments();
        let segment: &Segment = segments.iter().find(|segment| segment.epoch == at.epoch)?;
        let wall = segment.wall_at(game).filter(|_| game >= segment.anchor_game)?;
        let rev = basis.weather.timeline.rev_at(wall);
        let regions = self.world.regions.len();
        Some(changed_id(&self.world.id, (at.epoch, rev), game, (region, regions)))
    }
}
