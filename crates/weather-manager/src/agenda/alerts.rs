//! Alerts: a spell of severe weather is raised once, six game hours ahead or when it comes into
//! view, updated when it turns out otherwise, and ended. Not here: what a spell is (`world`).
//!
//! An alert is named after its region and the onset of its spell. If an override moves the onset
//! the update has both names, so that nothing has to be remembered.

use super::emission::{ENDED_RANK, Emission, SEVERE_RANK, SPELL_COUNT_MAX, UPDATED_RANK};
use super::{AHEAD_HOURS, Agenda, At};
use worldbus_events::v1;
use worldbus_world::{GameTime, Overrides, SPELL_STEP_HOURS, Spell, Weather};

/// The spells of a region that are under way or begin within the hours that are announced.
pub(crate) fn in_view(
    weather: &Weather,
    region: usize,
    game: GameTime,
    overrides: &Overrides,
) -> Vec<Spell> {
    let mut spells = Vec::new();
    spells.extend(weather.spell_at(region, game, overrides));
    for ahead in 0..=AHEAD_HOURS {
        let hour = game.hours().saturating_add(ahead);
        let beginning = weather.spells_beginning(region, hour, overrides);
        spells.extend(beginning.into_iter().filter(|spell| spell.onset > game));
    }
    spells.truncate(SPELL_COUNT_MAX);
    spells
}

/// Names an alert.
pub(crate) fn alert_id(region: &str, spell: &Spell) -> String {
    format!("{region}:{}", spell.onset.0)
}

impl Agenda {
    /// What a jump or a command makes of the alerts that were known: some are new, some
    /// otherwise, some called off.
    pub(super) fn compare_alerts(
        &self,
        at: At<'_>,
        region: usize,
        known: &[Spell],
        events: &mut Vec<Emission>,
    ) {
        let now = in_view(&self.weather, region, at.game, at.overrides);
        let mut left: Vec<&Spell> = known.iter().collect();
        for (rank, spell) in now.iter().enumerate() {
            let Some(of) = left.iter().position(|old| meet(old, spell)) else {
                events.push(self.raised(at, region, SEVERE_RANK + rank, spell));
                continue;
            };
            let old = left.remove(of);
            if old != spell {
                events.push(self.updated(at, region, UPDATED_RANK + rank, old, spell));
            }
        }
        for (rank, old) in left.into_iter().enumerate() {
            events.push(self.ended(at, region, ENDED_RANK + rank, old, true));
        }
    }

    /// Spells that come into view.
    pub(super) fn severe(
        &self,
        at: At<'_>,
        region: usize,
        spells: &[Spell],
        events: &mut Vec<Emission>,
    ) {
        for (rank, spell) in spells.iter().take(SPELL_COUNT_MAX).enumerate() {
            events.push(self.raised(at, region, SEVERE_RANK + rank, spell));
        }
    }

    /// A spell ends, or looking further shows that it lasts longer than was announced.
    pub(super) fn alert_goes_on(
        &self,
        at: At<'_>,
        region: usize,
        was: bool,
        is: bool,
        events: &mut Vec<Emission>,
    ) {
        let looks_further = at.game.0 % (SPELL_STEP_HOURS * GameTime::HOUR_US) == 0;
        if !was || is && !looks_further {
            return;
        }
        let Some(old) = self.weather.spell_at(region, at.game.plus_us(-1), at.overrides) else {
            return;
        };
        if !is {
            return events.push(self.ended(at, region, ENDED_RANK, &old, false));
        }
        let new = self.weather.spell_at(region, at.game, at.overrides);
        if let Some(new) = new.filter(|new| *new != old) {
            events.push(self.updated(at, region, UPDATED_RANK, &old, &new));
        }
    }

    fn alert_id(&self, region: usize, spell: &Spell) -> String {
        alert_id(&self.region_ids[region], spell)
    }

    fn raised(&self, at: At<'_>, region: usize, rank: usize, spell: &Spell) -> Emission {
        let event = v1::WeatherSevere {
            region_id: self.region_ids[region].clone(),
            state: spell.state as i32,
            severity: spell.severity as i32,
            onset_game_us: spell.onset.0,
            end_game_us: spell.end.0,
            peak_wind_gust_dmps: u32::from(spell.peak_gust_dmps),
            peak_precipitation_rate_umph: spell.peak_precipitation_umph,
            forced: spell.forced,
            alert_id: self.alert_id(region, spell),
        };
        self.emission(&event, at, Some(region), rank)
    }

    fn updated(
        &self,
        at: At<'_>,
        region: usize,
        rank: usize,
        old: &Spell,
        spell: &Spell,
    ) -> Emission {
        let (alert_id, before) = (self.alert_id(region, spell), self.alert_id(region, old));
        let event = v1::WeatherAlertUpdated {
            previous_alert_id: if before == alert_id { String::new() } else { before },
            alert_id,
            region_id: self.region_ids[region].clone(),
            state: spell.state as i32,
            severity: spell.severity as i32,
            onset_game_us: spell.onset.0,
            end_game_us: spell.end.0,
            peak_wind_gust_dmps: u32::from(spell.peak_gust_dmps),
            peak_precipitation_rate_umph: spell.peak_precipitation_umph,
            forced: spell.forced,
        };
        self.emission(&event, at, Some(region), rank)
    }

    fn ended(
        &self,
        at: At<'_>,
        region: usize,
        rank: usize,
        spell: &Spell,
        called_off: bool,
    ) -> Emission {
        let event = v1::WeatherAlertEnded {
            alert_id: self.alert_id(region, spell),
            region_id: self.region_ids[region].clone(),
            ended_game_us: at.game.0,
            called_off,
        };
        self.emission(&event, at, Some(region), rank)
    }
}

/// They share an instant, so they are one alert.
fn meet(a: &Spell, b: &Spell) -> bool {
    a.onset < b.end && b.onset < a.end
}
