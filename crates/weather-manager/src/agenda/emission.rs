//! Weather as events: payloads, identities. Not here: when there is one (`agenda`).

use super::{AHEAD_HOURS, Agenda, At};
use crate::NAME;
use crate::commands::{Act, Command, Commands};
use worldbus_bus::Outgoing;
use worldbus_events::{Event, EventId, ProducerId, v1};
use worldbus_simulated::weather;
use worldbus_world::{GameTime, Ground, Override, WallTime, WeatherState, producer_id};

/// Ranks in the identity of events. Of events of spells there are as many as spells of a
/// region can come into view at one instant.
pub(super) const CHANGED_RANK: usize = weather::CHANGED_RANK;
pub(super) const SEVERE_RANK: usize = 1;
pub(super) const AT_ONCE_RANK: usize = SEVERE_RANK + SPELL_COUNT_MAX;
pub(super) const AHEAD_RANK: usize = AT_ONCE_RANK + 1;
pub(super) const COMPLETED_RANK: usize = AHEAD_RANK + 1;
pub(super) const UPDATED_RANK: usize = COMPLETED_RANK + 1;
pub(super) const ENDED_RANK: usize = UPDATED_RANK + SPELL_COUNT_MAX;
const COMMAND_RANK: usize = ENDED_RANK + SPELL_COUNT_MAX;
const SAMPLE_RANK: usize = COMMAND_RANK + 1;
const DAILY_RANK: usize = SAMPLE_RANK + 1;
const GROUND_RANK: usize = DAILY_RANK + 1;
pub(super) const TYPE_RANKS: usize = weather::RANK_COUNT;
const _: () = assert!(TYPE_RANKS == GROUND_RANK + 1);

/// Spells of a region that are announced at one instant: one under way and one an hour, as many as
/// there are without overrides.
pub(super) const SPELL_COUNT_MAX: usize = AHEAD_HOURS as usize + 2;

/// An event, ready to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Emission {
    pub(super) event_type: u32,
    pub(super) id: EventId,
    /// The nominal wall time of its boundary.
    pub(super) wall: WallTime,
    /// None: the world as a whole.
    pub(super) entity: Option<String>,
    pub(super) payload: Vec<u8>,
}

impl worldbus_simulated::Emission for Emission {
    fn outgoing(&self) -> Outgoing<'_> {
        Outgoing {
            event_type: self.event_type,
            id: Some(self.id),
            timestamp_ms: Some(self.wall.0.div_euclid(1000)),
            entity: self.entity.as_deref(),
            payload: &self.payload,
            ..Outgoing::default()
        }
    }

    fn wall_us(&self) -> i64 {
        self.wall.0
    }
}

impl Emission {
    /// Where it is among its producer's: game times before the world's epoch come first.
    pub(super) fn sequence(&self) -> i64 {
        self.id.sequence.cast_signed()
    }
}

impl Agenda {
    pub(super) fn changed(&self, at: At<'_>, region: usize, old: Option<WeatherState>) -> Emission {
        let now = self.weather.conditions(region, at.game, at.overrides);
        let end = self.weather.state_end(region, at.game, at.overrides);
        let event = v1::WeatherChanged {
            region_id: self.region_ids[region].clone(),
            old_state: old.map_or(0, |state| state as i32),
            new_state: now.state as i32,
            intensity_permille: u32::from(now.intensity_permille),
            temperature_decicelsius: i32::from(now.temperature_dc),
            dew_point_decicelsius: i32::from(now.dew_point_dc),
            relative_humidity_permille: u32::from(now.humidity_permille),
            wind_speed_dmps: u32::from(now.wind_dmps),
            wind_gust_dmps: u32::from(now.gust_dmps),
            wind_direction_degrees: u32::from(now.wind_direction_deg),
            precipitation_rate_umph: now.precipitation_umph,
            snow_rate_umph: now.snow_umph,
            cloud_cover_permille: u32::from(now.cloud_permille),
            visibility_m: now.visibility_m,
            pressure_dhpa: u32::from(now.pressure_dhpa),
            started_game_us: at.game.0,
            expected_end_game_us: end.0,
            forced: now.forced,
        };
        self.emission(&event, at, Some(region), CHANGED_RANK)
    }

    pub(super) fn sample(&self, at: At<'_>, region: usize) -> Emission {
        let now = self.weather.conditions(region, at.game, at.overrides);
        let event = v1::WeatherSample {
            region_id: self.region_ids[region].clone(),
            state: now.state as i32,
            intensity_permille: u32::from(now.intensity_permille),
            temperature_decicelsius: i32::from(now.temperature_dc),
            dew_point_decicelsius: i32::from(now.dew_point_dc),
            relative_humidity_permille: u32::from(now.humidity_permille),
            wind_speed_dmps: u32::from(now.wind_dmps),
            wind_gust_dmps: u32::from(now.gust_dmps),
            wind_direction_degrees: u32::from(now.wind_direction_deg),
            precipitation_rate_umph: now.precipitation_umph,
            snow_rate_umph: now.snow_umph,
            cloud_cover_permille: u32::from(now.cloud_permille),
            visibility_m: now.visibility_m,
            pressure_dhpa: u32::from(now.pressure_dhpa),
            game_us: at.game.0,
            forced: now.forced,
        };
        self.emission(&event, at, Some(region), SAMPLE_RANK)
    }

    /// The day that has just ended, if one has.
    pub(super) fn daily_summary(&self, at: At<'_>, region: usize) -> Option<Emission> {
        let (start, hours) = self.weather.day_ended(at.game)?;
        let day = self.weather.summary(region, hours, at.overrides);
        let event = v1::WeatherDailySummary {
            region_id: self.region_ids[region].clone(),
            start_game_us: start.0,
            temperature_min_decicelsius: i32::from(day.temperature_min_dc),
            temperature_max_decicelsius: i32::from(day.temperature_max_dc),
            precipitation_um: day.precipitation_um.min(u64::from(u32::MAX)) as u32,
            wind_gust_max_dmps: u32::from(day.gust_max_dmps),
            dominant_state: day.dominant().map_or(0, |state| state as i32),
            wet_hours: day.wet_hours,
        };
        Some(self.emission(&event, at, Some(region), DAILY_RANK))
    }

    pub(super) fn ground_changed(&self, at: At<'_>, region: usize, ground: &Ground) -> Emission {
        let event = v1::GroundStateChanged {
            region_id: self.region_ids[region].clone(),
            snow_depth_mm: u32::from(ground.snow_depth_mm),
            wetness_permille: u32::from(ground.wetness_permille),
            frozen: ground.frozen,
            game_us: at.game.0,
        };
        self.emission(&event, at, Some(region), GROUND_RANK)
    }

    /// What a command is, for the world as a whole.
    pub(super) fn commanded(&self, at: At<'_>, commands: &Commands, command: &Command) -> Emission {
        let (revision, game_us) = (command.rev, at.game.0);
        let (actor, reason) = (command.actor.clone(), command.reason.clone());
        let region_ids = commands.regions_of(command).to_vec();
        let cleared = |override_id, region_ids, actor, reason| v1::WeatherOverrideCleared {
            revision,
            region_ids,
            override_id,
            game_us,
            actor,
            reason,
        };
        let rank = COMMAND_RANK;
        match &command.act {
            Act::Set { .. } => {
                let records = at.overrides.records();
                let record = records.iter().find(|record| record.rev == revision);
                self.emission(&set(command, record), at, None, rank)
            }
            Act::Clear { .. } => {
                let event = cleared(String::new(), region_ids, actor, reason);
                self.emission(&event, at, None, rank)
            }
            Act::ClearOne { record } => {
                let of = commands.of_rev(*record);
                let id = of.map(|of| commands.record_id(of)).unwrap_or_default();
                self.emission(&cleared(id, region_ids, actor, reason), at, None, rank)
            }
            Act::Undo { undone } => {
                let undone_revision = *undone;
                let event = v1::WeatherCorrected {
                    revision,
                    undone_revision,
                    region_ids,
                    game_us,
                    actor,
                    reason,
                };
                self.emission(&event, at, None, rank)
            }
        }
    }

    pub(super) fn emission<E: Event>(
        &self,
        event: &E,
        at: At<'_>,
        region: Option<usize>,
        rank: usize,
    ) -> Emission {
        let sequence = self.slots.sequence(at.game.seconds(), rank, region);
        let producer = ProducerId::from_bits(producer_id(&self.world, NAME, at.epoch, at.rev));
        Emission {
            event_type: E::NUMBER,
            id: EventId { producer, sequence },
            wall: at.wall,
            entity: region.map(|region| self.region_ids[region].clone()),
            payload: event.encode_to_vec(),
        }
    }
}

fn set(command: &Command, record: Option<&Override>) -> v1::WeatherOverrideSet {
    let mut event = v1::WeatherOverrideSet {
        revision: command.rev,
        actor: command.actor.clone(),
        reason: command.reason.clone(),
        ..v1::WeatherOverrideSet::default()
    };
    let Some(record) = record else { return event };
    let seconds = |us: i64| (us / GameTime::SECOND_US).clamp(0, i64::from(u32::MAX)) as u32;
    let target = record.kind.target();
    event.override_id = record.id.clone();
    event.region_ids = record.regions.clone();
    event.kind = record.kind.name().to_owned();
    event.state = target.map_or(0, |(state, _)| state as i32);
    event.intensity_permille = target.map_or(0, |(_, intensity)| u32::from(intensity));
    event.start_game_us = record.start.0;
    event.end_game_us = record.end.map_or(0, |end| end.0);
    event.fade_in_game_seconds = seconds(record.fade_in_us);
    event.fade_out_game_seconds = seconds(record.fade_out_us);
    event.priority = i32::from(record.priority);
    event
}
