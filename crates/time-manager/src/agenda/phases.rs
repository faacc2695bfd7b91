//! The phases of the day: of the world by its clock, or of each region by its sun, where the world
//! file sets it. Not here: which instants are looked at (`agenda`), where the sun is (`skies`).

use super::emission::Emission;
use super::moments::Moment;
use super::{Agenda, At};
use worldbus_events::{Event, v1};
use worldbus_world::{GameTime, Phase};

impl Agenda {
    /// The phase of the day; by the sun, that of the world's first region.
    pub(super) fn phase(&self, game: GameTime) -> Phase {
        match &self.skies {
            None => self.calendar.phase(game),
            Some(skies) => skies.first_phase(game),
        }
    }

    /// Whether a phase of the day begins at an instant, in the world or in a region.
    pub(super) fn phase_begins(&self, game: GameTime) -> bool {
        match &self.skies {
            None => self.calendar.phase(game.plus_us(-1)) != self.calendar.phase(game),
            Some(skies) => skies.turn_at(game),
        }
    }

    /// Where phases of the day begin after an instant and before another, region by region.
    pub(super) fn phase_turns(&self, after: GameTime, end: GameTime) -> Vec<GameTime> {
        let Some(skies) = &self.skies else {
            let next = |after: &GameTime| self.calendar.next_phase(*after).map(|(game, _)| game);
            let turns = std::iter::successors(next(&after), next);
            return turns.take_while(|game| *game < end).collect();
        };
        let regions = 0..skies.regions().len();
        regions.flat_map(|region| skies.turns(region, after, end)).collect()
    }

    /// The first instant after another at which a phase of the day begins.
    pub(super) fn next_phase(&self, after: GameTime) -> Option<GameTime> {
        let Some(skies) = &self.skies else {
            return self.calendar.next_phase(after).map(|(game, _)| game);
        };
        let end = GameTime(i64::MAX);
        let regions = 0..skies.regions().len();
        regions.filter_map(|region| skies.turns(region, after, end).next()).min()
    }

    /// The phases that are others at an instant than they were before; all at a world's beginning.
    pub(super) fn phases_changed(
        &self,
        before: Option<GameTime>,
        new: Moment<'_>,
        at: At,
        events: &mut Vec<Emission>,
    ) {
        let Some(skies) = &self.skies else {
            let (old, phase) = (before.map(|game| self.phase(game)), self.phase(at.game));
            if old != Some(phase) {
                let season = new.kind_of_season();
                let changed = v1::TimeChanged { season, ..changed(old, phase, new, at) };
                self.phase_changed(changed, None, at, events);
            }
            return;
        };
        for (index, region) in skies.regions().iter().enumerate() {
            let (old, phase) =
                (before.map(|game| skies.phase(index, game)), skies.phase(index, at.game));
            if old == Some(phase) {
                continue;
            }
            let season = self.calendar.season_of_day(&new.day, region.hemisphere());
            let changed = v1::TimeChanged {
                season: season.kind.map_or(0, |kind| kind as i32),
                region_id: Some(region.id.clone()),
                sun_altitude_centidegrees: Some(skies.altitude_centidegrees(index, at.game)),
                ..changed(old, phase, new, at)
            };
            self.phase_changed(changed, Some(index), at, events);
        }
    }

    /// A phase that began, in the world or in a region by its index.
    fn phase_changed(
        &self,
        changed: v1::TimeChanged,
        region: Option<usize>,
        at: At,
        events: &mut Vec<Emission>,
    ) {
        events.push(self.of_sky(&changed, region, at));
        let v1::TimeChanged { new_phase, date, region_id, sun_altitude_centidegrees, .. } = changed;
        if new_phase == Phase::Day as i32 {
            let event = v1::DayActivated { date, region_id, sun_altitude_centidegrees };
            events.push(self.of_sky(&event, region, at));
        } else if new_phase == Phase::Night as i32 {
            let event = v1::NightActivated { date, region_id, sun_altitude_centidegrees };
            events.push(self.of_sky(&event, region, at));
        }
    }

    fn of_sky<E: Event>(&self, event: &E, region: Option<usize>, at: At) -> Emission {
        match self.skies.as_ref().zip(region) {
            None => self.moment(event, at),
            Some((skies, index)) => {
                let rules = self.calendar.rules();
                let rank = rules.moons().len() + rules.holidays().len() + index;
                self.moment_of(event, at, rank, &skies.regions()[index].id)
            }
        }
    }
}

/// A phase that began, but for where.
fn changed(old: Option<Phase>, phase: Phase, new: Moment<'_>, at: At) -> v1::TimeChanged {
    v1::TimeChanged {
        old_phase: old.map_or(0, |old| old as i32),
        new_phase: phase as i32,
        date: Some(new.day_of_calendar()),
        hour: u32::from(new.date.hour),
        minute: u32::from(new.date.minute),
        total_minutes: at.game.minutes(),
        ..v1::TimeChanged::default()
    }
}
