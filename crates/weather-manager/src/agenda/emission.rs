//! Weather as events: payloads, identities. Not here: when there is one (`agenda`).

use worldbus_bus::Outgoing;
use worldbus_events::{Event, EventId, ProducerId, v1};
use worldbus_world::{Spell, WallTime, WeatherState, producer_id};

use super::{AHEAD_HOURS, Agenda, At};
use crate::NAME;

/// Ranks in the identity of events: first weather.changed, then weather.severe as often as
/// spells of a region can come into view at one instant: one under way and one an hour.
pub(super) const CHANGED_RANK: usize = 0;
pub(super) const SEVERE_RANK: usize = 1;
pub(super) const TYPE_RANKS: usize = SEVERE_RANK + AHEAD_HOURS as usize + 2;

/// An event, ready to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Emission {
    event_type: u32,
    id: EventId,
    /// The nominal wall time of its boundary.
    wall: WallTime,
    entity: String,
    payload: Vec<u8>,
}

impl worldbus_service::ticker::Emission for Emission {
    fn outgoing(&self) -> Outgoing<'_> {
        Outgoing {
            event_type: self.event_type,
            id: Some(self.id),
            timestamp_ms: Some(self.wall.0.div_euclid(1000)),
            entity: Some(&self.entity),
            payload: &self.payload,
            ..Outgoing::default()
        }
    }

    fn wall_us(&self) -> i64 {
        self.wall.0
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
        self.emission(&event, at, region, CHANGED_RANK)
    }

    pub(super) fn severe(
        &self,
        at: At<'_>,
        region: usize,
        spells: &[Spell],
        events: &mut Vec<Emission>,
    ) {
        for (rank, spell) in (SEVERE_RANK..TYPE_RANKS).zip(spells) {
            let event = v1::WeatherSevere {
                region_id: self.region_ids[region].clone(),
                state: spell.state as i32,
                severity: spell.severity as i32,
                onset_game_us: spell.onset.0,
                end_game_us: spell.end.0,
                peak_wind_gust_dmps: u32::from(spell.peak_gust_dmps),
                peak_precipitation_rate_umph: spell.peak_precipitation_umph,
                forced: spell.forced,
            };
            events.push(self.emission(&event, at, region, rank));
        }
    }

    fn emission<E: Event>(&self, event: &E, at: At<'_>, region: usize, rank: usize) -> Emission {
        let sequence = self.slots.sequence(at.game.seconds(), rank, Some(region));
        let producer = ProducerId::from_bits(producer_id(&self.world, NAME, at.epoch, at.rev));
        Emission {
            event_type: E::NUMBER,
            id: EventId { producer, sequence },
            wall: at.wall,
            entity: self.region_ids[region].clone(),
            payload: event.encode_to_vec(),
        }
    }
}
