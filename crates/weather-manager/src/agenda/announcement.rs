//! The announcement of overrides: the whole set, for those who compute the weather themselves. Not
//! here: what it looks like (`worldbus-simulated`), which command did what (`emission`).

use super::{Agenda, Emission};
use crate::commands::Commands;
use worldbus_events::prost::Message as _;
use worldbus_events::{Event as _, EventId, ProducerId, v1};
use worldbus_simulated::weather::{PART_COUNT_MAX, announce};
use worldbus_world::{Clock, WallTime, producer_id};

/// The overrides are announced again at each multiple of this wall time.
pub(crate) const REPEAT_US: i64 = 5_000_000;

/// Announcements are numbered by a producer of their own: what else there is to say at an instant
/// keeps its ids.
const ANNOUNCER: &str = "weather-manager:overrides";

impl Agenda {
    /// What the latest command led to, to be known before it takes effect.
    pub(crate) fn announcement(&self, clock: &Clock, commands: &Commands) -> Vec<Emission> {
        match commands.list().last() {
            Some(last) => self.announced(clock, commands, 0, last.at),
            None => Vec::new(),
        }
    }

    /// The overrides that there are at the latest repetition until a wall time.
    pub(crate) fn repetition(
        &self,
        clock: &Clock,
        commands: &Commands,
        until: WallTime,
    ) -> Vec<Emission> {
        let number = until.0.div_euclid(REPEAT_US);
        self.announced(clock, commands, number, WallTime(number * REPEAT_US))
    }

    /// The same from every instance: it follows from what is stored under the latest revision,
    /// from the clock, and from the wall time, since when some may be over for long.
    fn announced(
        &self,
        clock: &Clock,
        commands: &Commands,
        number: i64,
        wall: WallTime,
    ) -> Vec<Emission> {
        let epoch = clock.last().epoch;
        let mut known = commands.clone();
        known.prune(clock.game_at(wall), wall);
        let parts = announce(&known.timeline(), epoch, wall);
        debug_assert!(parts.len() <= PART_COUNT_MAX as usize);

        let producer = producer_id(&self.world, ANNOUNCER, epoch, commands.rev());
        let producer = ProducerId::from_bits(producer);
        let first = number.cast_unsigned().wrapping_mul(u64::from(PART_COUNT_MAX));
        let part = |part: v1::WeatherOverridesAnnounced| Emission {
            event_type: v1::WeatherOverridesAnnounced::NUMBER,
            id: EventId { producer, sequence: first.wrapping_add(u64::from(part.part)) },
            wall,
            entity: None,
            payload: part.encode_to_vec(),
        };
        parts.into_iter().map(part).collect()
    }
}
