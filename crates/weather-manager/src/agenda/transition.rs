//! Transitions between states: announced ten game minutes before a whole hour at which the state is
//! going to change, and at once where it changes otherwise. Not here: the change itself.

use super::emission::{AHEAD_RANK, AT_ONCE_RANK, COMPLETED_RANK, Emission};
use super::{Agenda, At};
use worldbus_events::v1;
use worldbus_world::{GameTime, Overrides, WeatherState};

/// Half of a foreseen transition, the whole of one that begins with the change.
pub(super) const HALF_US: i64 = 10 * GameTime::MINUTE_US;

/// From one state to the next, over a stretch of game time.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Transition {
    from: WeatherState,
    to: WeatherState,
    start: GameTime,
    end: GameTime,
}

impl Agenda {
    /// A transition begins or ends at this instant.
    pub(super) fn transition(&self, at: At<'_>, region: usize, events: &mut Vec<Emission>) {
        let hour = at.game.plus_us(HALF_US);
        if hour.0 % GameTime::HOUR_US == 0
            && let Some(ahead) = self.foreseen(region, hour, at.overrides)
        {
            events.push(self.started(at, region, AHEAD_RANK, &ahead));
        }
        let began = at.game.plus_us(-HALF_US);
        if began.0 % GameTime::HOUR_US != 0 && !self.weather.may_change(region, began, at.overrides)
        {
            return;
        }
        let change = self.foreseen(region, began, at.overrides);
        let arrived = |to| self.weather.state(region, at.game, at.overrides) == to;
        if let Some(change) = change.filter(|change| arrived(change.to)) {
            events.push(self.completed(at, region, &change));
        }
    }

    /// The state changes now, and not at a whole hour.
    pub(super) fn transition_at_once(
        &self,
        at: At<'_>,
        region: usize,
        from: WeatherState,
        to: WeatherState,
    ) -> Emission {
        let (start, end) = (at.game, at.game.plus_us(HALF_US));
        self.started(at, region, AT_ONCE_RANK, &Transition { from, to, start, end })
    }

    /// After a jump or a command: the transition into the next whole hour that should have begun
    /// by now, unless it began under the overrides before.
    pub(super) fn transition_under_way(
        &self,
        at: At<'_>,
        region: usize,
        before: Option<&Overrides>,
        events: &mut Vec<Emission>,
    ) {
        let hour = GameTime::from_hours(at.game.hours().saturating_add(1));
        if hour.plus_us(-HALF_US) > at.game {
            return;
        }
        let known = before.and_then(|before| self.foreseen(region, hour, before));
        let now = self.foreseen(region, hour, at.overrides);
        if let Some(now) = now.filter(|now| known != Some(*now)) {
            events.push(self.started(
                at,
                region,
                AHEAD_RANK,
                &Transition { start: at.game, ..now },
            ));
        }
    }

    /// The transition around an instant, if the state changes there.
    fn foreseen(&self, region: usize, at: GameTime, overrides: &Overrides) -> Option<Transition> {
        let from = self.weather.state(region, at.plus_us(-1), overrides);
        let to = self.weather.state(region, at, overrides);
        let (start, end) = (at.plus_us(-HALF_US), at.plus_us(HALF_US));
        (from != to).then_some(Transition { from, to, start, end })
    }

    fn started(&self, at: At<'_>, region: usize, rank: usize, change: &Transition) -> Emission {
        let event = v1::WeatherTransitionStarted {
            region_id: self.region_ids[region].clone(),
            from_state: change.from as i32,
            to_state: change.to as i32,
            start_game_us: change.start.0,
            end_game_us: change.end.0,
            curve: v1::TransitionCurve::Smoothstep.into(),
        };
        self.emission(&event, at, Some(region), rank)
    }

    fn completed(&self, at: At<'_>, region: usize, change: &Transition) -> Emission {
        let event = v1::WeatherTransitionCompleted {
            region_id: self.region_ids[region].clone(),
            from_state: change.from as i32,
            to_state: change.to as i32,
            end_game_us: at.game.0,
        };
        self.emission(&event, at, Some(region), COMPLETED_RANK)
    }
}
